//! What is judged, apart from what is counted: the alert of each promise, and what it is judged by.

use std::sync::Arc;

use crate::domain::budget::ErrorBudget;
use crate::domain::incident::AlertState;
use crate::domain::measurement::{Measurement, Outcome};
use crate::domain::slo::Slo;
use crate::domain::time::{TimeRange, Timestamp};
use crate::domain::versions::Versions;
use crate::ledger::Ledger;
use crate::series::plan::{Meter, MeterIndex};

use super::state::{MeterState, State};

/// Position of a meter in the plan, and of a promise on what it counts.
pub(super) type PromiseIndex = (MeterIndex, usize);

/// One promise on what a meter counts. An objective has one, or one for each of its targets.
#[derive(Debug, Default)]
pub(super) struct PromiseState {
    /// What was promised when.
    pub(super) versions: Versions,
    pub(super) alert: AlertState,
    pub(super) measurement: Option<Measurement>,
    /// When the budget was used up, while it is.
    pub(super) emptied_at: Option<Timestamp>,
}

impl PromiseState {
    /// The error budget of a range: what was counted while an objective was in force counts by it.
    pub(super) fn budget(&self, ledger: &Ledger, range: TimeRange) -> Option<ErrorBudget> {
        let parts = self.versions.parts(range).into_iter();
        ErrorBudget::of_parts(parts.map(|(part, objective)| (ledger.sum(part).counts, objective)))
    }

    /// How well it could be measured at its last tick.
    pub(super) fn outcome(&self) -> Outcome {
        let last = self.measurement.as_ref();
        last.map_or(Outcome::NoData, |last| last.outcome)
    }

    /// What was promised before, with what is known of it, for the promise that takes its place.
    pub(super) fn taken_over(mut self, before: &Slo, now: &Slo) -> Self {
        if (before.objective, &before.window) != (now.objective, &now.window) {
            self.emptied_at = None;
        }
        self
    }
}

/// A promise, with all that is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promise<'a> {
    pub(super) slo: &'a Arc<Slo>,
    /// What was counted.
    pub(super) meter: &'a MeterState,
    /// How it was judged.
    pub(super) state: &'a PromiseState,
}

impl Promise<'_> {
    /// The error budget of a range.
    pub(super) fn budget(&self, range: TimeRange) -> Option<ErrorBudget> {
        self.state.budget(&self.meter.ledger, range)
    }
}

impl State {
    /// A promise.
    pub(super) fn promise(&self, index: PromiseIndex) -> Promise<'_> {
        let (meter, number) = index;
        let meter_state = &self.meters[meter];
        let planned = &self.plan.meters[meter];
        Promise {
            slo: planned.promise(number),
            meter: meter_state,
            state: &meter_state.promises[number],
        }
    }

    pub(super) fn promise_mut(&mut self, (meter, number): PromiseIndex) -> &mut PromiseState {
        &mut self.meters[meter].promises[number]
    }

    /// Whether what a meter counts is judged and shown. Where an objective is divided and no group is known, all of it
    /// is: else nobody would see that its selectors find nothing.
    pub(super) fn is_shown(&self, meter: &Meter) -> bool {
        meter.is_shown() || self.plan.members(meter.of).groups.is_empty()
    }

    /// All promises that are judged and shown.
    pub(super) fn shown(&self) -> Vec<PromiseIndex> {
        let meters = self.plan.meters.iter().enumerate();
        meters
            .filter(|(_, meter)| self.is_shown(meter))
            .flat_map(|(index, meter)| (0..meter.promises().count()).map(move |it| (index, it)))
            .collect()
    }
}
