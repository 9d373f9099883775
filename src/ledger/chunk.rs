//! An hour of slots with its own totals: what is shared with readers and written to the store.

use crate::domain::slot::Slot;
use crate::domain::time::{Span, Timestamp};

/// The length of time that a chunk holds.
pub const CHUNK: Span = Span::from_hours(1);

/// Consecutive slots of one lane, aligned to [`CHUNK`]. Slots that were never counted are `None`:
/// unknown is not zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    start: Timestamp,
    width: Span,
    slots: Vec<Option<Slot>>,
    totals: Slot,
}

impl Chunk {
    /// An empty chunk that begins after `start` with slots of `width`; `width` divides an hour, or
    /// is a multiple of it (then the chunk has one slot).
    pub fn new(start: Timestamp, width: Span) -> Self {
        let count = usize::try_from(CHUNK.as_millis() / width.as_millis())
            .unwrap_or(1)
            .max(1);
        Self {
            start,
            width,
            slots: vec![None; count],
            totals: Slot::default(),
        }
    }

    /// The excluded start of the first slot.
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The width of its slots.
    pub const fn width(&self) -> Span {
        self.width
    }

    /// All counted slots together.
    pub const fn totals(&self) -> &Slot {
        &self.totals
    }

    /// The slots that were counted, oldest first, each with the included end of its interval.
    pub fn slots(&self) -> impl DoubleEndedIterator<Item = (Timestamp, &Slot)> {
        let at = |index: usize| {
            let ordinal = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1);
            self.start + Span::from_millis(self.width.as_millis() * ordinal)
        };
        self.slots
            .iter()
            .enumerate()
            .filter_map(move |(index, slot)| slot.as_ref().map(|slot| (at(index), slot)))
    }

    /// Adds `more` to the slot that ends `end`, which must lie in this chunk.
    pub fn add(&mut self, end: Timestamp, more: &Slot) {
        let ordinal =
            (end.since(self.start).as_millis() / self.width.as_millis()).saturating_sub(1);
        if let Some(slot) = usize::try_from(ordinal)
            .ok()
            .and_then(|index| self.slots.get_mut(index))
        {
            slot.get_or_insert_default().add(more);
            self.totals.add(more);
        }
    }
}
