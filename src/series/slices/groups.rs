//! Gauges in groups: which series belong together, and what value they have at a time.

use std::collections::BTreeMap;

use crate::domain::indicator::Aggregate;
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::slices::{BadWhen, WithinSlice};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{self, Sample, Series};
use crate::series::cursor::validity;

/// Gauges, and how they become one value for each group.
#[derive(Debug)]
pub struct Gauges<S> {
    /// Their samples.
    pub series: S,
    /// How those of a group become one value.
    pub aggregate: Aggregate,
    /// The usual distance of their samples; zero when unknown.
    pub usual: Span,
}

/// Gauges by group.
#[derive(Debug)]
pub struct Groups<'a> {
    series: BTreeMap<Labels, Vec<&'a [Sample]>>,
    aggregate: Aggregate,
    valid: Span,
}

impl<'a> Groups<'a> {
    /// Groups of the series that agree in the labels `by`; without `by` each series is one.
    pub fn of(gauges: Gauges<impl Iterator<Item = Series<'a>>>, by: Option<&[String]>) -> Self {
        let mut by_group: BTreeMap<Labels, Vec<&[Sample]>> = BTreeMap::new();
        for series in gauges.series {
            let group = if let Some(by) = by {
                series.labels.only(by)
            } else {
                let labels = series.labels.iter();
                labels.filter(|(label, _)| *label != METRIC_NAME).collect()
            };
            by_group.entry(group).or_default().push(series.samples);
        }
        Self {
            series: by_group,
            aggregate: gauges.aggregate,
            valid: validity(gauges.usual),
        }
    }

    /// The value of each group at `end`: its series' last samples that are still valid, as one.
    pub fn at(&self, end: Timestamp) -> BTreeMap<&Labels, f64> {
        self.values(|samples| self.last(samples, end))
    }

    /// The value of each group over the samples of a slice, those of its series as one. A series
    /// without a sample in the slice has its last value, as long as that is valid.
    pub fn within(&self, slice: TimeRange, how: WithinSlice) -> BTreeMap<&Labels, f64> {
        let how = match how {
            WithinSlice::Last => return self.at(slice.to),
            WithinSlice::Max => Aggregate::Max,
            WithinSlice::Min => Aggregate::Min,
            WithinSlice::Avg => Aggregate::Avg,
        };
        self.values(|samples| {
            let own = batch::within(samples, slice).iter();
            let own = own.map(|sample| sample.value).filter(|it| it.is_finite());
            aggregate(own, how).or_else(|| self.last(samples, slice.to))
        })
    }

    fn values(&self, value: impl Fn(&[Sample]) -> Option<f64>) -> BTreeMap<&Labels, f64> {
        let of = |series: &Vec<&[Sample]>| {
            let values = series.iter().filter_map(|samples| value(samples));
            aggregate(values, self.aggregate)
        };
        self.series
            .iter()
            .filter_map(|(group, series)| Some((group, of(series)?)))
            .collect()
    }

    /// Whether any of the series is there at `end` and no number, as the quantile of nothing is.
    pub fn has_none(&self, end: Timestamp) -> bool {
        let mut series = self.series.values().flatten();
        series.any(|samples| self.newest(samples, end).is_some_and(f64::is_nan))
    }

    fn last(&self, samples: &[Sample], end: Timestamp) -> Option<f64> {
        let newest = self.newest(samples, end);
        newest.filter(|value| value.is_finite())
    }

    /// The last sample that is still valid, whatever it is.
    fn newest(&self, samples: &[Sample], end: Timestamp) -> Option<f64> {
        let newest = samples
            .partition_point(|sample| sample.at <= end)
            .checked_sub(1)?;
        let sample = samples.get(newest)?;
        (end.since(sample.at) <= self.valid).then_some(sample.value)
    }
}

/// Whether a slice is bad, by what is known of each of its groups.
pub fn judged(groups: impl IntoIterator<Item = bool>, when: BadWhen) -> Option<bool> {
    let (mut bad, mut known) = (0, 0);
    for is_bad in groups {
        known += 1;
        bad += u32::from(is_bad);
    }
    when.judges(bad, known)
}

/// Several values as one; `None` of none.
pub fn aggregate(values: impl Iterator<Item = f64>, how: Aggregate) -> Option<f64> {
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
    use super::super::fixture::{at, batch};
    use super::*;

    #[test]
    fn groups_have_one_value_each() {
        let batch = batch(&[
            ("__name__=m,pod=a,c=x", "30:1 60:4"),
            ("__name__=m,pod=a,c=y", "30:3"),
            ("__name__=m,pod=b,c=x", "60:NaN"),
        ]);
        let shown = |by: Option<&[&str]>, how, aggregate, end: i64| {
            let by: Option<Vec<String>> =
                by.map(|by| by.iter().map(|&label| label.to_owned()).collect());
            let gauges = Gauges {
                series: batch.series(),
                aggregate,
                usual: Span::from_secs(30),
            };
            let groups = Groups::of(gauges, by.as_deref());
            let slice = TimeRange {
                from: at(end - 60),
                to: at(end),
            };
            let values = groups.within(slice, how).into_iter();
            let shown = values.map(|(group, value)| format!("{group}={value}"));
            shown.collect::<Vec<_>>().join(" ")
        };
        let pod: Option<&[&str]> = Some(&["pod"]);
        let cases = [
            shown(pod, WithinSlice::Last, Aggregate::Sum, 60),
            shown(pod, WithinSlice::Max, Aggregate::Max, 60),
            shown(pod, WithinSlice::Min, Aggregate::Avg, 60),
            shown(pod, WithinSlice::Avg, Aggregate::Min, 60),
            shown(None, WithinSlice::Last, Aggregate::Max, 60),
            shown(Some(&[]), WithinSlice::Last, Aggregate::Avg, 60),
            shown(pod, WithinSlice::Max, Aggregate::Sum, 120),
            shown(pod, WithinSlice::Last, Aggregate::Sum, 180),
        ];
        insta::assert_snapshot!(cases.join("\n"), @r#"
        pod="a"=7
        pod="a"=4
        pod="a"=2
        pod="a"=2.5
        c="x",pod="a"=4 c="y",pod="a"=3
        =3.5
        pod="a"=4
        "#);
    }
}
