//! Lanes without cursors: slices and values, counted anew for every slot that is not final.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::indicator::Split;
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::Series;
use crate::series::plan::{FamilyIndex, GaugeRead, Lane, SelectorPosition};
use crate::series::points;
use crate::series::slices::fullness::{self, Gauges};
use crate::series::slices::rate;
use crate::series::table::Layer;
use crate::status::snapshot::SeriesCount;
use crate::store::commit::Commit;

use super::intake::{Answer, put};
use super::state::State;

impl State {
    /// Slices and values: counted anew from the samples for every slot that is not final.
    pub(super) fn take_lane(
        &mut self,
        (meter, lane): (usize, usize),
        at: Timestamp,
        complete: &BTreeMap<FamilyIndex, Answer>,
        commit: &mut Commit,
    ) {
        let plan = Arc::clone(&self.plan);
        let planned = &plan.meters[meter].lanes[lane];
        if matches!(planned, Lane::Counters { .. }) {
            return;
        }
        let families = planned.families();
        let Some(to) = families
            .iter()
            .map(|family| complete.get(family).map(|answer| answer.range.to))
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
        let interval = |family: FamilyIndex| self.families[family].interval;
        let slots = lane_slots(planned, range, self.settings.slot, &interval, complete);
        if self.meters[meter].lanes[lane].settled_to.is_none()
            && !self.meters[meter].lanes[lane].begun
        {
            self.begin_lane((meter, lane), range.from);
        }
        let source = &plan.families[families[0]].source;
        let boundary = self.settings.settle_boundary(source, to).floor_to(grain);
        self.put_lane((meter, lane), range, boundary, grain, &slots);
        let (used, limit) = lane_series(planned, complete);
        let state = &mut self.meters[meter];
        state.series = SeriesCount {
            total: used,
            bad: limit,
        };
        state.bad_series_ever_seen |= limit > 0;
        if let Some(settled_to) = state.lanes[lane].settled_to {
            commit.lanes.insert(self.lane_key(meter, lane), settled_to);
        }
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
}

/// The slots that a lane without cursors knows in a range.
pub(super) fn lane_slots(
    lane: &Lane,
    range: TimeRange,
    slot: Span,
    interval: &dyn Fn(FamilyIndex) -> Span,
    complete: &BTreeMap<FamilyIndex, Answer>,
) -> Vec<(Timestamp, Counts)> {
    let series = |family: FamilyIndex, selector: SelectorPosition| {
        let sorted = complete.get(&family)?.sorted.as_ref()?;
        Some(sorted.series(selector))
    };
    let judged = match lane {
        Lane::Counters { .. } => Vec::new(),
        Lane::Rate {
            family,
            selector,
            at_least,
            slice,
        } => {
            let Some(counters) = series(*family, *selector) else {
                return Vec::new();
            };
            let counters: Vec<Series> = counters.collect();
            rate::below_floor(&counters, *at_least, *slice, range, interval(*family))
        }
        Lane::Fullness {
            used,
            limit,
            by,
            at_most,
            slice,
        } => {
            let side = |read: &GaugeRead| {
                Some(Gauges {
                    series: series(read.family, read.selector)?,
                    aggregate: read.aggregate,
                    usual: interval(read.family),
                })
            };
            let (Some(used), Some(limit)) = (side(used), side(limit)) else {
                return Vec::new();
            };
            fullness::over_limit(used, limit, by, *at_most, *slice, range)
        }
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
            return points::counts(all, &part, range, slot, *window);
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

/// How many series of the batches a lane without cursors looks at, on its two sides.
fn lane_series(lane: &Lane, complete: &BTreeMap<FamilyIndex, Answer>) -> (u64, u64) {
    let selected = |family: FamilyIndex, selector: SelectorPosition| {
        let sorted = complete.get(&family).and_then(|it| it.sorted.as_ref());
        sorted.map_or(0, |sorted| sorted.count(selector))
    };
    let all = |family: FamilyIndex| complete.get(&family).map_or(0, |it| it.batch.len());
    let (one, other) = match lane {
        Lane::Counters { .. } => (0, 0),
        Lane::Rate {
            family, selector, ..
        } => (selected(*family, *selector), 0),
        Lane::Fullness { used, limit, .. } => (
            selected(used.family, used.selector),
            selected(limit.family, limit.selector),
        ),
        Lane::Points { total, part, .. } => (all(*total), all(*part.counted())),
    };
    let count = |series: usize| u64::try_from(series).unwrap_or(u64::MAX);
    (count(one), count(other))
}
