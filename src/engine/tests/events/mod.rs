//! Every way to count events, against an oracle that goes through the scrape log sample by sample.

mod histograms;
mod probes;
mod slices;

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Override, Probe, Signal, Split, Threshold};
use crate::domain::measurement::Measurement;
use crate::domain::quantity::TimeUnit;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::slices::{BadWhen, Judge, MissingData, Sliced};
use crate::domain::slot::Counts;
use crate::domain::time::{TimeRange, Timestamp};

/// What was scraped every 15 seconds, series by series; `None` where a scrape failed.
type Log = Vec<(&'static str, &'static str, Vec<Option<u32>>)>;

const SCRAPE: usize = 15;

fn world(log: &Log) -> World {
    let mut world = World::new(15);
    for (metric, labels, values) in log.clone() {
        world = world.with(metric, labels, move |second| {
            let scrape = usize::try_from(second).ok()? / SCRAPE;
            values.get(scrape).copied().flatten().map(f64::from)
        });
    }
    world
}

/// Whether a selector selects these labels, by plain comparisons.
fn selects(selector: &Selector, labels: &Labels) -> bool {
    selector.matchers.iter().all(|matcher| {
        let value = labels.get(&matcher.label);
        let fits = || {
            let anchored = format!("^(?:{})$", matcher.value);
            regex::Regex::new(&anchored).unwrap().is_match(value)
        };
        match matcher.op {
            MatchOp::Equal => value == matcher.value,
            MatchOp::NotEqual => value != matcher.value,
            MatchOp::Matches => fits(),
            MatchOp::NotMatches => !fits(),
        }
    })
}

/// The events that a selector sees in each slot, by the time of the sample that shows them.
fn counted(log: &Log, selector: &Selector) -> BTreeMap<Timestamp, f64> {
    let mut slots = BTreeMap::new();
    for (metric, labels, values) in log {
        let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
        let labels: Labels = pairs.chain([("job", "a"), ("instance", "i")]).collect();
        if *metric != selector.metric || !selects(selector, &labels) {
            continue;
        }
        let mut last = None;
        for (scrape, value) in values.iter().enumerate() {
            let Some(value) = *value else { continue };
            if let Some(last) = last.replace(value) {
                let more = if value < last { value } else { value - last };
                let end = at(i64::try_from(scrape * SCRAPE).unwrap()).ceil_to(TICK);
                *slots.entry(end).or_default() += f64::from(more);
            }
        }
    }
    slots
}

/// Bad and all events in each slot where there were any.
type Slots = BTreeMap<Timestamp, (f64, f64)>;

/// The oracle: each selector's events by themselves, added up as the definition says.
fn expected(log: &Log, events: &Events) -> Slots {
    let sum = |selectors: &[Selector]| {
        let mut slots: BTreeMap<Timestamp, f64> = BTreeMap::new();
        for (end, events) in selectors.iter().flat_map(|it| counted(log, it)) {
            *slots.entry(end).or_default() += events;
        }
        slots
    };
    let (bad, good, total) = match events {
        Events::OfTotal { total, split } => match split {
            Split::Bad(bad) => (sum(bad), None, sum(total)),
            Split::Good(good) => (sum(total), Some(sum(good)), sum(total)),
        },
        Events::GoodAndBad { good, bad } => (sum(bad), None, sum(&[&good[..], bad].concat())),
        Events::Histogram(_) | Events::Probe(_) => panic!("counted in another way"),
    };
    let of = |slots: &BTreeMap<Timestamp, f64>, end: &Timestamp| {
        slots.get(end).copied().unwrap_or_default()
    };
    let slot = |end: &Timestamp| {
        let bad = of(&bad, end) - good.as_ref().map_or(0.0, |good| of(good, end));
        (*end, (bad, of(&total, end)))
    };
    let slots = total.keys().chain(bad.keys()).map(slot);
    slots.filter(|(_, counts)| *counts != (0.0, 0.0)).collect()
}

fn measured(run: &Run) -> Slots {
    let everything = TimeRange {
        from: at(0),
        to: at(100_000),
    };
    let slots = run.state.meters[0].ledger.slots(everything);
    let counts = slots.map(|(end, slot)| {
        let Counts { bad, total } = slot.counts;
        (end, (bad, total))
    });
    counts.filter(|(_, counts)| *counts != (0.0, 0.0)).collect()
}

/// Ticks through the whole log, with a restart in the middle.
fn through(log: &Log, indicator: Indicator) -> Run {
    let world = world(log);
    let scrapes = log.iter().map(|(_, _, values)| values.len()).max();
    let end = i64::try_from(scrapes.unwrap_or_default() * SCRAPE / 30 * 30).unwrap();
    let middle = end / 60 * 30;
    let mut run = Run::new(catalog(indicator));
    run.ticks(&world, 0, middle, healthy);
    run.restart();
    run.ticks(&world, middle, end, healthy);
    run
}

fn labelled(metric: &str, label: &str, value: &str) -> Selector {
    Selector::new(metric, vec![Matcher::equal(label, value)])
}

/// Metrics of an HTTP and a gRPC server, with labels of their own.
fn log() -> impl Strategy<Value = Log> {
    const SERIES: [(&str, &str); 5] = [
        ("http_total", "code=200"),
        ("http_total", "code=500"),
        ("grpc_total", "status=OK"),
        ("grpc_total", "status=Internal"),
        ("queue_total", "result=lost"),
    ];
    // A scrape that fails fails for all; counters begin anew now and then.
    let scrapes = 90..120_usize;
    scrapes.prop_flat_map(|scrapes| {
        let fails = vec(prop::bool::weighted(0.03), scrapes);
        let steps = vec(
            vec((0..9_u32, prop::bool::weighted(0.02)), scrapes),
            SERIES.len(),
        );
        (fails, steps).prop_map(|(mut fails, steps)| {
            // Two in a row would be a gap, whose events are spread.
            for index in 1..fails.len() {
                fails[index] &= !fails[index - 1];
            }
            let series = SERIES.into_iter().zip(steps);
            let values = series.map(|((metric, labels), steps)| {
                let mut value = 100;
                let values = steps.into_iter().zip(&fails).map(|((step, anew), fails)| {
                    value = if anew { step } else { value + step };
                    (!fails).then_some(value)
                });
                (metric, labels, values.collect())
            });
            values.collect()
        })
    })
}

fn forms() -> Vec<Events> {
    let all = |metric| Selector::new(metric, vec![]);
    let bad = vec![
        labelled("http_total", "code", "500"),
        labelled("grpc_total", "status", "Internal"),
        all("queue_total"),
    ];
    let good = vec![
        labelled("http_total", "code", "200"),
        labelled("grpc_total", "status", "OK"),
    ];
    let total = vec![all("http_total"), all("grpc_total")];
    vec![
        Events::OfTotal {
            total: total.clone(),
            split: Split::Bad(bad.clone()),
        },
        Events::OfTotal {
            total,
            split: Split::Good(good.clone()),
        },
        Events::GoodAndBad {
            good: good.clone(),
            bad,
        },
        Events::GoodAndBad {
            good: vec![good[0].clone()],
            bad: vec![labelled("http_total", "code", "500")],
        },
        Events::GoodAndBad {
            good,
            bad: vec![labelled("never_total", "code", "500")],
        },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn lists_of_counters_are_counted_as_the_log_says(log in log()) {
        for events in forms() {
            let run = through(&log, Indicator::Errors(events.clone()));
            prop_assert_eq!(measured(&run), expected(&log, &events), "{:?}", events);
        }
    }
}

/// A metric that never counted anything, and one that vanished, beside one that goes on.
#[test]
fn of_several_metrics_any_is_enough_to_be_measured() {
    let steady = |value: u32| {
        (0..240)
            .map(|scrape| Some(scrape * value))
            .collect::<Vec<_>>()
    };
    let vanished = steady(2).into_iter().enumerate();
    let vanished = vanished
        .map(|(scrape, value)| value.filter(|_| scrape < 120))
        .collect();
    let log: Log = vec![
        ("http_total", "code=200", steady(10)),
        ("grpc_total", "status=OK", vanished),
    ];
    let all = |metric: &&str| Selector::new(*metric, vec![]);
    let errors = |total: &[&str]| {
        Indicator::Errors(Events::OfTotal {
            total: total.iter().map(all).collect(),
            split: Split::Bad(vec![all(&"failures_total")]),
        })
    };
    let told = |total: &[&str]| {
        let run = through(&log, errors(total));
        let status = &run.last.as_ref().unwrap().slos[0];
        let Measurement {
            outcome, reason, ..
        } = status.measurement.clone();
        let covered = status.window.coverage;
        let told = format!(
            "{} {covered:.2} {}",
            outcome.name(),
            reason.unwrap_or_default()
        );
        told.trim_end().to_owned()
    };
    let cases: Vec<String> = [
        &["http_total"][..],
        &["never_total", "http_total"],
        &["grpc_total", "http_total"],
        &["grpc_total", "never_total"],
        &["never_total", "neither_total"],
    ]
    .map(told)
    .into();
    insta::assert_snapshot!(cases.join("\n"), @"
    measured 0.04
    measured 0.04
    measured 0.04
    noData 0.02 `grpc_total` has had no sample since 1970-01-01T00:29:45Z
    noData 0.00 no series of `neither_total` match what shop/it selects; check its selectors
    ");
}

#[test]
fn what_only_ever_failed_is_measured() {
    let failing = (0..120).map(|scrape| Some(scrape * 3)).collect();
    let log: Log = vec![("http_total", "code=500", failing)];
    let events = Events::GoodAndBad {
        good: vec![labelled("other_total", "code", "200")],
        bad: vec![labelled("http_total", "code", "500")],
    };
    let run = through(&log, Indicator::Errors(events));
    let status = &run.last.as_ref().unwrap().slos[0];
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    assert_eq!(status.window.counts.error_ratio(), Some(1.0));
}
#[test]
fn a_query_without_a_value_is_named_as_it_is_sent() {
    let query = Indicator::Query {
        total: "sum(increase(jobs_total[$window]))".to_owned(),
        split: Split::Bad("sum(increase(failed_total[$window]))".to_owned()),
        window: Span::from_mins(5),
    };
    let mut run = Run::new(catalog(query));
    let status = run.ticks(&World::new(15), 0, 600, healthy);
    insta::assert_snapshot!(status.measurement.reason.as_deref().unwrap(), @"the query gives no value: `sum(increase(jobs_total[5m]))`");
}
