//! Groups of the past: each budget is what the series of its group were written to hold, those that are long gone too.

use std::collections::BTreeMap;

use sloburn::domain::labels::Labels;
use sloburn::status::view::slo::{BudgetUnit, SloView};

use crate::support::past::{Past, recent};

use super::HOUR;
use super::shop::Shop;
use super::truth::{counted, is_of};

const DEFINITIONS: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 2d
  alertPolicy: none
  objectives:
    - name: route
      objective: 99%
      groupBy: [route]
      alsoWhole: true
      overrides: [{where: 'route="/export"', objective: 90%}]
      errors: &requests {total: 'http_requests_total{job="api"}', badWhere: code="500"}
    - {name: cell, objective: 99%, groupBy: [cluster, route], errors: *requests}
    - {name: cluster, objective: 99%, groupBy: [cluster], expect: {cluster: [ap1, eu1, us1]}, errors: *requests}
    - {name: few, objective: 99%, groupBy: [route], maxGroups: 2, errors: *requests}
    - name: latency
      objective: 90%
      groupBy: [route]
      alsoWhole: true
      latency: &durations
        histogram: http_request_duration_seconds{job="api"}
        atMost: 300ms
        overrides: [{where: 'route="/export"', atMost: 1s}]
    - {name: slices, objective: 90%, groupBy: [route], alsoWhole: true, budgeting: timeslices, sliceObjective: 95%, errors: *requests}
    - {name: slow-slices, objective: 90%, groupBy: [cluster, route], budgeting: timeslices, sliceObjective: 90%, latency: *durations}
"#;

/// What was written of an instance in its window.
fn truth(shop: &Shop, slo: &SloView) -> (f64, f64) {
    let (range, _) = counted(slo);
    let (requests, durations) = (shop.requests(), shop.durations());
    let own = |labels: &Labels| is_of(slo, labels);
    let good = |labels: &Labels| own(labels) && labels.get("code") == "200";
    let all = |labels: &Labels| own(labels) && labels.get("le") == "+Inf";
    let quick = |labels: &Labels| {
        let at_most = if labels.get("route") == "/export" {
            "1"
        } else {
            "0.3"
        };
        own(labels) && labels.get("le") == at_most
    };
    match &*slo.name {
        "slices" => requests.slices(range, 20.0, own, good),
        "slow-slices" => durations.slices(range, 10.0, all, quick),
        "latency" => {
            let total = durations.events(range, all);
            (total - durations.events(range, quick), total)
        }
        _ => {
            let total = requests.events(range, own);
            (total - requests.events(range, good), total)
        }
    }
}

/// Every instance has counted what was written; how many there are of each objective that has any events.
fn check(shop: &Shop, slos: &[SloView], when: &str) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for slo in slos {
        let (range, own) = counted(slo);
        let exact = truth(shop, slo);
        assert_eq!(own, exact, "{when} {} in {range:?}", slo.id);
        let unit = if slo.name.ends_with("slices") {
            BudgetUnit::Slices
        } else {
            BudgetUnit::Events
        };
        assert_eq!(slo.budget.unit, unit);
        if exact.1 > 0.0 {
            assert!(exact.0 > 0.0, "{when} {}: nothing bad", slo.id);
            *seen.entry(slo.name.clone()).or_default() += 1;
        }
    }
    seen
}

/// So many instances each objective has when there are so many routes.
fn instances(routes: usize) -> BTreeMap<String, usize> {
    let all = [
        ("cell", 2 * routes),
        ("cluster", 2),
        ("few", 2),
        ("latency", routes + 1),
        ("route", routes + 1),
        ("slices", routes + 1),
        ("slow-slices", 2 * routes),
    ];
    all.map(|(name, count)| (name.to_owned(), count)).into()
}

#[tokio::test]
async fn status_tells_of_groups_at_any_moment_of_the_past() {
    let end = recent(300);
    let shop = Shop::until(end);
    let Some(past) = Past::of(&shop.written()).await else {
        return;
    };
    // Two days before each: with `/old` and `/new`; without the latter; and with `/flash` in place of it.
    for (back, routes) in [(0, 4), (22 * HOUR, 4), (3 * HOUR, 5)] {
        let evaluated = past.status_at(DEFINITIONS, end - back);
        let when = format!("{back} s before the end");
        let seen = check(&shop, &evaluated.slos, &when);
        assert_eq!(seen, instances(routes), "{when}: {}", evaluated.told);
    }
}

#[tokio::test]
async fn a_daemon_finds_groups_that_lived_in_the_past_only() {
    let end = recent(30);
    let shop = Shop::until(end);
    let Some(past) = Past::of(&shop.written()).await else {
        return;
    };
    let mut daemon = past.daemon(DEFINITIONS, "tick: 5s", &["offset: 1s"]);
    daemon.start().await;
    let slos = daemon.slos_with_past().await;
    let seen = check(&shop, &slos, "live");
    assert_eq!(seen, instances(4), "{}", daemon.log());
    // What was found in the past is known after a restart as well.
    assert!(daemon.terminate().await.success());
    daemon.start().await;
    let slos = daemon.slos_with_past().await;
    assert_eq!(check(&shop, &slos, "after a restart"), seen);
}
