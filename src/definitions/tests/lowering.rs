//! What definitions become in the domain.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::super::{Options, read};
use crate::domain::indicator::{Events, HistogramKind, Indicator, Split};
use crate::domain::selector::Selector;
use crate::domain::slices::Judge;
use crate::domain::slo::{Catalog, SloId};
use crate::domain::time::Span;
use crate::promql::selector_text;

const SERVICE: &str = include_str!("../../../tests/fixtures/definitions/sound/api.yaml");
const ALERTS: &str = include_str!("../../../tests/fixtures/definitions/sound/alerts.yaml");

fn catalog(service: &str, alerts: &str, options: &Options) -> Catalog {
    let sources = [
        (PathBuf::from("api.yaml"), service.to_owned()),
        (PathBuf::from("alerts.yaml"), alerts.to_owned()),
    ];
    let (catalog, diagnostics) = read(&sources, options);
    catalog.unwrap_or_else(|| panic!("{}", diagnostics.render_lines()))
}

fn events_shown(events: &Events) -> String {
    let texts = |selectors: &[Selector]| {
        let texts: Vec<String> = selectors.iter().map(selector_text).collect();
        texts.join(" + ")
    };
    match events {
        Events::OfTotal { total, split } => {
            let kind = match split {
                Split::Bad(_) => "bad",
                Split::Good(_) => "good",
            };
            format!("total {} {kind} {}", texts(total), texts(split.counted()))
        }
        Events::GoodAndBad { good, bad } => format!("good {} bad {}", texts(good), texts(bad)),
        Events::Histogram(histogram) => {
            let thresholds = histogram.thresholds().into_iter();
            let shown =
                thresholds.map(|it| format!("{} at most {}", texts(&it.selectors), it.at_most));
            let shown: Vec<String> = shown.collect();
            let kind = match histogram.kind {
                HistogramKind::Classic => "buckets",
                HistogramKind::Native => "native",
            };
            format!("{kind} {}", shown.join(", "))
        }
        Events::Probe(probe) => {
            format!("probe {} {:?}", selector_text(&probe.series), probe.quorum)
        }
    }
}

pub(super) fn shown(indicator: &Indicator) -> String {
    match indicator {
        Indicator::Errors(events) | Indicator::Latency(events) => events_shown(events),
        Indicator::Slices(sliced) => match &sliced.judge {
            Judge::Events { events, good, .. } => format!(
                "slices of {} with {} good of {}",
                sliced.slice,
                good.to_f64(),
                events_shown(events)
            ),
            _ => format!("{indicator:?}"),
        },
        Indicator::Query { .. } => format!("{indicator:?}"),
    }
}

#[test]
fn indicators_become_what_they_say() {
    let service = SERVICE
        .replacen(
            "histogram: http_request_duration_seconds{job=\"api\"}",
            "histogram: request_time{job=\"api\"}\n        unit: ms",
            1,
        )
        .replacen(
            "{series: 'process_max_fds{job=\"api\"}', aggregate: min}",
            "process_max_fds{job=\"api\"}",
            1,
        );
    let mut text = String::new();
    for service in [SERVICE, &service] {
        for (uid, slo) in &catalog(service, ALERTS, &Options::default()).slos {
            writeln!(text, "{uid}: {}", shown(&slo.indicator)).unwrap();
        }
    }
    insta::assert_snapshot!(text, @r#"
    api/availability: total http_requests_total{job="api"} bad http_requests_total{code=~"5..",job="api"}
    api/jobs: Query { total: "sum(increase(jobs_total[$window]))", split: Bad("sum(increase(jobs_failed_total[$window]))"), window: Span(300000) }
    api/latency: buckets http_request_duration_seconds_bucket{job="api"} at most 0.3
    api/memory: Slices(Sliced { judge: Share { used: Gauge { series: Selector { metric: "process_open_fds", matchers: [Matcher { label: "job", op: Equal, value: "api" }] }, aggregate: Max }, limit: Gauge { series: Selector { metric: "process_max_fds", matchers: [Matcher { label: "job", op: Equal, value: "api" }] }, aggregate: Min }, by: ["instance"], at_most: Fraction { numerator: 9, denominator: 10 }, bad_when: Count(1) }, slice: Span(60000), missing: Hold })
    api/throughput: Slices(Sliced { judge: Rate { total: Selector { metric: "http_requests_total", matchers: [Matcher { label: "job", op: Equal, value: "api" }] }, bound: AtLeast(Quantity { value: Fraction { numerator: 5, denominator: 1 }, unit: PerSecond }) }, slice: Span(60000), missing: Hold })
    api/availability: total http_requests_total{job="api"} bad http_requests_total{code=~"5..",job="api"}
    api/jobs: Query { total: "sum(increase(jobs_total[$window]))", split: Bad("sum(increase(jobs_failed_total[$window]))"), window: Span(300000) }
    api/latency: buckets request_time_bucket{job="api"} at most 300
    api/memory: Slices(Sliced { judge: Share { used: Gauge { series: Selector { metric: "process_open_fds", matchers: [Matcher { label: "job", op: Equal, value: "api" }] }, aggregate: Max }, limit: Gauge { series: Selector { metric: "process_max_fds", matchers: [Matcher { label: "job", op: Equal, value: "api" }] }, aggregate: Min }, by: ["instance"], at_most: Fraction { numerator: 9, denominator: 10 }, bad_when: Count(1) }, slice: Span(60000), missing: Hold })
    api/throughput: Slices(Sliced { judge: Rate { total: Selector { metric: "http_requests_total", matchers: [Matcher { label: "job", op: Equal, value: "api" }] }, bound: AtLeast(Quantity { value: Fraction { numerator: 5, denominator: 1 }, unit: PerSecond }) }, slice: Span(60000), missing: Hold })
    "#);
}

#[test]
fn objectives_take_from_their_service_what_they_do_not_say() {
    let service = SERVICE
        .replacen(
            "  window: 30d\n",
            "  window: 30d\n  owner: ann\n  runbook: https://r\n  description: all\n  source: laptop\n",
            1,
        )
        .replacen(
            "    - name: latency\n",
            "    - name: latency\n      uid: old/name\n      window: 4w\n      owner: bob\n      alertPolicy: none\n      labels: {tier: gold}\n",
            1,
        );
    let catalog = catalog(&service, ALERTS, &Options::default());
    let shown = |uid: &str| {
        let slo = &catalog.slos[&SloId::new(uid)];
        format!(
            "{} {} {:?} {:?} {:?} {:?} {} {} {:?}",
            slo.service,
            slo.name,
            slo.labels,
            slo.owner,
            slo.runbook,
            slo.description,
            slo.source,
            slo.window,
            slo.policy
        )
    };
    insta::assert_snapshot!([shown("api/availability"), shown("old/name")].join("\n"), @r#"
    api availability {"team": "shop"} Some("ann") Some("https://r") Some("all") laptop 30d Some("default")
    api latency {"team": "shop", "tier": "gold"} Some("bob") Some("https://r") Some("all") laptop 4w None
    "#);
}

#[test]
fn the_source_is_the_only_one_or_the_default() {
    let source = |sources: &[&str]| {
        let options = Options {
            sources: Some(sources.iter().map(|&name| name.to_owned()).collect()),
            ..Options::default()
        };
        let catalog = catalog(SERVICE, ALERTS, &options);
        catalog.slos[&SloId::new("api/jobs")].source.to_string()
    };
    assert_eq!(source(&["thanos"]), "thanos");
    assert_eq!(source(&["default", "thanos"]), "default");
}

#[test]
fn slices_are_a_minute_or_the_next_multiple_of_the_tick() {
    for (tick, slice) in [
        (1, "1m"),
        (30, "1m"),
        (60, "1m"),
        (50, "1m40s"),
        (300, "5m"),
    ] {
        let options = Options {
            tick: Span::from_secs(tick),
            ..Options::default()
        };
        assert_eq!(options.default_slice().to_string(), slice);
    }
}

#[test]
fn a_policy_has_the_defaults_of_the_shipped_one() {
    let shipped = include_str!("../../../alerts/default.yaml");
    let tiers: Vec<&str> = shipped
        .lines()
        .filter(|line| !line.starts_with("  ") || line.contains("tiers:") || line.contains("- {"))
        .collect();
    let minimal = tiers.join("\n");
    assert!(!minimal.contains("remind"));
    let policy =
        |text: &str| catalog(SERVICE, text, &Options::default()).policies["default"].clone();
    assert_eq!(policy(&minimal), policy(shipped));
    let quiet = policy(&format!(
        "{minimal}\n  lowTraffic: off\n  unmeasured: off\n  signalSeverity: {{latency: ticket}}\n"
    ));
    assert_eq!((quiet.low_traffic, quiet.unmeasured), (None, None));
    assert_eq!(quiet.signal_severity.len(), 3);
    assert_eq!(policy(shipped).low_traffic, Some(0.001));
}

#[test]
fn receivers_and_routes_become_what_they_say() {
    let catalog = catalog(SERVICE, ALERTS, &Options::default());
    let receivers: Vec<String> = catalog
        .receivers
        .values()
        .map(|receiver| format!("{receiver:?}"))
        .collect();
    insta::assert_snapshot!(receivers.join("\n"), @r##"
    Receiver { name: "am", channel: Alertmanager { urls: ["http://alertmanager:9093"] }, time_zone: "UTC" }
    Receiver { name: "bot", channel: SlackBot { channel: "#alerts", token_file: "/run/secrets/slack-token", mention: Some("<!here>"), api_url: "https://slack.com/api" }, time_zone: "Europe/Berlin" }
    Receiver { name: "hook", channel: Webhook { url: "https://example.com/hooks", secret_file: Some("/run/secrets/key") }, time_zone: "UTC" }
    "##);
    insta::assert_snapshot!(format!("{:?}", catalog.routing), @r#"Routing { default: ["bot"], routes: [Route { matches: {"severity": "page", "team": "shop"}, to: ["bot", "am"], goes_on: true }, Route { matches: {"signal": "errors"}, to: ["hook"], goes_on: false }] }"#);
}

#[test]
fn without_routes_the_only_receiver_is_told_everything() {
    let policy = include_str!("../../../alerts/default.yaml");
    assert_eq!(
        catalog(SERVICE, policy, &Options::default())
            .routing
            .default
            .len(),
        0
    );
    let one = format!(
        "{policy}---\napiVersion: sloburn.dev/v1\nkind: Receiver\nmetadata: {{name: me}}\nspec:\n  slack: {{webhookUrlFile: /x}}\n"
    );
    assert_eq!(
        catalog(SERVICE, &one, &Options::default()).routing.default,
        ["me"]
    );
}
