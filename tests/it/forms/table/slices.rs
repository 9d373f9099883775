//! Indicators of slices.

use super::picks;
use crate::forms::log::DAY;
use crate::forms::words::{Bound, Fold, Judge, When, Within};

/// Those of the slices for which it is told apart what missing ones count as: each way to judge once.
pub(super) const MISSING: [usize; 9] = [0, 2, 3, 7, 8, 12, 13, 15, 16];

/// Their names, what stands in a definition, and what it means; held where nothing is known.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
pub(super) fn slices() -> Vec<(&'static str, &'static str, Judge)> {
    let orders = || picks(&["orders_total instance!=c"]);
    let memory = |when| Judge::Used {
        used: (picks(&["memory_used_bytes"]), Fold::Max),
        limit: (picks(&["memory_limit_bytes"]), Fold::Min),
        by: vec!["pod"],
        allowed: 900.0,
        when,
    };
    let lag = |within, when| Judge::Level {
        gauge: picks(&["queue_lag"]),
        by: None,
        within,
        bound: Bound::AtMost(match within {
            Within::Avg => 30.0,
            Within::Min => 15.0,
            _ => 100.0,
        }),
        when,
    };
    vec![
        (
            "traffic with a floor",
            r#"traffic: {total: 'orders_total{instance!="c"}', atLeast: 5/s}"#,
            Judge::Rate {
                total: orders(),
                bound: Bound::AtLeast(5.0),
            },
        ),
        (
            "traffic with a ceiling",
            r#"traffic: {total: 'orders_total{instance!="c"}', atMost: 360/m}"#,
            Judge::Rate {
                total: orders(),
                bound: Bound::AtMost(6.0),
            },
        ),
        (
            "traffic that drops",
            r#"traffic: {total: 'orders_total{instance!="c"}', dropAtMost: 40%, comparedTo: [1d, 2d]}"#,
            Judge::Drop {
                total: orders(),
                left: 600.0,
                ago: vec![DAY, 2 * DAY],
            },
        ),
        (
            "saturation of a limit, any",
            "saturation: {used: memory_used_bytes, limit: memory_limit_bytes, by: [pod], atMost: 90%}",
            memory(When::Any),
        ),
        (
            "saturation of a limit, count",
            "saturation: {used: memory_used_bytes, limit: memory_limit_bytes, by: [pod], atMost: 90%, badWhen: {count: 2}}",
            memory(When::Count(2)),
        ),
        (
            "saturation of a limit, share",
            "saturation: {used: memory_used_bytes, limit: memory_limit_bytes, by: [pod], atMost: 90%, badWhen: {share: 60%}}",
            memory(When::Share(60)),
        ),
        (
            "saturation of a limit, aggregated",
            r"saturation:
  used: {series: connections, aggregate: sum}
  limit: {series: connections_max, aggregate: max}
  by: [db]
  atMost: 80%",
            Judge::Used {
                used: (picks(&["connections"]), Fold::Sum),
                limit: (picks(&["connections_max"]), Fold::Max),
                by: vec!["db"],
                allowed: 800.0,
                when: When::Any,
            },
        ),
        (
            "saturation of a gauge, last",
            "saturation: {gauge: queue_lag, atMost: 100}",
            lag(Within::Last, When::Any),
        ),
        (
            "saturation of a gauge, max",
            "saturation: {gauge: queue_lag, atMost: 100, withinSlice: max, badWhen: {count: 3}}",
            lag(Within::Max, When::Count(3)),
        ),
        (
            "saturation of a gauge, min",
            "saturation: {gauge: queue_lag, atMost: 15, withinSlice: min, badWhen: {share: 50%}}",
            lag(Within::Min, When::Share(50)),
        ),
        (
            "saturation of a gauge, avg",
            "saturation: {gauge: queue_lag, atMost: 30, withinSlice: avg, badWhen: {share: 50%}}",
            lag(Within::Avg, When::Share(50)),
        ),
        (
            "saturation of a gauge, aggregated",
            r"saturation: {gauge: {series: connections, aggregate: sum}, by: [db], atLeast: 30}",
            Judge::Level {
                gauge: picks(&["connections"]),
                by: Some((vec!["db"], Fold::Sum)),
                within: Within::Last,
                bound: Bound::AtLeast(30.0),
                when: When::Any,
            },
        ),
        (
            "latency by a quantile",
            r#"latency: {quantile: 'render_milliseconds{quantile="0.99"}', atMost: 300ms, unit: ms}"#,
            Judge::Level {
                gauge: picks(&["render_milliseconds"]),
                by: None,
                within: Within::Last,
                bound: Bound::AtMost(300.0),
                when: When::Any,
            },
        ),
        (
            "freshness",
            "freshness: {timestamp: last_success_timestamp_seconds, atMost: 1h}",
            Judge::Age {
                gauge: picks(&["last_success_timestamp_seconds"]),
                by: None,
                most: 3_600,
            },
        ),
        (
            "freshness of the newest",
            "freshness: {timestamp: last_success_timestamp_seconds, by: [job], atMost: 1h}",
            Judge::Age {
                gauge: picks(&["last_success_timestamp_seconds"]),
                by: Some(vec!["job"]),
                most: 3_600,
            },
        ),
        (
            "query for a ratio",
            "query: {ratio: failing_permille / 1000}",
            Judge::Ratio {
                values: picks(&["failing_permille"]),
                divided_by: 1_000.0,
            },
        ),
        (
            "query for a value",
            "query: {value: temperature_celsius, atMost: 30, badWhen: {share: 50%}}",
            Judge::Level {
                gauge: picks(&["temperature_celsius"]),
                by: None,
                within: Within::Instant,
                bound: Bound::AtMost(30.0),
                when: When::Share(50),
            },
        ),
    ]
}
