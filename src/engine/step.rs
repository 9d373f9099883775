//! The pure step: what was read goes in, what is to be kept, told and shown comes out. Time is a
//! value, and nothing here waits.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use crate::domain::labels::Labels;
use crate::domain::punctuality::PassedOver;
use crate::domain::slo::{Catalog, Slo};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::chunk::Age;
use crate::series::cursor::IgnoredBirth;
use crate::series::plan::{Meter, MeterIndex};
use crate::series::trace::Trace;
use crate::status::snapshot::Snapshot;
use crate::store::commit::{Commit, LaneKey};

use super::intake::Read;
use super::state::State;
use super::walks::dig::Dug;
use super::windows::Windows;

/// How long slots are kept beyond the longest window.
const KEPT_BEYOND: Span = Span::from_hours(6);

/// Slots stay in memory at least this long, so that days are whole when they are let go of.
const SHORTEST_KEPT: Span = Span::from_days(5);

/// From when on slots are held in memory for a promise; what is older is in the store alone.
pub(super) fn needed_from(slo: &Slo, at: Timestamp) -> Timestamp {
    let window = slo.window.range(at).from.min(at - slo.window.longest());
    window.min(at - SHORTEST_KEPT) - KEPT_BEYOND
}

/// From when on the slots of a meter are held in memory: as the longest of its promises needs them.
pub(super) fn held_from(meter: &Meter, at: Timestamp) -> Timestamp {
    let first = needed_from(&meter.slo, at);
    let promises = meter.promises().map(|slo| needed_from(slo, at));
    promises.fold(first, Timestamp::min)
}

/// One turn of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Its time, on the grid. Windows end here.
    pub at: Timestamp,
    /// Whether objectives are judged; not while older samples are still being caught up with.
    pub judge: bool,
}

/// What a tick decides on.
#[derive(Debug, Default)]
pub struct Input {
    /// The answers to what [`State::wanted`] asked for.
    pub reads: Vec<Read>,
    /// The boundaries of histograms that [`State::questions`] asked for, by meter.
    pub boundaries: BTreeMap<usize, Vec<String>>,
    /// The ticks that were passed over for the sake of this one.
    pub passed_over: PassedOver,
    /// How long the tick before it took.
    pub took: Span,
}

/// What a tick decided.
#[derive(Debug)]
pub struct Effects {
    /// To be made durable, all of it or nothing.
    pub commit: Commit,
    /// To be shown; `None` when nothing was judged.
    pub snapshot: Option<Snapshot>,
    /// First values of new series that were not counted.
    pub ignored_births: Vec<(Labels, IgnoredBirth)>,
    /// What was read and counted, where a trace is kept.
    pub trace: Option<Trace>,
}

/// Takes one tick.
pub fn step(state: &mut State, tick: Tick, input: &Input, catalog: &Catalog) -> Effects {
    let mut commit = Commit::default();
    for (meter, boundaries) in &input.boundaries {
        state.answer(*meter, boundaries.clone());
    }
    state.say_claims(&mut commit);
    state.say_parted(&mut commit);
    let taken = state.take_in(tick.at, &input.reads, &mut commit);
    let mut gone = BTreeSet::new();
    state.reach_back(tick.at, &mut commit);
    // Before windows are told, which begin where slots do: after a start it is not known yet where that is.
    for meter in 0..state.meters.len() {
        keep_slots(state, meter, tick.at, &mut commit);
    }
    let snapshot = tick
        .judge
        .then(|| judge(state, (tick.at, input), catalog, &mut gone, &mut commit));
    state.drop_groups(gone, tick.at, &mut commit);
    state.groups.commit(&mut commit);
    state.forget(tick.at, &mut commit);
    Effects {
        commit,
        snapshot,
        ignored_births: taken.ignored,
        trace: taken.trace,
    }
}

/// Takes in a chunk of the past, between two ticks. Nothing is judged: the next tick sees it.
pub fn take_past(state: &mut State, mut dug: Dug) -> Effects {
    let mut commit = Commit::default();
    state.say_parted(&mut commit);
    let trace = dug.trace.take();
    let ignored_births = state.take_dug(dug, &mut commit);
    state.groups.commit(&mut commit);
    Effects {
        commit,
        snapshot: None,
        ignored_births,
        trace,
    }
}

/// Judges all promises. Of the meters that it puts into `gone` nothing is left.
fn judge(
    state: &mut State,
    (at, input): (Timestamp, &Input),
    catalog: &Catalog,
    gone: &mut BTreeSet<MeterIndex>,
    commit: &mut Commit,
) -> Snapshot {
    state.let_go_of_hidden();
    state.close_orphans(at, commit);
    state.look_for_refused();
    let shown = state.shown();
    let unread = state.unread();
    let mut slos = Vec::with_capacity(shown.len());
    let mut kept = BTreeSet::new();
    for promise in shown {
        let (meter, _) = promise;
        let slo = Arc::clone(state.promise(promise).slo);
        let policy = catalog.policy_of(&slo).map(|policy| &**policy);
        let own = state.promise_mut(promise);
        if own.versions.note(slo.objective, at) {
            commit.versions.insert(slo.id.clone(), own.versions.clone());
        }
        let counted = state.plan.measured_with(meter).unwrap_or(meter);
        let unread_to = unread.get(&counted).copied();
        let windows = Windows::of(&state.promise(promise), policy, unread_to, at);
        let measurement = state.measure(promise, &windows, at);
        state.promise_mut(promise).measurement = Some(measurement);
        state.alert(promise, catalog, &windows, at, commit);
        if state.may_be_gone(promise, &windows, at) {
            gone.insert(meter);
        } else {
            kept.insert(meter);
        }
        slos.push(Arc::new(state.slo_status(promise, catalog, &windows, at)));
    }
    gone.retain(|meter| !kept.contains(meter));
    slos.sort_by(|one, other| one.id.cmp(&other.id));
    state.watch_measurements(at, catalog, commit);
    state.watch_groups(at, catalog, commit);
    state.watch_ticks(at, (input.passed_over, input.took), catalog, commit);
    state.note_good_sources(at);
    state.snapshot(at, slos)
}

/// Hands the settled chunks of an objective that changed to the commit.
pub(super) fn hand_over(state: &mut State, meter: usize, commit: &mut Commit) {
    let state = &mut state.meters[meter];
    for ((lane, key), chunk) in state.ledger.take_changed() {
        let meter = state.key.clone();
        commit.chunks.insert((LaneKey { meter, lane }, key), chunk);
    }
    if state.bad_series_ever_seen && !state.seen_kept {
        commit.seen.insert(state.key.clone());
        state.seen_kept = true;
    }
}

/// Lets slots grow old, hands the settled chunks that changed to the commit, and lets go of those that
/// no window reaches.
fn keep_slots(state: &mut State, meter: usize, at: Timestamp, commit: &mut Commit) {
    let held_from = held_from(&state.plan.meters[meter], at);
    let turn = turn(state, meter);
    let grown = state.meters[meter].ledger.grow_old(at - turn);
    // Before anything is let go of: behind a long stop, what grew old may be what no window reaches.
    hand_over(state, meter, commit);
    state.meters[meter].ledger.forget_before(held_from);
    if let Some(grown) = grown {
        for lane in 0..state.meters[meter].lanes.len() {
            commit.grown.insert(state.lane_key(meter, lane), grown);
        }
    }
}

/// So long after the hour the last meters grow old by it; until then their slots of six hours ago take more room.
const ALL_GROWN_IN: Span = Span::from_mins(5);

/// How long into an hour a meter grows old by it: at a time of its own, the same wherever it stands among the others.
fn turn(state: &State, meter: MeterIndex) -> Span {
    let mut hasher = DefaultHasher::new();
    state.meters[meter].key.hash(&mut hasher);
    state.settings.turn(hasher.finish(), ALL_GROWN_IN)
}

impl State {
    /// Lets the store forget, day by day, what is older than history and every window.
    fn forget(&mut self, at: Timestamp, commit: &mut Commit) {
        let held = self.plan.meters.iter().map(|meter| held_from(meter, at));
        let kept_from = held.fold(at - self.settings.history, Timestamp::min);
        let forgotten = kept_from.floor_to(Age::Old.length());
        if self.forgotten >= Some(forgotten) {
            return;
        }
        self.forgotten = Some(forgotten);
        commit.forgotten = self.forgotten;
        for lane in self.meters.iter_mut().flat_map(|meter| &mut meter.lanes) {
            lane.reach = lane.reach.map(|reach| reach.max(forgotten));
        }
        self.shelf.forget(forgotten, commit);
    }

    /// A source is good when none of its families failed.
    fn note_good_sources(&mut self, at: Timestamp) {
        for (name, source) in &mut self.sources {
            let families = self.plan.families.iter().zip(&self.families);
            let mut failures = families
                .filter(|(family, _)| family.source == *name)
                .filter_map(|(_, state)| state.failure.as_ref());
            source.error = failures.next().map(|(_, why)| why.clone());
            if source.error.is_none() {
                source.last_good = Some(at);
            }
        }
    }
}
