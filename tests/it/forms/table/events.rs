//! Indicators of events.

use super::picks;
use crate::forms::log::MINUTE;
use crate::forms::words::{Part, Truth, When};

/// The native buckets up to 2^-2 s, and the next as far as 0.3 s reaches into it, on a scale of logarithms.
const INTO_THE_NEXT: f64 = 0.263_034_405_833_793_8;

fn bad(total: &[&'static str], bad: &[&'static str]) -> Truth {
    Truth::Events {
        total: picks(total),
        part: Part::Bad(picks(bad)),
    }
}

fn good(total: &[&'static str], good: &[&'static str]) -> Truth {
    Truth::Events {
        total: picks(total),
        part: Part::Good(picks(good)),
    }
}

fn probes(quorum: Option<When>) -> Truth {
    Truth::Probes {
        probers: picks(&["probe_success"]),
        quorum,
    }
}

const HTTP: &str = "http_requests_total";
const HTTP_FAILED: [&str; 2] = [
    "http_requests_total code=500",
    "http_requests_total code=503",
];
const BUCKETS: &str = "http_request_duration_seconds_bucket le=+Inf";
/// Their names, what stands in a definition, and what it means.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
pub(super) fn events() -> Vec<(&'static str, &'static str, Truth)> {
    let native = Truth::Events {
        total: picks(&["rpc_duration_seconds"]),
        part: Part::Good(vec![
            ("rpc_duration_seconds bucket=-3", 1.0),
            ("rpc_duration_seconds bucket=-2", 1.0),
            ("rpc_duration_seconds bucket=-1", INTO_THE_NEXT),
        ]),
    };
    vec![
        (
            "errors by total and badWhere",
            r#"errors: {total: 'http_requests_total{job="shop"}', badWhere: 'code=~"5.."'}"#,
            bad(&[HTTP], &HTTP_FAILED),
        ),
        (
            "errors by total and goodWhere",
            r#"errors: {total: 'http_requests_total{route!="/new"}', goodWhere: 'code=~"200|402"'}"#,
            good(
                &["http_requests_total route!=/new"],
                &[
                    "http_requests_total code=200 route!=/new",
                    "http_requests_total code=402 route!=/new",
                ],
            ),
        ),
        (
            "errors by total and bad",
            r#"errors: {total: 'http_requests_total{job="shop"}', bad: 'http_failures_total{job="shop"}'}"#,
            bad(&[HTTP], &["http_failures_total"]),
        ),
        (
            "errors by total and good",
            r#"errors: {total: 'http_requests_total{job="shop"}', good: 'http_successes_total{job="shop"}'}"#,
            good(&[HTTP], &["http_successes_total"]),
        ),
        (
            "errors by good and bad",
            r#"errors: {good: 'http_successes_total{job="shop"}', bad: 'http_failures_total{kind!="refusal"}'}"#,
            bad(
                &["http_successes_total", "http_failures_total kind!=refusal"],
                &["http_failures_total kind!=refusal"],
            ),
        ),
        (
            "errors by lists of total and bad",
            r#"errors:
  total: ['http_requests_total{job="shop"}', 'grpc_server_handled_total{job="shop"}']
  bad: ['http_requests_total{job="shop",code=~"5.."}', 'grpc_server_handled_total{job="shop",grpc_code=~"Internal|Unavailable"}']"#,
            bad(
                &[HTTP, "grpc_server_handled_total"],
                &[
                    HTTP_FAILED[0],
                    HTTP_FAILED[1],
                    "grpc_server_handled_total grpc_code!=OK",
                ],
            ),
        ),
        (
            "errors by lists of good and bad",
            r#"errors:
  good: ['http_successes_total{job="shop"}', 'grpc_server_handled_total{grpc_code="OK"}']
  bad: ['http_failures_total{job="shop"}', 'grpc_server_handled_total{grpc_code!="OK"}']"#,
            bad(
                &[
                    "http_successes_total",
                    "http_failures_total",
                    "grpc_server_handled_total",
                ],
                &[
                    "http_failures_total",
                    "grpc_server_handled_total grpc_code!=OK",
                ],
            ),
        ),
        ("probe", "errors: {probe: probe_success}", probes(None)),
        (
            "probe, any",
            "errors: {probe: probe_success, badWhen: any}",
            probes(Some(When::Any)),
        ),
        (
            "probe, count",
            "errors: {probe: probe_success, badWhen: {count: 2}}",
            probes(Some(When::Count(2))),
        ),
        (
            "probe, share",
            "errors: {probe: probe_success, badWhen: {share: 60%}}",
            probes(Some(When::Share(60))),
        ),
        (
            "latency by a classic histogram",
            r#"latency: {histogram: 'http_request_duration_seconds{job="shop"}', atMost: 300ms}"#,
            good(&[BUCKETS], &["http_request_duration_seconds_bucket le=0.3"]),
        ),
        (
            "latency with overrides",
            r#"latency:
  histogram: 'http_request_duration_seconds{job="shop"}'
  atMost: 300ms
  overrides: [{where: 'route="/export"', atMost: 10s}]"#,
            good(
                &[BUCKETS],
                &[
                    "http_request_duration_seconds_bucket le=0.3 route!=/export",
                    "http_request_duration_seconds_bucket le=10 route=/export",
                ],
            ),
        ),
        (
            "latency by total and good",
            r#"latency: {total: http_timed_requests_total, good: 'http_timed_requests_total{speed="fast"}'}"#,
            good(
                &["http_timed_requests_total"],
                &["http_timed_requests_total speed=fast"],
            ),
        ),
        (
            "latency by total and badWhere",
            r#"latency: {total: http_timed_requests_total, badWhere: 'speed="slow"'}"#,
            bad(
                &["http_timed_requests_total"],
                &["http_timed_requests_total speed=slow"],
            ),
        ),
        (
            "latency by a native histogram",
            "latency: {histogram: rpc_duration_seconds, atMost: 300ms, native: true}",
            native,
        ),
    ]
}

/// Queries for events, which are spread over `$window`.
pub(super) fn queries() -> Vec<(&'static str, &'static str, Truth)> {
    let queried = |part| Truth::Queried {
        total: picks(&["jobs_total"]),
        part,
        window: 20 * MINUTE,
    };
    vec![
        (
            "query for bad events",
            r#"query: {bad: 'sum(increase(jobs_total{result="error"}[$window]))', total: 'sum(increase(jobs_total[$window]))'}"#,
            queried(Part::Bad(picks(&["jobs_total result=error"]))),
        ),
        (
            "query for good events",
            r#"query: {good: 'sum(increase(jobs_total{result="ok"}[$window]))', total: 'sum(increase(jobs_total[$window]))'}"#,
            queried(Part::Good(picks(&["jobs_total result=ok"]))),
        ),
    ]
}
