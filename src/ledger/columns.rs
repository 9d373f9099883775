//! The slots of one chunk in columns: sixteen bytes a slot as long as its counts are small and whole.
//! Whole counts are kept added up from the chunk's start, so that any part of it is one difference.

use crate::domain::slot::{Counts, Slot};
use crate::domain::time::Span;

use super::tally::{Tally, touch};

/// The largest count up to which every whole number has its own float: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Slots by the distance of their ends from the chunk's start, smallest first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    times: Vec<Time>,
    counts: CountColumn,
    /// How many slots up to and with each were spread over a gap; empty while none was.
    reconstructed: Vec<u16>,
}

/// When a slot ends, and how much of the time up to then was measured, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Time {
    end: u32,
    covered: i32,
}

/// Bad and total. Most counts are small whole numbers, which take half the room.
#[derive(Clone, Debug)]
enum CountColumn {
    /// Whole numbers, of all slots up to and with each.
    Small(Vec<[u32; 2]>),
    /// The same of larger ones, and of negative ones.
    Whole(Vec<[i64; 2]>),
    /// Any numbers, of each slot alone: sums of theirs would not give them back.
    Any(Vec<Counts>),
}

impl Columns {
    pub(super) const fn new() -> Self {
        Self {
            times: Vec::new(),
            counts: CountColumn::Small(Vec::new()),
            reconstructed: Vec::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.times.len()
    }

    /// How many slots end at or before `distance`.
    pub(super) fn up_to(&self, distance: Span) -> usize {
        let Ok(last) = u32::try_from(distance.as_millis()) else {
            let is_past = distance > Span::ZERO;
            return if is_past { self.times.len() } else { 0 };
        };
        self.times.partition_point(|time| time.end <= last)
    }

    /// The slot at `index`, with the distance of its end from the start.
    pub(super) fn get(&self, index: usize) -> Option<(Span, Slot)> {
        let time = self.times.get(index)?;
        let before = index.checked_sub(1);
        let covered = before.map_or(0, |before| self.times[before].covered);
        let slot = Slot {
            counts: self.counts.get(index)?,
            covered: Span::from_millis(i64::from(time.covered) - i64::from(covered)),
            reconstructed: self.marks(index + 1) > self.marks(index),
        };
        Some((Span::from_millis(time.end.into()), slot))
    }

    /// The first `slots` slots together.
    pub(super) fn tally(&self, slots: usize) -> Tally {
        let Some(last) = slots.checked_sub(1) else {
            return Tally::default();
        };
        let covered = self.times.get(last).map_or(0, |time| time.covered);
        let covered = Span::from_millis(covered.into());
        let marks = i32::from(self.marks(slots));
        let number = i32::try_from(slots).unwrap_or(i32::MAX);
        match &self.counts {
            CountColumn::Small(column) => {
                let sums = column.get(last).copied().unwrap_or_default();
                Tally::whole(sums.map(i64::from), (covered, marks), number)
            }
            CountColumn::Whole(column) => {
                let sums = column.get(last).copied().unwrap_or_default();
                Tally::whole(sums, (covered, marks), number)
            }
            CountColumn::Any(column) => {
                // Beside the one that its chunk notes: each is added up anew.
                touch(last);
                let slots = column.iter().take(slots).map(|counts| {
                    Tally::of(&Slot {
                        counts: *counts,
                        ..Slot::default()
                    })
                });
                let frame = Tally::whole([0; 2], (covered, marks), 0);
                slots.fold(frame, Tally::plus)
            }
        }
    }

    /// Adds `more` to the slot that ends `distance` after the start. Returns by how much the whole grows.
    pub(super) fn add(&mut self, distance: Span, more: &Slot) -> Tally {
        let end = millis(distance);
        let found = self.times.binary_search_by_key(&end, |time| time.end);
        let (index, is_new) = match found {
            Ok(index) => (index, false),
            Err(index) => {
                self.insert(index, end);
                (index, true)
            }
        };
        let old = self.get(index).map(|(_, slot)| slot).unwrap_or_default();
        let mut slot = old;
        slot.add(more);
        let covered = i32::try_from(more.covered.as_millis()).unwrap_or(i32::MAX);
        for time in self.times.iter_mut().skip(index) {
            time.covered = time.covered.saturating_add(covered);
        }
        if slot.reconstructed && !old.reconstructed {
            self.reconstructed.resize(self.times.len(), 0);
            for marks in self.reconstructed.iter_mut().skip(index) {
                *marks = marks.saturating_add(1);
            }
        }
        self.counts.set(index, old.counts, slot.counts);
        let grown = Tally::of(&slot).minus(Tally::of(&old));
        if is_new {
            grown.plus(Tally::whole([0; 2], (Span::ZERO, 0), 1))
        } else {
            grown
        }
    }

    /// A slot that holds nothing yet.
    fn insert(&mut self, index: usize, end: u32) {
        let before = index.checked_sub(1);
        let covered = before.map_or(0, |before| self.times[before].covered);
        self.times.insert(index, Time { end, covered });
        self.counts.insert(index);
        if !self.reconstructed.is_empty() {
            let marks = before.map_or(0, |before| self.reconstructed[before]);
            self.reconstructed.insert(index, marks);
        }
    }

    /// How many of the first `slots` slots were spread over a gap.
    fn marks(&self, slots: usize) -> u16 {
        let last = slots.checked_sub(1);
        last.and_then(|last| self.reconstructed.get(last))
            .copied()
            .unwrap_or(0)
    }

    /// Gives back the room that was kept for more slots.
    pub(super) fn shrink(&mut self) {
        self.times.shrink_to_fit();
        self.reconstructed.shrink_to_fit();
        match &mut self.counts {
            CountColumn::Small(column) => column.shrink_to_fit(),
            CountColumn::Whole(column) => column.shrink_to_fit(),
            CountColumn::Any(column) => column.shrink_to_fit(),
        }
    }
}

/// The same slots are the same however wide the numbers are in which they are kept.
impl PartialEq for CountColumn {
    fn eq(&self, other: &Self) -> bool {
        let slots = |column: &Self| match column {
            Self::Small(column) => column.len(),
            Self::Whole(column) => column.len(),
            Self::Any(column) => column.len(),
        };
        slots(self) == slots(other) && (0..slots(self)).all(|it| self.get(it) == other.get(it))
    }
}

impl CountColumn {
    fn get(&self, index: usize) -> Option<Counts> {
        let between = |newer: [i64; 2], older: [i64; 2]| {
            let [bad, total] = [0, 1].map(|it: usize| float(newer[it] - older[it]));
            Counts { bad, total }
        };
        let before = index.checked_sub(1);
        match self {
            Self::Small(column) => {
                let older = before.and_then(|before| column.get(before));
                let older = older.copied().unwrap_or_default();
                Some(between(
                    column.get(index)?.map(i64::from),
                    older.map(i64::from),
                ))
            }
            Self::Whole(column) => {
                let older = before.and_then(|before| column.get(before));
                Some(between(
                    *column.get(index)?,
                    older.copied().unwrap_or_default(),
                ))
            }
            Self::Any(column) => column.get(index).copied(),
        }
    }

    fn insert(&mut self, index: usize) {
        let before = index.checked_sub(1);
        match self {
            Self::Small(column) => {
                let sums = before.map_or([0; 2], |before| column[before]);
                column.insert(index, sums);
            }
            Self::Whole(column) => {
                let sums = before.map_or([0; 2], |before| column[before]);
                column.insert(index, sums);
            }
            Self::Any(column) => column.insert(index, Counts::default()),
        }
    }

    /// Changes the slot at `index`, in wider numbers if these do not hold it.
    fn set(&mut self, index: usize, old: Counts, new: Counts) {
        let wider = match self {
            Self::Small(column) => match difference(old, new) {
                Some(more) if shift(column, index, more, small) => return,
                Some(_) => Self::Whole(column.iter().map(|sums| sums.map(i64::from)).collect()),
                None => self.apart(),
            },
            Self::Whole(column) => match difference(old, new) {
                Some(more) if shift(column, index, more, Some) => return,
                _ => self.apart(),
            },
            Self::Any(column) => {
                if let Some(slot) = column.get_mut(index) {
                    *slot = new;
                }
                return;
            }
        };
        *self = wider;
        self.set(index, old, new);
    }

    /// The same counts, each for itself.
    fn apart(&self) -> Self {
        Self::Any((0..).map_while(|index| self.get(index)).collect())
    }
}

/// Adds `more` to all sums from `index` on, if all of them have room for it.
fn shift<T: Copy + Into<i64>>(
    column: &mut [[T; 2]],
    index: usize,
    more: [i64; 2],
    fit: impl Fn(i64) -> Option<T>,
) -> bool {
    let shifted = |sums: &[T; 2]| {
        let [bad, total] = *sums;
        let bad = fit(bad.into().checked_add(more[0])?)?;
        Some([bad, fit(total.into().checked_add(more[1])?)?])
    };
    let behind = column.get_mut(index..).unwrap_or_default();
    let fits = behind.iter().all(|sums| shifted(sums).is_some());
    if fits {
        for sums in behind {
            *sums = shifted(sums).unwrap_or(*sums);
        }
    }
    fits
}

fn small(sum: i64) -> Option<u32> {
    u32::try_from(sum).ok()
}

/// What has to be added to get from one to the other, where both are whole.
fn difference(old: Counts, new: Counts) -> Option<[i64; 2]> {
    Some([
        whole(new.bad)? - whole(old.bad)?,
        whole(new.total)? - whole(old.total)?,
    ])
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and within 2^53"
)]
fn whole(count: f64) -> Option<i64> {
    (count.fract() == 0.0 && count.abs() <= EXACT).then_some(count as i64)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts that are kept as whole numbers are at most 2^53"
)]
fn float(count: i64) -> f64 {
    count as f64
}

/// A chunk is at most a day long, so that distances fit in 27 bits.
fn millis(distance: Span) -> u32 {
    u32::try_from(distance.as_millis()).unwrap_or(0)
}
