//! Indicators that judge slices: what they become, and mistakes in them.

use std::path::PathBuf;

use super::super::{Options, read};
use crate::domain::indicator::Indicator;

const ALERTS: &str = include_str!("../../../tests/fixtures/definitions/sound/alerts.yaml");

/// What is told of an objective with these lines, each with its place; or what it becomes.
fn told(lines: &str, source: &str) -> String {
    let service = format!(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: api}}\nspec:\n  window: 30d\n  source: {source}\n  objectives:\n    - name: it\n      objective: 99%\n      {}\n",
        lines.replace('\n', "\n      ")
    );
    let sources = [
        (PathBuf::from("api.yaml"), service),
        (
            PathBuf::from("alerts.yaml"),
            ALERTS.replace(", team: shop", ""),
        ),
    ];
    let options = Options {
        sources: Some(vec!["default".into(), "laptop".into()]),
        scraped: vec!["laptop".into()],
        ..Options::default()
    };
    let (catalog, diagnostics) = read(&sources, &options);
    let lines = diagnostics.render_lines();
    let Some(catalog) = catalog else {
        return lines;
    };
    let slo = catalog.slos.values().next().unwrap();
    let shown = match &slo.indicator {
        Indicator::Slices(sliced) => format!(
            "{} {:?} {:?} {} {:?}",
            slo.signal().name(),
            sliced.judge.breach(),
            sliced.judge.threshold().map(|it| it.to_string()),
            sliced.slice,
            sliced.missing
        ),
        other => format!("{other:?}"),
    };
    lines + &shown
}

#[test]
fn every_form_is_read() {
    let forms = [
        "traffic: {total: a_total, atMost: 100/s}",
        "traffic: {total: a_total, dropAtMost: 40%}\nslice: 5m",
        "traffic: {total: a_total, dropAtMost: 12.5%, comparedTo: [1d, 1w]}",
        "saturation: {used: used, limit: limit, by: [pod], atMost: 80%, badWhen: {share: 10%}}",
        "saturation: {gauge: lag, atMost: 10000, withinSlice: max, badWhen: {count: 2}}",
        "saturation: {gauge: {series: free_bytes, aggregate: sum}, by: [node], atLeast: 2GiB, badWhen: any}",
        "latency: {quantile: 'took_seconds{quantile=\"0.99\"}', atMost: 300ms}",
        "latency: {quantile: took, unit: ms, atMost: 1.5}",
        "freshness: {timestamp: done_timestamp_seconds, atMost: 1h}\nmissingData: bad",
        "freshness: {timestamp: {series: done, aggregate: max}, by: [job], unit: ms, atMost: 1h}",
        "query: {ratio: '1 - avg_over_time(up[$window])'}\nmissingData: good",
        "query: {value: max(lag), atMost: 10}\nslice: 2m",
        "query: {value: max(lag), atMost: 10}\nslice: 1d",
    ];
    let read: Vec<String> = forms.iter().map(|form| told(form, "default")).collect();
    insta::assert_snapshot!(read.join("\n"), @r#"
    traffic Some(Above) Some("100/s") 1m Hold
    traffic Some(Dropped) Some("40%") 5m Hold
    traffic Some(Dropped) Some("12.5%") 1m Hold
    saturation Some(OverLimit) Some("80%") 1m Hold
    saturation Some(Above) Some("10000") 1m Hold
    saturation Some(Below) Some("2GiB") 1m Hold
    latency Some(Above) Some("300ms") 1m Hold
    latency Some(Above) Some("1s500ms") 1m Hold
    latency Some(Older) Some("1h") 1m Bad
    latency Some(Older) Some("1h") 1m Hold
    errors None None 1m Good
    errors Some(Above) Some("10") 2m Hold
    api.yaml:9:18: warning[SB0504]: the policy `default` looks at 5m, and a slice is 1d long; write a shorter `slice`, or use a policy with longer windows
    api.yaml:9:18: warning[SB0606]: a window of 30d holds 30 slices of 1d, and 99% allows less than one of them to be bad: the first bad slice breaks the promise; write a longer window, a shorter `slice`, or a lower objective
    errors Some(Above) Some("10") 1d Hold
    "#);
}

#[test]
fn a_service_has_a_slice_for_all_of_its_objectives() {
    let slice = |own: &str| {
        let form = format!("freshness: {{timestamp: done_seconds, atMost: 1h}}{own}");
        let told = told(&form, "default\n  slice: 3m");
        told.split(' ').nth(3).map(str::to_owned)
    };
    assert_eq!(slice("").as_deref(), Some("3m"));
    assert_eq!(slice("\nslice: 2m").as_deref(), Some("2m"));
}

#[test]
fn mistakes_are_told_with_their_places() {
    let mistakes = [
        "traffic: {total: a_total}",
        "traffic: {total: a_total, atLeast: 5/s, atMost: 9/s}",
        "traffic: {total: a_total, atLeast: 5/s, comparedTo: [1w]}",
        "traffic: {total: a_total, dropAtMost: 100%}",
        "traffic: {total: a_total, dropAtMost: 40%, comparedTo: [1w, 30s, 1w]}",
        "traffic: {total: a_total, dropAtMost: 40%, comparedTo: [last week]}",
        "saturation: {by: [pod], atMost: 80%}",
        "saturation: {used: a, gauge: b, atMost: 80%}",
        "saturation: {used: a, limit: b, by: [pod], atMost: 80%, withinSlice: max}",
        "saturation: {gauge: a, limit: b, atMost: 80%, atLeast: 10%}",
        "saturation: {gauge: a, atMost: lots, withinSlice: most}",
        "saturation: {gauge: a, atMost: 1, badWhen: some}",
        "saturation: {gauge: a, atMost: 1, badWhen: {count: 0}}",
        "saturation: {gauge: a, atMost: 1, badWhen: {share: 0.1, count: 1}}",
        "latency: {quantile: took, atMost: 300ms}",
        "latency: {quantile: took_seconds, unit: ms, atMost: 300ms}",
        "latency: {quantile: a_seconds, histogram: b_seconds, atMost: 300ms}",
        "freshness: {timestamp: done, atMost: 1h}",
        "freshness: {atMost: soon}",
        "query: {ratio: '1 - avg(up)', total: sum(x)}",
        "query: {value: max(lag)}",
        "query: {bad: 'sum(increase(x[$window]))', total: 'sum(increase(y[$window]))', atMost: 1}",
        "query: {bad: 'sum(increase(x[$window]))', total: 'sum(increase(y[$window]))'}\nmissingData: bad\nslice: 1m",
        "errors: {total: a_total, badWhere: 'code=\"5\"'}\nmissingData: bad",
        "freshness: {timestamp: done_seconds, atMost: 1h}\nmissingData: maybe",
        "freshness: {timestamp: done_seconds, atMost: 1h}\nslice: 25h",
        "freshness: {timestamp: done_seconds, atMost: 1h}\nslice: 7d10s",
        "freshness: {timestamp: done_seconds, atMost: 1h}\nslice: 0s",
    ];
    let read: Vec<String> = mistakes
        .iter()
        .map(|lines| told(lines, "default"))
        .collect();
    insta::assert_snapshot!(read.join("\n"), @r#"
    api.yaml:10:16: error[SB0109]: `traffic` needs a threshold; write one of atLeast, atMost, dropAtMost

    api.yaml:10:47: error[SB0109]: `atLeast` and `atMost` exclude each other; keep one of atLeast, atMost, dropAtMost

    api.yaml:10:47: error[SB0105]: `comparedTo` has no meaning beside `atLeast`; remove it

    api.yaml:10:45: error[SB0203]: nothing drops by more than 100%; write a smaller share, as 40%

    api.yaml:10:67: error[SB0202]: a slice is 1m long, and 30s before it has hardly begun; compare with a day or a week before, as 1w
    api.yaml:10:72: error[SB0110]: `comparedTo` has 1w twice; remove one of them

    api.yaml:10:63: error[SB0202]: `last week` is not a length of time; write it as 30d, 1h30m or 500ms

    api.yaml:10:19: error[SB0109]: `saturation` needs to know what is looked at; write one of used, gauge

    api.yaml:10:29: error[SB0109]: `used` and `gauge` exclude each other; keep one of used, gauge

    api.yaml:10:63: error[SB0105]: `withinSlice` has no meaning beside `used`; remove it

    api.yaml:10:30: error[SB0105]: `limit` has no meaning beside `gauge`; remove it
    api.yaml:10:53: error[SB0109]: `atMost` and `atLeast` exclude each other; keep one of atMost, atLeast

    api.yaml:10:38: error[SB0203]: `lots` is not a threshold; write a number, or 90%, 300ms, 1h, 2GiB, 500MB or 5/s
    api.yaml:10:57: error[SB0205]: `most` is none of a slice's samples; write last, max, min or avg

    api.yaml:10:50: error[SB0205]: `some` is no number of groups; write any, {count: 2} or {share: 10%}

    api.yaml:10:58: error[SB0203]: `0` is not a number of groups; write it as 2

    api.yaml:10:63: error[SB0109]: `share` and `count` exclude each other; keep one of count, share

    api.yaml:10:27: error[SB0302]: the unit of `took` is unknown; write unit: ms or unit: s; only names that end in _seconds tell their unit

    api.yaml:10:27: error[SB0302]: the name says seconds, and the unit milliseconds; remove `unit`

    api.yaml:10:38: error[SB0109]: `quantile` and `histogram` exclude each other; keep one of quantile, histogram

    api.yaml:10:30: error[SB0302]: the unit of `done` is unknown; write unit: ms or unit: s; only names that end in _seconds tell their unit

    api.yaml:10:18: error[SB0104]: `freshness` needs `timestamp`; write timestamp: etl_last_success_timestamp_seconds{job="etl"}
    api.yaml:10:27: error[SB0202]: `soon` is not a length of time; write it as 30d, 1h30m or 500ms

    api.yaml:10:37: error[SB0105]: `total` has no meaning beside `ratio`; remove it

    api.yaml:10:14: error[SB0109]: `query` needs a threshold; write one of atMost, atLeast

    api.yaml:10:85: error[SB0105]: `atMost` has no meaning beside `bad`; remove it

    api.yaml:11:20: error[SB0105]: `missingData` has no meaning where `query` counts events; remove it, or write budgeting: timeslices with a sliceObjective; slices of time are also judged by traffic, saturation, freshness, a latency's quantile, and a query's ratio or value
    api.yaml:12:14: error[SB0105]: `slice` has no meaning where `query` counts events; remove it, or write budgeting: timeslices with a sliceObjective; slices of time are also judged by traffic, saturation, freshness, a latency's quantile, and a query's ratio or value

    api.yaml:11:20: error[SB0105]: `missingData` has no meaning where `errors` counts events; remove it, or write budgeting: timeslices with a sliceObjective; slices of time are also judged by traffic, saturation, freshness, a latency's quantile, and a query's ratio or value

    api.yaml:11:20: error[SB0205]: `maybe` is nothing that a slice without data can be; write hold, good or bad

    api.yaml:9:18: warning[SB0504]: the policy `default` looks at 5m, and a slice is 1d1h long; write a shorter `slice`, or use a policy with longer windows
    api.yaml:9:18: warning[SB0606]: a window of 30d holds 29 slices of 1d1h, and 99% allows less than one of them to be bad: the first bad slice breaks the promise; write a longer window, a shorter `slice`, or a lower objective
    api.yaml:11:14: error[SB0202]: `slice` of 1d1h is longer than 1d; write at most 1d; `window` says over which time slices are added up

    api.yaml:9:18: warning[SB0504]: the policy `default` looks at 5m, and a slice is 7d10s long; write a shorter `slice`, or use a policy with longer windows
    api.yaml:9:18: warning[SB0606]: a window of 30d holds 5 slices of 7d10s, and 99% allows less than one of them to be bad: the first bad slice breaks the promise; write a longer window, a shorter `slice`, or a lower objective
    api.yaml:11:14: error[SB0202]: `slice` of 7d10s is longer than 1d; write at most 1d; `window` says over which time slices are added up
    api.yaml:11:14: error[SB0202]: `slice` of 7d10s is no multiple of the tick, 30s; write a multiple of the tick, or change the daemon's `tick`

    api.yaml:11:14: error[SB0202]: `0s` is out of range: longer than zero and at most 100y
    "#);
}

#[test]
fn what_a_scraped_source_cannot_give_is_told() {
    let forms = [
        "query: {ratio: '1 - avg_over_time(up[$window])'}",
        "query: {bad: 'sum(increase(x[$window]))', total: 'sum(increase(y[$window]))'}",
        "traffic: {total: a_total, dropAtMost: 40%}",
        "traffic: {total: a_total, atLeast: 4/s}",
    ];
    let read: Vec<String> = forms.iter().map(|form| told(form, "laptop")).collect();
    insta::assert_snapshot!(read.join("\n"), @r#"
    api.yaml:10:7: error[SB0410]: the source `laptop` is scraped, and evaluates no PromQL; count its series by another indicator, or name a source that is a Prometheus

    api.yaml:10:7: error[SB0410]: the source `laptop` is scraped, and evaluates no PromQL; count its series by another indicator, or name a source that is a Prometheus

    api.yaml:10:7: error[SB0410]: the source `laptop` is scraped, and keeps no past to compare with; write atLeast or atMost, or name a source that is a Prometheus

    traffic Some(Below) Some("4/s") 1m Hold
    "#);
}

#[test]
fn a_window_must_hold_enough_slices_for_what_is_promised() {
    let fresh = |lines: &str| {
        let lines = format!(
            "freshness: {{timestamp: done_seconds, atMost: 1h}}\nalertPolicy: none\n{lines}"
        );
        told(&lines, "default")
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let cases = [
        "window: 1d\nslice: 1h",
        "window: 4d\nslice: 1h",
        "window: 5d\nslice: 1h",
        "window: {calendar: month}\nslice: 7h",
        "window: {calendar: month}\nslice: 6h",
    ];
    insta::assert_snapshot!(cases.map(fresh).join("\n"), @r#"
    api.yaml:9:18: warning[SB0606]: a window of 1d holds 24 slices of 1h, and 99% allows less than one of them to be bad: the first bad slice breaks the promise; write a longer window, a shorter `slice`, or a lower objective
    api.yaml:9:18: warning[SB0606]: a window of 4d holds 96 slices of 1h, and 99% allows less than one of them to be bad: the first bad slice breaks the promise; write a longer window, a shorter `slice`, or a lower objective
    latency Some(Older) Some("1h") 1h Hold
    api.yaml:9:18: warning[SB0606]: a window of month holds 96 slices of 7h, and 99% allows less than one of them to be bad: the first bad slice breaks the promise; write a longer window, a shorter `slice`, or a lower objective
    latency Some(Older) Some("1h") 6h Hold
    "#);
}
