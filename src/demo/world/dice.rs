//! What differs from seed to seed: numbers that anybody can compute again from the seed and a name.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;

/// A number from 0 up to 1, the same for the same seed and name.
#[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
pub(super) fn throw(seed: u64, name: &str) -> f64 {
    let mut hasher = FixedState::with_seed(seed).build_hasher();
    hasher.write(name.as_bytes());
    (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
}

/// `usual`, more or less by at most a share of `spread`.
pub(super) fn about(usual: f64, spread: f64, seed: u64, name: &str) -> f64 {
    usual * (1.0 + spread * (2.0 * throw(seed, name) - 1.0))
}
