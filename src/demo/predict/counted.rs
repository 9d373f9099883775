//! What one objective counts by the closed form: the services' own counters, not the daemon's.

use std::collections::HashMap;

use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};
use crate::series::plan::{Judge, Lane, Read, TermRead};

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
        let plan = &self.seer.plan;
        for (index, family) in plan.families.iter().enumerate() {
            if !plan
                .lanes_of(index)
                .iter()
                .any(|(meter, _)| *meter == self.meter)
            {
                continue;
            }
            for series in self.seer.world.series_of(family.metric()) {
                let edges = plan.roll(index).edges_of((&**series.labels).into());
                for edge in edges.filter(|edge| edge.meter == self.meter) {
                    sum = sum.plus(edge.weight.times(series.at(self.faults, at)));
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
            Lane::Slices(lane) => self.is_bad(&lane.judge, end, slice),
            Lane::Counters { .. } | Lane::Points { .. } => false,
        };
        let counts = Counts {
            bad: f64::from(u8::from(bad)),
            total: 1.0,
        };
        self.known.insert(end, counts);
        counts
    }

    /// Whether a slice is bad. Each of the demo's limits, gauges and timestamps has one group.
    fn is_bad(&self, judge: &Judge, end: Timestamp, slice: Span) -> bool {
        let rate = |read: &Read| {
            let events = |at| self.sum(*read, at);
            (events(end) - events(end - slice)) / slice.as_secs_f64()
        };
        match judge {
            Judge::Rate { total, limit } => limit.is_broken_by(rate(total)),
            Judge::Drop { total, past, kept } => {
                let mut past: Vec<f64> = past.iter().map(rate).collect();
                past.sort_unstable_by(f64::total_cmp);
                let usual = past.get(past.len() / 2).copied().unwrap_or_default();
                rate(total) < usual * kept
            }
            Judge::Events { terms, allowance } => {
                let of = |term: &TermRead| {
                    let events = |at| self.sum(term.read, at);
                    term.weight.times(events(end) - events(end - slice))
                };
                let sum = terms.iter().map(of).reduce(Counts::plus);
                sum.is_some_and(|events| events.exceeds(*allowance))
            }
            Judge::Probe { probers, .. } => self.sum(*probers, end) < 1.0,
            Judge::Share {
                used,
                limit,
                at_most,
                ..
            } => self.sum(used.read, end) / self.sum(limit.read, end) > *at_most,
            Judge::Level { gauge, limit, .. } => limit.is_broken_by(self.sum(gauge.read, end)),
            Judge::Age {
                gauge,
                unit,
                at_most,
                ..
            } => {
                let told = self.sum(gauge.read, end) / unit.per_second();
                Span::from_millis(end.as_millis()).as_secs_f64() - told > *at_most
            }
            Judge::Value { .. } | Judge::Ratio { .. } => false,
        }
    }

    /// The sum of the series that are read, as they were so long before as their family stands for.
    fn sum(&self, Read { family, selector }: Read, at: Timestamp) -> f64 {
        let family = &self.seer.plan.families[family];
        let at = at - family.ago;
        let all = self.seer.world.series_of(family.metric());
        let selected = all.filter(|series| {
            family
                .selectors
                .matching(&**series.labels)
                .contains(&selector)
        });
        selected.map(|series| series.at(self.faults, at)).sum()
    }
}
