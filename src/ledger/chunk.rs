//! An hour of slots with its own totals: what is shared with readers and written to the store.

use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::tally::Tally;

/// The length of time that a chunk holds.
pub const CHUNK: Span = Span::from_hours(1);

/// The counted slots of one lane that end within one hour, aligned to [`CHUNK`] and left-open as
/// slots are. A slot that was never counted is not there: unknown is not zero. Slots are kept by
/// their ends, so those of a width that was configured earlier stand beside today's.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    start: Timestamp,
    slots: Vec<(Timestamp, Slot)>,
    totals: Tally,
}

impl Chunk {
    /// The empty chunk to which a slot that ends `end` belongs.
    pub fn containing(end: Timestamp) -> Self {
        Self {
            start: Self::start_of(end),
            slots: Vec::new(),
            totals: Tally::default(),
        }
    }

    /// The start of the chunk to which a slot that ends `end` belongs.
    pub fn start_of(end: Timestamp) -> Timestamp {
        (end - Span::from_millis(1)).floor_to(CHUNK)
    }

    /// The time before its first slot, excluded.
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The last time that a slot of it may end at, included.
    pub fn end(&self) -> Timestamp {
        self.start + CHUNK
    }

    /// All slots together.
    pub const fn totals(&self) -> &Tally {
        &self.totals
    }

    /// The slots that were counted, oldest first, each with the included end of its interval.
    pub fn slots(&self) -> impl DoubleEndedIterator<Item = (Timestamp, &Slot)> {
        self.slots.iter().map(|(end, slot)| (*end, slot))
    }

    /// The slots of it that end in `range`, oldest first.
    pub fn within(&self, range: TimeRange) -> &[(Timestamp, Slot)] {
        let first = self.slots.partition_point(|(end, _)| *end <= range.from);
        let after = self.slots.partition_point(|(end, _)| *end <= range.to);
        self.slots.get(first..after).unwrap_or_default()
    }

    /// Adds `more` to the slot that ends `end`, which must lie in this chunk.
    pub fn add(&mut self, end: Timestamp, more: &Slot) {
        debug_assert_eq!(Self::start_of(end), self.start, "a slot of another chunk");
        match self.slots.binary_search_by_key(&end, |(end, _)| *end) {
            Err(index) => {
                self.slots.insert(index, (end, *more));
                self.totals.add(more);
            }
            Ok(index) => {
                let (_, slot) = &mut self.slots[index];
                let newly = more.reconstructed && !slot.reconstructed;
                slot.add(more);
                self.totals.counts = self.totals.counts.plus(more.counts);
                self.totals.covered = self.totals.covered + more.covered;
                self.totals.reconstructed += u64::from(newly);
            }
        }
    }
}
