//! What to read at a tick: for each family the range that its cursors and slices need.

use std::collections::BTreeSet;

use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::Fetch;
use crate::series::cursor::validity;
use crate::series::plan::{FamilyIndex, Lane, LaneIndex};
use crate::series::table::Layer;

use super::state::State;

/// How far before the counters the first read of processes' starts reaches.
const STARTS_MARGIN: Span = Span::from_mins(5);

/// So far back samples are looked for at which cursors stand, where these may read differently now.
const READ_AGAIN: Span = Span::from_mins(10);

/// How far before what is counted samples are read that only tell where each series stands.
pub(super) fn primed_by(interval: Span) -> Span {
    validity(interval).max(STARTS_MARGIN)
}

/// What somebody needs to be read of a family.
#[derive(Clone, Copy, Debug)]
struct Need {
    from: Timestamp,
    /// Up to where at least, so that counting moves on; `None` for who does not count now.
    to: Option<Timestamp>,
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
    /// How many it had before what is read.
    Standing,
    /// Samples of the targets whose series begin or return.
    Raw(usize),
    /// Where series stood of which these show nothing before.
    Earlier(usize),
    /// How many series each target has, of a query that was refused as too much.
    Census(usize),
    /// How often there is a sample.
    Pace,
}

impl State {
    /// Whom to ask, what, and for which range: what stands for earlier periods is asked for there.
    pub fn fetch(&self, wanted: Wanted) -> (&SourceName, &Fetch, TimeRange) {
        let planned = &self.plan.families[wanted.family];
        let state = &self.families[wanted.family];
        let query = state.fetch(wanted.query);
        let range = match wanted.query {
            // As it was at the end of the time before.
            Query::Standing => TimeRange {
                from: wanted.range.from - primed_by(state.interval),
                to: wanted.range.from,
            },
            _ => wanted.range,
        };
        let range = planned.asked(range);
        (&planned.source, query.unwrap_or(&planned.fetch), range)
    }

    /// What to read for each family that was not read up to `at` yet. Ranges that would be longer than a
    /// [stride](super::settings::Settings::stride) are cut: their families stay behind and need another pass. Where
    /// counters are read, the starts of their processes are read for the same time. What objectives with an open
    /// incident need comes first: where not everybody is answered in time, they are.
    pub fn wanted(&self, at: Timestamp) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = (0..self.families.len())
            .filter_map(|family| {
                Some(Wanted {
                    family,
                    query: Query::Part(0),
                    range: self.to_read(family, at)?,
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
            let mut queries = pushed.queries(wanted, self.settles(wanted.family, at));
            // Groups that stand already are not new.
            if state.unprimed && self.plan.roll(wanted.family).is_grouped() {
                let query = Query::Standing;
                queries.push(Wanted { query, ..wanted });
            }
            return queries;
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

    /// What to read of a family for all who count it. `None` when everything up to `at` was read.
    fn to_read(&self, family: FamilyIndex, at: Timestamp) -> Option<TimeRange> {
        if !self.is_needed(family, at) {
            return None;
        }
        let counters = !self.plan.families[family].roles.is_empty();
        let counters = counters.then(|| self.counters_need(family, at));
        let lanes = self.plan.lanes_of(family).iter();
        let lanes = lanes.filter_map(|lane| self.lane_needs(*lane, family, at));
        let needs: Vec<Need> = counters.into_iter().chain(lanes).collect();
        let from = needs.iter().map(|need| need.from).min()?;
        let to = needs.iter().filter_map(|need| need.to).max();
        let to = to.map_or(at, |to| at.min(to.ceil_to(self.settings.slot)));
        (from < to).then_some(TimeRange { from, to })
    }

    /// Whether a family is to be read at the tick `at`: it was not yet, or not as a whole, or one was not that slices are
    /// judged by together with it.
    fn is_needed(&self, family: FamilyIndex, at: Timestamp) -> bool {
        let is_behind = |family: FamilyIndex| self.families[family].head_to < Some(at);
        let has_failed = |family: FamilyIndex| self.families[family].failure.is_some();
        let lanes = self.plan.lanes_of(family).iter();
        let lanes = lanes.map(|lane| self.plan.lane(*lane));
        let lanes = lanes.filter(|lane| !matches!(lane, Lane::Counters { .. }));
        let mut together = lanes.flat_map(Lane::families);
        is_behind(family)
            || has_failed(family)
            || together.any(|other| is_behind(other) && !has_failed(other))
    }

    /// What the cursors of a family need: all from the settled one on when a block is to be settled
    /// (and at a start), else from a scrape before the head on, for late samples.
    fn counters_need(&self, family: FamilyIndex, at: Timestamp) -> Need {
        let state = &self.families[family];
        let planned = &self.plan.families[family];
        let settled_to = self.settled_to(family, at);
        let head_to = state.head_to.filter(|_| !self.settles(family, at));
        let stands = head_to.map_or(settled_to, |head_to| settled_to.max(head_to));
        let overlap = if state.pushed.is_some() {
            // Each step is summed up once; what comes late to it is seen when it is settled.
            Span::ZERO
        } else if state.interval == Span::ZERO {
            self.settings.tick
        } else {
            state.interval
        };
        let from = settled_to.max(stands - overlap);
        let replicas = self.settings.replica_labels(&planned.source);
        let is_unprimed = state.unprimed && state.pushed.is_none();
        let lookback = if !replicas.is_empty() || is_unprimed {
            // Which replica was heard of late, and what the other showed then; or where each series stands.
            primed_by(state.interval)
        } else if planned.is_interpolated() {
            // Where a sample reads differently beside others, the one at the cursor is read again, also where
            // scrapes were missed since.
            let layer = match head_to {
                Some(_) => Layer::Head,
                None => Layer::Settled,
            };
            let oldest = state.table.oldest(layer, from - READ_AGAIN);
            let behind = oldest.map(|oldest| from.since(oldest) + Span::from_millis(1));
            validity(state.interval).max(behind.unwrap_or_default())
        } else {
            Span::ZERO
        };
        Need {
            from: from - lookback,
            to: Some(stands + self.settings.stride(&planned.source, Span::ZERO)),
        }
    }

    /// What a lane without cursors needs of a family: all samples of the slices that are to be judged.
    fn lane_needs(
        &self,
        (meter, lane): LaneIndex,
        family: FamilyIndex,
        at: Timestamp,
    ) -> Option<Need> {
        let interval = self.families[family].interval;
        let lookback = match &self.plan.meters[meter].lanes[lane] {
            Lane::Counters { .. } => return None,
            Lane::Slices(slices) if slices.judge.looks_back() => validity(interval),
            Lane::Slices(_) | Lane::Points { .. } => Span::ZERO,
        };
        let grain = self.grain((meter, lane));
        let stands = self.lane_from(meter, lane, at);
        if at.floor_to(grain) <= stands {
            // Before a slice ends a few samples are enough, which show what there is.
            let newest = stands.max(at - primed_by(interval));
            return Some(Need {
                from: newest - lookback,
                to: None,
            });
        }
        let source = &self.plan.families[family].source;
        Some(Need {
            from: stands - lookback,
            // Samples behind a slice's end may belong to it.
            to: Some(stands + self.settings.stride(source, grain) + validity(interval)),
        })
    }

    /// The width of what a lane without cursors judges at once.
    pub(super) fn grain(&self, (meter, lane): LaneIndex) -> Span {
        let planned = &self.plan.meters[meter].lanes[lane];
        planned.slice().unwrap_or(self.settings.slot)
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
        let in_turn = at - self.turn(family);
        self.settings.settle_boundary(source, in_turn) > self.settled_to(family, at)
    }

    /// How long a family waits after a block could be settled, so that not all settle theirs in one tick.
    pub(super) fn turn(&self, family: FamilyIndex) -> Span {
        let source = &self.plan.families[family].source;
        let block = self.settings.settle_grid(source);
        let number = u64::try_from(family).unwrap_or_default();
        self.settings.turn(number, block)
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
        let grain = self.grain((meter, lane));
        let family = planned.families().first().copied().unwrap_or_default();
        // At its first read it judges one slice at least, so that it is known at once how things are.
        let begin = || self.first_read(family, at).min(at - grain).floor_to(grain);
        let settled_to = state.settled_to.unwrap_or_else(begin);
        let source = &self.plan.families[family].source;
        let boundary = self.settings.settle_boundary(source, at).floor_to(grain);
        match state.head_to {
            Some(head_to) if boundary <= settled_to => head_to.max(settled_to),
            _ => settled_to,
        }
    }
}
