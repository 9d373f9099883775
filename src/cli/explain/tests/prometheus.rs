//! A Prometheus whose series are known in closed form: a shop with resets, births and an outage.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::cli::tests::fake_prometheus::{self, matrix, parameter, seconds, selected};

/// When everything is looked at: 2026-03-01T12:00:00Z.
pub(super) const END: i64 = 1_772_366_400;
const SCRAPE: i64 = 15;
/// How long samples are kept.
const KEPT: i64 = 100 * 86_400;

/// The value of a series at a time, if it was there.
type Course = fn(i64) -> Option<i64>;

/// Series as name, labels, and course by the seconds before the end.
const SERIES: &[(&str, &str, Course)] = &[
    // Restarted 2,000 s before the end.
    ("http_requests_total", "a 200", |ago| {
        Some(if ago > 2_000 {
            400_000 - 4 * ago
        } else {
            4 * (2_000 - ago)
        })
    }),
    // Fails for the first time 1,200 s before the end, and faster towards it.
    ("http_requests_total", "a 500", |ago| {
        (ago <= 1_200).then_some(3 + (1_200 - ago) / 5)
    }),
    // Was away from 2,700 to 2,400 s before the end.
    ("http_requests_total", "b 200", |ago| {
        (!(2_400..2_700).contains(&ago)).then_some(150_000 - 2 * ago)
    }),
    ("http_requests_total", "b 404", |ago| {
        (!(2_400..2_700).contains(&ago)).then_some(900 - ago / 100)
    }),
    // Found 600 s before the end, with a lifetime behind it.
    ("http_requests_total", "c 200", |ago| {
        (ago <= 600).then_some(1_000_000 - ago)
    }),
    ("http_request_duration_seconds_bucket", "a 0.1", |ago| {
        Some(180_000 - 3 * ago)
    }),
    ("http_request_duration_seconds_bucket", "a 0.3", |ago| {
        Some(190_000 - 3 * ago - ago / 2)
    }),
    ("http_request_duration_seconds_bucket", "a +Inf", |ago| {
        Some(200_000 - 4 * ago)
    }),
    ("memory_bytes", "a x", |ago| {
        Some(if ago < 900 { 95 } else { 60 })
    }),
    ("memory_bytes", "b x", |_| Some(50)),
    ("memory_limit_bytes", "a x", |_| Some(100)),
    ("memory_limit_bytes", "b x", |_| Some(100)),
    ("queue_length", "a x", |ago| {
        Some(if (300..420).contains(&ago) { 90 } else { 20 })
    }),
    ("orders_last_success_timestamp_seconds", "a x", |ago| {
        Some(if ago > 600 { END - 1_000 } else { END - 400 })
    }),
    ("checkout_duration_seconds", "a 0.99", |ago| {
        Some(i64::from(ago < 120))
    }),
    // Nothing is called from 780 to 600 s before the end, and nothing was scraped from 1,080 to 900 s.
    ("calls_total", "a x", |ago| {
        let idle = (ago - 600).clamp(0, 180);
        (!(900..1_080).contains(&ago)).then_some(9_000 - 2 * (ago - idle))
    }),
    // A tenth fails from 480 to 300 s before the end.
    ("calls_failed_total", "a x", |ago| {
        (!(900..1_080).contains(&ago)).then_some((480 - ago.clamp(300, 480)) / 5)
    }),
    ("probe_success", "a x", |ago| {
        Some(i64::from(!(300..390).contains(&ago)))
    }),
    ("probe_success", "b x", |ago| {
        (ago >= 120).then_some(i64::from(!(330..450).contains(&ago)))
    }),
    ("process_start_time_seconds", "a x", |ago| {
        Some(if ago > 2_000 {
            END - 90_000
        } else {
            END - 2_005
        })
    }),
    ("process_start_time_seconds", "b x", |_| Some(END - 90_000)),
    ("process_start_time_seconds", "c x", |_| Some(END - 900_000)),
];

/// Serves until what it returns with the address is dropped.
pub(super) async fn serve() -> (String, JoinSet<std::io::Result<()>>) {
    fake_prometheus::serve(answer, evaluations).await
}

/// `selector[range]` at a time: all series of the metric, for who asks matches by itself.
fn answer(body: &str) -> String {
    let at = seconds(body, "time");
    let (selector, length) = selected(body);
    let metric = selector.split('{').next().unwrap();
    let own = SERIES.iter().filter(|(name, _, _)| *name == metric);
    let series = own.filter_map(|(name, labels, course)| {
        let (instance, other) = labels.split_once(' ').unwrap();
        let mut all = json!({"__name__": name, "job": "shop", "instance": instance});
        let label = match *name {
            "http_requests_total" => "code",
            "http_request_duration_seconds_bucket" => "le",
            "checkout_duration_seconds" => "quantile",
            _ => "",
        };
        if !label.is_empty() {
            all[label] = json!(other);
        }
        // Scrapes are seven seconds off the minute; a range excludes its start.
        let times = (at * 1_000 - length) / 1_000..=at;
        let values: Vec<Value> = times
            .filter(|time| END - time < KEPT)
            .filter(|time| time % SCRAPE == 7 && time * 1_000 > at * 1_000 - length)
            .filter_map(|time| Some(json!([time, course(END - time)?.to_string()])))
            .collect();
        (!values.is_empty()).then(|| json!({"metric": all, "values": values}))
    });
    matrix(&series.collect::<Vec<_>>())
}

/// An expression: 600 of all jobs, and 6 that failed in the last half hour.
fn evaluations(body: &str) -> String {
    let query = parameter(body, "query");
    let bound = |name| seconds(body, name);
    let (start, end, step) = (bound("start"), bound("end"), bound("step"));
    let value = |time: i64| match (query.as_str(), END - time < 1_800) {
        ("max(depth)", _) if END - time < 300 => "51",
        ("max(depth)", _) => "50",
        ("failed_ratio", _) => "0.02",
        (of, true) if of.contains("error") => "6",
        (of, false) if of.contains("error") => "0",
        _ => "600",
    };
    let values: Vec<Value> = (start..=end)
        .step_by(usize::try_from(step).unwrap())
        .map(|time| json!([time, value(time)]))
        .collect();
    matrix(&[json!({"metric": {}, "values": values})])
}
