//! `check --live` against a real Prometheus: what does not fit is told where it is written, and the numbers
//! are those that were really written.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::past::{BEHIND, Made, Past, SCRAPE, recent, written};

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

/// What `check --live` says of the definitions, and its exit code.
fn check(url: &str) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("api.yaml"), DEFINITIONS).unwrap();
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
    let (answer, code) = check(&past.url());
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
    let (answer, code) = check("http://127.0.0.1:9");
    assert_eq!(faults(&answer), [("SB0601".to_owned(), None)]);
    assert_eq!((code, &answer["live"]), (Some(2), &Value::Null));
}
