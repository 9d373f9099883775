//! Events that are counted: which series tell of them, and which of them are bad.

use super::super::decimal::Decimal;
use super::super::quantity::TimeUnit;
use super::super::selector::{Matcher, Selector};
use super::super::slices::BadWhen;
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
    /// A histogram and how long an event may take.
    Histogram(Histogram),
    /// Gauges that are 1 when something works and 0 when it does not.
    Probe(Probe),
}

impl Events {
    /// The histogram that they are read from, if it is one.
    pub const fn histogram(&self) -> Option<&Histogram> {
        match self {
            Self::Histogram(histogram) => Some(histogram),
            Self::OfTotal { .. } | Self::GoodAndBad { .. } | Self::Probe(_) => None,
        }
    }

    /// Whether some of the events are interpolated rather than counted.
    pub const fn is_interpolated(&self) -> bool {
        match self {
            Self::Histogram(histogram) => matches!(histogram.kind, HistogramKind::Native),
            Self::OfTotal { .. } | Self::GoodAndBad { .. } | Self::Probe(_) => false,
        }
    }

    /// The selectors that all events are found by.
    pub fn everything(&self) -> Vec<&Selector> {
        match self {
            Self::OfTotal { total, .. } => total.iter().collect(),
            Self::GoodAndBad { good, bad } => good.iter().chain(bad).collect(),
            Self::Histogram(histogram) => vec![&histogram.series],
            Self::Probe(probe) => vec![&probe.series],
        }
    }
}

/// Probes, and what their samples are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// The gauges, one for each prober.
    pub series: Selector,
    /// How many of the probers make a slot bad, each by its last valid value. Without it every
    /// sample is an event of its own.
    pub quorum: Option<BadWhen>,
}

/// A histogram, and the thresholds above which its events are bad.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Histogram {
    /// How its buckets come.
    pub kind: HistogramKind,
    /// Of classic histograms the `_bucket` series, without a matcher on `le`.
    pub series: Selector,
    /// What its boundaries count in.
    pub unit: TimeUnit,
    /// The threshold, in seconds.
    pub at_most: Decimal,
    /// Other thresholds for some of the series; the first whose conditions hold counts.
    pub overrides: Vec<Override>,
}

/// How the buckets of a histogram come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HistogramKind {
    /// As a series each; a threshold is the boundary of one of them.
    Classic,
    /// All in one sample, with boundaries that nobody chose: events up to a threshold within a
    /// bucket are interpolated.
    Native,
}

/// A threshold for those series of a histogram for which some conditions hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Override {
    /// All must hold.
    pub conditions: Vec<Matcher>,
    /// The threshold, in seconds.
    pub at_most: Decimal,
}

/// A threshold and the series for which it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// In the histogram's own unit.
    pub at_most: Decimal,
    /// No two of them have a series in common, nor with those of another threshold.
    pub selectors: Vec<Selector>,
}

impl Histogram {
    /// All thresholds, each with its part of the series: the overrides in their order, then what is
    /// left to the histogram's own.
    pub fn thresholds(&self) -> Vec<Threshold> {
        let mut left = vec![self.series.clone()];
        let mut thresholds = Vec::new();
        for Override {
            conditions,
            at_most,
        } in &self.overrides
        {
            let taken = left
                .iter()
                .filter_map(|it| it.narrowed(conditions.iter().cloned()));
            thresholds.push(Threshold {
                at_most: self.unit.of_seconds(*at_most),
                selectors: taken.collect(),
            });
            left = left.iter().flat_map(|it| it.except(conditions)).collect();
        }
        thresholds.push(Threshold {
            at_most: self.unit.of_seconds(self.at_most),
            selectors: left,
        });
        thresholds
    }
}
