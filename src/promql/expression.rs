//! Whole PromQL expressions of `query` indicators: only checked, never taken apart.

use std::convert::Infallible;
use std::panic::catch_unwind;

use promql_parser::parser;
use promql_parser::parser::Expr;
use promql_parser::parser::value::ValueType;
use promql_parser::util::{ExprVisitor, walk_expr};

use super::error::PromqlError;
use super::lex::{Token, lexemes};
use super::re2;

/// What stands for the window in the texts of a `query` indicator.
pub const WINDOW: &str = "$window";

/// Checks that `text` is PromQL once [`WINDOW`] is filled in, that it has one, and that its value
/// is a vector or a number.
pub fn check_expression(text: &str) -> Result<(), PromqlError> {
    // Faults in regular expressions come first.
    without_regexes(text)?;
    if !text.contains(WINDOW) {
        return Err(PromqlError::new(
            "the range must be written as [$window], as in sum(increase(jobs_total[$window]))",
        ));
    }
    check_value(text)
}

/// Checks that `text` is PromQL once [`WINDOW`] is filled in, where it has one, and that its value is
/// a vector or a number.
pub fn check_value(text: &str) -> Result<(), PromqlError> {
    let plain = without_regexes(text)?;
    let filled = plain.replace(WINDOW, "5m");
    // The parser panics on some numbers; one bad definition must not take the daemon down.
    let parsed = catch_unwind(|| parser::parse(&filled))
        .map_err(|_| PromqlError::new("the PromQL has a number that cannot be read"))?
        .map_err(|why| PromqlError::new(format!("this is not PromQL: {}", why.trim())))?;
    match parsed.value_type() {
        ValueType::Vector | ValueType::Scalar => Ok(()),
        ValueType::Matrix => Err(PromqlError::new(
            "the value is a range of samples; count them, as in sum(increase(jobs_total[$window]))",
        )),
        ValueType::String => Err(PromqlError::new("the value is a text; a number is due")),
    }
}

/// The names of the metrics that an expression selects, in its order; none of what is no PromQL.
pub fn metrics_of(text: &str) -> Vec<String> {
    let Ok(plain) = without_regexes(text) else {
        return Vec::new();
    };
    let filled = plain.replace(WINDOW, "5m");
    let mut names = Names(Vec::new());
    if let Ok(Ok(parsed)) = catch_unwind(|| parser::parse(&filled)) {
        let Ok(_) = walk_expr(&mut names, &parsed);
    }
    names.0
}

struct Names(Vec<String>);

impl ExprVisitor for Names {
    type Error = Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Infallible> {
        let selector = match expression {
            Expr::VectorSelector(selector) => Some(selector),
            Expr::MatrixSelector(range) => Some(&range.vs),
            _ => None,
        };
        let name = selector.and_then(|it| it.name.clone());
        self.0.extend(name.filter(|name| !self.0.contains(name)));
        Ok(true)
    }
}

/// The same expression with harmless regular expressions: those of `text` are checked here, by
/// RE2's rules, and the parser would judge them by Rust's.
fn without_regexes(text: &str) -> Result<String, PromqlError> {
    let lexemes = lexemes(text)?;
    let mut plain = String::new();
    let mut copied = 0;
    for pair in lexemes.windows(2) {
        let [operator, value] = pair else { continue };
        let Token::Text(regex) = &value.token else {
            continue;
        };
        if operator.is("=~") || operator.is("!~") {
            re2::compile(regex).map_err(|error| error.at(value.range.clone()))?;
            plain += text.get(copied..value.range.start).unwrap_or_default();
            plain += "\"x\"";
            copied = value.range.end;
        }
    }
    plain += text.get(copied..).unwrap_or_default();
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_named_wherever_they_stand() {
        for (text, names) in [
            ("sum by (job) (increase(a_total{b=~\"*\"}[$window]))", ""),
            (
                "sum by (job) (rate(a_total{b=~\"c\"}[$window])) / on (d) (e - a_total)",
                "a_total e",
            ),
            (
                "max_over_time((a > bool 1)[5m:1m] offset 1h) or vector(0)",
                "a",
            ),
            ("sum(", ""),
        ] {
            assert_eq!(metrics_of(text).join(" "), names, "{text}");
        }
    }

    #[test]
    fn expressions_are_checked_with_their_window() {
        for text in [
            "sum(increase(jobs_total[$window]))",
            "sum(increase(jobs_total{result=~\"\\\\Qa.b\\\\E\"}[$window])) or vector(0)",
            "sum(increase({\"my.jobs\"}[$window]))",
            "1 + sum(rate(x[$window]))",
        ] {
            assert_eq!(check_expression(text), Ok(()), "{text}");
        }
        let nested = format!("{}x{}", "(".repeat(20_000), ")".repeat(20_000));
        for (text, sentence) in [
            (
                "sum(increase(jobs_total[5m]))",
                "the range must be written as [$window], as in sum(increase(jobs_total[$window]))",
            ),
            (
                "sum(increase(jobs_total[$window])",
                "this is not PromQL: unclosed left parenthesis",
            ),
            (
                "jobs_total[$window]",
                "the value is a range of samples; count them, as in sum(increase(jobs_total[$window]))",
            ),
            (
                "x[1e300] + x[$window]",
                "the PromQL has a number that cannot be read",
            ),
            (
                "increase(x{a=~\"*\"}[$window])",
                "`*` is not a regular expression in RE2: nothing stands before `*`",
            ),
            (
                nested.as_str(),
                "the range must be written as [$window], as in sum(increase(jobs_total[$window]))",
            ),
        ] {
            assert_eq!(
                check_expression(text).map_err(|error| error.to_string()),
                Err(sentence.to_owned())
            );
        }
        let long = format!("increase(x[$window]) + {}", "1 + ".repeat(20_000));
        assert_eq!(
            check_expression(&long).map_err(|error| error.to_string()),
            Err("80023 bytes of PromQL are too many; at most 65536 are read".to_owned())
        );
    }
}
