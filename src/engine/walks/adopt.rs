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
            if !record.is_done() && !lanes.is_empty() {
                self.adopt_walk(&places, key, &record, lanes);
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
    /// that has come as far.
    fn adopt_walk(
        &mut self,
        places: &Places,
        key: WalkKey,
        record: &WalkRecord,
        lanes: Vec<(LaneIndex, LaneKey)>,
    ) {
        let needed = lanes.iter().map(|(lane, _)| self.plan.lane(*lane));
        let needed = needed.flat_map(Lane::families);
        let needed = needed.map(|family| family_key(&self.plan.families[family]));
        let needed: BTreeSet<FamilyKey> = needed.collect();
        let (lanes, keys): (Vec<LaneIndex>, BTreeSet<LaneKey>) = lanes.into_iter().unzip();
        let is_here = |lane: &LaneKey| keys.contains(lane);
        let own = record.part(is_here, |family| needed.contains(family));
        let others = record.part(|lane| !is_here(lane), |_| true);
        if own != *record {
            self.note_part(key.clone(), own.clone());
        }
        if !others.lanes.is_empty() {
            self.note_part(self.free_key(&key), others);
        }
        let families = own.families.iter();
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
                record: own,
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
