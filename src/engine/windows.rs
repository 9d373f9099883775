//! The sums of an objective's windows at a tick, each computed once.

use std::collections::BTreeMap;

use crate::domain::budget::ErrorBudget;
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
        for length in lengths.chain(policy.is_none().then_some(SHORTEST)) {
            tiers.entry(length).or_insert_with(|| {
                ledger.sum(TimeRange {
                    from: at - length,
                    to: at,
                })
            });
        }
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
        }
    }

    /// The sum of a tier's window.
    pub(super) fn get(&self, length: Span) -> WindowSum {
        self.tiers.get(&length).copied().unwrap_or_default()
    }

    /// The shortest window of all: the present.
    pub(super) fn shortest(&self) -> (Span, WindowSum) {
        self.tiers
            .first_key_value()
            .map_or((SHORTEST, WindowSum::default()), |(length, sum)| {
                (*length, *sum)
            })
    }

    /// The longest window of the tiers.
    pub(super) fn longest(&self) -> WindowSum {
        self.tiers
            .last_key_value()
            .map(|(_, sum)| *sum)
            .unwrap_or_default()
    }
}
