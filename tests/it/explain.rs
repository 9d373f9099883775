//! What `explain` prints, held against a real Prometheus: promtool sends every printed query again and
//! gets just those samples, and a daemon explains as the command does.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::past::{HOUR, Made, Past, recent, written};
use crate::support::tools::promtool;

/// A restart, an outage of half an hour, first failures, and everything else that indicators read.
const SERIES: &[Made] = &[
    ("http_requests_total", &[("code", "200")], |ago| {
        let away = (9_000..10_800).contains(&ago);
        let since = if ago > 5_400 { 4 * HOUR * 8 } else { 5_400 };
        (!away).then_some(3 * (since - ago).max(0))
    }),
    ("http_requests_total", &[("code", "500")], |ago| {
        (ago <= 2_400).then_some(2 + (2_400 - ago) / 40)
    }),
    (
        "http_request_duration_seconds_bucket",
        &[("le", "0.3")],
        |ago| Some(9 * (40 * HOUR - ago) / 4),
    ),
    (
        "http_request_duration_seconds_bucket",
        &[("le", "+Inf")],
        |ago| Some(3 * (40 * HOUR - ago)),
    ),
    ("memory_bytes", &[], |ago| {
        Some(if ago < 1_000 { 95 } else { 40 })
    }),
    ("memory_limit_bytes", &[], |_| Some(100)),
    ("probe_success", &[("prober", "a")], |ago| {
        Some(i64::from(ago > 900))
    }),
    ("probe_success", &[("prober", "b")], |ago| {
        Some(i64::from(!(600..1_200).contains(&ago)))
    }),
];

const DEFINITIONS: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: api}
spec:
  window: 1d
  alertPolicy: none
  objectives:
    - name: availability
      objective: 99%
      errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"5.."}
    - name: latency
      objective: 80%
      latency: {histogram: 'http_request_duration_seconds{job="api"}', atMost: 300ms}
    - name: throughput
      objective: 99%
      traffic: {total: 'http_requests_total{job="api"}', atLeast: 3.01/s}
    - name: memory
      objective: 99%
      saturation: {used: 'memory_bytes{job="api"}', limit: 'memory_limit_bytes{job="api"}', by: [instance], atMost: 90%}
    - name: codes
      objective: 99%
      groupBy: [code]
      errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"5.."}
    - name: answered
      objective: 99%
      groupBy: [code]
      budgeting: timeslices
      sliceObjective: 99%
      errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"5.."}
    - name: probed
      objective: 99%
      errors: {probe: 'probe_success{job="api"}', badWhen: {count: 2}}
    - name: promised
      targets: [{name: slo, objective: 99.5%}, {name: sla, objective: 99%, window: 12h}]
      errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"5.."}
    - name: share
      objective: 99%
      query:
        bad: 'sum(increase(http_requests_total{code="500"}[$window]))'
        total: 'sum(increase(http_requests_total[$window]))'
"#;

const NAMES: [&str; 10] = [
    "availability",
    "latency",
    "throughput",
    "memory",
    "share",
    "answered",
    r#"answered{code="500"}"#,
    "probed",
    r#"codes{code="500"}"#,
    "promised/sla",
];

fn explain(folder: &Path, arguments: &[&str]) -> Value {
    let ran = Command::new(env!("CARGO_BIN_EXE_sloburn"))
        .current_dir(folder)
        .args(["explain", "--format", "json"])
        .args(arguments)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{arguments:?} {told}");
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{told}"))
}

/// Samples by labels, each as time and value.
type Samples = BTreeMap<String, Vec<(String, String)>>;

/// What promtool gets for a printed query.
fn asked(promtool: &Path, url: &str, query: &Value) -> Samples {
    let text = |name: &str| query[name].as_str().unwrap().to_owned();
    let mut command = Command::new(promtool);
    command.args(["query", "-o", "json"]);
    if query["start"].is_null() {
        command.args(["instant", &format!("--time={}", text("at"))]);
    } else {
        command.args(["range", &format!("--start={}", text("start"))]);
        command.args([
            format!("--end={}", text("at")),
            format!("--step={}", text("step")),
        ]);
    }
    let ran = command.args([url, &text("text")]).output().unwrap();
    assert!(
        ran.status.success(),
        "{query} {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let result: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let pair = |value: &Value| {
        let number: f64 = value[1].as_str().unwrap().parse().unwrap();
        (value[0].as_f64().unwrap().to_string(), number.to_string())
    };
    let series = |series: &Value| {
        let values = series["values"].as_array().unwrap();
        (
            series["metric"].to_string(),
            values.iter().map(pair).collect(),
        )
    };
    result.as_array().unwrap().iter().map(series).collect()
}

fn printed(part: &Value) -> Samples {
    let pair = |sample: &Value| {
        (
            sample[0].as_f64().unwrap().to_string(),
            sample[1].as_f64().unwrap().to_string(),
        )
    };
    let series = |series: &Value| {
        let samples = series["samples"].as_array().unwrap();
        (
            series["labels"].to_string(),
            samples.iter().map(pair).collect(),
        )
    };
    part["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(series)
        .collect()
}

#[tokio::test]
async fn promtool_gets_the_printed_samples_and_a_daemon_explains_the_same() {
    let end = recent(300) - 60;
    let (Some(past), Some(promtool)) = (Past::of(&written(SERIES, end)).await, promtool()) else {
        return;
    };
    let at = sloburn::domain::time::Timestamp::from_millis(end * 1_000).to_string();
    let mut daemon = past.daemon(DEFINITIONS, "", &[]);
    daemon.start().await;
    for name in NAMES {
        for window in ["1h", "budget"] {
            let slo = format!("api/{name}");
            let usual = [&*slo, "--window", window, "--at", &at];
            let here = [&usual[..], &["--config", "sloburn.yaml"]].concat();
            let document = explain(daemon.folder(), &here);
            assert!(document["total"].as_f64() > Some(0.0), "{slo} {window}");
            assert!(document["bad"].as_f64() > Some(0.0), "{slo} {window}");
            for part in document["parts"].as_array().unwrap() {
                let samples = asked(&promtool, &past.url(), &part["query"]);
                assert!(!samples.is_empty(), "{slo} {window} {}", part["query"]);
                assert_eq!(printed(part), samples, "{slo} {window} {}", part["query"]);
            }
            for read in document["reads"].as_array().unwrap() {
                let samples = asked(&promtool, &past.url(), &read["query"]);
                let count: usize = samples.values().map(Vec::len).sum();
                let told = (read["series"].as_u64(), read["samples"].as_u64());
                let got = |count| u64::try_from(count).ok();
                assert_eq!(
                    told,
                    (got(samples.len()), got(count)),
                    "{slo} {}",
                    read["query"]
                );
            }
            if window == "1h" {
                let url = daemon.url();
                let there = explain(daemon.folder(), &[&usual[..], &["--url", &url]].concat());
                assert_eq!(there, document, "{slo}");
            }
        }
    }
}
