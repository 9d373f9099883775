//! How good and bad are told apart, in the selectors that are asked for.

use serde::{Deserialize, Serialize};

use crate::domain::indicator::{Indicator, Split};
use crate::domain::selector::Selector;
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

/// The selectors of `indicator`, the total first.
pub(super) fn selectors(indicator: &Indicator) -> Vec<SelectorView> {
    let view = |role, selector: &Selector| SelectorView {
        role,
        query: selector_text(selector),
    };
    match indicator {
        Indicator::Errors { total, split } => {
            vec![view(Role::Total, total), view(role(split), split.counted())]
        }
        Indicator::Latency { buckets, .. } => vec![view(Role::Histogram, buckets)],
        Indicator::Traffic { total, .. } => vec![view(Role::Total, total)],
        Indicator::Saturation { used, limit, .. } => vec![
            view(Role::Used, &used.series),
            view(Role::Limit, &limit.series),
        ],
        Indicator::Query {
            total,
            split,
            window,
        } => {
            let view = |role, text: &str| SelectorView {
                role,
                query: text.replace("$window", &window.to_string()),
            };
            vec![view(Role::Total, total), view(role(split), split.counted())]
        }
    }
}

const fn role<T>(split: &Split<T>) -> Role {
    match split {
        Split::Bad(_) => Role::Bad,
        Split::Good(_) => Role::Good,
    }
}
