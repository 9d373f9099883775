//! Events as sums: which counters are added up, and what each of their events adds.

use crate::domain::indicator::{Events, Split};
use crate::domain::selector::Selector;
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
        Events::Histogram { buckets, at_most } => {
            let total = vec![buckets.refined([boundary::everything()])];
            let good = vec![buckets.refined([boundary::bucket(*at_most)])];
            of_total(&total, &Split::Good(good))
        }
    }
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
    };
    selectors.iter().map(term).collect()
}
