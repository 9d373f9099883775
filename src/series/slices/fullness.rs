//! Slices of gauges: bad when what is used is over a share of its limit.

use std::collections::BTreeMap;

use crate::domain::indicator::Aggregate;
use crate::domain::labels::Labels;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Sample, Series};
use crate::series::cursor::validity;

use super::ends;

/// Whether any group uses more than `at_most` of its limit at the end of each slice. Groups of
/// which one side is missing are unknown, and so is a slice without any known group.
pub fn over_limit<'a>(
    used: Gauges<impl Iterator<Item = Series<'a>>>,
    limit: Gauges<impl Iterator<Item = Series<'a>>>,
    by: &[String],
    at_most: f64,
    slice: Span,
    range: TimeRange,
) -> Vec<(Timestamp, Option<bool>)> {
    let (used, limit) = (Grouped::of(used, by), Grouped::of(limit, by));
    let judge = |end: Timestamp| {
        let limits = limit.at(end);
        let shares = used.at(end).into_iter().filter_map(|(group, used)| {
            let limit = *limits.get(group)?;
            (limit > 0.0).then_some(used / limit)
        });
        shares.fold(None, |bad: Option<bool>, share| {
            Some(bad.unwrap_or(false) || share > at_most)
        })
    };
    ends(range, slice).map(|end| (end, judge(end))).collect()
}

/// The gauges of one side.
#[derive(Debug)]
pub struct Gauges<S> {
    /// Their samples.
    pub series: S,
    /// How those of a group become one value.
    pub aggregate: Aggregate,
    /// The usual distance of their samples; zero when unknown.
    pub usual: Span,
}

/// The gauges of one side by group.
struct Grouped<'a> {
    groups: BTreeMap<Labels, Vec<&'a [Sample]>>,
    aggregate: Aggregate,
    valid: Span,
}

impl<'a> Grouped<'a> {
    fn of(gauges: Gauges<impl Iterator<Item = Series<'a>>>, by: &[String]) -> Self {
        let mut groups: BTreeMap<Labels, Vec<&[Sample]>> = BTreeMap::new();
        for series in gauges.series {
            groups
                .entry(series.labels.only(by))
                .or_default()
                .push(series.samples);
        }
        Self {
            groups,
            aggregate: gauges.aggregate,
            valid: validity(gauges.usual),
        }
    }

    /// The value of each group at `end`: its series' last samples that are still valid, as one.
    fn at(&self, end: Timestamp) -> BTreeMap<&Labels, f64> {
        let last = |samples: &[Sample]| {
            let newest = samples
                .partition_point(|sample| sample.at <= end)
                .checked_sub(1)?;
            let sample = samples.get(newest)?;
            (end.since(sample.at) <= self.valid && sample.value.is_finite()).then_some(sample.value)
        };
        let value = |series: &Vec<&[Sample]>| {
            aggregate(
                series.iter().filter_map(|samples| last(samples)),
                self.aggregate,
            )
        };
        self.groups
            .iter()
            .filter_map(|(group, series)| Some((group, value(series)?)))
            .collect()
    }
}

fn aggregate(values: impl Iterator<Item = f64>, how: Aggregate) -> Option<f64> {
    let (mut sum, mut count, mut max, mut min) = (0.0, 0.0, f64::NEG_INFINITY, f64::INFINITY);
    for value in values {
        sum += value;
        count += 1.0;
        max = value.max(max);
        min = value.min(min);
    }
    (count > 0.0).then_some(match how {
        Aggregate::Sum => sum,
        Aggregate::Max => max,
        Aggregate::Min => min,
        Aggregate::Avg => sum / count,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, batch, letters};
    use super::*;

    #[test]
    fn a_limit_is_judged_by_group_with_the_last_valid_values() {
        let limits: &[(&str, &str)] = &[
            ("pod=a", "0:100 60:100 120:100"),
            ("pod=b", "0:50 60:50 120:50"),
        ];
        for (name, used, limits, how, expected) in [
            (
                "below",
                &[("pod=a", "0:10 60:80 120:90"), ("pod=b", "0:1 60:2 120:3")][..],
                limits,
                Aggregate::Max,
                "..",
            ),
            (
                "one is over",
                &[("pod=a", "60:91 120:10"), ("pod=b", "60:2 120:46")],
                limits,
                Aggregate::Max,
                "##",
            ),
            (
                "summed in the group",
                &[("pod=a,c=x", "60:50 120:40"), ("pod=a,c=y", "60:41 120:40")],
                limits,
                Aggregate::Sum,
                "#.",
            ),
            (
                "one side missing",
                &[("pod=z", "60:99 120:99")],
                limits,
                Aggregate::Max,
                "??",
            ),
            (
                "still valid a scrape later",
                &[("pod=a", "60:99")],
                limits,
                Aggregate::Max,
                "##",
            ),
            (
                "too old",
                &[("pod=a", "-100:99")],
                limits,
                Aggregate::Max,
                "??",
            ),
            (
                "no limit set",
                &[("pod=a", "60:99 120:99")],
                &[("pod=a", "60:0 120:0")],
                Aggregate::Max,
                "??",
            ),
        ] {
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
                gauges(used.series(), how),
                gauges(limits.series(), Aggregate::Min),
                &["pod".to_owned()],
                0.9,
                Span::from_secs(60),
                range,
            );
            assert_eq!(letters(&slices), expected, "{name}");
        }
    }
}
