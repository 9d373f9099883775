//! Error budgets: what a window allows, what is spent of it, and when it will be empty.

use super::objective::{BurnRate, Objective};
use super::slot::Counts;
use super::time::Span;

/// The error budget of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorBudget {
    /// Bad events (or slices) that the window allows so far: total × (1 − objective).
    pub allowed: f64,
    /// Bad events that happened.
    pub bad: f64,
}

impl ErrorBudget {
    /// The budget of a window with these counts; `None` without events.
    pub fn of(counts: Counts, objective: Objective) -> Option<Self> {
        (counts.total > 0.0).then(|| Self {
            allowed: counts.total * objective.allowance().to_f64(),
            bad: counts.bad,
        })
    }

    /// The share that is spent, 0 and up; infinite when anything is spent of nothing.
    pub fn spent(&self) -> f64 {
        if self.bad == 0.0 {
            0.0
        } else {
            self.bad / self.allowed
        }
    }

    /// The share that is left: `1 − bad / (total × (1 − objective))`; negative once overspent.
    pub fn remaining(&self) -> f64 {
        1.0 - self.spent()
    }

    /// How long the rest lasts at this pace: remaining × window / burn. `None` when it does not
    /// shrink or is empty already.
    pub fn time_to_empty(&self, pace: BurnRate, window: Span) -> Option<Span> {
        let left = self.remaining();
        if left <= 0.0 || pace.get() <= 0.0 {
            return None;
        }
        let seconds = left * window.as_secs_f64() / pace.get();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "floats saturate into integers"
        )]
        (seconds.is_finite()).then_some(Span::from_secs(seconds as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_what_the_promise_allows_of_all_events() {
        let objective: Objective = "99.9%".parse().unwrap();
        let budget = |bad| {
            ErrorBudget::of(
                Counts {
                    bad,
                    total: 1_000_000.0,
                },
                objective,
            )
            .unwrap()
        };
        assert!((budget(250.0).remaining() - 0.75).abs() < 1e-12);
        assert!(
            (budget(1_500.0).remaining() + 0.5).abs() < 1e-12,
            "overspent is negative"
        );
        assert_eq!(ErrorBudget::of(Counts::default(), objective), None);
        let pace = BurnRate::of(
            Counts {
                bad: 1.0,
                total: 100.0,
            },
            objective,
        )
        .unwrap();
        assert_eq!(
            budget(500.0).time_to_empty(pace, Span::from_days(30)),
            Some(Span::from_hours(36))
        );
        assert_eq!(
            budget(1_000.0).time_to_empty(pace, Span::from_days(30)),
            None
        );
        let perfect: Objective = "100%".parse().unwrap();
        let perfect = |bad| {
            ErrorBudget::of(Counts { bad, total: 10.0 }, perfect)
                .unwrap()
                .spent()
        };
        assert!(perfect(0.0).abs() < f64::EPSILON && perfect(1.0).is_infinite());
    }
}
