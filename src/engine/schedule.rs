//! Which tick is run next: one on the grid, never one that was run before, and the newest that can be read.

use crate::domain::punctuality::PassedOver;
use crate::domain::time::{Span, Timestamp};

/// The ticks of one life of the engine.
#[derive(Debug)]
pub(super) struct Schedule {
    tick: Span,
    /// The newest tick that was run.
    last: Option<Timestamp>,
    /// What the wall clock would have shown when nothing had passed yet, as it was last looked at.
    began: Option<Timestamp>,
}

impl Schedule {
    pub(super) const fn new(tick: Span) -> Self {
        Self {
            tick,
            last: None,
            began: None,
        }
    }

    /// The newest tick that was run.
    pub(super) const fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// The next tick, when all samples up to `readable` can be read: the newest, or one that is still to come.
    pub(super) fn next(&self, readable: Timestamp) -> Timestamp {
        let newest = readable.floor_to(self.tick);
        self.last
            .map_or(newest, |last| newest.max(last + self.tick))
    }

    /// Takes note that `at` is run, where `due` was waited for.
    pub(super) fn run(&mut self, due: Timestamp, at: Timestamp) -> PassedOver {
        let ticks = |from: Timestamp, to: Timestamp| {
            let ticks = to.since(from).as_millis() / self.tick.as_millis();
            u64::try_from(ticks).unwrap_or_default()
        };
        let last = self.last.replace(at);
        PassedOver {
            slow: last.map_or(0, |last| ticks(last, due).saturating_sub(1)),
            asleep: ticks(due, at),
        }
    }

    /// By how much the wall clock was set since it was last looked at; what is less than half a tick is let pass.
    pub(super) fn step(&mut self, now: Timestamp, passed: Span) -> Option<Span> {
        let began = now - passed;
        let by = began.since(self.began.replace(began)?);
        (by.as_millis().abs() * 2 > self.tick.as_millis()).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    #[test]
    fn ticks_never_repeat_or_go_back_and_are_the_newest() {
        let mut schedule = Schedule::new(Span::from_secs(30));
        // What can be read when it begins to wait and when it has waited; which tick is run; what is passed over.
        for (before, after, run, slow, asleep) in [
            (95, 95, 90, 0, 0),
            (96, 120, 120, 0, 0),
            (120, 150, 150, 0, 0),
            (245, 245, 240, 2, 0),
            (246, 275, 270, 0, 0),
            (271, 400, 390, 0, 3),
            (495, 530, 510, 2, 1),
            // The clock is set back: what was run is not run again.
            (100, 540, 540, 0, 0),
            // It is set forward while a tick is waited for, and back while one is run.
            (541, 1_000, 990, 0, 14),
            (300, 300, 1_020, 0, 0),
        ] {
            let due = schedule.next(at(before));
            let newest = schedule.next(at(after));
            let passed_over = schedule.run(due, newest);
            assert_eq!(newest, at(run), "{before} {after}");
            assert_eq!(passed_over, PassedOver { slow, asleep }, "{before} {after}");
        }
    }

    #[test]
    fn a_clock_that_is_set_is_noticed_once_and_one_that_creeps_is_not() {
        let mut schedule = Schedule::new(Span::from_secs(30));
        for (now, passed, by) in [
            (1_000, 5, None),
            (1_030, 35, None),
            (1_070, 65, None),
            (1_400, 95, Some(300)),
            (1_430, 125, None),
            (430, 155, Some(-1_030)),
            (460, 185, None),
        ] {
            let stepped = schedule.step(at(now), Span::from_secs(passed));
            assert_eq!(stepped, by.map(Span::from_secs), "{now}");
        }
    }
}
