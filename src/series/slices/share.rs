//! Slices of gauges with a limit: bad when what is used is over a share of it.

use crate::domain::slices::BadWhen;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::Series;

use super::groups::{Gauges, Groups, judged};
use super::noted::{Noted, Quotient};
use super::{Slices, ends};

/// Whether groups use more than `at_most` of their limits at the end of each slice. Groups of which
/// one side is missing are unknown, and so is a slice without any known group.
pub fn over_limit<'a>(
    used: Gauges<impl Iterator<Item = Series<'a>>>,
    limit: Gauges<impl Iterator<Item = Series<'a>>>,
    by: &[String],
    (at_most, bad_when): (f64, BadWhen),
    slice: Span,
    range: TimeRange,
    noted: &mut Noted,
) -> Slices<bool> {
    let (used, limit) = (Groups::of(used, Some(by)), Groups::of(limit, Some(by)));
    let mut judge = |end: Timestamp| {
        let limits = limit.at(end);
        let over = used.at(end).into_iter().filter_map(|(group, used)| {
            let whole = *limits.get(group)?;
            let share = Quotient { part: used, whole };
            let is_over = (whole > 0.0).then(|| share.value() > at_most)?;
            Some(noted.part_of(end, || group.clone(), share, is_over))
        });
        judged(over, bad_when)
    };
    ends(range, slice).map(|end| (end, judge(end))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, batch, letters};
    use super::*;
    use crate::domain::decimal::Fraction;
    use crate::domain::indicator::Aggregate;

    type Given<'a> = &'a [(&'a str, &'a str)];

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn a_limit_is_judged_by_group_with_the_last_valid_values() {
        let limits: &[(&str, &str)] = &[
            ("pod=a", "0:100 60:100 120:100"),
            ("pod=b", "0:50 60:50 120:50"),
        ];
        let (any, two, most) = (
            BadWhen::ANY,
            BadWhen::Count(2),
            BadWhen::Share(Fraction::new(6, 10)),
        );
        let cases: &[(&str, Given, Given, Aggregate, BadWhen, &str)] = &[
            (
                "below",
                &[("pod=a", "0:10 60:80 120:90"), ("pod=b", "0:1 60:2 120:3")],
                limits,
                Aggregate::Max,
                any,
                "..",
            ),
            (
                "one is over",
                &[("pod=a", "60:91 120:10"), ("pod=b", "60:2 120:46")],
                limits,
                Aggregate::Max,
                any,
                "##",
            ),
            (
                "two must be over",
                &[("pod=a", "60:91 120:95"), ("pod=b", "60:2 120:46")],
                limits,
                Aggregate::Max,
                two,
                ".#",
            ),
            (
                "half of them is not most",
                &[("pod=a", "60:91 120:95"), ("pod=b", "60:2 120:46")],
                limits,
                Aggregate::Max,
                most,
                ".#",
            ),
            (
                "summed in the group",
                &[("pod=a,c=x", "60:50 120:40"), ("pod=a,c=y", "60:41 120:40")],
                limits,
                Aggregate::Sum,
                any,
                "#.",
            ),
            (
                "one side missing",
                &[("pod=z", "60:99 120:99")],
                limits,
                Aggregate::Max,
                any,
                "??",
            ),
            (
                "still valid a scrape later",
                &[("pod=a", "60:99")],
                limits,
                Aggregate::Max,
                any,
                "##",
            ),
            (
                "too old",
                &[("pod=a", "-100:99")],
                limits,
                Aggregate::Max,
                any,
                "??",
            ),
            (
                "no limit set",
                &[("pod=a", "60:99 120:99")],
                &[("pod=a", "60:0 120:0")],
                Aggregate::Max,
                any,
                "??",
            ),
        ];
        for (name, used, limits, how, when, expected) in cases {
            let (used, limits) = (batch(used), batch(limits));
            let range = TimeRange {
                from: at(0),
                to: at(120),
            };
            let gauges = |series, aggregate| Gauges {
                series,
                aggregate,
                usual: Span::from_secs(60),
            };
            let slices = over_limit(
                gauges(used.series(), *how),
                gauges(limits.series(), Aggregate::Min),
                &["pod".to_owned()],
                (0.9, *when),
                Span::from_secs(60),
                range,
                &mut Noted::default(),
            );
            assert_eq!(letters(&slices), *expected, "{name}");
        }
    }
}
