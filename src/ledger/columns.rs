//! The slots of one chunk in columns: sixteen bytes a slot as long as its counts are small and whole.

use crate::domain::slot::{Counts, Slot};
use crate::domain::time::Span;

/// Marks the slots of which a part was spread over a gap; distances are far below it.
const RECONSTRUCTED: u32 = 1 << 31;

/// Slots by the distance of their ends from the chunk's start, smallest first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    times: Vec<Time>,
    counts: CountColumn,
}

/// When a slot ends, whether it was reconstructed, and how much of it was measured, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Time {
    end: u32,
    covered: i32,
}

/// Bad and total of each slot. Most counts are small whole numbers, which take half the room.
#[derive(Clone, Debug, PartialEq)]
enum CountColumn {
    Whole(Vec<[u32; 2]>),
    Any(Vec<Counts>),
}

impl Columns {
    pub(super) const fn new() -> Self {
        Self {
            times: Vec::new(),
            counts: CountColumn::Whole(Vec::new()),
        }
    }

    /// The slot that ends `distance` after the start, or where it would have to be put.
    pub(super) fn find(&self, distance: Span) -> Result<usize, usize> {
        let wanted = millis(distance);
        self.times
            .binary_search_by_key(&wanted, |time| time.end & !RECONSTRUCTED)
    }

    /// How many slots end at or before `distance`.
    pub(super) fn up_to(&self, distance: Span) -> usize {
        let Ok(last) = u32::try_from(distance.as_millis()) else {
            let is_past = distance > Span::ZERO;
            return if is_past { self.times.len() } else { 0 };
        };
        self.times
            .partition_point(|time| time.end & !RECONSTRUCTED <= last)
    }

    /// The slot at `index`, with the distance of its end from the start.
    pub(super) fn get(&self, index: usize) -> Option<(Span, Slot)> {
        let time = self.times.get(index)?;
        let counts = match &self.counts {
            CountColumn::Whole(column) => column.get(index).map(|[bad, total]| Counts {
                bad: f64::from(*bad),
                total: f64::from(*total),
            })?,
            CountColumn::Any(column) => *column.get(index)?,
        };
        let slot = Slot {
            counts,
            covered: Span::from_millis(time.covered.into()),
            reconstructed: time.end & RECONSTRUCTED != 0,
        };
        let end = time.end & !RECONSTRUCTED;
        Some((Span::from_millis(end.into()), slot))
    }

    pub(super) fn insert(&mut self, index: usize, distance: Span, slot: &Slot) {
        self.times.insert(index, time(distance, slot));
        self.make_room_for(slot.counts);
        match &mut self.counts {
            CountColumn::Whole(column) => {
                column.insert(index, small(slot.counts).unwrap_or_default());
            }
            CountColumn::Any(column) => column.insert(index, slot.counts),
        }
    }

    pub(super) fn replace(&mut self, index: usize, distance: Span, slot: &Slot) {
        self.make_room_for(slot.counts);
        if let Some(old) = self.times.get_mut(index) {
            *old = time(distance, slot);
        }
        match &mut self.counts {
            CountColumn::Whole(column) => {
                if let Some(old) = column.get_mut(index) {
                    *old = small(slot.counts).unwrap_or_default();
                }
            }
            CountColumn::Any(column) => {
                if let Some(old) = column.get_mut(index) {
                    *old = slot.counts;
                }
            }
        }
    }

    /// Gives back the room that was kept for more slots.
    pub(super) fn shrink(&mut self) {
        self.times.shrink_to_fit();
        match &mut self.counts {
            CountColumn::Whole(column) => column.shrink_to_fit(),
            CountColumn::Any(column) => column.shrink_to_fit(),
        }
    }

    /// Widens the counts if these are not small and whole.
    fn make_room_for(&mut self, counts: Counts) {
        if let CountColumn::Whole(column) = &self.counts
            && small(counts).is_none()
        {
            let wide = |[bad, total]: &[u32; 2]| Counts {
                bad: f64::from(*bad),
                total: f64::from(*total),
            };
            self.counts = CountColumn::Any(column.iter().map(wide).collect());
        }
    }
}

fn time(distance: Span, slot: &Slot) -> Time {
    let flag = if slot.reconstructed { RECONSTRUCTED } else { 0 };
    let covered = slot.covered.as_millis();
    Time {
        end: millis(distance) | flag,
        covered: i32::try_from(covered).unwrap_or(if covered < 0 { i32::MIN } else { i32::MAX }),
    }
}

/// A chunk is at most a day long, so that distances fit in 27 bits.
fn millis(distance: Span) -> u32 {
    u32::try_from(distance.as_millis()).unwrap_or(0) & !RECONSTRUCTED
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and in range"
)]
fn small(counts: Counts) -> Option<[u32; 2]> {
    let one = |count: f64| {
        let fits = count.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&count);
        fits.then_some(count as u32)
    };
    Some([one(counts.bad)?, one(counts.total)?])
}
