//! What the slots of a chunk count, in the narrowest form that holds it.

use crate::domain::slot::{Counts, Slot};
use crate::domain::time::Span;

use super::super::tally::{Tally, touch};

/// The largest count up to which every whole number has its own float: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Bad and total. Most counts are small whole numbers, and many lanes count but one thing.
#[derive(Clone, Debug)]
pub(super) enum CountColumn {
    /// Nothing, in any slot.
    Nothing,
    /// Whole numbers, of all slots up to and with each; each one adds the same to bad and total:
    /// what the events of one selector do.
    Same { each: [i8; 2], sums: Vec<[u32; 1]> },
    /// The same of bad and total apart.
    Small(Vec<[u32; 2]>),
    /// The same of larger ones, and of negative ones.
    Whole(Vec<[i64; 2]>),
    /// Any numbers, of each slot alone: sums of theirs would not give them back.
    Any(Vec<Counts>),
}

impl CountColumn {
    /// What a slot counts that is there.
    pub(super) fn get(&self, place: usize) -> Option<Counts> {
        match self {
            Self::Any(column) => column.get(place).copied(),
            Self::Nothing | Self::Same { .. } | Self::Small(_) | Self::Whole(_) => {
                let (newer, older) = (self.up_to(place + 1), self.up_to(place));
                let [bad, total] = [0, 1].map(|it: usize| float(newer[it] - older[it]));
                Some(Counts { bad, total })
            }
        }
    }

    /// The first `slots` slots together, of which so much time was measured, and so many spread over gaps.
    pub(super) fn tally(&self, slots: usize, measured: (Span, i32)) -> Tally {
        let number = i32::try_from(slots).unwrap_or(i32::MAX);
        match self {
            Self::Any(column) => {
                // Beside the one that its chunk notes: each is added up anew.
                touch(slots.saturating_sub(1));
                let slots = column.iter().take(slots).map(|counts| {
                    Tally::of(&Slot {
                        counts: *counts,
                        ..Slot::default()
                    })
                });
                slots.fold(Tally::whole([0; 2], measured, 0), Tally::plus)
            }
            Self::Nothing | Self::Same { .. } | Self::Small(_) | Self::Whole(_) => {
                Tally::whole(self.up_to(slots), measured, number)
            }
        }
    }

    /// The whole sums of the first `slots` slots; nothing where there are none.
    fn up_to(&self, slots: usize) -> [i64; 2] {
        let last = slots.checked_sub(1);
        let sums = last.and_then(|last| match self {
            Self::Nothing | Self::Any(_) => None,
            Self::Same { each, sums } => {
                let [sum] = *sums.get(last)?;
                Some(each.map(|each| i64::from(each) * i64::from(sum)))
            }
            Self::Small(column) => Some(column.get(last)?.map(i64::from)),
            Self::Whole(column) => column.get(last).copied(),
        });
        sums.unwrap_or_default()
    }

    /// Makes room for a slot that counts nothing yet.
    pub(super) fn insert(&mut self, place: usize) {
        match self {
            Self::Nothing => {}
            Self::Same { sums, .. } => repeat(sums, place),
            Self::Small(column) => repeat(column, place),
            Self::Whole(column) => repeat(column, place),
            Self::Any(column) => column.insert(place, Counts::default()),
        }
    }

    /// Changes one of `slots` slots, in a wider form if this does not hold it.
    pub(super) fn set(&mut self, place: usize, slots: usize, (old, new): (Counts, Counts)) {
        if let Self::Any(column) = self {
            if let Some(slot) = column.get_mut(place) {
                *slot = new;
            }
            return;
        }
        let more = difference(old, new);
        match more {
            Some(more) if self.shift(place, more) => return,
            Some(more) => self.widen(slots, more),
            None => *self = self.apart(slots),
        }
        self.set(place, slots, (old, new));
    }

    /// Adds to all sums from a slot on, if this form has room for it.
    fn shift(&mut self, place: usize, more: [i64; 2]) -> bool {
        match self {
            _ if more == [0; 2] => true,
            Self::Nothing | Self::Any(_) => false,
            Self::Same { each, sums } => {
                let times = times(more, *each);
                times.is_some_and(|times| shift(sums, place, [times], small))
            }
            Self::Small(column) => shift(column, place, more, small),
            Self::Whole(column) => shift(column, place, more, Some),
        }
    }

    /// The same counts in the next form that may hold `more`.
    fn widen(&mut self, slots: usize, more: [i64; 2]) {
        let wider = match &*self {
            Self::Nothing => match each(more) {
                Some(each) => Self::Same {
                    each,
                    sums: vec![[0]; slots],
                },
                None => Self::Small(vec![[0; 2]; slots]),
            },
            Self::Same { .. } => {
                let pair = |[bad, total]: [i64; 2]| Some([small(bad)?, small(total)?]);
                let pairs: Option<Vec<_>> = self.sums(slots).map(pair).collect();
                pairs.map_or_else(|| Self::Whole(self.sums(slots).collect()), Self::Small)
            }
            Self::Small(_) => Self::Whole(self.sums(slots).collect()),
            Self::Whole(_) | Self::Any(_) => self.apart(slots),
        };
        *self = wider;
    }

    /// The whole sums up to and with each slot.
    fn sums(&self, slots: usize) -> impl Iterator<Item = [i64; 2]> {
        (1..=slots).map(|slots| self.up_to(slots))
    }

    /// The same counts, each for itself.
    fn apart(&self, slots: usize) -> Self {
        Self::Any((0..slots).map_while(|place| self.get(place)).collect())
    }

    pub(super) fn is_loose(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Same { sums, .. } => sums.len() < sums.capacity(),
            Self::Small(column) => column.len() < column.capacity(),
            Self::Whole(column) => column.len() < column.capacity(),
            Self::Any(column) => column.len() < column.capacity(),
        }
    }

    /// Gives back the room that was kept for more slots.
    pub(super) fn shrink(&mut self) {
        match self {
            Self::Nothing => {}
            Self::Same { sums, .. } => sums.shrink_to_fit(),
            Self::Small(column) => column.shrink_to_fit(),
            Self::Whole(column) => column.shrink_to_fit(),
            Self::Any(column) => column.shrink_to_fit(),
        }
    }
}

/// Puts in a slot that adds nothing to the one before.
fn repeat<T: Copy + Default>(sums: &mut Vec<T>, place: usize) {
    let before = place.checked_sub(1).and_then(|before| sums.get(before));
    sums.insert(place, before.copied().unwrap_or_default());
}

/// What one event adds, if `more` is so many of the same.
fn each(more: [i64; 2]) -> Option<[i8; 2]> {
    let each = more.map(|more| i8::try_from(more.signum()).unwrap_or(0));
    times(more, each)?;
    Some(each)
}

/// How many times `each` is what `more` is, if it is some.
fn times([bad, total]: [i64; 2], each: [i8; 2]) -> Option<i64> {
    let [to_bad, to_total] = each.map(i64::from);
    let times = if to_bad == 0 {
        total * to_total
    } else {
        bad * to_bad
    };
    (times * to_bad == bad && times * to_total == total).then_some(times)
}

/// Adds `more` to all sums from `place` on, if all of them have room for it.
fn shift<T: Copy + Into<i64>, const N: usize>(
    column: &mut [[T; N]],
    place: usize,
    more: [i64; N],
    fit: impl Fn(i64) -> Option<T>,
) -> bool {
    let behind = column.get_mut(place..).unwrap_or_default();
    let added = |sum: T, more: i64| fit(sum.into().checked_add(more)?);
    let has_room = |sums: &[T; N]| {
        let mut sums = sums.iter().zip(more);
        sums.all(|(sum, more)| added(*sum, more).is_some())
    };
    let fits = behind.iter().all(has_room);
    if fits {
        for sums in behind {
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum = added(*sum, more).unwrap_or(*sum);
            }
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
