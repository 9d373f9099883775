//! When the slots of a chunk end, how much of each was measured, and which were spread over a gap.

use crate::domain::time::Span;

use super::runs::Runs;

/// The slots of a chunk by their ends, in milliseconds from its start.
#[derive(Clone, Debug)]
pub(super) enum Times {
    /// One after the other, each measured from the end of the one before to its own: what most are.
    Even {
        /// The end of the first.
        first: u32,
        /// Of each slot; how much of the first was measured.
        width: u32,
        slots: u32,
    },
    /// The same with a few gaps, once nothing is added for a while.
    Runs(Box<Runs>),
    /// Any.
    Uneven(Box<Uneven>),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Uneven {
    times: Vec<Time>,
    /// How many slots up to and with each were spread over a gap; empty while none was.
    marks: Vec<u16>,
}

/// When a slot ends, and how much of the time up to then was measured.
#[derive(Clone, Copy, Debug)]
struct Time {
    end: u32,
    covered: i32,
}

/// What some slots come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part {
    /// How much of their time was measured.
    pub(super) covered: Span,
    /// How many of them were spread over a gap.
    pub(super) marks: i32,
}

impl Times {
    pub(super) const NONE: Self = Self::Even {
        first: 0,
        width: 0,
        slots: 0,
    };

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Even { slots, .. } => index(*slots),
            Self::Runs(runs) => runs.len(),
            Self::Uneven(uneven) => uneven.times.len(),
        }
    }

    /// How many slots end at or before `last`.
    pub(super) fn up_to(&self, last: u32) -> usize {
        match self {
            Self::Even {
                first,
                width,
                slots,
            } => match last.checked_sub(*first) {
                None => 0,
                Some(beyond) => {
                    let more = beyond.checked_div(*width).unwrap_or(0);
                    index(more.saturating_add(1).min(*slots))
                }
            },
            Self::Runs(runs) => runs.up_to(last),
            Self::Uneven(uneven) => uneven.times.partition_point(|time| time.end <= last),
        }
    }

    /// The end of a slot.
    pub(super) fn end(&self, place: usize) -> Option<u32> {
        match self {
            Self::Even {
                first,
                width,
                slots,
            } => {
                let place = u32::try_from(place).ok()?;
                (place < *slots).then(|| first + place * width)
            }
            Self::Runs(runs) => runs.end(place),
            Self::Uneven(uneven) => uneven.times.get(place).map(|time| time.end),
        }
    }

    /// The place of the slot that ends at `end`, or where it would stand.
    pub(super) fn find(&self, end: u32) -> Result<usize, usize> {
        let behind = self.up_to(end);
        match behind.checked_sub(1) {
            Some(place) if self.end(place) == Some(end) => Ok(place),
            _ => Err(behind),
        }
    }

    /// The first `slots` slots together.
    pub(super) fn part(&self, slots: usize) -> Part {
        match self {
            Self::Even { width, .. } => {
                let covered = i64::try_from(slots).unwrap_or(0) * i64::from(*width);
                Part {
                    covered: Span::from_millis(covered),
                    marks: 0,
                }
            }
            Self::Runs(runs) => runs.part(slots),
            Self::Uneven(uneven) => uneven.part(slots),
        }
    }

    /// Puts a new slot into its place.
    pub(super) fn insert(&mut self, place: usize, end: u32, (covered, mark): (Span, bool)) {
        if let Self::Even {
            first,
            width,
            slots,
        } = self
            && !mark
            && let Ok(covered) = u32::try_from(covered.as_millis())
        {
            if *slots == 0 && 0 < covered && covered <= end {
                (*first, *width, *slots) = (end, covered, 1);
                return;
            }
            if index(*slots) == place && covered == *width && end == *first + *slots * *width {
                *slots += 1;
                return;
            }
        }
        self.unevenly(|uneven| {
            uneven.insert(place, end);
            uneven.change(place, (covered, mark));
        });
    }

    /// Adds to what was measured of a slot, and marks it as spread over a gap.
    pub(super) fn change(&mut self, place: usize, (covered, mark): (Span, bool)) {
        if covered != Span::ZERO || mark {
            self.unevenly(|uneven| uneven.change(place, (covered, mark)));
        }
    }

    /// Changes the same slots in the form in which they may be any.
    fn unevenly(&mut self, work: impl FnOnce(&mut Uneven)) {
        if let Self::Uneven(uneven) = self {
            return work(uneven);
        }
        let mut uneven = Uneven::of(self);
        work(&mut uneven);
        *self = Self::Uneven(Box::new(uneven));
    }

    pub(super) fn is_loose(&self) -> bool {
        match self {
            Self::Even { .. } | Self::Runs(_) => false,
            Self::Uneven(uneven) => {
                let Uneven { times, marks } = &**uneven;
                times.len() < times.capacity()
                    || marks.len() < marks.capacity()
                    || uneven.narrowed().is_some()
            }
        }
    }

    pub(super) fn shrink(&mut self) {
        if let Self::Uneven(uneven) = self {
            uneven.times.shrink_to_fit();
            uneven.marks.shrink_to_fit();
            if let Some(narrow) = uneven.narrowed() {
                *self = narrow;
            }
        }
    }
}

impl Uneven {
    fn of(times: &Times) -> Self {
        let places = 1..=times.len();
        let marks = places.map(|slots| u16::try_from(times.part(slots).marks).unwrap_or(u16::MAX));
        let marks: Vec<u16> = marks.collect();
        let time = |place| {
            Some(Time {
                end: times.end(place)?,
                covered: millis(times.part(place + 1).covered),
            })
        };
        Self {
            times: (0..).map_while(time).collect(),
            marks: if marks.last() > Some(&0) {
                marks
            } else {
                Vec::new()
            },
        }
    }

    fn part(&self, slots: usize) -> Part {
        let Some(last) = slots.checked_sub(1) else {
            return Part::default();
        };
        let covered = self.times.get(last).map_or(0, |time| time.covered);
        Part {
            covered: Span::from_millis(covered.into()),
            marks: self.marks.get(last).copied().unwrap_or(0).into(),
        }
    }

    /// A slot of which nothing was measured yet.
    fn insert(&mut self, place: usize, end: u32) {
        let before = place.checked_sub(1);
        let covered = before.map_or(0, |before| self.times[before].covered);
        self.times.insert(place, Time { end, covered });
        if !self.marks.is_empty() {
            let marks = before.map_or(0, |before| self.marks[before]);
            self.marks.insert(place, marks);
        }
    }

    fn change(&mut self, place: usize, (covered, mark): (Span, bool)) {
        let covered = millis(covered);
        for time in self.times.iter_mut().skip(place) {
            time.covered = time.covered.saturating_add(covered);
        }
        if mark {
            self.marks.resize(self.times.len(), 0);
            for marks in self.marks.iter_mut().skip(place) {
                *marks = marks.saturating_add(1);
            }
        }
    }

    /// The same slots in a form that takes less room, if there is one.
    fn narrowed(&self) -> Option<Times> {
        let places = 0..self.times.len();
        let slots = places.map(|place| (self.times[place].end, self.part(place + 1)));
        let runs = || Some(Times::Runs(Box::new(Runs::of(slots)?)));
        self.evened().or_else(runs)
    }

    /// The same slots in even form, if they have one.
    fn evened(&self) -> Option<Times> {
        let first = self.times.first()?;
        let width = u32::try_from(first.covered).ok()?;
        let is_even = |(place, time): (u32, &Time)| {
            let covered = i64::from(place + 1) * i64::from(width);
            time.end == first.end + place * width && i64::from(time.covered) == covered
        };
        let fits = self.marks.is_empty() && 0 < width && width <= first.end;
        (fits && (0..).zip(&self.times).all(is_even)).then(|| Times::Even {
            first: first.end,
            width,
            slots: u32::try_from(self.times.len()).unwrap_or(u32::MAX),
        })
    }
}

pub(super) fn millis(covered: Span) -> i32 {
    i32::try_from(covered.as_millis()).unwrap_or(i32::MAX)
}

fn index(slots: u32) -> usize {
    usize::try_from(slots).unwrap_or(usize::MAX)
}
