//! What a Prometheus knows of its metrics besides their samples: what they are called, and of which kind they are.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::labels::METRIC_NAME;
use crate::domain::metric::MetricKind;
use crate::domain::selector::{MatchOp, Matcher};
use crate::domain::time::TimeRange;
use crate::promql::conditions_text;
use crate::source::error::Failure;
use crate::source::question::seconds;

/// So many names are asked for at the most; Prometheus sorts them.
const MOST_NAMES: usize = 100_000;

/// A request to another part of the API than that of queries.
#[derive(Debug)]
pub(super) struct LookUp {
    /// Below `/api/v1`.
    pub(super) path: &'static str,
    pub(super) parameters: Vec<(&'static str, String)>,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "type")]
    kind: String,
}

/// Asks for the names of all metrics with samples in `within`, as far as `matchers` let them through.
pub(super) fn names(within: TimeRange, matchers: &[Matcher]) -> LookUp {
    let mut parameters = vec![
        ("start", seconds(within.from)),
        ("end", seconds(within.to)),
        ("limit", MOST_NAMES.to_string()),
    ];
    if !matchers.is_empty() {
        // Prometheus wants one condition that no empty value fulfils.
        let named = Matcher {
            label: METRIC_NAME.to_owned(),
            op: MatchOp::NotEqual,
            value: String::new(),
        };
        let conditions = conditions_text(&[&[named], matchers].concat());
        parameters.push(("match[]", format!("{{{conditions}}}")));
    }
    LookUp {
        path: "label/__name__/values",
        parameters,
    }
}

/// Asks what is said of a metric.
pub(super) fn metadata(metric: &str) -> LookUp {
    LookUp {
        path: "metadata",
        parameters: vec![("metric", metric.to_owned())],
    }
}

pub(super) fn named(body: &[u8]) -> Result<Vec<String>, Failure> {
    data(body)
}

/// The kind of a metric; `None` where nothing is said of it, or not the same by all that expose it.
pub(super) fn kind(body: &[u8], metric: &str) -> Result<Option<MetricKind>, Failure> {
    let known: BTreeMap<String, Vec<Metadata>> = data(body)?;
    let said = known.get(metric).map(Vec::as_slice).unwrap_or_default();
    let is_same = said.windows(2).all(|pair| pair[0].kind == pair[1].kind);
    let first = said.first().filter(|_| is_same);
    Ok(first.and_then(|it| MetricKind::from_name(&it.kind)))
}

fn data<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let answer: Result<Answer<T>, _> = serde_json::from_slice(body);
    let answer = answer.map_err(|error| Failure::Protocol {
        reason: error.to_string(),
    })?;
    Ok(answer.data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn names_are_asked_of_what_the_source_lets_through() {
        let within = TimeRange {
            from: Timestamp::from_millis(1_000),
            to: Timestamp::from_millis(61_500),
        };
        let asked = |matchers: &[Matcher]| {
            let parameters = names(within, matchers).parameters.into_iter();
            let parameters = parameters.map(|(name, value)| format!("{name}={value}"));
            parameters.collect::<Vec<_>>().join(" ")
        };
        let all = "start=1.000 end=61.500 limit=100000";
        assert_eq!(asked(&[]), all);
        let narrowed = asked(&[Matcher::equal("env", "prod")]);
        assert_eq!(
            narrowed,
            format!("{all} match[]={{__name__!=\"\",env=\"prod\"}}")
        );
    }

    #[test]
    fn a_kind_is_known_where_all_say_the_same() {
        let said = |kinds: &[&str]| {
            let said = kinds.iter().map(|kind| serde_json::json!({"type": kind}));
            let data = serde_json::json!({"depth": said.collect::<Vec<_>>()});
            let body = serde_json::json!({"status": "success", "data": data}).to_string();
            kind(body.as_bytes(), "depth").unwrap()
        };
        assert_eq!(said(&["gauge", "gauge"]), Some(MetricKind::Gauge));
        assert_eq!(said(&["gauge", "counter"]), None);
        assert_eq!(said(&["unknown"]), None);
        assert_eq!(said(&[]), None);
        assert!(kind(b"<html>", "depth").is_err());
    }
}
