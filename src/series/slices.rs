//! Slices of time judged by their samples: rates of counters against a floor, gauges against a limit.
//! A slice for which too little is known is `None`: unknown is neither good nor bad.

use std::collections::BTreeMap;

use crate::domain::indicator::Aggregate;
use crate::domain::labels::Labels;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::{Batch, Sample, Series};
use super::cursor::{is_gap, validity};
use super::plan::GaugeRead;
use crate::promql::CompiledMatchers;

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

/// What one counter showed within one slice.
#[derive(Clone, Copy, Debug)]
struct Part {
    events: f64,
    covered: Span,
    interval: Span,
}

/// Whether the rate of the counters is below `at_least` events per second, for each slice.
///
/// A rate is the events of a series over the time that its samples cover, never over the slice's
/// length, or the phase of the scrapes would make slices look bad. A pair of samples belongs to
/// the slice of the newer one. A series that was there for a part of the slice counts for that part; less than half a slice is too little to judge.
pub fn below_floor(
    batch: &Batch,
    matchers: &CompiledMatchers,
    at_least: f64,
    slice: Span,
    range: TimeRange,
    usual: Span,
) -> Vec<(Timestamp, Option<bool>)> {
    let counters: Vec<&Series> = batch
        .series
        .iter()
        .filter(|series| matchers.matches(&series.labels))
        .collect();
    let judge = |end: Timestamp| {
        let within = TimeRange {
            from: end - slice,
            to: end,
        };
        let mut covered = Vec::new();
        let parts: Vec<Part> = counters
            .iter()
            .filter_map(|series| part(&series.samples, within, usual, &mut covered))
            .collect();
        let known = union_length(&mut covered);
        if known.as_millis() * 2 < slice.as_millis() {
            return None;
        }
        let rate: f64 = parts.iter().map(|part| part.rate(known)).sum();
        Some(rate < at_least)
    };
    ends(range, slice).map(|end| (end, judge(end))).collect()
}

impl Part {
    /// The series' share of the rate: its own rate, for as much of the known time as it was there.
    fn rate(&self, known: Span) -> f64 {
        let whole = self.covered + self.interval >= known;
        let share = if whole {
            1.0
        } else {
            self.covered.as_secs_f64() / known.as_secs_f64()
        };
        self.events / self.covered.as_secs_f64() * share
    }
}

/// What one counter shows in a slice; adds the times that its samples cover to `covered`.
fn part(
    samples: &[Sample],
    within: TimeRange,
    usual: Span,
    covered: &mut Vec<TimeRange>,
) -> Option<Part> {
    let mut part = Part {
        events: 0.0,
        covered: Span::ZERO,
        interval: usual,
    };
    for (older, newer) in samples.iter().zip(samples.iter().skip(1)) {
        let distance = newer.at.since(older.at);
        if !within.contains(newer.at) || is_gap(distance, usual) || !newer.value.is_finite() {
            continue;
        }
        part.events += if newer.value >= older.value {
            newer.value - older.value
        } else {
            newer.value
        };
        part.covered = part.covered + distance;
        covered.push(TimeRange {
            from: older.at,
            to: newer.at,
        });
    }
    (part.covered > Span::ZERO).then_some(part)
}

/// The length of time that at least one of the ranges covers.
fn union_length(ranges: &mut [TimeRange]) -> Span {
    ranges.sort_unstable_by_key(|range| range.from);
    let (mut total, mut reached) = (Span::ZERO, Timestamp::from_millis(i64::MIN));
    for range in ranges {
        if range.to > reached {
            total = total + range.to.since(range.from.max(reached));
            reached = range.to;
        }
    }
    total
}

/// Whether any group uses more than `at_most` of its limit at the end of each slice. Groups of
/// which one side is missing are unknown, and so is a slice without any known group.
pub fn over_limit(
    used: (&Batch, &GaugeRead, Span),
    limit: (&Batch, &GaugeRead, Span),
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

/// The gauges of one side by group.
struct Grouped<'a> {
    groups: BTreeMap<Labels, Vec<&'a [Sample]>>,
    aggregate: Aggregate,
    valid: Span,
}

impl<'a> Grouped<'a> {
    fn of((batch, read, usual): (&'a Batch, &GaugeRead, Span), by: &[String]) -> Self {
        let mut groups: BTreeMap<Labels, Vec<&[Sample]>> = BTreeMap::new();
        for series in batch
            .series
            .iter()
            .filter(|series| read.matchers.matches(&series.labels))
        {
            groups
                .entry(series.labels.only(by))
                .or_default()
                .push(&series.samples);
        }
        Self {
            groups,
            aggregate: read.aggregate,
            valid: validity(usual),
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
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn samples(text: &str) -> Vec<Sample> {
        let sample = |text: &str| {
            let (second, value) = text.split_once(':').unwrap();
            Sample {
                at: at(second.parse().unwrap()),
                value: value.parse().unwrap(),
            }
        };
        text.split(' ')
            .filter(|text| !text.is_empty())
            .map(sample)
            .collect()
    }

    /// Series as (labels, samples `second:value`).
    fn batch(series: &[(&str, &str)]) -> Batch {
        let labels = |text: &str| {
            text.split(',')
                .filter_map(|pair| pair.split_once('='))
                .collect()
        };
        let series = series.iter().map(|(name, text)| Series {
            labels: labels(name),
            samples: samples(text),
        });
        Batch {
            series: series.collect(),
            ..Batch::default()
        }
    }

    fn letters(slices: &[(Timestamp, Option<bool>)]) -> String {
        slices
            .iter()
            .map(|(_, bad)| bad.map_or('?', |bad| if bad { '#' } else { '.' }))
            .collect()
    }

    /// A counter that is scraped every `step` seconds from `from` to `to` and grows by `rate` a second.
    fn counter(from: i64, to: i64, step: usize, rate: i64) -> String {
        (from..=to)
            .step_by(step)
            .map(|second| format!("{second}:{}", second * rate))
            .collect::<Vec<_>>()
            .join(" ")
    }

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
    fn a_floor_is_judged_over_the_time_that_was_covered() {
        let all = CompiledMatchers::new(&[]).unwrap();
        let steady = |step, rate| counter(step, 190, usize::try_from(step).unwrap(), rate);
        for (name, series, at_least, expected) in [
            ("enough", vec![steady(15, 5)], 5.0, "..."),
            ("too little", vec![steady(15, 5)], 5.1, "###"),
            (
                "scrapes that do not fit the slice",
                vec![steady(25, 5)],
                5.0,
                "?..",
            ),
            ("nothing happens", vec![steady(15, 0)], 0.1, "###"),
            (
                "two share the work",
                vec![steady(15, 3), counter(7, 190, 15, 3)],
                6.0,
                "...",
            ),
            (
                "one goes as another comes",
                vec![counter(0, 90, 15, 5), counter(90, 190, 15, 5)],
                5.0,
                "...",
            ),
            (
                "one goes as another comes, and it is not twice as much",
                vec![counter(0, 90, 15, 5), counter(90, 190, 15, 5)],
                5.5,
                "###",
            ),
            ("no samples", vec![String::new()], 1.0, "???"),
            (
                "a reset",
                vec!["0:0 15:75 30:150 45:225 60:300 75:75 90:150 105:225 120:300".to_owned()],
                5.0,
                "..?",
            ),
        ] {
            let series: Vec<(&str, &str)> =
                series.iter().map(|text| ("job=a", text.as_str())).collect();
            let range = TimeRange {
                from: at(0),
                to: at(180),
            };
            let usual = Span::from_secs(if name.contains("do not fit") { 25 } else { 15 });
            let slices = below_floor(
                &batch(&series),
                &all,
                at_least,
                Span::from_secs(60),
                range,
                usual,
            );
            assert_eq!(letters(&slices), expected, "{name}");
        }
    }

    #[test]
    fn a_limit_is_judged_by_group_with_the_last_valid_values() {
        let read = |aggregate| GaugeRead {
            family: 0,
            matchers: CompiledMatchers::new(&[]).unwrap(),
            aggregate,
        };
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
            let usual = Span::from_secs(60);
            let (one, other) = (read(how), read(Aggregate::Min));
            let by = ["pod".to_owned()];
            let slices = over_limit(
                (&used, &one, usual),
                (&limits, &other, usual),
                &by,
                0.9,
                Span::from_secs(60),
                range,
            );
            assert_eq!(letters(&slices), expected, "{name}");
        }
    }
}
