//! What many slots of one lane hold together, added up without an error.

use crate::domain::slot::{Counts, Slot};
use crate::domain::time::Span;

/// Counts are added up in this many parts of an event: 2^40.
const PARTS: f64 = 1_099_511_627_776.0;

/// How many bits these parts are.
const PART_BITS: u32 = 40;

/// A sum of counts. Floats lose something whenever sums of different sizes are added or taken off;
/// these whole parts of events do not, so that a window is the difference of two running sums for
/// ever, whichever way the slots came in. Whole counts are exact as they are up to 2^53; others are
/// taken to the nearest 2^-40, once for each slot. Sums beyond 2^87 events stay there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Exact(i128);

impl Exact {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "floats saturate into integers"
    )]
    fn of(count: f64) -> Self {
        Self((count * PARTS).round() as i128)
    }

    const fn whole(count: i64) -> Self {
        // 63 bits and 40 more are less than 127.
        Self((count as i128) << PART_BITS)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "the nearest float of the sum is what is asked for"
    )]
    fn to_f64(self) -> f64 {
        self.0 as f64 / PARTS
    }

    const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Slots of one lane, added up, or the difference of two such sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    bad: Exact,
    total: Exact,
    covered: Span,
    reconstructed: i32,
    slots: i32,
}

impl Tally {
    /// One slot.
    pub(super) fn of(slot: &Slot) -> Self {
        Self {
            bad: Exact::of(slot.counts.bad),
            total: Exact::of(slot.counts.total),
            covered: slot.covered,
            reconstructed: i32::from(slot.reconstructed),
            slots: 1,
        }
    }

    /// Slots of which the sums are known: `[bad, total]` whole events, and how many slots.
    pub(super) const fn whole(
        [bad, total]: [i64; 2],
        (covered, reconstructed): (Span, i32),
        slots: i32,
    ) -> Self {
        Self {
            bad: Exact::whole(bad),
            total: Exact::whole(total),
            covered,
            reconstructed,
            slots,
        }
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        Counts {
            bad: self.bad.to_f64(),
            total: self.total.to_f64(),
        }
    }

    /// The time that was measured.
    pub const fn covered(&self) -> Span {
        self.covered
    }

    /// Slots of which a part was spread over a gap.
    pub fn reconstructed(&self) -> u64 {
        u64::try_from(self.reconstructed).unwrap_or(0)
    }

    /// Slots that were counted.
    pub fn slots(&self) -> u64 {
        u64::try_from(self.slots).unwrap_or(0)
    }

    /// Both together.
    #[must_use]
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            bad: self.bad.plus(other.bad),
            total: self.total.plus(other.total),
            covered: self.covered + other.covered,
            reconstructed: self.reconstructed + other.reconstructed,
            slots: self.slots + other.slots,
        }
    }

    /// What is left of this without a part of it.
    #[must_use]
    pub(super) fn minus(self, part: Self) -> Self {
        Self {
            bad: self.bad.minus(part.bad),
            total: self.total.minus(part.total),
            covered: self.covered - part.covered,
            reconstructed: self.reconstructed - part.reconstructed,
            slots: self.slots - part.slots,
        }
    }
}

/// Counts what sums look at, so that a test can tell what a tick costs.
#[cfg(test)]
pub(super) mod touched {
    use std::cell::Cell;

    thread_local! {
        static TOUCHED: Cell<usize> = const { Cell::new(0) };
    }

    pub(in crate::ledger) fn note(count: usize) {
        TOUCHED.with(|touched| touched.set(touched.get() + count));
    }

    /// How many slots and sums were looked for by `work`.
    pub(in crate::ledger) fn by<T>(work: impl FnOnce() -> T) -> usize {
        let before = TOUCHED.with(Cell::get);
        drop(work());
        TOUCHED.with(Cell::get) - before
    }
}

/// Notes that a sum looks for so many slots or other sums, whether or not there are any.
pub(super) fn touch(count: usize) {
    #[cfg(test)]
    touched::note(count);
    #[cfg(not(test))]
    let _: usize = count;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(counts: &[f64]) -> Tally {
        let slots = counts.iter().map(|count| {
            Tally::of(&Slot {
                counts: Counts {
                    bad: *count,
                    total: *count,
                },
                ..Slot::default()
            })
        });
        slots.fold(Tally::default(), Tally::plus)
    }

    #[test]
    fn sums_of_whole_counts_are_exact_up_to_2_to_the_53() {
        let most = 9_007_199_254_740_992.0;
        for counts in [
            &[most][..],
            &[most - 1.0, 1.0],
            &[1.0, most - 2.0, 1.0],
            &[-1.0, 1.0],
            &[0.25, 0.75],
        ] {
            let sum = tally(counts).counts().total;
            assert_eq!(
                sum.to_bits(),
                counts.iter().sum::<f64>().to_bits(),
                "{counts:?}"
            );
        }
        // A float that runs along forgets the one; this does not.
        let long = tally(&[1.0, most * 8.0]).minus(tally(&[most * 8.0]));
        assert_eq!(long.counts().total.to_bits(), 1.0_f64.to_bits());
        let drifting = tally(&[1e15, 0.1]).minus(tally(&[1e15]));
        assert!((drifting.counts().total - 0.1).abs() < 1e-12);
        assert!(tally(&[f64::MAX]).counts().total > 1e25);
    }

    proptest! {
        #[test]
        fn what_was_added_and_taken_off_again_leaves_nothing(
            kept in prop::collection::vec(-1e9_f64..1e15, 0..20),
            gone in prop::collection::vec(-1e9_f64..1e15, 0..20),
        ) {
            let all = tally(&[kept.clone(), gone.clone()].concat());
            prop_assert_eq!(all.minus(tally(&gone)), tally(&kept));
            prop_assert_eq!(tally(&gone).plus(tally(&kept)), all);
        }
    }
}
