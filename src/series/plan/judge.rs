//! What slices of time are judged by: which series, and which bounds.

use crate::domain::decimal::Fraction;
use crate::domain::indicator::Aggregate;
use crate::domain::quantity::TimeUnit;
use crate::domain::slices::{BadWhen, WithinSlice};
use crate::domain::slot::Counts;
use crate::domain::time::Span;
use crate::series::slices::Limit;

use super::{FamilyIndex, SelectorPosition, Towards};

/// What a slice is judged by.
#[derive(Debug)]
pub enum Judge {
    /// The rate of counters.
    Rate {
        /// The counters.
        total: Read,
        /// In events per second.
        limit: Limit,
    },
    /// The rate of counters against the median of what it was in earlier periods.
    Drop {
        /// The counters.
        total: Read,
        /// The same in each of the periods, as if it were now.
        past: Vec<Read>,
        /// The share of the median that must be left.
        kept: f64,
    },
    /// The share of the slice's own events that were bad.
    Events {
        /// What is added up.
        terms: Vec<TermRead>,
        /// The share of them that may be bad.
        allowance: Fraction,
    },
    /// Probers that work or do not, slot by slot.
    Probe {
        /// The probers.
        probers: Read,
        /// How many of them make a slot bad; without it each sample is an event.
        quorum: Option<BadWhen>,
        /// The width of a slot.
        slot: Span,
        /// The share of the events of a slice that may be bad; without it the slots count as they are.
        allowance: Option<Fraction>,
    },
    /// What groups of gauges use of their limits.
    Share {
        /// What is used.
        used: GaugeRead,
        /// What there is.
        limit: GaugeRead,
        /// The labels of a group.
        by: Vec<String>,
        /// The share that may be used.
        at_most: f64,
        /// How many groups make a slice bad.
        bad_when: BadWhen,
    },
    /// Groups of gauges against a threshold.
    Level {
        /// The gauges.
        gauge: GaugeRead,
        /// The labels of a group; each series by itself without them.
        by: Option<Vec<String>>,
        /// In the unit of the gauges.
        limit: Limit,
        /// Whether they are quantiles, which are no number while there is nothing to measure.
        of_events: bool,
        /// Which samples of a slice count.
        within: WithinSlice,
        /// How many groups make a slice bad.
        bad_when: BadWhen,
    },
    /// How long ago timestamps are.
    Age {
        /// The timestamps.
        gauge: GaugeRead,
        /// The labels of a group; each series by itself without them.
        by: Option<Vec<String>>,
        /// What the timestamps count in.
        unit: TimeUnit,
        /// Seconds.
        at_most: f64,
        /// How many groups make a slice bad.
        bad_when: BadWhen,
    },
    /// The values of an expression against a threshold.
    Value {
        /// The expression.
        family: FamilyIndex,
        /// In the unit of the values.
        limit: Limit,
        /// How many series make a slice bad.
        bad_when: BadWhen,
    },
    /// The error ratio that an expression gives.
    Ratio {
        /// The expression.
        family: FamilyIndex,
    },
}

/// Where series are read.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// The family.
    pub family: FamilyIndex,
    /// Which of its series.
    pub selector: SelectorPosition,
}

/// Where counters are read that are a part of a sum.
#[derive(Clone, Copy, Debug)]
pub struct TermRead {
    /// The counters.
    pub read: Read,
    /// What one event of them adds.
    pub weight: Counts,
    /// What they count as.
    pub towards: Towards,
    /// Which threshold they are about, where they are of a histogram.
    pub threshold: Option<u16>,
}

/// Where a gauge is read and how a group becomes one value.
#[derive(Clone, Copy, Debug)]
pub struct GaugeRead {
    /// The series.
    pub read: Read,
    /// How a group becomes one value.
    pub aggregate: Aggregate,
}

impl Judge {
    /// The families whose samples are needed, the one that is told of first.
    pub fn families(&self) -> Vec<FamilyIndex> {
        match self {
            Self::Rate { total, .. } => vec![total.family],
            Self::Drop { total, past, .. } => {
                let past = past.iter().map(|read| read.family);
                [total.family].into_iter().chain(past).collect()
            }
            Self::Events { terms, .. } => {
                let mut families: Vec<FamilyIndex> = Vec::new();
                for term in terms {
                    if !families.contains(&term.read.family) {
                        families.push(term.read.family);
                    }
                }
                families
            }
            Self::Probe { probers, .. } => vec![probers.family],
            Self::Share { used, limit, .. } => vec![used.read.family, limit.read.family],
            Self::Level { gauge, .. } | Self::Age { gauge, .. } => vec![gauge.read.family],
            Self::Value { family, .. } | Self::Ratio { family } => vec![*family],
        }
    }

    /// Where series are read; nowhere by those that take all that an expression gives.
    pub fn reads(&self) -> Vec<Read> {
        match self {
            Self::Rate { total, .. } => vec![*total],
            Self::Drop { total, past, .. } => [*total].into_iter().chain(past.clone()).collect(),
            Self::Events { terms, .. } => terms.iter().map(|term| term.read).collect(),
            Self::Probe { probers, .. } => vec![*probers],
            Self::Share { used, limit, .. } => vec![used.read, limit.read],
            Self::Level { gauge, .. } | Self::Age { gauge, .. } => vec![gauge.read],
            Self::Value { .. } | Self::Ratio { .. } => Vec::new(),
        }
    }

    /// Whether its values are valid for a while after their samples, or made of several of them.
    pub const fn looks_back(&self) -> bool {
        match self {
            Self::Rate { .. }
            | Self::Drop { .. }
            | Self::Events { .. }
            | Self::Probe { .. }
            | Self::Share { .. }
            | Self::Level { .. }
            | Self::Age { .. } => true,
            Self::Value { .. } | Self::Ratio { .. } => false,
        }
    }
}
