//! Slices of time judged by their samples, a file for each way to judge. A slice for which too little is
//! known is `None`: unknown is neither good nor bad.

pub mod age;
pub mod drop;
pub mod events;
pub mod groups;
pub mod level;
pub mod missing;
pub mod noted;
pub mod probe;
pub mod rate;
pub mod share;
pub mod value;

use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};

/// The ends of slices, oldest first, each with what is known of it.
pub type Slices<T> = Vec<(Timestamp, Option<T>)>;

/// What a slice counts as in which nothing happened: it was measured, and there was nothing to judge.
pub const NOTHING: Counts = Counts {
    bad: 0.0,
    total: 0.0,
};

/// What is said of a slice of which the source holds something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Judged {
    /// What it counts as.
    As(Counts),
    /// There is nothing to compare it with: it is neither measured nor missing.
    Incomparable,
    /// What it was to be judged by cannot be true: it is neither measured nor missing.
    Impossible(Impossible),
}

/// Values of PromQL that cannot be true.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Impossible {
    /// A part that does not lie between nothing and its whole.
    Part {
        /// The part: what is bad, or what is good.
        part: f64,
        /// The whole.
        total: f64,
    },
    /// A ratio that does not lie between 0 and 1.
    Ratio(f64),
    /// A value that cannot be compared.
    Value(f64),
}

impl Judged {
    /// A slice as one, of which this share was bad.
    pub const fn bad(share: f64) -> Self {
        Self::As(Counts {
            bad: share,
            total: 1.0,
        })
    }

    /// On which side of a threshold it is.
    pub const fn beyond(is_bad: bool) -> Self {
        Self::bad(if is_bad { 1.0 } else { 0.0 })
    }

    /// What it counts as, where it was measured.
    pub const fn counts(self) -> Option<Counts> {
        match self {
            Self::As(counts) => Some(counts),
            Self::Incomparable | Self::Impossible(_) => None,
        }
    }
}

/// On which side of a threshold all is well, as floats that samples are compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Bad when above.
    AtMost(f64),
    /// Bad when below.
    AtLeast(f64),
}

impl Limit {
    /// Whether a value that was measured as it is lies on the wrong side.
    pub fn is_broken_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value > most,
            Self::AtLeast(least) => value < least,
        }
    }
}

/// The ends of the slices that lie wholly in `range`, oldest first.
pub fn ends(range: TimeRange, slice: Span) -> impl Iterator<Item = Timestamp> {
    let first = range.from.ceil_to(slice) + slice;
    let count = range
        .to
        .since(first)
        .as_millis()
        .div_euclid(slice.as_millis())
        + 1;
    (0..count.max(0)).map(move |index| first + Span::from_millis(slice.as_millis() * index))
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod oracle;

#[cfg(test)]
mod tests {
    use super::fixture::at;
    use super::*;

    #[test]
    fn slices_lie_wholly_in_the_range() {
        for (from, to, expected) in [
            (0, 180, "60 120 180"),
            (1, 180, "120 180"),
            (0, 59, ""),
            (60, 60, ""),
            (30, 125, "120"),
        ] {
            let ends = ends(
                TimeRange {
                    from: at(from),
                    to: at(to),
                },
                Span::from_secs(60),
            );
            let ends: Vec<String> = ends
                .map(|end| (end.as_millis() / 1_000).to_string())
                .collect();
            assert_eq!(ends.join(" "), expected, "{from}..{to}");
        }
    }

    #[test]
    fn a_limit_is_kept_at_the_very_limit() {
        for (limit, value, broken) in [
            (Limit::AtMost(0.3), 0.3, false),
            (Limit::AtMost(0.3), 0.300_001, true),
            (Limit::AtLeast(5.0), 5.0, false),
            (Limit::AtLeast(5.0), 4.9, true),
        ] {
            assert_eq!(limit.is_broken_by(value), broken, "{limit:?} {value}");
        }
    }
}
