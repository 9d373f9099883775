//! Objectives that do not fit, one by one, and what is told of each.

use super::{told, world};

/// The lines of an objective of 99%, of counters.
const COUNTERS: &[&str] = &[
    "errors: {total: 'http_requests_total{job=\"api\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_request_total{job=\"api\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_requests_total{job=\"apo\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_requests_total{job=\"api\",env=\"prod\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_requests_total{job=\"web\",env=\"prod\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_requests_total{job=\"api\"}', badWhere: code=~\"6..\"}",
    "errors: {total: 'http_requests_total{job=\"api\"}', goodWhere: code=\"OK\"}",
    "errors: {total: 'http_requests_total{job=\"api\",code!~\"4..\"}', bad: 'http_requests_total{job=\"api\",code=~\"[45]..\"}'}",
    "errors: {total: 'http_requests_total{job=\"api\"}', bad: 'errors_total{job=\"api\"}'}",
    "errors: {total: 'http_requests_total{job=\"api\"}', bad: 'storms_total{job=\"api\"}'}",
    "errors:\n  total: ['http_requests_total{job=\"api\"}', 'grpc_handled_total{job=\"api\"}']\n  bad: ['http_requests_total{job=\"api\",code=~\"5..\"}', 'grpc_handled_total{job=\"api\",grpc_code=\"Internal\"}']",
    "errors: {good: 'http_requests_total{code=\"200\"}', bad: 'http_requests_total{code=\"599\"}'}",
    "errors: {good: 'http_requests_total{code=\"299\"}', bad: 'http_requests_total{code=\"500\"}'}",
    "errors: {total: http_requests_total, bad: ['http_requests_total{code=\"500\"}', 'errors_total{instance=\"c\"}']}",
    "errors: {good: 'http_requests_total{code!~\"4..\"}', bad: 'http_requests_total{code=~\"5..\"}'}",
    "errors: {total: http_requests_total, bad: ['http_requests_total{code=\"500\"}', 'http_requests_total{code=~\"5..\"}']}",
    "errors: {total: ['http_requests_total{job=\"api\"}', 'http_requests_total{route=\"/pay\"}'], badWhere: code=~\"5..\"}",
    "errors: {total: [http_requests_total, errors_total], bad: ['http_requests_total{code=\"500\"}', 'errors_total{instance=\"a\"}']}",
    "errors: {probe: 'probe_success{job=\"api\"}'}",
    "errors: {total: 'http_requests_total{job=\"api\"}', badWhere: code=~\"5..\"}\ngroupBy: [rout]",
    "errors: {total: http_requests_total, badWhere: code=~\"5..\"}\ngroupBy: [route]\nexpect: {route: [/pay, /gone]}",
    "errors: {total: 'http_requests_total{job=\"api\"}', bad: 'errors_total{job=\"api\",instance=\"a\"}'}\ngroupBy: [route]",
];

/// The same, of all else.
const OTHERS: &[&str] = &[
    "latency: {histogram: 'took_seconds{instance=\"a\"}', atMost: 250ms}",
    "latency:\n  histogram: took_seconds{instance=\"a\"}\n  atMost: 300ms\n  overrides: [{where: 'route=\"/pay\"', atMost: 10s}]",
    "latency:\n  histogram: took_seconds{instance=\"a\"}\n  atMost: 300ms\n  overrides: [{where: 'route=\"/export\"', atMost: 100ms}]",
    "freshness: {timestamp: done_timestamp_seconds, atMost: 1h}",
    "latency: {quantile: 'took_seconds{quantile=\"0.9\"}', atMost: 1s}",
    "latency: {histogram: took_seconds, atMost: 300ms}",
    "latency: {histogram: native_seconds, atMost: 300ms}",
    "latency: {histogram: lasted_seconds, atMost: 300ms}",
    "saturation:\n  used: memory_bytes{job=\"api\"}\n  limit: {series: 'memory_limit_byte{job=\"api\"}', aggregate: min}\n  by: [instance]\n  atMost: 90%",
    "query: {value: sum(depth), atMost: 10}",
    "query: {total: 'sum(increase(seen_total[$window]))', bad: 'sum(increase(failed_total[$window]))'}",
    "query: {value: sum(refused), atMost: 10}",
];

/// Metrics that are called otherwise, or are of another kind.
const METRICS: &[&str] = &[
    "errors: {total: http_requests, bad: errors}",
    "errors: {total: requests_total, bad: errors_total}",
    "errors: {total: took_seconds, bad: errors_total}",
    "errors: {total: rare_sum, bad: nothing_like_it}",
    "latency: {histogram: took, unit: s, atMost: 300ms}",
    "latency: {histogram: tooks_seconds, atMost: 300ms}",
    "latency: {histogram: 'waited_seconds{job=\"api\"}', atMost: 300ms}",
    "latency: {histogram: 'waited_seconds{job=\"apo\"}', atMost: 300ms}",
    "saturation: {gauge: memory_usage_byte, atMost: 90}",
    "query: {value: max(memory_byte) / max(memory_limit_bytes), atMost: 0.9}",
    "errors: {total: waited_seconds, bad: errors_total}",
    "errors: {total: drawn_seconds, bad: errors_total}",
    "traffic: {total: memory_bytes, atLeast: 1/s}",
    "saturation: {used: memory_bytes, limit: storms_total, by: [instance], atMost: 90%}",
];

/// Each of these, and what is told of it.
async fn told_of(cases: &[&str]) -> String {
    let (url, server) = world::serve().await;
    let mut all = Vec::new();
    for lines in cases {
        all.push(format!("{lines}\n{}", told(&url, lines, "99%").await));
    }
    drop(server);
    all.join("\n\n")
}

#[tokio::test]
async fn what_does_not_fit_of_counters_is_told_where_it_is_written() {
    insta::assert_snapshot!(told_of(COUNTERS).await, @r#"
    errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"5.."}
    exit 0

    errors: {total: 'http_request_total{job="api"}', badWhere: code=~"5.."}
    error line=10,col=23,title=SB0602::no series match `http_request_total{job="api"}`; there is no `http_request_total` at all; did you mean `http_requests_total`?
    exit 2

    errors: {total: 'http_requests_total{job="apo"}', badWhere: code=~"5.."}
    error line=10,col=23,title=SB0602::no series match `http_requests_total{job="apo"}`; without job="apo" there are some; did you mean `api`?
    exit 2

    errors: {total: 'http_requests_total{job="api",env="prod"}', badWhere: code=~"5.."}
    error line=10,col=23,title=SB0602::no series match `http_requests_total{env="prod",job="api"}`; without env="prod" there are some, none of which has the label env
    exit 2

    errors: {total: 'http_requests_total{job="web",env="prod"}', badWhere: code=~"5.."}
    error line=10,col=23,title=SB0602::no series match `http_requests_total{env="prod",job="web"}`; no condition alone excludes all there are, so two of them do: check each
    exit 2

    errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"6.."}
    warning line=10,col=67,title=SB0603::nothing was bad in the whole window (6h): no series match `http_requests_total{code=~"6..",job="api"}`; if nothing failed, ignore this; otherwise without code=~"6.." there are some, with code of 200, 404, 500
    exit 0

    errors: {total: 'http_requests_total{job="api"}', goodWhere: code="OK"}
    error line=10,col=68,title=SB0602::no series match `http_requests_total{code="OK",job="api"}`; without code="OK" there are some, with code of 200, 404, 500
    exit 2

    errors: {total: 'http_requests_total{job="api",code!~"4.."}', bad: 'http_requests_total{job="api",code=~"[45].."}'}
    error line=10,col=74,title=SB0605::1 of 2 series that `bad` selects are none of `total`, such as http_requests_total{code="404",instance="a",job="api",route="/x"}; let `bad` select a part of `total`, or write `badWhere`, which always does
    exit 2

    errors: {total: 'http_requests_total{job="api"}', bad: 'errors_total{job="api"}'}
    warning line=10,col=62,title=SB0605::1 of 2 series that `bad` selects have no counterpart in `total`, such as errors_total{instance="b",job="api"}; let both select the same targets: what is bad must be counted in the total, too
    exit 0

    errors: {total: 'http_requests_total{job="api"}', bad: 'storms_total{job="api"}'}
    error line=10,col=62,title=SB0605::in the window (6h) `bad` counts 180000, and `total` 46800; count the same events on both sides: what is bad or good must be in the total, too
    exit 2

    errors:
      total: ['http_requests_total{job="api"}', 'grpc_handled_total{job="api"}']
      bad: ['http_requests_total{job="api",code=~"5.."}', 'grpc_handled_total{job="api",grpc_code="Internal"}']
    warning line=11,col=51,title=SB0602::no series match `grpc_handled_total{job="api"}`, so it counts nothing; there is no `grpc_handled_total` at all: check the name, and what is scraped
    exit 0

    errors: {good: 'http_requests_total{code="200"}', bad: 'http_requests_total{code="599"}'}
    warning line=10,col=62,title=SB0603::nothing was bad in the whole window (6h): no series match `http_requests_total{code="599"}`; if nothing failed, ignore this; otherwise without code="599" there are some, with code of 200, 404, 500
    exit 0

    errors: {good: 'http_requests_total{code="299"}', bad: 'http_requests_total{code="500"}'}
    error line=10,col=22,title=SB0602::no series match `http_requests_total{code="299"}`; without code="299" there are some, with code of 200, 404, 500
    exit 2

    errors: {total: http_requests_total, bad: ['http_requests_total{code="500"}', 'errors_total{instance="c"}']}
    warning line=10,col=85,title=SB0602::no series match `errors_total{instance="c"}`, so it counts nothing; without instance="c" there are some, with instance of a, b
    exit 0

    errors: {good: 'http_requests_total{code!~"4.."}', bad: 'http_requests_total{code=~"5.."}'}
    error line=10,col=63,title=SB0609::the events of 1 of 2 series count as `good` and as `bad`: `http_requests_total{code!~"4.."}` and `http_requests_total{code=~"5.."}` both select http_requests_total{code="500",instance="a",job="api",route="/pay"}; let them exclude each other: write code!~"5.." into `http_requests_total{code!~"4.."}`
    exit 2

    errors: {total: http_requests_total, bad: ['http_requests_total{code="500"}', 'http_requests_total{code=~"5.."}']}
    error line=10,col=85,title=SB0609::the events of 1 of 1 series count twice in `bad`: `http_requests_total{code="500"}` and `http_requests_total{code=~"5.."}` both select http_requests_total{code="500",instance="a",job="api",route="/pay"}; remove one of the two: neither selects a series that the other does not
    exit 2

    errors: {total: ['http_requests_total{job="api"}', 'http_requests_total{route="/pay"}'], badWhere: code=~"5.."}
    error line=10,col=58,title=SB0609::the events of 2 of 3 series count twice in `total`: `http_requests_total{job="api"}` and `http_requests_total{route="/pay"}` both select http_requests_total{code="200",instance="a",job="api",route="/pay"}; let them exclude each other: write route!="/pay" into `http_requests_total{job="api"}`
    exit 2

    errors: {total: [http_requests_total, errors_total], bad: ['http_requests_total{code="500"}', 'errors_total{instance="a"}']}
    exit 0

    errors: {probe: 'probe_success{job="api"}'}
    error line=10,col=23,title=SB0602::no series match `probe_success{job="api"}`; there is no `probe_success` at all: check the name, and what is scraped
    exit 2

    errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"5.."}
    groupBy: [rout]
    warning line=11,col=17,title=SB0607::no series of `total` has the label `rout`, by which groups are told apart; did you mean `route`?
    exit 0

    errors: {total: http_requests_total, badWhere: code=~"5.."}
    groupBy: [route]
    expect: {route: [/pay, /gone]}
    warning line=10,col=7,title=SB0608::nothing is measured now: no series of `http_requests_total` has route="/gone", which `expect` names; check what scrapes it
    exit 0

    errors: {total: 'http_requests_total{job="api"}', bad: 'errors_total{job="api",instance="a"}'}
    groupBy: [route]
    error line=10,col=62,title=SB0605::in the window (6h) `bad` of {route=""} counts 720, and `total` 0; count the same events on both sides: what is bad or good must be in the total, too
    warning line=11,col=17,title=SB0607::no series of `bad` has the label `route`, by which groups are told apart; they have instance, job
    exit 2
    "#);
}

#[tokio::test]
async fn what_does_not_fit_of_all_else_is_told_where_it_is_written() {
    insta::assert_snapshot!(told_of(OTHERS).await, @r#"
    latency: {histogram: 'took_seconds{instance="a"}', atMost: 250ms}
    error line=10,col=66,title=SB0604::`took_seconds_bucket` has no bucket that ends at 250ms; set `atMost` to one of 100ms, 300ms
    exit 2

    latency:
      histogram: took_seconds{instance="a"}
      atMost: 300ms
      overrides: [{where: 'route="/pay"', atMost: 10s}]
    warning line=11,col=20,title=SB0602::no series match `took_seconds_bucket{instance="a",route!="/pay"}`, so it counts nothing; without route!="/pay" there are some, with route of /pay
    error line=13,col=53,title=SB0604::`took_seconds_bucket{instance="a",route="/pay"}` has no bucket that ends at 10s; set `atMost` to one of 100ms, 300ms
    exit 2

    latency:
      histogram: took_seconds{instance="a"}
      atMost: 300ms
      overrides: [{where: 'route="/export"', atMost: 100ms}]
    warning line=13,col=56,title=SB0602::no series match `took_seconds_bucket{instance="a",route="/export"}`, so it counts nothing; without route="/export" there are some, with route of /pay
    exit 0

    freshness: {timestamp: done_timestamp_seconds, atMost: 1h}
    error line=10,col=30,title=SB0602::no series match `done_timestamp_seconds`; there is no `done_timestamp_seconds` at all: check the name, and what is scraped
    exit 2

    latency: {quantile: 'took_seconds{quantile="0.9"}', atMost: 1s}
    error line=10,col=27,title=SB0602::no series match `took_seconds{quantile="0.9"}`; there is no `took_seconds` at all, but there is `took_seconds_bucket`: it is a histogram, so write `histogram: took_seconds` in place of `quantile`
    exit 2

    latency: {histogram: took_seconds, atMost: 300ms}
    error line=10,col=50,title=SB0604::1 of 2 series of the histogram have no bucket that ends at 300ms, so that all of their events are bad; give them the same buckets as the others, or leave them out: took_seconds_bucket{instance="b",job="api",le="+Inf",route="/pay"}
    exit 2

    latency: {histogram: native_seconds, atMost: 300ms}
    error line=10,col=52,title=SB0604::`native_seconds` has native histograms and no classic buckets; write `native: true` beside `histogram`
    exit 2

    latency: {histogram: lasted_seconds, atMost: 300ms}
    error line=10,col=28,title=SB0602::no series match `lasted_seconds_bucket`; there is no `lasted_seconds_bucket` at all: check the name, and what is scraped
    exit 2

    saturation:
      used: memory_bytes{job="api"}
      limit: {series: 'memory_limit_byte{job="api"}', aggregate: min}
      by: [instance]
      atMost: 90%
    error line=12,col=25,title=SB0602::no series match `memory_limit_byte{job="api"}`; there is no `memory_limit_byte` at all; did you mean `memory_limit_bytes`?
    exit 2

    query: {value: sum(depth), atMost: 10}
    error line=10,col=22,title=SB0602::`sum(depth)` gives no value; there is no `depth` at all: check the name, and what is scraped
    exit 2

    query: {total: 'sum(increase(seen_total[$window]))', bad: 'sum(increase(failed_total[$window]))'}
    error line=10,col=22,title=SB0602::`sum(increase(seen_total[5m]))` gives no value; there is no `seen_total` at all: check the name, and what is scraped
    exit 2

    query: {value: sum(refused), atMost: 10}
    error line=10,col=22,title=SB0601::the Prometheus of source `default` at URL refuses the query (bad_data): no such thing; correct or narrow what is asked
    exit 2
    "#);
}

#[tokio::test]
async fn of_a_metric_that_is_not_there_those_that_were_meant_are_named() {
    insta::assert_snapshot!(told_of(METRICS).await, @r#"
    errors: {total: http_requests, bad: errors}
    error line=10,col=23,title=SB0602::no series match `http_requests`; there is no `http_requests` at all, but there is `http_requests_total`: write that if it is meant
    exit 2

    errors: {total: requests_total, bad: errors_total}
    error line=10,col=23,title=SB0602::no series match `requests_total`; there is no `requests_total` at all; did you mean `http_requests_total`?
    exit 2

    errors: {total: took_seconds, bad: errors_total}
    error line=10,col=23,title=SB0602::no series match `took_seconds`; there is no `took_seconds` at all, but there is `took_seconds_count`, which counts its events: write that
    exit 2

    errors: {total: rare_sum, bad: nothing_like_it}
    error line=10,col=23,title=SB0602::no series match `rare_sum`; there is no `rare_sum` at all, but there is `rare_total`: write that if it is meant
    exit 2

    latency: {histogram: took, unit: s, atMost: 300ms}
    error line=10,col=28,title=SB0602::no series match `took_bucket`; there is no `took_bucket` at all, but there is `took_seconds`: write that if it is meant
    exit 2

    latency: {histogram: tooks_seconds, atMost: 300ms}
    error line=10,col=28,title=SB0602::no series match `tooks_seconds_bucket`; there is no `tooks_seconds_bucket` at all; did you mean `took_seconds`?
    exit 2

    latency: {histogram: 'waited_seconds{job="api"}', atMost: 300ms}
    error line=10,col=28,title=SB0602::no series match `waited_seconds_bucket{job="api"}`; `waited_seconds` is a summary, which has quantiles and no buckets: write `quantile: 'waited_seconds{job="api",quantile="0.99"}'` in place of `histogram`, to judge slices of time; it has 0.5, 0.99
    exit 2

    latency: {histogram: 'waited_seconds{job="apo"}', atMost: 300ms}
    error line=10,col=28,title=SB0602::no series match `waited_seconds_bucket{job="apo"}`; there is no `waited_seconds_bucket` at all, but there is `waited_seconds_count`, as summaries have it: without buckets events over a limit cannot be counted
    exit 2

    saturation: {gauge: memory_usage_byte, atMost: 90}
    error line=10,col=27,title=SB0602::no series match `memory_usage_byte`; there is no `memory_usage_byte` at all: check the name, and what is scraped
    exit 2

    query: {value: max(memory_byte) / max(memory_limit_bytes), atMost: 0.9}
    error line=10,col=22,title=SB0602::`max(memory_byte) / max(memory_limit_bytes)` gives no value; there is no `memory_byte` at all; did you mean `memory_bytes`?
    exit 2

    errors: {total: waited_seconds, bad: errors_total}
    warning line=10,col=23,title=SB0610::`total` is `waited_seconds`, which is a summary by its metadata: these are times that come and go, not counts; write waited_seconds_count, which counts its events
    exit 0

    errors: {total: drawn_seconds, bad: errors_total}
    error line=10,col=23,title=SB0602::no series match `drawn_seconds`; `drawn_seconds` is a histogram: it holds native histograms, and no numbers; write it under `latency`, as {histogram: drawn_seconds, native: true, atMost: …}
    exit 2

    traffic: {total: memory_bytes, atLeast: 1/s}
    warning line=10,col=24,title=SB0610::`total` is `memory_bytes`, which is a gauge by its metadata: what it falls by is taken for a restart, and counted; write a counter in place of `memory_bytes`; a gauge belongs into `saturation`, or `probe` where it is 0 or 1
    exit 0

    saturation: {used: memory_bytes, limit: storms_total, by: [instance], atMost: 90%}
    warning line=10,col=47,title=SB0610::`limit` is `storms_total`, which is a counter by its metadata: it rises for ever, and its value says nothing about now; write a gauge in place of `storms_total`; a counter belongs into `errors` or `traffic`
    exit 0
    "#);
}
