//! The slots of one source of events: settled ones in chunks, provisional ones one by one.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::domain::calendar::Calendar;
use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::ages::Ages;
use super::chunk::{Age, Chunk, ChunkKey};
use super::end_of;
use super::row::Row;
use super::tally::{Tally, touch};

/// One lane. The rows of chunks are shared too, so that a clone costs the same for any window.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    old: Arc<Row>,
    recent: Arc<Row>,
    provisional: BTreeMap<Timestamp, Slot>,
}

impl Lane {
    /// The same time, in which nothing was counted.
    pub(super) fn measured(&self) -> Self {
        let mut own = Self::default();
        for chunk in self.all() {
            let mut measured = Chunk::new(chunk.key());
            for (end, slot) in chunk.slots().filter(|(_, slot)| slot.covered > Span::ZERO) {
                measured.add(end, &slot.measured());
            }
            measured.shrink();
            own.restore(Arc::new(measured));
        }
        let provisional = self.provisional.iter();
        own.provisional = provisional
            .map(|(end, slot)| (*end, slot.measured()))
            .collect();
        own
    }

    /// Adds to the slot that ends `end`, in the chunk `key`.
    pub(super) fn add_settled(&mut self, key: ChunkKey, end: Timestamp, more: &Slot) {
        Arc::make_mut(self.of_mut(key.age)).add(key, end, more);
    }

    pub(super) fn add_provisional(&mut self, end: Timestamp, more: &Slot) {
        self.provisional.entry(end).or_default().add(more);
    }

    pub(super) fn clear_provisional(&mut self) {
        self.provisional.clear();
    }

    /// Drops the fine slots that end after `time`; says of which chunks.
    pub(super) fn drop_after(&mut self, time: Timestamp) -> Vec<ChunkKey> {
        let recent = self.recent.chunks();
        let late: Vec<Arc<Chunk>> = recent.filter(|it| it.end() > time).cloned().collect();
        let mut dropped = Vec::new();
        for chunk in late {
            let mut kept = Chunk::new(chunk.key());
            for (end, slot) in chunk.slots().take_while(|(end, _)| *end <= time) {
                kept.add(end, &slot);
            }
            if kept != *chunk {
                dropped.push(kept.key());
                self.restore(Arc::new(kept));
            }
        }
        dropped
    }

    pub(super) fn restore(&mut self, mut chunk: Arc<Chunk>) {
        // Nobody adds to most of them any more.
        if let Some(own) = Arc::get_mut(&mut chunk) {
            own.shrink();
        }
        Arc::make_mut(self.of_mut(chunk.key().age)).put(chunk);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Chunk>> {
        self.old.chunks().chain(self.recent.chunks())
    }

    pub(super) fn chunk(&self, key: ChunkKey) -> Option<&Arc<Chunk>> {
        self.of(key.age).get(key.start)
    }

    const fn of(&self, age: Age) -> &Arc<Row> {
        match age {
            Age::Old => &self.old,
            Age::Recent => &self.recent,
        }
    }

    const fn of_mut(&mut self, age: Age) -> &mut Arc<Row> {
        match age {
            Age::Old => &mut self.old,
            Age::Recent => &mut self.recent,
        }
    }

    /// Makes slots coarser that have come of age between two moments; says which chunks changed.
    pub(super) fn grow_old(
        &mut self,
        before: Ages,
        now: Ages,
        calendars: &[Calendar],
    ) -> Vec<ChunkKey> {
        let mut changed = Vec::new();
        if self.recent.reaches_before(now.old) {
            for chunk in Arc::make_mut(&mut self.recent).take_up_to(now.old) {
                for (end, slot) in chunk.slots() {
                    let end = end_of(now, calendars, end);
                    let key = ChunkKey::containing(Age::Old, end);
                    self.add_settled(key, end, &slot);
                    if changed.last() != Some(&key) {
                        changed.push(key);
                    }
                }
            }
        }
        let thinning: Vec<Arc<Chunk>> = self
            .recent
            .chunks()
            .take_while(|chunk| chunk.end() <= now.middle)
            .filter(|chunk| chunk.end() > before.middle)
            .cloned()
            .collect();
        for chunk in thinning {
            let mut coarse = Chunk::new(chunk.key());
            for (end, slot) in chunk.slots() {
                coarse.add(end_of(now, calendars, end), &slot);
            }
            if coarse != *chunk {
                changed.push(coarse.key());
                self.restore(Arc::new(coarse));
            }
        }
        for row in [&mut self.old, &mut self.recent] {
            if row.is_loose() {
                Arc::make_mut(row).shrink();
            }
        }
        changed
    }

    /// Whether any chunk was dropped that lies wholly at or before `time`.
    pub(super) fn forget_before(&mut self, time: Timestamp) -> bool {
        let mut forgot = false;
        for age in [Age::Old, Age::Recent] {
            if self.of(age).reaches_before(time) {
                Arc::make_mut(self.of_mut(age)).take_up_to(time);
                forgot = true;
            }
        }
        forgot
    }

    /// The slots that end in `range` together: the difference of what ends up to its two ends, and
    /// the few that are provisional.
    pub(super) fn sum(&self, range: TimeRange) -> Tally {
        let mut tally = Tally::default();
        if range.from >= range.to {
            return tally;
        }
        for row in [&self.old, &self.recent] {
            let settled = row.up_to(range.to).minus(row.up_to(range.from));
            tally = tally.plus(settled);
        }
        for (_, slot) in self.provisional(range) {
            touch(1);
            tally = tally.plus(Tally::of(slot));
        }
        tally
    }

    /// The slots that end in `range`, oldest first; what is settled and provisional of one slot
    /// comes as one.
    pub(super) fn slots(&self, range: TimeRange) -> impl Iterator<Item = (Timestamp, Slot)> {
        let chunks = self.old.within(range).chain(self.recent.within(range));
        let mut settled = chunks.flat_map(move |it| it.within(range)).peekable();
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

    fn provisional(&self, range: TimeRange) -> impl Iterator<Item = (&Timestamp, &Slot)> {
        // An end before the start would make the map panic.
        let to = range.to.max(range.from);
        let ends = (Bound::Excluded(range.from), Bound::Included(to));
        self.provisional.range(ends)
    }
}
