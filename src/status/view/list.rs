//! Lists: items with the age of what they show, so that a dead engine does not look healthy.

use serde::{Deserialize, Serialize};

use super::super::freshness::Freshness;
use super::scalar::{Count, Time};

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListView<T> {
    /// The tick that is shown; `null` before the first one.
    pub at: Option<Time>,
    /// How long ago that was.
    pub tick_age_seconds: Option<Count>,
    /// Whether more than three ticks are missing, or there was none yet.
    pub stale: bool,
    /// The items of this page.
    pub items: Vec<T>,
    /// The `cursor` of the next page; `null` on the last one.
    pub next: Option<String>,
}

impl<T> ListView<T> {
    /// A page as it looks at the moment of `freshness`.
    pub fn new(freshness: Freshness, items: Vec<T>, next: Option<String>) -> Self {
        Self {
            at: freshness.at.map(Time),
            tick_age_seconds: freshness.age.map(|age| Count(age.as_secs_f64())),
            stale: freshness.stale,
            items,
            next,
        }
    }
}
