//! How slots grow coarser with age: fine for 6 hours, five minutes up to 72 hours, an hour beyond.

use crate::domain::time::{Span, Timestamp};

use super::chunk::Age;

/// Slots keep their own width this long.
const FINE_FOR: Span = Span::from_hours(6);

/// Slots of [`MIDDLE`] are kept this long.
const MIDDLE_FOR: Span = Span::from_hours(72);

const MIDDLE: Span = Span::from_mins(5);

const OLD: Span = Span::from_hours(1);

/// Up to where slots are of which width. Both ends lie on whole hours, and only move on, so that a
/// window whose length is one of the two limits never reaches into slots that are coarser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ages {
    /// What ends up to here has slots of an hour, in chunks of a day.
    pub(super) old: Timestamp,
    /// What ends up to here has slots of at least five minutes.
    pub(super) middle: Timestamp,
}

impl Ages {
    /// Nothing is old yet.
    pub(super) const NONE: Self = Self {
        old: Timestamp::EARLIEST,
        middle: Timestamp::EARLIEST,
    };

    /// As it is at `now`; never back to finer slots, however the time was set.
    #[must_use]
    pub(super) fn at(self, now: Timestamp) -> Self {
        Self {
            old: self.old.max((now - MIDDLE_FOR).floor_to(OLD)),
            middle: self.middle.max((now - FINE_FOR).floor_to(OLD)),
        }
    }

    /// The end of the slot to which a fine one that ends `end` belongs at its age.
    pub(super) fn end_of(self, end: Timestamp) -> Timestamp {
        match self.width(end) {
            Some(width) => end.ceil_to(width),
            None => end,
        }
    }

    /// The start of the slot in which the time just after `from` lies; `slot` is the width of fine ones.
    pub(super) fn start_of(self, from: Timestamp, slot: Span) -> Timestamp {
        let next = from + Span::from_millis(1);
        from.floor_to(self.width(next).map_or(slot, |width| width.max(slot)))
    }

    /// Which chunk keeps the slot that ends `end`.
    pub(super) fn age_of(self, end: Timestamp) -> Age {
        if end <= self.old {
            Age::Old
        } else {
            Age::Recent
        }
    }

    pub(super) fn width(self, end: Timestamp) -> Option<Span> {
        if end <= self.old {
            Some(OLD)
        } else if end <= self.middle {
            Some(MIDDLE)
        } else {
            None
        }
    }
}
