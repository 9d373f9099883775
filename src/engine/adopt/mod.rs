//! Going over to other definitions: what is known is carried over by identity and by what is counted,
//! and what is no longer defined is put aside, so that a reload comes to the same as a restart.

mod selected;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::group::{Group, Grouping};
use crate::domain::indicator::Indicator;
use crate::domain::slo::{Catalog, Slo, SloId};
use crate::domain::time::{Span, Timestamp};
use crate::domain::versions::Versions;
use crate::ledger::chunk::Chunk;
use crate::series::plan::{Family, FamilyIndex, Lane, Meter, Plan, PlanError, Role};
use crate::series::roll::Roll;
use crate::series::seen::Sorter;
use crate::series::table::SeriesTable;
use crate::store::commit::{
    Commit, FamilyKey, FamilyRecord, LaneKey, LaneRecord, MeterKey, WalkRecord,
};

use super::coverage::Coverage;
use super::groups::Entry;
use super::lanes::Seen;
use super::promise::PromiseState;
use super::pushed::Pushed;
use super::state::{FamilyState, LaneState, MeterState, State, calendars, family_key, meter_key};

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
    pub(super) lanes: BTreeMap<LaneKey, LaneRecord>,
    pub(super) seen: BTreeSet<MeterKey>,
    pub(super) versions: BTreeMap<SloId, Versions>,
    pub(super) families: BTreeMap<FamilyKey, FamilyRecord>,
}

impl Shelf {
    /// Lets go of what the store forgets, so that it is counted again should its objective return.
    pub(super) fn forget(&mut self, before: Timestamp, commit: &mut Commit) {
        for chunks in self.chunks.values_mut() {
            chunks.retain(|chunk| chunk.end() > before);
        }
        self.chunks.retain(|_, chunks| !chunks.is_empty());
        for (key, record) in &mut self.lanes {
            if record.reach.is_some_and(|reach| reach < before) {
                record.reach = Some(before);
                commit.lanes.insert(key.clone(), *record);
            }
        }
    }
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
        self.reaches_unchecked = true;
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
                let was = &before.families[index];
                let counted = counted(before, was) == counted(&plan, family);
                let mut state = state.replanned(was, plan.roll(place), self.settings.slot, counted);
                // Queries that were divided for other selectors might leave something out.
                if was.fetches != family.fetches {
                    state.fetches = family.fetches.clone();
                }
                carried.insert(key, state);
            }
        }
        for (key, (index, state)) in known {
            let rows: Vec<usize> = (0..state.table.len()).collect();
            if state.settled_to.is_some() {
                let mut record = state.record(&before.families[index], &rows);
                record.falls = state.table.falls_of_all();
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
        let mut known: BTreeMap<MeterKey, (&Meter, MeterState)> = states
            .map(|(meter, state)| (state.key.clone(), (meter, state)))
            .collect();
        let mut carried: BTreeMap<MeterKey, (MeterState, Promises)> = BTreeMap::new();
        for meter in &plan.meters {
            let key = meter_key(&meter.slo);
            if let Some((old, mut state)) = known.remove(&key) {
                let mut before = promises(old, &mut state);
                let kept = meter
                    .promises()
                    .filter_map(|slo| before.remove_entry(&slo.id));
                let kept: Promises = kept.collect();
                self.put_promises_aside(before);
                carried.insert(key, (state, kept));
            }
        }
        for (old, mut state) in known.into_values() {
            self.put_promises_aside(promises(old, &mut state));
            self.put_aside(state);
        }
        for meter in &plan.meters {
            let state = match carried.remove(&meter_key(&meter.slo)) {
                Some((state, kept)) => self.promising(meter, state, kept),
                None => self.restore_meter(meter),
            };
            self.meters.push(state);
        }
    }

    /// The same measurement under other promises: those that were made before go on.
    fn promising(
        &mut self,
        meter: &Meter,
        mut state: MeterState,
        mut kept: Promises,
    ) -> MeterState {
        state.ledger = state.ledger.cut_at(calendars(meter));
        let promises = meter.promises().map(|slo| match kept.remove(&slo.id) {
            Some((before, state)) => state.taken_over(&before, slo),
            None => self.restore_promise(slo),
        });
        state.promises = promises.collect();
        state
    }

    /// A promise as the store kept it, whatever it is judged by now.
    fn restore_promise(&mut self, slo: &Slo) -> PromiseState {
        PromiseState {
            alert: self.orphans.remove(&slo.id).unwrap_or_default(),
            versions: self.shelf.versions.remove(&slo.id).unwrap_or_default(),
            ..PromiseState::default()
        }
    }

    /// Keeps what the store keeps of promises. Their alerts are orphans until they are made again,
    /// measured one way or another, or the next tick closes them.
    fn put_promises_aside(&mut self, promises: Promises) {
        for (id, (_, state)) in promises {
            self.shelf.versions.insert(id.clone(), state.versions);
            self.orphans.insert(id, state.alert);
        }
    }

    /// Keeps what the store keeps of what was counted.
    fn put_aside(&mut self, state: MeterState) {
        let key = |lane| LaneKey {
            meter: state.key.clone(),
            lane,
        };
        for (lane, chunk) in state.ledger.chunks() {
            let kept = self.shelf.chunks.entry(key(lane)).or_default();
            kept.push(Arc::clone(chunk));
        }
        for (number, lane) in (0..).zip(&state.lanes) {
            if let Some(record) = lane.kept {
                self.shelf.lanes.insert(key(number), record);
            }
        }
        if state.bad_series_ever_seen {
            self.shelf.seen.insert(state.key);
        }
    }

    /// An objective as the store kept it; a new one where it kept nothing of what this indicator counts.
    pub(super) fn restore_meter(&mut self, meter: &Meter) -> MeterState {
        let mut state = MeterState::new(&self.settings, meter);
        state.ledger.forget_before(self.left_before);
        let promises = meter.promises().map(|slo| self.restore_promise(slo));
        state.promises = promises.collect();
        state.seen_kept = self.shelf.seen.remove(&state.key);
        state.bad_series_ever_seen = state.seen_kept;
        let claimed = self.claim(&state.key);
        for (lane, planned) in (0..).zip(meter.lanes.iter()) {
            let key = LaneKey {
                meter: state.key.clone(),
                lane,
            };
            let own = &mut state.lanes[usize::from(lane)];
            if let Some(record) = self.shelf.lanes.remove(&key) {
                // Where its counters go on without it, or begin anew after having been away for long.
                let is_left_behind = match planned {
                    Lane::Counters { family, .. } => {
                        let counted_to = self.families[*family].settled_to;
                        counted_to.is_none_or(|counted_to| counted_to > record.settled_to)
                    }
                    Lane::Slices(_) | Lane::Points { .. } => false,
                };
                own.restore(planned, record, is_left_behind && !claimed);
            }
            let chunks = self.shelf.chunks.remove(&key).unwrap_or_default();
            if own.settled_to.is_some() {
                own.known_to = known_to(&chunks).min(own.settled_to);
            }
            if own.known_to.is_some() {
                own.seen = Seen::Before;
            }
            for chunk in chunks {
                own.begun |= own.stopped.is_none();
                state.ledger.restore(lane, chunk);
            }
            if let Some(stopped) = own.stopped {
                // A walk may have added there what lay across the seam.
                state.ledger.drop_after(lane, stopped);
            }
        }
        state
    }

    /// Lets a meter have what was kept of its objective before indicators were told apart, unless it
    /// has something of its own. Says whether there was any.
    fn claim(&mut self, key: &MeterKey) -> bool {
        let unknown = MeterKey {
            slo: key.slo.clone(),
            indicator: Fingerprint::UNKNOWN,
        };
        let lanes = |meter: &MeterKey| {
            let lane = |lane| LaneKey {
                meter: meter.clone(),
                lane,
            };
            lane(0)..=lane(u16::MAX)
        };
        let shelf = &mut self.shelf;
        let has_own = shelf.lanes.range(lanes(key)).next().is_some()
            || shelf.chunks.range(lanes(key)).next().is_some();
        let found: BTreeSet<u16> = shelf
            .lanes
            .range(lanes(&unknown))
            .map(|(lane, _)| lane.lane)
            .chain(
                shelf
                    .chunks
                    .range(lanes(&unknown))
                    .map(|(lane, _)| lane.lane),
            )
            .collect();
        if has_own || found.is_empty() {
            return false;
        }
        let of = |meter: &MeterKey, lane| LaneKey {
            meter: meter.clone(),
            lane,
        };
        for lane in found {
            if let Some(record) = shelf.lanes.remove(&of(&unknown, lane)) {
                shelf.lanes.insert(of(key, lane), record);
            }
            if let Some(chunks) = shelf.chunks.remove(&of(&unknown, lane)) {
                shelf.chunks.insert(of(key, lane), chunks);
            }
        }
        for walk in self.walked.values_mut() {
            for lane in walk.lanes.iter_mut().filter(|lane| lane.meter == unknown) {
                lane.meter = key.clone();
            }
            for (mut lane, behind) in std::mem::take(&mut walk.behind) {
                if lane.meter == unknown {
                    lane.meter = key.clone();
                }
                walk.behind.insert(lane, behind);
            }
        }
        self.claims.insert(key.slo.clone(), key.indicator);
        true
    }

    /// Tells the store whose what was that it kept before indicators were told apart.
    pub(super) fn say_claims(&mut self, commit: &mut Commit) {
        let claims = std::mem::take(&mut self.claims);
        if claims.is_empty() {
            return;
        }
        let is_claimed = |walk: &WalkRecord| {
            let mut lanes = walk.lanes.iter();
            lanes.any(|lane| claims.contains_key(&lane.meter.slo))
        };
        for (key, walk) in self.walked.iter().filter(|(_, walk)| is_claimed(walk)) {
            commit.walks.insert(key.clone(), walk.clone());
        }
        commit.claims.extend(claims);
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

/// The end of the newest slot that was measured.
fn known_to(chunks: &[Arc<Chunk>]) -> Option<Timestamp> {
    let newest = chunks.iter().max_by_key(|chunk| chunk.end())?;
    let measured = newest.slots().filter(|(_, slot)| slot.covered > Span::ZERO);
    measured.map(|(end, _)| end).max()
}

/// The objectives that count samples of a family, and as what.
fn counted<'a>(plan: &'a Plan, family: &Family) -> Vec<(&'a SloId, &'a Indicator, Groups<'a>)> {
    let slo = |role: &Role| &plan.slos[role.slo].slo;
    let slos = family.roles.iter().map(slo);
    let groups = |it: &'a Grouping| (it.by.as_slice(), &it.expected);
    slos.map(|slo| {
        (
            &slo.counted_as,
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
    fn replanned(mut self, before: &Family, roll: Roll, slot: Span, same_counted: bool) -> Self {
        let family = roll.family();
        self.select(&self.selected_by(before), family);
        if !(before.fetch == family.fetch && same_counted) {
            self.head_to = None;
        }
        self.living.clear();
        self.lacking.clear();
        if let Some(pushed) = self.pushed.take() {
            let asked = Pushed::new(family, slot, pushed.form.interval, pushed.series);
            let may = family.may_be_summed();
            if may && asked.increases == pushed.increases {
                self.pushed = Some(pushed);
            } else {
                // Series are told apart by other labels now, or somebody looks at the samples themselves.
                self.table = SeriesTable::default();
                (self.unprimed, self.head_to) = (self.settled_to.is_some(), None);
                self.pushed = may.then(|| Box::new(asked));
            }
        }
        self.table.assign(roll);
        self.sorter = Sorter::default();
        self.newest_totals = self.table.newest_totals();
        self.odd.forget();
        self
    }
}

/// What was promised, and what is known of it, by identity.
type Promises = BTreeMap<SloId, (Arc<Slo>, PromiseState)>;

/// Takes the promises out of what `meter` counted.
fn promises(meter: &Meter, state: &mut MeterState) -> Promises {
    let states = std::mem::take(&mut state.promises);
    let slos = meter.promises().cloned();
    slos.zip(states)
        .map(|(slo, state)| (slo.id.clone(), (slo, state)))
        .collect()
}

impl LaneState {
    /// Takes over how far the store says that the lane is settled. One that was left behind begins anew where its
    /// counters are by now, and walks back to where it stopped.
    fn restore(&mut self, planned: &Lane, record: LaneRecord, is_left_behind: bool) {
        self.kept = Some(record);
        self.reach = record.reach;
        if is_left_behind {
            self.stopped = Some(record.settled_to);
            return;
        }
        self.begun = true;
        match planned {
            Lane::Counters { .. } => {
                self.settled = Coverage::from(record.covered_to);
                self.head = self.settled;
            }
            Lane::Slices(_) | Lane::Points { .. } => {
                self.settled_to = Some(record.settled_to);
            }
        }
    }
}
