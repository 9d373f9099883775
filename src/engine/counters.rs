//! Samples of counters to slots, through the two cursors of each series.

use std::collections::BTreeMap;

use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::Batch;
use crate::series::cursor::validity;
use crate::series::plan::{FamilyIndex, Lane, Towards};
use crate::series::table::{Counted, Layer};
use crate::store::commit::Commit;

use super::intake::{Taken, put};
use super::state::{State, family_key};

/// How long a series is remembered after its last sample.
const SERIES_KEPT: Span = Span::from_days(3);
impl State {
    /// Counters: settles whole blocks first, if there are any; the rest is provisional.
    pub(super) fn take_counters(
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
            .count(planned, batch, range, layer, state.reselected);
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
        let state = &mut self.families[family];
        state.newest_totals = state.table.newest_totals();
        let since = at - validity(state.interval);
        let mut living: BTreeMap<(usize, Towards), u64> = BTreeMap::new();
        for edge in state.table.alive(since) {
            *living.entry((edge.meter, edge.towards)).or_default() += 1;
        }
        for role in &self.plan.families[family].roles {
            let count = living
                .get(&(role.meter, role.towards))
                .copied()
                .unwrap_or_default();
            let series = &mut self.meters[role.meter].series;
            match role.towards {
                Towards::Total => series.total = count,
                Towards::Part => series.bad = count,
            }
        }
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
}
