//! Slices of time judged by their samples. A slice for which too little is known is `None`: unknown is
//! neither good nor bad.

pub mod fullness;
pub mod rate;

use crate::domain::time::{Span, TimeRange, Timestamp};

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
}
