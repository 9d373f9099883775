//! Every way to count events, against an oracle that goes through the scrape log sample by sample.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Override, Probe, Signal, Split, Threshold};
use crate::domain::measurement::Measurement;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::slices::{BadWhen, Judge, MissingData, Sliced, TimeUnit};
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

/// Buckets of two routes, of which one may take longer.
fn histogram() -> Histogram {
    Histogram {
        kind: HistogramKind::Classic,
        series: Selector::new("seconds_bucket", vec![]),
        unit: TimeUnit::Seconds,
        at_most: "0.3".parse().unwrap(),
        overrides: vec![Override {
            conditions: vec![Matcher::equal("route", "/export")],
            at_most: "10".parse().unwrap(),
        }],
    }
}

fn buckets() -> impl Strategy<Value = Log> {
    const LE: [&str; 3] = ["0.3", "10", "+Inf"];
    let steps = vec(vec(0..9_u32, LE.len()), 100);
    vec(steps, 2).prop_map(|routes| {
        let mut log = Log::new();
        for (route, steps) in ["route=/pay", "route=/export"].into_iter().zip(routes) {
            for (index, le) in LE.into_iter().enumerate() {
                let mut value = 0;
                let values = steps.iter().map(|step| {
                    value += step[..=index].iter().sum::<u32>();
                    Some(value)
                });
                let labels: &'static str = format!("{route},le={le}").leak();
                log.push(("seconds_bucket", labels, values.collect()));
            }
        }
        log
    })
}

/// Two objectives by counters of all and of the good ones.
fn parts(histogram: &Histogram) -> Vec<Events> {
    let part = |threshold: Threshold| {
        let of = |le: &str| {
            let buckets = threshold.selectors.iter();
            buckets
                .map(|it| it.refined([Matcher::equal("le", le)]))
                .collect()
        };
        Events::OfTotal {
            total: of("+Inf"),
            split: Split::Good(of(&threshold.at_most.to_string())),
        }
    };
    histogram.thresholds().into_iter().map(part).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn thresholds_of_their_own_are_objectives_of_their_own_added_up(log in buckets()) {
        let run = through(&log, Indicator::Latency(Events::Histogram(histogram())));
        let mut added = Slots::new();
        for events in parts(&histogram()) {
            for (end, (bad, total)) in expected(&log, &events) {
                let slot = added.entry(end).or_default();
                *slot = (slot.0 + bad, slot.1 + total);
            }
        }
        prop_assert_eq!(measured(&run), added);
    }
}

#[test]
fn each_threshold_must_be_a_boundary() {
    let world = || {
        let counter = |pace: i64| move |second: i64| Some((second * pace) as f64);
        World::new(15)
            .with("seconds_bucket", "route=/pay,le=0.3", counter(99))
            .with("seconds_bucket", "route=/pay,le=+Inf", counter(100))
            .with("seconds_bucket", "route=/export,le=9", counter(9))
            .with("seconds_bucket", "route=/export,le=+Inf", counter(10))
    };
    let mut run = Run::new(catalog(Indicator::Latency(Events::Histogram(histogram()))));
    run.ticks(&world(), 0, 570, healthy);
    let questions = run.state.questions();
    assert_eq!(
        questions[0].fetch.text(),
        r#"count by (le) (seconds_bucket{route="/export"})"#
    );
    run.state.answer(0, vec!["+Inf".into(), "9".into()]);
    let status = run.ticks(&world(), 570, 600, healthy);
    assert_eq!(status.window.counts.total, 0.0);
    insta::assert_snapshot!(status.measurement.reason.as_deref().unwrap(), @r#"`seconds_bucket{route="/export"}` has no bucket that ends at 10s; set `atMost` to 9s"#);
    let world = world().with("seconds_bucket", "route=/export,le=10", |second| {
        Some((second * 10) as f64)
    });
    let status = run.ticks(&world, 600, 900, healthy);
    assert_eq!(status.measurement.outcome, Outcome::Measured);
}

#[test]
fn who_looks_for_classic_buckets_is_told_of_native_ones() {
    let mut run = Run::new(catalog(Indicator::Latency(Events::Histogram(histogram()))));
    run.ticks(&World::new(15), 0, 60, healthy);
    let questions = run.state.questions();
    insta::assert_snapshot!(questions[0].fetch.text(), @r#"label_replace(count(histogram_count(seconds)), "le", "native", "", "")"#);
    run.state.answer(0, vec!["native".into()]);
    let status = run.ticks(&World::new(15), 60, 90, healthy);
    insta::assert_snapshot!(status.measurement.reason.as_deref().unwrap(), @"`seconds` has native histograms and no classic buckets; write `native: true` beside `histogram`");
    run.state.answer(0, Vec::new());
    let status = run.ticks(&World::new(15), 90, 120, healthy);
    insta::assert_snapshot!(status.measurement.reason.as_deref().unwrap(), @"no series of `seconds_bucket` match what shop/it selects; check its selectors");
}

/// A server joins buckets, and from then on a threshold within one reads 1,000 events higher.
#[test]
fn joined_buckets_of_native_histograms_are_no_events() {
    let joined = 1_515;
    let up_to = move |second: i64, read_to: i64| {
        let jump = if read_to >= joined { 1_000 } else { 0 };
        Some((second * 9 + jump) as f64)
    };
    let world = World::new(15)
        .with("seconds", "le=+Inf", |second| Some((second * 10) as f64))
        .with_read("seconds", "le=0.3", up_to);
    let native = Histogram {
        kind: HistogramKind::Native,
        series: Selector::new("seconds", vec![]),
        overrides: Vec::new(),
        ..histogram()
    };
    let mut run = Run::new(catalog(Indicator::Latency(Events::Histogram(native))));
    let text = run.state.fetch(run.state.wanted(at(30))[0]).1.text();
    assert_eq!(text, "seconds # le 0.3");
    run.ticks(&world, 0, 1_800, healthy);
    run.restart();
    run.ticks(&world, 1_800, 2_400, healthy);
    for (end, (bad, total)) in measured(&run) {
        assert_eq!((bad, total), (30.0, 300.0), "{end}");
    }
}

fn timeslices(events: Events, good: (i128, i128)) -> Indicator {
    Indicator::Slices(Sliced {
        judge: Judge::Events {
            events,
            signal: Signal::Errors,
            good: Fraction::new(good.0, good.1),
        },
        slice: Span::from_mins(1),
        missing: MissingData::Hold,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// The slots of the oracle, a slice after the other. Not the first: its first sample has nothing
    /// before it.
    #[test]
    fn slices_of_events_are_judged_by_the_oracles_slots(log in log()) {
        for events in forms() {
            let run = through(&log, timeslices(events.clone(), (4, 5)));
            let mut slices = Slots::new();
            for (end, (bad, total)) in expected(&log, &events) {
                let slice = slices.entry(end.ceil_to(Span::from_mins(1))).or_default();
                *slice = (slice.0 + bad, slice.1 + total);
            }
            let measured = measured(&run);
            for (end, (bad, total)) in &slices {
                let Some(found) = measured.get(end).filter(|_| *total > 0.0) else { continue };
                let is_bad = f64::from(u8::from(5.0 * bad > *total));
                prop_assert_eq!(*found, (is_bad, 1.0), "{} {:?}", end, events);
            }
            let known = slices.keys().filter(|end| measured.contains_key(end)).count();
            prop_assert!(known * 10 >= slices.len() * 8, "{known} of {}", slices.len());
        }
    }

    #[test]
    fn samples_of_probes_are_counted_by_their_times(
        values in vec(vec(prop::option::weighted(0.9, 0..2_u32), 100), 3),
    ) {
        let labels = ["prober=a", "prober=b", "prober=c"];
        let log: Log = labels.into_iter().zip(values).map(|(labels, values)| ("up", labels, values)).collect();
        let probe = |quorum| Indicator::Errors(Events::Probe(Probe {
            series: Selector::new("up", vec![]),
            quorum,
        }));
        let mut events = Slots::new();
        for (_, _, values) in &log {
            for (scrape, value) in values.iter().enumerate() {
                let Some(value) = *value else { continue };
                let at = at(i64::try_from(scrape * SCRAPE).unwrap());
                let slot = events.entry(at.ceil_to(TICK)).or_default();
                *slot = (slot.0 + f64::from(1 - value), slot.1 + 1.0);
            }
        }
        let counted = measured(&through(&log, probe(None)));
        let first = *counted.keys().next().unwrap();
        let last = *counted.keys().last().unwrap();
        events.retain(|end, _| (first..=last).contains(end));
        prop_assert_eq!(counted, events);

        // Who misses scrapes is asked about elsewhere: here all vote all the time.
        let steady: Log = log
            .into_iter()
            .map(|(metric, labels, values)| {
                let values = values.into_iter().map(|value| Some(value.unwrap_or(1)));
                (metric, labels, values.collect())
            })
            .collect();
        let voted = measured(&through(&steady, probe(Some(BadWhen::Count(2)))));
        for (end, (bad, total)) in voted {
            let index = usize::try_from(end.as_millis() / 1_000).unwrap() / SCRAPE;
            // The log ends a scrape before the last tick; its last values are valid then.
            let is_down = |values: &[Option<u32>]| values.get(index).or(values.last()) == Some(&Some(0));
            let down = steady.iter().filter(|(_, _, values)| is_down(values)).count();
            prop_assert_eq!((bad, total), (f64::from(u8::from(down >= 2)), 1.0), "{}", end);
        }
    }
}

/// A probe every minute fills every other slot; the time between is measured as well.
#[test]
fn probes_that_are_rarer_than_slots_cover_all_of_their_time() {
    let world = || {
        World::new(60).with("probe_success", "prober=a", |second| {
            Some(f64::from(u8::from(second % 600 != 0)))
        })
    };
    let probe = Events::Probe(Probe {
        series: Selector::new("probe_success", vec![]),
        quorum: None,
    });
    let mut run = Run::new(catalog(Indicator::Errors(probe)));
    for end in (30..=7_200).step_by(30) {
        let status = run.ticks(&world(), end - 30, end, healthy);
        let outcome = status.measurement.outcome;
        let is_good = outcome == Outcome::Measured || outcome == Outcome::NoTraffic;
        assert!(end < 900 || is_good, "{end} {outcome:?}");
    }
    let hour = TimeRange {
        from: at(3_600),
        to: at(7_200),
    };
    let sum = run.state.meters[0].ledger.sum(hour);
    assert_eq!((sum.counts.bad, sum.counts.total), (6.0, 60.0));
    assert!(sum.covered > 0.97, "{}", sum.covered);
}

#[test]
fn slices_of_a_histogram_without_the_bucket_say_so() {
    let world = || {
        let counter = |pace: i64| move |second: i64| Some((second * pace) as f64);
        World::new(15)
            .with("seconds_bucket", "route=/pay,le=0.25", counter(99))
            .with("seconds_bucket", "route=/pay,le=+Inf", counter(100))
    };
    let mut run = Run::new(catalog(timeslices(Events::Histogram(histogram()), (4, 5))));
    run.ticks(&world(), 0, 570, healthy);
    assert_eq!(run.state.questions().len(), 1);
    let status = run.ticks(&world(), 570, 600, healthy);
    assert_eq!(status.window.counts.total, 0.0);
    insta::assert_snapshot!(status.measurement.reason.as_deref().unwrap(), @r#"`seconds_bucket{route!="/export"}` has no bucket that ends at 300ms; set `atMost` to one of its boundaries"#);
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
