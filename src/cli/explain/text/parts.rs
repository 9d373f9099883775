//! What was counted, selector by selector, with the series that have the most of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::labels::METRIC_NAME;
use crate::status::names::Named;
use crate::status::view::explain::{ExplanationView, PartView, SeriesView};

use super::figures::{capital, clock_of, number, number_of, value};
use super::{asked, section};

/// So many series of each selector are shown.
const SERIES: usize = 8;

pub(super) fn part_text(it: &ExplanationView, part: &PartView) -> String {
    let title = match (&part.symbol, part.events) {
        (Some(symbol), Some(events)) => {
            format!("{symbol} = {} events of {}", number(events.0), series(part))
        }
        _ => format!("{}: {}", capital(part.role.name()), series(part)),
    };
    let mut lines = vec![part.selector.clone()];
    if let Some(weight) = part.weight {
        lines.push(format!(
            "each event adds {}",
            adds(weight.total.0, weight.bad.0)
        ));
    }
    if let Some(query) = &part.query {
        lines.push(asked(query));
    }
    let common = common(part.series.iter().map(|series| &series.labels));
    let shown = part.series.iter().take(SERIES);
    lines.extend(shown.map(|series| series_text(it, series, &common)));
    let rest = part.series.get(SERIES..).unwrap_or_default();
    if !rest.is_empty() {
        let events = rest.iter().filter_map(|series| series.events);
        let events = match part.symbol {
            Some(_) => format!(
                " with {} events",
                number(events.fold(0.0, |sum, events| sum + events.0))
            ),
            None => String::new(),
        };
        lines.push(format!("… and {} more series{events}", rest.len()));
    }
    section(&title, &lines)
}

fn series(part: &PartView) -> String {
    match part.series.len() {
        0 => "no series".to_owned(),
        1 => "1 series".to_owned(),
        more => format!("{more} series"),
    }
}

fn adds(total: f64, bad: f64) -> String {
    let one = |count: f64, what: &str| {
        let sign = if count < 0.0 { "−" } else { "" };
        (count != 0.0).then(|| format!("{sign}{} to {what}", number(count.abs())))
    };
    let parts: Vec<String> = [one(total, "total"), one(bad, "bad")]
        .into_iter()
        .flatten()
        .collect();
    parts.join(" and ")
}

/// The labels that all series share: they stand in the selector or tell nothing.
pub(super) fn common<'a>(
    series: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeSet<String> {
    let mut series = series.into_iter();
    let Some(first) = series.next() else {
        return BTreeSet::new();
    };
    let rest: Vec<_> = series.collect();
    let is_common = |(name, value): &(&String, &String)| {
        rest.iter().all(|other| other.get(*name) == Some(*value))
    };
    let labels = first.iter();
    let shared = labels.filter(|pair| !rest.is_empty() && is_common(pair));
    shared
        .map(|(name, _)| name.clone())
        .chain([METRIC_NAME.to_owned()])
        .collect()
}

fn series_text(it: &ExplanationView, series: &SeriesView, common: &BTreeSet<String>) -> String {
    let events = series
        .events
        .map(|events| format!("{:>10}  ", number(events.0)))
        .unwrap_or_default();
    let ends = match (series.samples.first(), series.samples.last()) {
        (Some(first), Some(last)) => format!(
            "{} {} → {} {}",
            clock_of(it, first.0),
            value(&first.1),
            clock_of(it, last.0),
            value(&last.1)
        ),
        _ => String::new(),
    };
    format!(
        "{events}{}  {} samples, {ends}",
        labels(&series.labels, common),
        number_of(u64::try_from(series.samples.len()).unwrap_or(u64::MAX)),
    )
}

pub(super) fn labels(all: &BTreeMap<String, String>, hidden: &BTreeSet<String>) -> String {
    let shown = all.iter().filter(|(name, _)| !hidden.contains(*name));
    let pairs: Vec<String> = shown
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{{{}}}", pairs.join(","))
}
