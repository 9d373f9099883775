//! Lanes without cursors: slices and values, counted anew for every slot that is not final.

mod missed;
mod shown;
mod slots;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::labels::Labels;
use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::Batch;
use crate::series::plan::{FamilyIndex, Lane, SloIndex};
use crate::series::slices::missing::{Decided, decided};
use crate::series::slices::noted::Noted;
use crate::series::table::Layer;
use crate::status::snapshot::SeriesCount;
use crate::store::commit::{Commit, LaneRecord};

use super::groups::split;
use super::intake::{Answer, Taken, put};
use super::state::State;

pub(super) use missed::Seen;
use shown::{lane_series, lane_sides};
pub(super) use slots::{lane_grace, lane_slots};

impl State {
    /// Slices and values of all objectives, group by group where they have any.
    pub(super) fn take_lanes(
        &mut self,
        at: Timestamp,
        complete: &BTreeMap<FamilyIndex, Answer>,
        taken: &mut Taken,
        commit: &mut Commit,
    ) {
        let slos = Arc::clone(&self.plan.slos);
        for (of, planned) in slos.iter().enumerate() {
            for (number, lane) in planned.lanes.iter().enumerate() {
                if !matches!(lane, Lane::Counters { .. }) {
                    self.take_groups((of, number), lane, at, complete, taken, commit);
                }
            }
        }
    }

    /// One lane of all meters of an objective.
    fn take_groups(
        &mut self,
        (of, number): (SloIndex, usize),
        lane: &Lane,
        at: Timestamp,
        complete: &BTreeMap<FamilyIndex, Answer>,
        taken: &mut Taken,
        commit: &mut Commit,
    ) {
        let members = self.plan.members(of);
        let (whole, by) = (members.whole, Arc::clone(&members.by));
        if by.is_empty() {
            self.take_lane((whole, number), at, complete, None, taken, commit);
            return;
        }
        let parts = split::parts(lane, &by, complete);
        let unknown = |labels: &&Labels| !members.groups.contains_key(*labels);
        let found = parts.keys().filter(unknown);
        let found = found.map(|labels| (of, labels.clone())).collect();
        self.take_new_groups(&found, commit);
        self.note_refused(of, &parts);
        let measured = self.take_lane((whole, number), at, complete, None, taken, commit);
        let empty = Batch::default();
        let plan = Arc::clone(&self.plan);
        for (labels, meter) in plan.members(of).groups_in_order() {
            let own = split::answers_of(lane, parts.get(labels), &empty, complete);
            let follows = plan.meters[meter].follows_whole();
            let measured = measured.as_ref().filter(|_| follows);
            self.take_lane((meter, number), at, &own, measured, taken, commit);
        }
    }

    /// Slices and values: counted anew from the samples for every slot that is not final. The time
    /// of slots that show something is measured, and that of those that were `measured` elsewhere.
    /// Says which were.
    fn take_lane(
        &mut self,
        (meter, lane): (usize, usize),
        at: Timestamp,
        complete: &BTreeMap<FamilyIndex, Answer>,
        measured: Option<&Measured>,
        taken: &mut Taken,
        commit: &mut Commit,
    ) -> Option<Measured> {
        let plan = Arc::clone(&self.plan);
        let planned = &plan.meters[meter].lanes[lane];
        let families = planned.families();
        let to = families
            .iter()
            .map(|family| complete.get(family).map(|answer| answer.range.to))
            .min()
            .flatten()?;
        let grain = self.grain((meter, lane));
        let from = self.lane_from(meter, lane, at);
        let range = TimeRange {
            from,
            // A pass that catches up for others may end before where this one stands.
            to: to.floor_to(grain).max(from),
        };
        self.meters[meter].note_sides(lane_sides(planned, complete));
        self.tell_doubled_slices(meter, planned, complete);
        if self.lacks_bucket(meter) {
            return None;
        }
        let interval = |family: FamilyIndex| self.families[family].interval;
        let mut noted = Noted::when(taken.trace.is_some() && planned.slice().is_some());
        noted.turn_to(plan.meters[meter].group());
        let slot = self.settings.slot;
        let judged = lane_slots(planned, range, slot, &interval, complete, &mut noted);
        let grace = lane_grace(planned, &interval);
        if self.meters[meter].lanes[lane].settled_to.is_none()
            && !self.meters[meter].lanes[lane].begun
        {
            self.begin_lane((meter, lane), range.from);
        }
        let source = &plan.families[families[0]].source;
        let boundary = self.settings.boundary_of_read(source, to, at);
        let boundary = boundary.floor_to(grain);
        let sure_to = (to - grace).max(boundary);
        let sure_to = sure_to.floor_to(grain).min(range.to);
        let first = judged.iter().find(|(_, judged)| judged.is_some());
        let state = &mut self.meters[meter].lanes[lane];
        state.seen = state.seen.or_from(first.map(|(end, _)| *end));
        let mut watched_from = state.seen.missing_after();
        if !self.has_past(source) {
            // Who keeps no past knows nothing of the time before this life.
            watched_from = watched_from.max(self.first_tick.unwrap_or(at) + grain);
        }
        let missing = plan.meters[meter].missing(lane);
        let sure_to = measured.map_or(sure_to, |measured| sure_to.max(measured.to));
        let decided = decided(&judged, missing, watched_from, sure_to);
        if let Some(trace) = &mut taken.trace {
            noted.counted(&decided.slices);
            trace.note_slices(noted);
        }
        let mut ends: BTreeSet<Timestamp> = decided.slices.iter().map(|(end, _)| *end).collect();
        ends.extend(measured.iter().flat_map(|measured| &measured.ends));
        ends.retain(|end| range.from < *end && *end <= decided.to);
        ends.retain(|end| !decided.impossible.contains_key(end));
        let measured = Measured {
            to: decided.to,
            ends,
        };
        self.put_lane((meter, lane), range, boundary, grain, (&decided, &measured));
        let (used, limit) = lane_series(planned, complete);
        let state = &mut self.meters[meter];
        state.series = SeriesCount {
            total: used,
            bad: limit,
        };
        state.bad_series_ever_seen |= limit > 0;
        if let Some(settled_to) = state.lanes[lane].settled_to {
            let record = LaneRecord {
                settled_to,
                covered_to: None,
                reach: state.lanes[lane].reach,
            };
            state.lanes[lane].kept = Some(record);
            commit.lanes.insert(self.lane_key(meter, lane), record);
        }
        Some(measured)
    }

    /// Puts a lane's slots in place: final up to `boundary`, the others provisional.
    fn put_lane(
        &mut self,
        (meter, lane): (usize, usize),
        range: TimeRange,
        boundary: Timestamp,
        grain: Span,
        (decided, measured): (&Decided, &Measured),
    ) {
        let (number, slot) = (u16::try_from(lane).unwrap_or(u16::MAX), self.settings.slot);
        let meter = &mut self.meters[meter];
        let settled_to = meter.lanes[lane].settled_to;
        if settled_to.is_none_or(|settled_to| range.from <= settled_to) {
            meter.ledger.clear_provisional(number);
            let state = &mut meter.lanes[lane];
            state.settled_to = Some(boundary.min(range.to).max(range.from));
            // What was provisional behind this read is to come again.
            state.head_to = None;
        }
        let settled_to = meter.lanes[lane].settled_to.unwrap_or(range.from);
        let layer = |end: Timestamp| {
            if end <= settled_to {
                Layer::Settled
            } else {
                Layer::Head
            }
        };
        for (end, counts) in &decided.slices {
            let slot = Slot {
                counts: *counts,
                ..Slot::default()
            };
            put(meter, number, layer(*end), *end, &slot);
        }
        for end in &measured.ends {
            let mut covered_to = *end;
            while covered_to > *end - grain {
                put(
                    meter,
                    number,
                    layer(*end),
                    covered_to,
                    &Slot {
                        covered: slot,
                        ..Slot::default()
                    },
                );
                covered_to = covered_to - slot;
            }
        }
        let state = &mut meter.lanes[lane];
        let impossible = decided.impossible.last_key_value();
        state.impossible = impossible.map(|(end, what)| (*end, *what));
        state.head_to = state.head_to.max(Some(decided.to));
        state.known_to = state
            .known_to
            .max(decided.slices.last().map(|(end, _)| *end));
    }
}

/// Which slots of a lane were measured, of those that were looked at.
#[derive(Debug)]
struct Measured {
    /// All up to here are decided.
    to: Timestamp,
    ends: BTreeSet<Timestamp>,
}
