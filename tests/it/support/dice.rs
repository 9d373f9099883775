//! Chance that can be played again: the seed is printed, and `SLOBURN_TEST_SEED` sets it.

use std::env;
use std::time::Duration;

use sloburn::clock::Clock;

/// A small generator of numbers (SplitMix64).
#[derive(Debug)]
pub(crate) struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    pub(crate) fn cast() -> Self {
        let seed = match env::var("SLOBURN_TEST_SEED") {
            Ok(text) => text.parse().expect("SLOBURN_TEST_SEED is a whole number"),
            Err(_) => Clock::System.now().as_millisecond().unsigned_abs(),
        };
        Self::seeded(seed)
    }

    /// The same numbers each time.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// A time below `limit` milliseconds.
    pub(crate) fn millis(&mut self, limit: u64) -> Duration {
        Duration::from_millis(self.below(limit))
    }
}
