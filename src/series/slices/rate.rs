//! Slices of counters: their rates, bad when these are below a floor or above a ceiling.

use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Sample, Series};
use crate::series::cursor::is_gap;

use super::noted::Noted;
use super::{Limit, Slices, ends};

/// What one counter showed within one slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) events: f64,
    covered: Span,
    interval: Span,
}

/// Rates that differ by no more than this share are the same: sums of floats are not exact.
const NOISE: f64 = 1e-9;

/// Whether a rate is below a bound.
pub(super) fn is_below(rate: f64, bound: f64) -> bool {
    rate < bound * (1.0 - NOISE)
}

/// Whether the rate of each slice is on the wrong side of `limit`, in events per second.
pub fn beyond(rates: &Slices<f64>, limit: Limit, noted: &mut Noted) -> Slices<bool> {
    let is_broken = |rate: f64| match limit {
        Limit::AtLeast(least) => is_below(rate, least),
        Limit::AtMost(most) => rate > most * (1.0 + NOISE),
    };
    let slices = rates.iter();
    slices
        .map(|(end, rate)| {
            let judge = |rate| noted.one(*end, rate, is_broken(rate));
            (*end, rate.map(judge))
        })
        .collect()
}

/// The rate of the counters together in each slice, in events per second.
///
/// A rate is the events of a series over the time that its samples cover, never over the slice's
/// length, or the phase of the scrapes would make slices look bad. A pair of samples belongs to
/// the slice of the newer one. A series that was there for a part of the slice counts for that part;
/// less than half a slice is too little to judge.
pub fn rates(counters: &[Series], slice: Span, range: TimeRange, usual: Span) -> Slices<f64> {
    let rate = |end: Timestamp| {
        let within = TimeRange {
            from: end - slice,
            to: end,
        };
        let mut covered = Vec::new();
        let parts: Vec<Part> = counters
            .iter()
            .filter_map(|series| part(series.samples, within, usual, &mut covered))
            .collect();
        let known = union_length(&mut covered);
        if known.as_millis() * 2 < slice.as_millis() {
            return None;
        }
        Some(parts.iter().map(|part| part.rate(known)).sum())
    };
    ends(range, slice).map(|end| (end, rate(end))).collect()
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
pub(super) fn part(
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
    let first = samples.partition_point(|sample| sample.at <= within.from);
    let behind = samples.partition_point(|sample| sample.at <= within.to);
    let (before, own) = samples
        .get(..behind)
        .unwrap_or_default()
        .split_at(first.min(behind));
    // The sample before the slice is where its first pair begins.
    let mut last = before.iter().rfind(|sample| sample.is_count());
    for newer in own.iter().filter(|sample| sample.is_count()) {
        let Some(older) = last.replace(newer) else {
            continue;
        };
        let distance = newer.at.since(older.at);
        if is_gap(distance, usual) {
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
pub(super) fn union_length(ranges: &mut [TimeRange]) -> Span {
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

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, batch, letters};
    use super::*;

    /// A counter that is scraped every `step` seconds from `from` to `to` and grows by `rate` a second.
    fn counter(from: i64, to: i64, step: usize, rate: i64) -> String {
        (from..=to)
            .step_by(step)
            .map(|second| format!("{second}:{}", second * rate))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_floor_is_judged_over_the_time_that_was_covered() {
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
            (
                "values that no counter has",
                vec![
                    "0:9000 15:9001 30:NaN 45:9003 60:9004 75:-1 90:9006 105:+Inf 120:9008 135:NaN"
                        .to_owned(),
                ],
                0.1,
                "##?",
            ),
        ] {
            let series: Vec<(&str, &str)> =
                series.iter().map(|text| ("job=a", text.as_str())).collect();
            let range = TimeRange {
                from: at(0),
                to: at(180),
            };
            let usual = Span::from_secs(if name.contains("do not fit") { 25 } else { 15 });
            let batch = batch(&series);
            let counters: Vec<Series> = batch.series().collect();
            let rates = rates(&counters, Span::from_secs(60), range, usual);
            let slices = beyond(&rates, Limit::AtLeast(at_least), &mut Noted::default());
            assert_eq!(letters(&slices), expected, "{name}");
        }
    }

    #[test]
    fn a_ceiling_is_kept_at_the_very_rate_however_many_share_it() {
        let three = vec![counter(0, 190, 10, 1); 3];
        let series: Vec<(&str, &str)> = three.iter().map(|text| ("job=a", text.as_str())).collect();
        let batch = batch(&series);
        let counters: Vec<Series> = batch.series().collect();
        let range = TimeRange {
            from: at(0),
            to: at(180),
        };
        let rates = rates(&counters, Span::from_secs(60), range, Span::from_secs(10));
        for (limit, expected) in [
            (Limit::AtMost(3.0), "..."),
            (Limit::AtMost(2.99), "###"),
            (Limit::AtLeast(3.0), "..."),
        ] {
            assert_eq!(
                letters(&beyond(&rates, limit, &mut Noted::default())),
                expected,
                "{limit:?}"
            );
        }
        assert!(!is_below(0.1 + 0.2, 0.3) && !is_below(0.3, 0.1 + 0.2));
    }
}
