//! Events as sums: which counters are added up, and what each of their events adds.

use crate::domain::indicator::{Events, Histogram, HistogramKind, Split, Threshold};
use crate::domain::selector::{Matcher, Selector};
use crate::domain::slot::Counts;

use super::boundary;
use super::plan::Towards;

/// Counters that are a part of the sums: each of their events adds the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Which counters.
    pub selector: Selector,
    /// What one event of them adds. Where only the good ones are counted, every event counts as bad
    /// and each good one takes one from that.
    pub weight: Counts,
    /// What its series count as.
    pub towards: Towards,
    /// Which threshold it is about, where it is one of a histogram.
    pub threshold: Option<u16>,
}

const ANY: Counts = Counts {
    bad: 0.0,
    total: 1.0,
};
const BAD_OF_ANY: Counts = Counts {
    bad: 1.0,
    total: 0.0,
};
const BAD: Counts = Counts {
    bad: 1.0,
    total: 1.0,
};
const GOOD_OF_BAD: Counts = Counts {
    bad: -1.0,
    total: 0.0,
};

/// The terms of which bad and all events are the sums, those of all events first.
pub fn terms(events: &Events) -> Vec<Term> {
    match events {
        Events::OfTotal { total, split } => of_total(total, split),
        Events::GoodAndBad { good, bad } => {
            [of(good, ANY, Towards::Total), of(bad, BAD, Towards::Part)].concat()
        }
        Events::Histogram(histogram) => of_histogram(histogram),
        // Samples are events there, and no sums.
        Events::Probe(_) => Vec::new(),
    }
}

/// For each threshold the bucket that holds everything, and the one that ends at the threshold.
fn of_histogram(histogram: &Histogram) -> Vec<Term> {
    let mut terms = Vec::new();
    for (number, Threshold { at_most, selectors }) in (0..).zip(histogram.thresholds()) {
        let bucket = match histogram.kind {
            HistogramKind::Classic => boundary::bucket(at_most),
            HistogramKind::Native => boundary::virtual_bucket(at_most),
        };
        let of = |bucket: Matcher| {
            let buckets = selectors.iter().map(|it| it.refined([bucket.clone()]));
            buckets.collect::<Vec<_>>()
        };
        let (total, good) = (of(boundary::everything()), of(bucket));
        let of_threshold = of_total(&total, &Split::Good(good));
        terms.extend(of_threshold.into_iter().map(|term| Term {
            threshold: Some(number),
            ..term
        }));
    }
    terms
}

fn of_total(total: &[Selector], split: &Split<Vec<Selector>>) -> Vec<Term> {
    let (any, part) = match split {
        Split::Bad(_) => (ANY, BAD_OF_ANY),
        Split::Good(_) => (BAD, GOOD_OF_BAD),
    };
    [
        of(total, any, Towards::Total),
        of(split.counted(), part, Towards::Part),
    ]
    .concat()
}

fn of(selectors: &[Selector], weight: Counts, towards: Towards) -> Vec<Term> {
    let term = |selector: &Selector| Term {
        selector: selector.clone(),
        weight,
        towards,
        threshold: None,
    };
    selectors.iter().map(term).collect()
}

/// Of which thresholds series were seen, on which side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SidesSeen {
    totals: u64,
    parts: u64,
}

impl SidesSeen {
    /// Takes note of a series.
    pub fn note(&mut self, towards: Towards, threshold: Option<u16>) {
        let bit = 1 << threshold.unwrap_or_default().min(63);
        match towards {
            Towards::Total => self.totals |= bit,
            Towards::Part => self.parts |= bit,
        }
    }

    /// Takes note of all that another has seen.
    pub const fn merge(&mut self, other: Self) {
        self.totals |= other.totals;
        self.parts |= other.parts;
    }

    /// Whether a series was seen that counts as bad, or as good where those are counted.
    pub const fn has_part(self) -> bool {
        self.parts != 0
    }

    /// The first threshold of which events were seen, and no bucket that ends at it.
    pub const fn lacking(self) -> Option<usize> {
        let lacking = self.totals & !self.parts;
        if lacking == 0 {
            None
        } else {
            Some(lacking.trailing_zeros() as usize)
        }
    }
}
