//! Indicators: how good and bad are told apart, over the four golden signals.

mod events;

use super::selector::Selector;
use super::slices::Sliced;
use super::time::Span;

pub use events::{Events, Histogram, HistogramKind, Override, Probe, Threshold};

/// What an indicator measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// How long things take.
    Latency,
    /// How much is asked for.
    Traffic,
    /// How much of it fails.
    Errors,
    /// How full things are.
    Saturation,
}

impl Signal {
    /// The name used in definitions, in the API and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Traffic => "traffic",
            Self::Errors => "errors",
            Self::Saturation => "saturation",
        }
    }
}

/// What the budget is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Budgeting {
    /// Every event counts.
    Occurrences,
    /// Every slice of time of this length is good or bad.
    Timeslices(Span),
}

/// How good and bad are told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Indicator {
    /// Events, some of which failed.
    Errors(Events),
    /// Events, some of which took too long.
    Latency(Events),
    /// Slices of time, each good or bad as a whole.
    Slices(Sliced),
    /// Any PromQL, approximate. `$window` stands for `window` in both texts.
    Query {
        /// All events of `$window`.
        total: String,
        /// Which of them failed, or did not.
        split: Split<String>,
        /// What `$window` stands for.
        window: Span,
    },
}

/// Whether the bad or the good events are counted; the others are the rest of the total.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Split<T> {
    /// The bad ones are counted.
    Bad(T),
    /// The good ones are counted.
    Good(T),
}

impl<T> Split<T> {
    /// What is counted, bad or good.
    pub const fn counted(&self) -> &T {
        match self {
            Self::Bad(it) | Self::Good(it) => it,
        }
    }
}

/// How several values of one group become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// All added up.
    Sum,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The mean.
    Avg,
}

impl Indicator {
    /// The golden signal that this indicator measures; a query counts as errors.
    pub const fn signal(&self) -> Signal {
        match self {
            Self::Errors(_) | Self::Query { .. } => Signal::Errors,
            Self::Latency(_) => Signal::Latency,
            Self::Slices(sliced) => sliced.judge.signal(),
        }
    }

    /// The events that it counts, one by one or to judge slices by them.
    pub const fn events(&self) -> Option<&Events> {
        match self {
            Self::Errors(events) | Self::Latency(events) => Some(events),
            Self::Slices(sliced) => sliced.judge.events(),
            Self::Query { .. } => None,
        }
    }

    /// The selectors that groups are found by: of all events, or of what slices are judged by. None of
    /// PromQL, and of gauges with a limit only what is used of it.
    pub fn everything(&self) -> Vec<&Selector> {
        match (self.events(), self) {
            (Some(events), _) => events.everything(),
            (None, Self::Slices(sliced)) => sliced.judge.series().into_iter().collect(),
            (None, _) => Vec::new(),
        }
    }

    /// What the budget of this indicator is made of.
    pub const fn budgeting(&self) -> Budgeting {
        match self {
            Self::Errors(_) | Self::Latency(_) | Self::Query { .. } => Budgeting::Occurrences,
            Self::Slices(sliced) => Budgeting::Timeslices(sliced.slice),
        }
    }

    /// Whether the counts are estimates rather than events really seen: those of a query, and those
    /// that lie in the same bucket of a native histogram as the threshold.
    pub const fn is_approximate(&self) -> bool {
        match self.events() {
            Some(events) => events.is_interpolated(),
            None => self.is_query(),
        }
    }

    /// Whether it is made of PromQL that the source evaluates.
    pub const fn is_query(&self) -> bool {
        match self {
            Self::Errors(_) | Self::Latency(_) => false,
            Self::Slices(sliced) => sliced.judge.is_query(),
            Self::Query { .. } => true,
        }
    }
}
