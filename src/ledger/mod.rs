//! Slots over time: what was counted, kept for the whole window and beyond, and summed over windows.

mod ages;
pub mod chunk;
mod columns;
mod covered;
mod lane;
mod row;
pub mod tally;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::calendar::Calendar;
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, TimeRange, Timestamp};
use ages::Ages;
use chunk::{Chunk, ChunkKey};
use lane::Lane;
use tally::Tally;

/// What one instance has counted. Each source of events that its indicator needs is a *lane*;
/// counts of all lanes add up, and time counts as covered only where every lane was measured; of
/// those of which any is enough ([`Ledger::any_of`]) the one that was measured most.
///
/// Settled slots are final and are written to the store; provisional ones are replaced by them.
/// Slots grow coarser with age: they keep their width for 6 hours, are five minutes wide up to 72
/// hours and an hour wide beyond. Nothing is lost by it but the place of a window's far edge, which
/// moves back to the start of the slot in which it lies ([`WindowSum::from`]).
///
/// A clone shares all chunks with its original.
#[derive(Clone, Debug)]
pub struct Ledger {
    slot: Span,
    lanes: Vec<Lane>,
    ages: Ages,
    calendars: Vec<Calendar>,
    /// The lanes of which any is enough.
    any_of: Vec<u16>,
    /// Chunks that lie wholly at or before this are not here, though the store may have them.
    begins: Timestamp,
    changed: BTreeSet<(u16, ChunkKey)>,
}

/// What a window holds, settled and provisional together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WindowSum {
    /// Where the slots that were summed begin: at the range's start, or before it by less than the
    /// width that slots have at that age.
    pub from: Timestamp,
    /// What was counted.
    pub counts: Counts,
    /// The share of the time since `from` that was measured by all lanes together, 0..=1.
    pub covered: f64,
    /// Whether any part was spread over a gap instead of being seen in place.
    pub reconstructed: bool,
    /// Slots with such a part, over all lanes.
    pub reconstructed_slots: u64,
    /// Slots that were counted, over all lanes.
    pub slots: u64,
}

impl Ledger {
    /// An empty ledger of `lanes` lanes, with slots of `slot`, which must be longer than zero.
    pub fn new(slot: Span, lanes: u16) -> Self {
        Self {
            slot,
            lanes: vec![Lane::default(); usize::from(lanes)],
            ages: Ages::NONE,
            calendars: Vec::new(),
            any_of: Vec::new(),
            begins: Timestamp::EARLIEST,
            changed: BTreeSet::new(),
        }
    }

    /// The width of its slots.
    pub const fn slot(&self) -> Span {
        self.slot
    }

    /// The same, in which time is covered as soon as any of these lanes was measured.
    #[must_use]
    pub fn any_of(self, lanes: impl IntoIterator<Item = u16>) -> Self {
        Self {
            any_of: lanes.into_iter().collect(),
            ..self
        }
    }

    /// The time that all lanes together were measured.
    fn covered(&self, lanes: impl Iterator<Item = Span>) -> Span {
        let (mut most, mut least) = (None, None::<Span>);
        for (number, covered) in (0..).zip(lanes) {
            if self.any_of.contains(&number) {
                most = most.max(Some(covered));
            } else {
                least = Some(least.map_or(covered, |least| least.min(covered)));
            }
        }
        most.into_iter().chain(least).min().unwrap_or_default()
    }

    /// The same, whose slots never reach over the edge of a period of any of these calendars, however
    /// coarse they grow.
    #[must_use]
    pub fn cut_at(self, calendars: Vec<Calendar>) -> Self {
        Self { calendars, ..self }
    }

    /// A ledger of the same time, measured as this one was, in which nothing was counted.
    #[must_use]
    pub fn measured(&self) -> Self {
        let mut own = Self {
            lanes: self.lanes.iter().map(Lane::measured).collect(),
            calendars: self.calendars.clone(),
            any_of: self.any_of.clone(),
            changed: BTreeSet::new(),
            ..*self
        };
        let chunks = own.chunks().map(|(lane, chunk)| (lane, chunk.key()));
        own.changed = chunks.collect();
        own
    }

    /// Before this it knows nothing, though more may be kept elsewhere.
    pub const fn begins(&self) -> Timestamp {
        self.begins
    }

    /// Adds to the settled slot in which `at` lies. A lane that the ledger does not have is left out,
    /// and so is what belongs to a chunk that it let go of.
    pub fn add_settled(&mut self, lane: u16, at: Timestamp, more: &Slot) {
        let end = end_of(self.ages, &self.calendars, at.ceil_to(self.slot));
        let key = ChunkKey::containing(self.ages.age_of(end), end);
        if key.end() <= self.begins {
            return;
        }
        if let Some(found) = self.lanes.get_mut(usize::from(lane)) {
            found.add_settled(key, end, more);
            self.changed.insert((lane, key));
        }
    }

    /// Adds to the provisional slot in which `at` lies. A lane that the ledger does not have is left out.
    pub fn add_provisional(&mut self, lane: u16, at: Timestamp, more: &Slot) {
        let end = at.ceil_to(self.slot);
        if let Some(lane) = self.lanes.get_mut(usize::from(lane)) {
            lane.add_provisional(end, more);
        }
    }

    /// Drops all provisional slots of a lane: settled ones, and what is newer, are about to come.
    pub fn clear_provisional(&mut self, lane: u16) {
        if let Some(lane) = self.lanes.get_mut(usize::from(lane)) {
            lane.clear_provisional();
        }
    }

    /// Drops what was settled of a lane in slots that end after `time`, for all of that is about to be counted again. The
    /// slots around `time` must not have grown coarse yet.
    pub fn drop_after(&mut self, lane: u16, time: Timestamp) {
        if let Some(found) = self.lanes.get_mut(usize::from(lane)) {
            let dropped = found.drop_after(time);
            self.changed
                .extend(dropped.into_iter().map(|key| (lane, key)));
        }
    }

    /// Puts back a settled chunk that the store kept; slots of another width than today's still
    /// count by their ends. A chunk of a lane that the ledger does not have is left out.
    pub fn restore(&mut self, lane: u16, chunk: Arc<Chunk>) {
        if let Some(lane) = self.lanes.get_mut(usize::from(lane)) {
            lane.restore(chunk);
        }
    }

    /// All settled chunks, each with its lane.
    pub fn chunks(&self) -> impl Iterator<Item = (u16, &Arc<Chunk>)> {
        let lanes = (0..).zip(&self.lanes);
        lanes.flat_map(|(number, lane)| lane.all().map(move |chunk| (number, chunk)))
    }

    /// Makes the slots coarser that have come of age. Returns where recent chunks end that are no longer
    /// needed, since old ones hold what they held, if that has moved on: those that are kept elsewhere
    /// are not among them.
    pub fn grow_old(&mut self, now: Timestamp) -> Option<TimeRange> {
        let (before, ages) = (self.ages, self.ages.at(now));
        if before == ages {
            return None;
        }
        self.ages = ages;
        for (number, lane) in (0..).zip(&mut self.lanes) {
            let changed = lane.grow_old(before, ages, &self.calendars);
            self.changed
                .extend(changed.into_iter().map(|key| (number, key)));
        }
        Some(TimeRange {
            from: self.begins,
            to: ages.old,
        })
    }

    /// The settled chunks that changed since this was last asked, by lane and key.
    pub fn take_changed(&mut self) -> Vec<((u16, ChunkKey), Arc<Chunk>)> {
        std::mem::take(&mut self.changed)
            .into_iter()
            .filter_map(|(lane, key)| {
                let chunk = self.lanes.get(usize::from(lane))?.chunk(key)?;
                Some(((lane, key), Arc::clone(chunk)))
            })
            .collect()
    }

    /// Lets go of settled chunks that lie wholly at or before `time`; says whether there were any.
    pub fn forget_before(&mut self, time: Timestamp) -> bool {
        let mut forgot = false;
        self.begins = self.begins.max(time);
        for lane in &mut self.lanes {
            forgot |= lane.forget_before(time);
        }
        forgot
    }

    /// Takes back chunks that it had let go of, so that it knows all from `to` on. What it still holds
    /// of them is newer.
    pub fn reach_back(
        &mut self,
        to: Timestamp,
        chunks: impl IntoIterator<Item = (u16, Arc<Chunk>)>,
    ) {
        for (lane, chunk) in chunks {
            if chunk.end() <= self.begins {
                self.restore(lane, chunk);
            }
        }
        self.begins = self.begins.min(to);
    }

    /// What the slots that end in `range` hold together. It takes the same few steps for any range, unless
    /// several lanes lack something in it.
    pub fn sum(&self, range: TimeRange) -> WindowSum {
        let from = self.start_of(range.from);
        let length = range.to.since(from).as_secs_f64();
        let lanes = self.lanes.iter().map(|lane| lane.sum(range));
        let all = lanes.fold(Tally::default(), Tally::plus);
        let covered = match self.lanes.as_slice() {
            [_] => all.covered(),
            _ => self.covered_in(TimeRange { from, ..range }),
        };
        let measurable = length > 0.0 && !self.lanes.is_empty();
        WindowSum {
            from,
            counts: all.counts(),
            covered: if measurable {
                (covered.as_secs_f64() / length).min(1.0)
            } else {
                0.0
            },
            reconstructed: all.reconstructed() > 0,
            reconstructed_slots: all.reconstructed(),
            slots: all.slots(),
        }
    }

    /// The bad events of the slots that end in `range` and were spread over gaps, at least in part. It looks at each
    /// slot, so it is for windows of which the sum says that there are some.
    pub fn spread(&self, range: TimeRange) -> f64 {
        let spread = self.slots(range).filter(|(_, slot)| slot.reconstructed);
        spread.map(|(_, slot)| slot.counts.bad).sum()
    }

    /// Where the slot begins that ends `end`.
    pub fn start(&self, end: Timestamp) -> Timestamp {
        self.start_of(end - Span::from_millis(1))
    }

    /// The width of the slots just after `from`: of none that are newer is it greater.
    pub fn width(&self, from: Timestamp) -> Span {
        let after = from + Span::from_millis(1);
        self.ages
            .width(after)
            .map_or(self.slot, |width| width.max(self.slot))
    }

    /// The start of the slot in which the time just after `from` lies.
    fn start_of(&self, from: Timestamp) -> Timestamp {
        let start = self.ages.start_of(from, self.slot).min(from);
        if start == from {
            return start;
        }
        let after = from + Span::from_millis(1);
        let periods = self.calendars.iter().map(|it| it.around(after).from);
        periods.fold(start, Timestamp::max)
    }

    /// The slots that end in `range`, all lanes together, oldest first, each with its end.
    /// Slots that no lane has counted are left out: unknown is not zero.
    pub fn slots(&self, range: TimeRange) -> impl Iterator<Item = (Timestamp, Slot)> {
        let mut lanes: Vec<_> = self
            .lanes
            .iter()
            .map(|lane| lane.slots(range).peekable())
            .collect();
        std::iter::from_fn(move || {
            let end = lanes
                .iter_mut()
                .filter_map(|lane| lane.peek().map(|(end, _)| *end))
                .min()?;
            let mut whole = Slot::default();
            whole.covered = self.covered(lanes.iter_mut().map(|lane| {
                let part = lane.next_if(|(at, _)| *at == end);
                let part = part.map(|(_, slot)| slot).unwrap_or_default();
                whole.add(&part);
                part.covered
            }));
            Some((end, whole))
        })
    }
}

/// The end of the slot to which a fine one that ends `end` belongs: of its age, or cut by a calendar.
fn end_of(ages: Ages, calendars: &[Calendar], end: Timestamp) -> Timestamp {
    let coarse = ages.end_of(end);
    if coarse == end {
        return end;
    }
    let periods = calendars.iter().map(|calendar| calendar.around(end).to);
    periods.fold(coarse, Timestamp::min)
}

#[cfg(test)]
mod tests;
