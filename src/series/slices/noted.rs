//! The values by which slices were judged, for whoever wants to know.

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;

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
    /// Whether it is on the wrong side of it.
    pub is_bad: bool,
}

/// Takes note of values, or of none: then it costs nothing.
#[derive(Debug, Default)]
pub struct Noted {
    values: Option<Vec<SliceValue>>,
    of: Option<Labels>,
}

impl Noted {
    /// Takes note of every value if `is_wanted`.
    pub fn when(is_wanted: bool) -> Self {
        Self {
            values: is_wanted.then(Vec::new),
            of: None,
        }
    }

    /// What is noted from now on is of this group of the objective, or of the whole.
    pub fn turn_to(&mut self, group: Option<&Labels>) {
        if self.values.is_some() {
            self.of = group.cloned();
        }
    }

    /// Takes note of the value of a group, and hands on whether it is bad.
    pub fn of(&mut self, end: Timestamp, group: &Labels, value: f64, is_bad: bool) -> bool {
        if let Some(values) = &mut self.values {
            let group = group.clone();
            values.push(SliceValue {
                of: self.of.clone(),
                end,
                group,
                value,
                is_bad,
            });
        }
        is_bad
    }

    /// The same for the only value of a slice, or for one of several without a name.
    pub fn one(&mut self, end: Timestamp, value: f64, is_bad: bool) -> bool {
        if self.values.is_some() {
            return self.of(end, &Labels::default(), value, is_bad);
        }
        is_bad
    }

    /// All that was noted.
    pub fn into_values(self) -> Vec<SliceValue> {
        self.values.unwrap_or_default()
    }
}
