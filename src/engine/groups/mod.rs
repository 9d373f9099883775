//! Groups of objectives: found in what is read, known from then on, refused beyond what an objective
//! may have, and dropped when nothing is left of them.

mod drop;
mod find;
mod refused;
pub(super) mod split;
mod told;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::labels::Labels;
use crate::domain::refusal::Refusal;
use crate::domain::slo::SloId;
use crate::domain::time::Timestamp;
use crate::ledger::Ledger;
use crate::series::plan::{MeterIndex, Plan, SloIndex};
use crate::status::snapshot::GroupCount;
use crate::store::commit::{Commit, GroupRecord};

use super::lanes::Seen;
use super::state::{LaneState, MeterState, State};
use refused::Refused;

/// A group, by its objective and by what its series have of the labels that tell groups apart.
pub(super) type Found = (SloIndex, Labels);

/// What is known of groups, besides the meters that they have.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// As the store keeps them, also of objectives that are not defined now.
    pub(super) known: BTreeMap<SloId, GroupRecord>,
    /// Those that have no meter, by their objective.
    pub(super) refused: BTreeMap<SloId, Refused>,
    /// Objectives of which the store is to be told.
    changed: BTreeSet<SloId>,
    /// Before this time nothing is dropped.
    pub(super) drops_after: Timestamp,
}

/// How a group comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// With what was just read: it was not there before, so it was measured as its objective was.
    New,
    /// With what was read before there was a meter for it: its past is still to be counted.
    WithPast,
    /// The same, but its past stays uncounted.
    Late,
}

impl Groups {
    /// With what the store kept.
    pub(super) fn of(known: BTreeMap<SloId, GroupRecord>) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }

    /// Hands what the store does not know yet to a commit.
    pub(super) fn commit(&mut self, commit: &mut Commit) {
        for slo in std::mem::take(&mut self.changed) {
            if let Some(record) = self.known.get(&slo) {
                commit.groups.insert(slo, record.clone());
            }
        }
    }

    fn set_refusal(&mut self, slo: &SloId, refusal: Option<Refusal>) {
        self.known.entry(slo.clone()).or_default().refusal = refusal;
        self.changed.insert(slo.clone());
    }

    fn refuse(&mut self, slo: &SloId, group: Labels, most: usize) {
        let refused = self.refused.entry(slo.clone()).or_default();
        if refused.is_empty() {
            tracing::warn!(%slo, group = %group, "{slo} has {most} groups, as many as its `maxGroups` allows: \
                {{{group}}} and all further ones are not watched; group by a label with fewer values, or raise `maxGroups`");
        }
        refused.note(group, None);
    }

    fn is_refused(&self, slo: &SloId, group: &Labels) -> bool {
        let refused = self.refused.get(slo);
        refused.is_some_and(|refused| refused.may_hold(group))
    }
}

impl State {
    /// How many groups the objective of a meter has, if it is divided into groups.
    pub(super) fn group_count(&self, meter: MeterIndex) -> Option<GroupCount> {
        let of = self.plan.meters[meter].of;
        let planned = &self.plan.slos[of];
        let grouping = planned.grouping()?;
        let refused = self.groups.refused.get(&planned.slo.counted_as);
        let count = |groups: usize| u64::try_from(groups).unwrap_or(u64::MAX);
        Some(GroupCount {
            known: count(self.plan.members(of).groups.len()),
            most: count(grouping.most),
            refused: count(refused.map_or(0, Refused::present)),
        })
    }

    /// The plan with all groups that are known of its objectives.
    pub(super) fn with_known(&mut self, plan: &Arc<Plan>) -> Arc<Plan> {
        let mut known: Vec<Found> = Vec::new();
        for (of, planned) in plan.slos.iter().enumerate() {
            let Some(grouping) = planned.grouping() else {
                continue;
            };
            let record = self.groups.known.entry(planned.slo.counted_as.clone());
            let record = record.or_default();
            if record.by != grouping.by {
                *record = GroupRecord {
                    by: grouping.by.clone(),
                    groups: BTreeSet::new(),
                    refusal: record.refusal,
                };
                self.groups.changed.insert(planned.slo.counted_as.clone());
            }
            known.extend(record.groups.iter().map(|labels| (of, labels.clone())));
        }
        if known.is_empty() {
            return Arc::clone(plan);
        }
        let known = known.iter().map(|(of, labels)| (*of, labels));
        Arc::new(plan.with_groups(known))
    }

    /// Gives groups meters, as long as their objectives may have more; says which meters are new.
    fn admit(&mut self, found: &BTreeSet<Found>, entry: Entry) -> std::ops::Range<MeterIndex> {
        let first = self.plan.meters.len();
        let mut accepted: Vec<(SloIndex, &Labels, Entry)> = Vec::new();
        let mut more: BTreeMap<SloIndex, usize> = BTreeMap::new();
        for (of, labels) in found {
            let planned = &self.plan.slos[*of];
            let members = self.plan.members(*of);
            let Some(grouping) = planned.grouping() else {
                continue;
            };
            if members.groups.contains_key(labels) {
                continue;
            }
            let uid = &planned.slo.counted_as;
            let more = more.entry(*of).or_default();
            if members.groups.len() + *more >= grouping.most {
                self.groups.refuse(uid, labels.clone(), grouping.most);
                continue;
            }
            *more += 1;
            let was_refused = self.groups.is_refused(uid, labels);
            if let Some(refused) = self.groups.refused.get_mut(uid) {
                refused.remove(labels);
            }
            // What was measured while it was refused was not measured of it.
            let entry = if was_refused { Entry::Late } else { entry };
            accepted.push((*of, labels, entry));
        }
        if accepted.is_empty() {
            return first..first;
        }
        let groups = accepted.iter().map(|(of, labels, _)| (*of, *labels));
        self.plan = Arc::new(self.plan.with_groups(groups));
        let mut measured: BTreeMap<MeterIndex, Ledger> = BTreeMap::new();
        for (meter, (of, labels, entry)) in (first..).zip(&accepted) {
            let uid = &self.plan.slos[*of].slo.counted_as;
            let record = self.groups.known.entry(uid.clone()).or_default();
            record.by.clone_from(&self.plan.members(*of).by.to_vec());
            record.groups.insert((*labels).clone());
            self.groups.changed.insert(uid.clone());
            let state = self.new_group(meter, *entry, &mut measured);
            self.meters.push(state);
        }
        // Who only explains has found nothing that is news.
        let told = more.into_iter().filter(|(_, more)| *more > 0);
        for (of, more) in told.filter(|_| self.traced.is_none()) {
            let slo = &self.plan.slos[of].slo.counted_as;
            let all = self.plan.members(of).groups.len();
            tracing::info!(%slo, "found {more} new groups of {slo}; it has {all}");
        }
        first..self.plan.meters.len()
    }

    /// The state of a group that is new in the plan: as it was put aside, if it was; else nothing
    /// was counted of it.
    fn new_group(
        &mut self,
        meter: MeterIndex,
        entry: Entry,
        measured: &mut BTreeMap<MeterIndex, Ledger>,
    ) -> MeterState {
        let plan = Arc::clone(&self.plan);
        let mut state = self.restore_meter(&plan.meters[meter]);
        let is_known = |lane: &LaneState| lane.begun || lane.stopped.is_some();
        if state.lanes.iter().any(is_known) {
            return state;
        }
        let whole = plan.whole_of(meter);
        match entry {
            Entry::WithPast => {}
            Entry::Late => state.lanes.clone_from(&self.meters[whole].lanes),
            Entry::New => {
                state.lanes.clone_from(&self.meters[whole].lanes);
                let ledger = &self.meters[whole].ledger;
                let measured = measured.entry(whole).or_insert_with(|| ledger.measured());
                state.ledger = measured.clone();
            }
        }
        // The store holds nothing of it yet, and nothing was seen of it.
        for lane in &mut state.lanes {
            lane.kept = None;
            lane.seen = Seen::Never;
        }
        state
    }
}
