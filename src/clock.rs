//! The one place that asks what time it is; tests hand in a simulated one instead.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long the daemon sleeps before it looks at the wall clock again, which may have been set meanwhile.
const PIECE: Duration = Duration::from_secs(1);

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// `epoch` and what tokio's clock counted since `started`; a test that pauses tokio's clock decides both.
    Simulated {
        /// What time it was at `started`.
        epoch: Timestamp,
        /// When the simulation began.
        started: Instant,
    },
    /// What the holder of its [`Hand`] says: the demo's time runs faster than ours, and waits for slow machines.
    Driven(watch::Receiver<Driven>),
}

/// What a driven clock shows.
#[derive(Clone, Copy, Debug)]
pub struct Driven {
    shown: Timestamp,
    /// How far it was moved, which is the time that passed.
    passed: Duration,
}

/// Moves a driven clock.
#[derive(Debug)]
pub struct Hand(watch::Sender<Driven>);

impl Hand {
    /// Lets time pass until the clock shows `to`; never back.
    pub fn move_to(&self, to: Timestamp) {
        self.0.send_if_modified(|now| {
            let Some(passes) = remaining(now.shown, to) else {
                return false;
            };
            (now.shown, now.passed) = (to, now.passed + passes);
            true
        });
    }

    /// Has the clock show `to`, later or earlier, while no time passes: as whoever sets a wall clock.
    pub fn set_to(&self, to: Timestamp) {
        self.0.send_modify(|now| now.shown = to);
    }
}

impl Clock {
    /// A simulated clock that shows `epoch` at this moment.
    pub fn simulated(epoch: Timestamp) -> Self {
        Self::Simulated {
            epoch,
            started: Instant::now(),
        }
    }

    /// A clock that shows `epoch` until its hand moves.
    pub fn driven(epoch: Timestamp) -> (Hand, Self) {
        let (sender, receiver) = watch::channel(Driven {
            shown: epoch,
            passed: Duration::ZERO,
        });
        (Hand(sender), Self::Driven(receiver))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            // Only a simulation over thousands of years could leave jiff's range.
            Self::Simulated { epoch, started } => epoch
                .checked_add(started.elapsed())
                .unwrap_or(Timestamp::MAX),
            Self::Driven(told) => told.borrow().shown,
        }
    }

    /// How much time has passed since some moment, whatever the clock was set to meanwhile. Only
    /// differences mean something.
    pub fn passed(&self) -> Duration {
        match self {
            Self::System => system_passed(),
            Self::Simulated { started, .. } => started.elapsed(),
            Self::Driven(told) => told.borrow().passed,
        }
    }

    /// Returns when it is `until` or later; at once when that has passed. May be dropped at any time.
    ///
    /// The machine's clock is read again at least every second, so that a wait is neither too long nor too
    /// short by more than that after someone set it.
    pub async fn sleep_until(&self, until: Timestamp) {
        if let Self::Driven(told) = self {
            let mut told = told.clone();
            if told.wait_for(|now| now.shown >= until).await.is_err() {
                // Nobody holds the hand any more, so that the time never comes.
                std::future::pending::<()>().await;
            }
            return;
        }
        while let Some(left) = remaining(self.now(), until) {
            let sleep = match self {
                Self::System => left.min(PIECE),
                Self::Simulated { .. } | Self::Driven(_) => left,
            };
            tokio::time::sleep(sleep).await;
        }
    }
}

/// How much time lies between `now` and `until`, if any.
fn remaining(now: Timestamp, until: Timestamp) -> Option<Duration> {
    Duration::try_from(until.duration_since(now))
        .ok()
        .filter(|left| !left.is_zero())
}

#[expect(
    clippy::disallowed_methods,
    reason = "everything else asks the clock, and the clock asks here"
)]
fn system_now() -> Timestamp {
    Timestamp::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is compared with the wall clock, which no test pauses"
)]
fn system_passed() -> Duration {
    static STARTED: OnceLock<std::time::Instant> = OnceLock::new();
    STARTED.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn simulated_time_passes_as_tokio_lets_it() {
        let clock = Clock::simulated(at("2026-03-01T12:00:00Z"));
        tokio::time::advance(Duration::from_millis(90_500)).await;
        assert_eq!(clock.now(), at("2026-03-01T12:01:30.5Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_simulated_sleep_ends_at_its_time_whatever_its_length() {
        let clock = Clock::simulated(at("2026-03-01T12:00:00Z"));
        for (until, then) in [
            ("2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z"),
            ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
            ("2026-03-01T12:00:00.25Z", "2026-03-01T12:00:00.25Z"),
            ("2026-03-08T12:00:00Z", "2026-03-08T12:00:00Z"),
        ] {
            clock.sleep_until(at(until)).await;
            assert_eq!(clock.now(), at(then));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_week_of_simulation_is_one_timer() {
        let clock = Clock::simulated(at("2026-03-01T12:00:00Z"));
        let mut polls = 0;
        let mut sleep = Box::pin(clock.sleep_until(at("2026-03-08T12:00:00Z")));
        std::future::poll_fn(|context| {
            polls += 1;
            sleep.as_mut().poll(context)
        })
        .await;
        assert_eq!(polls, 2);
    }

    #[tokio::test]
    async fn a_driven_clock_moves_with_its_hand_and_never_back() {
        let (hand, clock) = Clock::driven(at("2026-03-01T12:00:00Z"));
        let mut sleep = Box::pin(clock.sleep_until(at("2026-03-01T12:01:00Z")));
        for (to, shown, over) in [
            ("2026-03-01T12:00:59Z", "2026-03-01T12:00:59Z", false),
            ("2026-03-01T11:00:00Z", "2026-03-01T12:00:59Z", false),
            ("2026-03-01T12:01:00Z", "2026-03-01T12:01:00Z", true),
        ] {
            hand.move_to(at(to));
            assert_eq!(clock.now(), at(shown));
            assert_eq!((&mut sleep).now_or_never().is_some(), over, "{to}");
        }
        hand.set_to(at("2026-03-01T11:00:00Z"));
        assert_eq!(clock.now(), at("2026-03-01T11:00:00Z"));
        let moved = Duration::from_mins(1);
        assert_eq!(clock.passed(), moved, "setting it takes no time");
        drop(hand);
        let never = clock.sleep_until(Timestamp::MAX).now_or_never();
        assert!(never.is_none(), "nobody could have moved it");
    }

    /// Tokio's clock is paused and so runs ahead of the machine's: as if the machine's were set back while asleep.
    #[tokio::test(start_paused = true)]
    async fn the_system_clock_is_read_again_every_second() {
        let clock = Clock::System;
        let started = Instant::now();
        let until = clock.now().checked_add(Duration::from_millis(150)).unwrap();
        clock.sleep_until(until).await;
        assert!(clock.now() >= until, "woke before its time");
        assert!(started.elapsed() > Duration::from_millis(150));

        let mut wakes = 0;
        let mut endless = Box::pin(clock.sleep_until(Timestamp::MAX));
        let counted = std::future::poll_fn(|context| {
            wakes += 1;
            endless.as_mut().poll(context)
        });
        let slept = tokio::time::timeout(Duration::from_millis(5_500), counted).await;
        assert!(slept.is_err(), "slept less than asked");
        assert_eq!(
            wakes,
            6 + 1,
            "one at the start, one a second, one for the timeout"
        );
    }
}
