//! Lanes without cursors: slices and values, counted anew for every slot that is not final.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::indicator::Split;
use crate::domain::labels::Labels;
use crate::domain::slices::MissingData;
use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Batch, Series};
use crate::series::cursor::validity;
use crate::series::plan::{
    FamilyIndex, GaugeRead, Judge, Lane, Read, SliceLane, SloIndex, Towards,
};
use crate::series::points;
use crate::series::seen::Sorted;
use crate::series::slices::events::Counters;
use crate::series::slices::groups::{Gauges, Groups};
use crate::series::slices::missing::{Decided, decided};
use crate::series::slices::noted::Noted;
use crate::series::slices::{Judged, NOTHING, Slices};
use crate::series::slices::{age, drop, events, level, probe, rate, share, value};
use crate::series::table::Layer;
use crate::series::terms::SidesSeen;
use crate::status::snapshot::SeriesCount;
use crate::store::commit::{Commit, LaneRecord};

use super::groups::split;
use super::intake::{Answer, Taken, put};
use super::state::State;

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
        // Who keeps no past knows nothing of the time before this life.
        let watched_from = if self.has_past(source) {
            Timestamp::from_millis(i64::MIN)
        } else {
            self.first_tick.unwrap_or(at) + grain
        };
        let sure_to = measured.map_or(sure_to, |measured| sure_to.max(measured.to));
        let decided = decided(&judged, lane_missing(planned), watched_from, sure_to);
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

/// How long after a slice's end the samples may be on their way that are needed to judge it. Gauges
/// were valid for a while before, and what a query gives is given at once.
pub(super) fn lane_grace(lane: &Lane, interval: &dyn Fn(FamilyIndex) -> Span) -> Span {
    match lane {
        Lane::Counters { .. } | Lane::Points { .. } => Span::ZERO,
        Lane::Slices(slices) => match &slices.judge {
            Judge::Rate { total, .. } | Judge::Drop { total, .. } => {
                validity(interval(total.family))
            }
            Judge::Events { .. } | Judge::Probe { .. } => {
                let families = slices.judge.families().into_iter();
                let valid = families.map(|family| validity(interval(family)));
                valid.max().unwrap_or_default()
            }
            Judge::Share { .. }
            | Judge::Level { .. }
            | Judge::Age { .. }
            | Judge::Value { .. }
            | Judge::Ratio { .. } => Span::ZERO,
        },
    }
}

/// What a slot of which the source holds nothing counts as.
pub(super) const fn lane_missing(lane: &Lane) -> MissingData {
    match lane {
        Lane::Counters { .. } | Lane::Points { .. } => MissingData::Hold,
        Lane::Slices(slices) => slices.missing,
    }
}

/// The slots of a lane without cursors in a range: all that were judged, or those that are known.
pub(super) fn lane_slots(
    lane: &Lane,
    range: TimeRange,
    slot: Span,
    interval: &dyn Fn(FamilyIndex) -> Span,
    complete: &BTreeMap<FamilyIndex, Answer>,
    noted: &mut Noted,
) -> Slices<Judged> {
    match lane {
        Lane::Counters { .. } => Vec::new(),
        Lane::Slices(lane) => judged(lane, range, interval, complete, noted).unwrap_or_default(),
        Lane::Points {
            total,
            part,
            window,
        } => {
            let batch = |family: FamilyIndex| complete.get(&family).map(|it| it.batch);
            let (Some(all), Some(counted)) = (batch(*total), batch(*part.counted())) else {
                return Vec::new();
            };
            let part = match part {
                Split::Bad(_) => Split::Bad(counted),
                Split::Good(_) => Split::Good(counted),
            };
            points::counts(all, &part, range, slot, *window)
        }
    }
}

/// The slices of a lane; `None` while a family that it needs has no answer.
fn judged(
    lane: &SliceLane,
    range: TimeRange,
    interval: &dyn Fn(FamilyIndex) -> Span,
    complete: &BTreeMap<FamilyIndex, Answer>,
    noted: &mut Noted,
) -> Option<Slices<Judged>> {
    let seen = Seen {
        lane,
        range,
        interval,
        complete,
    };
    match &lane.judge {
        Judge::Drop { total, past, kept } => {
            let past = past.iter().map(|read| seen.rates(*read));
            let past = past.collect::<Option<Vec<_>>>()?;
            let slices = drop::below_usual(&seen.rates(*total)?, &past, *kept, noted);
            Some(compared(slices))
        }
        Judge::Events { terms, allowance } => {
            let kinds = terms.iter().map(|term| {
                let sorted = seen.sorted(term.read)?;
                Some(Counters {
                    series: sorted.series(term.read.selector).collect(),
                    weight: term.weight,
                    usual: interval(term.read.family),
                    scraped: sorted.first_scrapes(),
                })
            });
            let kinds = kinds.collect::<Option<Vec<_>>>()?;
            let (allowance, slice) = (*allowance, lane.slice);
            let slices = events::over_allowance(&kinds, allowance, slice, range, noted);
            Some(each(slices, Judged::As))
        }
        Judge::Probe {
            probers,
            quorum,
            slot,
            allowance,
        } => {
            let usual = interval(probers.family);
            let probers: Vec<Series> = seen.series(*probers)?.collect();
            let slices = match allowance {
                None => probe::counts(&probers, *quorum, *slot, range, usual, noted),
                Some(allowance) => {
                    let (widths, allowance) = ((*slot, lane.slice), *allowance);
                    probe::over_allowance(&probers, *quorum, widths, allowance, range, usual, noted)
                }
            };
            Some(each(slices, Judged::As))
        }
        Judge::Ratio { family } => {
            let values = seen.values(*family)?;
            Some(value::ratios(values, lane.slice, range, noted))
        }
        Judge::Value {
            family,
            limit,
            bad_when,
        } => {
            let values = seen.values(*family)?;
            let judge = (*limit, *bad_when);
            Some(value::beyond(values, judge, lane.slice, range, noted))
        }
        Judge::Level {
            gauge,
            of_events: true,
            ..
        } => {
            let quantiles = Groups::of(seen.gauges(gauge)?, None);
            let slices = seen.sides(noted)?.into_iter();
            let judge = |(end, is_bad): (Timestamp, Option<bool>)| {
                let idle = || quantiles.has_none(end).then_some(Judged::As(NOTHING));
                (end, is_bad.map(Judged::beyond).or_else(idle))
            };
            Some(slices.map(judge).collect())
        }
        Judge::Rate { .. } | Judge::Share { .. } | Judge::Level { .. } | Judge::Age { .. } => {
            Some(each(seen.sides(noted)?, Judged::beyond))
        }
    }
}

/// What a lane sees of the answers.
struct Seen<'a, 'b> {
    lane: &'a SliceLane,
    range: TimeRange,
    interval: &'a dyn Fn(FamilyIndex) -> Span,
    complete: &'a BTreeMap<FamilyIndex, Answer<'b>>,
}

impl<'a, 'b> Seen<'a, 'b> {
    fn sorted(&self, read: Read) -> Option<&'a Sorted<'b>> {
        self.complete.get(&read.family)?.sorted.as_ref()
    }

    fn series(&self, read: Read) -> Option<impl Iterator<Item = Series<'b>>> {
        Some(self.sorted(read)?.series(read.selector))
    }

    fn values(&self, family: FamilyIndex) -> Option<impl Iterator<Item = Series<'b>>> {
        Some(self.complete.get(&family)?.batch.series())
    }

    fn rates(&self, read: Read) -> Option<Slices<f64>> {
        let counters: Vec<Series> = self.series(read)?.collect();
        let usual = (self.interval)(read.family);
        Some(rate::rates(&counters, self.lane.slice, self.range, usual))
    }

    fn gauges(&self, gauge: &GaugeRead) -> Option<Gauges<impl Iterator<Item = Series<'b>>>> {
        Some(Gauges {
            series: self.series(gauge.read)?,
            aggregate: gauge.aggregate,
            usual: (self.interval)(gauge.read.family),
        })
    }

    /// On which side of a threshold each slice is; of judges without one, nothing.
    fn sides(&self, noted: &mut Noted) -> Option<Slices<bool>> {
        let (slice, range) = (self.lane.slice, self.range);
        Some(match &self.lane.judge {
            Judge::Rate { total, limit } => rate::beyond(&self.rates(*total)?, *limit, noted),
            Judge::Share {
                used,
                limit,
                by,
                at_most,
                bad_when,
            } => {
                let judge = (*at_most, *bad_when);
                let (used, limit) = (self.gauges(used)?, self.gauges(limit)?);
                share::over_limit(used, limit, by, judge, slice, range, noted)
            }
            Judge::Level {
                gauge,
                by,
                limit,
                within,
                bad_when,
                ..
            } => {
                let groups = Groups::of(self.gauges(gauge)?, by.as_deref());
                let judge = (*within, *bad_when);
                level::beyond(&groups, *limit, judge, slice, range, noted)
            }
            Judge::Age {
                gauge,
                by,
                unit,
                at_most,
                bad_when,
            } => {
                let groups = Groups::of(self.gauges(gauge)?, by.as_deref());
                age::older(&groups, *unit, (*at_most, *bad_when), slice, range, noted)
            }
            Judge::Drop { .. }
            | Judge::Events { .. }
            | Judge::Probe { .. }
            | Judge::Value { .. }
            | Judge::Ratio { .. } => {
                return None;
            }
        })
    }
}

/// Slices that were compared with earlier ones, as far as there are any.
fn compared(slices: Slices<Option<bool>>) -> Slices<Judged> {
    each(slices, |is_bad| {
        is_bad.map_or(Judged::Incomparable, Judged::beyond)
    })
}

/// What is known of each slice, said in another way.
fn each<T, S>(slices: Slices<T>, said: impl Fn(T) -> S) -> Slices<S> {
    let slices = slices.into_iter();
    slices.map(|(end, known)| (end, known.map(&said))).collect()
}

/// Of which thresholds there are series in the batches that slices of events are judged by.
fn lane_sides(lane: &Lane, complete: &BTreeMap<FamilyIndex, Answer>) -> SidesSeen {
    let mut sides = SidesSeen::default();
    let Lane::Slices(SliceLane {
        judge: Judge::Events { terms, .. },
        ..
    }) = lane
    else {
        return sides;
    };
    for term in terms {
        let sorted = complete.get(&term.read.family);
        let sorted = sorted.and_then(|it| it.sorted.as_ref());
        if sorted.is_some_and(|sorted| sorted.count(term.read.selector) > 0) {
            sides.note(term.towards, term.threshold);
        }
    }
    sides
}

/// How many series of the batches a lane without cursors looks at, on its two sides.
fn lane_series(lane: &Lane, complete: &BTreeMap<FamilyIndex, Answer>) -> (u64, u64) {
    let selected = |read: Read| {
        let sorted = complete.get(&read.family).and_then(|it| it.sorted.as_ref());
        sorted.map_or(0, |sorted| sorted.count(read.selector))
    };
    let all = |family: FamilyIndex| complete.get(&family).map_or(0, |it| it.batch.len());
    let (one, other) = match lane {
        Lane::Counters { .. } => (0, 0),
        Lane::Slices(slices) => match &slices.judge {
            Judge::Rate { total, .. } | Judge::Drop { total, .. } => (selected(*total), 0),
            Judge::Events { terms, .. } => {
                let side = |towards: Towards| {
                    let own = terms.iter().filter(|term| term.towards == towards);
                    own.map(|term| selected(term.read)).sum()
                };
                (side(Towards::Total), side(Towards::Part))
            }
            Judge::Probe { probers, .. } => (selected(*probers), 0),
            Judge::Share { used, limit, .. } => (selected(used.read), selected(limit.read)),
            Judge::Level { gauge, .. } | Judge::Age { gauge, .. } => (selected(gauge.read), 0),
            Judge::Value { family, .. } | Judge::Ratio { family } => (all(*family), 0),
        },
        Lane::Points { total, part, .. } => (all(*total), all(*part.counted())),
    };
    let count = |series: usize| u64::try_from(series).unwrap_or(u64::MAX);
    (count(one), count(other))
}
