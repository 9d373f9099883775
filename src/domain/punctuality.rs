//! Ticks that are passed over, since newer ones could be read: when there are so many that somebody is told, and when
//! that is over.

use std::collections::VecDeque;

use super::time::{Span, Timestamp};

/// So far it is looked back: who is told is told of what goes on, not of a night long ago.
const LOOK_BACK: Span = Span::from_hours(1);

/// Nobody is told while ticks of no more than this were passed over: ten of half a minute. An alert is not later than
/// that, and a page whose windows are an hour and five minutes is not missed.
const MOST: Span = Span::from_mins(5);

/// Ticks that were passed over for the sake of one. Their samples are counted all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// While an earlier one was run.
    pub slow: u64,
    /// While the next one was waited for: the process did not run, or a clock was set.
    pub asleep: u64,
}

impl PassedOver {
    /// All of them.
    pub const fn all(self) -> u64 {
        self.slow + self.asleep
    }

    /// These and `more`.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self {
            slow: self.slow + more.slow,
            asleep: self.asleep + more.asleep,
        }
    }
}

/// What is known of the ticks of late.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Punctuality {
    /// The first tick of this life.
    began: Option<Timestamp>,
    /// The ticks for which others were passed over, oldest first.
    late: VecDeque<Late>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Late {
    at: Timestamp,
    passed_over: PassedOver,
    /// How long the tick before it took.
    took: Span,
}

/// What is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Too many were passed over.
    Begins(Missed),
    /// An hour has gone by in which few were.
    Ends,
}

/// The ticks that were passed over within the time that is looked back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// How many of each kind.
    pub passed_over: PassedOver,
    /// The first of them.
    pub since: Timestamp,
    /// How many ticks there were to be run from that one on.
    pub due: u64,
    /// How long the last tick took for which others were passed over, where any took too long.
    pub took: Option<Span>,
}

impl Punctuality {
    /// Takes in that the tick `at` was run with these passed over before it, and the one before it took so long. Says
    /// what is to be told, where it `is_told` that too many were, or is not.
    pub fn note(
        &mut self,
        (at, tick): (Timestamp, Span),
        (passed_over, took): (PassedOver, Span),
        is_told: bool,
    ) -> Option<Turn> {
        let began = *self.began.get_or_insert(at);
        if passed_over.all() > 0 {
            self.late.push_back(Late {
                at,
                passed_over,
                took,
            });
        }
        while self
            .late
            .pop_front_if(|late| at.since(late.at) >= LOOK_BACK)
            .is_some()
        {}
        let missed = self.missed((at, tick));
        let length = missed.map_or(Span::ZERO, |missed| times(tick, missed.passed_over.all()));
        if is_told {
            let few = length.as_millis() * 2 <= MOST.as_millis();
            return (few && at.since(began) >= LOOK_BACK).then_some(Turn::Ends);
        }
        // One alone is no sign of anything, however long ticks are.
        missed.filter(|_| length > MOST.max(tick)).map(Turn::Begins)
    }

    fn missed(&self, (at, tick): (Timestamp, Span)) -> Option<Missed> {
        let first = self.late.front()?;
        let since = first.at - times(tick, first.passed_over.all());
        let none = PassedOver::default();
        let slow = self.late.iter().rfind(|late| late.passed_over.slow > 0);
        let due = at.since(since).as_millis() / tick.as_millis() + 1;
        Some(Missed {
            passed_over: self
                .late
                .iter()
                .fold(none, |sum, late| sum.and(late.passed_over)),
            since,
            due: due.unsigned_abs(),
            took: slow.map(|late| late.took),
        })
    }
}

fn times(tick: Span, count: u64) -> Span {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Span::from_millis(tick.as_millis().saturating_mul(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs ticks of `tick` seconds: `runs` of (so many ticks, each of which passes over so many).
    fn told(tick: i64, runs: &[(i64, u64)]) -> Vec<String> {
        let (mut ticks, mut now, mut is_told) = (Punctuality::default(), 0, false);
        let mut told = Vec::new();
        let tick = Span::from_secs(tick);
        for (count, slow) in runs {
            for _ in 0..*count {
                now += tick.as_millis() * (i64::try_from(*slow).unwrap() + 1);
                let at = Timestamp::from_millis(now);
                let passed_over = PassedOver {
                    slow: *slow,
                    asleep: 0,
                };
                let took = times(tick, slow + 1);
                match ticks.note((at, tick), (passed_over, took), is_told) {
                    Some(Turn::Begins(missed)) => {
                        is_told = true;
                        let (since, all) =
                            (missed.since.as_millis() / 1_000, missed.passed_over.all());
                        told.push(format!(
                            "{}: {all} of {} since {since}, {}",
                            now / 1_000,
                            missed.due,
                            missed.took.unwrap()
                        ));
                    }
                    Some(Turn::Ends) => {
                        is_told = false;
                        told.push(format!("{}: over", now / 1_000));
                    }
                    None => {}
                }
            }
        }
        told
    }

    #[test]
    fn more_than_five_minutes_of_an_hour_are_told_once_and_their_end_after_an_hour() {
        for (tick, runs, expected) in [
            // Ten are not too many, eleven are.
            (30, vec![(20, 0), (10, 1), (200, 0)], vec![]),
            (
                30,
                vec![(20, 0), (11, 1), (200, 0)],
                vec!["1260: 11 of 22 since 630, 1m", "4560: over"],
            ),
            // Nor are eleven over more than an hour.
            (
                30,
                [vec![(20, 0)], [(1, 1), (12, 0)].repeat(20)].concat(),
                vec![],
            ),
            // One long stop; those of the first tick come before anything that was due.
            (
                30,
                vec![(20, 0), (1, 100), (200, 0)],
                vec!["3630: 100 of 101 since 630, 50m30s", "7230: over"],
            ),
            // It goes on: told once, and over an hour behind the last of them.
            (
                30,
                vec![(20, 0), (300, 1), (200, 0)],
                vec!["1260: 11 of 22 since 630, 1m", "21900: over"],
            ),
            (
                1,
                vec![(60, 0), (301, 1), (4_000, 0)],
                vec!["662: 301 of 602 since 61, 2s", "3962: over"],
            ),
            (600, vec![(6, 0), (1, 1), (12, 0)], vec![]),
            (
                600,
                vec![(6, 0), (2, 1), (12, 0)],
                vec!["6000: 2 of 4 since 4200, 20m", "9600: over"],
            ),
        ] {
            assert_eq!(told(tick, &runs), expected, "{tick} {runs:?}");
        }
    }

    #[test]
    fn after_a_restart_an_hour_is_looked_at_before_it_is_said_to_be_over() {
        let mut ticks = Punctuality::default();
        let tick = Span::from_secs(30);
        let none = (PassedOver::default(), Span::ZERO);
        let over = (0..300).find(|number| {
            let at = Timestamp::from_millis(1_000_000_000 + number * 30_000);
            ticks.note((at, tick), none, true) == Some(Turn::Ends)
        });
        assert_eq!(over, Some(120));
    }
}
