//! Slices of time on a real Prometheus: what was written into it, second by second, is the truth that each is compared with.
#![expect(
    clippy::cast_precision_loss,
    reason = "seconds and requests of some days are far below 2^53"
)]

use sloburn::domain::labels::Labels;
use sloburn::status::names::Measured;
use sloburn::status::view::slo::{BudgetUnit, SloView, WindowView};

use crate::support::past::{Past, recent};
use crate::support::remote_write::Written;

use super::{HOUR, SCRAPE};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// A gauge's last value is valid for so long: 2.5 scrapes.
const VALID: i64 = SCRAPE * 5 / 2;

const DEFINITIONS: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: cluster}
spec:
  window: 2h
  alertPolicy: none
  objectives:
    - name: memory
      objective: 90%
      saturation:
        used: container_memory_working_set_bytes{namespace="shop",container!=""}
        limit: kube_pod_container_resource_limits{namespace="shop",resource="memory"}
        by: [pod, container]
        atMost: 90%
    - name: memory-of-two
      objective: 90%
      saturation:
        used: container_memory_working_set_bytes{namespace="shop",container!=""}
        limit: kube_pod_container_resource_limits{namespace="shop",resource="memory"}
        by: [pod, container]
        atMost: 90%
        badWhen: {count: 2}
    - name: connections
      objective: 90%
      saturation:
        used: {series: pg_stat_activity_count, aggregate: sum}
        limit: {series: pg_settings_max_connections, aggregate: max}
        by: [instance]
        atMost: 80%
    - name: lag
      objective: 90%
      saturation: {gauge: kafka_consumergroup_lag, atMost: 1000, withinSlice: max}
    - name: rpc
      objective: 90%
      latency: {quantile: 'rpc_duration_seconds{quantile="0.99"}', atMost: 300ms}
    - name: orders
      objective: 90%
      freshness: {timestamp: etl_last_success_timestamp_seconds, atMost: 10m}
      missingData: bad
    - name: orders-held
      objective: 90%
      freshness: {timestamp: etl_last_success_timestamp_seconds, atMost: 10m}
    - name: floor
      objective: 90%
      traffic: {total: http_requests_total, atLeast: 10/s}
    - name: drop
      objective: 90%
      traffic: {total: http_requests_total, dropAtMost: 40%, comparedTo: [1d, 2d, 1w]}
    - name: value
      objective: 90%
      query: {value: 'max(kafka_consumergroup_lag)', atMost: 1000}
    - name: ratio
      objective: 90%
      query: {ratio: '1 - avg(min_over_time(up[$window]))', window: 1m}
    - name: events
      objective: 90%
      query: {total: 'sum(increase(http_requests_total[$window]))', bad: 'sum(increase(http_requests_total{code="500"}[$window]))'}
"#;

/// How long before the end a second is, in minutes; the cases below are told by it.
fn ago(second: i64, end: i64) -> i64 {
    (end - second).div_euclid(MINUTE)
}

fn working_set(pod: &str, second: i64, end: i64) -> f64 {
    match (pod, ago(second, end)) {
        ("cart-0", 40..50) => 95e6,
        ("cart-1", 45..60) => 96e6,
        _ => 50e6,
    }
}

fn lag(second: i64, end: i64) -> f64 {
    // A peak between two slices' ends, and one that lasts.
    let peak = ago(second, end) == 20 && second % MINUTE == 30;
    if peak || (70..75).contains(&ago(second, end)) {
        5_000.0
    } else {
        10.0
    }
}

fn quantile(second: i64, end: i64) -> f64 {
    if (30..37).contains(&ago(second, end)) {
        0.301
    } else {
        0.3
    }
}

fn connections(second: i64, end: i64) -> f64 {
    if (80..88).contains(&ago(second, end)) {
        41.0
    } else {
        40.0
    }
}

/// Done every five minutes, but not for a while; and for another while nothing tells of it.
fn done(second: i64, end: i64) -> Option<f64> {
    let step = second - second.rem_euclid(300);
    let late = (60..90).contains(&ago(step, end));
    let told = if late { end - 91 * MINUTE } else { step };
    let is_told = !(10..25).contains(&ago(second, end));
    is_told.then_some(told as f64)
}

/// Requests of a day until now: 20 a second, eight in the quarter of an hour before the last one of
/// today, and a day ago nothing like usual.
fn requests(second: i64, end: i64) -> f64 {
    let low = |from: i64, to: i64, missing: i64| {
        let within = second.clamp(end - from * MINUTE, end - to * MINUTE) - (end - from * MINUTE);
        within * missing
    };
    let today = low(30, 15, 12);
    let yesterday = low(24 * 60 + 90, 24 * 60 + 15, 19);
    (20 * (second - end + 9 * DAY) - today - yesterday) as f64
}

fn up(second: i64, end: i64) -> f64 {
    f64::from(u8::from(!(50..60).contains(&ago(second, end))))
}

type Seconds = Vec<i64>;

/// The times of scrapes in the hours before the same time so many days ago.
fn scraped(end: i64, days: i64) -> Seconds {
    let to = end - days * DAY;
    let hours = if days == 0 { 7 } else { 4 };
    (to - hours * HOUR..=to).step_by(15).collect()
}

/// The requests of the days that drops are compared with, the oldest first.
fn written_past(end: i64) -> Vec<Written> {
    let samples = |days: i64| {
        let seconds = scraped(end, days).into_iter();
        seconds
            .map(|second| (second * 1_000, requests(second, end)))
            .collect()
    };
    [7, 2, 1]
        .map(|days| (labels(&REQUESTS), samples(days)))
        .into()
}

fn labels(labels: &[(&str, &str)]) -> Labels {
    labels.iter().copied().collect()
}

const REQUESTS: [(&str, &str); 3] = [
    ("__name__", "http_requests_total"),
    ("job", "api"),
    ("instance", "api-0"),
];

fn written(end: i64) -> Vec<Written> {
    let today = scraped(end, 0);
    let series = |own: &[(&str, &str)], seconds: &Seconds, value: &dyn Fn(i64) -> Option<f64>| {
        let labels = labels(own);
        let samples = seconds
            .iter()
            .filter_map(|second| Some((second * 1_000, value(*second)?)));
        (labels, samples.collect())
    };
    let mut all = Vec::new();
    for pod in ["cart-0", "cart-1", "web-0"] {
        let used = [
            ("__name__", "container_memory_working_set_bytes"),
            ("namespace", "shop"),
            ("pod", pod),
            ("container", "app"),
            ("node", "n1"),
        ];
        all.push(series(&used, &today, &|second| {
            Some(working_set(pod, second, end))
        }));
        let mut whole = used;
        whole[3].1 = "";
        all.push(series(&whole, &today, &|_| Some(1e12)));
        let limit = [
            ("__name__", "kube_pod_container_resource_limits"),
            ("namespace", "shop"),
            ("pod", pod),
            ("container", "app"),
            ("resource", "memory"),
            ("unit", "byte"),
        ];
        // Nobody set a limit for this one.
        if pod != "web-0" {
            all.push(series(&limit, &today, &|_| Some(100e6)));
        }
    }
    for (state, share) in [("active", 0.25), ("idle", 0.75)] {
        let labels = [
            ("__name__", "pg_stat_activity_count"),
            ("instance", "pg-0"),
            ("state", state),
        ];
        all.push(series(&labels, &today, &|second| {
            Some(connections(second, end) * share)
        }));
    }
    let labels = [
        ("__name__", "pg_settings_max_connections"),
        ("instance", "pg-0"),
        ("server", "main"),
    ];
    all.push(series(&labels, &today, &|_| Some(50.0)));
    let one = |name: &'static str| [("__name__", name), ("job", "api"), ("instance", "api-0")];
    all.push(series(&one("kafka_consumergroup_lag"), &today, &|second| {
        Some(lag(second, end))
    }));
    let summary = [
        ("__name__", "rpc_duration_seconds"),
        ("job", "api"),
        ("quantile", "0.99"),
    ];
    all.push(series(&summary, &today, &|second| {
        Some(quantile(second, end))
    }));
    all.push(series(
        &one("etl_last_success_timestamp_seconds"),
        &today,
        &|second| done(second, end),
    ));
    all.push(series(&REQUESTS, &today, &|second| {
        Some(requests(second, end))
    }));
    all.push(series(&one("up"), &today, &|second| Some(up(second, end))));
    all
}

/// The value of the newest scrape of a slice, as long as it is valid.
fn last(end: i64, written_to: i64, value: impl Fn(i64) -> Option<f64>) -> Option<f64> {
    let scrapes = (0..).map(|back| end - end.rem_euclid(SCRAPE) - back * SCRAPE);
    scrapes
        .filter(|second| *second <= written_to)
        .take_while(|second| end - second <= VALID)
        .find_map(value)
}

/// Bad and all slices of `(from, to]` by what was written.
fn truth(name: &str, from: i64, to: i64, end: i64) -> (f64, f64) {
    let (mut bad, mut total) = (0.0, 0.0);
    for slice in (from + MINUTE..=to).step_by(60) {
        let over = |pod| working_set(pod, slice, end) / 100e6 > 0.9;
        let both = [over("cart-0"), over("cart-1")];
        let rate = |at: i64| (requests(at, end) - requests(at - MINUTE, end)) / 60.0;
        let age = last(slice, end, |second| done(second, end)).map(|done| slice as f64 - done);
        let judged = match name {
            "memory" => Some(f64::from(u8::from(both.contains(&true)))),
            "memory-of-two" => Some(f64::from(u8::from(both == [true, true]))),
            "connections" => Some(f64::from(u8::from(connections(slice, end) / 50.0 > 0.8))),
            "lag" => {
                let mut own = (slice - MINUTE + SCRAPE..=slice).step_by(15);
                Some(f64::from(u8::from(
                    own.any(|second| lag(second, end) > 1_000.0),
                )))
            }
            "rpc" => Some(f64::from(u8::from(quantile(slice, end) > 0.3))),
            "orders" => Some(f64::from(u8::from(age.is_none_or(|age| age > 600.0)))),
            "orders-held" => age.map(|age| f64::from(u8::from(age > 600.0))),
            "floor" => Some(f64::from(u8::from(rate(slice) < 10.0))),
            "drop" => {
                let mut past = [DAY, 2 * DAY, 7 * DAY].map(|days| rate(slice - days));
                past.sort_unstable_by(f64::total_cmp);
                Some(f64::from(u8::from(rate(slice) < 0.6 * past[1])))
            }
            "value" => Some(f64::from(u8::from(lag(slice, end) > 1_000.0))),
            "ratio" => {
                let mut own = (slice - MINUTE + SCRAPE..=slice).step_by(15);
                Some(f64::from(u8::from(own.any(|second| up(second, end) < 1.0))))
            }
            other => panic!("{other}"),
        };
        if let Some(judged) = judged {
            bad += judged;
            total += 1.0;
        }
    }
    (bad, total)
}

#[tokio::test]
async fn slices_are_judged_as_what_was_written_says() {
    let end = recent(300);
    let Some(past) = Past::of::<f64>(&[]).await else {
        return;
    };
    for day in written_past(end) {
        past.write(&[day]).await;
    }
    past.write(&written(end)).await;
    let evaluated = past.status_at(DEFINITIONS, end);
    let mut seen = 0;
    for slo in &evaluated.slos {
        let name = &*slo.name;
        let (from, _, counted) = counts(&slo.window);
        assert_eq!(slo.measurement.outcome, Measured::Measured, "{slo:#?}");
        if name == "events" {
            // Prometheus extrapolates: a query is not exact, and says so.
            assert!(slo.measurement.approximate);
            assert!(counted.1 > 90_000.0 && counted.0 == 0.0, "{counted:?}");
            continue;
        }
        let expected = truth(name, from, end, end);
        assert_eq!(counted, expected, "{name}: {}", evaluated.told);
        assert!(
            expected.0 > 0.0 && expected.1 > expected.0,
            "{name}: {expected:?}"
        );
        assert_eq!(slo.budget.unit, BudgetUnit::Slices);
        seen += 1;
    }
    assert_eq!(seen, 11);
}

/// How long ago the last sample is that tells of the orders: the series is gone.
const GONE: i64 = 25 * MINUTE;

#[tokio::test]
async fn a_daemon_counts_what_is_missing_while_the_series_is_gone() {
    let end = recent(300) - GONE;
    let written = written(end).into_iter();
    let orders = written
        .filter(|(labels, _)| labels.get("__name__") == "etl_last_success_timestamp_seconds");
    let orders: Vec<Written> = orders.collect();
    let Some(past) = Past::of(&orders).await else {
        return;
    };
    let objectives = DEFINITIONS.split("    - name: ");
    let kept = objectives.filter(|part| {
        !part.contains("saturation")
            && !part.contains("latency")
            && !part.contains("traffic")
            && !part.contains("query")
    });
    let definitions = kept.collect::<Vec<_>>().join("    - name: ");
    let source = ["offset: 1s", "scrapeInterval: 15s"];
    let mut daemon = past.daemon(&definitions, "tick: 5s", &source);
    daemon.start().await;
    let is_whole = |slo: &SloView| slo.name == "orders" && slo.window.coverage > 0.98;
    let slos = daemon
        .slos_once(|page| page.items.iter().any(is_whole))
        .await;
    assert_eq!(slos.len(), 2);
    for slo in slos {
        let (from, to, counted) = counts(&slo.window);
        let from = from - from.rem_euclid(MINUTE);
        let expected = truth(&slo.name, from, to, end);
        assert_eq!(counted, expected, "{} {from} {to} {end}", slo.name);
        let outcome = if slo.name == "orders" {
            Measured::Measured
        } else {
            Measured::NoData
        };
        assert_eq!(slo.measurement.outcome, outcome, "{slo:#?}");
    }
    assert!(daemon.terminate().await.success());
}

/// From and to in seconds, and bad and all of it.
fn counts(window: &WindowView) -> (i64, i64, (f64, f64)) {
    let [from, to] = [window.from, window.to].map(|time| time.0.as_millis() / 1_000);
    (from, to, (window.bad.0, window.total.0))
}
