//! Slices of PromQL's values: each is evaluated at the slice's end.

use std::collections::BTreeMap;

use crate::domain::indicator::Aggregate;
use crate::domain::labels::LabelsRef;
use crate::domain::slices::BadWhen;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Sample, Series};

use super::groups::{aggregate, judged};
use super::noted::Noted;
use super::{Limit, Slices, ends};

/// A ratio beyond 0..1 by no more than this is what is left of the arithmetic of floats.
const NOISE: f64 = 1e-9;

/// Whether enough of the values are beyond `limit`, for each slice. Where there is no value, or only
/// such as are no numbers, nothing is known.
pub fn beyond<'a>(
    values: impl Iterator<Item = Series<'a>>,
    (limit, bad_when): (Limit, BadWhen),
    slice: Span,
    range: TimeRange,
    noted: &mut Noted,
) -> Slices<bool> {
    let values = by_time(values, range);
    let mut judge = |end: Timestamp| {
        let own = values.get(&end).into_iter().flatten();
        let broken = own.map(|(series, value)| {
            let is_broken = limit.is_broken_by(*value);
            noted.of(end, || series.to_labels(), *value, is_broken)
        });
        judged(broken, bad_when)
    };
    ends(range, slice).map(|end| (end, judge(end))).collect()
}

/// The error ratio of each slice: the mean of the values. A value that is no ratio says nothing.
pub fn ratios<'a>(
    values: impl Iterator<Item = Series<'a>>,
    slice: Span,
    range: TimeRange,
    noted: &mut Noted,
) -> Slices<f64> {
    let values = by_time(values, range);
    let is_ratio = |value: &f64| (-NOISE..=1.0 + NOISE).contains(value);
    let mut ratio = |end: Timestamp| {
        let own = values.get(&end).into_iter().flatten();
        let own = own.map(|(_, value)| *value).filter(is_ratio);
        let own = own.map(|value| value.clamp(0.0, 1.0));
        let ratio = aggregate(own, Aggregate::Avg)?;
        noted.one(end, ratio, ratio > 0.0);
        Some(ratio)
    };
    ends(range, slice).map(|end| (end, ratio(end))).collect()
}

/// The finite values of all series by their times, each with the labels of its series.
fn by_time<'a>(
    series: impl Iterator<Item = Series<'a>>,
    range: TimeRange,
) -> BTreeMap<Timestamp, Vec<(LabelsRef<'a>, f64)>> {
    let mut by_time: BTreeMap<Timestamp, Vec<(LabelsRef, f64)>> = BTreeMap::new();
    for Series {
        labels, samples, ..
    } in series
    {
        let is_known = |it: &&Sample| range.contains(it.at) && it.value.is_finite();
        for sample in samples.iter().filter(is_known) {
            by_time
                .entry(sample.at)
                .or_default()
                .push((labels, sample.value));
        }
    }
    by_time
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, batch, letters};
    use super::*;

    const RANGE: TimeRange = TimeRange {
        from: Timestamp::from_millis(0),
        to: Timestamp::from_millis(300_000),
    };

    #[test]
    fn values_are_judged_at_the_ends_of_slices() {
        let values = batch(&[
            ("topic=a", "30:99 60:10 90:99 120:99 180:NaN 240:5 300:5"),
            ("topic=b", "60:10 120:99 180:20 240:99"),
        ]);
        let shown = |limit, when| {
            let slice = Span::from_secs(60);
            letters(&beyond(
                values.series(),
                (limit, when),
                slice,
                RANGE,
                &mut Noted::default(),
            ))
        };
        assert_eq!(shown(Limit::AtMost(50.0), BadWhen::ANY), ".#.#.");
        assert_eq!(shown(Limit::AtMost(50.0), BadWhen::Count(2)), ".#...");
        assert_eq!(shown(Limit::AtLeast(10.0), BadWhen::ANY), "...##");
        let none = batch(&[]);
        let slice = Span::from_secs(60);
        let judge = (Limit::AtMost(1.0), BadWhen::ANY);
        assert_eq!(
            letters(&beyond(
                none.series(),
                judge,
                slice,
                RANGE,
                &mut Noted::default()
            )),
            "?????"
        );
    }

    #[test]
    fn ratios_are_means_of_what_is_a_ratio() {
        let values = batch(&[
            (
                "i=a",
                "60:0.25 120:1.0000000001 180:45 240:-0.0000000001 300:NaN",
            ),
            ("i=b", "60:0.75 180:0.5"),
        ]);
        let ratios = ratios(
            values.series(),
            Span::from_secs(60),
            RANGE,
            &mut Noted::default(),
        );
        let shown: Vec<String> = ratios
            .iter()
            .map(|(end, ratio)| {
                let ratio = ratio.map_or_else(|| "?".to_owned(), |ratio| ratio.to_string());
                format!("{}={ratio}", end.since(at(0)))
            })
            .collect();
        assert_eq!(shown.join(" "), "1m=0.5 2m=1 3m=0.5 4m=0 5m=?");
    }
}
