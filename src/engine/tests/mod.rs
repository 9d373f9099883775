//! The step against a small world of counters and gauges in closed form.
#![expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "small whole numbers are exact"
)]

mod blind;
mod buckets;
mod emptied;
mod events;
mod falls;
mod held;
mod incidents;
mod kept;
mod late;
mod log;
mod long;
mod properties;
mod quiet;
mod slices;
mod sums;
mod targets;
mod world;

use std::sync::Arc;

use crate::domain::calendar::{Calendar, Period};
use crate::domain::contributors::LabelShare;
use crate::domain::indicator::{Events, Histogram, HistogramKind, Indicator};
use crate::domain::labels::Labels;
use crate::domain::measurement::Outcome;
use crate::domain::policy::Severity;
use crate::domain::quantity::TimeUnit;
use crate::domain::slo::Window;
use crate::domain::time::Span;
use crate::store::commit::Recovered;

use super::intake::Reading;
use super::state::State;

pub(super) use log::logged;
pub(super) use world::*;

#[test]
fn bad_events_are_told_by_the_labels_that_they_came_from() {
    let mut run = Run::new(catalog(requests()));
    let bad = |pace: i64| move |second: i64| Some(((second - 7_200).clamp(0, 300) * pace) as f64);
    let world = World::new(15)
        .with("requests_total", "code=200,route=/pay", |second| {
            Some((second * 100) as f64)
        })
        .with("requests_total", "code=503,route=/pay", bad(9))
        .with("requests_total", "code=500,route=/list", bad(1));
    let status = run.ticks(&world, 0, 7_500, healthy);
    let told = |(window, labels): &(Span, Vec<LabelShare>)| {
        let label = |it: &LabelShare| {
            let top = it.top.iter();
            let top = top.map(|top| format!("{} {}", top.value, top.bad));
            format!("{}: {}", it.label, top.collect::<Vec<_>>().join(", "))
        };
        let labels: Vec<String> = labels.iter().map(label).collect();
        format!("{window} {}", labels.join("; "))
    };
    let told: Vec<String> = status.contributors.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "5m code: 503 2700, 500 300; route: /pay 2700, /list 300",
            "1h code: 503 2700, 500 300; route: /pay 2700, /list 300",
        ]
    );
    let status = run.ticks(&world, 7_500, 9_000, healthy);
    let sums = status.contributors.iter().map(|(_, labels)| labels.len());
    assert_eq!(sums.collect::<Vec<_>>(), [0, 2], "the hour remembers, once");
    let hour = &status.contributors[1].1[0].top[0];
    assert_eq!((hour.bad, hour.share), (2_700.0, 0.9));
    let status = run.ticks(&world, 9_000, 11_400, healthy);
    assert!(
        status
            .contributors
            .iter()
            .all(|(_, labels)| labels.is_empty())
    );
}

#[test]
fn every_event_is_counted_once_and_an_incident_rises_falls_and_closes() {
    let mut run = Run::new(catalog(requests()));
    let world = shop(7_200, 7_500, 2);
    let status = run.ticks(&world, 0, 9_000, healthy);
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    assert_eq!(
        (status.window.counts.bad, status.window.counts.total),
        (15_000.0, 900_000.0)
    );
    assert_eq!(status.series.total, 2);
    assert!(status.budget.is_some_and(|budget| budget.remaining() < 0.0));
    assert_eq!(status.emptied_at, Some(at(7_350)));
    insta::assert_snapshot!(run.told.join("\n"), @r"
7260 opened ticket team
7380 rose page team
7620 recovered page team
");
}

#[test]
fn a_family_that_is_asked_for_in_several_queries_is_counted_as_one() {
    let world = shop(300, 600, 2);
    let mut whole = Run::new(catalog(requests()));
    whole.ticks(&world, 0, 900, healthy);
    let mut settings = settings();
    for source in settings.sources.values_mut() {
        source.series_per_query = 1;
    }
    let mut divided = Run::new(catalog(requests()));
    let plan = Arc::clone(&divided.state.plan);
    divided.state = State::new(settings, &plan, Recovered::default());
    divided.ticks(&world, 0, 900, healthy);
    let wanted = divided.state.wanted(at(9_030));
    let counters = |wanted: &&super::reads::Wanted| {
        let (_, fetch, _) = divided.state.fetch(**wanted);
        fetch.text().starts_with("requests_total")
    };
    // This world brings all series to each query: what came twice was counted once.
    assert!(wanted.iter().filter(counters).count() > 1, "{wanted:?}");
    assert_eq!(divided.told, whole.told);
    assert_eq!(divided.kept.chunks, whole.kept.chunks);
}

#[test]
fn a_restart_changes_nothing() {
    let world = shop(7_200, 7_500, 2);
    let mut whole = Run::new(catalog(requests()));
    whole.ticks(&world, 0, 9_000, healthy);
    for stops in [[7_230, 7_350], [7_500, 7_560], [3_000, 7_260]] {
        let mut broken = Run::new(catalog(requests()));
        let mut from = 0;
        for stop in stops {
            broken.ticks(&world, from, stop, healthy);
            broken.restart();
            from = stop;
        }
        broken.ticks(&world, from, 9_000, healthy);
        assert_eq!(broken.told, whole.told, "{stops:?}");
        assert_eq!(broken.kept.chunks, whole.kept.chunks, "{stops:?}");
        assert_eq!(broken.kept.families, whole.kept.families, "{stops:?}");
        assert_eq!(broken.kept.lanes, whole.kept.lanes, "{stops:?}");
    }
}

/// In 1970 Kathmandu was five and a half hours ahead, so that no edge of a week lies on a whole hour.
#[test]
fn a_calendar_week_begins_at_its_midnight_however_old_the_slots_grow() {
    const MIDNIGHT: i64 = 3 * 86_400 + 18 * 3_600 + 1_800;
    let week = Calendar::new(Period::Week, "Asia/Kathmandu").unwrap();
    let mut definitions = catalog(requests());
    for slo in definitions.slos.values_mut() {
        Arc::make_mut(slo).window = Window::Calendar(week.clone());
    }
    let mut run = Run::new(definitions);
    let world = shop(MIDNIGHT - 300, MIDNIGHT + 300, 2);
    run.ticks(&world, 0, 3_000, healthy);
    for (second, begun) in [
        (MIDNIGHT, MIDNIGHT - 7 * 86_400),
        (MIDNIGHT + 30, MIDNIGHT),
        (MIDNIGHT + 8 * 3_600, MIDNIGHT),
        (MIDNIGHT + 80 * 3_600, MIDNIGHT),
        (MIDNIGHT + 7 * 86_400, MIDNIGHT),
        (MIDNIGHT + 7 * 86_400 + 30, MIDNIGHT + 7 * 86_400),
    ] {
        let status = run.ticks(&world, second - 30, second, healthy);
        assert_eq!(status.window.range.from, at(begun), "{second}");
        let counted_from = begun.max(0);
        let bad = |second: i64| (second.clamp(MIDNIGHT - 300, MIDNIGHT + 300)) * 50;
        assert_eq!(
            (status.window.counts.bad, status.window.counts.total),
            (
                (bad(second) - bad(counted_from)) as f64,
                ((second - counted_from) * 100) as f64
            ),
            "{second}"
        );
    }
}

#[test]
fn a_long_stop_is_caught_up_with_in_pieces() {
    let world = shop(7_200, 7_500, 2);
    let mut run = Run::new(catalog(requests()));
    run.ticks(&world, 0, 3_000, healthy);
    run.restart();
    let status = run.ticks(&world, 30_000, 30_030, healthy);
    assert_eq!(status.window.counts.bad, 15_000.0);
    assert_eq!(status.window.counts.total, 3_003_000.0);
}

#[test]
fn only_a_measured_tick_changes_an_alert() {
    let world = shop(7_200, 7_500, 2);
    let failed = |from: i64| {
        move |second: i64| (second > from).then(|| Reading::Failed("cannot reach it".into()))
    };
    let partial = |from: i64| {
        move |second: i64| (second > from).then(|| Reading::Partial("a store is down".into()))
    };
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&world, 0, 9_000, failed(7_400));
    assert_eq!(status.measurement.outcome, Outcome::Failed);
    assert_eq!(
        status.measurement.reason.as_deref(),
        Some("cannot reach it")
    );
    assert_eq!(status.alert, Some(Severity::Page));
    insta::assert_snapshot!(run.told.join("\n"), @r"
7260 opened ticket team
7380 rose page team
7530 blind opened ticket team
");
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&world, 0, 7_800, partial(7_400));
    assert_eq!(
        (status.measurement.outcome, status.alert),
        (Outcome::Partial, Some(Severity::Page))
    );
    let status = run.ticks(&world, 7_800, 9_000, healthy);
    assert_eq!(
        (status.measurement.outcome, status.alert),
        (Outcome::Measured, None)
    );
    assert_eq!(status.window.counts.bad, 15_000.0);
}

#[test]
fn no_data_and_no_traffic_are_not_the_same() {
    let gone = shop(7_200, 7_500, 2);
    let gone = World {
        series: gone
            .series
            .into_iter()
            .map(|(labels, value)| (labels, until(7_400, value)))
            .collect(),
        scrape: 15,
    };
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&gone, 0, 12_000, healthy);
    assert_eq!(
        (status.measurement.outcome, status.alert),
        (Outcome::NoData, Some(Severity::Page))
    );
    insta::assert_snapshot!(status.measurement.reason.clone().unwrap_or_default(), @"`requests_total` has had no sample since 1970-01-01T02:03:15Z");
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&frozen(7_400), 0, 9_000, healthy);
    assert_eq!(
        (status.measurement.outcome, status.alert),
        (Outcome::NoTraffic, None)
    );
    insta::assert_snapshot!(run.told.join("\n"), @r"
7260 opened ticket team
7380 rose page team
8010 noTraffic page team
");
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&World::new(15), 0, 600, healthy);
    assert_eq!(status.measurement.outcome, Outcome::NoData);
    insta::assert_snapshot!(status.measurement.reason.clone().unwrap_or_default(), @"no series of `requests_total` match what shop/it selects; check its selectors");
}

fn until(end: i64, value: Value) -> Value {
    Box::new(move |second, read| {
        if second <= end {
            value(second, read)
        } else {
            None
        }
    })
}

/// The shop, whose counters stand still from `stop` on.
fn frozen(stop: i64) -> World {
    let world = shop(7_200, 7_500, 2);
    let still = |(labels, value): (Labels, Value)| -> (Labels, Value) {
        (
            labels,
            Box::new(move |second, read| value(second.min(stop), read)),
        )
    };
    World {
        series: world.series.into_iter().map(still).collect(),
        scrape: 15,
    }
}

#[test]
fn a_gap_is_reconstructed_and_starts_no_alarm() {
    let world = shop(7_200, 7_500, 2);
    let gap = |second: i64| (7_200..7_500).contains(&second);
    let with_gap = |(labels, value): (Labels, Value)| -> (Labels, Value) {
        (
            labels,
            Box::new(move |second, read| {
                if gap(second) {
                    None
                } else {
                    value(second, read)
                }
            }),
        )
    };
    let world = World {
        series: world.series.into_iter().map(with_gap).collect(),
        scrape: 15,
    };
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&world, 0, 7_530, healthy);
    assert_eq!(status.window.counts.bad, 15_000.0);
    assert!(status.reconstructed_share > 0.0);
    assert_eq!(status.alert, None);
}

#[test]
fn a_threshold_that_is_no_boundary_counts_nothing_and_says_so() {
    let latency = |at_most: &str| {
        Indicator::Latency(Events::Histogram(Histogram {
            kind: HistogramKind::Classic,
            series: selector("seconds_bucket"),
            unit: TimeUnit::Seconds,
            at_most: at_most.parse().unwrap(),
            overrides: Vec::new(),
        }))
    };
    let world = || {
        World::new(15)
            .with("seconds_bucket", "le=0.3", |second| {
                Some((second * 99) as f64)
            })
            .with("seconds_bucket", "le=+Inf", |second| {
                Some((second * 100) as f64)
            })
    };
    let mut run = Run::new(catalog(latency("0.3")));
    let status = run.ticks(&world(), 0, 600, healthy);
    assert_eq!(
        (status.window.counts.bad, status.window.counts.total),
        (600.0, 60_000.0)
    );
    let mut run = Run::new(catalog(latency("0.25")));
    run.ticks(&world(), 0, 570, healthy);
    assert_eq!(run.state.questions().len(), 1);
    run.state.answer(0, vec!["+Inf".into(), "0.3".into()]);
    let status = run.ticks(&world(), 570, 600, healthy);
    assert_eq!(status.measurement.outcome, Outcome::NoData);
    assert_eq!(status.window.counts.total, 0.0);
    insta::assert_snapshot!(status.measurement.reason.clone().unwrap_or_default(), @"`seconds_bucket` has no bucket that ends at 250ms; set `atMost` to 300ms");
}

/// One process that two replicas scrape, five seconds apart; the first is away from `away` on for 20 minutes.
fn pair(away: i64) -> World {
    let count = |second: i64| {
        if second < 6_000 {
            100 + second * 7
        } else {
            (second - 6_000) * 7
        }
    };
    let at_phase = |second: i64, phase: i64| second.rem_euclid(15) == phase;
    let (gone, back) = (away, away + 1_200);
    World::new(1)
        .with(
            "requests_total",
            "prometheus_replica=a,code=200",
            move |second| {
                let is_there = at_phase(second, 0) && !(gone..back).contains(&second);
                is_there.then(|| count(second) as f64)
            },
        )
        .with(
            "requests_total",
            "prometheus_replica=b,code=200",
            move |second| at_phase(second, 5).then(|| count(second) as f64),
        )
        .with(
            "requests_total",
            "prometheus_replica=a,code=500",
            move |second| {
                let is_there = at_phase(second, 0) && !(gone..back).contains(&second);
                is_there.then(|| (count(second) / 50) as f64)
            },
        )
        .with(
            "requests_total",
            "prometheus_replica=b,code=500",
            move |second| at_phase(second, 5).then(|| (count(second) / 50) as f64),
        )
}

#[test]
fn two_replicas_count_as_one_while_one_dies_and_returns() {
    let one = World::new(15)
        .with("requests_total", "code=200", |second| {
            Some(if second < 6_000 {
                100 + second * 7
            } else {
                (second - 6_000) * 7
            } as f64)
        })
        .with("requests_total", "code=500", |second| {
            let count = if second < 6_000 {
                100 + second * 7
            } else {
                (second - 6_000) * 7
            };
            Some((count / 50) as f64)
        });
    let count = |world: &World, labels: &[&str], restarted: bool| {
        let mut run = Run::new(catalog(requests()));
        let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
        let replicate = |run: &mut Run| {
            for source in run.state.settings.sources.values_mut() {
                source.replica_labels.clone_from(&labels);
            }
        };
        replicate(&mut run);
        run.ticks(world, 0, 4_500, healthy);
        if restarted {
            run.restart();
            replicate(&mut run);
        }
        run.ticks(world, 4_500, 9_000, healthy);
        let last = run.last.as_ref().unwrap();
        let twins = last.sources[0].twins;
        let slo = &last.slos[0];
        (slo.window.counts, slo.series.total, twins)
    };
    let (truth, series, _) = count(&one, &[], false);
    for away in [3_000, 5_700, 8_000] {
        for restarted in [false, true] {
            let labels = ["prometheus_replica"];
            let (counts, merged, twins) = count(&pair(away), &labels, restarted);
            // Where the first is away at the end, the other was scraped last, five seconds after it; and where it
            // was away at the reset, the other was scraped five seconds closer to that.
            let apart = counts.total - truth.total;
            let five_seconds = 7.0 * 5.0 * 51.0 / 50.0 + 1.0;
            let (least, most) = match away {
                5_700 => (0.0, five_seconds),
                8_000 => (-2.0 * five_seconds, 0.0),
                _ => (0.0, 0.0),
            };
            assert!(
                least <= apart && apart <= most,
                "{away}: {counts:?} {truth:?}"
            );
            assert_eq!((merged, twins), (series, None));
        }
    }
    let (doubled, _, twins) = count(&pair(3_000), &[], false);
    assert!(doubled.total > 1.7 * truth.total, "{doubled:?} {truth:?}");
    assert_eq!(twins, Some("prometheus_replica"), "and it is noticed");
}

#[test]
fn a_counter_that_fell_before_a_restart_is_remembered_behind_it() {
    // The second series is away while the process begins anew, and returns higher than it was.
    let world = || {
        World::new(15)
            .with("requests_total", "code=200", |second| {
                Some(if second < 3_000 {
                    second * 10
                } else {
                    (second - 3_000) * 10
                } as f64)
            })
            .with("requests_total", "code=500", |second| match second {
                ..2_700 => Some(50.0),
                4_200.. => Some((second - 4_200 + 80) as f64),
                _ => None,
            })
    };
    let bad = |restart: bool| {
        let mut run = Run::new(catalog(requests()));
        run.ticks(&world(), 0, 3_900, healthy);
        if restart {
            run.restart();
        }
        run.ticks(&world(), 3_900, 6_000, healthy).window.counts
    };
    let counts = bad(false);
    assert_eq!(
        counts.bad,
        f64::from(6_000 - 4_200 + 80),
        "all since it began anew"
    );
    assert_eq!(bad(true), counts);
}
