//! Blame: which series the bad events of the last hour came from, slot by slot.

use std::collections::{BTreeMap, HashMap};

use crate::domain::contributors::{BUCKET, LabelShare, Variety, contributors};
use crate::domain::labels::Labels;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::plan::Lane;
use crate::series::table::{Gain, Layer};

use super::state::State;

/// The windows that are looked at.
pub(super) const WINDOWS: [Span; 2] = [Span::from_mins(5), Span::from_hours(1)];

/// How long slots are remembered: the longest window, and what may be settled anew.
const KEPT: Span = Span::from_mins(75);

/// So many series are blamed in one slot at most; bad events of more than these are not told apart.
const MOST_SERIES: usize = 1_000;

/// Bad events by slot and series; only where there are any.
type Slots = BTreeMap<Timestamp, BTreeMap<Labels, f64>>;

/// The bad events of one instance.
#[derive(Debug, Default)]
pub(super) struct Blame {
    settled: BTreeMap<u16, Slots>,
    head: BTreeMap<u16, Slots>,
}

impl Blame {
    /// Adds bad events of a series to the slot of a lane that ends `end`; good ones are taken away.
    pub(super) fn add(
        &mut self,
        lane: u16,
        layer: Layer,
        end: Timestamp,
        series: Labels,
        bad: f64,
    ) {
        let lanes = match layer {
            Layer::Settled => &mut self.settled,
            Layer::Head => &mut self.head,
        };
        let slot = lanes.entry(lane).or_default().entry(end).or_default();
        if slot.len() < MOST_SERIES || slot.contains_key(&series) {
            *slot.entry(series).or_default() += bad;
        }
    }

    /// Drops what is provisional of a lane.
    pub(super) fn clear_head(&mut self, lane: u16) {
        self.head.remove(&lane);
    }

    /// Forgets what no window reaches any more `at` this time.
    pub(super) fn forget(&mut self, at: Timestamp) {
        for slots in self.settled.values_mut().chain(self.head.values_mut()) {
            *slots = slots.split_off(&(at - KEPT));
        }
    }

    /// The bad events of all series in the slots that end in `range`.
    fn within(&self, range: TimeRange) -> BTreeMap<Labels, f64> {
        let mut sums = BTreeMap::new();
        let slots = self.settled.values().chain(self.head.values()).flatten();
        for (series, bad) in slots
            .filter(|(end, _)| range.contains(**end))
            .flat_map(|(_, slot)| slot)
        {
            *sums.entry(series.clone()).or_insert(0.0) += bad;
        }
        sums.retain(|_, bad| *bad > 0.0);
        sums
    }
}

impl State {
    /// Where the bad events of an instance came from, in each of [`WINDOWS`].
    pub(super) fn contributors(&self, meter: usize, at: Timestamp) -> Vec<(Span, Vec<LabelShare>)> {
        let families = self.plan.meters[meter].lanes.iter();
        let families = families.flat_map(Lane::families);
        let varieties: Vec<&Variety> = families
            .filter_map(|family| self.families[family].table.variety(meter))
            .collect();
        let values = |label: &str| {
            let values = varieties.iter().map(|variety| variety.values(label));
            values.max().unwrap_or_default()
        };
        let shares = |window: Span| {
            let range = TimeRange {
                from: at - window,
                to: at,
            };
            let bad = self.meters[meter].blame.within(range);
            (window, contributors(&bad, values))
        };
        WINDOWS.into_iter().map(shares).collect()
    }
}

impl State {
    /// Remembers which series of a family bad events came from, as long as a window may ask.
    pub(super) fn note_blame(
        &mut self,
        family: usize,
        to: Timestamp,
        layer: Layer,
        gains: &[Gain],
    ) {
        let table = &self.families[family].table;
        let mut bad: HashMap<(usize, u16, Timestamp, usize), f64> = HashMap::new();
        for Gain {
            row,
            edge,
            increase,
        } in gains
        {
            let events = increase.events * edge.weight.bad;
            if events == 0.0 || increase.to < to - KEPT {
                continue;
            }
            let origin = table.origin(*row);
            for (end, share) in increase.slots(self.settings.slot) {
                let key = (edge.meter, edge.lane, end, origin);
                *bad.entry(key).or_default() += share * edge.weight.bad;
            }
        }
        for ((meter, lane, end, row), bad) in bad {
            if let Some(labels) = table.labels(row).filter(|_| bad != 0.0) {
                let blame = &mut self.meters[meter].blame;
                blame.add(lane, layer, end, origin(labels), bad);
                blame.forget(to);
            }
        }
    }
}

/// What tells where events of a series came from: its labels but for the bucket.
pub(super) fn origin(labels: &Labels) -> Labels {
    let pairs = labels.iter().filter(|(label, _)| *label != BUCKET);
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_events_are_summed_over_the_window_settled_and_not() {
        let at = |second: i64| Timestamp::from_millis(second * 1_000);
        let series = |pod: &str| -> Labels { [("pod", pod)].into_iter().collect() };
        let mut blame = Blame::default();
        for (layer, end, pod, bad) in [
            (Layer::Settled, 30, "a", 1.0),
            (Layer::Settled, 60, "a", 2.0),
            (Layer::Head, 90, "a", 4.0),
            (Layer::Head, 90, "b", 8.0),
            // As many in a bucket as in all.
            (Layer::Head, 90, "c", 5.0),
            (Layer::Head, 90, "c", -5.0),
        ] {
            blame.add(0, layer, at(end), series(pod), bad);
        }
        let sums = |blame: &Blame, from, to| {
            let range = TimeRange {
                from: at(from),
                to: at(to),
            };
            let sums = blame.within(range);
            let told = sums
                .iter()
                .map(|(series, bad)| format!("{} {bad}", series.get("pod")));
            told.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(sums(&blame, 30, 90), "a 6, b 8");
        assert_eq!(sums(&blame, 0, 60), "a 3");
        blame.clear_head(0);
        assert_eq!(sums(&blame, 0, 90), "a 3");
        blame.forget(at(60) + KEPT);
        assert_eq!(sums(&blame, 0, 90), "a 2");
        let bucket: Labels = [("le", "0.5"), ("pod", "a")].into_iter().collect();
        assert_eq!(origin(&bucket), series("a"));
    }
}
