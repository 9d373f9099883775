//! Slices of PromQL's values: each is evaluated at the slice's end.

use std::collections::BTreeMap;

use crate::domain::indicator::Aggregate;
use crate::domain::labels::LabelsRef;
use crate::domain::slices::BadWhen;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Sample, Series};

use super::groups::{aggregate, judged};
use super::noted::Noted;
use super::{Impossible, Judged, Limit, NOTHING, Slices, ends};

/// A ratio beyond 0..1 by no more than this is what is left of the arithmetic of floats.
const NOISE: f64 = 1e-9;

/// Whether enough of the values are beyond `limit`, for each slice. Where there is none nothing is
/// known; where each is what 0/0 is, nothing happened.
pub fn beyond<'a>(
    values: impl Iterator<Item = Series<'a>>,
    (limit, bad_when): (Limit, BadWhen),
    slice: Span,
    range: TimeRange,
    noted: &mut Noted,
) -> Slices<Judged> {
    let values = by_time(values, range);
    let mut judge = |end: Timestamp| {
        let own = values.get(&end)?;
        let numbers = own.iter().filter(|(_, value)| value.is_finite());
        let broken = numbers.map(|(series, value)| {
            let is_broken = limit.is_broken_by(*value);
            noted.of(end, || series.to_labels(), *value, is_broken)
        });
        let is_bad = judged(broken, bad_when).map(Judged::beyond);
        is_bad.or_else(|| Some(without_any(own, Impossible::Value)))
    };
    ends(range, slice).map(|end| (end, judge(end))).collect()
}

/// The error ratio of each slice: the mean of the values. A value that is no ratio says nothing; where
/// each is what 0/0 is, nothing happened.
pub fn ratios<'a>(
    values: impl Iterator<Item = Series<'a>>,
    slice: Span,
    range: TimeRange,
    noted: &mut Noted,
) -> Slices<Judged> {
    let values = by_time(values, range);
    let is_ratio = |value: &f64| (-NOISE..=1.0 + NOISE).contains(value);
    let mut ratio = |end: Timestamp| {
        let own = values.get(&end)?;
        let ratios = own.iter().map(|(_, value)| *value).filter(is_ratio);
        let ratios = ratios.map(|value| value.clamp(0.0, 1.0));
        let Some(ratio) = aggregate(ratios, Aggregate::Avg) else {
            return Some(without_any(own, Impossible::Ratio));
        };
        noted.one(end, ratio, ratio > 0.0);
        Some(Judged::bad(ratio))
    };
    ends(range, slice).map(|end| (end, ratio(end))).collect()
}

/// The values at one time, each with the labels of its series.
type Values<'a> = Vec<(LabelsRef<'a>, f64)>;

/// A slice of which no value can be used: nothing happened where each is what 0/0 is.
fn without_any(values: &[(LabelsRef<'_>, f64)], impossible: fn(f64) -> Impossible) -> Judged {
    let first = values.iter().find(|(_, value)| !value.is_nan());
    first.map_or(Judged::As(NOTHING), |(_, value)| {
        Judged::Impossible(impossible(*value))
    })
}

/// The values of all series by their times.
fn by_time<'a>(
    series: impl Iterator<Item = Series<'a>>,
    range: TimeRange,
) -> BTreeMap<Timestamp, Values<'a>> {
    let mut by_time: BTreeMap<Timestamp, Values> = BTreeMap::new();
    for Series {
        labels, samples, ..
    } in series
    {
        let is_within = |it: &&Sample| range.contains(it.at);
        for sample in samples.iter().filter(is_within) {
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
    use super::super::fixture::{at, batch, told};
    use super::*;
    use crate::series::batch::Batch;

    const RANGE: TimeRange = TimeRange {
        from: Timestamp::from_millis(0),
        to: Timestamp::from_millis(360_000),
    };

    #[test]
    fn values_are_judged_at_the_ends_of_slices() {
        let values = batch(&[
            ("topic=a", "30:99 60:10 90:99 120:99 180:NaN 240:5 300:NaN"),
            ("topic=b", "60:10 120:99 180:20 240:99 360:+Inf"),
        ]);
        let shown = |values: &Batch, limit, when| {
            let (slice, mut noted) = (Span::from_secs(60), Noted::default());
            told(&beyond(
                values.series(),
                (limit, when),
                slice,
                RANGE,
                &mut noted,
            ))
        };
        for (limit, when, expected) in [
            (Limit::AtMost(50.0), BadWhen::ANY, ".#.#0!"),
            (Limit::AtMost(50.0), BadWhen::Count(2), ".#..0!"),
            (Limit::AtLeast(10.0), BadWhen::ANY, "...#0!"),
        ] {
            assert_eq!(shown(&values, limit, when), expected, "{limit:?} {when:?}");
        }
        let none = batch(&[]);
        assert_eq!(shown(&none, Limit::AtMost(1.0), BadWhen::ANY), "??????");
    }

    #[test]
    fn ratios_are_means_of_what_is_a_ratio() {
        let values = batch(&[
            (
                "i=a",
                "60:0.25 120:1.0000000001 180:45 240:-0.0000000001 300:NaN 360:45",
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
            .map(|(end, judged)| {
                let shown = match judged {
                    Some(Judged::As(counts)) => format!("{} of {}", counts.bad, counts.total),
                    other => format!("{other:?}"),
                };
                format!("{}={shown}", end.since(at(0)))
            })
            .collect();
        let expected = "1m=0.5 of 1, 2m=1 of 1, 3m=0.5 of 1, 4m=0 of 1, 5m=0 of 0, 6m=Some(Impossible(Ratio(45.0)))";
        assert_eq!(shown.join(", "), expected);
    }
}
