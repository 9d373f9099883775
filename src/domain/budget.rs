//! Error budgets: what a window allows, what is spent of it, and when it will be empty.

use super::objective::{BurnRate, Objective};
use super::slot::{Counts, whole};
use super::time::Span;

/// Allowances are compared in parts of this size: no decimal of a percentage is finer.
const PARTS: i128 = 100_000_000_000_000_000;

/// A budget that lasts longer than this is not used up.
const LONGEST: Span = Span::from_days(36_525);

/// How much there is of a window, and how it goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// The time that it holds.
    pub length: Span,
    /// The share of that that was measured.
    pub covered: f64,
    /// How long it still grows.
    pub grows: Span,
    /// What it does then.
    pub then: Then,
}

/// What a window does when it has grown to its whole length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It moves along.
    Moves,
    /// It ends, and another begins with a budget of its own.
    Ends,
}

/// The error budget of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorBudget {
    /// Bad events (or slices) that the window allows so far: total × (1 − objective).
    pub allowed: f64,
    /// Bad events that happened.
    pub bad: f64,
    /// Whether more happened than is allowed, strictly. Exact where counts are whole, so that
    /// spending all of a budget and not an event more is still within it.
    pub overspent: bool,
}

impl ErrorBudget {
    /// The budget of a window with these counts; `None` without events.
    pub fn of(counts: Counts, objective: Objective) -> Option<Self> {
        Self::of_parts([(counts, objective)])
    }

    /// The budget of a window during which the objective changed: each part allows what was promised
    /// then, allowed = Σ total × (1 − objective in force then). `None` without events.
    pub fn of_parts(parts: impl IntoIterator<Item = (Counts, Objective)>) -> Option<Self> {
        let (mut allowed, mut bad, mut total) = (0.0, 0.0, 0.0);
        let mut left = Some(0_i128);
        for (counts, objective) in parts {
            allowed += counts.total * objective.allowance().to_f64();
            bad += counts.bad;
            total += counts.total;
            left = left
                .zip(left_of(counts, objective))
                .and_then(|(all, part)| all.checked_add(part));
        }
        (total > 0.0).then(|| Self {
            allowed,
            bad,
            overspent: left.map_or(bad > allowed, |left| left < 0),
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

    /// How long the rest lasts at this pace: remaining × measured / (burn − 1) while the window grows,
    /// for what it allows grows as well, and (remaining × measured + growth) / burn beyond; that is
    /// remaining × window / burn of a whole one. `None` when it does not shrink, or so slowly that nobody
    /// lives to see it, or the window ends before, or it is empty already.
    pub fn time_to_empty(&self, pace: BurnRate, course: Course) -> Option<Span> {
        let (left, pace) = (self.remaining(), pace.get());
        if left <= 0.0 || pace <= 0.0 {
            return None;
        }
        // So long the rest would last at a burn rate of 1 if nothing more were allowed.
        let rest = left * course.covered * course.length.as_secs_f64();
        let grows = course.grows.as_secs_f64();
        let growing = if pace > 1.0 {
            rest / (pace - 1.0)
        } else {
            f64::INFINITY
        };
        let seconds = match course.then {
            _ if growing <= grows => growing,
            Then::Moves => (rest + grows) / pace,
            Then::Ends => return None,
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "there are far more integers than seconds in a century"
        )]
        (seconds < LONGEST.as_secs_f64()).then(|| Span::from_secs(seconds as i64))
    }
}

/// What is left of a part of a budget, in [`PARTS`] of an event, where its counts are whole.
fn left_of(counts: Counts, objective: Objective) -> Option<i128> {
    let allowance = objective.allowance();
    let (bad, total) = whole(counts.bad).zip(whole(counts.total))?;
    let parts = allowance.numerator().checked_mul(PARTS)? / allowance.denominator();
    let exact = PARTS % allowance.denominator() == 0;
    let allowed = total.checked_mul(parts).filter(|_| exact)?;
    allowed.checked_sub(bad.checked_mul(PARTS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A whole window of so many days that moves along.
    const fn moving(days: i64) -> Course {
        Course {
            length: Span::from_days(days),
            covered: 1.0,
            grows: Span::ZERO,
            then: Then::Moves,
        }
    }

    /// The oracle plays steady traffic on, minute by minute, of which ten times as much fails as is allowed.
    #[test]
    fn a_budget_that_grows_is_used_up_later() {
        let objective: Objective = "99%".parse().unwrap();
        let day = Span::from_days(1);
        for (window, hours, covered, then) in [
            (30, 24, 1.0, Then::Ends),
            (30, 24, 1.0, Then::Moves),
            (30, 48, 0.5, Then::Ends),
            // It grows to its whole length before it is used up.
            (7, 166, 1.0, Then::Moves),
            // It is used up no sooner than it ends.
            (7, 166, 1.0, Then::Ends),
        ] {
            let length = Span::from_hours(hours);
            let course = Course {
                length,
                covered,
                grows: Span::from_days(window) - length,
                then,
            };
            let mut counts = Counts {
                bad: 0.0,
                total: 100.0 * covered * length.as_secs_f64() / 60.0,
            };
            let pace = Counts {
                bad: 10.0,
                total: 100.0,
            };
            let budget = |counts| ErrorBudget::of(counts, objective).unwrap();
            let told = budget(counts).time_to_empty(BurnRate::of(pace, objective).unwrap(), course);
            let mut played = Span::ZERO;
            while budget(counts).remaining() > 0.0 && played < day {
                played = played + Span::from_mins(1);
                counts.bad += pace.bad;
                // What moves along lets go of as much as comes.
                if played <= course.grows {
                    counts.total += pace.total;
                }
            }
            let expected = (then == Then::Moves || played <= course.grows).then_some(played);
            let near = |(told, played): (Span, Span)| {
                (played - Span::from_mins(1)..=played).contains(&told)
            };
            assert_eq!(told.is_some(), expected.is_some(), "{course:?}");
            assert!(
                told.zip(expected).is_none_or(near),
                "{course:?}: {told:?} {played:?}"
            );
        }
        let first_day = Course {
            length: day,
            grows: Span::from_days(29),
            ..moving(0)
        };
        let pace = Counts {
            bad: 10.0,
            total: 100.0,
        };
        let unspent = Counts {
            bad: 0.0,
            total: 144_000.0,
        };
        let pace = BurnRate::of(pace, objective).unwrap();
        let budget = ErrorBudget::of(unspent, objective).unwrap();
        assert_eq!(
            budget.time_to_empty(pace, first_day),
            Some(Span::from_mins(160))
        );
    }

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
            budget(500.0).time_to_empty(pace, moving(30)),
            Some(Span::from_hours(36))
        );
        assert_eq!(budget(1_000.0).time_to_empty(pace, moving(30)), None);
        for (share, lasts) in [(1e-3, true), (1e-9, false), (1e-300, false)] {
            let pace = BurnRate::of(
                Counts {
                    bad: share,
                    total: 100.0,
                },
                objective,
            );
            let left = budget(500.0).time_to_empty(pace.unwrap(), moving(30));
            assert_eq!(left.is_some_and(|left| left > Span::ZERO), lasts, "{share}");
        }
        let perfect: Objective = "100%".parse().unwrap();
        let perfect = |bad| {
            ErrorBudget::of(Counts { bad, total: 10.0 }, perfect)
                .unwrap()
                .spent()
        };
        assert!(perfect(0.0).abs() < f64::EPSILON && perfect(1.0).is_infinite());
    }

    #[test]
    fn a_budget_is_overspent_by_the_event_after_the_last_that_is_allowed() {
        let overspent = |parts: &[(f64, f64, &str)]| {
            let parts = parts.iter().map(|(bad, total, objective)| {
                let (bad, total) = (*bad, *total);
                (Counts { bad, total }, objective.parse().unwrap())
            });
            ErrorBudget::of_parts(parts).unwrap().overspent
        };
        for (total, all) in [(1_000.0, 1.0), (57_000.0, 57.0), (4_120_000.0, 4_120.0)] {
            for (more, expected) in [(0.0, false), (1.0, true)] {
                assert_eq!(
                    overspent(&[(all + more, total, "99.9%")]),
                    expected,
                    "{total}"
                );
                let changed = [(all + more, total, "99.9%"), (700.0, 10_000.0, "93%")];
                assert_eq!(overspent(&changed), expected, "{total}");
                let parts = [(more, 0.0, "99.9%"), (all, total, "99.9%")];
                assert_eq!(overspent(&parts), expected, "{total}");
            }
        }
        assert!(overspent(&[(1.0, 9e15, "100%")]) && !overspent(&[(0.0, 9e15, "100%")]));
        assert!(!overspent(&[(9e14, 9e15, "90%")]) && overspent(&[(9e14 + 1.0, 9e15, "90%")]));
        assert!(overspent(&[(1.5, 1_000.0, "99.9%")]) && !overspent(&[(0.5, 1_000.0, "99.9%")]));
        assert!(overspent(&[(2.0, 1e4, "99.9999999999999%")]));
    }

    /// Each window as `bad/total objective` of its versions, and what comes of it.
    #[test]
    fn each_part_of_a_window_allows_what_was_promised_then() {
        let budget = |parts: &str| {
            let parts = parts.split(", ").filter(|part| !part.is_empty());
            let parts = parts.map(|part| {
                let (counts, objective) = part.split_once(' ').unwrap();
                let (bad, total) = counts.split_once('/').unwrap();
                let counts = Counts {
                    bad: bad.parse().unwrap(),
                    total: total.parse().unwrap(),
                };
                (counts, objective.parse().unwrap())
            });
            ErrorBudget::of_parts(parts).map_or("unknown".to_owned(), |it| {
                let rounded = |number: f64| (number * 1e9).round() / 1e9;
                let [allowed, spent, left] = [it.allowed, it.spent(), it.remaining()].map(rounded);
                format!("{} of {allowed}, {spent} spent, {left} left", it.bad)
            })
        };
        for (parts, expected) in [
            // No traffic is no budget.
            ("", "unknown"),
            ("0/0 99.9%", "unknown"),
            ("0/0 99.9%, 0/0 99%", "unknown"),
            ("3/10000 99.9%", "3 of 10, 0.3 spent, 0.7 left"),
            // A stricter promise does not spend what was allowed before it, nor a laxer one more.
            (
                "3/10000 99%, 0/10000 99.9%",
                "3 of 110, 0.027272727 spent, 0.972727273 left",
            ),
            (
                "3/10000 99.9%, 0/10000 99%",
                "3 of 110, 0.027272727 spent, 0.972727273 left",
            ),
            ("3/10000 99.9%, 0/0 50%", "3 of 10, 0.3 spent, 0.7 left"),
            // Overspent.
            ("25/10000 99.9%", "25 of 10, 2.5 spent, -1.5 left"),
            ("25/10000 99.9%, 5/20000 99.9%", "30 of 30, 1 spent, 0 left"),
            // Nothing may be bad.
            ("0/10000 100%", "0 of 0, 0 spent, 1 left"),
            ("1/10000 100%", "1 of 0, inf spent, -inf left"),
            (
                "0/10000 99.9%, 4/10000 100%",
                "4 of 10, 0.4 spent, 0.6 left",
            ),
        ] {
            assert_eq!(budget(parts), expected, "{parts}");
        }
    }
}
