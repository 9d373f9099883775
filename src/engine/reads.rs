//! What to read at a tick: for each family the range that its cursors and slices need.

use std::collections::BTreeSet;

use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::Fetch;
use crate::series::cursor::validity;
use crate::series::plan::{FamilyIndex, Lane};

use super::settings::LONGEST_READ;
use super::state::State;

/// How far before the counters the first read of processes' starts reaches.
const STARTS_MARGIN: Span = Span::from_mins(5);

/// How far before what is counted samples are read that only tell where each series stands.
pub(super) fn primed_by(interval: Span) -> Span {
    validity(interval).max(STARTS_MARGIN)
}

/// One query to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which family.
    pub family: FamilyIndex,
    /// Which of the family's queries.
    pub query: Query,
    /// Which range.
    pub range: TimeRange,
}

/// One of the queries of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// Samples: one of the queries that bring all of them together.
    Part(usize),
    /// What its counters grew by, as the source sums it up.
    Increases,
    /// How many of its series begin or return.
    Arrivals,
    /// How many series it has.
    Living,
    /// Samples of the targets whose series begin or return.
    Raw(usize),
    /// How many series each target has, of a query that was refused as too much.
    Census(usize),
    /// How often there is a sample.
    Pace,
}

impl State {
    /// Whom to ask, what, and for which range: what stands for earlier periods is asked for there.
    pub fn fetch(&self, wanted: Wanted) -> (&SourceName, &Fetch, TimeRange) {
        let planned = &self.plan.families[wanted.family];
        let query = self.families[wanted.family].fetch(wanted.query);
        let range = planned.asked(wanted.range);
        (&planned.source, query.unwrap_or(&planned.fetch), range)
    }

    /// What to read for each family that was not read up to `at` yet. Ranges that would be longer than
    /// [`LONGEST_READ`] are cut: their families stay behind and need another pass. Where counters
    /// are read, the starts of their processes are read for the same time. What objectives with an
    /// open incident need comes first: where not everybody is answered in time, they are.
    pub fn wanted(&self, at: Timestamp) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = (0..self.families.len())
            .filter_map(|family| {
                let from = self.read_from(family, at)?;
                let to = at.min((from + LONGEST_READ).floor_to(self.settings.slot));
                (to > from).then_some(Wanted {
                    family,
                    query: Query::Part(0),
                    range: TimeRange { from, to },
                })
            })
            .collect();
        for (source, family) in self.plan.starts.iter() {
            let Some(range) = self.counters_range(source, &wanted) else {
                continue;
            };
            let family = *family;
            // At a start, a little more: who was there before, and who was not.
            let margin = if self.starts.contains_key(source) {
                Span::ZERO
            } else {
                STARTS_MARGIN
            };
            let range = TimeRange {
                from: range.from - margin,
                ..range
            };
            match wanted.iter_mut().find(|wanted| wanted.family == family) {
                // Somebody measures by the starts themselves.
                Some(wanted) => wanted.range = wanted.range.hull(range),
                None => wanted.push(Wanted {
                    family,
                    query: Query::Part(0),
                    range,
                }),
            }
        }
        let urgent = self.urgent();
        wanted.sort_by_key(|wanted| !urgent.contains(&wanted.family));
        wanted
            .into_iter()
            .flat_map(|wanted| self.queries(wanted, at))
            .collect()
    }

    /// The families that objectives with an open incident are counted from.
    fn urgent(&self) -> BTreeSet<FamilyIndex> {
        let meters = self.plan.meters.iter().zip(&self.meters);
        let firing = meters.filter(|(_, state)| {
            let mut promises = state.promises.iter();
            promises.any(|promise| promise.alert.incident.is_some())
        });
        firing
            .flat_map(|(planned, _)| planned.lanes.iter())
            .flat_map(Lane::families)
            .collect()
    }

    /// The same for each query of the family.
    fn queries(&self, wanted: Wanted, at: Timestamp) -> Vec<Wanted> {
        let state = &self.families[wanted.family];
        if let Some(pushed) = &state.pushed {
            return pushed.queries(wanted, self.settles(wanted.family, at));
        }
        let parts = 0..state.fetches.queries().len();
        let queries = parts.map(Query::Part);
        queries.map(|query| Wanted { query, ..wanted }).collect()
    }

    /// The time for which counters of a source are to be read.
    fn counters_range(&self, source: &SourceName, wanted: &[Wanted]) -> Option<TimeRange> {
        let counters = wanted.iter().filter(|wanted| {
            let family = &self.plan.families[wanted.family];
            family.source == *source && !family.roles.is_empty()
        });
        let ranges = counters.map(|wanted| wanted.range);
        ranges.reduce(TimeRange::hull)
    }

    /// The start of the read: what the family's own cursors need, or an older slice. `None` when
    /// everything up to `at` was read.
    fn read_from(&self, family: FamilyIndex, at: Timestamp) -> Option<Timestamp> {
        let state = &self.families[family];
        if state.head_to >= Some(at) && state.failure.is_none() {
            return None;
        }
        let mut from: Option<Timestamp> = None;
        if !self.plan.families[family].roles.is_empty() {
            // Where a sample reads differently beside others, the one at the cursor is read again.
            let lookback = if self.plan.families[family].is_interpolated() {
                validity(state.interval)
            } else {
                Span::ZERO
            };
            from = Some(self.counters_from(family, at) - lookback);
        }
        for (meter, lane) in self.plan.lanes_of(family).iter().copied() {
            let start = self.lane_from(meter, lane, at);
            let lookback = match &self.plan.meters[meter].lanes[lane] {
                Lane::Counters { .. } => continue,
                Lane::Slices(slices) if slices.judge.looks_back() => validity(state.interval),
                Lane::Slices(_) | Lane::Points { .. } => Span::ZERO,
            };
            let start = start - lookback;
            from = Some(from.map_or(start, |from| from.min(start)));
        }
        from
    }

    /// Where the cursors of a family need their read to start: at the settled cursor when a block
    /// is to be settled (and at a start), else a scrape before the head, for late samples.
    fn counters_from(&self, family: FamilyIndex, at: Timestamp) -> Timestamp {
        let state = &self.families[family];
        let settled_to = self.settled_to(family, at);
        let source = &self.plan.families[family].source;
        if !self.settings.replica_labels(source).is_empty() {
            // Which replica was heard of late, and what the other showed then.
            return settled_to.min(state.head_to.unwrap_or(settled_to)) - primed_by(state.interval);
        }
        if state.unprimed {
            return settled_to - primed_by(state.interval);
        }
        match state.head_to {
            // Each step is summed up once; what comes late to it is seen when it is settled.
            Some(head_to) if state.pushed.is_some() && !self.settles(family, at) => {
                settled_to.max(head_to)
            }
            Some(head_to) if !self.settles(family, at) => {
                let overlap = if state.interval == Span::ZERO {
                    self.settings.tick
                } else {
                    state.interval
                };
                settled_to.max(head_to - overlap)
            }
            _ => settled_to,
        }
    }

    /// Up to where a family is settled; at its first read, the start of the block before the last.
    pub(super) fn settled_to(&self, family: FamilyIndex, at: Timestamp) -> Timestamp {
        self.families[family]
            .settled_to
            .unwrap_or_else(|| self.first_read(family, at))
    }

    /// Whether a block of the family's counters can be settled at `at`.
    pub(super) fn settles(&self, family: FamilyIndex, at: Timestamp) -> bool {
        let source = &self.plan.families[family].source;
        self.settings.settle_boundary(source, at) > self.settled_to(family, at)
    }

    /// Where reading begins for what was never read before.
    fn first_read(&self, family: FamilyIndex, at: Timestamp) -> Timestamp {
        let source = &self.plan.families[family].source;
        self.settings.settle_boundary(source, at) - self.settings.settle_grid(source)
    }

    /// Where a lane without cursors goes on: behind its settled slots when more can be settled,
    /// else behind its newest.
    pub(super) fn lane_from(&self, meter: usize, lane: usize, at: Timestamp) -> Timestamp {
        let planned = &self.plan.meters[meter].lanes[lane];
        let state = &self.meters[meter].lanes[lane];
        let grain = planned.slice().unwrap_or(self.settings.slot);
        let family = planned.families().first().copied().unwrap_or_default();
        let settled_to = state
            .settled_to
            .unwrap_or_else(|| self.first_read(family, at).floor_to(grain));
        let source = &self.plan.families[family].source;
        let boundary = self.settings.settle_boundary(source, at).floor_to(grain);
        match state.head_to {
            Some(head_to) if boundary <= settled_to => head_to.max(settled_to),
            _ => settled_to,
        }
    }
}
