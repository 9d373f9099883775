//! Many series where few are due: groups by the labels that are declared, and no more of them than there may be.

use std::sync::Arc;

use sloburn::domain::measurement::Outcome;
use sloburn::status::snapshot::SloStatus;

use super::{Lie, READS, Scene, Setup, TICKS, WARM_UP};
use crate::support::shop::DEFINITIONS;

const ROUTES: i64 = 3;

fn grouped(by: &str) -> Setup {
    let groups = format!("      groupBy: [{by}]\n      maxGroups: {ROUTES}\n");
    Setup::defining(format!("{DEFINITIONS}{groups}"))
}

/// What was counted of an instance.
fn counted(slo: &SloStatus) -> (f64, f64) {
    (slo.window.counts.bad, slo.window.counts.total)
}

#[tokio::test]
async fn row_15_groups_are_told_apart_by_the_declared_labels_alone() {
    let mut scene = Scene::start(grouped("job")).await;
    scene.prometheus.tell(Lie::Routes(2 * ROUTES)).await;
    scene.ticks(WARM_UP).await;
    let shown = scene.shown();
    let ids: Vec<&str> = shown.iter().map(|slo| slo.id.as_str()).collect();
    assert_eq!(ids, [r#"shop/availability{job="shop"}"#]);
    let (bad, total) = scene.prometheus.truth(scene.at);
    assert_eq!(counted(&shown[0]), (0.6 * bad, 0.6 * total));
}

#[tokio::test]
async fn row_16_groups_beyond_the_limit_are_refused_and_those_that_are_known_stay_as_they_are() {
    let mut scene = Scene::start(grouped("route")).await;
    scene.prometheus.tell(Lie::Routes(ROUTES)).await;
    scene.ticks(WARM_UP).await;
    let incidents = |shown: &[Arc<SloStatus>]| -> Vec<(String, Option<String>)> {
        let incident = |slo: &SloStatus| slo.incident.as_ref().map(|it| it.id.to_string());
        let pairs = shown.iter().map(|slo| (slo.id.clone(), incident(slo)));
        pairs.collect()
    };
    let before = incidents(&scene.shown());
    assert_eq!(before.len(), 3);
    assert!(
        before.iter().all(|(_, incident)| incident.is_some()),
        "{before:?}"
    );
    scene.deliver().await;

    let flood = Lie::Routes(500);
    scene.prometheus.tell(flood).await;
    scene.ticks(TICKS).await;
    let shown = scene.shown();
    assert_eq!(incidents(&shown), before);
    let (bad, total) = scene.prometheus.truth(scene.at);
    for slo in &shown {
        assert_eq!(slo.measurement.outcome, Outcome::Measured, "{}", slo.id);
        assert_eq!(counted(slo), (bad / 10.0, total / 10.0), "{}", slo.id);
        let groups = slo.groups.unwrap();
        assert_eq!((groups.known, groups.most, groups.refused), (3, 3, 497));
    }
    assert_eq!(scene.prometheus.asked(flood).len(), READS);
    let flooded =
        "🟠 NOT WATCHED 497 groups of shop/availability since TIME UTC; not known to be failing";
    assert_eq!(scene.deliver().await, [flooded]);

    // Where nothing can be read nobody knows whether they are gone.
    scene.prometheus.tell(Lie::Status(503, "away")).await;
    scene.ticks(3 * TICKS).await;
    let blind = scene.deliver().await;
    assert_eq!(blind.len(), 1, "{blind:?}");
    assert!(
        blind[0].contains("CANNOT MEASURE 1 objective (3 instances)"),
        "{blind:?}"
    );
    scene.prometheus.tell(Lie::Routes(ROUTES)).await;
    scene.until_measured().await;
    scene.ticks(2 * TICKS).await;
    let over = scene.deliver().await;
    assert_eq!(over.len(), 2, "{over:?}");
    assert!(over[0].contains("MEASURING AGAIN"), "{over:?}");
    assert_eq!(
        over[1],
        "🟢 WATCHING ALL groups of shop/availability · since TIME UTC"
    );
    let shown = scene.shown();
    assert_eq!(incidents(&shown), before);
    assert!(shown.iter().all(|slo| slo.groups.unwrap().refused == 0));
}
