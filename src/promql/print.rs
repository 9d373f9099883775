//! Selectors as PromQL that Prometheus reads back as the same selector.

use crate::domain::labels::METRIC_NAME;
use crate::domain::selector::{MatchOp, Matcher, Selector};

/// `selector` as PromQL. Names outside of `[a-zA-Z0-9_:]` are quoted, as Prometheus 3 reads them.
pub fn selector_text(selector: &Selector) -> String {
    let mut conditions = Vec::new();
    let mut text = String::new();
    // `inf` and `nan` are read as numbers, in any case of their letters.
    let is_number = ["inf", "nan"]
        .iter()
        .any(|number| selector.metric.eq_ignore_ascii_case(number));
    if is_number {
        conditions.push(format!("{METRIC_NAME}={}", quoted(&selector.metric)));
    } else if is_metric_name(&selector.metric) {
        text.push_str(&selector.metric);
    } else {
        conditions.push(quoted(&selector.metric));
    }
    conditions.extend(selector.matchers.iter().map(condition_text));
    if !conditions.is_empty() {
        text.push('{');
        text.push_str(&conditions.join(","));
        text.push('}');
    }
    text
}

/// `matchers` as PromQL, without braces.
pub fn conditions_text(matchers: &[Matcher]) -> String {
    let texts: Vec<String> = matchers.iter().map(condition_text).collect();
    texts.join(",")
}

fn condition_text(matcher: &Matcher) -> String {
    let (label, value) = (label_text(&matcher.label), quoted(&matcher.value));
    format!("{label}{}{value}", sign(matcher.op))
}

/// A label's name as PromQL, quoted where it needs to be.
pub fn label_text(label: &str) -> String {
    if is_label_name(label) {
        label.to_owned()
    } else {
        quoted(label)
    }
}

/// The sign of `op` in PromQL.
pub(super) const fn sign(op: MatchOp) -> &'static str {
    match op {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Matches => "=~",
        MatchOp::NotMatches => "!~",
    }
}

/// Whether `name` can stand as a metric's name without quotes.
pub(super) fn is_metric_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | ':'))
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}

/// Whether `name` can stand as a label's name without quotes.
pub(super) fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':')
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if char.is_ascii_control() => {
                quoted.extend(["\\x", &format!("{:02x}", u32::from(char))]);
            }
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
