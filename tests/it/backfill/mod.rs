//! The past of a real Prometheus, written into it beforehand: every slot of it is counted, by whatever way it is read.

mod slices;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use sloburn::clock::Clock;
use sloburn::domain::labels::Labels;
use sloburn::domain::selector::Selector;
use sloburn::domain::slo::SourceName;
use sloburn::domain::time::{TimeRange, Timestamp};
use sloburn::series::batch::{Batch, Fetch};
use sloburn::source::Source as _;
use sloburn::source::prometheus::{PrometheusSettings, PrometheusSource};

use crate::support::remote_write::{self, STALE, Written};
use crate::support::tools::RealServer;

const SCRAPE: i64 = 15;
const HOUR: i64 = 3_600;

/// Whole numbers all along: what the counter of a code shows at a scrape. Both were reset half a
/// day before the end, and the exporter was away for half an hour, a quarter of a day before it.
fn value(code: &str, second: i64, end: i64) -> Option<f64> {
    let ago = end - second;
    if (6 * HOUR..6 * HOUR + 1_800).contains(&ago) {
        return None;
    }
    let since = if ago <= 12 * HOUR {
        second - (end - 12 * HOUR)
    } else {
        second - (end - 60 * HOUR)
    };
    let count = if code == "500" {
        since / 100
    } else {
        since * 3
    };
    i32::try_from(count).ok().map(f64::from)
}

fn written(end: i64, hours: i64) -> Vec<Written> {
    let series = |code: &str| {
        let labels: Labels = [
            ("__name__", "http_requests_total"),
            ("job", "api"),
            ("instance", "api-0"),
            ("code", code),
        ]
        .into_iter()
        .collect();
        let mut samples = Vec::new();
        let mut was_there = false;
        for second in (end - hours * HOUR..=end).step_by(usize::try_from(SCRAPE).unwrap()) {
            match value(code, second, end) {
                Some(value) => samples.push((second * 1_000, value)),
                None if was_there => samples.push((second * 1_000, STALE)),
                None => {}
            }
            was_there = value(code, second, end).is_some();
        }
        (labels, samples)
    };
    vec![series("200"), series("500")]
}

/// What `(from, to]` holds of a code, by the samples that were written.
fn growth(code: &str, from: i64, to: i64, end: i64) -> f64 {
    let mut seconds = (from / SCRAPE..=to / SCRAPE).map(|step| step * SCRAPE);
    let mut last = seconds.by_ref().find_map(|second| value(code, second, end));
    let mut sum = 0.0;
    for now in seconds.filter_map(|second| value(code, second, end)) {
        sum += last.map_or(0.0, |last| if now >= last { now - last } else { now });
        last = Some(now);
    }
    sum
}

fn evaluate(folder: &Path, url: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sloburn"))
        .current_dir(folder)
        .args(["status", "--prometheus", url, "--definitions", "api.yaml"])
        .args(more)
        .output()
        .unwrap()
}

const DEFINITION: &str = "\
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: api}
spec:
  window: 1d
  alertPolicy: none
  objectives:
    - name: availability
      objective: 99%
      errors: {total: 'http_requests_total{job=\"api\"}', badWhere: code=~\"5..\"}
";

#[tokio::test]
async fn status_without_a_daemon_tells_of_any_moment_of_the_past() {
    let Some(server) = RealServer::prometheus("global: {}\n").await else {
        return;
    };
    let end = now() / 300 * 300;
    remote_write::write(&server.url(), &written(end, 48))
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("api.yaml"), DEFINITION).unwrap();

    for back in [0, 5 * HOUR, 20 * HOUR] {
        let at = end - back;
        let time = Timestamp::from_millis(at * 1_000).to_string();
        let ran = evaluate(
            folder.path(),
            &server.url(),
            &["--at", &time, "--format", "json"],
        );
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        let list: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{told}"));
        let window = &list["items"][0]["window"];
        let from = parsed(window["from"].as_str().unwrap());
        let expected = |code| growth(code, from, at, end);
        assert_eq!(
            window["bad"].as_f64(),
            Some(expected("500")),
            "{back} {list:#}"
        );
        assert_eq!(
            window["total"].as_f64(),
            Some(expected("200") + expected("500")),
            "{back}"
        );
        assert_eq!(list["items"][0]["compliance"], "met");
        assert_eq!(ran.status.code(), Some(0), "{told}");
        assert!(
            told.ends_with("reading the past of source `default`: 100 %\n"),
            "{told}"
        );
    }
    let nobody = evaluate(folder.path(), "http://127.0.0.1:1", &["--format", "json"]);
    assert_eq!(nobody.status.code(), Some(2));
}

#[tokio::test]
async fn remote_read_and_queries_give_the_same_samples() {
    let Some(server) = RealServer::prometheus("global: {}\n").await else {
        return;
    };
    // It fails only when there is a provider already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let end = now() / 300 * 300;
    remote_write::write(&server.url(), &written(end, 30))
        .await
        .unwrap();
    let source = |params: Vec<(String, String)>| {
        let name = SourceName::new("default");
        let settings = PrometheusSettings {
            params,
            ..PrometheusSettings::new(name, server.url())
        };
        PrometheusSource::new(settings).unwrap()
    };
    // Parameters would be lost on the way of remote read, so these are read by queries.
    let (remote, queries) = (
        source(Vec::new()),
        source(vec![("dedup".into(), "true".into())]),
    );
    let fetch = Fetch::Samples(Selector::new("http_requests_total", Vec::new()));
    let mut stale = 0;
    for (from, to) in [(30, 0), (30, 24), (13, 11), (7, 5)] {
        let range = TimeRange {
            from: Timestamp::from_millis((end - from * HOUR) * 1_000),
            to: Timestamp::from_millis((end - to * HOUR) * 1_000),
        };
        let one = remote.read_past(&fetch, range).await.unwrap();
        let other = queries.read_past(&fetch, range).await.unwrap();
        stale += all(&one).iter().filter(|sample| sample.2.is_nan()).count();
        let mut plain = all(&one);
        plain.retain(|sample| !sample.2.is_nan());
        assert_eq!(plain, all(&other), "{from}h to {to}h");
        assert!(plain.len() > 700);
    }
    assert!(
        stale >= 4,
        "the ends of series come by remote read only: {stale}"
    );
}

fn all(batch: &Batch) -> Vec<(String, i64, f64)> {
    let mut all = Vec::new();
    for series in batch.series() {
        let labels = series.labels.to_labels().to_string();
        let samples = series.samples.iter();
        all.extend(samples.map(|it| (labels.clone(), it.at.as_millis(), it.value)));
    }
    all.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    all
}

fn parsed(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_second()
}

fn now() -> i64 {
    Clock::System.now().as_second()
}
