//! A piece of a lane's time with its own totals: what is shared with readers and written to the store.

use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::columns::Columns;
use super::tally::Tally;

/// How old what a chunk holds is, which decides how much time it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Age {
    /// An hour.
    Recent,
    /// A day, of slots of an hour.
    Old,
}

impl Age {
    /// The length of time that a chunk of this age holds.
    pub const fn length(self) -> Span {
        match self {
            Self::Recent => Span::from_hours(1),
            Self::Old => Span::from_days(1),
        }
    }
}

/// Which chunk of a lane: its age, and where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkKey {
    /// How much time it holds.
    pub age: Age,
    /// The time before its first slot, excluded.
    pub start: Timestamp,
}

impl ChunkKey {
    /// The chunk of this age to which a slot that ends `end` belongs.
    pub fn containing(age: Age, end: Timestamp) -> Self {
        let start = (end - Span::from_millis(1)).floor_to(age.length());
        Self { age, start }
    }

    /// The last time that a slot of it may end at, included.
    pub fn end(self) -> Timestamp {
        self.start + self.age.length()
    }
}

/// The counted slots of one lane that end within one hour or one day, aligned and left-open as slots
/// are. A slot that was never counted is not there: unknown is not zero. Slots are kept by their
/// ends, so those of a width that was configured earlier stand beside today's.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    key: ChunkKey,
    slots: Columns,
}

impl Chunk {
    /// The empty chunk of this key.
    pub fn new(key: ChunkKey) -> Self {
        Self {
            key,
            slots: Columns::new(),
        }
    }

    /// Which one it is.
    pub const fn key(&self) -> ChunkKey {
        self.key
    }

    /// The time before its first slot, excluded.
    pub const fn start(&self) -> Timestamp {
        self.key.start
    }

    /// The last time that a slot of it may end at, included.
    pub fn end(&self) -> Timestamp {
        self.key.end()
    }

    /// All slots together.
    pub fn totals(&self) -> Tally {
        self.slots.tally(self.slots.len())
    }

    /// The slots that end at or before `time` together.
    pub(super) fn up_to(&self, time: Timestamp) -> Tally {
        self.slots.tally(self.slots.up_to(time.since(self.start())))
    }

    /// The slots that were counted, oldest first, each with the included end of its interval.
    pub fn slots(&self) -> impl Iterator<Item = (Timestamp, Slot)> {
        self.between(0..usize::MAX)
    }

    /// The slots of it that end in `range`, oldest first.
    pub fn within(&self, range: TimeRange) -> impl Iterator<Item = (Timestamp, Slot)> {
        let first = self.slots.up_to(range.from.since(self.start()));
        let after = self.slots.up_to(range.to.since(self.start()));
        self.between(first..after)
    }

    fn between(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = (Timestamp, Slot)> {
        range
            .map_while(|index| self.slots.get(index))
            .map(|(distance, slot)| (self.start() + distance, slot))
    }

    /// Adds `more` to the slot that ends `end`, which must lie in this chunk. Returns by how much the
    /// totals grow.
    pub fn add(&mut self, end: Timestamp, more: &Slot) -> Tally {
        debug_assert_eq!(
            ChunkKey::containing(self.key.age, end),
            self.key,
            "a slot of another chunk"
        );
        self.slots.add(end.since(self.start()), more)
    }

    /// Whether there is room that is not needed while nothing is added.
    pub(super) fn is_loose(&self) -> bool {
        self.slots.is_loose()
    }

    /// Gives back the room that was kept for more slots.
    pub(super) fn shrink(&mut self) {
        self.slots.shrink();
    }
}
