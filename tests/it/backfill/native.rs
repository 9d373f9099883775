//! The same events as classic and as native histograms: both come to the same counts, and between the boundaries of
//! buckets to what interpolation makes of them.

use std::collections::BTreeMap;

use sloburn::status::names::Measured;
use sloburn::status::view::slo::SloView;

use crate::support::dice::Dice;
use crate::support::native::Native;
use crate::support::past::{Past, recent};
use crate::support::remote_write::{Sampled, Written};

use super::truth::{MINUTE, counted};
use super::{HOUR, SCRAPE};

const DEFINITIONS: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 4h
  alertPolicy: none
  objectives:
    - &classic
      name: classic
      objective: 90%
      groupBy: [route]
      alsoWhole: true
      latency: &buckets
        histogram: rpc_duration_seconds{job="api"}
        atMost: 500ms
        overrides: [{where: 'route="/export"', atMost: 2s}]
    - {<<: *classic, name: classic-slices, budgeting: timeslices, sliceObjective: 75%}
    - &native {<<: *classic, name: native, latency: {<<: *buckets, native: true}}
    - {<<: *native, name: native-slices, budgeting: timeslices, sliceObjective: 75%}
    - {<<: *native, name: between, latency: {<<: *buckets, native: true, atMost: 300ms}}
"#;

/// Where buckets end, in seconds, and the least index of them in schema 0; each begins at half of that.
const ENDS: [(&str, u64); 5] = [("0.25", 30), ("0.5", 46), ("1", 8), ("2", 4), ("4", 12)];
const LOWEST: i32 = -2;

/// A number or a histogram, so that both are written in the order of their times.
enum Sample {
    Number(f64),
    Histogram(Native),
}

impl Sampled for Sample {
    fn add(&self, at: i64, series: &mut Vec<u8>) {
        match self {
            Self::Number(value) => value.add(at, series),
            Self::Histogram(histogram) => histogram.add(at, series),
        }
    }
}

/// What happened between two scrapes of a route: events by bucket.
struct Happened {
    route: &'static str,
    second: i64,
    events: [f64; ENDS.len()],
}

/// Everything that was written, and what happened. `/new` is born and `/old` ends on the way; the process starts anew two hours
/// before the end.
fn made(end: i64) -> (Vec<Written<Sample>>, Vec<Happened>) {
    let mut dice = Dice::seeded(7);
    let (mut written, mut happened) = (Vec::new(), Vec::new());
    for (route, from, to, most) in [
        ("/pay", 6 * HOUR, 0, 12),
        ("/export", 6 * HOUR, 0, 3),
        ("/new", 3 * HOUR, 0, 8),
        ("/old", 6 * HOUR, HOUR, 8),
    ] {
        let labels = |pairs: &[(&str, &str)]| {
            let own = [("job", "api"), ("instance", "api-0"), ("route", route)];
            own.into_iter().chain(pairs.iter().copied()).collect()
        };
        let mut counts = [0_u32; ENDS.len()];
        let mut shown: Vec<(i64, [u32; ENDS.len()])> = Vec::new();
        for second in (end - from + 5..=end - to).step_by(15) {
            if (0..SCRAPE).contains(&(second - (end - 2 * HOUR))) {
                counts = Default::default();
            }
            let mut events = [0_u32; ENDS.len()];
            if shown.is_empty() {
                // What is slow of a new route is slow before it is first scraped.
                events[3] = 40;
            }
            for (count, (_, share)) in events.iter_mut().zip(ENDS) {
                *count +=
                    u32::try_from((0..most).filter(|_| dice.below(100) < share).count()).unwrap();
            }
            for (count, own) in counts.iter_mut().zip(events) {
                *count += own;
            }
            shown.push((second * 1_000, counts));
            let events = events.map(f64::from);
            happened.push(Happened {
                route,
                second,
                events,
            });
        }
        let inf = [("+Inf", 0)];
        for (index, (le, _)) in ENDS.iter().chain(&inf).enumerate() {
            let up_to = |counts: &[u32; ENDS.len()]| {
                let sum: u32 = counts.iter().take(index + 1).sum();
                Sample::Number(f64::from(sum))
            };
            let samples = shown.iter().map(|(at, counts)| (*at, up_to(counts)));
            let name = ("__name__", "rpc_duration_seconds_bucket");
            written.push((labels(&[name, ("le", le)]), samples.collect()));
        }
        let histogram = |counts: &[u32; ENDS.len()]| {
            Sample::Histogram(Native {
                positive: (LOWEST, counts.iter().map(|it| u64::from(*it)).collect()),
                ..Native::default()
            })
        };
        let samples = shown.iter().map(|(at, counts)| (*at, histogram(counts)));
        let name = ("__name__", "rpc_duration_seconds");
        written.push((labels(&[name]), samples.collect()));
    }
    (written, happened)
}

/// The events that took no longer than a threshold at the end of a bucket, or than the 300 ms within the second one.
fn quick(happened: &Happened, between: bool) -> f64 {
    let upto = |buckets: usize| happened.events.iter().take(buckets).sum::<f64>();
    match (happened.route, between) {
        ("/export", _) => upto(4),
        (_, false) => upto(2),
        // From 250 ms to 500 ms on the scale of logarithms.
        (_, true) => upto(1) + happened.events[1] * (0.3_f64 / 0.25).log2(),
    }
}

fn truth(happened: &[Happened], slo: &SloView) -> (f64, f64) {
    let ((from, to), _) = counted(slo);
    let group = slo.group.get("route");
    let is_own = |it: &&Happened| {
        group.is_none_or(|group| group == it.route) && (from + 1..=to).contains(&it.second)
    };
    let mut minutes: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for it in happened.iter().filter(is_own) {
        let minute = minutes
            .entry((it.second + MINUTE - 1) / MINUTE)
            .or_default();
        let all: f64 = it.events.iter().sum();
        minute.0 += all - quick(it, slo.name == "between");
        minute.1 += all;
    }
    let counts = minutes.into_values();
    let counts = counts.map(|(bad, total)| {
        if slo.name.ends_with("slices") {
            (
                f64::from(u8::from(bad * 4.0 > total)),
                f64::from(u8::from(total > 0.0)),
            )
        } else {
            (bad, total)
        }
    });
    counts.fold((0.0, 0.0), |sum, it| (sum.0 + it.0, sum.1 + it.1))
}

#[tokio::test]
async fn native_histograms_count_what_classic_ones_do() {
    let end = recent(300);
    let (written, happened) = made(end);
    let Some(past) = Past::of(&written).await else {
        return;
    };
    for back in [0, HOUR + 1_800] {
        let evaluated = past.status_at(DEFINITIONS, end - back);
        assert_eq!(evaluated.slos.len(), 5 * 5, "{}", evaluated.told);
        for slo in &evaluated.slos {
            assert_eq!(
                slo.measurement.approximate,
                !slo.name.starts_with("classic")
            );
            let (_, own) = counted(slo);
            let exact = truth(&happened, slo);
            assert!(exact.0 > 0.0 && exact.1 > exact.0, "{}: {exact:?}", slo.id);
            let apart = (own.0 - exact.0).abs();
            let noise = if slo.name == "between" { 1e-6 } else { 0.0 };
            assert!(
                apart <= noise * exact.0 && (own.1 - exact.1).abs() < 1e-9,
                "{} s before the end {}: {own:?} and exactly {exact:?}",
                back,
                slo.id
            );
            if slo.group.get("route").is_some_and(|route| route == "/old") && back == 0 {
                assert_eq!(slo.measurement.outcome, Measured::NoTraffic, "{slo:#?}");
            }
        }
    }
}
