//! How a budget came to be what it is: what was counted in each step of time, and what was left after it.

use crate::domain::budget::ErrorBudget;
use crate::domain::objective::BurnRate;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::snapshot::SloStatus;

/// Over how long the burn rate of a step looks back.
pub const BURN: Span = Span::from_hours(1);

/// What was counted in one step of time, and how the budget stood at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// What it covers: left-open, as slots are.
    pub range: TimeRange,
    /// What was counted in it.
    pub counts: Counts,
    /// The share of it that was measured, 0..=1.
    pub coverage: f64,
    /// The share of the present window's budget that was left at its end: what the window allows
    /// by now, less what was bad from the window's start until then. Unknown outside of the
    /// window, without events, and where nothing of the step was measured.
    pub remaining: Option<f64>,
}

/// Cuts `range` into steps of `step` from its start on; the last one ends with the range. `step`
/// must be longer than zero.
///
/// The budget is that of the window that `status` shows, so that its course ends at the share that
/// the status says is left.
pub fn history(
    status: &SloStatus,
    range: TimeRange,
    step: Span,
) -> impl Iterator<Item = Step> + '_ {
    let (window, ledger) = (status.window.range, &status.ledger);
    let mut from = range.from;
    // What was bad from the window's start to `from`, once that is known.
    let mut spent: Option<f64> = None;
    std::iter::from_fn(move || {
        if from >= range.to {
            return None;
        }
        let own = TimeRange {
            from,
            to: (from + step).min(range.to),
        };
        from = own.to;
        let sum = ledger.sum(own);
        let bad = spent.map_or_else(
            || {
                let to = own.to.max(window.from);
                ledger.sum(TimeRange { to, ..window }).counts.bad
            },
            |before| before + sum.counts.bad,
        );
        let within = window.contains(own.to);
        spent = within.then_some(bad);
        let budget = status.budget.filter(|_| within && sum.covered > 0.0);
        Some(Step {
            range: own,
            counts: sum.counts,
            coverage: sum.covered,
            remaining: budget.map(|budget| ErrorBudget { bad, ..budget }.remaining()),
        })
    })
}

/// How fast the budget of `status` burned in the [`BURN`] before `at`, by the objective that was in
/// force then; unknown without events.
pub fn burn(status: &SloStatus, at: Timestamp) -> Option<f64> {
    let range = TimeRange {
        from: at - BURN,
        to: at,
    };
    let counts = status.ledger.sum(range).counts;
    let objective = status.versions.at(at).unwrap_or(status.slo.objective);
    BurnRate::of(counts, objective).map(BurnRate::get)
}

/// The length of the steps that cut `length` into at most `most` of equal length, in whole slots of
/// `slot` where it is long enough for that.
pub fn step_of(length: Span, most: i64, slot: Span) -> Span {
    let even = length.as_millis().max(1).unsigned_abs();
    let step = even.div_ceil(most.max(1).unsigned_abs());
    let slot = slot.as_millis().max(1).unsigned_abs();
    Span::from_millis(i64::try_from(step.div_ceil(slot) * slot).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::fixture;

    /// The slow way: every step by itself, slot by slot.
    fn oracle(status: &SloStatus, from: Timestamp, to: Timestamp) -> (Counts, Option<f64>) {
        let sum = |range| {
            let slots = status.ledger.slots(range);
            slots.fold(Counts::default(), |sum, (_, slot)| sum.plus(slot.counts))
        };
        let window = status.window.range;
        let counts = sum(TimeRange { from, to });
        let spent = sum(TimeRange {
            from: window.from,
            to: to.max(window.from),
        });
        let counted = status.ledger.slots(TimeRange { from, to }).next().is_some();
        let known = window.contains(to) && counted;
        let left = status.budget.map(|it| 1.0 - spent.bad / it.allowed);
        (counts, left.filter(|_| known))
    }

    #[test]
    fn every_step_is_what_its_slots_say_and_the_last_is_what_the_status_says() {
        let snapshot = fixture::snapshot();
        let (_, window) = (fixture::AT, snapshot.slos[2].window.range);
        for status in &snapshot.slos {
            for (before, step) in [(0, 180), (0, 1_440), (90, 60), (600, 5_000)] {
                let range = TimeRange {
                    from: window.from - Span::from_mins(before),
                    to: window.to,
                };
                let step = Span::from_mins(step);
                let steps: Vec<Step> = history(status, range, step).collect();
                let mut end = range.from;
                for one in &steps {
                    assert_eq!(one.range.from, end, "steps leave nothing out");
                    end = one.range.to;
                    let (counts, left) = oracle(status, one.range.from, end);
                    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
                    assert!(close(one.counts.bad, counts.bad), "{} {one:?}", status.id);
                    assert!(close(one.counts.total, counts.total), "{one:?}");
                    assert_eq!(one.remaining.is_some(), left.is_some(), "{one:?}");
                    assert!(close(one.remaining.unwrap_or(0.0), left.unwrap_or(0.0)));
                }
                assert_eq!(end, range.to);
                let last = steps.last().and_then(|step| step.remaining);
                if let Some(left) = last.filter(|left| left.is_finite()) {
                    let said = status.budget.map(|budget| budget.remaining());
                    assert!((left - said.unwrap()).abs() < 1e-9, "{}", status.id);
                }
            }
        }
    }

    #[test]
    fn steps_are_whole_slots_and_few_enough() {
        let slot = Span::from_secs(30);
        for (length, most, step) in [
            (Span::from_days(30), 240, Span::from_hours(3)),
            (Span::from_hours(1), 240, slot),
            (Span::from_mins(121), 240, Span::from_secs(60)),
            (Span::ZERO, 240, slot),
        ] {
            assert_eq!(step_of(length, most, slot), step, "{length}");
        }
    }
}
