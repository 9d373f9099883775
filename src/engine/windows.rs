//! The sums of an objective's windows at a tick, each computed once.

use std::collections::BTreeMap;

use crate::domain::budget::{Course, ErrorBudget, Then};
use crate::domain::indicator::Budgeting;
use crate::domain::objective::{BurnRate, Objective};
use crate::domain::policy::AlertPolicy;
use crate::domain::slo::Window;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::ledger::{Ledger, WindowSum};

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
    /// How much of the window was measured, and how it goes on.
    course: Course,
    /// The length of the whole window that the tick lies in.
    pub(super) period: Span,
    /// Every window of every tier, by length.
    pub(super) tiers: BTreeMap<Span, WindowSum>,
    /// Up to when the past is still being read.
    unread_to: Option<Timestamp>,
    /// The present: as long as the shortest of them, and as a slice. It ends where all is decided, for
    /// of a slice that goes on nothing is known yet.
    pub(super) present: (Span, WindowSum),
}

impl Windows {
    /// `unread_to` says up to when the past is still being read.
    pub(super) fn of(
        promise: &Promise<'_>,
        policy: Option<&AlertPolicy>,
        unread_to: Option<Timestamp>,
        at: Timestamp,
    ) -> Self {
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
            course: course(&slo.window, ledger, at, &budget),
            period: slo.window.length(at),
            range: TimeRange {
                from: budget.from,
                to: range.to,
            },
            tiers,
            unread_to,
            present: (present, until(present, decided_to)),
        }
    }

    /// How long the budget lasts at the present pace.
    pub(super) fn time_to_empty(&self, objective: Objective) -> Option<Span> {
        let (_, present) = self.present;
        let pace = BurnRate::of(present.counts, objective)?;
        self.errors?.time_to_empty(pace, self.course)
    }

    /// Whether it is a period of the calendar, and no time that moves along.
    pub(super) fn is_period(&self) -> bool {
        self.course.then == Then::Ends
    }

    /// The sum of a tier's window.
    pub(super) fn get(&self, length: Span) -> WindowSum {
        self.tiers.get(&length).copied().unwrap_or_default()
    }

    /// What a tier's window holds, as if what is not read of it yet were as busy and all of it good.
    pub(super) fn evened(&self, length: Span) -> Counts {
        let WindowSum {
            mut counts,
            covered,
            ..
        } = self.get(length);
        let from = self.range.to - length;
        if covered > 0.0 && self.unread_to.is_some_and(|to| from < to) {
            counts.total /= covered;
        }
        counts
    }

    /// The bad events of a tier's window that were spread over gaps. Where there are some it looks at each of its slots.
    pub(super) fn spread(&self, ledger: &Ledger, length: Span) -> f64 {
        let to = self.range.to;
        let from = to - length;
        if self.get(length).reconstructed {
            ledger.spread(TimeRange { from, to })
        } else {
            0.0
        }
    }

    /// The longest window of the tiers.
    pub(super) fn longest(&self) -> WindowSum {
        self.tiers
            .last_key_value()
            .map(|(_, sum)| *sum)
            .unwrap_or_default()
    }
}

/// How a window that is looked at `at` goes on. One that moves along grows for as long as nothing leaves
/// it: until what was counted first does.
fn course(window: &Window, ledger: &Ledger, at: Timestamp, sum: &WindowSum) -> Course {
    let range = window.range(at);
    let (grows, then) = match window {
        Window::Rolling(_) => {
            let first = ledger.slots(range).next();
            let begun = first.map_or(at, |(end, _)| ledger.start(end));
            (begun.since(range.from).max(Span::ZERO), Then::Moves)
        }
        Window::Calendar(calendar) => (calendar.around(at).to.since(at), Then::Ends),
    };
    Course {
        length: at.since(sum.from),
        covered: sum.covered,
        grows,
        then,
    }
}
