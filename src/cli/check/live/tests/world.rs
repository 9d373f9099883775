//! A Prometheus of counters that grow evenly and gauges that stay, and of the questions about what is missing.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::cli::tests::fake_prometheus::{self, matrix, parameter, seconds, selected};
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::promql::{CompiledMatchers, parse_selector};

/// Counters were zero then.
const BORN: i64 = 1_700_000_000;

/// Scraped just at every tick, so that all of a window is covered.
const SCRAPE: i64 = 30;

/// Of a series that holds native histograms, which are no numbers.
const NATIVE: &str = "native";

/// Series, and what each grows by between scrapes; those with `=` keep their value.
const SERIES: &[(&str, &str)] = &[
    (
        r#"http_requests_total{job="api",instance="a",code="200",route="/pay"}"#,
        "60",
    ),
    (
        r#"http_requests_total{job="api",instance="a",code="500",route="/pay"}"#,
        "2",
    ),
    (
        r#"http_requests_total{job="api",instance="a",code="404",route="/x"}"#,
        "3",
    ),
    (r#"rare_total{job="api",instance="a"}"#, "1"),
    (r#"errors_total{job="api",instance="a"}"#, "1"),
    (r#"errors_total{job="api",instance="b"}"#, "1"),
    (r#"storms_total{job="api",instance="a"}"#, "250"),
    (
        r#"took_seconds_bucket{job="api",instance="a",route="/pay",le="0.1"}"#,
        "3",
    ),
    (
        r#"took_seconds_bucket{job="api",instance="a",route="/pay",le="0.3"}"#,
        "5",
    ),
    (
        r#"took_seconds_bucket{job="api",instance="a",route="/pay",le="+Inf"}"#,
        "6",
    ),
    (
        r#"took_seconds_bucket{job="api",instance="b",route="/pay",le="0.1"}"#,
        "3",
    ),
    (
        r#"took_seconds_bucket{job="api",instance="b",route="/pay",le="+Inf"}"#,
        "6",
    ),
    (r#"took_seconds_count{job="api",instance="a"}"#, "6"),
    (r#"waited_seconds{job="api",quantile="0.5"}"#, "=0.1"),
    (r#"waited_seconds{job="api",quantile="0.99"}"#, "=0.7"),
    (r#"waited_seconds_sum{job="api"}"#, "=9"),
    (r#"waited_seconds_count{job="api"}"#, "6"),
    (r#"drawn_seconds{job="api"}"#, NATIVE),
    (r#"memory_bytes{job="api",instance="a"}"#, "=40"),
    (r#"memory_limit_bytes{job="api",instance="a"}"#, "=100"),
];

/// Serves until what it returns with the address is dropped.
pub(super) async fn serve() -> (String, JoinSet<std::io::Result<()>>) {
    let beside = Router::new()
        .route("/api/v1/label/__name__/values", get(|| async { names() }))
        .route("/api/v1/metadata", get(|query| async { metadata(query) }));
    fake_prometheus::serve_with(beside, answer, evaluations).await
}

fn names() -> String {
    let names = series().map(|(labels, _)| labels.get(METRIC_NAME).to_owned());
    let names: BTreeSet<String> = names.collect();
    json!({"status": "success", "data": names}).to_string()
}

/// What the exporter says of a metric, where it says anything.
fn metadata(RawQuery(query): RawQuery) -> String {
    let metric = parameter(&query.unwrap(), "metric");
    let kind = match metric.as_str() {
        "memory_bytes" => "gauge",
        "waited_seconds" => "summary",
        "drawn_seconds" => "histogram",
        name if name.ends_with("_total") => "counter",
        _ => return json!({"status": "success", "data": {}}).to_string(),
    };
    json!({"status": "success", "data": {metric: [{"type": kind}]}}).to_string()
}

/// The same, that answers everything with an error.
pub(super) async fn refusing(status: StatusCode) -> (String, JoinSet<std::io::Result<()>>) {
    let refuse = move |_: &str| (status, "no");
    fake_prometheus::serve(refuse, refuse).await
}

fn series() -> impl Iterator<Item = (Labels, &'static str)> {
    SERIES.iter().map(|(text, course)| {
        let selector = parse_selector(text).unwrap();
        let own = selector.matchers.iter();
        let own = own.map(|it| (it.label.as_str(), it.value.as_str()));
        let labels = [(METRIC_NAME, selector.metric.as_str())].into_iter();
        (labels.chain(own).collect(), *course)
    })
}

fn matching(selector: &str) -> Vec<(Labels, &'static str)> {
    let matchers = CompiledMatchers::of_selector(&parse_selector(selector).unwrap()).unwrap();
    series().filter(|(it, _)| matchers.matches(it)).collect()
}

fn value(course: &str, at: i64) -> String {
    match course.strip_prefix('=') {
        Some(value) => value.to_owned(),
        None => ((at - BORN) / SCRAPE * course.parse::<i64>().unwrap()).to_string(),
    }
}

fn object(labels: &Labels) -> Value {
    let pairs = labels.iter();
    let pairs = pairs.map(|(name, value)| (name.to_owned(), json!(value)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

fn answer(body: &str) -> String {
    let (selector, length) = selected(body);
    let at = seconds(body, "time");
    let of = |(labels, course): (Labels, &str)| {
        let times = (at - length / 1_000)..=at;
        let scraped = times.filter(|time| time % SCRAPE == 0 && time * 1_000 > at * 1_000 - length);
        let values: Vec<Value> = scraped
            .map(|time| json!([time, value(course, time)]))
            .collect();
        (!values.is_empty()).then(|| json!({"metric": object(&labels), "values": values}))
    };
    let mut counted = matching(&selector);
    counted.retain(|(_, course)| *course != NATIVE);
    let found: Vec<Value> = counted.into_iter().filter_map(of).collect();
    matrix(&found)
}

/// `count(…)`, `count by (label) (… or …)`, a question for native histograms, one expression that is refused, and nothing for all others.
fn evaluations(body: &str) -> (StatusCode, String) {
    let query = parameter(body, "query");
    if query.contains("refused") {
        let refusal = json!({"status": "error", "errorType": "bad_data", "error": "no such thing"});
        return (StatusCode::BAD_REQUEST, refusal.to_string());
    }
    // The question whether there are native histograms in place of classic ones.
    let native = query.starts_with("label_replace(count(histogram_count(native_seconds");
    let counted = query.strip_prefix("count").and_then(|rest| {
        let (label, selectors) = match rest.strip_prefix(" by (") {
            Some(rest) => rest.split_once(") ")?,
            None => ("", rest),
        };
        Some((label, selectors.strip_prefix('(')?.strip_suffix(')')?))
    });
    let end = seconds(body, "end");
    if native {
        let series = json!({"metric": {"le": "native"}, "values": [[end, "1"]]});
        return (StatusCode::OK, matrix(&[series]));
    }
    let Some((label, selectors)) = counted.filter(|(_, it)| !it.contains('(')) else {
        return (StatusCode::OK, matrix(&[]));
    };
    let found = selectors.split(" or ").flat_map(matching);
    let mut values: Vec<String> = found.map(|(it, _)| it.get(label).to_owned()).collect();
    values.sort();
    values.dedup();
    let series = values.into_iter().map(|value| {
        let metric = if label.is_empty() {
            json!({})
        } else {
            json!({label: value})
        };
        json!({"metric": metric, "values": [[end, "1"]]})
    });
    (StatusCode::OK, matrix(&series.collect::<Vec<_>>()))
}
