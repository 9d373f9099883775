//! How good and bad are told apart, in the selectors that are asked for.

use serde::{Deserialize, Serialize};

use crate::domain::indicator::{Events, Histogram, HistogramKind, Indicator, Split};
use crate::domain::selector::Selector;
use crate::domain::slices::Judge;
use crate::domain::time::Span;
use crate::promql::{conditions_text, selector_text};

use super::super::names::Role;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SelectorView {
    /// What its series stand for.
    pub role: Role,
    /// The selector, or the whole query, in PromQL.
    pub query: String,
    /// How long an event of them may take, in seconds, as it was written; only of histograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<String>,
    /// Whether events in the same bucket as the threshold are interpolated rather than counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interpolated: bool,
}

impl SelectorView {
    fn new(role: Role, query: String) -> Self {
        Self {
            role,
            query,
            at_most: None,
            interpolated: false,
        }
    }
}

/// The selectors of `indicator`, the total first; of a list each by itself.
pub(super) fn selectors(indicator: &Indicator) -> Vec<SelectorView> {
    let view = |role, selector: &Selector| SelectorView::new(role, selector_text(selector));
    match indicator {
        Indicator::Errors(events) | Indicator::Latency(events) => of_events(events),
        Indicator::Slices(sliced) => match &sliced.judge {
            Judge::Rate { total, .. } | Judge::Drop { total, .. } => {
                vec![view(Role::Total, total)]
            }
            Judge::Events { events, .. } => of_events(events),
            Judge::Share { used, limit, .. } => vec![
                view(Role::Used, &used.series),
                view(Role::Limit, &limit.series),
            ],
            Judge::Level { level, .. } => vec![view(Role::Gauge, &level.gauge.series)],
            Judge::Quantile { quantile, .. } => vec![view(Role::Quantile, quantile)],
            Judge::Age { timestamp, .. } => vec![view(Role::Timestamp, &timestamp.gauge.series)],
            Judge::Value { query, window, .. } => vec![evaluated(Role::Value, query, *window)],
            Judge::Ratio { query, window } => vec![evaluated(Role::Ratio, query, *window)],
        },
        Indicator::Query {
            total,
            split,
            window,
        } => vec![
            evaluated(Role::Total, total, *window),
            evaluated(role(split), split.counted(), *window),
        ],
    }
}

/// A query as it is sent.
fn evaluated(role: Role, text: &str, window: Span) -> SelectorView {
    SelectorView::new(role, text.replace("$window", &window.to_string()))
}

fn of_events(events: &Events) -> Vec<SelectorView> {
    let views = |role, selectors: &[Selector]| -> Vec<SelectorView> {
        let view = |it: &Selector| SelectorView::new(role, selector_text(it));
        selectors.iter().map(view).collect()
    };
    match events {
        Events::OfTotal { total, split } => [
            views(Role::Total, total),
            views(role(split), split.counted()),
        ]
        .concat(),
        Events::GoodAndBad { good, bad } => {
            [views(Role::Good, good), views(Role::Bad, bad)].concat()
        }
        Events::Histogram(histogram) => of_histogram(histogram),
        Events::Probe(probe) => vec![SelectorView::new(Role::Probe, selector_text(&probe.series))],
    }
}

/// Each threshold with its series.
fn of_histogram(histogram: &Histogram) -> Vec<SelectorView> {
    let written = histogram.overrides.iter().map(|it| it.at_most);
    let written = written.chain([histogram.at_most]);
    let mut views = Vec::new();
    for (at_most, threshold) in written.zip(histogram.thresholds()) {
        let view = |selector: &Selector| SelectorView {
            at_most: Some(at_most.to_string()),
            interpolated: histogram.kind == HistogramKind::Native,
            ..SelectorView::new(Role::Histogram, selector_text(selector))
        };
        views.extend(threshold.selectors.iter().map(view));
    }
    views
}

/// The limits of a histogram in words: `0.3 s, or 10 s where route="/export"`.
pub fn limits(histogram: &Histogram) -> String {
    let overrides = histogram.overrides.iter().map(|it| {
        let place = conditions_text(&it.conditions);
        format!(", or {} s where {place}", it.at_most)
    });
    let own = format!("{} s", histogram.at_most);
    std::iter::once(own).chain(overrides).collect()
}

const fn role<T>(split: &Split<T>) -> Role {
    match split {
        Split::Bad(_) => Role::Bad,
        Split::Good(_) => Role::Good,
    }
}
