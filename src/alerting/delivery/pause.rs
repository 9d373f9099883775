//! How long to wait before another try: longer each time, and spread so that nobody is met by a crowd.

use std::time::Duration;

use crate::domain::time::Span;

/// The longest wait after failures that may pass.
const LONGEST: Span = Span::from_mins(5);
/// The shortest one, so that a failure is not answered with a flood.
const SHORTEST: Span = Span::from_millis(200);
/// The longest wait that a receiver may ask for.
const LONGEST_ASKED: Span = Span::from_mins(15);
/// The wait after a refusal that somebody must end.
pub(super) const REFUSED: Span = Span::from_mins(10);

/// A small generator of numbers (SplitMix64): the same seed gives the same waits.
#[derive(Clone, Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The wait after `failures` in a row (1 and up): anything up to a second, two, four … five minutes.
    pub(super) fn back_off(&mut self, failures: u32) -> Span {
        let doublings = failures.saturating_sub(1).min(20);
        let ceiling = LONGEST.as_millis().min(1_000 << doublings);
        let range = u64::try_from(ceiling).unwrap_or(1).max(1);
        let millis = i64::try_from(self.next() % range).unwrap_or(ceiling);
        Span::from_millis(millis + 1).max(SHORTEST)
    }

    /// The wait after a failure that may pass: what the receiver asked for, within reason, or the back-off.
    pub(super) fn after_failure(&mut self, asked: Option<Duration>, failures: u32) -> Span {
        match asked {
            Some(asked) => Span::from(asked).min(LONGEST_ASKED).max(SHORTEST),
            None => self.back_off(failures),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_are_spread_over_all_of_it() {
        for (failures, ceiling) in [
            (1, 1),
            (2, 2),
            (5, 16),
            (9, 256),
            (10, 300),
            (u32::MAX, 300),
        ] {
            let mut jitter = Jitter::new(7);
            let waits: Vec<Span> = (0..1_000).map(|_| jitter.back_off(failures)).collect();
            let ceiling = Span::from_secs(ceiling);
            assert!(waits.iter().all(|wait| (SHORTEST..=ceiling).contains(wait)));
            let half = Span::from_millis(ceiling.as_millis() / 2);
            let long = waits.iter().filter(|wait| **wait > half).count();
            assert!(
                (400..600).contains(&long),
                "{long} of 1000 above the middle"
            );
        }
    }

    /// What SplitMix64 gives for these seeds everywhere else.
    #[test]
    fn a_seed_gives_the_numbers_that_it_gives_elsewhere() {
        for (seed, numbers) in [
            (0, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]),
            (
                1_234_567,
                [6_457_827_717_110_365_317, 3_203_168_211_198_807_973],
            ),
        ] {
            let mut jitter = Jitter::new(seed);
            assert_eq!([jitter.next(), jitter.next()], numbers, "{seed}");
        }
    }

    #[test]
    fn what_a_receiver_asks_for_is_obeyed_within_reason() {
        for (asked, waited) in [(7, 7), (3_600, 900)] {
            let asked = Some(Duration::from_secs(asked));
            assert_eq!(
                Jitter::new(1).after_failure(asked, 9),
                Span::from_secs(waited)
            );
        }
        let none = Some(Duration::ZERO);
        assert_eq!(Jitter::new(1).after_failure(none, 9), SHORTEST);
    }
}
