//! What one objective counts by the closed form: the services' own counters, not the daemon's.

use std::collections::HashMap;

use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};
use crate::series::plan::Lane;

use super::Seer;
use crate::demo::world::fault::Fault;

/// What one objective counts by the closed form, remembered by time.
pub(super) struct Counted<'a> {
    seer: &'a Seer,
    meter: usize,
    faults: &'a [Fault],
    known: HashMap<Timestamp, Counts>,
}

impl<'a> Counted<'a> {
    pub(super) fn new(seer: &'a Seer, meter: usize, faults: &'a [Fault]) -> Self {
        Self {
            seer,
            meter,
            faults,
            known: HashMap::new(),
        }
    }

    /// When anybody began to count.
    pub(super) const fn begun(&self) -> Timestamp {
        self.seer.begun
    }

    /// The counts of `(from, to]`.
    pub(super) fn within(&mut self, (from, to): (Timestamp, Timestamp)) -> Counts {
        let slice = self.seer.plan.meters[self.meter]
            .lanes
            .first()
            .and_then(Lane::slice);
        let Some(slice) = slice else {
            let (before, after) = (self.upto(from), self.upto(to));
            return after.plus(before.times(-1.0));
        };
        let mut sum = Counts::default();
        let mut end = (from + Span::from_millis(1)).ceil_to(slice);
        while end <= to {
            sum = sum.plus(self.slice(end, slice));
            end = end + slice;
        }
        sum
    }

    /// What was counted from the beginning of the world.
    fn upto(&mut self, at: Timestamp) -> Counts {
        if let Some(known) = self.known.get(&at) {
            return *known;
        }
        let mut sum = Counts::default();
        for family in &self.seer.plan.families {
            if !family.roles.iter().any(|role| role.meter == self.meter) {
                continue;
            }
            for series in self.seer.world.series_of(family.name()) {
                let roles = family.roles_of((&**series.labels).into());
                for role in roles.filter(|role| role.meter == self.meter) {
                    sum = sum.plus(role.weight.times(series.at(self.faults, at)));
                }
            }
        }
        self.known.insert(at, sum);
        sum
    }

    /// The slice that ends at `end`: one, bad or not.
    fn slice(&mut self, end: Timestamp, slice: Span) -> Counts {
        if let Some(known) = self.known.get(&end) {
            return *known;
        }
        let bad = match &self.seer.plan.meters[self.meter].lanes[0] {
            Lane::Rate {
                family,
                selector,
                at_least,
                ..
            } => {
                let events = |at| self.sum(*family, *selector, at);
                (events(end) - events(end - slice)) / slice.as_secs_f64() < *at_least
            }
            // Each of the demo's limits has one group.
            Lane::Fullness {
                used,
                limit,
                at_most,
                ..
            } => {
                let share = self.sum(used.family, used.selector, end)
                    / self.sum(limit.family, limit.selector, end);
                share > *at_most
            }
            Lane::Counters { .. } | Lane::Points { .. } => false,
        };
        let counts = Counts {
            bad: f64::from(u8::from(bad)),
            total: 1.0,
        };
        self.known.insert(end, counts);
        counts
    }

    /// The sum of the series that a selector selects.
    fn sum(&self, family: usize, selector: usize, at: Timestamp) -> f64 {
        let family = &self.seer.plan.families[family];
        let all = self.seer.world.series_of(family.name());
        let selected = all.filter(|series| {
            family
                .selectors
                .matching(&**series.labels)
                .contains(&selector)
        });
        selected.map(|series| series.at(self.faults, at)).sum()
    }
}
