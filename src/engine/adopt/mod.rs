//! Going over to other definitions: what is known is carried over by identity, and what is no longer
//! defined is put aside, so that a reload comes to the same as a restart.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::group::{Group, Grouping};
use crate::domain::indicator::Indicator;
use crate::domain::slo::{Catalog, SloId};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::chunk::Chunk;
use crate::series::plan::{Family, FamilyIndex, Lane, Meter, Plan, PlanError, Role};
use crate::series::roll::Roll;
use crate::series::seen::Sorter;
use crate::store::commit::{FamilyKey, FamilyRecord, LaneKey};

use super::coverage::Coverage;
use super::groups::Entry;
use super::state::{FamilyState, LaneState, MeterState, State, family_key};

/// A set of definitions and what it takes to follow it. An engine runs every tick under exactly one.
#[derive(Clone, Debug, Default)]
pub struct Revision {
    pub(super) catalog: Arc<Catalog>,
    pub(super) plan: Arc<Plan>,
}

impl Revision {
    /// Plans `catalog` for slots of `slot`.
    ///
    /// # Errors
    /// When a matcher is not a regular expression that can be matched here.
    pub fn of(catalog: Arc<Catalog>, slot: Span) -> Result<Self, PlanError> {
        let plan = Arc::new(Plan::of(&catalog, slot)?);
        Ok(Self { catalog, plan })
    }

    /// What is defined.
    pub const fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }
}

/// What is kept of objectives and families that are not defined now: as the store keeps it, should
/// they return.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) chunks: BTreeMap<LaneKey, Vec<Arc<Chunk>>>,
    pub(super) lanes: BTreeMap<LaneKey, Timestamp>,
    pub(super) families: BTreeMap<FamilyKey, FamilyRecord>,
}

impl State {
    /// Goes over to other definitions, between two ticks. Series, ledgers, alerts and incidents are
    /// kept by identity; only which series counts towards what is found out anew.
    pub fn adopt(&mut self, plan: &Arc<Plan>) {
        let plan = self.with_known(plan);
        self.groups.refused.clear();
        self.go_over_to(&plan, Entry::WithPast);
    }

    /// Goes over to another plan. Groups of known series for which it has no meters come in as
    /// `entry` says.
    pub(super) fn go_over_to(&mut self, plan: &Arc<Plan>, entry: Entry) {
        let before = std::mem::replace(&mut self.plan, Arc::clone(plan));
        self.adopt_families(&before);
        self.adopt_meters(&before);
        let mut known = std::mem::take(&mut self.sources);
        for family in plan.families.iter() {
            let state = known.remove(&family.source).unwrap_or_default();
            self.sources.entry(family.source.clone()).or_insert(state);
        }
        self.adopt_walks();
        self.take_known_series(entry);
        self.note_restored();
    }

    fn adopt_families(&mut self, before: &Plan) {
        let plan = Arc::clone(&self.plan);
        let states = std::mem::take(&mut self.families).into_iter().enumerate();
        let mut known: BTreeMap<FamilyKey, (FamilyIndex, FamilyState)> = states
            .map(|(index, state)| (family_key(&before.families[index]), (index, state)))
            .collect();
        let mut carried: BTreeMap<FamilyKey, FamilyState> = BTreeMap::new();
        for (place, family) in plan.families.iter().enumerate() {
            let key = family_key(family);
            let counts = |index: &FamilyIndex| before.families[*index].counts();
            if known
                .get(&key)
                .is_some_and(|(index, _)| counts(index) == family.counts())
                && let Some((index, state)) = known.remove(&key)
            {
                let same = before.families[index].fetch == family.fetch;
                let counted = counted(before, &before.families[index]) == counted(&plan, family);
                let mut state = state.replanned(plan.roll(place), same, counted);
                // Queries that were divided for other selectors might leave something out.
                if before.families[index].fetches != family.fetches {
                    state.fetches = family.fetches.clone();
                }
                carried.insert(key, state);
            }
        }
        for (key, (index, state)) in known {
            let rows: Vec<usize> = (0..state.table.len()).collect();
            if state.settled_to.is_some() {
                let record = state.record(&before.families[index], &rows);
                self.shelf.families.insert(key, record);
            }
        }
        let state = |(place, family): (FamilyIndex, &Family)| {
            let key = family_key(family);
            carried.remove(&key).unwrap_or_else(|| {
                let kept = family.counts().then(|| self.shelf.families.remove(&key));
                FamilyState::restore(&self.settings, plan.roll(place), kept.flatten())
            })
        };
        self.families = plan.families.iter().enumerate().map(state).collect();
    }

    fn adopt_meters(&mut self, before: &Plan) {
        let plan = Arc::clone(&self.plan);
        let states = before.meters.iter().zip(std::mem::take(&mut self.meters));
        let mut known: BTreeMap<&SloId, (&Meter, MeterState)> = states
            .map(|(meter, state)| (&meter.slo.id, (meter, state)))
            .collect();
        let mut carried: BTreeMap<&SloId, MeterState> = BTreeMap::new();
        for meter in &plan.meters {
            let id = &meter.slo.id;
            let Some((old, state)) = known.remove(id) else {
                continue;
            };
            if (&old.slo.indicator, &old.slo.source) == (&meter.slo.indicator, &meter.slo.source) {
                carried.insert(id, state.promising(old, meter));
            } else {
                known.insert(id, (old, state));
            }
        }
        for (id, (old, state)) in known {
            self.put_aside(id, old, state);
        }
        for meter in &plan.meters {
            let id = &meter.slo.id;
            let state = carried
                .remove(id)
                .unwrap_or_else(|| self.restore_meter(meter));
            self.meters.push(state);
        }
    }

    /// Keeps what the store keeps of an objective. Its alert is an orphan until it is defined again
    /// or the next tick closes it.
    fn put_aside(&mut self, id: &SloId, old: &Meter, state: MeterState) {
        let key = |lane| LaneKey {
            slo: id.clone(),
            lane,
        };
        for (lane, chunk) in state.ledger.chunks() {
            let kept = self.shelf.chunks.entry(key(lane)).or_default();
            kept.push(Arc::clone(chunk));
        }
        for (number, (planned, lane)) in (0..).zip(old.lanes.iter().zip(&state.lanes)) {
            let settled_to = match planned {
                Lane::Counters { .. } => lane.settled.reached(),
                _ => lane.settled_to,
            };
            if let Some(settled_to) = settled_to {
                self.shelf.lanes.insert(key(number), settled_to);
            }
        }
        self.orphans.insert(id.clone(), state.alert);
    }

    /// An objective as the store kept it; a new one where it kept nothing.
    pub(super) fn restore_meter(&mut self, meter: &Meter) -> MeterState {
        let mut state = MeterState::new(&self.settings, meter);
        let id = &meter.slo.id;
        state.alert = self.orphans.remove(id).unwrap_or_default();
        for (lane, planned) in (0..).zip(meter.lanes.iter()) {
            let key = LaneKey {
                slo: id.clone(),
                lane,
            };
            if let Some(at) = self.shelf.lanes.remove(&key) {
                state.lanes[usize::from(lane)].restore(planned, at);
            }
            for chunk in self.shelf.chunks.remove(&key).into_iter().flatten() {
                state.lanes[usize::from(lane)].begun = true;
                state.ledger.restore(lane, chunk);
            }
        }
        state
    }

    /// Remembers which objectives had series that count as bad (or good) before.
    fn note_restored(&mut self) {
        for family in &self.families {
            for edge in family.table.edges() {
                self.meters[edge.meter].note_edge(edge);
            }
        }
    }
}

/// The objectives that count samples of a family, and as what.
fn counted<'a>(plan: &'a Plan, family: &Family) -> Vec<(&'a SloId, &'a Indicator, Groups<'a>)> {
    let slo = |role: &Role| &plan.slos[role.slo].slo;
    let slos = family.roles.iter().map(slo);
    let groups = |it: &'a Grouping| (it.by.as_slice(), &it.expected);
    slos.map(|slo| {
        (
            &slo.uid,
            &slo.indicator,
            slo.grouping.as_deref().map(groups),
        )
    })
    .collect()
}

/// By which labels an objective is divided into groups, and which of these are always there.
type Groups<'a> = Option<(&'a [String], &'a BTreeSet<Group>)>;

impl FamilyState {
    /// The same series under another plan. Where more or something else is counted, what is
    /// provisional is read once more, and replaced when that succeeds.
    fn replanned(mut self, roll: Roll, same_fetch: bool, same_counted: bool) -> Self {
        if !same_fetch {
            self.reselected = true;
        }
        if !(same_fetch && same_counted) {
            self.head_to = None;
        }
        self.living.clear();
        self.table.assign(roll);
        self.sorter = Sorter::default();
        self.newest_totals = self.table.newest_totals();
        self
    }
}

impl MeterState {
    /// The same measurement of another promise.
    fn promising(mut self, old: &Meter, new: &Meter) -> Self {
        let (old, new) = (&old.slo, &new.slo);
        if (old.objective, &old.window) != (new.objective, &new.window) {
            self.emptied_at = None;
            self.ledger = self.ledger.cut_at(new.window.calendar().cloned());
        }
        self
    }
}

impl LaneState {
    /// Takes over how far the store says that the lane is settled.
    fn restore(&mut self, planned: &Lane, at: Timestamp) {
        self.begun = true;
        match planned {
            Lane::Counters { .. } => {
                self.settled = Coverage::from(Some(at));
                self.head = self.settled;
            }
            _ => self.settled_to = Some(at),
        }
    }
}
