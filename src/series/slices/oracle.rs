//! Every judge against the slow and obvious way to judge: second by second, series by series.
#![expect(clippy::cast_precision_loss, reason = "small whole numbers are exact")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::domain::decimal::Fraction;
use crate::domain::indicator::Aggregate;
use crate::domain::quantity::TimeUnit;
use crate::domain::slices::{BadWhen, WithinSlice};
use crate::domain::time::{Span, TimeRange};
use crate::series::batch::{Batch, Series};

use super::fixture::{at, batch, letters};
use super::groups::{Gauges, Groups};
use super::noted::Noted;
use super::{Limit, age, level, rate, share};

const SLICE: i64 = 60;
const SLICES: i64 = 6;
const USUAL: i64 = 15;
/// 2.5 usual intervals.
const VALID: i64 = 37;

/// Samples of one series: whole seconds and small whole values.
type Told = Vec<(i64, i64)>;

/// Some scrapes are missed, some come late.
fn told() -> impl Strategy<Value = Told> {
    let scrapes = SLICE * SLICES / USUAL + 8;
    let scrape = (-9_i64..100, -3_i64..3, proptest::bool::weighted(0.7));
    proptest::collection::vec(scrape, usize::try_from(scrapes).unwrap()).prop_map(|scrapes| {
        let times = (0..).map(|index| (index - 6) * USUAL);
        let scrapes = times.zip(scrapes).filter(|(_, (_, _, is_there))| *is_there);
        scrapes
            .map(|(time, (value, late, _))| (time + late, value))
            .collect()
    })
}

/// Series of group 0, 1 or 2.
fn world() -> impl Strategy<Value = Vec<(usize, Told)>> {
    proptest::collection::vec((0_usize..3, told()), 1..5)
}

fn batched(world: &[(usize, Told)]) -> Batch {
    let text = |told: &Told| {
        let samples = told
            .iter()
            .map(|(second, value)| format!("{second}:{value}"));
        samples.collect::<Vec<_>>().join(" ")
    };
    let named = world.iter().enumerate();
    let named: Vec<(String, String)> = named
        .map(|(number, (group, told))| (format!("g={group},n={number}"), text(told)))
        .collect();
    let series: Vec<(&str, &str)> = named
        .iter()
        .map(|(labels, text)| (labels.as_str(), text.as_str()))
        .collect();
    batch(&series)
}

fn gauges(batch: &Batch, aggregate: Aggregate) -> Gauges<impl Iterator<Item = Series<'_>>> {
    Gauges {
        series: batch.series(),
        aggregate,
        usual: Span::from_secs(USUAL),
    }
}

fn range() -> TimeRange {
    TimeRange {
        from: at(0),
        to: at(SLICE * SLICES),
    }
}

/// The newest sample at or before `end`, while it is valid.
fn last(told: &Told, end: i64) -> Option<f64> {
    let own = told.iter().filter(|(second, _)| *second <= end);
    let (second, value) = own.max_by_key(|(second, _)| *second)?;
    (end - second <= VALID).then_some(*value as f64)
}

fn folded(values: &[f64], how: Aggregate) -> Option<f64> {
    let sum: f64 = values.iter().sum();
    let largest = values.iter().copied().fold(f64::MIN, f64::max);
    let smallest = values.iter().copied().fold(f64::MAX, f64::min);
    (!values.is_empty()).then_some(match how {
        Aggregate::Sum => sum,
        Aggregate::Max => largest,
        Aggregate::Min => smallest,
        Aggregate::Avg => sum / values.len() as f64,
    })
}

/// What is known of the groups, in letters, a slice each.
fn judged(slice: impl Fn(i64) -> Vec<bool>, least: usize) -> String {
    let letter = |number: i64| {
        let known = slice(number * SLICE);
        let bad = known.iter().filter(|is_bad| **is_bad).count();
        if known.is_empty() {
            '?'
        } else if bad >= least {
            '#'
        } else {
            '.'
        }
    };
    (1..=SLICES).map(letter).collect()
}

fn value(
    world: &[(usize, Told)],
    group: usize,
    how: Aggregate,
    of: impl Fn(&Told) -> Option<f64>,
) -> Option<f64> {
    let own = world.iter().filter(|(of, _)| *of == group);
    let values: Vec<f64> = own.filter_map(|(_, told)| of(told)).collect();
    folded(&values, how)
}

fn aggregates() -> impl Strategy<Value = Aggregate> {
    let all = [
        Aggregate::Sum,
        Aggregate::Max,
        Aggregate::Min,
        Aggregate::Avg,
    ];
    proptest::sample::select(all.to_vec())
}

proptest! {
    #[test]
    fn limits_are_judged_as_by_hand(used in world(), limit in world(), how in aggregates(), least in 1_u32..3) {
        let (one, other) = (batched(&used), batched(&limit));
        let judge = (0.9, BadWhen::Count(least));
        let slices = share::over_limit(
            gauges(&one, how), gauges(&other, Aggregate::Min), &["g".to_owned()], judge,
            Span::from_secs(SLICE), range(), &mut Noted::default(),
        );
        let by_hand = judged(|end| {
            (0..3).filter_map(|group| {
                let used = value(&used, group, how, |told| last(told, end))?;
                let limit = value(&limit, group, Aggregate::Min, |told| last(told, end))?;
                (limit > 0.0).then_some(used / limit > 0.9)
            }).collect()
        }, usize::try_from(least).unwrap());
        prop_assert_eq!(letters(&slices), by_hand);
    }

    #[test]
    fn levels_are_judged_as_by_hand(world in world(), how in aggregates(), most in 0_i64..100, share in 1_i128..4) {
        let batch = batched(&world);
        let by = ["g".to_owned()];
        for within in [WithinSlice::Last, WithinSlice::Max, WithinSlice::Min, WithinSlice::Avg] {
            let groups = Groups::of(gauges(&batch, how), Some(&by));
            let judge = (within, BadWhen::Share(Fraction::new(share, 3)));
            let slices = level::beyond(&groups, Limit::AtMost(most as f64), judge, Span::from_secs(SLICE), range(), &mut Noted::default());
            let of = |told: &Told, end: i64| {
                let own = told.iter().filter(|(second, _)| *second > end - SLICE && *second <= end);
                let own: Vec<f64> = own.map(|(_, value)| *value as f64).collect();
                match within {
                    WithinSlice::Last => last(told, end),
                    WithinSlice::Max => folded(&own, Aggregate::Max).or_else(|| last(told, end)),
                    WithinSlice::Min => folded(&own, Aggregate::Min).or_else(|| last(told, end)),
                    WithinSlice::Avg => folded(&own, Aggregate::Avg).or_else(|| last(told, end)),
                }
            };
            let known = |end: i64| -> Vec<f64> {
                (0..3).filter_map(|group| value(&world, group, how, |told| of(told, end))).collect()
            };
            for (letter, number) in letters(&slices).chars().zip(1..) {
                let values = known(number * SLICE);
                let bad = values.iter().filter(|value| **value > most as f64).count();
                let expected = if values.is_empty() {
                    '?'
                } else if bad > 0 && 3 * bad >= usize::try_from(share).unwrap() * values.len() {
                    '#'
                } else {
                    '.'
                };
                prop_assert_eq!(letter, expected, "{:?} slice {}", within, number);
            }
        }
    }

    #[test]
    fn ages_are_judged_as_by_hand(world in world(), most in 0_i64..300) {
        let batch = batched(&world);
        let groups = Groups::of(gauges(&batch, Aggregate::Max), None);
        let judge = (most as f64, BadWhen::ANY);
        let slices = age::older(&groups, TimeUnit::Seconds, judge, Span::from_secs(SLICE), range(), &mut Noted::default());
        let by_hand = judged(|end| {
            let ages = world.iter().filter_map(|(_, told)| Some(end as f64 - last(told, end)?));
            ages.map(|age| age > most as f64).collect()
        }, 1);
        prop_assert_eq!(letters(&slices), by_hand);
    }

    #[test]
    fn rates_are_those_of_the_covered_seconds(world in world()) {
        let batch = batched(&world);
        let counters: Vec<Series> = batch.series().collect();
        let rates = rate::rates(&counters, Span::from_secs(SLICE), range(), Span::from_secs(USUAL));
        for (end, found) in rates {
            let end = end.as_millis() / 1_000;
            let mut known: BTreeSet<i64> = BTreeSet::new();
            let mut parts = Vec::new();
            for (_, told) in &world {
                let (mut events, mut covered) = (0, 0);
                let counts: Told = told.iter().copied().filter(|(_, value)| *value >= 0).collect();
                for pair in counts.windows(2) {
                    let ((before, base), (now, value)) = (pair[0], pair[1]);
                    if now <= end - SLICE || now > end || now - before > VALID {
                        continue;
                    }
                    events += if value >= base { value - base } else { value };
                    covered += now - before;
                    known.extend(before..now);
                }
                parts.push((events as f64, covered));
            }
            let seconds = i64::try_from(known.len()).unwrap();
            if 2 * seconds < SLICE {
                prop_assert_eq!(found, None);
                continue;
            }
            let of = |(events, covered): (f64, i64)| {
                let is_whole = covered + USUAL >= seconds;
                let of_time = if is_whole { 1.0 } else { covered as f64 / seconds as f64 };
                events / covered as f64 * of_time
            };
            let rate: f64 = parts.into_iter().filter(|(_, covered)| *covered > 0).map(of).sum();
            prop_assert!((found.unwrap() - rate).abs() < 1e-9, "{:?} and {}", found, rate);
        }
    }
}
