//! The metrics, read back by a small parser of both text forms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::{Answer, ask, fresh, state};
use crate::status::board::Board;
use crate::status::fixture;
use crate::status::snapshot::{GroupCount, SloStatus, Snapshot};

const OPEN_METRICS: (&str, &str) = ("accept", "application/openmetrics-text; version=1.0.0");

/// Families by name: kind, and series with their values.
type Parsed = BTreeMap<String, (String, BTreeMap<String, f64>)>;

/// Reads an exposition and checks what both forms demand: help and type before the samples, every
/// sample in its family, no series twice, numbers that are numbers.
fn parse(text: &str, suffix: &str) -> Parsed {
    let (mut families, mut current, mut helped) = (Parsed::new(), String::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(
                name.starts_with("sloburn_") && help.ends_with('.'),
                "{line}"
            );
            assert!(helped.insert(name.to_owned()), "twice: {line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(helped.contains(name), "{line}");
            assert!(["gauge", "counter"].contains(&kind), "{line}");
            let before = families.insert(name.to_owned(), (kind.to_owned(), BTreeMap::new()));
            assert!(before.is_none(), "{line}");
            name.clone_into(&mut current);
        } else if line != "# EOF" {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (kind, samples) = families.get_mut(&current).unwrap();
            let suffix = if kind == "counter" { suffix } else { "" };
            let name = series.split('{').next().unwrap();
            assert_eq!(name, format!("{current}{suffix}"), "{line}");
            let before = samples.insert(series.to_owned(), value.parse().unwrap());
            assert!(before.is_none(), "twice: {line}");
        }
    }
    families
}

async fn metrics(headers: &[(&str, &str)]) -> Answer {
    ask(&fresh(), "GET", "/metrics", headers).await
}

#[tokio::test(start_paused = true)]
async fn both_forms_say_the_same() {
    let mut state = fresh();
    let (calls, mut counters) = (Counter::<u64>::default(), Registry::default());
    counters.register("sloburn_calls", "Counted by others", calls.clone());
    calls.inc_by(3);
    state.counters = Arc::new(counters);
    let text = ask(&state, "GET", "/metrics", &[]).await;
    assert_eq!(
        text.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(!text.body.contains("EOF"));
    let open = ask(&state, "GET", "/metrics", &[OPEN_METRICS]).await;
    assert_eq!(
        open.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(open.body.ends_with("\n# EOF\n"));
    let (text, open) = (parse(&text.body, ""), parse(&open.body, "_total"));
    assert_eq!(text.len(), open.len());
    for (name, (kind, samples)) in &open {
        let suffix = if kind == "counter" { "_total" } else { "" };
        assert_eq!(
            text[&format!("{name}{suffix}")],
            (kind.clone(), samples.clone())
        );
    }
    insta::assert_snapshot!(text.keys().cloned().collect::<Vec<_>>().join("\n"), @r"
    sloburn_alert_severity
    sloburn_births_ignored_total
    sloburn_build_info
    sloburn_burn_rate
    sloburn_calls_total
    sloburn_clock_steps_total
    sloburn_config_last_reload_success_timestamp_seconds
    sloburn_config_last_reload_successful
    sloburn_config_reload_failures_total
    sloburn_config_reloads_total
    sloburn_error_budget_remaining_ratio
    sloburn_error_ratio
    sloburn_incident_open
    sloburn_last_tick_duration_seconds
    sloburn_last_tick_timestamp_seconds
    sloburn_measurement_outcome
    sloburn_objective_ratio
    sloburn_outbox_failing
    sloburn_outbox_oldest_timestamp_seconds
    sloburn_outbox_waiting
    sloburn_source_clock_skew_seconds
    sloburn_source_healthy
    sloburn_source_lag_seconds
    sloburn_source_last_good_timestamp_seconds
    sloburn_source_queries_total
    sloburn_source_query_failures_total
    sloburn_source_samples_total
    sloburn_source_series
    sloburn_stale
    sloburn_store_commit_failing
    sloburn_store_open
    sloburn_ticks_skipped_total
    sloburn_ticks_total
    sloburn_window_bad_events
    sloburn_window_coverage_ratio
    sloburn_window_events
    ");
}

/// The documentation lists each family with its kind and its labels, those of instances apart.
#[tokio::test(start_paused = true)]
async fn the_documentation_lists_every_metric() {
    let board = fixture::board();
    let mut snapshot = Snapshot::clone(&board.read().snapshot);
    let mut grouped = SloStatus::clone(&snapshot.slos[0]);
    grouped.groups = Some(GroupCount {
        known: 2,
        most: 200,
        refused: 1,
    });
    snapshot.slos[0] = Arc::new(grouped);
    board.publish(snapshot);
    let state = state(board, fixture::NOW);
    let body = ask(&state, "GET", "/metrics", &[]).await.body;
    let of_instances = ["slo", "service", "name", "target", "group", "route", "note"];
    let rows = parse(&body, "").into_iter().map(|(name, (kind, samples))| {
        let labels: BTreeSet<String> = samples.keys().flat_map(|it| label_names(it)).collect();
        let is_own =
            |name: &&String| !labels.contains("slo") || !of_instances.contains(&name.as_str());
        let own = labels.iter().filter(is_own).map(|name| format!("`{name}`"));
        let own = Some(own.collect::<Vec<_>>().join(", ")).filter(|it| !it.is_empty());
        format!("| `{name}` | {kind} | {} ", own.as_deref().unwrap_or("-"))
    });
    let rows: BTreeSet<String> = rows.collect();
    let document = include_str!("../../../docs/metrics.md");
    let is_row = |line: &&str| line.contains("` | gauge | ") || line.contains("` | counter | ");
    let documented = document.lines().filter(is_row);
    // What the delivery of notices counts is held beside its code.
    let documented = documented.filter(|line| !line.contains("sloburn_delivery_"));
    let start = |line: &str| line.split('|').take(4).collect::<Vec<_>>().join("|");
    let documented: BTreeSet<String> = documented.map(start).collect();
    let missing: Vec<&String> = rows.difference(&documented).collect();
    let gone: Vec<&String> = documented.difference(&rows).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "missing: {missing:#?}\nnot exposed: {gone:#?}"
    );
}

/// The names of a series' labels.
fn label_names(series: &str) -> Vec<String> {
    let (mut names, mut rest) = (Vec::new(), series);
    while let Some((before, after)) = rest.split_once("=\"") {
        let name = before.trim_start_matches(|letter: char| letter != '{' && letter != ',');
        names.push(name.trim_start_matches(['{', ',']).to_owned());
        let mut escaped = false;
        let is_end = |letter: char| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        };
        rest = after.split_once(is_end).map_or("", |(_, rest)| rest);
    }
    names
}

#[tokio::test(start_paused = true)]
async fn an_instance_has_a_series_for_everything_known_of_it() {
    let body = metrics(&[]).await.body;
    let of = |slo: &str| {
        let label = format!("{{slo=\"{slo}\"");
        let lines = body.lines().filter(|line| line.contains(&label));
        lines
            .map(|line| line.replace(&format!("{label},"), "{"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    insta::assert_snapshot!(of("checkout/latency"), @r#"
    sloburn_objective_ratio{service="checkout",name="latency"} 0.99
    sloburn_error_ratio{service="checkout",name="latency"} 0.004854330050269015
    sloburn_error_budget_remaining_ratio{service="checkout",name="latency"} 0.5145669949730986
    sloburn_window_events{service="checkout",name="latency"} 4120033.0
    sloburn_window_bad_events{service="checkout",name="latency"} 20000.0
    sloburn_window_coverage_ratio{service="checkout",name="latency"} 0.998
    sloburn_alert_severity{service="checkout",name="latency"} 2.0
    sloburn_incident_open{service="checkout",name="latency"} 1.0
    sloburn_burn_rate{service="checkout",name="latency",window="5m"} 20.0
    sloburn_burn_rate{service="checkout",name="latency",window="1h"} 20.0
    sloburn_burn_rate{service="checkout",name="latency",window="6h"} 20.0
    sloburn_measurement_outcome{service="checkout",name="latency",outcome="measured"} 1.0
    sloburn_measurement_outcome{service="checkout",name="latency",outcome="noTraffic"} 0.0
    sloburn_measurement_outcome{service="checkout",name="latency",outcome="partial"} 0.0
    sloburn_measurement_outcome{service="checkout",name="latency",outcome="noData"} 0.0
    sloburn_measurement_outcome{service="checkout",name="latency",outcome="failed"} 0.0
    "#);
    insta::assert_snapshot!(of("search/availability"), @r#"
    sloburn_objective_ratio{service="search",name="availability"} 0.999
    sloburn_window_events{service="search",name="availability"} 0.0
    sloburn_window_bad_events{service="search",name="availability"} 0.0
    sloburn_window_coverage_ratio{service="search",name="availability"} 0.998
    sloburn_alert_severity{service="search",name="availability"} 0.0
    sloburn_incident_open{service="search",name="availability"} 0.0
    sloburn_measurement_outcome{service="search",name="availability",outcome="measured"} 0.0
    sloburn_measurement_outcome{service="search",name="availability",outcome="noTraffic"} 0.0
    sloburn_measurement_outcome{service="search",name="availability",outcome="partial"} 0.0
    sloburn_measurement_outcome{service="search",name="availability",outcome="noData"} 1.0
    sloburn_measurement_outcome{service="search",name="availability",outcome="failed"} 0.0
    "#);
    insta::assert_snapshot!(of("mail/delivery"), @r#"
    sloburn_objective_ratio{service="mail",name="delivery"} 1.0
    sloburn_error_ratio{service="mail",name="delivery"} 0.00025
    sloburn_error_budget_remaining_ratio{service="mail",name="delivery"} -inf
    sloburn_window_events{service="mail",name="delivery"} 4000.0
    sloburn_window_bad_events{service="mail",name="delivery"} 1.0
    sloburn_window_coverage_ratio{service="mail",name="delivery"} 0.998
    sloburn_alert_severity{service="mail",name="delivery"} 0.0
    sloburn_incident_open{service="mail",name="delivery"} 0.0
    sloburn_burn_rate{service="mail",name="delivery",window="5m"} inf
    sloburn_burn_rate{service="mail",name="delivery",window="1h"} inf
    sloburn_burn_rate{service="mail",name="delivery",window="6h"} inf
    sloburn_measurement_outcome{service="mail",name="delivery",outcome="measured"} 1.0
    sloburn_measurement_outcome{service="mail",name="delivery",outcome="noTraffic"} 0.0
    sloburn_measurement_outcome{service="mail",name="delivery",outcome="partial"} 0.0
    sloburn_measurement_outcome{service="mail",name="delivery",outcome="noData"} 0.0
    sloburn_measurement_outcome{service="mail",name="delivery",outcome="failed"} 0.0
    "#);
    let escaped = r#"sloburn_incident_open{slo="mail/availability",service="mail",name="availability",group="note=\"a\\nb\",route=\"/pay\"",note="a\nb",route="/pay"} 0"#;
    assert!(body.lines().any(|line| line.starts_with(escaped)), "{body}");
}

#[tokio::test(start_paused = true)]
async fn the_daemon_tells_of_itself() {
    let body = metrics(&[]).await.body;
    let lines = body.lines().filter(|line| !line.contains("{slo="));
    let lines = lines.filter(|line| !line.starts_with("# HELP"));
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    let text = lines
        .collect::<Vec<_>>()
        .join("\n")
        .replace(&version, "version=\"…\"");
    insta::assert_snapshot!(text, @r#"
    # TYPE sloburn_objective_ratio gauge
    # TYPE sloburn_error_ratio gauge
    # TYPE sloburn_error_budget_remaining_ratio gauge
    # TYPE sloburn_window_events gauge
    # TYPE sloburn_window_bad_events gauge
    # TYPE sloburn_window_coverage_ratio gauge
    # TYPE sloburn_alert_severity gauge
    # TYPE sloburn_incident_open gauge
    # TYPE sloburn_burn_rate gauge
    # TYPE sloburn_measurement_outcome gauge
    # TYPE sloburn_ticks_total counter
    sloburn_ticks_total 720.0
    # TYPE sloburn_ticks_skipped_total counter
    sloburn_ticks_skipped_total 2.0
    # TYPE sloburn_births_ignored_total counter
    sloburn_births_ignored_total 5.0
    # TYPE sloburn_clock_steps_total counter
    sloburn_clock_steps_total 1.0
    # TYPE sloburn_last_tick_timestamp_seconds gauge
    sloburn_last_tick_timestamp_seconds 1768478400.0
    # TYPE sloburn_last_tick_duration_seconds gauge
    sloburn_last_tick_duration_seconds 0.042
    # TYPE sloburn_stale gauge
    sloburn_stale 0.0
    # TYPE sloburn_store_open gauge
    sloburn_store_open 1.0
    # TYPE sloburn_store_commit_failing gauge
    sloburn_store_commit_failing 1.0
    # TYPE sloburn_build_info gauge
    sloburn_build_info{version="…"} 1.0
    # TYPE sloburn_source_queries_total counter
    sloburn_source_queries_total{source="default"} 1440.0
    sloburn_source_queries_total{source="thanos-eu"} 1440.0
    # TYPE sloburn_source_query_failures_total counter
    sloburn_source_query_failures_total{source="default"} 0.0
    sloburn_source_query_failures_total{source="thanos-eu"} 28.0
    # TYPE sloburn_source_samples_total counter
    sloburn_source_samples_total{source="default"} 691200.0
    sloburn_source_samples_total{source="thanos-eu"} 691200.0
    # TYPE sloburn_source_series gauge
    sloburn_source_series{source="default"} 240.0
    sloburn_source_series{source="thanos-eu"} 240.0
    # TYPE sloburn_source_healthy gauge
    sloburn_source_healthy{source="default"} 1.0
    sloburn_source_healthy{source="thanos-eu"} 0.0
    # TYPE sloburn_source_last_good_timestamp_seconds gauge
    sloburn_source_last_good_timestamp_seconds{source="default"} 1768478400.0
    sloburn_source_last_good_timestamp_seconds{source="thanos-eu"} 1768477560.0
    # TYPE sloburn_source_clock_skew_seconds gauge
    sloburn_source_clock_skew_seconds{source="default"} 0.0
    sloburn_source_clock_skew_seconds{source="thanos-eu"} 64.0
    # TYPE sloburn_source_lag_seconds gauge
    sloburn_source_lag_seconds{source="default"} 0.0
    sloburn_source_lag_seconds{source="thanos-eu"} 45.0
    # TYPE sloburn_config_reloads_total counter
    sloburn_config_reloads_total 2.0
    # TYPE sloburn_config_reload_failures_total counter
    sloburn_config_reload_failures_total 1.0
    # TYPE sloburn_config_last_reload_successful gauge
    sloburn_config_last_reload_successful 0.0
    # TYPE sloburn_config_last_reload_success_timestamp_seconds gauge
    sloburn_config_last_reload_success_timestamp_seconds 1768460400.0
    # TYPE sloburn_outbox_waiting gauge
    sloburn_outbox_waiting{receiver="payments"} 2.0
    # TYPE sloburn_outbox_oldest_timestamp_seconds gauge
    sloburn_outbox_oldest_timestamp_seconds{receiver="payments"} 1768477680.0
    # TYPE sloburn_outbox_failing gauge
    sloburn_outbox_failing{receiver="payments"} 1.0
    "#);
}

#[tokio::test(start_paused = true)]
async fn before_the_first_tick_only_the_daemon_is_told_of() {
    let state = state(Board::new(fixture::AT), fixture::NOW);
    let body = ask(&state, "GET", "/metrics", &[]).await.body;
    let families = parse(&body, "");
    assert!(families.values().all(|(_, samples)| samples.len() == 1));
    let lines = body
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("build_info"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    sloburn_ticks_total 0.0
    sloburn_ticks_skipped_total 0.0
    sloburn_births_ignored_total 0.0
    sloburn_clock_steps_total 0.0
    sloburn_stale 1.0
    sloburn_store_open 0.0
    sloburn_store_commit_failing 0.0
    ");
}
