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
use super::tally::Tally;

type Chunks = BTreeMap<Timestamp, Arc<Chunk>>;

/// One lane. The maps of chunks are shared too, so that a clone costs the same for any window.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    old: Arc<Chunks>,
    recent: Arc<Chunks>,
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

    /// Returns the chunk that changed.
    pub(super) fn add_settled(&mut self, age: Age, end: Timestamp, more: &Slot) -> ChunkKey {
        let key = ChunkKey::containing(age, end);
        let chunk = Arc::make_mut(self.of_mut(age))
            .entry(key.start)
            .or_insert_with(|| Arc::new(Chunk::new(key)));
        Arc::make_mut(chunk).add(end, more);
        key
    }

    pub(super) fn add_provisional(&mut self, end: Timestamp, more: &Slot) {
        self.provisional.entry(end).or_default().add(more);
    }

    pub(super) fn clear_provisional(&mut self) {
        self.provisional.clear();
    }

    pub(super) fn restore(&mut self, chunk: Arc<Chunk>) {
        let key = chunk.key();
        Arc::make_mut(self.of_mut(key.age)).insert(key.start, chunk);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Chunk>> {
        self.old.values().chain(self.recent.values())
    }

    pub(super) fn chunk(&self, key: ChunkKey) -> Option<&Arc<Chunk>> {
        self.of(key.age).get(&key.start)
    }

    const fn of(&self, age: Age) -> &Arc<Chunks> {
        match age {
            Age::Old => &self.old,
            Age::Recent => &self.recent,
        }
    }

    const fn of_mut(&mut self, age: Age) -> &mut Arc<Chunks> {
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
        calendar: Option<&Calendar>,
    ) -> Vec<ChunkKey> {
        let mut changed = Vec::new();
        let past = |chunk: &&Arc<Chunk>, to: Timestamp| chunk.end() <= to;
        let moving: Vec<Arc<Chunk>> = self
            .recent
            .values()
            .take_while(|chunk| past(chunk, now.old))
            .cloned()
            .collect();
        for chunk in moving {
            Arc::make_mut(&mut self.recent).remove(&chunk.start());
            for (end, slot) in chunk.slots() {
                let key = self.add_settled(Age::Old, end_of(now, calendar, end), &slot);
                if changed.last() != Some(&key) {
                    changed.push(key);
                }
            }
        }
        let thinning: Vec<Arc<Chunk>> = self
            .recent
            .values()
            .take_while(|chunk| past(chunk, now.middle))
            .filter(|chunk| chunk.end() > before.middle)
            .cloned()
            .collect();
        for chunk in thinning {
            let mut coarse = Chunk::new(chunk.key());
            for (end, slot) in chunk.slots() {
                coarse.add(end_of(now, calendar, end), &slot);
            }
            if coarse != *chunk {
                coarse.shrink();
                changed.push(coarse.key());
                self.restore(Arc::new(coarse));
            }
        }
        changed
    }

    /// Whether any chunk was dropped that lies wholly at or before `time`.
    pub(super) fn forget_before(&mut self, time: Timestamp) -> bool {
        let mut forgot = false;
        for age in [Age::Old, Age::Recent] {
            let is_past = |chunk: &Arc<Chunk>| chunk.end() <= time;
            if self.of(age).values().next().is_some_and(is_past) {
                Arc::make_mut(self.of_mut(age)).retain(|_, chunk| !is_past(chunk));
                forgot = true;
            }
        }
        forgot
    }

    pub(super) fn sum(&self, range: TimeRange) -> Tally {
        let mut tally = Tally::default();
        for chunk in self.chunks(range) {
            if range.from <= chunk.start() && chunk.end() <= range.to {
                tally.merge(chunk.totals());
            } else {
                for (_, slot) in chunk.within(range) {
                    tally.add(&slot);
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
        let mut settled = settled.peekable();
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
        // An end before the start would make the maps panic.
        let to = range.to.max(range.from);
        let of = move |age: Age| {
            let starts = (
                Bound::Excluded(range.from - age.length()),
                Bound::Excluded(to),
            );
            self.of(age).range(starts).map(|(_, chunk)| &**chunk)
        };
        of(Age::Old).chain(of(Age::Recent))
    }

    fn provisional(&self, range: TimeRange) -> impl Iterator<Item = (&Timestamp, &Slot)> {
        let to = range.to.max(range.from);
        let ends = (Bound::Excluded(range.from), Bound::Included(to));
        self.provisional.range(ends)
    }
}
