//! The slots of one source of events: settled ones in chunks, provisional ones one by one.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::domain::slot::Slot;
use crate::domain::time::{TimeRange, Timestamp};

use super::chunk::CHUNK;
use super::chunk::Chunk;
use super::tally::Tally;

/// One lane. The map of chunks is shared too, so that a clone costs the same for any window.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    settled: Arc<BTreeMap<Timestamp, Arc<Chunk>>>,
    provisional: BTreeMap<Timestamp, Slot>,
}

impl Lane {
    /// Returns the start of the chunk that changed.
    pub(super) fn add_settled(&mut self, end: Timestamp, more: &Slot) -> Timestamp {
        let start = Chunk::start_of(end);
        let chunk = Arc::make_mut(&mut self.settled)
            .entry(start)
            .or_insert_with(|| Arc::new(Chunk::containing(end)));
        Arc::make_mut(chunk).add(end, more);
        start
    }

    pub(super) fn add_provisional(&mut self, end: Timestamp, more: &Slot) {
        self.provisional.entry(end).or_default().add(more);
    }

    pub(super) fn clear_provisional(&mut self) {
        self.provisional.clear();
    }

    pub(super) fn restore(&mut self, chunk: Arc<Chunk>) {
        Arc::make_mut(&mut self.settled).insert(chunk.start(), chunk);
    }

    pub(super) fn chunk(&self, start: Timestamp) -> Option<&Arc<Chunk>> {
        self.settled.get(&start)
    }

    pub(super) fn forget_before(&mut self, time: Timestamp) -> bool {
        let kept = time - CHUNK;
        let is_old = |start: &Timestamp| *start <= kept;
        if !self.settled.keys().next().is_some_and(is_old) {
            return false;
        }
        Arc::make_mut(&mut self.settled).retain(|start, _| !is_old(start));
        true
    }

    pub(super) fn sum(&self, range: TimeRange) -> Tally {
        let mut tally = Tally::default();
        for chunk in self.chunks(range) {
            if range.from <= chunk.start() && chunk.end() <= range.to {
                tally.merge(chunk.totals());
            } else {
                for (_, slot) in chunk.within(range) {
                    tally.add(slot);
                }
            }
        }
        for (_, slot) in self.provisional(range) {
            tally.add(slot);
        }
        tally
    }

    /// The slots that end in `range`, oldest first; what is settled and provisional of one slot
    /// comes as one.
    pub(super) fn slots(&self, range: TimeRange) -> impl Iterator<Item = (Timestamp, Slot)> {
        let settled = self.chunks(range).flat_map(move |it| it.within(range));
        let mut settled = settled.copied().peekable();
        let provisional = self.provisional(range).map(|(end, slot)| (*end, *slot));
        let mut provisional = provisional.peekable();
        std::iter::from_fn(move || {
            let ends = [settled.peek(), provisional.peek()];
            let end = ends.into_iter().flatten().map(|(end, _)| *end).min()?;
            let mut whole = Slot::default();
            let parts = [
                settled.next_if(|(at, _)| *at == end),
                provisional.next_if(|(at, _)| *at == end),
            ];
            for (_, slot) in parts.into_iter().flatten() {
                whole.add(&slot);
            }
            Some((end, whole))
        })
    }

    /// The chunks that may have slots which end in `range`, oldest first.
    fn chunks(&self, range: TimeRange) -> impl Iterator<Item = &Chunk> {
        // An end before the start would make the map panic.
        let to = range.to.max(range.from);
        let starts = (Bound::Excluded(range.from - CHUNK), Bound::Excluded(to));
        self.settled.range(starts).map(|(_, chunk)| &**chunk)
    }

    fn provisional(&self, range: TimeRange) -> impl Iterator<Item = (&Timestamp, &Slot)> {
        let to = range.to.max(range.from);
        let ends = (Bound::Excluded(range.from), Bound::Included(to));
        self.provisional.range(ends)
    }
}
