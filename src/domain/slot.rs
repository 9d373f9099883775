//! Slots: what was counted in one aligned interval of time, and the exact comparison of counts.

use super::decimal::Fraction;
use super::time::Span;

/// The largest count up to which every whole number has its own float: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Bad events (or slices) and all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Events that broke the promise.
    pub bad: f64,
    /// All events.
    pub total: f64,
}

impl Counts {
    /// bad / total; `None` without events, which is not the same as zero.
    pub fn error_ratio(self) -> Option<f64> {
        (self.total > 0.0).then(|| self.bad / self.total)
    }

    /// Whether bad / total > `limit`, strictly. Exact when both are whole numbers up to 2^53, so
    /// that 144 bad of 10,000 is not above 14.4 × 0.1 %. Without events nothing is exceeded.
    pub fn exceeds(self, limit: Fraction) -> bool {
        if self.total <= 0.0 {
            return false;
        }
        let exact = whole(self.bad)
            .zip(whole(self.total))
            .and_then(|(bad, total)| {
                Some(bad.checked_mul(limit.denominator())? > total.checked_mul(limit.numerator())?)
            });
        exact.unwrap_or_else(|| self.bad / self.total > limit.to_f64())
    }

    /// Both added up.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            bad: self.bad + other.bad,
            total: self.total + other.total,
        }
    }

    /// This many times over; negative to take away.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            bad: self.bad * factor,
            total: self.total * factor,
        }
    }
}

/// `count` as an integer when it is one, up to 2^53.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and within 2^53"
)]
pub(super) fn whole(count: f64) -> Option<i128> {
    (count.fract() == 0.0 && count.abs() <= EXACT).then_some(count as i128)
}

/// What one slot holds: counts, and how well they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slot {
    /// What was counted.
    pub counts: Counts,
    /// The time that was really measured, at most the slot's width.
    pub covered: Span,
    /// Whether a part was spread over a gap instead of being seen in place.
    pub reconstructed: bool,
}

impl Slot {
    /// That it was measured, and nothing of what was counted.
    #[must_use]
    pub const fn measured(&self) -> Self {
        Self {
            counts: Counts {
                bad: 0.0,
                total: 0.0,
            },
            covered: self.covered,
            reconstructed: false,
        }
    }

    /// Adds what another source of events knows of the same slot.
    pub fn add(&mut self, other: &Self) {
        self.counts = self.counts.plus(other.counts);
        self.covered = self.covered + other.covered;
        self.reconstructed |= other.reconstructed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_at_the_threshold_are_exact_and_strict() {
        let limit = Fraction::new(144, 10).times(Fraction::new(1, 1_000));
        let exceeds = |bad, total| Counts { bad, total }.exceeds(limit);
        assert!(!exceeds(144.0, 10_000.0));
        assert!(exceeds(145.0, 10_000.0));
        assert!(!exceeds(0.0, 0.0));
        assert!(
            !exceeds(14.4, 1_000.5),
            "fractional counts are compared as floats"
        );
        assert!(exceeds(14.5, 1_000.5));
        assert!(exceeds(EXACT, EXACT), "no overflow at the largest counts");
        assert!(
            !Counts {
                bad: 0.0,
                total: 5.0
            }
            .exceeds(Fraction::new(0, 1))
        );
        assert!(
            Counts {
                bad: 1.0,
                total: 5.0
            }
            .exceeds(Fraction::new(0, 1))
        );
    }
}
