//! Releases that change a histogram's boundaries: what has no bucket of the threshold is neither slow nor fast.

use super::*;
use crate::domain::decimal::Fraction;
use crate::domain::indicator::Signal;
use crate::domain::slices::{Judge, MissingData, Sliced};
use crate::domain::slot::Counts;
use crate::domain::time::TimeRange;

const RELEASE: i64 = 1_800;
const END: i64 = 3_600;

fn requests_within_300_ms() -> Events {
    Events::Histogram(Histogram {
        kind: HistogramKind::Classic,
        series: selector("seconds_bucket"),
        unit: TimeUnit::Seconds,
        at_most: "0.3".parse().unwrap(),
        overrides: Vec::new(),
    })
}

/// A pod that is there in `[from, to)`, with a hundred requests a second, of which all but one are in that bucket.
fn pod(world: World, name: &str, bucket: &str, (from, to): (i64, i64)) -> World {
    let counted = move |pace: i64| {
        move |second: i64| {
            let is_there = (from..to).contains(&second);
            is_there.then_some(((second - from.max(-100_000) + 15) * pace) as f64)
        }
    };
    world
        .with(
            "seconds_bucket",
            &format!("pod={name},le={bucket}"),
            counted(99),
        )
        .with(
            "seconds_bucket",
            &format!("pod={name},le=+Inf"),
            counted(100),
        )
}

/// A release whose histogram has a boundary at 250 ms, and none at 300 ms.
#[derive(Clone, Copy, Debug)]
struct Release {
    /// The new pods have the names of the old ones.
    in_place: bool,
    /// One pod stays as it was.
    in_part: bool,
}

impl Release {
    fn all() -> [Self; 4] {
        let ways = [(false, false), (false, true), (true, false), (true, true)];
        ways.map(|(in_place, in_part)| Self { in_place, in_part })
    }

    fn world(self) -> World {
        let mut world = World::new(15);
        if self.in_part {
            world = pod(world, "stays", "0.3", (i64::MIN, i64::MAX));
        }
        world = pod(world, "a", "0.3", (i64::MIN, RELEASE));
        let name = if self.in_place { "a" } else { "b" };
        let new = (RELEASE, i64::MAX);
        if self.in_place {
            // The bucket of everything is one series, which begins anew.
            world.series.pop();
            world = world.with("seconds_bucket", "pod=a,le=+Inf", |second| {
                let since = if second < RELEASE { -100_000 } else { RELEASE };
                Some(((second - since + 15) * 100) as f64)
            });
            world = pod(world, name, "0.25", new);
            world.series.pop();
            return world;
        }
        pod(world, name, "0.25", new)
    }
}

fn counted(run: &Run, (from, to): (i64, i64)) -> Counts {
    let range = TimeRange {
        from: at(from),
        to: at(to),
    };
    run.state.meters[0].ledger.sum(range).counts
}

#[test]
fn requests_of_a_histogram_without_the_bucket_are_not_counted() {
    for release in Release::all() {
        let mut watcher = Run::new(catalog(Indicator::Latency(requests_within_300_ms())));
        watcher.ticks(&release.world(), 0, END, healthy);
        let mut late = Run::new(watcher.catalog.clone());
        late.ticks(&release.world(), END - 60, END - 30, healthy);
        while late.dig(&release.world(), Span::from_mins(40)) {}
        late.ticks(&release.world(), END - 30, END, healthy);
        for run in [&watcher, &late] {
            let before = counted(run, (RELEASE - 900, RELEASE - 30));
            let pods = if release.in_part { 2.0 } else { 1.0 };
            assert_eq!((before.bad, before.total), (870.0 * pods, 87_000.0 * pods));
            // The last requests of the old pods are seen by no scrape.
            let after = counted(run, (RELEASE, END));
            let pods = pods - 1.0;
            assert_eq!(
                (after.bad, after.total),
                (1_800.0 * pods, 180_000.0 * pods),
                "{release:?}"
            );
            let status = run.status("shop/it");
            let outcome = if release.in_part {
                Outcome::Partial
            } else {
                Outcome::NoData
            };
            assert_eq!(status.measurement.outcome, outcome, "{release:?}");
            let told = run.told.iter().filter(|told| !told.contains("blind"));
            assert_eq!(told.count(), 0, "{release:?} {:?}", run.told);
        }
        let reason = watcher.status("shop/it").measurement.reason.clone();
        let reason = reason.unwrap_or_default();
        let pod = if release.in_place { "a" } else { "b" };
        let expected = if release.in_part {
            format!(
                r#"a part is missing: `seconds_bucket` of {{instance="i",job="a",pod="{pod}"}} has no bucket that ends at 300ms, so its events are not counted; let all of them have that bucket"#
            )
        } else {
            "`seconds_bucket` has no bucket that ends at 300ms; set `atMost` to one of its boundaries".to_owned()
        };
        assert_eq!(reason, expected, "{release:?}");
    }
}

#[test]
fn slices_are_not_judged_by_a_histogram_without_the_bucket() {
    for release in Release::all() {
        let sliced = Indicator::Slices(Sliced {
            judge: Judge::Events {
                events: requests_within_300_ms(),
                signal: Signal::Latency,
                good: Fraction::new(95, 100),
            },
            slice: Span::from_mins(1),
            missing: MissingData::Hold,
        });
        let mut run = Run::new(catalog(sliced));
        run.ticks(&release.world(), 0, END, healthy);
        assert_eq!(counted(&run, (0, END)).bad, 0.0, "{release:?}");
    }
}
