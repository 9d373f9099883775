//! Indicators that count events: what each way to write them becomes, and mistakes in them.

use std::path::PathBuf;

use super::super::{Options, read};
use super::lowering::shown;

/// What an objective with these lines becomes, or every fault of them.
fn told(indicator: &str) -> String {
    let lines: Vec<String> = indicator
        .lines()
        .map(|line| format!("      {line}"))
        .collect();
    let service = format!(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: api}}\nspec:\n  window: 30d\n  alertPolicy: none\n  objectives:\n    - name: it\n      objective: 99%\n{}\n",
        lines.join("\n")
    );
    let (catalog, diagnostics) = read(&[(PathBuf::from("api.yaml"), service)], &Options::default());
    let lines = diagnostics.render_lines();
    match catalog {
        Some(catalog) => {
            let slo = catalog.slos.values().next().unwrap();
            format!("{lines}{}", shown(&slo.indicator))
        }
        None => lines,
    }
}

fn all_told(cases: &[&str]) -> String {
    let told = cases.iter().map(|case| told(case).trim_end().to_owned());
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn errors_are_told_by_lists_and_without_a_total() {
    let told = all_told(&[
        "errors: {good: 'a{ok=\"1\"}', bad: 'a{ok=\"0\"}'}",
        "errors: {good: [a, b], bad: 'c{x=\"1\"}'}",
        "errors: {total: [a, b], bad: [c]}",
        "errors: {total: ['a{x=\"1\"}', b], badWhere: 'code=\"5\"'}",
        "errors: {total: ['a{x=\"1\"}', b], goodWhere: 'x=\"2\"'}",
        "errors: {total: ['a{x=\"1\"}', 'b{x=\"1\"}'], badWhere: 'x=\"2\"'}",
        "errors: {total: [], bad: []}",
        "errors: {total: [a, a], bad: b}",
        "errors: {total: [a, 'b{'], bad: b}",
        "errors: {total: [a, [b]], bad: b}",
        "errors: {good: a, bad: [b, a]}",
        "errors: {good: a}",
        "errors: {good: a, bad: b, badWhere: 'x=\"1\"'}",
        "errors: {total: a, good: a, bad: b}",
    ]);
    insta::assert_snapshot!(told, @r#"
    good a{ok="1"} bad a{ok="0"}
    good a + b bad c{x="1"}
    total a + b bad c
    total a{x="1"} + b bad a{code="5",x="1"} + b{code="5"}
    total a{x="1"} + b good a{x="1",x="2"} + b{x="2"}
    api.yaml:10:59: error[SB0303]: `badWhere` never matches, since `total` has only x="1"; remove x from `total`, or compare another label
    api.yaml:10:23: error[SB0108]: the list `total` is empty; write at least one item, or remove the key
    api.yaml:10:32: error[SB0108]: the list `bad` is empty; write at least one item, or remove the key
    api.yaml:10:27: error[SB0110]: `total` has this selector twice; remove one of them, or its events count twice
    api.yaml:10:30: error[SB0301]: `total`: a label and its value are due here, as in job="api"
    api.yaml:10:27: error[SB0106]: `total` is a single value, and this is a list; write total: b
    api.yaml:10:34: error[SB0109]: the same series are good and bad; let each selector match one kind of events
    api.yaml:10:15: error[SB0104]: `errors` needs `total`; write total: http_requests_total{job="api"}
    api.yaml:10:33: error[SB0109]: `badWhere` refines a `total`, and there is none; remove it, or write `total` in place of `good` or `bad`
    api.yaml:10:35: error[SB0109]: `good` and `bad` exclude each other; keep one of badWhere, goodWhere, bad, good
    "#);
}

#[test]
fn latency_is_told_by_histograms_of_both_kinds_and_by_counters() {
    let told = all_told(&[
        "latency: {histogram: 'x_seconds{job=\"a\"}', atMost: 300ms, native: true}",
        "latency: {histogram: x_ms, unit: ms, atMost: 300ms, native: true}",
        "latency: {total: a, good: 'a{fast=\"1\"}'}",
        "latency: {total: [a, b], badWhere: 'slow=\"1\"'}",
        "latency: {histogram: x_seconds, atMost: 1s, overrides: [{where: 'route=\"/export\"', atMost: 10s}]}",
        "latency: {histogram: x_ms, unit: ms, atMost: 1s, native: true, overrides: [{where: 'route=\"/export\"', atMost: 10s}]}",
        "latency: {histogram: 'x_seconds{v!=\"0\"}', atMost: 1s, overrides: [{where: 'a=\"1\",v=\"1\"', atMost: 2s}, {where: 'a=\"1\"', atMost: 3s}]}",
        "latency: {histogram: x_seconds, atMost: 1s, native: maybe}",
        "latency: {histogram: x_seconds, atMost: 1s, overrides: []}",
        "latency: {histogram: x_seconds, atMost: 1s, overrides: [{where: 'a=\"1\"'}, {atMost: 2s}, 7]}",
        "latency: {histogram: 'x_seconds{a=\"2\"}', atMost: 1s, overrides: [{where: 'a=\"1\"', atMost: 2s}]}",
        "latency: {histogram: x_seconds, atMost: 1s, overrides: [{where: 'a=\"1\"', atMost: 2s}, {where: 'a=\"1\",b=\"1\"', atMost: 3s}]}",
        "latency: {total: a, good: b, atMost: 1s}",
        "latency: {total: a}",
        "latency: {}",
    ]);
    insta::assert_snapshot!(told, @r#"
    native x_seconds{job="a"} at most 0.3
    native x_ms at most 300
    total a good a{fast="1"}
    total a + b bad a{slow="1"} + b{slow="1"}
    buckets x_seconds_bucket{route="/export"} at most 10, x_seconds_bucket{route!="/export"} at most 1
    native x_ms{route="/export"} at most 10000, x_ms{route!="/export"} at most 1000
    buckets x_seconds_bucket{a="1",v="1"} at most 2, x_seconds_bucket{a="1",v!="0",v!="1"} at most 3, x_seconds_bucket{a!="1",v!="0"} at most 1
    api.yaml:10:59: error[SB0205]: `maybe` is neither true nor false
    api.yaml:10:62: error[SB0108]: the list `overrides` is empty; write at least one item, or remove the key
    api.yaml:10:63: error[SB0104]: an override needs `atMost`; write atMost: 10s
    api.yaml:10:81: error[SB0104]: an override needs `where`; write where: 'route="/export"'
    api.yaml:10:95: error[SB0106]: an override is a map, and this is a single value; it has the keys where, atMost
    api.yaml:10:80: error[SB0303]: `where` never matches, since `histogram` has only a="2"; remove the override, or compare another label
    api.yaml:10:101: error[SB0303]: this override never counts: those before it take all that it selects; the first override that matches counts; remove this one, or put it first
    api.yaml:10:36: error[SB0109]: `total` and `atMost` exclude each other; counters know their threshold already: keep `total` with `good`, or `histogram` with `atMost`
    api.yaml:10:16: error[SB0109]: `latency` needs to know which events are bad; write one of badWhere, goodWhere, bad, good
    api.yaml:10:16: error[SB0104]: `latency` needs `atMost`; write atMost: 300ms
    api.yaml:10:16: error[SB0104]: `latency` needs `histogram`; write histogram: http_request_duration_seconds{job="api"}
    "#);
}

#[test]
fn thresholds_that_come_to_too_much_are_refused() {
    let one = |number: i32| format!("{{where: 'a=~\"{number}.*\",b=~\"{number}.*\"', atMost: 2s}}");
    let many: Vec<String> = (0..8).map(one).collect();
    let definition = format!(
        "latency: {{histogram: x_seconds, atMost: 1s, overrides: [{}]}}",
        many.join(", ")
    );
    insta::assert_snapshot!(told(&definition), @"api.yaml:10:28: error[SB0102]: the overrides come to too many selectors; write fewer of them, or compare one label in each `where`");
}

#[test]
fn probes_are_events_by_themselves_or_by_vote() {
    let told = all_told(&[
        "errors: {probe: 'probe_success{job=\"blackbox\"}'}",
        "errors: {probe: up, badWhen: {count: 2}}",
        "errors: {probe: up, badWhen: {share: 50%}}",
        "errors: {probe: up, badWhen: any}",
        "errors: {probe: up, badWhen: {count: 0}}",
        "errors: {probe: up, total: a, bad: b}",
        "errors: {total: a, bad: b, badWhen: any}",
        "errors: {probe: [up]}",
    ]);
    insta::assert_snapshot!(told, @r#"
    probe probe_success{job="blackbox"} None
    probe up Some(Count(2))
    probe up Some(Share(Fraction { numerator: 1, denominator: 2 }))
    probe up Some(Count(1))
    api.yaml:10:44: error[SB0203]: `0` is not a number of groups; write it as 2
    api.yaml:10:27: error[SB0109]: `probe` and `total` exclude each other; the samples of a probe are all events, good when they are 1: remove it, or `probe`
    api.yaml:10:37: error[SB0109]: `probe` and `bad` exclude each other; the samples of a probe are all events, good when they are 1: remove it, or `probe`
    api.yaml:10:34: error[SB0105]: `badWhen` has no meaning beside `counters`; remove it
    api.yaml:10:23: error[SB0106]: `probe` is a single value, and this is a list; write probe: up
    "#);
}

#[test]
fn events_are_judged_by_slices_where_it_is_said() {
    let told = all_told(&[
        "errors: {total: a, bad: b}\nbudgeting: timeslices\nsliceObjective: 95%",
        "latency: {histogram: x_seconds, atMost: 1s}\nbudgeting: timeslices\nsliceObjective: 99%\nslice: 5m\nmissingData: bad",
        "errors: {probe: up}\nbudgeting: timeslices\nsliceObjective: 50%",
        "errors: {total: a, bad: b}\nbudgeting: occurrences",
        "errors: {total: a, bad: b}\nbudgeting: timeslices",
        "errors: {total: a, bad: b}\nbudgeting: sometimes",
        "errors: {total: a, bad: b}\nsliceObjective: 95%",
        "errors: {total: a, bad: b}\nbudgeting: timeslices\nsliceObjective: 0.95",
        "errors: {total: a, bad: b}\nslice: 1m",
        "traffic: {total: a, atLeast: 5/s}\nbudgeting: occurrences",
        "traffic: {total: a, atLeast: 5/s}\nbudgeting: timeslices\nsliceObjective: 95%",
    ]);
    insta::assert_snapshot!(told, @"
    slices of 1m with 0.95 good of total a bad b
    slices of 5m with 0.99 good of buckets x_seconds_bucket at most 1
    slices of 1m with 0.5 good of probe up None
    total a bad b
    api.yaml:11:18: error[SB0109]: `budgeting: timeslices` needs `sliceObjective`; write sliceObjective: 95%, the share of a slice's events that must be good
    api.yaml:11:18: error[SB0205]: `sometimes` is no way to budget; write occurrences or timeslices
    api.yaml:11:7: error[SB0109]: `sliceObjective` is for events that are judged by slices of time; write budgeting: timeslices beside it, or remove it
    api.yaml:12:23: error[SB0203]: `0.95` looks like a share; did you mean 95%?
    api.yaml:11:14: error[SB0105]: `slice` has no meaning where `errors` counts events; remove it, or write budgeting: timeslices with a sliceObjective; slices of time are also judged by traffic, saturation, freshness, a latency's quantile, and a query's ratio or value
    api.yaml:11:18: error[SB0109]: this indicator judges slices of time, and counts no events; remove `budgeting`
    api.yaml:12:7: error[SB0109]: `sliceObjective` is for events that are judged by slices of time; remove it: this indicator says itself when a slice is bad
    ");
}
