//! `check --live` against a real Prometheus: what does not fit is told where it is written, and the numbers
//! are those that were really written.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::exporter::Exporter;
use crate::support::past::{BEHIND, HOUR, Made, Past, SCRAPE, recent, scraped, written};
use crate::support::tools::scrape_config;

/// Far enough behind the end for all that is written: counters that began then never restart.
const BORN: i64 = 200_000;

const SERIES: &[Made] = &[
    ("http_requests_total", &[("code", "200")], |ago| {
        Some((BORN - ago) / SCRAPE * 40)
    }),
    ("http_requests_total", &[("code", "404")], |ago| {
        Some((BORN - ago) / SCRAPE * 3)
    }),
    ("http_requests_total", &[("code", "500")], |ago| {
        Some((BORN - ago) / SCRAPE)
    }),
    ("took_seconds_bucket", &[("le", "0.3")], |ago| {
        Some((BORN - ago) / SCRAPE * 9)
    }),
    ("took_seconds_bucket", &[("le", "1.0")], |ago| {
        Some((BORN - ago) / SCRAPE * 10)
    }),
    ("took_seconds_bucket", &[("le", "+Inf")], |ago| {
        Some((BORN - ago) / SCRAPE * 10)
    }),
    ("rare_total", &[], |ago| Some((BORN - ago) / 3_600)),
    ("rare_failed_total", &[], |_| Some(7)),
];

/// Each line of an objective that does not fit says with which code.
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
      latency:
        histogram: took_seconds{job="api"}
        atMost: 250ms # SB0604
    - name: seconds
      objective: 80%
      latency: {histogram: 'took_seconds{job="api"}', atMost: 1s}
    - name: misspelt
      objective: 99%
      errors:
        total: http_requests_total{job="apo"} # SB0602
        badWhere: code=~"5.."
    - name: partly
      objective: 99%
      errors:
        total: http_requests_total{job="api",code!~"4.."}
        bad: http_requests_total{job="api",code=~"4..|5.."} # SB0605
    - name: rare
      objective: 99% # SB0606
      errors: {total: rare_total, bad: rare_failed_total}
    - name: grouped
      objective: 99%
      errors:
        total: http_requests_total{job="api"}
        badWhere: code=~"6.." # SB0603
      groupBy:
        - code
        - rout # SB0607
"#;

/// Metrics that are called otherwise or are of another kind, and what is said of each.
const MEANT: &[(&str, &str)] = &[
    (
        "traffic: {total: http_request_total, atLeast: 1/s}",
        "SB0602: there is no `http_request_total` at all; did you mean `http_requests_total`?",
    ),
    (
        "traffic: {total: http_requests, atLeast: 1/s}",
        "SB0602: there is no `http_requests` at all, but there is `http_requests_total`: write that if it is meant",
    ),
    (
        "latency: {histogram: waited_seconds, atMost: 1s}",
        "SB0602: `waited_seconds` is a summary, which has quantiles and no buckets: write `quantile: 'waited_seconds{quantile=\"0.99\"}'` in place of `histogram`, to judge slices of time; it has 0.5, 0.99",
    ),
    (
        "traffic: {total: pool_used, atLeast: 1/s}",
        "SB0610: write a counter in place of `pool_used`; a gauge belongs into `saturation`, or `probe` where it is 0 or 1",
    ),
    (
        "saturation: {gauge: http_requests_total, atMost: 90}",
        "SB0610: write a gauge in place of `http_requests_total`; a counter belongs into `errors` or `traffic`",
    ),
];

/// What `check --live` says of definitions, and its exit code.
fn check(url: &str, definitions: &str) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("api.yaml"), definitions).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_sloburn"))
        .current_dir(folder.path())
        .args(["check", "--live", "--format", "json", "--prometheus", url])
        .arg("api.yaml")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    let answer = serde_json::from_slice(&ran.stdout);
    (
        answer.unwrap_or_else(|_| panic!("{told}")),
        ran.status.code(),
    )
}

/// Code and line of each fault.
fn faults(answer: &Value) -> Vec<(String, Option<u64>)> {
    let faults = answer["faults"].as_array().unwrap().iter();
    let fault = |fault: &Value| {
        let code = fault["code"].as_str().unwrap().to_owned();
        (code, fault["line"].as_u64())
    };
    faults.map(fault).collect()
}

/// The codes that the definitions name, each with its line.
fn expected() -> Vec<(String, Option<u64>)> {
    let lines = (1..).zip(DEFINITIONS.lines());
    let named = lines.filter_map(|(line, text)| {
        let (_, code) = text.split_once("# ")?;
        Some((code.to_owned(), Some(line)))
    });
    named.collect()
}

/// How many scrapes lie between two times, the first excluded.
fn scrapes(from: &Value, to: &Value) -> i64 {
    let before = |time: &Value| {
        let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
        (time.as_millisecond() - BEHIND).div_euclid(SCRAPE * 1_000)
    };
    before(to) - before(from)
}

#[tokio::test]
async fn what_does_not_fit_is_told_at_its_line_and_the_numbers_are_those_that_were_written() {
    // Beyond now, so that there are samples of now while the command runs.
    let end = recent(SCRAPE) + 140 / SCRAPE * SCRAPE;
    let Some(past) = Past::of(&written(SERIES, end)).await else {
        return;
    };
    let (answer, code) = check(&past.url(), DEFINITIONS);
    assert_eq!(faults(&answer), expected(), "{answer:#}");
    assert_eq!(code, Some(2));
    let items = answer["live"]["items"].as_array().unwrap();
    for (id, bad, total) in [("api/availability", 1, 44), ("api/seconds", 0, 10)] {
        let slo = items.iter().find(|it| it["id"] == id).unwrap();
        let window = &slo["window"];
        let scrapes = scrapes(&window["from"], &window["to"]);
        assert!(scrapes >= 86_400 / SCRAPE, "{slo:#}");
        let counted = [window["bad"].as_i64(), window["total"].as_i64()];
        assert_eq!(
            counted,
            [bad, total].map(|each| Some(each * scrapes)),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_source_that_is_not_there_is_one_fault() {
    let (answer, code) = check("http://127.0.0.1:9", DEFINITIONS);
    assert_eq!(faults(&answer), [("SB0601".to_owned(), None)]);
    assert_eq!((code, &answer["live"]), (Some(2), &Value::Null));
}

#[tokio::test]
async fn metrics_that_were_meant_are_named_and_kinds_are_those_of_the_exporter() {
    let exporter = Exporter::start().await.unwrap();
    let every = Duration::from_secs(1);
    let scraped_too = scrape_config(every, &[("pool", exporter.address())]);
    let end = recent(SCRAPE) + 140 / SCRAPE * SCRAPE;
    let series = [
        vec![("__name__", "http_requests_total"), ("job", "api")],
        vec![("__name__", "pool_used"), ("job", "api")],
        vec![("__name__", "waited_seconds"), ("quantile", "0.5")],
        vec![("__name__", "waited_seconds"), ("quantile", "0.99")],
    ]
    .map(|labels| {
        let seconds = (end - HOUR / 2..=end).step_by(15);
        scraped(&labels, seconds, |second| {
            i32::try_from(second - end + HOUR).ok().map(f64::from)
        })
    });
    let Some(past) = Past::beside(&scraped_too, &series).await else {
        return;
    };
    exporter.scraped(2).await;
    let objectives = MEANT.iter().enumerate().map(|(number, (indicator, _))| {
        format!("    - {{name: it-{number}, objective: 99%, {indicator}}}\n")
    });
    let (head, _) = DEFINITIONS.split_once("    - name").unwrap();
    let definitions = [head.to_owned(), objectives.collect()].concat();
    let (answer, _) = check(&past.url(), &definitions);
    let faults = answer["faults"].as_array().unwrap().iter();
    let told = faults.map(|it| {
        let part = |key: &str| it[key].as_str().unwrap();
        format!("{}: {}", part("code"), part("help"))
    });
    let expected: Vec<&str> = MEANT.iter().map(|(_, told)| *told).collect();
    assert_eq!(told.collect::<Vec<_>>(), expected, "{answer:#}");
}
