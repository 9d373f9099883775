//! What slices were judged by, and what they count as, for whoever wants to know.

use crate::domain::labels::Labels;
use crate::domain::slot::Counts;
use crate::domain::time::Timestamp;

use super::NOTHING;

/// A value by which a slice was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceValue {
    /// The group of the objective that is judged by it; none of the whole.
    pub of: Option<Labels>,
    /// The slice's end.
    pub end: Timestamp,
    /// Whose value it is; empty where a slice has but one.
    pub group: Labels,
    /// What is compared with the threshold.
    pub value: f64,
    /// What it is the quotient of, where it is one.
    pub quotient: Option<Quotient>,
    /// Whether it is on the wrong side of the threshold.
    pub is_bad: bool,
}

/// A part of a whole: bad events of all, a rate of the usual one, what is used of a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quotient {
    /// The part.
    pub part: f64,
    /// What it is a part of.
    pub whole: f64,
}

impl Quotient {
    /// The part in ones of the whole; no number where there is nothing of both.
    pub fn value(self) -> f64 {
        self.part / self.whole
    }
}

/// What a slice adds to the window, once that is decided.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceCount {
    /// The group of the objective to which it is added; none of the whole.
    pub of: Option<Labels>,
    /// The slice's end.
    pub end: Timestamp,
    /// What is added.
    pub counts: Counts,
}

/// What was noted of slices.
#[derive(Clone, Debug, Default)]
pub struct NotedSlices {
    /// By what they were judged.
    pub values: Vec<SliceValue>,
    /// What they count as; those that count as nothing are left out.
    pub counted: Vec<SliceCount>,
}

impl NotedSlices {
    /// Adds what was noted elsewhere.
    pub fn absorb(&mut self, other: Self) {
        self.values.extend(other.values);
        self.counted.extend(other.counted);
    }

    /// The oldest slices first.
    pub fn sort(&mut self) {
        self.values.sort_by_key(|it| it.end);
        self.counted.sort_by_key(|it| it.end);
    }
}

/// Takes note of slices, or of nothing: then it costs nothing.
#[derive(Debug, Default)]
pub struct Noted {
    slices: Option<NotedSlices>,
    of: Option<Labels>,
}

impl Noted {
    /// Takes note of everything if `is_wanted`.
    pub fn when(is_wanted: bool) -> Self {
        Self {
            slices: is_wanted.then(NotedSlices::default),
            of: None,
        }
    }

    /// What is noted from now on is of this group of the objective, or of the whole.
    pub fn turn_to(&mut self, group: Option<&Labels>) {
        if self.slices.is_some() {
            self.of = group.cloned();
        }
    }

    /// Takes note of the value of a group, and hands on whether it is bad.
    pub fn of(
        &mut self,
        end: Timestamp,
        group: impl FnOnce() -> Labels,
        value: f64,
        is_bad: bool,
    ) -> bool {
        self.note(end, group, (value, None), is_bad)
    }

    /// The same for the only value of a slice.
    pub fn one(&mut self, end: Timestamp, value: f64, is_bad: bool) -> bool {
        self.of(end, Labels::default, value, is_bad)
    }

    /// The same for the part that a group has of a whole.
    pub fn part_of(
        &mut self,
        end: Timestamp,
        group: impl FnOnce() -> Labels,
        quotient: Quotient,
        is_bad: bool,
    ) -> bool {
        self.note(end, group, (quotient.value(), Some(quotient)), is_bad)
    }

    /// The same for the share of the events of a slice, or of those of a group in it, that were bad.
    pub fn events(
        &mut self,
        end: Timestamp,
        group: impl FnOnce() -> Labels,
        events: Counts,
        is_bad: bool,
    ) -> bool {
        let quotient = Quotient {
            part: events.bad,
            whole: events.total,
        };
        self.part_of(end, group, quotient, is_bad)
    }

    /// Takes note of what slices count as.
    pub fn counted(&mut self, slices: &[(Timestamp, Counts)]) {
        if let Some(noted) = &mut self.slices {
            let counted = slices.iter().filter(|(_, counts)| *counts != NOTHING);
            noted
                .counted
                .extend(counted.map(|(end, counts)| SliceCount {
                    of: self.of.clone(),
                    end: *end,
                    counts: *counts,
                }));
        }
    }

    /// All that was noted.
    pub fn into_slices(self) -> NotedSlices {
        self.slices.unwrap_or_default()
    }

    fn note(
        &mut self,
        end: Timestamp,
        group: impl FnOnce() -> Labels,
        (value, quotient): (f64, Option<Quotient>),
        is_bad: bool,
    ) -> bool {
        if let Some(noted) = &mut self.slices {
            noted.values.push(SliceValue {
                of: self.of.clone(),
                end,
                group: group(),
                value,
                quotient,
                is_bad,
            });
        }
        is_bad
    }
}
