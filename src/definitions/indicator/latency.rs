//! Latency: events that took too long.

use crate::diagnostic::Diagnostic;
use crate::domain::indicator::{Events, Histogram, HistogramKind, Indicator, Override};
use crate::domain::selector::Selector;

use super::super::codes;
use super::super::fields::Fields;
use super::super::node::{Faults, Located, Node};
use super::super::values;
use super::bounds::time_unit;
use super::errors::of_total;
use super::{conditions, excluded, selector};

const EXAMPLE: &str = "histogram: http_request_duration_seconds{job=\"api\"}";

/// So many selectors the thresholds of one histogram may come to.
const MOST_SELECTORS: usize = 50;

pub(super) fn latency(node: &Node, faults: &Faults) -> Option<Indicator> {
    let known = [
        "quantile",
        "histogram",
        "atMost",
        "unit",
        "native",
        "overrides",
        "total",
        "bad",
        "good",
        "badWhere",
        "goodWhere",
    ];
    let fields = Fields::of(node, "`latency`", &known, faults)?;
    let events = if fields.has("total") {
        of_counters(&fields)?
    } else {
        Events::Histogram(histogram(&fields)?)
    };
    Some(Indicator::Latency(events))
}

/// Counters of all events and of those that were fast enough, or were not.
fn of_counters(fields: &Fields<'_>) -> Option<Events> {
    for key in ["histogram", "atMost", "unit", "native", "overrides"] {
        if let Some(entry) = fields.entry(key) {
            fields.faults.add(
                Diagnostic::error(
                    codes::CHOICE,
                    format!("`total` and `{key}` exclude each other"),
                )
                .at(&entry.place)
                .help("counters know their threshold already: keep `total` with `good`, or `histogram` with `atMost`"),
            );
        }
    }
    of_total(fields)
}

fn histogram(fields: &Fields<'_>) -> Option<Histogram> {
    let faults = fields.faults;
    let series = fields
        .need("histogram", EXAMPLE)
        .and_then(|node| selector(node, "histogram", faults));
    let at_most = fields.need_parsed("atMost", "atMost: 300ms", codes::DURATION, values::seconds);
    let native = fields.parse("native", codes::WORD, |text| match text {
        "true" => Ok(HistogramKind::Native),
        "false" => Ok(HistogramKind::Classic),
        _ => Err(format!("`{text}` is neither true nor false")),
    });
    let kind = native.map_or(HistogramKind::Classic, |native| native.value);
    let located = series?;
    let overrides = overrides(fields, &located);
    let series = named(&located, kind, faults)?;
    let selector = Located {
        value: &located.value,
        place: located.place.clone(),
    };
    let unit = time_unit(fields, &selector)?;
    let histogram = Histogram {
        kind,
        series,
        unit,
        at_most: at_most?.value,
        overrides: overrides?,
    };
    let thresholds = histogram.thresholds();
    let selectors = thresholds.iter().map(|it| it.selectors.len());
    if selectors.sum::<usize>() > MOST_SELECTORS {
        faults.add(
            Diagnostic::error(
                codes::TOO_COMPLEX,
                "the overrides come to too many selectors",
            )
            .at(&located.place)
            .help("write fewer of them, or compare one label in each `where`"),
        );
        return None;
    }
    Some(histogram)
}

/// Thresholds of their own for some of the series. Those that never count are faults.
fn overrides(fields: &Fields<'_>, series: &Located<Selector>) -> Option<Vec<Override>> {
    let faults = fields.faults;
    if !fields.has("overrides") {
        return Some(Vec::new());
    }
    let mut overrides: Vec<Override> = Vec::new();
    let mut left = vec![series.value.clone()];
    let mut is_whole = true;
    for node in fields.list("overrides")? {
        let Some(one) = Fields::of(node, "an override", &["where", "atMost"], faults) else {
            is_whole = false;
            continue;
        };
        let conditions = one
            .need("where", "where: 'route=\"/export\"'")
            .and_then(|node| conditions(node, "where", faults));
        let at_most = one.need_parsed("atMost", "atMost: 10s", codes::DURATION, values::seconds);
        let (Some(conditions), Some(at_most)) = (conditions, at_most) else {
            is_whole = false;
            continue;
        };
        let Located { value, place } = conditions;
        if let Some(fixed) = excluded(&series.value, &value) {
            faults.add(
                Diagnostic::error(
                    codes::NEVER_MATCHES,
                    format!(
                        "`where` never matches, since `histogram` has only {}={:?}",
                        fixed.label, fixed.value
                    ),
                )
                .at(&place)
                .related(&series.place, "fixed here")
                .help("remove the override, or compare another label"),
            );
        } else if left
            .iter()
            .all(|it| it.narrowed(value.iter().cloned()).is_none())
        {
            faults.add(
                Diagnostic::error(
                    codes::NEVER_MATCHES,
                    "this override never counts: those before it take all that it selects",
                )
                .at(&place)
                .help("the first override that matches counts; remove this one, or put it first"),
            );
        }
        left = left.iter().flat_map(|it| it.except(&value)).collect();
        overrides.push(Override {
            conditions: value,
            at_most: at_most.value,
        });
    }
    is_whole.then_some(overrides)
}

/// The selector of the series of `histogram`: of classic ones, of their buckets.
fn named(histogram: &Located<Selector>, kind: HistogramKind, faults: &Faults) -> Option<Selector> {
    let selector = &histogram.value;
    let suffix = ["_bucket", "_count", "_sum"]
        .into_iter()
        .find(|suffix| selector.metric.ends_with(suffix));
    if let Some(suffix) = suffix {
        faults.add(
            Diagnostic::error(
                codes::METRIC,
                format!("a histogram is named without `{suffix}`"),
            )
            .at(&histogram.place)
            .help(format!(
                "write {}",
                selector.metric.trim_end_matches(suffix)
            )),
        );
        return None;
    }
    if selector
        .matchers
        .iter()
        .any(|matcher| matcher.label == "le")
    {
        faults.add(
            Diagnostic::error(codes::METRIC, "`le` is chosen by `atMost`")
                .at(&histogram.place)
                .help("remove the condition on le"),
        );
        return None;
    }
    let metric = match kind {
        HistogramKind::Classic => format!("{}_bucket", selector.metric),
        HistogramKind::Native => selector.metric.clone(),
    };
    Some(Selector::new(metric, selector.matchers.clone()))
}
