//! Whether a source is asked at all: once it has failed a few times in a row, one read at a time tries, and ever
//! less often.

use std::time::Duration;

use tokio::time::Instant;

use crate::source::error::Failure;

/// So many failures in a row, whatever was asked, are the source's.
const FAILURES: u32 = 3;
const SHORTEST: Duration = Duration::from_millis(500);
/// Shorter than most ticks, so that hardly a tick is missed once the source is back.
const LONGEST: Duration = Duration::from_secs(15);

/// What is known of a source's health. Time comes in as a value.
#[derive(Debug)]
pub(super) enum Circuit {
    /// All reads go through.
    Closed { failures: u32 },
    /// None does before `until`.
    Open {
        until: Instant,
        wait: Duration,
        why: Failure,
    },
    /// One tries, and the others wait for what comes of it.
    Probing { wait: Duration, why: Failure },
}

/// What a read is to do.
#[derive(Debug, PartialEq)]
pub(super) enum Entry {
    /// Ask.
    Go,
    /// Ask, alone and once.
    Probe,
    /// Wait for the one who tries.
    Wait,
    /// Fail as the last one did.
    Fail(Failure),
}

impl Circuit {
    pub(super) const fn new() -> Self {
        Self::Closed { failures: 0 }
    }

    pub(super) fn enter(&mut self, now: Instant) -> Entry {
        match self {
            Self::Closed { .. } => Entry::Go,
            Self::Probing { .. } => Entry::Wait,
            Self::Open { until, why, .. } if now < *until => Entry::Fail(why.clone()),
            Self::Open { wait, why, .. } => {
                *self = Self::Probing {
                    wait: *wait,
                    why: why.clone(),
                };
                Entry::Probe
            }
        }
    }

    /// Takes in a failure that has nothing to do with what was asked. `spread` is a random number from 0 to 1.
    pub(super) fn failed(&mut self, probe: bool, why: &Failure, now: Instant, spread: f64) {
        let wait = match self {
            Self::Closed { failures } if *failures + 1 < FAILURES => {
                *failures += 1;
                return;
            }
            Self::Closed { .. } => SHORTEST,
            Self::Probing { wait, .. } if probe => LONGEST.min(*wait * 2),
            // Sent off before.
            Self::Probing { .. } | Self::Open { .. } => return,
        };
        *self = Self::Open {
            until: now + wait.mul_f64(0.75 + spread / 2.0),
            wait,
            why: why.clone(),
        };
    }

    /// The source has answered.
    pub(super) fn answered(&mut self) {
        *self = Self::Closed { failures: 0 };
    }

    /// The one who tried was called off, or learned nothing: the next one may try.
    pub(super) fn abandoned(&mut self, now: Instant) {
        if let Self::Probing { wait, why } = self {
            *self = Self::Open {
                until: now,
                wait: *wait,
                why: why.clone(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Failure {
        Failure::Unreachable {
            reason: "connection refused".into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_fails_is_tried_by_one_and_ever_less_often() {
        let (mut circuit, why, start) = (Circuit::new(), refused(), Instant::now());
        for _ in 1..FAILURES {
            circuit.failed(false, &why, start, 0.5);
        }
        circuit.answered();
        for _ in 0..FAILURES {
            assert_eq!(circuit.enter(start), Entry::Go);
            circuit.failed(false, &why, start, 0.5);
        }
        let (mut now, mut waits) = (start, Vec::new());
        for _ in 0..8 {
            let before = now;
            while circuit.enter(now) != Entry::Probe {
                assert_eq!(circuit.enter(now), Entry::Fail(refused()));
                now += Duration::from_millis(500);
            }
            waits.push((now - before).as_millis());
            assert_eq!(circuit.enter(now), Entry::Wait);
            circuit.failed(false, &why, now, 0.5);
            assert_eq!(circuit.enter(now), Entry::Wait, "sent off before");
            circuit.failed(true, &why, now, 0.5);
        }
        assert_eq!(
            waits,
            [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]
        );
        assert_eq!(circuit.enter(now + LONGEST), Entry::Probe);
        circuit.abandoned(now + LONGEST);
        assert_eq!(circuit.enter(now + LONGEST), Entry::Probe);
        circuit.answered();
        assert_eq!(circuit.enter(now), Entry::Go);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_are_spread() {
        let now = Instant::now();
        for (spread, after) in [(0.0, 375), (1.0, 625)] {
            let mut circuit = Circuit::Closed { failures: 2 };
            circuit.failed(false, &refused(), now, spread);
            let at = |millis| now + Duration::from_millis(millis);
            assert_eq!(circuit.enter(at(after - 1)), Entry::Fail(refused()));
            assert_eq!(circuit.enter(at(after)), Entry::Probe);
        }
    }
}
