//! What many slots of one lane hold together.

use crate::domain::slot::{Counts, Slot};
use crate::domain::time::Span;

/// Slots of one lane, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// What was counted.
    pub counts: Counts,
    /// The time that was measured.
    pub covered: Span,
    /// Slots of which a part was spread over a gap.
    pub reconstructed: u64,
    /// Slots that were counted.
    pub slots: u64,
}

impl Tally {
    /// Adds one slot.
    pub fn add(&mut self, slot: &Slot) {
        self.counts = self.counts.plus(slot.counts);
        self.covered = self.covered + slot.covered;
        self.reconstructed += u64::from(slot.reconstructed);
        self.slots += 1;
    }

    /// Adds what was added up elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.counts = self.counts.plus(other.counts);
        self.covered = self.covered + other.covered;
        self.reconstructed += other.reconstructed;
        self.slots += other.slots;
    }
}
