//! Slices of timestamps: bad when what they tell of is too long ago.

use crate::domain::quantity::TimeUnit;
use crate::domain::slices::BadWhen;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::groups::{Groups, judged};
use super::noted::Noted;
use super::{Slices, ends};

/// A timestamp further ahead of its time than this is no timestamp in the unit that was named.
const FURTHEST_AHEAD: f64 = 86_400.0;

/// Whether enough groups are older than `at_most` seconds at the end of each slice: the slice's end
/// less the last valid timestamp. A timestamp of zero is of what was never done, and very old. One
/// that lies more than a day ahead says nothing.
pub fn older(
    groups: &Groups,
    unit: TimeUnit,
    (at_most, bad_when): (f64, BadWhen),
    slice: Span,
    range: TimeRange,
    noted: &mut Noted,
) -> Slices<bool> {
    let mut judge = |end: Timestamp| {
        let now = Span::from_millis(end.as_millis()).as_secs_f64();
        let timestamps = groups.at(end).into_iter();
        let ages = timestamps.map(|(group, it)| (group, now - it / unit.per_second()));
        let known = ages.filter(|(_, age)| *age >= -FURTHEST_AHEAD);
        let older = known.map(|(group, age)| noted.of(end, || group.clone(), age, age > at_most));
        judged(older, bad_when)
    };
    ends(range, slice).map(|end| (end, judge(end))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, batch, letters};
    use super::super::groups::Gauges;
    use super::*;
    use crate::domain::indicator::Aggregate;

    const DAY: i64 = 1_000_000_020;

    /// Timestamps as (second after the day's start, value likewise), scraped every half minute.
    fn timestamps(told: &[(i64, i64)], factor: i64) -> String {
        let sample =
            |(second, value): &(i64, i64)| format!("{}:{}", DAY + second, (DAY + value) * factor);
        told.iter().map(sample).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_age_is_taken_at_the_end_of_the_slice() {
        let steady = [
            (0, -30),
            (30, -30),
            (60, -30),
            (90, -30),
            (120, -30),
            (150, 115),
        ];
        for (name, told, unit, expected) in [
            (
                "older by the minute, then done again",
                &steady[..],
                TimeUnit::Seconds,
                ".#.?",
            ),
            ("in milliseconds", &steady[..], TimeUnit::Millis, ".#.?"),
            (
                "exactly as old as allowed",
                &[(60, -30)],
                TimeUnit::Seconds,
                ".#??",
            ),
            (
                "a little ahead",
                &[(60, 70), (120, 130)],
                TimeUnit::Seconds,
                "...?",
            ),
            ("far ahead", &[(60, 100_000)], TimeUnit::Seconds, "????"),
            (
                "never done",
                &[(60, -DAY), (120, -DAY)],
                TimeUnit::Seconds,
                "###?",
            ),
            ("no samples", &[], TimeUnit::Seconds, "????"),
        ] {
            let factor = match unit {
                TimeUnit::Seconds => 1,
                TimeUnit::Millis => 1_000,
            };
            let text = timestamps(told, factor);
            let batch = batch(&[("job=etl", &text)]);
            let gauges = Gauges {
                series: batch.series(),
                aggregate: Aggregate::Max,
                usual: Span::from_secs(30),
            };
            let range = TimeRange {
                from: at(DAY),
                to: at(DAY + 240),
            };
            let groups = Groups::of(gauges, None);
            let limit = (90.0, BadWhen::ANY);
            let minute = Span::from_secs(60);
            let slices = older(&groups, unit, limit, minute, range, &mut Noted::default());
            assert_eq!(letters(&slices), expected, "{name}");
        }
    }
}
