//! How good and bad are told apart, in the selectors that are asked for.

use serde::{Deserialize, Serialize};

use crate::domain::indicator::{Events, Indicator, Split};
use crate::domain::selector::Selector;
use crate::domain::slices::Judge;
use crate::domain::time::Span;
use crate::promql::selector_text;

use super::names::Role;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SelectorView {
    /// What its series stand for.
    pub role: Role,
    /// The selector, or the whole query, in PromQL.
    pub query: String,
}

/// The selectors of `indicator`, the total first; of a list each by itself.
pub(super) fn selectors(indicator: &Indicator) -> Vec<SelectorView> {
    let view = |role, selector: &Selector| SelectorView {
        role,
        query: selector_text(selector),
    };
    let views = |role, selectors: &[Selector]| -> Vec<SelectorView> {
        selectors.iter().map(|it| view(role, it)).collect()
    };
    match indicator {
        Indicator::Errors(events) | Indicator::Latency(events) => match events {
            Events::OfTotal { total, split } => [
                views(Role::Total, total),
                views(role(split), split.counted()),
            ]
            .concat(),
            Events::GoodAndBad { good, bad } => {
                [views(Role::Good, good), views(Role::Bad, bad)].concat()
            }
            Events::Histogram { buckets, .. } => vec![view(Role::Histogram, buckets)],
        },
        Indicator::Slices(sliced) => match &sliced.judge {
            Judge::Rate { total, .. } | Judge::Drop { total, .. } => {
                vec![view(Role::Total, total)]
            }
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
    SelectorView {
        role,
        query: text.replace("$window", &window.to_string()),
    }
}

const fn role<T>(split: &Split<T>) -> Role {
    match split {
        Split::Bad(_) => Role::Bad,
        Split::Good(_) => Role::Good,
    }
}
