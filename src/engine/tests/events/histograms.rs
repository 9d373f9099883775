//! Latency by the buckets of histograms, classic and native.

use super::*;

/// Buckets of two routes, of which one may take longer.
pub(super) fn histogram() -> Histogram {
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

fn native() -> Histogram {
    Histogram {
        kind: HistogramKind::Native,
        series: Selector::new("seconds", vec![]),
        overrides: Vec::new(),
        ..histogram()
    }
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
    let mut run = Run::new(catalog(Indicator::Latency(Events::Histogram(native()))));
    let text = run.state.fetch(run.state.wanted(at(30))[0]).1.text();
    assert_eq!(text, "seconds # le 0.3");
    run.ticks(&world, 0, 1_800, healthy);
    run.restart();
    run.ticks(&world, 1_800, 2_400, healthy);
    for (end, (bad, total)) in measured(&run) {
        assert_eq!((bad, total), (30.0, 300.0), "{end}");
    }
}

/// The same beside scrapes that are missed, from before the end of a block until behind it.
#[test]
fn buckets_that_are_joined_while_scrapes_are_missed_are_no_events() {
    for missed in [1_440..1_530, 1_170..1_530, 1_725..1_830] {
        for joined in [1_515, 1_545, 1_815, 1_845] {
            let hidden = missed.clone();
            let world = World::new(15)
                .with("seconds", "le=+Inf", {
                    let hidden = hidden.clone();
                    move |second| (!hidden.contains(&second)).then_some((second * 10) as f64)
                })
                .with_read("seconds", "le=0.3", move |second, read_to| {
                    let jump = if read_to >= joined { 1_000 } else { 0 };
                    (!hidden.contains(&second)).then_some((second * 9 + jump) as f64)
                });
            let mut run = Run::new(catalog(Indicator::Latency(Events::Histogram(native()))));
            for tick in (0..2_700).step_by(30) {
                run.ticks(&world, tick, tick + 30, healthy);
                let slots = measured(&run).into_values();
                let (bad, total) =
                    slots.fold((0.0, 0.0), |sum, (bad, total)| (sum.0 + bad, sum.1 + total));
                assert_eq!(bad * 10.0, total, "{missed:?} {joined} at {tick}");
            }
        }
    }
}

/// Where nothing comes for longer than is read again, the share of today stands in for what was: for those who were
/// there, and those who read the past.
#[test]
fn buckets_that_are_joined_while_nothing_comes_for_long_are_no_reset() {
    const SILENT: std::ops::Range<i64> = 1_800..5_400;
    for jump in [-40_000, 0, 5_000] {
        let there = |second: i64| second > 0 && !SILENT.contains(&second);
        let world = World::new(15)
            .with("seconds", "le=+Inf", move |second| {
                there(second).then_some((second * 10) as f64)
            })
            .with_read("seconds", "le=0.3", move |second, read_to| {
                let jump = if read_to >= SILENT.end { jump } else { 0 };
                there(second).then_some((second * 9 + jump) as f64)
            });
        let (older, newer) = ((SILENT.start - 15) as f64, SILENT.end as f64);
        let share = (newer * 9.0 + jump as f64) / (newer * 10.0);
        let around = |end: f64| (end - 15.0 - (newer - older)) * 10.0;
        let expected = |end: f64| {
            [
                around(end) * 0.1 + (newer - older) * 10.0 * (1.0 - share),
                (end - 15.0) * 10.0,
            ]
        };
        let compare = |run: &Run, end: i64, told: &str| {
            let slots = measured(run).into_values();
            let sum = slots.fold([0.0, 0.0], |sum, (bad, total)| {
                [sum[0] + bad, sum[1] + total]
            });
            let expected = expected(end as f64);
            let off = [sum[0] - expected[0], sum[1] - expected[1]];
            assert!(
                off.iter().all(|off| off.abs() < 1.0),
                "{jump} {told}: {sum:?} is not {expected:?}"
            );
        };
        let mut watcher = Run::new(catalog(Indicator::Latency(Events::Histogram(native()))));
        watcher.ticks(&world, 0, 7_200, healthy);
        compare(&watcher, 7_200, "who was there");
        for minutes in [10, 15, 20] {
            let mut late = Run::new(watcher.catalog.clone());
            late.ticks(&world, 6_600, 7_200, healthy);
            while late.dig(&world, Span::from_mins(minutes)) {}
            compare(
                &late,
                7_200,
                &format!("who reads {minutes} minutes at once"),
            );
        }
    }
}

/// Whenever a histogram begins, its whole and its part count from the same value on.
#[test]
fn the_first_values_of_a_histogram_count_as_a_whole() {
    for born in (3_000..3_330).step_by(15) {
        let of = move |pace: i64| {
            move |second: i64| (second >= born).then(|| ((second - born + 15) * pace) as f64)
        };
        let labels = |le: &str, instance: &str| format!("le={le},instance={instance}");
        let world = World::new(15)
            .with("seconds_bucket", &labels("+Inf", "old"), |second| {
                Some((second * 10) as f64)
            })
            .with("seconds_bucket", &labels("0.3", "old"), |second| {
                Some((second * 9) as f64)
            })
            .with("seconds_bucket", &labels("+Inf", "new"), of(10))
            .with("seconds_bucket", &labels("0.3", "new"), of(9));
        let mut run = Run::new(catalog(Indicator::Latency(Events::Histogram(histogram()))));
        run.ticks(&world, 1_800, 2_970, healthy);
        for tick in (2_970..4_200).step_by(30) {
            run.ticks(&world, tick, tick + 30, healthy);
            let sum = measured(&run).into_values();
            let (bad, total) = sum.fold((0.0, 0.0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
            assert!(
                (bad * 10.0 - total).abs() < 1e-6,
                "born {born}, at {tick}: {bad} of {total}"
            );
        }
    }
}
