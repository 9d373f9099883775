//! Slices of time that are good or bad as a whole: what they are judged by, and by which bounds.

use super::decimal::{Decimal, Fraction};
use super::indicator::{Aggregate, Events, Signal};
use super::quantity::{Bound, Breach, Quantity, TimeUnit, Unit};
use super::selector::Selector;
use super::time::Span;

/// An indicator that judges slices of time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sliced {
    /// What a slice is judged by.
    pub judge: Judge,
    /// The length of a slice.
    pub slice: Span,
    /// What a slice is of which the source holds nothing.
    pub missing: MissingData,
}

/// What a slice of which the source holds nothing counts as. A source that could not be read is
/// another matter: what it holds is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MissingData {
    /// Nothing: the slice is unknown.
    #[default]
    Hold,
    /// A good slice.
    Good,
    /// A bad slice.
    Bad,
}

/// What a slice is judged by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Judge {
    /// Traffic: the rate of counters.
    Rate {
        /// All events.
        total: Selector,
        /// In events per second.
        bound: Bound,
    },
    /// Traffic: the rate of counters against the median of the same slice in earlier periods.
    Drop {
        /// All events.
        total: Selector,
        /// The share of the median that may be missing, 0..1.
        at_most: Fraction,
        /// How long ago the slices are that it is compared with.
        compared_to: Vec<Span>,
    },
    /// Errors or latency: the share of the slice's own events that were good.
    Events {
        /// The events.
        events: Events,
        /// What they tell of.
        signal: Signal,
        /// The share of them that must be good, over 0 and up to 1.
        good: Fraction,
    },
    /// Saturation: what groups use of their limits at the slice's end.
    Share {
        /// What is used.
        used: Gauge,
        /// What there is.
        limit: Gauge,
        /// The labels on which both are grouped and joined.
        by: Vec<String>,
        /// The share of the limit that may be used.
        at_most: Fraction,
        /// How many groups make a slice bad.
        bad_when: BadWhen,
    },
    /// Saturation: gauges without a limit of their own.
    Level {
        /// What is looked at.
        level: Grouped,
        /// In the gauge's own unit.
        bound: Bound,
        /// Which of a slice's samples count.
        within: WithinSlice,
        /// How many groups make a slice bad.
        bad_when: BadWhen,
    },
    /// Latency: a gauge of a time, such as a quantile of a summary, at the slice's end.
    Quantile {
        /// The series.
        quantile: Selector,
        /// What a time may be, in seconds.
        at_most: Decimal,
        /// What the series count in.
        unit: TimeUnit,
        /// How many series make a slice bad.
        bad_when: BadWhen,
    },
    /// Latency of data: how long ago a timestamp is at the slice's end.
    Age {
        /// When something was last done, since 1970.
        timestamp: Grouped,
        /// What the series count in.
        unit: TimeUnit,
        /// How old it may be, in seconds.
        at_most: Decimal,
        /// How many groups make a slice bad.
        bad_when: BadWhen,
    },
    /// Any PromQL, evaluated at the slice's end. `$window` stands for `window` in the text.
    Value {
        /// What gives the value.
        query: String,
        /// What `$window` stands for.
        window: Span,
        /// In the value's own unit.
        bound: Bound,
        /// How many series make a slice bad.
        bad_when: BadWhen,
    },
    /// PromQL for an error ratio, 0..1, at the slice's end: each slice weighs the same, whatever
    /// happened in it, and is as bad as the ratio says.
    Ratio {
        /// What gives the ratio.
        query: String,
        /// What `$window` stands for.
        window: Span,
    },
}

impl Judge {
    /// The golden signal; a query counts as errors.
    pub const fn signal(&self) -> Signal {
        match self {
            Self::Rate { .. } | Self::Drop { .. } => Signal::Traffic,
            Self::Events { signal, .. } => *signal,
            Self::Share { .. } | Self::Level { .. } => Signal::Saturation,
            Self::Quantile { .. } | Self::Age { .. } => Signal::Latency,
            Self::Value { .. } | Self::Ratio { .. } => Signal::Errors,
        }
    }

    /// The events whose share it judges, if it does.
    pub const fn events(&self) -> Option<&Events> {
        match self {
            Self::Events { events, .. } => Some(events),
            Self::Rate { .. }
            | Self::Drop { .. }
            | Self::Share { .. }
            | Self::Level { .. }
            | Self::Quantile { .. }
            | Self::Age { .. }
            | Self::Value { .. }
            | Self::Ratio { .. } => None,
        }
    }

    /// The series that it judges: counters or gauges. `None` of events, which have several, and of PromQL.
    pub const fn series(&self) -> Option<&Selector> {
        match self {
            Self::Rate { total, .. } | Self::Drop { total, .. } => Some(total),
            Self::Share { used, .. } => Some(&used.series),
            Self::Level { level, .. } => Some(&level.gauge.series),
            Self::Quantile { quantile, .. } => Some(quantile),
            Self::Age { timestamp, .. } => Some(&timestamp.gauge.series),
            Self::Events { .. } | Self::Value { .. } | Self::Ratio { .. } => None,
        }
    }

    /// How its threshold is broken.
    pub const fn breach(&self) -> Option<Breach> {
        match self {
            Self::Rate { bound, .. } | Self::Level { bound, .. } | Self::Value { bound, .. } => {
                Some(match bound {
                    Bound::AtMost(_) => Breach::Above,
                    Bound::AtLeast(_) => Breach::Below,
                })
            }
            Self::Drop { .. } => Some(Breach::Dropped),
            Self::Share { .. } => Some(Breach::OverLimit),
            Self::Quantile { .. } => Some(Breach::Above),
            Self::Age { .. } => Some(Breach::Older),
            Self::Events { .. } | Self::Ratio { .. } => None,
        }
    }

    /// Its threshold, as people write it.
    pub fn threshold(&self) -> Option<Quantity> {
        let (value, unit) = match self {
            Self::Rate { bound, .. } | Self::Level { bound, .. } | Self::Value { bound, .. } => {
                return Some(bound.quantity());
            }
            Self::Drop { at_most, .. } | Self::Share { at_most, .. } => (*at_most, Unit::Percent),
            Self::Quantile { at_most, .. } | Self::Age { at_most, .. } => {
                (at_most.fraction(), Unit::Time)
            }
            Self::Events { .. } | Self::Ratio { .. } => return None,
        };
        Some(Quantity { value, unit })
    }

    /// Whether it is PromQL that the source evaluates.
    pub const fn is_query(&self) -> bool {
        matches!(self, Self::Value { .. } | Self::Ratio { .. })
    }
}

/// A gauge and how several series of one group become one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gauge {
    /// The series.
    pub series: Selector,
    /// How the series of one group are put together.
    pub aggregate: Aggregate,
}

/// A gauge whose series are judged in groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grouped {
    /// The gauge.
    pub gauge: Gauge,
    /// The labels that tell groups apart; `None` where each series is a group of its own.
    pub by: Option<Vec<String>>,
}

/// Which of a slice's samples count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WithinSlice {
    /// The last one, as long as it is valid.
    #[default]
    Last,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The mean of all.
    Avg,
}

/// How many of the groups that are known make a slice bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadWhen {
    /// At least so many.
    Count(u32),
    /// At least this share of them, over 0 and up to 1.
    Share(Fraction),
}

impl BadWhen {
    /// Any of them.
    pub const ANY: Self = Self::Count(1);

    /// Whether a slice is bad of which `bad` of `known` groups are; unknown without any.
    pub fn judges(self, bad: u32, known: u32) -> Option<bool> {
        let is_bad = match self {
            Self::Count(least) => bad >= least,
            Self::Share(least) => {
                bad > 0
                    && i128::from(bad) * least.denominator()
                        >= i128::from(known) * least.numerator()
            }
        };
        (known > 0).then_some(is_bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_bad_when_enough_groups_are() {
        let tenth = BadWhen::Share(Fraction::new(1, 10));
        for (when, bad, known, expected) in [
            (BadWhen::ANY, 0, 0, None),
            (BadWhen::ANY, 0, 5, Some(false)),
            (BadWhen::ANY, 1, 5, Some(true)),
            (BadWhen::Count(2), 1, 5, Some(false)),
            (BadWhen::Count(2), 2, 5, Some(true)),
            (BadWhen::Count(2), 1, 1, Some(false)),
            (tenth, 0, 5, Some(false)),
            (tenth, 1, 10, Some(true)),
            (tenth, 1, 11, Some(false)),
            (tenth, 2, 11, Some(true)),
            (BadWhen::Share(Fraction::ONE), 4, 5, Some(false)),
            (BadWhen::Share(Fraction::ONE), 5, 5, Some(true)),
        ] {
            assert_eq!(when.judges(bad, known), expected, "{when:?} {bad}/{known}");
        }
    }
}
