//! Matching of label sets, with the meaning that Prometheus gives to matchers.

use std::collections::HashMap;

use regex::Regex;

use crate::domain::labels::{LabelsRef, METRIC_NAME};
use crate::domain::selector::{MatchOp, Matcher, Selector};

use super::error::PromqlError;
use super::re2;

/// Matchers that are ready to be applied to many series. A missing label is the empty text.
#[derive(Clone, Debug)]
pub struct CompiledMatchers(Vec<(String, Test)>);

#[derive(Clone, Debug)]
enum Test {
    Is(String),
    IsNot(String),
    Matches(Regex),
    MatchesNot(Regex),
}

/// Regular expressions that were compiled before: thousands of objectives ask for `5..`.
#[derive(Debug, Default)]
pub struct Patterns(HashMap<String, Regex>);

impl Patterns {
    fn compile(&mut self, pattern: &str) -> Result<Regex, PromqlError> {
        if let Some(regex) = self.0.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = re2::compile(pattern)?;
        self.0.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }
}

impl CompiledMatchers {
    /// Compiles `matchers`; an invalid regular expression is refused.
    pub fn new(matchers: &[Matcher]) -> Result<Self, PromqlError> {
        Self::sharing(&mut Patterns::default(), matchers)
    }

    /// Compiles `matchers`, sharing expressions with others that were compiled with the same `patterns`.
    pub fn sharing(patterns: &mut Patterns, matchers: &[Matcher]) -> Result<Self, PromqlError> {
        let compile = |matcher: &Matcher| {
            let test = match matcher.op {
                MatchOp::Equal => Test::Is(matcher.value.clone()),
                MatchOp::NotEqual => Test::IsNot(matcher.value.clone()),
                MatchOp::Matches => Test::Matches(patterns.compile(&matcher.value)?),
                MatchOp::NotMatches => Test::MatchesNot(patterns.compile(&matcher.value)?),
            };
            Ok((matcher.label.clone(), test))
        };
        let compiled: Result<_, PromqlError> = matchers.iter().map(compile).collect();
        compiled.map(Self)
    }

    /// Compiles all of `selector`, its metric's name included.
    pub fn of_selector(selector: &Selector) -> Result<Self, PromqlError> {
        let mut compiled = Self::new(&selector.matchers)?;
        compiled.0.insert(
            0,
            (METRIC_NAME.to_owned(), Test::Is(selector.metric.clone())),
        );
        Ok(compiled)
    }

    /// Whether all matchers hold for `labels`.
    pub fn matches<'a>(&self, labels: impl Into<LabelsRef<'a>>) -> bool {
        let labels = labels.into();
        self.0.iter().all(|(label, test)| {
            let value = labels.get(label);
            match test {
                Test::Is(wanted) => value == wanted,
                Test::IsNot(unwanted) => value != unwanted,
                Test::Matches(regex) => regex.is_match(value),
                Test::MatchesNot(regex) => !regex.is_match(value),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::promql::{parse_matchers, parse_selector};

    #[test]
    fn a_missing_label_is_the_empty_text() {
        let labels: Labels = [("__name__", "up"), ("job", "api"), ("code", "503")]
            .into_iter()
            .collect();
        for (matchers, expected) in [
            (r#"job="api""#, true),
            (r#"job="API""#, false),
            (r#"job="api",code=~"5..""#, true),
            (r#"job="api",code=~"5.""#, false),
            (r#"code!~"4..""#, true),
            (r#"code!~"5..""#, false),
            (r#"env="""#, true),
            (r#"env!="""#, false),
            (r#"env!="prod""#, true),
            (r#"env=~".*""#, true),
            (r#"env=~".+""#, false),
            (r#"env!~".+""#, true),
            (r#"env=~"|prod""#, true),
        ] {
            let matchers = CompiledMatchers::new(&parse_matchers(matchers).unwrap()).unwrap();
            assert_eq!(matchers.matches(&labels), expected, "{matchers:?}");
        }
    }

    #[test]
    fn a_selector_also_compares_the_metric() {
        let selector = parse_selector(r#"up{job="api"}"#).unwrap();
        let matchers = CompiledMatchers::of_selector(&selector).unwrap();
        for (name, expected) in [("up", true), ("down", false), ("", false)] {
            let labels: Labels = [("__name__", name), ("job", "api")].into_iter().collect();
            assert_eq!(matchers.matches(&labels), expected, "{name}");
        }
    }
}
