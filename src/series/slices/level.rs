//! Slices of gauges without a limit series: bad when groups are on the wrong side of a threshold.

use crate::domain::slices::{BadWhen, WithinSlice};
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::groups::{Groups, judged};
use super::noted::Noted;
use super::{Limit, Slices, ends};

/// Whether enough groups are beyond `limit` in each slice, by the samples that `within` says.
pub fn beyond(
    groups: &Groups,
    limit: Limit,
    (within, bad_when): (WithinSlice, BadWhen),
    slice: Span,
    range: TimeRange,
    noted: &mut Noted,
) -> Slices<bool> {
    let mut judge = |end: Timestamp| {
        let own = TimeRange {
            from: end - slice,
            to: end,
        };
        let values = groups.within(own, within).into_iter();
        let broken = values.map(|(group, value)| {
            noted.of(end, || group.clone(), value, limit.is_broken_by(value))
        });
        judged(broken, bad_when)
    };
    ends(range, slice).map(|end| (end, judge(end))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, batch, letters};
    use super::super::groups::Gauges;
    use super::*;
    use crate::domain::indicator::Aggregate;

    #[test]
    fn levels_are_judged_by_the_samples_that_count() {
        let lag: &[(&str, &str)] = &[
            ("p=0", "30:10 60:90 90:10 120:10 150:NaN 180:10"),
            ("p=1", "30:5 60:5 90:100 120:5"),
        ];
        let (most, least) = (Limit::AtMost(80.0), Limit::AtLeast(6.0));
        for (within, when, limit, expected) in [
            (WithinSlice::Last, BadWhen::ANY, most, "#...?"),
            (WithinSlice::Max, BadWhen::ANY, most, "##..?"),
            (WithinSlice::Min, BadWhen::ANY, most, "....?"),
            (WithinSlice::Avg, BadWhen::ANY, most, "....?"),
            (WithinSlice::Avg, BadWhen::ANY, Limit::AtMost(49.0), "##..?"),
            (WithinSlice::Max, BadWhen::Count(2), most, "....?"),
            (WithinSlice::Last, BadWhen::ANY, least, "###.?"),
            (WithinSlice::Last, BadWhen::Count(2), least, "....?"),
        ] {
            let batch = batch(lag);
            let gauges = Gauges {
                series: batch.series(),
                aggregate: Aggregate::Max,
                usual: Span::from_secs(30),
            };
            let range = TimeRange {
                from: at(0),
                to: at(300),
            };
            let groups = Groups::of(gauges, None);
            let minute = Span::from_secs(60);
            let noted = &mut Noted::default();
            let slices = beyond(&groups, limit, (within, when), minute, range, noted);
            assert_eq!(letters(&slices), expected, "{within:?} {when:?} {limit:?}");
        }
    }
}
