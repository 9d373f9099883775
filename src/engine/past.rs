//! What is kept of the past beyond what is held in memory: fetched from the store when a window
//! reaches further back than before, and walked through where nothing was counted yet.

use std::sync::Arc;

use crate::domain::slo::Catalog;
use crate::domain::time::{TimeRange, Timestamp};
use crate::ledger::chunk::Chunk;
use crate::series::past::LaneIndex;
use crate::store::commit::{Commit, LaneKey, MeterKey};

use super::state::State;
use super::step::{held_from, needed_from as needed_by};
use super::walks::Beginning;

/// From when on a start needs what is kept of a catalog; what is older stays in the store.
pub(super) fn needed_from(catalog: &Catalog, at: Timestamp) -> Timestamp {
    let slos = catalog.slos.values();
    slos.map(|slo| needed_by(slo, at)).min().unwrap_or(at)
}

impl State {
    /// Takes note that what lies before `time` was left in the store.
    pub fn leave_before(&mut self, time: Timestamp) {
        self.left_before = time;
        for meter in &mut self.meters {
            meter.ledger.forget_before(time);
        }
    }

    /// The meters whose windows reach further back than what is held of them, and what is missing.
    pub fn past_missing(&self, at: Timestamp) -> Vec<(MeterKey, TimeRange)> {
        let meters = self.meters.iter().zip(&self.plan.meters);
        let missing = meters.filter_map(|(state, meter)| {
            let from = held_from(meter, at);
            let to = state.ledger.begins();
            (from < to).then(|| (state.key.clone(), TimeRange { from, to }))
        });
        missing.collect()
    }

    /// Lets walks wait, or go on: what they count must find its place.
    pub fn wait_for_missing(&mut self, fetching: bool) {
        self.fetching = fetching;
    }

    /// Takes in what was missing of a meter.
    pub fn take_missing(
        &mut self,
        meter: &MeterKey,
        range: TimeRange,
        chunks: Vec<(u16, Arc<Chunk>)>,
    ) {
        if let Some(state) = self.meters.iter_mut().find(|state| state.key == *meter) {
            state.ledger.reach_back(range.from, chunks);
        }
    }

    /// Lets the lanes whose windows reach further back than what was counted walk on from there.
    pub(super) fn reach_back(&mut self, at: Timestamp, commit: &mut Commit) {
        if !std::mem::take(&mut self.reaches_unchecked) {
            return;
        }
        let mut further = Vec::new();
        for meter in 0..self.meters.len() {
            if !self.has_past(&self.plan.meters[meter].slo.source) {
                continue;
            }
            for lane in 0..self.meters[meter].lanes.len() {
                let wanted = self.wanted_from(meter, at);
                let state = &self.meters[meter].lanes[lane];
                if !state.begun {
                    // How far it was counted is of no use before it is known where it goes on.
                    self.reaches_unchecked = true;
                    continue;
                }
                let reach = state.reach.or_else(|| self.walked_to((meter, lane)));
                if let Some(reach) = reach.filter(|reach| *reach > wanted) {
                    further.push(Beginning {
                        lane: (meter, lane),
                        seam: reach,
                        stopped: None,
                    });
                }
            }
        }
        self.walk_on(further, at, commit);
    }

    /// From where on a meter is counted that is looked at `at`, on the grid of its source.
    pub(super) fn wanted_from(&self, meter: usize, at: Timestamp) -> Timestamp {
        let source = &self.plan.meters[meter].slo.source;
        let grid = self.settings.settle_grid(source);
        self.past_from(meter, at).floor_to(grid)
    }

    /// Where the oldest walk of a lane ends.
    fn walked_to(&self, (meter, lane): LaneIndex) -> Option<Timestamp> {
        let key = self.lane_key(meter, lane);
        let own = |lanes: &[LaneKey]| lanes.contains(&key);
        let walks = self.walked.values().filter(|walk| own(&walk.lanes));
        walks.map(|walk| walk.goal).min()
    }
}
