//! Slices of events: bad when too small a share of a slice's events was good.

use std::cell::LazyCell;
use std::collections::HashMap;

use crate::domain::decimal::Fraction;
use crate::domain::labels::Labels;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Batch, Sample, Series, within};
use crate::series::births::Target;
use crate::series::cursor::is_gap;

use super::noted::Noted;
use super::rate::{part, union_length};
use super::{NOTHING, Slices, ends};

/// Counters whose events all add the same.
#[derive(Debug)]
pub struct Counters<'b> {
    /// Their samples.
    pub series: Vec<Series<'b>>,
    /// What one event adds.
    pub weight: Counts,
    /// The usual distance of samples; zero when unknown.
    pub usual: Span,
    /// What the whole answer shows that these counters are a part of.
    pub scraped: &'b FirstScrapes,
}

/// When each target is first seen to be scraped.
pub type FirstScrapes = HashMap<Target, Timestamp>;

/// The first scrapes that a batch shows, by whatever series.
pub fn first_scrapes(batch: &Batch) -> FirstScrapes {
    let mut scraped = FirstScrapes::new();
    for series in batch.series() {
        if let (Some(target), Some(first)) = (Target::of(series.labels), series.samples.first()) {
            let known = scraped.entry(target).or_insert(first.at);
            *known = first.at.min(*known);
        }
    }
    scraped
}

/// Whether more than `allowance` of each slice's events were bad. A slice of which less than half is
/// covered is unknown. One that is covered and in which nothing happened says nothing: it is neither
/// good nor missing.
///
/// An event belongs to the slice in which the sample lies that shows it. The first value of a series
/// counts when its target was scraped before without it, as far as the answers show that; and so does
/// that with which it returns, if it is lower than it was.
pub fn over_allowance(
    counters: &[Counters],
    allowance: Fraction,
    slice: Span,
    range: TimeRange,
    noted: &mut Noted,
) -> Slices<Counts> {
    let targets = LazyCell::new(|| targets(counters));
    let arrived = |kind: &Counters| -> Vec<(Timestamp, Counts)> {
        let values = kind.series.iter().flat_map(|series| {
            let scraped = |after, at| {
                let siblings = Target::of(series.labels).and_then(|target| targets.get(&target));
                siblings.is_some_and(|it| was_scraped(it, after, at, kind.usual))
            };
            let returns = returns(series.samples, range, kind.usual, scraped);
            born(series, kind.usual, counters)
                .into_iter()
                .chain(returns)
        });
        values
            .map(|(at, value)| (at, kind.weight.times(value)))
            .collect()
    };
    let arrivals: Vec<_> = counters.iter().flat_map(arrived).collect();
    let mut judge = |end: Timestamp| {
        let within = TimeRange {
            from: end - slice,
            to: end,
        };
        let (mut sum, mut covered) = (Counts::default(), Vec::new());
        for kind in counters {
            let mut unseen = Vec::new();
            let times = if kind.weight.total > 0.0 {
                &mut covered
            } else {
                &mut unseen
            };
            let series = kind.series.iter();
            let parts = series.filter_map(|it| part(it.samples, within, kind.usual, times));
            sum = sum.plus(kind.weight.times(parts.map(|part| part.events).sum()));
        }
        let known = union_length(&mut covered);
        if known.as_millis() * 2 < slice.as_millis() {
            return None;
        }
        let own = arrivals.iter().filter(|(at, _)| within.contains(*at));
        let events = own.fold(sum, |sum, (_, counts)| sum.plus(*counts));
        let counts = judged(events, allowance);
        noted.events(end, Labels::default, events, counts.bad > 0.0);
        Some(counts)
    };
    ends(range, slice).map(|end| (end, judge(end))).collect()
}

/// A slice by its own events.
pub(super) fn judged(events: Counts, allowance: Fraction) -> Counts {
    if events.total <= 0.0 {
        return NOTHING;
    }
    Counts {
        bad: f64::from(u8::from(events.exceeds(allowance))),
        total: 1.0,
    }
}

/// The first value of a series whose target was scraped before without it, and its time.
fn born(series: &Series, usual: Span, counters: &[Counters]) -> Option<(Timestamp, f64)> {
    let first = series.samples.iter().find(|sample| sample.is_count())?;
    let target = Target::of(series.labels)?;
    let scraped = counters.iter().filter_map(|kind| kind.scraped.get(&target));
    let before = scraped.min()?;
    let is_born = first.at.since(*before).as_millis() * 2 > usual.as_millis() && first.at > *before;
    is_born.then_some((first.at, first.value))
}

/// The counters' samples by target.
fn targets<'b>(counters: &[Counters<'b>]) -> HashMap<Target, Vec<&'b [Sample]>> {
    let mut targets: HashMap<Target, Vec<&[Sample]>> = HashMap::new();
    for series in counters.iter().flat_map(|kind| &kind.series) {
        if let Some(target) = Target::of(series.labels) {
            targets.entry(target).or_default().push(series.samples);
        }
    }
    targets
}

/// The samples in a range with which a series returns, lower than it was, if its target was scraped
/// since the sample before, and their times.
fn returns(
    samples: &[Sample],
    range: TimeRange,
    usual: Span,
    scraped: impl Fn(Timestamp, Timestamp) -> bool,
) -> Vec<(Timestamp, f64)> {
    let older = samples.partition_point(|it| it.at <= range.from);
    let mut last = samples.iter().take(older).rfind(|sample| sample.is_count());
    let mut returns = Vec::new();
    let newer = within(samples, range).iter();
    for sample in newer.filter(|sample| sample.is_count()) {
        let Some(before) = last.replace(sample) else {
            continue;
        };
        let is_anew = sample.value < before.value && is_gap(sample.at.since(before.at), usual);
        if is_anew && scraped(before.at, sample.at) {
            returns.push((sample.at, sample.value));
        }
    }
    returns
}

/// Whether a target was scraped a scrape or so before `at`, and later than `after`.
fn was_scraped(siblings: &[&[Sample]], after: Timestamp, at: Timestamp, usual: Span) -> bool {
    siblings.iter().any(|samples| {
        let older = samples.partition_point(|it| it.at < at);
        let mut older = samples.iter().take(older);
        let last = older.rfind(|it| it.value.is_finite());
        last.is_some_and(|it| it.at > after && !is_gap(at.since(it.at), usual))
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, batch};
    use super::*;

    const ALL: Counts = Counts {
        bad: 0.0,
        total: 1.0,
    };
    const BAD: Counts = Counts {
        bad: 1.0,
        total: 0.0,
    };

    /// A counter every 15 seconds from `from` on that grows by these; `-` where it is not there.
    fn counter(from: i64, steps: &str) -> String {
        let mut value = 0;
        let steps = steps.split_whitespace().zip(0..);
        let samples = steps.filter(|(step, _)| *step != "-").map(|(step, index)| {
            value += step.parse::<i64>().unwrap();
            format!("{}:{value}", from + index * 15)
        });
        samples.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_slice_is_bad_when_more_than_its_share_failed() {
        let steady = "10 10 10 10 10 10 10 10 10 10 10 10 10";
        for (name, all, bad_from, bad, expected) in [
            ("nothing failed", steady, 0, "0", "..."),
            ("at the limit", steady, 0, "0 0 0 0 4 0 0 0 0", "..."),
            ("over it", steady, 0, "0 0 0 0 5 0 0 0 0", "#.."),
            (
                "over it in the last",
                steady,
                0,
                "0 0 0 0 4 0 0 0 0 5 0 0 0",
                "..#",
            ),
            ("born with five", steady, 90, "5 0 0 0 0", ".#."),
            ("back with five", steady, 0, "9 - - - - - - - -4 0", ".#."),
            (
                "back with what it had",
                steady,
                0,
                "9 - - - - - - - 5 0",
                "...",
            ),
            (
                "nothing happened",
                "10 10 10 10 10 0 0 0 0 10 10 10 10",
                0,
                "0",
                ".-.",
            ),
            ("too little is known", "10 10 10 10 10 10", 0, "0", ".??"),
        ] {
            let (all, bad) = (counter(0, all), counter(bad_from, bad));
            let totals = batch(&[("job=a,instance=i,code=all", &all)]);
            let parts = batch(&[("job=a,instance=i,code=bad", &bad)]);
            let scraped = [first_scrapes(&totals), first_scrapes(&parts)];
            let counters = [
                kind(totals.series(), ALL, &scraped[0]),
                kind(parts.series(), BAD, &scraped[1]),
            ];
            assert_eq!(judged(&counters), expected, "{name}");
        }
    }

    fn kind<'b>(
        series: impl Iterator<Item = Series<'b>>,
        weight: Counts,
        scraped: &'b FirstScrapes,
    ) -> Counters<'b> {
        Counters {
            series: series.collect(),
            weight,
            usual: Span::from_secs(15),
            scraped,
        }
    }

    /// Three slices of a minute in letters, of which a tenth may fail.
    fn judged(counters: &[Counters]) -> String {
        let range = TimeRange {
            from: at(0),
            to: at(180),
        };
        let allowance = Fraction::new(1, 10);
        let (minute, noted) = (Span::from_mins(1), &mut Noted::default());
        let slices = over_allowance(counters, allowance, minute, range, noted);
        let letter = |(_, counts): &(Timestamp, Option<Counts>)| match counts {
            None => '?',
            Some(counts) if counts.total <= 0.0 => '-',
            Some(counts) if counts.bad > 0.0 => '#',
            Some(_) => '.',
        };
        slices.iter().map(letter).collect()
    }

    #[test]
    fn a_new_group_is_judged_by_its_first_values_too() {
        let old = counter(0, "10 10 10 10 10 10 10 10 10 10 10 10 10");
        let (new, bad) = (
            counter(75, "10 10 10 10 10 10 10 10"),
            counter(75, "9 0 0 0 0 0 0 0"),
        );
        let requests = batch(&[
            ("job=a,instance=i,route=old", &old),
            ("job=a,instance=i,route=new", &new),
            ("job=a,instance=i,route=new,code=bad", &bad),
        ]);
        let scraped = first_scrapes(&requests);
        let group = || requests.series().skip(1);
        let counters = [
            kind(group(), ALL, &scraped),
            kind(group().skip(1), BAD, &scraped),
        ];
        assert_eq!(judged(&counters), "?#.");
    }
}
