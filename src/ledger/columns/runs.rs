//! Slots that follow one another and are measured alike, as one: what a day with a gap in it comes to.

use super::times::{Part, millis};
use crate::domain::time::Span;

/// Slots in as few runs as they make. Nothing is added to them in this form.
#[derive(Clone, Debug)]
pub(super) struct Runs {
    slots: u16,
    runs: Box<[Run]>,
}

/// Slots of one width, one after the other, of which as much was measured of each.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// The end of the first.
    end: u32,
    width: u32,
    /// How much was measured of each, and of all before.
    each: i32,
    before: i32,
    /// How many lie before.
    place: u16,
    /// How many of each were spread over a gap, none or one, and of all before.
    mark: u16,
    marks: u16,
}

impl Runs {
    /// The slots that end at these times and come to as much, each with all before, if runs of them take less room than
    /// a time for each.
    pub(super) fn of(slots: impl ExactSizeIterator<Item = (u32, Part)>) -> Option<Self> {
        let number = u16::try_from(slots.len()).ok()?;
        let most = slots.len() / 3;
        let mut runs: Vec<Run> = Vec::new();
        let mut before = Part::default();
        for (place, (end, part)) in (0..).zip(slots) {
            let each = millis(part.covered - before.covered);
            let mark = u16::try_from(part.marks - before.marks).ok()?;
            let goes_on = |run: &mut Run| run.goes_on(place, (end, each, mark));
            if !runs.last_mut().is_some_and(goes_on) {
                if runs.len() == most {
                    return None;
                }
                runs.push(Run {
                    end,
                    width: 0,
                    each,
                    before: millis(before.covered),
                    place,
                    mark,
                    marks: u16::try_from(before.marks).ok()?,
                });
            }
            before = part;
        }
        Some(Self {
            slots: number,
            runs: runs.into(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.slots.into()
    }

    /// How many slots end at or before `last`.
    pub(super) fn up_to(&self, last: u32) -> usize {
        let behind = self.runs.partition_point(|run| run.end <= last);
        let next = self.runs.get(behind).map_or(self.slots, |run| run.place);
        let run = behind.checked_sub(1).and_then(|it| self.runs.get(it));
        let ended = run.map_or(0, |run| {
            let more = (last - run.end).checked_div(run.width).unwrap_or(0);
            u32::from(run.place).saturating_add(more).saturating_add(1)
        });
        usize::from(next.min(u16::try_from(ended).unwrap_or(u16::MAX)))
    }

    /// The end of a slot.
    pub(super) fn end(&self, place: usize) -> Option<u32> {
        let place = u16::try_from(place).ok().filter(|it| *it < self.slots)?;
        let run = self.at(place)?;
        Some(run.end + u32::from(place - run.place) * run.width)
    }

    /// The first `slots` slots together.
    pub(super) fn part(&self, slots: usize) -> Part {
        let slots = u16::try_from(slots).unwrap_or(u16::MAX).min(self.slots);
        let run = slots.checked_sub(1).and_then(|last| self.at(last));
        run.map_or_else(Part::default, |run| {
            let own = i32::from(slots - run.place);
            Part {
                covered: Span::from_millis((run.before + own * run.each).into()),
                marks: i32::from(run.marks) + own * i32::from(run.mark),
            }
        })
    }

    /// The run of a slot.
    fn at(&self, place: u16) -> Option<&Run> {
        let behind = self.runs.partition_point(|run| run.place <= place);
        self.runs.get(behind.checked_sub(1)?)
    }
}

impl Run {
    /// Whether the slot at `place` is one more of it: the second one says how wide they are.
    fn goes_on(&mut self, place: u16, (end, each, mark): (u32, i32, u16)) -> bool {
        let number = u32::from(place - self.place);
        let width = if number == 1 {
            end - self.end
        } else {
            self.width
        };
        let is_alike = self.each == each && self.mark == mark;
        let is_next = end == self.end + number * width;
        if is_alike && is_next {
            self.width = width;
        }
        is_alike && is_next
    }
}
