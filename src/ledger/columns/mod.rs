//! The slots of one chunk in columns: four to eight bytes a slot where its counts are small and whole and
//! all of its time was measured. What can be added up is kept so from the chunk's start, so that any
//! part of it is one difference.

mod counts;
mod runs;
mod times;

use crate::domain::slot::Slot;
use crate::domain::time::Span;

use super::tally::Tally;
use counts::CountColumn;
use times::{Part, Times};

/// Slots by the distance of their ends from the chunk's start, smallest first.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    times: Times,
    counts: CountColumn,
}

impl Columns {
    pub(super) const fn new() -> Self {
        Self {
            times: Times::NONE,
            counts: CountColumn::Nothing,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// How many slots end at or before `distance`.
    pub(super) fn up_to(&self, distance: Span) -> usize {
        match u32::try_from(distance.as_millis()) {
            Ok(last) => self.times.up_to(last),
            Err(_) if distance > Span::ZERO => self.len(),
            Err(_) => 0,
        }
    }

    /// The slot at `index`, with the distance of its end from the start.
    pub(super) fn get(&self, index: usize) -> Option<(Span, Slot)> {
        let end = self.times.end(index)?;
        let (part, before) = (self.times.part(index + 1), self.times.part(index));
        let slot = Slot {
            counts: self.counts.get(index)?,
            covered: part.covered - before.covered,
            reconstructed: part.marks > before.marks,
        };
        Some((Span::from_millis(end.into()), slot))
    }

    /// The first `slots` slots together.
    pub(super) fn tally(&self, slots: usize) -> Tally {
        let Part { covered, marks } = self.times.part(slots);
        self.counts.tally(slots, (covered, marks))
    }

    /// Adds `more` to the slot that ends `distance` after the start. Returns by how much the whole grows.
    pub(super) fn add(&mut self, distance: Span, more: &Slot) -> Tally {
        let end = millis(distance);
        let (index, is_new) = match self.times.find(end) {
            Ok(index) => (index, false),
            Err(index) => (index, true),
        };
        let old = if is_new { None } else { self.get(index) };
        let old = old.map(|(_, slot)| slot).unwrap_or_default();
        let mut slot = old;
        slot.add(more);
        let is_marked = slot.reconstructed && !old.reconstructed;
        if is_new {
            self.times.insert(index, end, (more.covered, is_marked));
            self.counts.insert(index);
        } else {
            self.times.change(index, (more.covered, is_marked));
        }
        self.counts
            .set(index, self.len(), (old.counts, slot.counts));
        let grown = Tally::of(&slot).minus(Tally::of(&old));
        if is_new {
            grown.plus(Tally::whole([0; 2], (Span::ZERO, 0), 1))
        } else {
            grown
        }
    }

    /// Whether there is room that is not needed while nothing is added.
    pub(super) fn is_loose(&self) -> bool {
        self.times.is_loose() || self.counts.is_loose()
    }

    /// Gives that room back.
    pub(super) fn shrink(&mut self) {
        self.times.shrink();
        self.counts.shrink();
    }
}

/// The same slots are the same however they are kept.
impl PartialEq for Columns {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && (0..self.len()).all(|index| self.get(index) == other.get(index))
    }
}

/// A chunk is at most a day long, so that distances fit in 27 bits.
fn millis(distance: Span) -> u32 {
    u32::try_from(distance.as_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
