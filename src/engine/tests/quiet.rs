//! Time in which nothing happens, and slices that are longer than what is looked at: both are measured,
//! and neither alarms anybody.

use std::sync::Arc;

use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Aggregate, Indicator, Signal, Split};
use crate::domain::measurement::Outcome;
use crate::domain::quantity::{Bound, Quantity, TimeUnit, Unit};
use crate::domain::slices::{BadWhen, Gauge, Grouped, Judge, MissingData, Sliced, WithinSlice};
use crate::domain::time::Span;
use crate::status::snapshot::WindowStatus;

use super::{Run, World, at, catalog, healthy, requests, selector};

fn sliced(judge: Judge, slice: Span) -> Indicator {
    Indicator::Slices(Sliced {
        judge,
        slice,
        missing: MissingData::Hold,
    })
}

fn at_most(value: i128) -> Bound {
    Bound::AtMost(Quantity {
        value: Fraction::new(value, 10),
        unit: Unit::Plain,
    })
}

/// The indicators that see nothing when nothing happens, by name.
fn indicators() -> Vec<(&'static str, Indicator)> {
    let window = Span::from_mins(5);
    let query = |split| Indicator::Query {
        total: "all".into(),
        split,
        window,
    };
    let Indicator::Errors(events) = requests() else {
        panic!("they count errors");
    };
    let minutely = |judge| sliced(judge, Span::from_mins(1));
    vec![
        ("query.bad", query(Split::Bad("bad".into()))),
        ("query.good", query(Split::Good("good".into()))),
        (
            "query.ratio",
            minutely(Judge::Ratio {
                query: "ratio".into(),
                window,
            }),
        ),
        (
            "query.value",
            minutely(Judge::Value {
                query: "ratio".into(),
                bound: at_most(1),
                bad_when: BadWhen::ANY,
                window,
            }),
        ),
        (
            "quantile",
            minutely(Judge::Quantile {
                quantile: selector("took"),
                at_most: "0.3".parse().unwrap(),
                unit: TimeUnit::Seconds,
                bad_when: BadWhen::ANY,
            }),
        ),
        (
            "errors by slices",
            minutely(Judge::Events {
                events,
                good: Fraction::new(9, 10),
                signal: Signal::Errors,
            }),
        ),
    ]
}

/// A hundred requests a second until `stop`, of which half fail from `burns` on.
fn office_hours(burns: i64, stop: i64) -> World {
    let all = move |second: i64| 100 * second.min(stop);
    let bad = move |second: i64| 50 * (second.min(stop) - burns).max(0);
    let over = |count: &dyn Fn(i64) -> i64, second: i64| {
        let increase = count(second) - count(second - 300);
        f64::from(i32::try_from(increase).unwrap_or_default())
    };
    let shown = |count: i64| Some(f64::from(i32::try_from(count).unwrap_or_default()));
    World::new(15)
        .with("requests_total", "code=200", move |second| {
            shown(all(second) - bad(second))
        })
        .with("requests_total", "code=500", move |second| {
            shown(bad(second))
        })
        .with("all", "", move |second| Some(over(&all, second)))
        .with("bad", "", move |second| Some(over(&bad, second)))
        .with("good", "", move |second| {
            Some(over(&all, second) - over(&bad, second))
        })
        .with("took", "", move |second| {
            let slow = if second > burns { 1.0 } else { 0.1 };
            let is_idle = over(&all, second) <= 0.0;
            Some(if is_idle { f64::NAN } else { slow })
        })
        .with("ratio", "", move |second| {
            Some(over(&bad, second) / over(&all, second))
        })
}

#[test]
fn a_quiet_night_is_measured_and_tells_nobody() {
    const NEVER: i64 = 1_000_000;
    for (name, indicator) in indicators() {
        let coverage = |stop: i64| {
            let mut run = Run::new(catalog(indicator.clone()));
            let status = run.ticks(&office_hours(NEVER, stop), 0, 9_000, healthy);
            let seen = (status.measurement.outcome, status.window.coverage);
            assert_eq!(run.told, [""; 0], "{name}");
            seen
        };
        let (busy, quiet) = (coverage(NEVER), coverage(3_600));
        assert_eq!(busy.0, Outcome::Measured, "{name}");
        assert_eq!(quiet, (Outcome::NoTraffic, busy.1), "{name}");
    }
}

#[test]
fn an_incident_ends_when_nothing_happens_any_more() {
    for (name, indicator) in indicators() {
        let mut run = Run::new(catalog(indicator));
        let status = run.ticks(&office_hours(3_000, 3_600), 0, 9_000, healthy);
        assert_eq!(status.incident, None, "{name}");
        let last = run.told.last().map(String::as_str).unwrap_or_default();
        assert!(last.ends_with("noTraffic page team"), "{name}: {last}");
        let blind = run.told.iter().any(|told| told.contains("blind"));
        assert!(!blind, "{name}: {:?}", run.told);
    }
}

/// A queue that is too long from 3,000 s to 4,500 s.
fn queue() -> World {
    World::new(15).with("lag", "", |second| {
        let is_long = (3_000..=4_500).contains(&second);
        Some(if is_long { 90.0 } else { 10.0 })
    })
}

fn level(slice: Span) -> Indicator {
    let level = Grouped {
        gauge: Gauge {
            series: selector("lag"),
            aggregate: Aggregate::Max,
        },
        by: None,
    };
    sliced(
        Judge::Level {
            level,
            bound: at_most(800),
            within: WithinSlice::Last,
            bad_when: BadWhen::ANY,
        },
        slice,
    )
}

#[test]
fn a_slice_that_goes_on_leaves_an_objective_measured_by_the_one_before() {
    let mut definitions = catalog(level(Span::from_mins(15)));
    for slo in definitions.slos.values_mut() {
        Arc::make_mut(slo).policy = None;
    }
    let mut run = Run::new(definitions);
    let mut from = 0;
    for second in (30..=9_000).step_by(30) {
        let status = run.ticks(&queue(), from, second, healthy);
        from = second;
        let known = second >= 1_800;
        let outcome = status.measurement.outcome;
        assert!(
            !known || outcome == Outcome::Measured,
            "{second}: {outcome:?}"
        );
        // The slices that end at 3,600 s and 4,500 s are bad.
        let pace = status.burn.first().and_then(|burn| burn.rate);
        let burns = (3_600..5_400).contains(&second);
        assert!(!known || (pace > Some(0.0)) == burns, "{second}: {pace:?}");
    }
    assert_eq!(run.status("shop/it").window.range.to, at(9_000));
}

#[test]
fn between_slices_an_alert_stays_as_it_is() {
    let mut run = Run::new(catalog(level(Span::from_mins(5))));
    run.ticks(&queue(), 0, 9_000, healthy);
    insta::assert_snapshot!(run.told.join("\n"), @"
    3000 opened page team
    5100 recovered page team
    ");
}

#[test]
fn what_cannot_be_true_is_neither_good_nor_bad_and_says_so() {
    let window = Span::from_mins(5);
    let query = |split| Indicator::Query {
        total: "all".into(),
        split,
        window,
    };
    let ratio = Judge::Ratio {
        query: "odd".into(),
        window,
    };
    let value = Judge::Value {
        query: "odd".into(),
        bound: at_most(1_000),
        bad_when: BadWhen::ANY,
        window,
    };
    let good_when_missing = |judge| {
        Indicator::Slices(Sliced {
            judge,
            slice: Span::from_mins(1),
            missing: MissingData::Good,
        })
    };
    let mut reasons = Vec::new();
    for (indicator, odd) in [
        (query(Split::Bad("odd".into())), 101.25),
        (query(Split::Bad("odd".into())), -1.0),
        (query(Split::Good("odd".into())), f64::NAN),
        (good_when_missing(ratio), 45.0),
        (good_when_missing(value), f64::INFINITY),
    ] {
        let mut run = Run::new(catalog(indicator));
        let known = move |second: i64| if second > 3_600 { odd } else { 0.5 };
        let world =
            World::new(15)
                .with("all", "", |_| Some(100.0))
                .with("odd", "", move |second| Some(known(second)));
        let before = run.ticks(&world, 0, 3_600, healthy).window;
        assert!(before.counts.total > 0.0);
        let status = run.ticks(&world, 3_600, 3_840, healthy);
        assert_eq!(status.measurement.outcome, Outcome::NoData);
        assert!(status.measurement.impossible);
        let now = status.window;
        let measured = |it: &WindowStatus| (it.coverage * it.range.length().as_secs_f64()).round();
        assert_eq!(now.counts, before.counts);
        assert_eq!(measured(&now), measured(&before));
        reasons.extend(status.measurement.reason.clone());
    }
    insta::assert_snapshot!(reasons.join("\n"), @"
    `bad` gave 101.25 and `total` 100 at 1970-01-01T01:04:00Z: a part lies between nothing and the whole, so neither counts; let both expressions count the same events
    `bad` gave -1 and `total` 100 at 1970-01-01T01:04:00Z: a part lies between nothing and the whole, so neither counts; let both expressions count the same events
    `good` gave NaN and `total` 100 at 1970-01-01T01:04:00Z: a part lies between nothing and the whole, so neither counts; let both expressions count the same events
    `ratio` gave 45 at 1970-01-01T01:04:00Z: a ratio lies between 0 and 1, so it does not count; correct the expression
    `value` gave inf at 1970-01-01T01:04:00Z: what is infinite says nothing, so it does not count; correct the expression
    ");
}
