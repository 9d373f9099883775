//! The sums of an objective's windows at a tick, each computed once.

use std::collections::BTreeMap;

use crate::domain::budget::ErrorBudget;
use crate::domain::indicator::Budgeting;
use crate::domain::policy::AlertPolicy;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::ledger::WindowSum;

use super::promise::Promise;

/// What is looked at when an objective has no policy.
const SHORTEST: Span = Span::from_mins(5);

/// The windows that end at one tick.
#[derive(Debug)]
pub(super) struct Windows {
    /// The objective's own window.
    pub(super) budget: WindowSum,
    /// What the window allows, and what is spent of it; unknown without events.
    pub(super) errors: Option<ErrorBudget>,
    /// The range that was summed for it, which begins where a slot does.
    pub(super) range: TimeRange,
    /// The length of the whole window that the tick lies in.
    pub(super) period: Span,
    /// Every window of every tier, by length.
    pub(super) tiers: BTreeMap<Span, WindowSum>,
    /// The present: as long as the shortest of them, and as a slice. It ends where all is decided, for
    /// of a slice that goes on nothing is known yet.
    pub(super) present: (Span, WindowSum),
}

impl Windows {
    pub(super) fn of(promise: &Promise<'_>, policy: Option<&AlertPolicy>, at: Timestamp) -> Self {
        let (slo, ledger) = (promise.slo, &promise.meter.ledger);
        let range = slo.window.range(at);
        let mut tiers = BTreeMap::new();
        let lengths = policy
            .into_iter()
            .flat_map(|policy| &policy.tiers)
            .flat_map(|tier| [tier.short, tier.long]);
        let shortest = policy.and_then(AlertPolicy::shortest_window);
        let present = match slo.budgeting() {
            Budgeting::Timeslices(slice) => shortest.unwrap_or(SHORTEST).max(slice),
            Budgeting::Occurrences => shortest.unwrap_or(SHORTEST),
        };
        let until = |length: Span, to: Timestamp| {
            ledger.sum(TimeRange {
                from: to - length,
                to,
            })
        };
        for length in lengths.chain(policy.is_none().then_some(present)) {
            tiers.entry(length).or_insert_with(|| until(length, at));
        }
        let decided_to = promise.meter.decided_to().unwrap_or(at);
        let decided_to = decided_to.min(at).max(at - present);
        let budget = ledger.sum(range);
        Self {
            budget,
            errors: promise.budget(range),
            period: slo.window.length(at),
            range: TimeRange {
                from: budget.from,
                to: range.to,
            },
            tiers,
            present: (present, until(present, decided_to)),
        }
    }

    /// The sum of a tier's window.
    pub(super) fn get(&self, length: Span) -> WindowSum {
        self.tiers.get(&length).copied().unwrap_or_default()
    }

    /// The longest window of the tiers.
    pub(super) fn longest(&self) -> WindowSum {
        self.tiers
            .last_key_value()
            .map(|(_, sum)| *sum)
            .unwrap_or_default()
    }
}
