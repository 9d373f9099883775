//! Where groups are found: in what was just read, and among series that were there before.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::domain::labels::LabelsRef;
use crate::domain::time::Timestamp;
use crate::engine::answers::Whole;
use crate::engine::state::State;
use crate::series::batch::{Batch, Sample, Series, SeriesId};
use crate::series::plan::{FamilyIndex, Lane, MeterIndex};
use crate::series::table::Novelty;
use crate::store::commit::Commit;

use super::{Entry, Found};

type Reads<'r> = BTreeMap<FamilyIndex, Whole<'r>>;

impl State {
    /// Lets groups of counters in that have no meter, but series in what was just read.
    pub(in crate::engine) fn find_groups(&mut self, read: &Reads, commit: &mut Commit) {
        self.find_standing(read);
        self.find_new(read, commit);
    }

    /// Groups that were there before what is counted now, and are not known: those of families whose series are not
    /// known, and those that return to sums.
    fn find_standing(&mut self, read: &Reads) {
        let mut found: BTreeSet<Found> = BTreeSet::new();
        for (family, whole) in read {
            let (roll, state) = (self.plan.roll(*family), &self.families[*family]);
            if let Some(settled_to) = state.settled_to
                && roll.is_grouped()
                && (state.unprimed || whole.summed.is_some())
            {
                let standing = standing(whole, settled_to);
                found.extend(standing.flat_map(|labels| roll.strangers(labels)));
            }
        }
        let new = self.admit(&found, Entry::WithPast);
        for family in self.families_of(new) {
            let roll = self.plan.roll(family);
            self.families[family].table.assign(roll);
        }
        for (family, whole) in read {
            if let Some(summed) = &whole.summed
                && let Some(rows) = &summed.standing
            {
                let roll = self.plan.roll(*family);
                let table = &mut self.families[*family].table;
                table.stand(roll, rows, whole.range.from, summed.form);
            }
        }
    }

    /// Groups of series that are new: all others had their groups looked for when these were.
    fn find_new(&mut self, read: &Reads, commit: &mut Commit) {
        let mut found: BTreeSet<Found> = BTreeSet::new();
        let mut seen_before: BTreeSet<FamilyIndex> = BTreeSet::new();
        for (family, whole) in read {
            let roll = self.plan.roll(*family);
            if !roll.is_grouped() {
                continue;
            }
            let table = &self.families[*family].table;
            let mut look = |id: SeriesId, labels: LabelsRef| {
                let novelty = table.novelty(id, labels);
                if novelty == Novelty::Known {
                    return;
                }
                let before = found.len();
                found.extend(roll.strangers(labels));
                if novelty == Novelty::Provisional && found.len() > before {
                    seen_before.insert(*family);
                }
            };
            for series in whole.batch.series() {
                look(series.id, series.labels);
            }
            // Of a series that begins the sums tell a sample later.
            let labels = &roll.family().told_by;
            let summed = whole.summed.iter();
            for row in summed.flat_map(|it| it.arriving(whole.range, labels)) {
                look(SeriesId::of(&row), (&row).into());
            }
        }
        self.take_new_groups(&found, commit);
        for family in seen_before {
            self.families[family].table.assign(self.plan.roll(family));
        }
    }

    /// Lets groups in that were found in what was just read. What the walks through their
    /// objective's past have still to count is counted for them too.
    pub(in crate::engine) fn take_new_groups(
        &mut self,
        found: &BTreeSet<Found>,
        commit: &mut Commit,
    ) {
        for meter in self.admit(found, Entry::New) {
            self.join_walks(meter, commit);
            self.keep_as_whole(meter, commit);
        }
    }

    /// Keeps of a new group that it is settled as far as its whole, so that it is counted from there should it go away before
    /// more is settled, and return.
    fn keep_as_whole(&mut self, meter: MeterIndex, commit: &mut Commit) {
        let whole = self.plan.whole_of(meter);
        for lane in 0..self.meters[meter].lanes.len() {
            let kept = self.meters[whole].lanes[lane].kept;
            let own = &mut self.meters[meter].lanes[lane].kept;
            if let (None, Some(record)) = (&own, kept) {
                *own = kept;
                commit.lanes.insert(self.lane_key(meter, lane), record);
            }
        }
    }

    /// Lets groups in of series that were counted for good, for others than their groups.
    pub(in crate::engine) fn take_known_series(&mut self, entry: Entry) {
        let mut found: BTreeSet<Found> = BTreeSet::new();
        for (family, state) in self.families.iter().enumerate() {
            let roll = self.plan.roll(family);
            if roll.is_grouped() {
                let all = state.table.settled_labels();
                found.extend(all.flat_map(|labels| roll.strangers(labels.into())));
            }
        }
        let new = self.admit(&found, entry);
        for family in self.families_of(new) {
            let roll = self.plan.roll(family);
            let state = &mut self.families[family];
            state.table.assign(roll);
            // What is provisional is read once more, for the new ones too.
            state.head_to = None;
        }
    }

    /// The families that some meters are counted from.
    fn families_of(&self, meters: Range<MeterIndex>) -> BTreeSet<FamilyIndex> {
        let lanes = meters.flat_map(|meter| self.plan.meters[meter].lanes.iter());
        lanes.flat_map(Lane::families).collect()
    }
}

/// The labels of what stood `at` a time already, as far as an answer tells.
fn standing<'w>(whole: &'w Whole, at: Timestamp) -> impl Iterator<Item = LabelsRef<'w>> {
    let (samples, rows) = match &whole.summed {
        None => (&*whole.batch, None),
        Some(summed) => (&summed.arrivals.samples, summed.standing.as_ref()),
    };
    // Targets of series that return show others too, which do not.
    let is_there = move |it: &Series| {
        let is_new = |sample: &Sample| sample.at > at;
        whole.summed.is_none() || it.samples.last().is_some_and(is_new)
    };
    let stood = move |it: &Series| it.samples.first().is_some_and(|first| first.at <= at);
    let stood = samples.series().filter(stood).filter(is_there);
    let rows = rows.into_iter().flat_map(Batch::series);
    stood.chain(rows).map(|series| series.labels)
}
