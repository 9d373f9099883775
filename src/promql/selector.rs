//! Selectors and lists of matchers, read from PromQL; anything else is refused with what to write.

use std::ops::Range;

use crate::domain::labels::METRIC_NAME;
use crate::domain::selector::{MatchOp, Matcher, Selector};

use super::error::PromqlError;
use super::lex::{Lexeme, Token, lexemes};
use super::print::{is_label_name, is_metric_name};
use super::re2;

/// Reads `metric{label="value"}`, `{__name__="metric"}` or `{"metric"}`.
///
/// A metric's name is required. Functions, ranges, offsets, `@` and operators are refused: what is
/// done with the series is not the selector's business.
pub fn parse_selector(text: &str) -> Result<Selector, PromqlError> {
    let mut reader = Reader::new(text)?;
    let mut metric = reader.metric()?;
    let mut matchers = Vec::new();
    if reader.take("{").is_some() {
        while !reader.peek_is("}") {
            match reader.condition()? {
                Condition::Name(name, at) => set_name(&mut metric, name, at)?,
                Condition::Matcher(matcher, at) if matcher.label == METRIC_NAME => {
                    if matcher.op != MatchOp::Equal {
                        return Err(PromqlError::new(
                            "a selector here needs one metric: write __name__=\"…\", or the name before the braces",
                        )
                        .at(at));
                    }
                    set_name(&mut metric, matcher.value, at)?;
                }
                Condition::Matcher(matcher, _) => matchers.push(matcher),
            }
            if reader.take(",").is_none() {
                break;
            }
        }
        reader.close()?;
    }
    reader.nothing_more()?;
    match metric {
        Some(metric) if !metric.is_empty() => Ok(Selector::new(metric, matchers)),
        _ => Err(PromqlError::new(
            "a selector needs a metric's name, as in http_requests_total{job=\"api\"}",
        )),
    }
}

/// Reads `code=~"5..",method="GET"`, with or without braces; at least one matcher, no metric's name.
pub fn parse_matchers(text: &str) -> Result<Vec<Matcher>, PromqlError> {
    let mut reader = Reader::new(text)?;
    let braced = reader.take("{").is_some();
    let mut matchers = Vec::new();
    while !reader.is_at_end() && !reader.peek_is("}") {
        match reader.condition()? {
            Condition::Matcher(matcher, _) if matcher.label != METRIC_NAME => {
                matchers.push(matcher);
            }
            Condition::Matcher(_, at) | Condition::Name(_, at) => {
                return Err(PromqlError::new(
                    "only labels are compared here, as in code=~\"5..\"; the metric is that of `total`",
                )
                .at(at));
            }
        }
        if reader.take(",").is_none() {
            break;
        }
    }
    if braced {
        reader.close()?;
    }
    reader.nothing_more()?;
    if matchers.is_empty() {
        return Err(PromqlError::new(
            "no label is compared; write at least one, as in code=~\"5..\"",
        ));
    }
    Ok(matchers)
}

fn set_name(
    metric: &mut Option<String>,
    name: String,
    at: Range<usize>,
) -> Result<(), PromqlError> {
    match metric.replace(name) {
        None => Ok(()),
        Some(first) => Err(PromqlError::new(format!(
            "the metric already has the name `{first}`; write it once"
        ))
        .at(at)),
    }
}

enum Condition {
    Name(String, Range<usize>),
    Matcher(Matcher, Range<usize>),
}

struct Reader {
    lexemes: Vec<Lexeme>,
    at: usize,
    length: usize,
}

impl Reader {
    fn new(text: &str) -> Result<Self, PromqlError> {
        let lexemes = lexemes(text)?;
        if lexemes.is_empty() {
            return Err(PromqlError::new(
                "the text is empty; write a selector, as in http_requests_total{job=\"api\"}",
            ));
        }
        Ok(Self {
            lexemes,
            at: 0,
            length: text.len(),
        })
    }

    fn peek(&self) -> Option<&Lexeme> {
        self.lexemes.get(self.at)
    }

    fn peek_is(&self, sign: &str) -> bool {
        self.peek().is_some_and(|next| next.is(sign))
    }

    fn is_at_end(&self) -> bool {
        self.at == self.lexemes.len()
    }

    fn take(&mut self, sign: &str) -> Option<Range<usize>> {
        let range = self.peek().filter(|next| next.is(sign))?.range.clone();
        self.at += 1;
        Some(range)
    }

    fn next(&mut self) -> Option<Lexeme> {
        let next = self.peek().cloned();
        self.at += usize::from(next.is_some());
        next
    }

    /// The bytes of the next token, or the end of the text.
    fn here(&self) -> Range<usize> {
        self.peek()
            .map_or(self.length..self.length, |next| next.range.clone())
    }

    fn metric(&mut self) -> Result<Option<String>, PromqlError> {
        let Some(Lexeme {
            token: Token::Word(name),
            range,
        }) = self.peek().cloned()
        else {
            return Ok(None);
        };
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(PromqlError::new(
                "a number is no selector; write one, as in http_requests_total{job=\"api\"}",
            )
            .at(range));
        }
        if !is_metric_name(&name) {
            return Err(PromqlError::new(format!(
                "`{name}` cannot stand as a metric's name without quotes; write {{\"{name}\"}}"
            ))
            .at(range));
        }
        self.at += 1;
        Ok(Some(name))
    }

    fn condition(&mut self) -> Result<Condition, PromqlError> {
        let here = self.here();
        let expected = || {
            PromqlError::new("a label and its value are due here, as in job=\"api\"")
                .at(here.clone())
        };
        let (label, is_quoted, range) = match self.next().ok_or_else(expected)? {
            Lexeme {
                token: Token::Word(label),
                range,
            } => (label, false, range),
            Lexeme {
                token: Token::Text(label),
                range,
            } => (label, true, range),
            _ => return Err(expected()),
        };
        if is_quoted && (self.is_at_end() || self.peek_is(",") || self.peek_is("}")) {
            return Ok(Condition::Name(label, range));
        }
        if label.is_empty() || !is_quoted && !is_label_name(&label) {
            return Err(PromqlError::new(format!(
                "`{label}` cannot stand as a label's name without quotes; write \"{label}\"=\"…\""
            ))
            .at(range));
        }
        let op = self.operator(&label)?;
        let value = self.here();
        let Some(Lexeme {
            token: Token::Text(text),
            ..
        }) = self.next()
        else {
            return Err(PromqlError::new(format!(
                "the value of `{label}` is due in quotes, as in {label}=\"…\""
            ))
            .at(value));
        };
        if matches!(op, MatchOp::Matches | MatchOp::NotMatches) {
            re2::compile(&text).map_err(|error| error.at(value.clone()))?;
        }
        let matcher = Matcher {
            label,
            op,
            value: text,
        };
        Ok(Condition::Matcher(matcher, range.start..value.end))
    }

    fn operator(&mut self, label: &str) -> Result<MatchOp, PromqlError> {
        let here = self.here();
        let sign = match self.next().map(|next| next.token) {
            Some(Token::Sign(sign)) => sign,
            _ => String::new(),
        };
        match sign.as_str() {
            "=" => Ok(MatchOp::Equal),
            "!=" => Ok(MatchOp::NotEqual),
            "=~" => Ok(MatchOp::Matches),
            "!~" => Ok(MatchOp::NotMatches),
            _ => Err(PromqlError::new(format!(
                "after the label `{label}` one of =, !=, =~ and !~ is due"
            ))
            .at(here)),
        }
    }

    fn close(&mut self) -> Result<(), PromqlError> {
        let here = self.here();
        match self.take("}") {
            Some(_) => Ok(()),
            None if self.is_at_end() => {
                Err(PromqlError::new("the brace is not closed; write } at the end").at(here))
            }
            None => Err(PromqlError::new("a comma or } is due here").at(here)),
        }
    }

    /// What stands after the selector decides which mistake it is.
    fn nothing_more(&self) -> Result<(), PromqlError> {
        let Some(next) = self.peek() else {
            return Ok(());
        };
        let sentence = match &next.token {
            Token::Sign(sign) => match sign.as_str() {
                "(" => {
                    "functions do not belong here: write the series alone, as in http_requests_total{job=\"api\"}; for any other PromQL there is `query`"
                }
                "[" => {
                    "a range does not belong here: remove the brackets; Sloburn chooses the ranges itself"
                }
                "@" => "`@` does not belong here: remove it; Sloburn chooses the times itself",
                "," => "one selector is due here, without a comma after it",
                _ => {
                    "operators do not belong here: write one selector; for any other PromQL there is `query`"
                }
            },
            Token::Word(word) if word.eq_ignore_ascii_case("offset") => {
                "an offset does not belong here: remove it; Sloburn chooses the times itself"
            }
            Token::Word(word) if ["by", "without", "on"].contains(&word.as_str()) => {
                "aggregations do not belong here: write the series alone; Sloburn adds them up itself"
            }
            Token::Word(_) | Token::Text(_) => "one selector is due here, and it ends before this",
        };
        // A function or an aggregation is wrong from its name on.
        let is_call = next.is("(") || sentence.starts_with("aggregations");
        let first = self.lexemes.first().filter(|_| is_call);
        let start = first.map_or(next.range.start, |first| first.range.start);
        Err(PromqlError::new(sentence).at(start..next.range.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::selector_text;
    use proptest::prelude::*;

    #[test]
    fn selectors_are_read_in_every_spelling() {
        for (text, printed) in [
            ("up", "up"),
            ("up{}", "up"),
            (r#"up{job="api",}"#, r#"up{job="api"}"#),
            (r#"{__name__="up",job='api'}"#, r#"up{job="api"}"#),
            (r#"{"up", job=`a\b`}"#, r#"up{job="a\\b"}"#),
            (r#"{"my.metric", "a.b"="c"}"#, r#"{"my.metric","a.b"="c"}"#),
            (
                r#"up { b != "x" , a !~ "y|z", c =~ "5.." }"#,
                r#"up{a!~"y|z",b!="x",c=~"5.."}"#,
            ),
            ("job:up:sum", "job:up:sum"),
            (r#"{__name__="Inf"}"#, r#"{__name__="Inf"}"#),
            (r#"sum{a="\u00e9"}"#, r#"sum{a="é"}"#),
            ("up # the targets\n{a=\"b\"}", r#"up{a="b"}"#),
        ] {
            let selector = parse_selector(text);
            assert_eq!(
                selector.map(|it| selector_text(&it)),
                Ok(printed.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn other_promql_is_refused_with_what_to_write() {
        let refusals: Vec<String> = [
            "",
            r#"{job="api"}"#,
            r#"{__name__=~"http_.*"}"#,
            r#"up{__name__="down"}"#,
            "rate(http_requests_total[5m])",
            "http_requests_total[5m]",
            "http_requests_total offset 1h",
            "http_requests_total @ start()",
            "a / b",
            "sum by (x) (y)",
            "up{job=api}",
            "up{job=“api”}",
            "‘up’",
            "up{job==\"api\"}",
            "up{job}",
            "up{job=\"api\"",
            "up{job=\"api\" env=\"x\"}",
            "my.metric",
            "up{a.b=\"c\"}",
            "up{code=~\"5**\"}",
            "up{job=\"api}",
            "up down",
            "5",
        ]
        .into_iter()
        .map(|text| match parse_selector(text) {
            Ok(selector) => format!("{text} → {selector:?}"),
            Err(error) => format!("{text} → {:?} {error}", error.range().unwrap_or(0..0)),
        })
        .collect();
        insta::assert_snapshot!(refusals.join("\n"), @r#"
         → 0..0 the text is empty; write a selector, as in http_requests_total{job="api"}
        {job="api"} → 0..0 a selector needs a metric's name, as in http_requests_total{job="api"}
        {__name__=~"http_.*"} → 1..20 a selector here needs one metric: write __name__="…", or the name before the braces
        up{__name__="down"} → 3..18 the metric already has the name `up`; write it once
        rate(http_requests_total[5m]) → 0..5 functions do not belong here: write the series alone, as in http_requests_total{job="api"}; for any other PromQL there is `query`
        http_requests_total[5m] → 19..20 a range does not belong here: remove the brackets; Sloburn chooses the ranges itself
        http_requests_total offset 1h → 20..26 an offset does not belong here: remove it; Sloburn chooses the times itself
        http_requests_total @ start() → 20..21 `@` does not belong here: remove it; Sloburn chooses the times itself
        a / b → 2..3 operators do not belong here: write one selector; for any other PromQL there is `query`
        sum by (x) (y) → 0..6 aggregations do not belong here: write the series alone; Sloburn adds them up itself
        up{job=api} → 7..10 the value of `job` is due in quotes, as in job="…"
        up{job=“api”} → 7..10 “ is a typographic quote, which PromQL does not know: write " or '
        ‘up’ → 0..3 ‘ is a typographic quote, which PromQL does not know: write " or '
        up{job=="api"} → 6..8 after the label `job` one of =, !=, =~ and !~ is due
        up{job} → 6..7 after the label `job` one of =, !=, =~ and !~ is due
        up{job="api" → 12..12 the brace is not closed; write } at the end
        up{job="api" env="x"} → 13..16 a comma or } is due here
        my.metric → 0..9 `my.metric` cannot stand as a metric's name without quotes; write {"my.metric"}
        up{a.b="c"} → 3..6 `a.b` cannot stand as a label's name without quotes; write "a.b"="…"
        up{code=~"5**"} → 9..14 `5**` is not a regular expression in RE2: `*` repeats a repetition
        up{job="api} → 7..12 a text that starts with " does not end
        up down → 3..7 one selector is due here, and it ends before this
        5 → 0..1 a number is no selector; write one, as in http_requests_total{job="api"}
        "#);
    }

    #[test]
    fn lists_of_matchers_compare_labels_only() {
        let text = |text| match parse_matchers(text) {
            Ok(matchers) => selector_text(&Selector::new("m", matchers)),
            Err(error) => error.to_string(),
        };
        insta::assert_snapshot!(
            [
                text(r#"code=~"5..""#),
                text(r#"{code="500", method!="GET"}"#),
                text(r#""a.b"="c""#),
                text("code=~5.."),
                text("{}"),
                text(r#"__name__="x""#),
                text(r#"http_requests_total{code="500"}"#),
                text(r#"code="500"}"#),
            ]
            .join("\n"),
            @r#"
            m{code=~"5.."}
            m{code="500",method!="GET"}
            m{"a.b"="c"}
            the value of `code` is due in quotes, as in code="…"
            no label is compared; write at least one, as in code=~"5.."
            only labels are compared here, as in code=~"5.."; the metric is that of `total`
            after the label `http_requests_total` one of =, !=, =~ and !~ is due
            operators do not belong here: write one selector; for any other PromQL there is `query`
            "#
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(
            metric in "[a-zA-Z_:.é \"\\\\\n]{1,12}",
            parts in prop::collection::vec(("[a-z_.é:\"]{1,6}", 0..4_usize, "\\PC{0,8}|[\\x00-\\x1f\\\\\"`']{0,4}"), 0..4),
        ) {
            let ops = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Matches, MatchOp::NotMatches];
            let matchers = parts
                .into_iter()
                .map(|(label, op, value)| {
                    let op = ops[op];
                    let is_regex = matches!(op, MatchOp::Matches | MatchOp::NotMatches);
                    let value = if is_regex { regex::escape(&value) } else { value };
                    Matcher { label, op, value }
                })
                .filter(|matcher| matcher.label != METRIC_NAME)
                .collect();
            let selector = Selector::new(metric, matchers);
            // Rust's escape also escapes what RE2 does not know; those are left out.
            prop_assume!(selector.matchers.iter().all(|it| re2::compile(&it.value).is_ok() || !matches!(it.op, MatchOp::Matches | MatchOp::NotMatches)));
            prop_assert_eq!(parse_selector(&selector_text(&selector)), Ok(selector));
        }
    }
}
