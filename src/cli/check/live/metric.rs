//! What is said of a metric that is not there, and of one of another kind: which was probably meant.

use std::collections::BTreeMap;

use crate::definitions::codes;
use crate::diagnostic::{Diagnostic, near};
use crate::domain::metric::MetricKind;
use crate::domain::selector::{Matcher, Selector};
use crate::promql::selector_text;
use crate::status::names::{Named, Role};

/// So many names are suggested.
const SUGGESTED: usize = 3;

const BUCKET: &str = "_bucket";

/// What names end with to tell unit and kind, the last first.
const SUFFIXES: [&str; 6] = ["_total", BUCKET, "_count", "_sum", "_seconds", "_bytes"];

/// What to do about a metric of which there are no series; `names` are those of which there are some.
pub(super) fn absent(role: Role, metric: &str, names: &[String]) -> String {
    let is_there = |name: &str| names.iter().any(|it| it == name);
    if is_there(metric) {
        return format!(
            "there was a `{metric}` not long ago, and there is none now: look whether it is still scraped"
        );
    }
    let none = format!("there is no `{metric}` at all");
    // A histogram is named without what the names of its series end with.
    let (name, known) = if role == Role::Histogram {
        let bases = names.iter().filter_map(|it| it.strip_suffix(BUCKET));
        let name = metric.strip_suffix(BUCKET).unwrap_or(metric);
        (name, bases.collect::<Vec<_>>())
    } else {
        let fitting = names.iter().map(String::as_str);
        (metric, fitting.filter(|it| may_be(role, it)).collect())
    };
    let counted = format!("{name}_count");
    match role {
        Role::Histogram if is_there(&counted) => {
            return format!(
                "{none}, but there is `{counted}`, as summaries have it: without buckets events over a limit cannot be counted"
            );
        }
        Role::Quantile if is_there(&format!("{name}{BUCKET}")) => {
            return format!(
                "{none}, but there is `{name}{BUCKET}`: it is a histogram, so write `histogram: {name}` in place of `quantile`"
            );
        }
        Role::Total | Role::Bad | Role::Good if is_there(&counted) => {
            return format!(
                "{none}, but there is `{counted}`, which counts its events: write that"
            );
        }
        _ => {}
    }
    let (same, alike) = suggested(name, &known);
    match (same.as_slice(), alike.as_slice()) {
        ([], []) => format!("{none}: check the name, and what is scraped"),
        ([], alike) => format!("{none}; did you mean {}?", listed(alike)),
        (same, _) => format!(
            "{none}, but there is {}: write that if it is meant",
            listed(same)
        ),
    }
}

/// Whether a metric with this name may stand for this, as far as its ending tells.
fn may_be(role: Role, name: &str) -> bool {
    let ends = |with: &[&str]| with.iter().any(|it| name.ends_with(it));
    match role {
        // An expression may be about anything.
        Role::Value | Role::Ratio => true,
        Role::Total | Role::Past | Role::Bad | Role::Good => !ends(&[BUCKET, "_sum", "_created"]),
        _ => !ends(&[BUCKET, "_sum", "_created", "_count", "_total"]),
    }
}

/// Names that differ in nothing but their endings; beside them, where there are none, those that were probably meant: with a
/// slip or two, else with more before or behind.
fn suggested<'n>(name: &str, known: &[&'n str]) -> (Vec<&'n str>, Vec<&'n str>) {
    let mut by_stem: BTreeMap<&str, Vec<&'n str>> = BTreeMap::new();
    for it in known {
        by_stem.entry(stem(it)).or_default().push(it);
    }
    let own = stem(name);
    let of = |stem: &str| by_stem.get(stem).into_iter().flatten().copied();
    let ending = name.get(own.len()..).unwrap_or_default();
    let first = |mut names: Vec<&'n str>| {
        // What ends like the name comes first.
        names.sort_by_key(|it| !it.ends_with(ending));
        names.truncate(SUGGESTED);
        names
    };
    let same: Vec<&str> = of(own).collect();
    if !same.is_empty() {
        return (first(same), Vec::new());
    }
    // Where there is no ending that is known, the slip may be in that; others are too alike by theirs.
    let mut alike = if own == name {
        near(name, known.iter().copied())
    } else {
        Vec::new()
    };
    for it in near(own, by_stem.keys().copied()).into_iter().flat_map(of) {
        if !alike.contains(&it) {
            alike.push(it);
        }
    }
    if !alike.is_empty() {
        return (Vec::new(), first(alike));
    }
    let has_own = |it: &&&str| format!("_{}_", stem(it)).contains(&format!("_{own}_"));
    let longer = known.iter().filter(has_own).copied().collect();
    (Vec::new(), first(longer))
}

/// A name without the endings that tell unit and kind.
fn stem(name: &str) -> &str {
    let mut stem = name;
    let mut endings = SUFFIXES.iter();
    while let Some(ending) = endings.next() {
        if let Some(shorter) = stem.strip_suffix(ending).filter(|it| !it.is_empty()) {
            stem = shorter;
            endings = SUFFIXES.iter();
        }
    }
    stem
}

/// `` `a`, `b` or `c` ``
fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// What to do about a summary that is given as a histogram; `selector` selects its quantiles.
pub(super) fn summary(selector: &Selector, quantiles: &[String]) -> String {
    let highest = quantiles.last().map(|it| Matcher::equal("quantile", it));
    format!(
        "`{}` is a summary, which has quantiles and no buckets: write `quantile: '{}'` in place of `histogram`, to judge slices of time; it has {}",
        selector.metric,
        selector_text(&selector.refined(highest)),
        quantiles.join(", ")
    )
}

/// That the values of a metric are of another kind than those that are due.
pub(super) fn other_kind(role: Role, metric: &str, kind: MetricKind) -> Diagnostic {
    let (side, what) = (role.name(), kind.name());
    let (why, help) = of_kind(metric, kind);
    let message = format!("`{side}` is `{metric}`, which is a {what} by its metadata: {why}");
    Diagnostic::warning(codes::OTHER_KIND, message).help(help)
}

/// Why a metric of this kind does not fit, and what does.
pub(super) fn of_kind(metric: &str, kind: MetricKind) -> (&'static str, String) {
    match kind {
        MetricKind::Counter => (
            "it rises for ever, and its value says nothing about now",
            format!(
                "write a gauge in place of `{metric}`; a counter belongs into `errors` or `traffic`"
            ),
        ),
        MetricKind::Gauge => (
            "what it falls by is taken for a restart, and counted",
            format!(
                "write a counter in place of `{metric}`; a gauge belongs into `saturation`, or `probe` where it is 0 or 1"
            ),
        ),
        MetricKind::Summary => (
            "these are times that come and go, not counts",
            format!("write {metric}_count, which counts its events"),
        ),
        MetricKind::Histogram => (
            "it holds native histograms, and no numbers",
            format!(
                "write it under `latency`, as {{histogram: {metric}, native: true, atMost: …}}"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_where_only_their_endings_differ() {
        for (name, stemmed) in [
            ("http_requests_total", "http_requests"),
            ("took_seconds_bucket", "took"),
            ("took_seconds", "took"),
            ("total", "total"),
            ("_total", "_total"),
        ] {
            assert_eq!(stem(name), stemmed, "{name}");
        }
    }

    #[test]
    fn what_was_meant_is_named_the_likeliest_first() {
        let names = [
            "app_jobs_total",
            "done_created",
            "done_sum",
            "done_total",
            "gone_total",
            "jobs_failed_total",
            "lone_total",
            "size_bytes",
            "size_bytes_sum",
        ]
        .map(str::to_owned);
        for (role, metric, told) in [
            (
                Role::Total,
                "done",
                "but there is `done_total`: write that if it is meant",
            ),
            (
                Role::Total,
                "one_total",
                "did you mean `done_total`, `gone_total` or `lone_total`?",
            ),
            (
                Role::Bad,
                "jobs_total",
                "did you mean `app_jobs_total` or `jobs_failed_total`?",
            ),
            (Role::Value, "done_smu", "did you mean `done_sum`?"),
            (
                Role::Gauge,
                "size",
                "but there is `size_bytes`: write that if it is meant",
            ),
            (Role::Gauge, "done", "check the name, and what is scraped"),
            (
                Role::Histogram,
                "size_bucket",
                "check the name, and what is scraped",
            ),
        ] {
            let advice = absent(role, metric, &names);
            assert!(advice.ends_with(told), "{metric}: {advice}");
        }
        assert_eq!(
            absent(Role::Gauge, "size_bytes", &names),
            "there was a `size_bytes` not long ago, and there is none now: look whether it is still scraped"
        );
    }
}
