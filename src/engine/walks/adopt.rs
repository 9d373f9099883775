//! Walks under other definitions: each goes on for those of its objectives that are still there, and
//! what is left of it waits until the others return.

use std::collections::{BTreeSet, HashMap};

use crate::engine::state::{State, family_key};
use crate::series::plan::{FamilyIndex, Lane, LaneIndex, MeterIndex};
use crate::store::commit::{Commit, FamilyKey, LaneKey, MeterKey, WalkKey, WalkRecord};

use super::{FIRST_LENGTH, Walk, Way};

/// Where lanes and families are in a plan.
struct Places {
    meters: HashMap<MeterKey, MeterIndex>,
    families: HashMap<FamilyKey, FamilyIndex>,
}

impl State {
    /// Finds the walks' places in a plan anew. Lanes that were on one need no other.
    pub(in crate::engine) fn adopt_walks(&mut self) {
        self.walks.clear();
        let meters = self.meters.iter().map(|meter| meter.key.clone());
        let families = self.plan.families.iter().map(family_key);
        let places = Places {
            meters: meters.zip(0..).collect(),
            families: families.zip(0..).collect(),
        };
        for (key, record) in self.walked.clone() {
            let lanes: Vec<(LaneIndex, LaneKey)> = record
                .lanes
                .iter()
                .filter_map(|lane| Some((self.place(&places, &record, lane)?, lane.clone())))
                .collect();
            for ((meter, lane), _) in &lanes {
                let lane = &mut self.meters[*meter].lanes[*lane];
                lane.begun |= lane.stopped.is_none();
            }
            if record.is_done() {
                continue;
            }
            let is_lost = |((meter, lane), _): &(LaneIndex, LaneKey)| {
                self.meters[*meter].lanes[*lane].stopped == Some(record.seam)
            };
            let (lost, living): (Vec<_>, Vec<_>) = lanes.into_iter().partition(is_lost);
            let rest = self.adopt_walk(&places, (key, record), living);
            if let Some((key, mut record)) = rest.filter(|_| !lost.is_empty()) {
                // What was counted live from the seam on is lost, and counted again with what was missed since: so are
                // the first samples that were to be joined to what the walk finds.
                record.forget_live(|_| true);
                self.note_part(key.clone(), record.clone());
                self.adopt_walk(&places, (key, record), lost);
            }
        }
    }

    /// The place of a lane of a walk, if all that it needs is read there.
    fn place(&self, places: &Places, record: &WalkRecord, lane: &LaneKey) -> Option<LaneIndex> {
        let meter = *places.meters.get(&lane.meter)?;
        let number = usize::from(lane.lane);
        let families = self.plan.meters[meter].lanes.get(number)?.families();
        let is_read = |family: &FamilyIndex| {
            let key = family_key(&self.plan.families[*family]);
            record.families.iter().any(|family| family.key == key)
        };
        families.iter().all(is_read).then_some((meter, number))
    }

    /// Goes on with a walk for these of its lanes. The others, if there are any, keep a walk of their own
    /// that has come as far; says which.
    fn adopt_walk(
        &mut self,
        places: &Places,
        (key, record): (WalkKey, WalkRecord),
        lanes: Vec<(LaneIndex, LaneKey)>,
    ) -> Option<(WalkKey, WalkRecord)> {
        if lanes.is_empty() {
            return Some((key, record));
        }
        let needed = lanes.iter().map(|(lane, _)| self.plan.lane(*lane));
        let needed = needed.flat_map(Lane::families);
        let needed = needed.map(|family| family_key(&self.plan.families[family]));
        let needed: BTreeSet<FamilyKey> = needed.collect();
        let (lanes, keys): (Vec<LaneIndex>, BTreeSet<LaneKey>) = lanes.into_iter().unzip();
        let is_here = |lane: &LaneKey| keys.contains(lane);
        let own = record.part(is_here, |family| needed.contains(family));
        let others = record.part(|lane| !is_here(lane), |_| true);
        if own != record {
            self.note_part(key.clone(), own.clone());
        }
        let others = (!others.lanes.is_empty()).then(|| (self.free_key(&key), others));
        if let Some((key, others)) = &others {
            self.note_part(key.clone(), others.clone());
        }
        self.begin_again(places, (key, own), lanes);
        others
    }

    /// Lets a walk go on, if its source has a past.
    fn begin_again(
        &mut self,
        places: &Places,
        (key, record): (WalkKey, WalkRecord),
        lanes: Vec<LaneIndex>,
    ) {
        let families = record.families.iter();
        let families: Vec<FamilyIndex> = families
            .filter_map(|family| places.families.get(&family.key).copied())
            .collect();
        let Some(first) = families.first() else {
            return;
        };
        let source = self.plan.families[*first].source.clone();
        if self.has_past(&source) {
            let walk = Walk {
                source,
                lanes,
                families,
                record,
                length: FIRST_LENGTH,
                way: Way::Samples,
            };
            self.walks.insert(key, walk);
        }
    }

    /// A key for a part of the walk `key` that no other one has.
    fn free_key(&self, key: &WalkKey) -> WalkKey {
        let mut number = 2;
        loop {
            let free = WalkKey(format!("{} {number}", key.0));
            if !self.walked.contains_key(&free) {
                return free;
            }
            number += 1;
        }
    }

    fn note_part(&mut self, key: WalkKey, record: WalkRecord) {
        self.walked.insert(key.clone(), record.clone());
        self.parted.insert(key, record);
    }

    /// Tells the store of walks that were parted, all parts at once and before any of them goes on.
    pub(in crate::engine) fn say_parted(&mut self, commit: &mut Commit) {
        commit.walks.append(&mut self.parted);
    }
}
