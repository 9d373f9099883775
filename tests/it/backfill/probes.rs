//! Probes by several probers, one of which flaps and one of which is away for a while: votes, samples and slices.

use sloburn::status::view::slo::SloView;

use crate::support::past::{Past, recent, scraped};
use crate::support::remote_write::Written;

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
    - {name: samples, objective: 90%, groupBy: [instance], alsoWhole: true, errors: {probe: 'probe_success{job="blackbox"}'}}
    - {name: any, objective: 50%, groupBy: [instance], errors: {probe: 'probe_success{job="blackbox"}', badWhen: any}}
    - {name: two, objective: 90%, groupBy: [instance], alsoWhole: true, errors: {probe: 'probe_success{job="blackbox"}', badWhen: {count: 2}}}
    - {name: half, objective: 90%, groupBy: [instance], errors: {probe: 'probe_success{job="blackbox"}', badWhen: {share: 50%}}}
    - {name: two-slices, objective: 90%, slice: 5m, groupBy: [instance], budgeting: timeslices, sliceObjective: 80%, errors: {probe: 'probe_success{job="blackbox"}', badWhen: {count: 2}}}
"#;

/// Where is probed from, and how many seconds behind the quarters of a minute.
const PROBERS: [(&str, i64); 3] = [("ap", 0), ("eu", 4), ("us", 9)];
const TARGETS: [&str; 2] = ["https://api", "https://shop"];

/// Slots are as wide as a tick.
const SLOT: i64 = 30;

/// A last value counts for two and a half scrapes.
const VALID: i64 = SCRAPE * 5 / 2;

/// Whether a probe succeeds; nothing while the prober is away.
fn success(prober: &str, target: &str, second: i64, end: i64) -> Option<bool> {
    let ago = (end - second).div_euclid(MINUTE);
    let is_down = match target {
        "https://shop" => (60..70).contains(&ago) || ago == 200,
        _ => (20..21).contains(&ago) || (110..118).contains(&ago),
    };
    match prober {
        "ap" if (100..130).contains(&ago) || ago % 10 == 7 => None,
        // Its own line is bad, every third time.
        "us" if (second / SCRAPE) % 3 == 0 => Some(false),
        // Sees the outage late and its end early.
        "ap" => Some(!is_down || (68..70).contains(&ago)),
        _ => Some(!is_down),
    }
}

fn times(phase: i64, end: i64) -> impl Iterator<Item = i64> {
    (end - 6 * HOUR + phase..=end).step_by(15)
}

fn written(end: i64) -> Vec<Written> {
    let mut written = Vec::new();
    for target in TARGETS {
        for (prober, phase) in PROBERS {
            let labels = [
                ("__name__", "probe_success"),
                ("job", "blackbox"),
                ("instance", target),
                ("prober", prober),
            ];
            let value =
                |second| success(prober, target, second, end).map(|it| f64::from(u8::from(it)));
            written.push(scraped(&labels, times(phase, end), value));
        }
    }
    written
}

/// The votes at the end of a slot: bad ones and all.
fn votes(targets: &[&str], at: i64, end: i64) -> (u32, u32) {
    let (mut bad, mut all) = (0, 0);
    for target in targets {
        for (prober, phase) in PROBERS {
            let newest = at - (at - phase).rem_euclid(SCRAPE);
            let mut valid = (0..3).map(|back| newest - back * SCRAPE);
            let last = valid.find_map(|second| {
                let is_valid = at - second <= VALID;
                success(prober, target, second, end).filter(|_| is_valid)
            });
            all += u32::from(last.is_some());
            bad += u32::from(last == Some(false));
        }
    }
    (bad, all)
}

/// Bad slots and all.
fn slots(name: &str, targets: &[&str], (from, to): (i64, i64), end: i64) -> (f64, f64) {
    let slots = (from + SLOT..=to).step_by(30);
    slots.fold((0.0, 0.0), |(sum, all), at| {
        let (bad, votes) = votes(targets, at, end);
        let is_bad = match name {
            "any" => bad >= 1,
            "half" => bad * 2 >= votes && bad > 0,
            _ => bad >= 2,
        };
        (sum + f64::from(u8::from(is_bad)), all + 1.0)
    })
}

fn truth(slo: &SloView, end: i64) -> (f64, f64) {
    let ((from, to), _) = counted(slo);
    let own = slo.group.get("instance").map(|it| vec![&**it]);
    let own = own.unwrap_or_else(|| TARGETS.to_vec());
    match &*slo.name {
        "samples" => {
            let (mut bad, mut all) = (0.0, 0.0);
            for (target, (prober, phase)) in
                own.iter().flat_map(|it| PROBERS.map(|prober| (it, prober)))
            {
                let seconds = times(phase, end).filter(|second| (from + 1..=to).contains(second));
                for is_good in seconds.filter_map(|second| success(prober, target, second, end)) {
                    bad += f64::from(u8::from(!is_good));
                    all += 1.0;
                }
            }
            (bad, all)
        }
        "two-slices" => {
            let ends = (from + 300..=to).step_by(300);
            ends.fold((0.0, 0.0), |(sum, slices), at| {
                let (bad, all) = slots("two", &own, (at - 300, at), end);
                (sum + f64::from(u8::from(bad * 5.0 > all)), slices + 1.0)
            })
        }
        name => slots(name, &own, (from, to), end),
    }
}

#[tokio::test]
async fn probes_are_counted_as_their_probers_saw_it() {
    let end = recent(300);
    let Some(past) = Past::of(&written(end)).await else {
        return;
    };
    for back in [0, HOUR] {
        let evaluated = past.status_at(DEFINITIONS, end - back);
        assert_eq!(
            evaluated.slos.len(),
            3 + 2 + 3 + 2 + 2,
            "{}",
            evaluated.told
        );
        for slo in &evaluated.slos {
            let (range, own) = counted(slo);
            let exact = truth(slo, end);
            assert_eq!(
                own, exact,
                "{back} s before the end {} in {range:?}",
                slo.id
            );
            assert!(exact.0 > 0.0 && exact.1 > exact.0, "{}: {exact:?}", slo.id);
        }
    }
}
