//! Pods that come and go, and how much they use of their limits: what cAdvisor shows joined with what kube-state-metrics does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sloburn::status::view::slo::SloView;

use crate::support::past::{Past, recent, scraped};
use crate::support::remote_write::Written;

use super::HOUR;
use super::truth::{MINUTE, counted};

const DEFINITIONS: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: cluster}
spec:
  window: 4h
  alertPolicy: none
  objectives:
    - &memory
      name: any
      objective: 90%
      groupBy: [namespace]
      alsoWhole: true
      saturation: &limits
        used: container_memory_working_set_bytes{container!=""}
        limit: kube_pod_container_resource_limits{resource="memory"}
        by: [namespace, pod, container]
        atMost: 90%
    - {<<: *memory, name: two, saturation: {<<: *limits, badWhen: {count: 2}}}
    - {<<: *memory, name: half, saturation: {<<: *limits, badWhen: {share: 50%}}}
"#;

/// How far apart samples are of what is used, and of the limits.
const USED: i64 = 15;
const LIMIT: i64 = 30;

/// A container of a pod; times in minutes before the end.
struct Pod {
    namespace: &'static str,
    name: &'static str,
    /// From and to.
    there: Range<i64>,
    /// While it uses 95 of 100 megabytes.
    full: Range<i64>,
    /// Since when its limit is twice as high; none has no limit.
    raised: Option<i64>,
}

const fn pod(
    namespace: &'static str,
    name: &'static str,
    there: Range<i64>,
    full: Range<i64>,
) -> Pod {
    Pod {
        namespace,
        name,
        there,
        full,
        raised: Some(0),
    }
}

/// From the newest minute to the oldest one: `0..360` is all the time.
const PODS: [Pod; 7] = [
    // One is rolled out in place of the other, both full meanwhile.
    pod("shop", "cart-6f-a", 120..360, 118..126),
    pod("shop", "cart-7c-b", 0..125, 121..125),
    // Full until its limit is raised.
    Pod {
        raised: Some(90),
        ..pod("shop", "web-0", 0..360, 80..100)
    },
    // Lives for a while, full all the time.
    pod("shop", "batch-x2", 180..200, 180..200),
    // Nobody set a limit for this one.
    Pod {
        raised: None,
        ..pod("shop", "agent-1", 0..360, 0..360)
    },
    pod("pay", "card-0", 0..360, 150..153),
    pod("pay", "card-1", 0..360, 151..156),
];

/// While kube-state-metrics is away, in minutes before the end.
const AWAY: Range<i64> = 20..40;

/// Minutes that end twenty seconds before those of the clock: a last value is still valid at the end of its slice.
fn ago(second: i64, end: i64) -> i64 {
    (end - second - 20).div_euclid(MINUTE)
}

impl Pod {
    /// What its first container, or the one that replaced it an hour before the end, uses.
    fn used(&self, second: i64, end: i64, is_first: bool) -> Option<f64> {
        let ago = ago(second, end);
        // For two minutes both are shown, and the old one had grown.
        let is_shown = if is_first { ago >= 60 } else { ago < 62 };
        let is_full = self.full.contains(&ago) || is_first && ago < 62;
        let bytes = if is_full { 95e6 } else { 40e6 };
        (self.there.contains(&ago) && is_shown).then_some(bytes)
    }

    fn limit(&self, second: i64, end: i64) -> Option<f64> {
        let ago = ago(second, end);
        let bytes = if ago < self.raised? { 200e6 } else { 100e6 };
        (self.there.contains(&ago) && !AWAY.contains(&ago)).then_some(bytes)
    }
}

fn times(phase: i64, step: i64, end: i64) -> impl Iterator<Item = i64> {
    (end - 6 * HOUR + phase..=end).step_by(usize::try_from(step).unwrap())
}

fn written(end: i64) -> Vec<Written> {
    let mut written = Vec::new();
    for pod in &PODS {
        let own = [
            ("namespace", pod.namespace),
            ("pod", pod.name),
            ("container", "app"),
        ];
        for (id, is_first) in [("a", true), ("b", false)] {
            let used = [
                ("__name__", "container_memory_working_set_bytes"),
                ("job", "cadvisor"),
                ("instance", "node-1"),
                ("id", id),
            ];
            let labels = [&used[..], &own].concat();
            let value = |second| pod.used(second, end, is_first);
            written.push(scraped(&labels, times(4, USED, end), value));
        }
        // The sum over the containers of a pod, which is not asked for.
        let sum = [
            ("__name__", "container_memory_working_set_bytes"),
            ("instance", "node-1"),
            ("namespace", pod.namespace),
            ("pod", pod.name),
        ];
        written.push(scraped(&sum, times(4, USED, end), |_| Some(500e6)));
        let limit = [
            ("__name__", "kube_pod_container_resource_limits"),
            ("job", "kube-state-metrics"),
            ("resource", "memory"),
            ("unit", "byte"),
        ];
        let labels = [&limit[..], &own].concat();
        written.push(scraped(&labels, times(7, LIMIT, end), |second| {
            pod.limit(second, end)
        }));
    }
    written
}

/// The value of the newest scrape, while it is valid: for two and a half scrapes.
fn last(at: i64, (phase, step): (i64, i64), value: impl Fn(i64) -> Option<f64>) -> Option<f64> {
    let newest = at - (at - phase).rem_euclid(step);
    let scrapes = (0..3).map(|back| newest - back * step);
    scrapes
        .filter(|second| (at - second) * 2 <= step * 5)
        .find_map(value)
}

fn truth(slo: &SloView, end: i64) -> (f64, f64) {
    let ((from, to), _) = counted(slo);
    let namespace = slo.group.get("namespace");
    let own: Vec<&Pod> = PODS
        .iter()
        .filter(|pod| namespace.is_none_or(|it| it == pod.namespace))
        .collect();
    let (mut bad, mut all) = (0.0, 0.0);
    for at in (from + MINUTE..=to).step_by(60) {
        let (mut over, mut known) = (0, 0);
        for pod in &own {
            let used = |first| last(at, (4, USED), |second| pod.used(second, end, first));
            let used = used(true).into_iter().chain(used(false)).reduce(f64::max);
            let limit = last(at, (7, LIMIT), |second| pod.limit(second, end));
            if let (Some(used), Some(limit)) = (used, limit) {
                known += 1;
                over += i32::from(used > limit * 0.9);
            }
        }
        if known == 0 {
            continue;
        }
        let is_bad = match &*slo.name {
            "any" => over >= 1,
            "two" => over >= 2,
            _ => over * 2 >= known && over > 0,
        };
        bad += f64::from(u8::from(is_bad));
        all += 1.0;
    }
    (bad, all)
}

#[tokio::test]
async fn pods_come_and_go_and_slices_are_judged_by_those_that_are_there() {
    let end = recent(300);
    let Some(past) = Past::of(&written(end)).await else {
        return;
    };
    let evaluated = past.status_at(DEFINITIONS, end);
    let ids: BTreeSet<&str> = evaluated.slos.iter().map(|slo| &*slo.id).collect();
    assert_eq!(ids.len(), 3 * 3, "{ids:?} {}", evaluated.told);
    let mut seen: BTreeMap<&str, f64> = BTreeMap::new();
    for slo in &evaluated.slos {
        let (range, own) = counted(slo);
        let exact = truth(slo, end);
        assert_eq!(own, exact, "{} in {range:?}", slo.id);
        // Twenty minutes without limits are not known, but for the last values before them.
        assert_eq!(exact, (exact.0, 240.0 - 20.0), "{}", slo.id);
        seen.insert(&slo.id, exact.0);
    }
    assert!(seen["cluster/any"] > seen["cluster/two"], "{seen:?}");
    assert!(
        seen.values().filter(|bad| **bad > 0.0).count() >= 8,
        "{seen:?}"
    );
}
