//! Events that are counted: which series tell of them, and which of them are bad.

use super::super::decimal::Decimal;
use super::super::selector::Selector;
use super::Split;

/// How events are counted, and good and bad told apart. Of several selectors the events are added
/// up; a list of them is never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Events {
    /// Counters of all events and of the bad (or the good) among them.
    OfTotal {
        /// All events.
        total: Vec<Selector>,
        /// Which of them failed, or did not.
        split: Split<Vec<Selector>>,
    },
    /// Counters of the good and of the bad events; all events are both together.
    GoodAndBad {
        /// The good ones.
        good: Vec<Selector>,
        /// The bad ones.
        bad: Vec<Selector>,
    },
    /// A classic histogram and a threshold that is one of its boundaries.
    Histogram {
        /// The `_bucket` series, without a matcher on `le`.
        buckets: Selector,
        /// The boundary, in the histogram's own unit.
        at_most: Decimal,
    },
}

impl Events {
    /// The selectors that all events are found by.
    pub fn everything(&self) -> Vec<&Selector> {
        match self {
            Self::OfTotal { total, .. } => total.iter().collect(),
            Self::GoodAndBad { good, bad } => good.iter().chain(bad).collect(),
            Self::Histogram { buckets, .. } => vec![buckets],
        }
    }
}
