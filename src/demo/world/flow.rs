//! Streams of requests in closed form: how many there were up to a time, and how many of them failed or were slow.
//!
//! All counts are whole numbers, made by whole-number arithmetic from the count of requests: no counter ever falls, and
//! what is told about the past does not change when a fault is added to the future.

use crate::domain::time::Timestamp;

use super::fault::{Fault, Kind, MILLION, Service};

const DAY: f64 = 86_400.0;

/// A stream of requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// Whose faults act on it.
    pub(super) service: Service,
    /// Requests an hour, over a whole day.
    pub(super) per_hour: f64,
    /// How far (0..1) day and night differ from the mean.
    pub(super) swing: f64,
    /// Where in the day it begins, in radians.
    pub(super) phase: f64,
}

/// Which of a stream's requests are counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// All.
    All,
    /// Those that failed: usually this share.
    Failed(u64),
    /// Of those that did not fail, the share whose client was wrong.
    Wrong { failed: u64, wrong: u64 },
    /// The others.
    Right { failed: u64, wrong: u64 },
    /// Those that were answered within a time that usually this share misses; `slowed` where slowness reaches so far.
    Within { above: u64, slowed: bool },
}

impl Flow {
    /// How many requests there were since `origin` had nothing kept them away.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and far below 2^53"
    )]
    fn undisturbed(&self, origin: Timestamp, at: Timestamp) -> u64 {
        let seconds = at.since(origin).as_secs_f64().max(0.0);
        let turn = std::f64::consts::TAU / DAY;
        // The integral of 1 + swing · sin(turn · s + phase).
        let day = self.swing / turn * (self.phase.cos() - (turn * seconds + self.phase).cos());
        (self.per_hour / 3_600.0 * (seconds + day)) as u64
    }

    /// How many requests there were.
    pub(super) fn requests(&self, origin: Timestamp, faults: &[Fault], at: Timestamp) -> u64 {
        let undisturbed = |at| self.undisturbed(origin, at);
        let away = self.acting(faults, Kind::Traffic).map(|fault| {
            let meanwhile =
                undisturbed(at.min(fault.to)).saturating_sub(undisturbed(at.min(fault.from)));
            meanwhile * fault.intensity / MILLION
        });
        undisturbed(at) - away.sum::<u64>()
    }

    /// How many of the requests belong to `part`.
    pub(super) fn count(
        &self,
        part: Part,
        origin: Timestamp,
        faults: &[Fault],
        at: Timestamp,
    ) -> u64 {
        let requests = |at| self.requests(origin, faults, at);
        let all = requests(at);
        // Of `usual` parts of a million, and of more of them while a fault acts.
        let share = |usual: u64, kind: Option<Kind>| {
            let more = kind
                .into_iter()
                .flat_map(|kind| self.acting(faults, kind))
                .map(|fault| {
                    let meanwhile =
                        requests(at.min(fault.to)).saturating_sub(requests(at.min(fault.from)));
                    meanwhile * fault.intensity.saturating_sub(usual)
                });
            (all * usual + more.sum::<u64>()) / MILLION
        };
        match part {
            Part::All => all,
            Part::Failed(usual) => share(usual, Some(Kind::Errors)),
            Part::Wrong { failed, wrong } => {
                (all - share(failed, Some(Kind::Errors))) * wrong / MILLION
            }
            Part::Right { failed, wrong } => {
                let answered = all - share(failed, Some(Kind::Errors));
                answered - answered * wrong / MILLION
            }
            Part::Within { above, slowed } => all - share(above, slowed.then_some(Kind::Slowness)),
        }
    }

    fn acting<'a>(&self, faults: &'a [Fault], kind: Kind) -> impl Iterator<Item = &'a Fault> {
        let service = self.service;
        faults
            .iter()
            .filter(move |fault| fault.service == service && fault.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::domain::time::Span;

    use super::*;

    fn at(step: i64) -> Timestamp {
        Timestamp::from_millis(step * 30_000)
    }

    proptest! {
        /// Whatever goes wrong, no counter falls, parts add up, and the past stays as it was.
        #[test]
        fn counters_only_grow(
            per_hour in 5.0..50_000.0_f64,
            swing in 0.0..0.6_f64,
            failed in 0_u64..20_000,
            intensities in prop::collection::vec(1_u64..=MILLION, 3),
            from in 0_i64..100,
            length in 1_i64..100,
        ) {
            let flow = Flow { service: Service::Checkout, per_hour, swing, phase: 1.0 };
            let kinds = [Kind::Errors, Kind::Slowness, Kind::Traffic];
            let faults: Vec<Fault> = kinds.into_iter().zip(intensities).map(|(kind, intensity)| Fault {
                id: 1, service: Service::Checkout, kind, intensity, from: at(from), to: at(from + length),
            }).collect();
            let parts = [
                Part::All,
                Part::Failed(failed),
                Part::Wrong { failed, wrong: 30_000 },
                Part::Right { failed, wrong: 30_000 },
                Part::Within { above: 100_000, slowed: true },
                Part::Within { above: 5_000, slowed: true },
                Part::Within { above: 1_000, slowed: false },
            ];
            let origin = at(-2_880);
            let mut before = [0; 7];
            for step in 0..220 {
                let counts = parts.map(|part| flow.count(part, origin, &faults, at(step)));
                prop_assert!(before.iter().zip(&counts).all(|(before, now)| before <= now), "{before:?} {counts:?}");
                prop_assert_eq!(counts[0], counts[1] + counts[2] + counts[3]);
                prop_assert!(counts[4] <= counts[5] && counts[5] <= counts[0]);
                if step <= from {
                    prop_assert_eq!(counts, parts.map(|part| flow.count(part, origin, &[], at(step))));
                }
                before = counts;
            }
        }
    }

    #[test]
    fn a_day_has_its_shape_and_its_sum() {
        let flow = Flow {
            service: Service::Checkout,
            per_hour: 3_600.0,
            swing: 0.5,
            phase: 0.0,
        };
        let origin = at(0);
        let upto = |hours| flow.requests(origin, &[], origin + Span::from_hours(hours));
        assert_eq!(upto(24), 86_400);
        assert_eq!(upto(48) - upto(24), 86_400);
        assert!(
            upto(12) > 55_000,
            "the first half of the day is the busy one"
        );
    }
}
