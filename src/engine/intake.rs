//! From what was read to slots: samples of counters through cursors, slices and values directly.

use std::collections::BTreeMap;

use crate::domain::indicator::Split;
use crate::domain::labels::Labels;
use crate::domain::measurement::Outcome;
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::Batch;
use crate::series::cursor::{IgnoredBirth, validity};
use crate::series::plan::{FamilyIndex, GaugeRead, Lane, Towards};
use crate::series::points;
use crate::series::slices;
use crate::series::table::{Counted, Layer, usual_interval};
use crate::store::commit::{Commit, LaneKey};

use super::reads::Wanted;
use super::state::{State, family_key};

/// How long a series is remembered after its last sample.
const SERIES_KEPT: Span = Span::from_days(3);

/// What came back for one read.
#[derive(Clone, Debug)]
pub struct Read {
    /// What was asked.
    pub wanted: Wanted,
    /// What came back.
    pub reading: Reading,
}

/// How a read ended.
#[derive(Clone, Debug)]
pub enum Reading {
    /// With all samples of the range.
    Complete(Batch),
    /// With warnings: a part may be missing. Sentences for people.
    Partial(String),
    /// Not at all. A sentence for people.
    Failed(String),
}

/// What taking in the reads of a tick brought to light.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) ignored: Vec<(Labels, IgnoredBirth)>,
}

impl State {
    /// Counts everything that was read for the tick `at`. What was settled goes into `commit`.
    pub(super) fn take_in(&mut self, at: Timestamp, reads: &[Read], commit: &mut Commit) -> Taken {
        let mut taken = Taken::default();
        let mut complete: BTreeMap<FamilyIndex, (TimeRange, &Batch)> = BTreeMap::new();
        for read in reads {
            self.note_source(read);
            let family = &mut self.families[read.wanted.family];
            match &read.reading {
                Reading::Complete(batch) => {
                    complete.insert(read.wanted.family, (read.wanted.range, batch));
                    family.failure = None;
                    family.interval = usual_interval(batch).unwrap_or(family.interval);
                }
                Reading::Partial(why) => family.failure = Some((Outcome::Partial, why.clone())),
                Reading::Failed(why) => family.failure = Some((Outcome::Failed, why.clone())),
            }
        }
        for (family, (range, batch)) in &complete {
            if !self.plan.families[*family].roles.is_empty() {
                self.take_counters(*family, *range, at, batch, &mut taken, commit);
            }
        }
        for meter in 0..self.meters.len() {
            for lane in 0..self.meters[meter].lanes.len() {
                self.take_lane((meter, lane), at, &complete, commit);
            }
        }
        for (family, (range, _)) in &complete {
            self.families[*family].head_to = self.families[*family].head_to.max(Some(range.to));
        }
        taken
    }

    fn note_source(&mut self, read: &Read) {
        let name = &self.plan.families[read.wanted.family].source;
        let Some(source) = self.sources.get_mut(name) else {
            return;
        };
        source.queries += 1;
        match &read.reading {
            Reading::Complete(batch) => {
                let samples: usize = batch.series.iter().map(|series| series.samples.len()).sum();
                source.samples += u64::try_from(samples).unwrap_or(u64::MAX);
            }
            Reading::Partial(why) | Reading::Failed(why) => {
                source.failures += 1;
                source.error = Some(why.clone());
            }
        }
    }

    /// Counters: settles whole blocks first, if there are any; the rest is provisional.
    fn take_counters(
        &mut self,
        family: FamilyIndex,
        range: TimeRange,
        at: Timestamp,
        batch: &Batch,
        taken: &mut Taken,
        commit: &mut Commit,
    ) {
        let source = self.plan.families[family].source.clone();
        let mut settled_to = self.settled_to(family, at);
        let boundary = self
            .settings
            .settle_boundary(&source, range.to)
            .max(settled_to);
        let rebuilds = self.families[family].head_to.is_none() || boundary > settled_to;
        if rebuilds {
            let grid = self.settings.settle_grid(&source);
            let mut moved = Vec::new();
            while settled_to < boundary {
                // Block by block on the grid, so that a stop makes no difference to what is settled.
                let to = (settled_to + Span::from_millis(1))
                    .ceil_to(grid)
                    .min(boundary);
                let block = TimeRange {
                    from: settled_to,
                    to,
                };
                moved.extend(self.count(family, block, Layer::Settled, batch, taken));
                settled_to = to;
            }
            self.families[family].settled_to = Some(settled_to);
            self.rewind(family);
            let head = TimeRange {
                from: settled_to,
                to: range.to,
            };
            moved.extend(self.count(family, head, Layer::Head, batch, taken));
            self.families[family].reselected = false;
            self.commit_family(family, &moved, commit);
        } else {
            self.count(
                family,
                TimeRange {
                    from: settled_to,
                    to: range.to,
                },
                Layer::Head,
                batch,
                taken,
            );
        }
        self.note_series(family, at);
    }

    /// Drops what is provisional of a family's lanes and starts its heads anew.
    fn rewind(&mut self, family: FamilyIndex) {
        self.families[family].table.rewind_heads();
        for (meter, lane) in self.counter_lanes(family) {
            let meter = &mut self.meters[meter];
            meter
                .ledger
                .clear_provisional(u16::try_from(lane).unwrap_or(u16::MAX));
            meter.lanes[lane].head = meter.lanes[lane].settled;
        }
    }

    /// Counts the samples of a range in one layer and puts the increases into slots.
    fn count(
        &mut self,
        family: FamilyIndex,
        range: TimeRange,
        layer: Layer,
        batch: &Batch,
        taken: &mut Taken,
    ) -> Vec<usize> {
        let planned = &self.plan.families[family];
        let state = &mut self.families[family];
        let counted = state
            .table
            .count(&planned.roles, batch, range, layer, state.reselected);
        let Counted {
            increases,
            ignored,
            moved,
        } = counted;
        let mut covered: BTreeMap<(usize, usize), Vec<TimeRange>> = BTreeMap::new();
        for edge in state
            .table
            .edges()
            .filter(|edge| edge.towards == Towards::Part)
        {
            self.meters[edge.meter].bad_series_ever_seen = true;
        }
        for (edge, increase) in increases {
            if self.lacks_bucket(edge.meter) {
                continue;
            }
            let meter = &mut self.meters[edge.meter];
            for (end, events) in increase.slots(self.settings.slot) {
                let counts = edge.weight.times(events);
                put(
                    meter,
                    edge.lane,
                    layer,
                    end,
                    &Slot {
                        counts,
                        reconstructed: increase.gap,
                        ..Slot::default()
                    },
                );
            }
            if edge.weight.total > 0.0 && !increase.gap {
                let range = TimeRange {
                    from: increase.from,
                    to: increase.to,
                };
                covered
                    .entry((edge.meter, usize::from(edge.lane)))
                    .or_default()
                    .push(range);
            }
        }
        for (meter, lane) in self.counter_lanes(family) {
            let totals = matches!(
                self.plan.meters[meter].lanes[lane],
                Lane::Counters { totals: true, .. }
            );
            // Where only a part is counted, having asked is having measured: what never failed has no series.
            let ranges = if totals {
                covered.remove(&(meter, lane)).unwrap_or_default()
            } else {
                vec![range]
            };
            self.credit(meter, lane, layer, ranges);
        }
        if layer == Layer::Settled {
            taken.ignored.extend(ignored);
        }
        moved
    }

    fn credit(&mut self, meter: usize, lane: usize, layer: Layer, ranges: Vec<TimeRange>) {
        let slot = self.settings.slot;
        let meter = &mut self.meters[meter];
        let mut coverage = match layer {
            Layer::Settled => meter.lanes[lane].settled,
            Layer::Head => meter.lanes[lane].head,
        };
        let number = u16::try_from(lane).unwrap_or(u16::MAX);
        coverage.credit(ranges, slot, |end, covered| {
            let gained = Slot {
                covered,
                ..Slot::default()
            };
            put(meter, number, layer, end, &gained);
        });
        match layer {
            Layer::Settled => meter.lanes[lane].settled = coverage,
            Layer::Head => meter.lanes[lane].head = coverage,
        }
    }

    /// Hands what was settled of a family to the commit, and forgets series that ended long ago.
    fn commit_family(&mut self, family: FamilyIndex, moved: &[usize], commit: &mut Commit) {
        let planned = &self.plan.families[family];
        let state = &mut self.families[family];
        let mut record = state.record(planned, moved);
        let forgotten = state.table.forget(record.settled_to - SERIES_KEPT);
        for labels in forgotten {
            record.cursors.remove(&labels);
            record.dropped.insert(labels);
        }
        commit.families.insert(family_key(planned), record);
        for (meter, lane) in self.counter_lanes(family) {
            if let Some(reached) = self.meters[meter].lanes[lane].settled.reached() {
                commit.lanes.insert(self.lane_key(meter, lane), reached);
            }
        }
    }

    /// Counts the living series of a family towards their objectives, for the status.
    fn note_series(&mut self, family: FamilyIndex, at: Timestamp) {
        for (meter, _) in self.counter_lanes(family) {
            let first = self.plan.meters[meter].lanes.first();
            if first.is_some_and(|lane| lane.families().first() == Some(&family)) {
                self.meters[meter].series = crate::status::snapshot::SeriesCount::default();
            }
        }
        self.families[family].newest_totals = self.families[family].table.newest_totals();
        let since = at - validity(self.families[family].interval);
        for edge in self.families[family].table.alive(since) {
            self.meters[edge.meter].saw(edge.towards);
        }
    }

    /// Slices and values: counted anew from the samples for every slot that is not final.
    fn take_lane(
        &mut self,
        (meter, lane): (usize, usize),
        at: Timestamp,
        complete: &BTreeMap<FamilyIndex, (TimeRange, &Batch)>,
        commit: &mut Commit,
    ) {
        let plan = std::sync::Arc::clone(&self.plan);
        let planned = &plan.meters[meter].lanes[lane];
        if matches!(planned, Lane::Counters { .. }) {
            return;
        }
        let families = planned.families();
        let Some(to) = families
            .iter()
            .map(|family| complete.get(family).map(|(range, _)| range.to))
            .min()
            .flatten()
        else {
            return;
        };
        let grain = planned.slice().unwrap_or(self.settings.slot);
        let range = TimeRange {
            from: self.lane_from(meter, lane, at),
            to: to.floor_to(grain),
        };
        let slots = self.lane_slots(planned, range, complete);
        let source = &plan.families[families[0]].source;
        let boundary = self.settings.settle_boundary(source, to).floor_to(grain);
        self.put_lane((meter, lane), range, boundary, grain, &slots);
        let (used, limit) = lane_series(planned, complete);
        let state = &mut self.meters[meter];
        state.series = crate::status::snapshot::SeriesCount {
            total: used,
            bad: limit,
        };
        state.bad_series_ever_seen |= limit > 0;
        if let Some(settled_to) = state.lanes[lane].settled_to {
            commit.lanes.insert(self.lane_key(meter, lane), settled_to);
        }
    }

    /// The slots that a lane without cursors knows in a range.
    fn lane_slots(
        &self,
        lane: &Lane,
        range: TimeRange,
        complete: &BTreeMap<FamilyIndex, (TimeRange, &Batch)>,
    ) -> Vec<(Timestamp, Counts)> {
        let batch = |family: FamilyIndex| complete.get(&family).map(|(_, batch)| *batch);
        let interval = |family: FamilyIndex| self.families[family].interval;
        let judged = match lane {
            Lane::Counters { .. } => Vec::new(),
            Lane::Rate {
                family,
                matchers,
                at_least,
                slice,
            } => {
                let Some(samples) = batch(*family) else {
                    return Vec::new();
                };
                slices::below_floor(
                    samples,
                    matchers,
                    *at_least,
                    *slice,
                    range,
                    interval(*family),
                )
            }
            Lane::Fullness {
                used,
                limit,
                by,
                at_most,
                slice,
            } => {
                let side = |read: &GaugeRead| Some((batch(read.family)?, interval(read.family)));
                let (Some(one), Some(other)) = (side(used), side(limit)) else {
                    return Vec::new();
                };
                slices::over_limit(
                    (one.0, used, one.1),
                    (other.0, limit, other.1),
                    by,
                    *at_most,
                    *slice,
                    range,
                )
            }
            Lane::Points {
                total,
                part,
                window,
            } => {
                let (Some(all), Some(counted)) = (batch(*total), batch(*part.counted())) else {
                    return Vec::new();
                };
                let part = match part {
                    Split::Bad(_) => Split::Bad(counted),
                    Split::Good(_) => Split::Good(counted),
                };
                return points::counts(all, &part, range, self.settings.slot, *window);
            }
        };
        let slice = |(end, bad): (Timestamp, Option<bool>)| {
            bad.map(|bad| {
                (
                    end,
                    Counts {
                        bad: f64::from(u8::from(bad)),
                        total: 1.0,
                    },
                )
            })
        };
        judged.into_iter().filter_map(slice).collect()
    }

    /// Puts a lane's slots in place: final up to `boundary`, the others provisional.
    fn put_lane(
        &mut self,
        (meter, lane): (usize, usize),
        range: TimeRange,
        boundary: Timestamp,
        grain: Span,
        slots: &[(Timestamp, Counts)],
    ) {
        let (number, slot) = (u16::try_from(lane).unwrap_or(u16::MAX), self.settings.slot);
        let meter = &mut self.meters[meter];
        let settled_to = meter.lanes[lane].settled_to;
        if settled_to.is_none_or(|settled_to| range.from <= settled_to) {
            meter.ledger.clear_provisional(number);
            meter.lanes[lane].settled_to = Some(boundary.min(range.to).max(range.from));
        }
        let settled_to = meter.lanes[lane].settled_to.unwrap_or(range.from);
        for (end, counts) in slots {
            let layer = if *end <= settled_to {
                Layer::Settled
            } else {
                Layer::Head
            };
            put(
                meter,
                number,
                layer,
                *end,
                &Slot {
                    counts: *counts,
                    ..Slot::default()
                },
            );
            let mut covered_to = *end;
            while covered_to > *end - grain {
                put(
                    meter,
                    number,
                    layer,
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
        state.head_to = state.head_to.max(Some(range.to));
        state.known_to = state.known_to.max(slots.last().map(|(end, _)| *end));
    }

    /// The meters' lanes that count samples of a family.
    fn counter_lanes(&self, family: FamilyIndex) -> Vec<(usize, usize)> {
        let counts = |lane: &Lane| matches!(lane, Lane::Counters { family: counted, .. } if *counted == family);
        let lanes = self
            .plan
            .meters
            .iter()
            .enumerate()
            .flat_map(|(meter, planned)| {
                planned
                    .lanes
                    .iter()
                    .enumerate()
                    .filter(move |(_, lane)| counts(lane))
                    .map(move |(lane, _)| (meter, lane))
            });
        lanes.collect()
    }

    pub(super) fn lane_key(&self, meter: usize, lane: usize) -> LaneKey {
        LaneKey {
            slo: self.plan.meters[meter].slo.uid.clone(),
            lane: u16::try_from(lane).unwrap_or(u16::MAX),
        }
    }
}

fn put(meter: &mut super::state::MeterState, lane: u16, layer: Layer, end: Timestamp, slot: &Slot) {
    match layer {
        Layer::Settled => meter.ledger.add_settled(lane, end, slot),
        Layer::Head => meter.ledger.add_provisional(lane, end, slot),
    }
}

/// How many series of the batches a lane without cursors looks at, on its two sides.
fn lane_series(lane: &Lane, complete: &BTreeMap<FamilyIndex, (TimeRange, &Batch)>) -> (u64, u64) {
    let count = |family: FamilyIndex, matches: &dyn Fn(&Labels) -> bool| {
        let series = complete
            .get(&family)
            .into_iter()
            .flat_map(|(_, batch)| &batch.series);
        u64::try_from(series.filter(|series| matches(&series.labels)).count()).unwrap_or(u64::MAX)
    };
    match lane {
        Lane::Counters { .. } => (0, 0),
        Lane::Rate {
            family, matchers, ..
        } => (count(*family, &|labels| matchers.matches(labels)), 0),
        Lane::Fullness { used, limit, .. } => (
            count(used.family, &|labels| used.matchers.matches(labels)),
            count(limit.family, &|labels| limit.matchers.matches(labels)),
        ),
        Lane::Points { total, part, .. } => {
            (count(*total, &|_| true), count(*part.counted(), &|_| true))
        }
    }
}
