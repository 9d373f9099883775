//! Slices of time: what they are judged by, what is missing, and what a start without a past knows.
#![expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "small whole numbers are exact"
)]

use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Aggregate, Indicator};
use crate::domain::measurement::Outcome;
use crate::domain::policy::Severity;
use crate::domain::quantity::{Bound, Quantity, TimeUnit, Unit};
use crate::domain::slices::{BadWhen, Gauge, Judge, MissingData, Sliced, WithinSlice};
use crate::domain::slo::{Slo, SloId, SourceName};
use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::engine::intake::Reading;
use std::sync::Arc;

use super::{Run, TICK, World, alone, at, catalog, fresh, healthy, selector};

fn sliced(judge: Judge, missing: MissingData) -> Indicator {
    Indicator::Slices(Sliced {
        judge,
        slice: Span::from_mins(1),
        missing,
    })
}

/// Slices of which the empty ones are unknown.
fn held(judge: Judge) -> Indicator {
    sliced(judge, MissingData::Hold)
}

/// Something is done every five minutes; nothing tells of it from 3,600 s to 6,000 s.
fn batches() -> World {
    World::new(15).with("done", "job=etl", |second| {
        let is_told = !(3_600..6_000).contains(&second);
        is_told.then_some((second - second.rem_euclid(300)) as f64)
    })
}

fn counted(run: &mut Run, world: &World, to: i64) -> (f64, f64, Outcome) {
    let status = run.ticks(world, 0, to, healthy);
    let counts = status.window.counts;
    (counts.bad, counts.total, status.measurement.outcome)
}

#[test]
fn what_is_missing_counts_as_it_is_said() {
    // The slices that end from 3,660 s to 5,940 s are empty: 39. The first ones were read at the start.
    for (missing, bad, total) in [
        (MissingData::Hold, 0.0, 121.0),
        (MissingData::Good, 0.0, 160.0),
        (MissingData::Bad, 39.0, 160.0),
    ] {
        let mut run = Run::new(catalog(sliced(fresh(), missing)));
        let counted = counted(&mut run, &batches(), 9_000);
        assert_eq!(counted, (bad, total, Outcome::Measured), "{missing:?}");
    }
}

#[test]
fn a_series_that_is_gone_alerts_where_missing_is_bad_and_a_source_that_fails_does_not() {
    let indicator = || sliced(fresh(), MissingData::Bad);
    let mut run = Run::new(catalog(indicator()));
    let status = run.ticks(&batches(), 0, 5_400, healthy);
    let seen = (status.measurement.outcome, status.alert);
    assert_eq!(seen, (Outcome::Measured, Some(Severity::Page)));
    run.ticks(&batches(), 5_400, 9_000, healthy);
    insta::assert_snapshot!(run.told.join("\n"), @"
    3660 opened ticket team
    3720 rose page team
    6060 recovered page team
    ");

    let failing = |second: i64| {
        let fails = (3_600..6_000).contains(&second);
        fails.then(|| Reading::Failed("cannot reach it".into()))
    };
    let there = World::new(15).with("done", "job=etl", |second| {
        Some((second - second.rem_euclid(300)) as f64)
    });
    let mut run = Run::new(catalog(indicator()));
    let status = run.ticks(&there, 0, 9_000, failing);
    assert_eq!(status.window.counts.bad, 0.0);
    assert_eq!(status.window.counts.total, 160.0);

    let (mut whole, mut torn) = (
        Run::new(catalog(indicator())),
        Run::new(catalog(indicator())),
    );
    whole.ticks(&batches(), 0, 9_000, healthy);
    torn.ticks(&batches(), 0, 4_230, healthy);
    torn.restart();
    torn.ticks(&batches(), 4_230, 9_000, healthy);
    assert_eq!(torn.kept.chunks, whole.kept.chunks);
}

#[test]
fn a_source_without_a_past_is_not_asked_for_it() {
    let mut run = Run::new(catalog(sliced(fresh(), MissingData::Bad)));
    let name = SourceName::new("default");
    let without = |run: &mut Run| {
        let source = run.state.settings.sources.get_mut(&name);
        source.unwrap().backfill_percent = 0;
    };
    without(&mut run);
    // What is scraped by the daemon itself is lost with it.
    let after = |start: i64| {
        World::new(15).with("done", "job=etl", move |second| {
            (second > start).then_some(second as f64)
        })
    };
    run.ticks(&after(0), 0, 3_600, healthy);
    run.restart();
    without(&mut run);
    let status = run.ticks(&after(3_900), 3_900, 7_200, healthy);
    assert_eq!(status.window.counts.bad, 0.0);
    assert!(status.window.counts.total > 105.0);
}

/// Series that are there but cannot be judged are not looked for in selectors.
#[test]
fn what_is_there_and_cannot_be_judged_is_not_said_to_be_missing() {
    let rate = || Judge::Rate {
        total: selector("requests_total"),
        bound: Bound::AtLeast(Quantity {
            value: Fraction::new(50, 1),
            unit: Unit::PerSecond,
        }),
    };
    let gauge = |metric: &str, aggregate| Gauge {
        series: selector(metric),
        aggregate,
    };
    let share = || Judge::Share {
        used: gauge("used", Aggregate::Max),
        limit: gauge("limit", Aggregate::Min),
        by: vec!["pod".into()],
        at_most: Fraction::new(9, 10),
        bad_when: BadWhen::ANY,
    };
    let since = |start: i64| move |second: i64| (second >= start).then_some(second as f64);
    let world = || World::new(15);
    let begun = || world().with("requests_total", "code=200", since(3_585));
    let used = || world().with("used", "pod=a", since(0));
    let told = [
        ("nothing", rate(), world()),
        ("a counter that has just begun", rate(), begun()),
        ("no limit", share(), used()),
        (
            "the limit of another",
            share(),
            used().with("limit", "pod=b", since(0)),
        ),
    ]
    .map(|(what, judge, world)| {
        let mut run = Run::new(catalog(held(judge)));
        let status = run.ticks(&world, 3_480, 3_600, healthy);
        let reason = status.measurement.reason.clone();
        format!("{what}: {}", reason.unwrap_or_default())
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    nothing: no series of `requests_total` match what shop/it selects; check its selectors
    a counter that has just begun: `requests_total` has 1 series, and no slice of 1m is known yet: less than half of each lies between samples
    no limit: no series of `limit` match what shop/it selects; check its selectors
    the limit of another: `used` has 1 series, and no slice of 1m is known yet: no group has valid samples of what is used and of its limit
    ");
}

/// Who watches from the start and who begins in the midst of it know the same, whenever its past is read.
#[test]
fn nothing_is_missing_before_the_first_samples() {
    const BEGIN: i64 = 3_600;
    let slots = |run: &Run| -> Vec<(Timestamp, Slot)> {
        let range = TimeRange {
            from: at(-1_200),
            to: at(7_200),
        };
        run.state.meters[0].ledger.slots(range).collect()
    };
    // It was never there before, or was until half an hour before the late one begins.
    for (ends, last) in [(i64::MIN, BEGIN + 900), (1_800, BEGIN)] {
        for begins in (BEGIN - 600..last).step_by(75) {
            let world = World::new(15).with("done", "job=etl", move |second| {
                let is_told = second < ends || second >= begins;
                is_told.then_some(second as f64)
            });
            let mut first = Run::new(catalog(sliced(fresh(), MissingData::Bad)));
            first.ticks(&world, -1_800, 7_200, healthy);
            let seen = first.status("shop/it").window.counts;
            let missing = if ends == i64::MIN {
                0
            } else {
                (begins - ends) / 60
            };
            let apart = seen.bad - missing as f64;
            assert!((-2.0..=0.0).contains(&apart), "{seen:?} of {ends} {begins}");
            for (dug, restarts) in [(30, false), (420, false), (900, false), (420, true)] {
                let mut late = Run::new(first.catalog.clone());
                for family in &mut late.state.families {
                    // Where no two samples are read, it is not known how long the last one is valid.
                    family.interval = Span::from_secs(15);
                }
                late.ticks(&world, BEGIN - 30, BEGIN + dug, healthy);
                while late.dig(&world, Span::from_mins(40)) {}
                if restarts {
                    late.restart();
                }
                late.ticks(&world, BEGIN + dug, 7_200, healthy);
                assert_eq!(
                    slots(&late),
                    slots(&first),
                    "{ends} {begins} {dug} {restarts}"
                );
                if missing == 0 {
                    assert!(
                        !late.told.iter().any(|told| told.contains("page")),
                        "{:?}",
                        late.told
                    );
                }
            }
        }
    }
}

#[test]
fn who_looks_once_knows_what_is_missing_now() {
    let world = World::new(15).with("done", "job=etl", |second| {
        (second < 1_800).then_some(second as f64)
    });
    let mut watcher = Run::new(catalog(sliced(fresh(), MissingData::Bad)));
    let seen = counted(&mut watcher, &world, 3_600);
    let mut once = Run::new(watcher.catalog.clone());
    once.ticks(&world, 3_570, 3_600, healthy);
    while once.dig(&world, Span::from_hours(6)) {}
    let status = once.ticks(&world, 3_570, 3_600, healthy);
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    assert_eq!(status.window.counts.bad, seen.0);
    assert!(seen.0 > 28.0, "{seen:?}");
}

#[test]
fn a_drop_is_measured_against_what_is_read_of_the_past() {
    let hours = [1, 2, 3].map(Span::from_hours);
    let drop = Judge::Drop {
        total: selector("requests_total"),
        at_most: Fraction::new(4, 10),
        compared_to: hours.to_vec(),
    };
    // A hundred a second since 0; thirty in the five minutes after 7,200 s.
    let world = World::new(15).with("requests_total", "code=200", |second| {
        let low = second.clamp(7_200, 7_500) - 7_200;
        (second >= 0).then_some((100 * second - 70 * low) as f64)
    });
    let mut run = Run::new(catalog(held(drop)));
    let status = run.ticks(&world, 0, 1_800, healthy);
    assert_eq!(status.measurement.outcome, Outcome::NoData);
    insta::assert_snapshot!(status.measurement.reason.clone().unwrap_or_default(), @"nothing is known of `requests_total` 1h, 2h, 3h ago to compare it with; slices count once the source holds samples of one of these times");
    // An hour later there is a first hour to compare with; a low one does not move the median.
    let status = run.ticks(&world, 1_800, 18_000, healthy);
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    let counts = status.window.counts;
    assert_eq!((counts.bad, counts.total), (5.0, 240.0));
}

#[test]
fn gauges_and_quantiles_are_judged_as_they_were_at_the_slices_end() {
    let at_most = |value| {
        Bound::AtMost(Quantity {
            value: Fraction::new(value, 1),
            unit: Unit::Plain,
        })
    };
    let level = |within, bad_when| Judge::Level {
        level: alone("lag"),
        bound: at_most(80),
        within,
        bad_when,
    };
    let quantile = Judge::Quantile {
        quantile: selector("took"),
        at_most: "0.3".parse().unwrap(),
        unit: TimeUnit::Millis,
        bad_when: BadWhen::ANY,
    };
    // One partition peaks in the midst of each minute from 3,000 s to 3,600 s, both are high up to 4,200 s.
    let lag = |first: bool| {
        move |second: i64| {
            let peak = first && (3_000..3_600).contains(&second) && second % 60 == 30;
            let high = (3_600..4_200).contains(&second);
            Some(if peak || high { 100.0 } else { 10.0 })
        }
    };
    let world = World::new(15)
        .with("lag", "partition=0", lag(true))
        .with("lag", "partition=1", lag(false))
        .with("took", "quantile=0.99", |second| {
            Some(if (6_000..6_300).contains(&second) {
                301.0
            } else {
                300.0
            })
        });
    for (judge, bad) in [
        (level(WithinSlice::Last, BadWhen::ANY), 10.0),
        (level(WithinSlice::Max, BadWhen::ANY), 20.0),
        (level(WithinSlice::Max, BadWhen::Count(2)), 11.0),
        (quantile, 5.0),
    ] {
        let mut run = Run::new(catalog(held(judge)));
        let status = run.ticks(&world, 0, 9_000, healthy);
        assert_eq!(status.window.counts.bad, bad);
        assert_eq!(status.window.counts.total, 160.0);
    }
}

#[test]
fn slices_of_traffic_and_saturation_spend_budgets_too() {
    let traffic = held(Judge::Rate {
        total: selector("requests_total"),
        bound: Bound::AtLeast(Quantity {
            value: Fraction::new(50, 1),
            unit: Unit::PerSecond,
        }),
    });
    let world = World::new(15).with("requests_total", "code=200", |second| {
        // Sixty a second, but ten in the ten minutes after 7,200 s.
        let slow = second.clamp(7_200, 7_800) - 7_200;
        Some((60 * (second + 3_600) - 50 * slow) as f64)
    });
    let mut run = Run::new(catalog(traffic));
    let status = run.ticks(&world, 0, 9_000, healthy);
    assert_eq!(
        (status.window.counts.bad, status.window.counts.total),
        (10.0, 160.0)
    );
    let gauge = |metric: &str, aggregate| Gauge {
        series: selector(metric),
        aggregate,
    };
    let memory = held(Judge::Share {
        used: gauge("used", Aggregate::Max),
        limit: gauge("limit", Aggregate::Min),
        by: vec!["pod".into()],
        at_most: Fraction::new(9, 10),
        bad_when: BadWhen::ANY,
    });
    let world = World::new(15)
        .with("used", "pod=a", |second| {
            Some(if (7_200..7_500).contains(&second) {
                95.0
            } else {
                10.0
            })
        })
        .with("used", "pod=b", |_| Some(1.0))
        .with("limit", "pod=a", |_| Some(100.0))
        .with("limit", "pod=b", |_| Some(100.0));
    let mut run = Run::new(catalog(memory));
    let status = run.ticks(&world, 0, 9_000, healthy);
    assert_eq!(
        (status.window.counts.bad, status.window.counts.total),
        (5.0, 160.0)
    );
    let told = "7200 opened ticket team · 7260 rose page team · 7560 recovered page team";
    assert_eq!(run.told.join(" · "), told);
    let mut again = Run::new(run.catalog.clone());
    again.ticks(&world, 0, 7_290, healthy);
    again.restart();
    again.ticks(&world, 7_290, 9_000, healthy);
    assert_eq!(again.kept.chunks, run.kept.chunks);
    assert_eq!(again.told, run.told);
}

/// The text of a query may be no more than the name of a metric.
#[test]
fn a_query_that_is_a_metrics_name_and_the_samples_of_that_metric_are_two_things() {
    let at_most = Bound::AtMost(Quantity {
        value: Fraction::new(80, 1),
        unit: Unit::Plain,
    });
    let by_query = Judge::Value {
        query: "lag".into(),
        window: Span::from_mins(5),
        bound: at_most,
        bad_when: BadWhen::ANY,
    };
    let by_samples = Judge::Level {
        level: alone("lag"),
        bound: at_most,
        within: WithinSlice::Max,
        bad_when: BadWhen::ANY,
    };
    let of = |judge| {
        Indicator::Slices(Sliced {
            judge,
            slice: TICK,
            missing: MissingData::Hold,
        })
    };
    // It is high at every scrape between two slots, for ten minutes, and at the end of one slot.
    let world = World::new(15).with("lag", "", |second| {
        let between = (3_000..3_600).contains(&second) && second % 30 == 15;
        let is_high = between || second == 4_200;
        Some(if is_high { 100.0 } else { 10.0 })
    });
    for query in ["a/query", "z/query"] {
        let mut both = catalog(of(by_samples.clone()));
        let mut other = Slo::clone(&both.slos[&SloId::new("shop/it")]);
        other.uid = SloId::new(query);
        (other.id, other.counted_as) = (other.uid.clone(), other.uid.clone());
        other.indicator = of(by_query.clone());
        both.slos.insert(other.uid.clone(), Arc::new(other));
        let mut run = Run::new(both);
        run.ticks(&world, 0, 6_000, healthy);
        for (slo, bad) in [("shop/it", 21.0), (query, 1.0)] {
            let status = run.status(slo);
            let told = (status.measurement.outcome, status.window.counts.bad);
            assert_eq!(told, (Outcome::Measured, bad), "{slo} beside {query}");
        }
    }
}
