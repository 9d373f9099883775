//! Samples of counters to slots, through the two cursors of each series.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::labels::Labels;
use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::cursor::validity;
use crate::series::gaps::Gaps;
use crate::series::plan::{FamilyIndex, Lane, LaneIndex, Towards};
use crate::series::pushed::arrived;
use crate::series::roll::Edge;
use crate::series::table::{Counted, Gain, Layer, Past};
use crate::store::commit::{Commit, LaneRecord};

use super::intake::{Answer, Taken, put};
use super::pushed::{Summed, count};
use super::state::{State, family_key};

/// How long a series is remembered after its last sample.
pub(super) const SERIES_KEPT: Span = Span::from_days(3);

/// So long settling waits for evidence that could not be read.
const EVIDENCE_AWAITED: Span = Span::from_mins(15);

impl State {
    /// Counters: settles whole blocks first, if there are any; the rest is provisional.
    pub(super) fn take_counters(
        &mut self,
        family: FamilyIndex,
        at: Timestamp,
        answer: &Answer,
        taken: &mut Taken,
        commit: &mut Commit,
    ) {
        let range = answer.range;
        let mut settled_to = self.settled_to(family, at);
        let boundary = self.boundary(family, (range.to, at), settled_to);
        let grid = self
            .settings
            .settle_grid(&self.plan.families[family].source);
        let head_to = self.families[family].head_to;
        // A step that is summed up a second time takes the place of the first.
        let is_again = answer.summed.is_some() && Some(range.from) < head_to;
        let given_to = self.families[family].given_to(settled_to, grid, answer.batch);
        let rebuilds = head_to.is_none() || boundary > settled_to || is_again;
        if rebuilds {
            let mut unselected = Vec::new();
            if self.has_past(&self.plan.families[family].source) {
                unselected = self.families[family].forget_unselected();
            }
            self.prime(family, settled_to, answer);
            self.begin_counters(family, (settled_to, given_to), answer);
            let mut moved = Vec::new();
            let has_settled = settled_to < boundary;
            while settled_to < boundary {
                // Block by block on the grid, so that a stop makes no difference to what is settled.
                let to = (settled_to + Span::from_millis(1))
                    .ceil_to(grid)
                    .min(boundary);
                let block = TimeRange {
                    from: settled_to,
                    to,
                };
                moved.extend(self.count((family, given_to), block, Layer::Settled, answer, taken));
                settled_to = to;
                self.families[family].settled_to = Some(to);
            }
            self.families[family].settled_to = Some(settled_to);
            self.rewind(family);
            let head = TimeRange {
                from: settled_to,
                to: range.to,
            };
            moved.extend(self.count((family, given_to), head, Layer::Head, answer, taken));
            self.families[family].note_read(&self.plan.families[family], has_settled);
            self.commit_family(family, (&moved, unselected), commit);
        } else {
            let from = match answer.summed {
                // Each step is asked for once, and there is no cursor that would pass over a second time.
                Some(_) => range.from,
                None => settled_to,
            };
            let head = TimeRange { from, to: range.to };
            self.count((family, given_to), head, Layer::Head, answer, taken);
        }
        self.tell_doubled(family);
        self.note_series(family, at, answer);
    }

    /// Shows a table that knows no cursors where its series stand: what lies before is read with it.
    fn prime(&mut self, family: FamilyIndex, settled_to: Timestamp, answer: &Answer) {
        let state = &mut self.families[family];
        if !std::mem::take(&mut state.unprimed) || answer.summed.is_some() {
            return;
        }
        let before = TimeRange {
            from: answer.range.from,
            to: settled_to,
        };
        let table = &mut state.table;
        table.count(
            self.plan.roll(family),
            answer.batch,
            before,
            Layer::Settled,
            Past::Unread,
        );
    }

    /// Up to where can be settled what was read up to `to` at the tick `at`: not without the evidence on
    /// births that is to be had, unless that has been missing for long.
    fn boundary(
        &self,
        family: FamilyIndex,
        (to, at): (Timestamp, Timestamp),
        settled_to: Timestamp,
    ) -> Timestamp {
        let source = &self.plan.families[family].source;
        let in_turn = at - self.turn(family);
        let boundary = self.settings.boundary_of_read(source, to, in_turn);
        let evidence = self.plan.starts.get(source);
        let is_missing = evidence.is_some_and(|starts| self.families[*starts].failure.is_some());
        if is_missing && settled_to + EVIDENCE_AWAITED >= boundary {
            return settled_to;
        }
        boundary.max(settled_to)
    }

    /// Drops what is provisional of a family's lanes and starts its heads anew.
    fn rewind(&mut self, family: FamilyIndex) {
        self.families[family].table.rewind_heads();
        for (meter, lane) in self.counter_lanes(family) {
            let meter = &mut self.meters[meter];
            let number = u16::try_from(lane).unwrap_or(u16::MAX);
            meter.ledger.clear_provisional(number);
            meter.blame.clear_head(number);
            meter.lanes[lane].head = meter.lanes[lane].settled;
        }
    }

    /// Counts the samples of a range in one layer and puts the increases into slots. What series
    /// that nobody looked at before begin with is given, up to a time.
    fn count(
        &mut self,
        (family, given_to): (FamilyIndex, Timestamp),
        range: TimeRange,
        layer: Layer,
        answer: &Answer,
        taken: &mut Taken,
    ) -> Vec<usize> {
        let plan = Arc::clone(&self.plan);
        let planned = &plan.families[family];
        let state = &mut self.families[family];
        let past = Past::Read {
            of: state.selected.as_ref().map(|it| it.until(given_to)),
            starts: self.starts.get(&planned.source),
        };
        let roll = plan.roll(family);
        let counted = match answer.summed {
            None => state.table.count(roll, answer.batch, range, layer, past),
            Some(summed) => {
                let starts = self.starts.get(&planned.source);
                let arrived = arrived(roll, &summed.arrivals, range, summed.form, starts);
                let table = &mut state.table;
                table.add_up(roll, answer.batch, range, summed.form, arrived)
            }
        };
        let Counted {
            gains,
            ignored,
            odd,
            moved,
        } = counted;
        if let Some(trace) = &mut taken.trace {
            let table = &self.families[family].table;
            trace.note_gains(family, |row| table.labels(row), &gains);
            trace.note_ignored(family, &ignored);
        }
        self.note_odd(family, layer, &odd);
        self.note_blame(family, range.to, layer, &gains);
        let mut covered: BTreeMap<(usize, usize), Vec<TimeRange>> = BTreeMap::new();
        for edge in self.families[family].table.edges() {
            self.meters[edge.meter].note_edge(edge);
        }
        let mut gaps = Gaps::default();
        for Gain { edge, increase, .. } in gains {
            if self.lacks_bucket(edge.meter) {
                continue;
            }
            if increase.gap {
                gaps.add(&edge, &increase);
                continue;
            }
            let end = increase.to.ceil_to(self.settings.slot);
            let gained = Slot {
                counts: edge.weight.times(increase.events),
                ..Slot::default()
            };
            put(&mut self.meters[edge.meter], edge.lane, layer, end, &gained);
            if edge.weight.total > 0.0 && !plan.meters[edge.meter].follows_whole() {
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
        for (meter, lane, end, counts) in gaps.slots(self.settings.slot) {
            let gained = Slot {
                counts,
                reconstructed: true,
                ..Slot::default()
            };
            put(&mut self.meters[meter], lane, layer, end, &gained);
        }
        for ranges in covered.values_mut() {
            *ranges = union(std::mem::take(ranges));
        }
        for (meter, lane) in self.counter_lanes(family) {
            let totals = matches!(
                plan.lane((meter, lane)),
                Lane::Counters { totals: true, .. }
            );
            // Where only a part is counted, having asked is having measured: what never failed has no series.
            let ranges = if totals {
                let measured = plan.measured_with(meter).unwrap_or(meter);
                covered.get(&(measured, lane)).cloned().unwrap_or_default()
            } else {
                vec![range]
            };
            self.credit(meter, lane, layer, ranges);
        }
        if layer == Layer::Settled {
            let source = &self.plan.families[family].source;
            if let Some(source) = self.sources.get_mut(source) {
                source.note_ignored(&ignored);
            }
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

    /// Hands what was settled of a family to the commit, and forgets series that ended long ago. Those
    /// that nobody selected for a while were forgotten before, and some of them have moved since.
    fn commit_family(
        &mut self,
        family: FamilyIndex,
        (moved, unselected): (&[usize], Vec<Labels>),
        commit: &mut Commit,
    ) {
        let planned = &self.plan.families[family];
        let state = &mut self.families[family];
        let mut record = state.record(planned, moved);
        record.falls = state.table.take_new_falls();
        let forgotten = state.table.forget(record.settled_to - SERIES_KEPT);
        for labels in &forgotten {
            record.cursors.remove(labels);
        }
        let gone = unselected.into_iter().chain(forgotten);
        let gone = gone.filter(|labels| !record.cursors.contains_key(labels));
        record.dropped.extend(gone);
        let settled_to = record.settled_to;
        commit.families.insert(family_key(planned), record);
        for (meter, lane) in self.counter_lanes(family) {
            let state = &mut self.meters[meter].lanes[lane];
            let record = LaneRecord {
                settled_to,
                covered_to: state.settled.reached(),
                reach: state.reach,
            };
            state.kept = Some(record);
            commit.lanes.insert(self.lane_key(meter, lane), record);
        }
    }

    /// Counts the living series of a family towards their objectives, for the status.
    fn note_series(&mut self, family: FamilyIndex, at: Timestamp, answer: &Answer) {
        let state = &mut self.families[family];
        state.newest_totals = state.table.newest_totals();
        let mut living: BTreeMap<(usize, Towards), u64> = BTreeMap::new();
        let mut add = |edge: Edge, series: u64| {
            *living.entry((edge.meter, edge.towards)).or_default() += series;
        };
        match answer.summed {
            None => {
                let since = at - validity(state.interval);
                state.table.alive(since).for_each(|edge| add(*edge, 1));
                if self.plan.families[family].has_thresholds() {
                    state.lacking = state.table.lacking(since);
                }
            }
            Some(Summed { living: None, .. }) => return,
            Some(Summed {
                living: Some(rows), ..
            }) => {
                for row in rows.series() {
                    let series = count(row.samples) as u64;
                    let edges = self.plan.roll(family).edges_of(row.labels);
                    edges.for_each(|edge| add(edge, series));
                }
            }
        }
        state.living = living;
        let plan = Arc::clone(&self.plan);
        for role in &plan.families[family].roles {
            for meter in plan.members(role.slo).all() {
                let families = plan.meters[meter].lanes.iter().flat_map(Lane::families);
                let key = (meter, role.towards);
                let count = families
                    .filter_map(|family| self.families[family].living.get(&key))
                    .sum();
                let series = &mut self.meters[meter].series;
                match role.towards {
                    Towards::Total => series.total = count,
                    Towards::Part => series.bad = count,
                }
            }
        }
    }

    /// The meters' lanes that count samples of a family.
    pub(super) fn counter_lanes(&self, family: FamilyIndex) -> Vec<LaneIndex> {
        let counts = |lane: &LaneIndex| matches!(self.plan.lane(*lane), Lane::Counters { .. });
        let lanes = self.plan.lanes_of(family).iter().copied();
        lanes.filter(counts).collect()
    }
}

/// The same time without overlaps, in order.
fn union(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.sort_unstable_by_key(|range| range.from);
    let mut whole: Vec<TimeRange> = Vec::new();
    for range in ranges {
        match whole.last_mut() {
            Some(last) if range.from <= last.to => last.to = last.to.max(range.to),
            _ => whole.push(range),
        }
    }
    whole
}
