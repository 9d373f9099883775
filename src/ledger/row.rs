//! The chunks of one age in the order of time, with their sums running along.

use std::sync::Arc;

use crate::domain::slot::Slot;
use crate::domain::time::{TimeRange, Timestamp};

use super::chunk::{Chunk, ChunkKey};
use super::tally::{Tally, touch};

/// So many more chunks a row has room for when it grows.
const ROOM: usize = 8;

/// Chunks of equal length, oldest first. What ends up to any time is one running sum and a part of
/// one chunk, so that a window of any length is the difference of two such: nothing of it is walked
/// through. A chunk that is filled later than newer ones changes the sums behind it, once.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    starts: Vec<Timestamp>,
    chunks: Vec<Arc<Chunk>>,
    /// Of all chunks up to and with each.
    sums: Vec<Tally>,
}

impl Row {
    pub(super) fn chunks(&self) -> impl Iterator<Item = &Arc<Chunk>> {
        self.chunks.iter()
    }

    pub(super) fn get(&self, start: Timestamp) -> Option<&Arc<Chunk>> {
        let position = self.starts.binary_search(&start).ok()?;
        self.chunks.get(position)
    }

    /// Adds to a slot of a chunk, which may be new.
    pub(super) fn add(&mut self, key: ChunkKey, end: Timestamp, more: &Slot) {
        let position = self
            .starts
            .binary_search(&key.start)
            .unwrap_or_else(|position| {
                self.insert(position, Arc::new(Chunk::new(key)));
                position
            });
        if let Some(chunk) = self.chunks.get_mut(position) {
            let grown = Arc::make_mut(chunk).add(end, more);
            self.shift(position, |sum| sum.plus(grown));
        }
    }

    /// Puts a chunk in its place, instead of the one that was there.
    pub(super) fn put(&mut self, chunk: Arc<Chunk>) {
        let totals = chunk.totals();
        match self.starts.binary_search(&chunk.start()) {
            Ok(position) => {
                if let Some(place) = self.chunks.get_mut(position) {
                    let before = std::mem::replace(place, chunk).totals();
                    self.shift(position, |sum| sum.plus(totals).minus(before));
                }
            }
            Err(position) => {
                self.insert(position, chunk);
                self.shift(position, |sum| sum.plus(totals));
            }
        }
    }

    /// Whether chunks have more room than they need to which little is added any more: all but the newest.
    pub(super) fn is_loose(&self) -> bool {
        let done = self.chunks.split_last().map(|(_, done)| done);
        done.is_some_and(|done| done.iter().any(|chunk| chunk.is_loose()))
    }

    /// Gives that room back.
    pub(super) fn shrink(&mut self) {
        if let Some((_, done)) = self.chunks.split_last_mut() {
            for chunk in done.iter_mut().filter(|chunk| chunk.is_loose()) {
                Arc::make_mut(chunk).shrink();
            }
        }
    }

    /// Takes out all chunks that lie wholly at or before `time`.
    pub(super) fn take_up_to(&mut self, time: Timestamp) -> Vec<Arc<Chunk>> {
        let past = self.chunks.partition_point(|chunk| chunk.end() <= time);
        let Some(gone) = past.checked_sub(1).and_then(|last| self.sums.get(last)) else {
            return Vec::new();
        };
        let gone = *gone;
        self.starts.drain(..past);
        self.sums.drain(..past);
        self.shift(0, |sum| sum.minus(gone));
        self.chunks.drain(..past).collect()
    }

    /// Whether some chunk lies wholly at or before `time`.
    pub(super) fn reaches_before(&self, time: Timestamp) -> bool {
        self.chunks.first().is_some_and(|chunk| chunk.end() <= time)
    }

    /// Everything that ends at or before `time`: a sum within one chunk, and that of all chunks before it.
    pub(super) fn up_to(&self, time: Timestamp) -> Tally {
        touch(2);
        let behind = self.starts.partition_point(|start| *start < time);
        let Some(last) = behind.checked_sub(1) else {
            return Tally::default();
        };
        let part = self.chunks.get(last).map(|chunk| chunk.up_to(time));
        let before = last.checked_sub(1).and_then(|before| self.sums.get(before));
        part.unwrap_or_default()
            .plus(before.copied().unwrap_or_default())
    }

    /// The chunks that may have slots which end in `range`, oldest first.
    pub(super) fn within(&self, range: TimeRange) -> impl Iterator<Item = &Chunk> {
        let first = self
            .chunks
            .partition_point(|chunk| chunk.end() <= range.from);
        let behind = self.starts.partition_point(|start| *start < range.to);
        let found = self.chunks.get(first..behind).unwrap_or_default();
        found.iter().map(|chunk| &**chunk)
    }

    /// An empty place for a chunk that does not count yet.
    fn insert(&mut self, position: usize, chunk: Arc<Chunk>) {
        // They grow by one an hour or a day: room for twice as many would never be used.
        if self.chunks.len() == self.chunks.capacity() {
            self.starts.reserve_exact(ROOM);
            self.chunks.reserve_exact(ROOM);
            self.sums.reserve_exact(ROOM);
        }
        let before = position.checked_sub(1);
        let sum = before.and_then(|before| self.sums.get(before)).copied();
        self.starts.insert(position, chunk.start());
        self.chunks.insert(position, chunk);
        self.sums.insert(position, sum.unwrap_or_default());
    }

    fn shift(&mut self, position: usize, shifted: impl Fn(Tally) -> Tally) {
        for sum in self.sums.iter_mut().skip(position) {
            *sum = shifted(*sum);
        }
    }
}
