//! Several promises on one indicator: counted once, and judged each by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::calendar::{Calendar, Period};
use crate::domain::group::{Group, GroupOverride, Grouping};
use crate::domain::selector::{MatchOp, Matcher};
use crate::domain::slo::{Catalog, Slo, SloId, Window};
use crate::domain::time::Span;

use super::*;

const END: i64 = 9_000;

/// A promise of `shop/it`: its target's name, if it is one, the objective, the window, and whether
/// it alerts.
#[derive(Clone)]
struct Promised {
    target: Option<&'static str>,
    uid: &'static str,
    objective: &'static str,
    window: Window,
    alerts: bool,
}

fn slo() -> Promised {
    Promised {
        target: Some("slo"),
        uid: "shop/it/slo",
        objective: "99%",
        window: Window::Rolling(Span::from_days(1)),
        alerts: true,
    }
}

fn sla() -> Promised {
    Promised {
        target: Some("sla"),
        uid: "shop/it/sla",
        objective: "95%",
        window: Window::Calendar(Calendar::new(Period::Month, "Asia/Kathmandu").unwrap()),
        alerts: false,
    }
}

/// `shop/it` with these promises.
fn promising(promises: &[Promised], grouping: Option<&Grouping>) -> Catalog {
    let mut catalog = catalog(requests());
    let whole = catalog.slos.remove(&SloId::new("shop/it")).unwrap();
    for promised in promises {
        let uid = SloId::new(promised.uid);
        let promise = Slo {
            uid: uid.clone(),
            id: uid.clone(),
            target: promised.target.map(str::to_owned),
            objective: promised.objective.parse().unwrap(),
            window: promised.window.clone(),
            policy: whole.policy.clone().filter(|_| promised.alerts),
            grouping: grouping.cloned().map(Arc::new),
            ..Slo::clone(&whole)
        };
        catalog.slos.insert(uid, Arc::new(promise));
    }
    catalog
}

/// The same promises, each as an objective that counts for itself.
fn apart(promises: &[Promised], grouping: Option<&Grouping>) -> Catalog {
    let mut catalog = promising(promises, grouping);
    for slo in catalog.slos.values_mut() {
        let slo = Arc::make_mut(slo);
        slo.counted_as = slo.uid.clone();
    }
    catalog
}

fn world() -> World {
    shop(7_200, 7_500, 2)
}

fn played(catalog: Catalog) -> Run {
    let mut run = Run::new(catalog);
    run.ticks(&world(), 0, END, healthy);
    run
}

/// All that is said of every promise.
fn told(run: &Run) -> Vec<String> {
    let slos = run.last.as_ref().unwrap().slos.iter();
    slos.map(|status| {
        let (window, versions) = (&status.window, &status.versions);
        format!(
            "{} {window:?} {versions:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            status.id,
            status.budget,
            status.emptied_at,
            status.burn,
            status.tiers,
            status.measurement,
            status.alert,
        )
    })
    .collect()
}

fn by_route() -> Grouping {
    Grouping {
        also_whole: true,
        ..Grouping::by(["instance"])
    }
}

#[test]
fn targets_say_what_objectives_of_their_own_would_say() {
    for grouping in [None, Some(by_route())] {
        let promises = [slo(), sla()];
        let together = played(promising(&promises, grouping.as_ref()));
        let apart = played(apart(&promises, grouping.as_ref()));
        assert_eq!(told(&together), told(&apart));
        assert_eq!(together.told, apart.told);
        let ids = together.last.as_ref().unwrap().slos.len();
        assert_eq!(ids, if grouping.is_some() { 4 } else { 2 });
    }
}

#[test]
fn what_targets_share_is_counted_and_kept_once() {
    let together = played(promising(&[slo(), sla()], None));
    let alone = played(catalog(requests()));
    assert_eq!(together.slots("shop/it"), alone.slots("shop/it"));
    let whose = |run: &Run| -> BTreeSet<String> {
        let chunks = run.kept.chunks.keys();
        chunks.map(|(lane, _)| lane.meter.slo.to_string()).collect()
    };
    assert_eq!(whose(&together), whose(&alone));
    let edges = |run: &Run| {
        let families = run.state.families.iter();
        families.map(|it| it.table.edges().count()).sum::<usize>()
    };
    assert_eq!(edges(&together), edges(&alone));
}

/// However one comes by it, a target knows the past that was counted before it was promised.
#[test]
fn targets_come_and_go_without_counting_anew() {
    let before = catalog(requests());
    let kept = Promised {
        uid: "shop/it",
        ..slo()
    };
    let both = promising(&[kept, sla()], None);
    let whole = played(before.clone());
    for restart in [false, true] {
        let mut run = Run::new(before.clone());
        // In the midst of the incident a target comes beside it, and goes again.
        for (from, to, next) in [
            (0, 7_410, &both),
            (7_410, 7_800, &before),
            (7_800, 8_400, &both),
        ] {
            run.ticks(&world(), from, to, healthy);
            if restart {
                run.catalog = next.clone();
                run.restart();
            } else {
                run.reload(next.clone());
            }
        }
        run.ticks(&world(), 8_400, END, healthy);
        assert_eq!(run.told, whole.told, "restart: {restart}");
        let counts = |run: &Run, uid: &str| run.status(uid).window.counts;
        assert_eq!(counts(&run, "shop/it"), counts(&whole, "shop/it"));
        assert_eq!(counts(&run, "shop/it/sla"), counts(&whole, "shop/it"));
        assert_eq!(run.status("shop/it/sla").incident, None);
    }
}

/// A target that is no longer promised closes its incident, as an objective does.
#[test]
fn a_target_that_is_removed_closes_its_incident_and_leaves_the_others() {
    let loud = Promised {
        alerts: true,
        objective: "98%",
        ..sla()
    };
    let mut run = Run::new(promising(&[slo(), loud], None));
    run.ticks(&world(), 0, 7_410, healthy);
    let open = |run: &Run| -> Vec<String> {
        let slos = run.last.as_ref().unwrap().slos.iter();
        let open = slos.filter(|status| status.incident.is_some());
        open.map(|status| status.id.clone()).collect()
    };
    assert_eq!(open(&run), ["shop/it/sla", "shop/it/slo"]);
    run.told.clear();
    run.reload(promising(&[slo()], None));
    run.ticks(&world(), 7_410, 7_440, healthy);
    assert_eq!(run.told, ["7440 removed ticket team"]);
    assert_eq!(open(&run), ["shop/it/slo"]);
}

#[test]
fn each_target_has_its_own_objectives_for_groups() {
    let mut catalog = promising(&[slo(), sla()], None);
    let only = |value: &str, objective: &str| Grouping {
        overrides: vec![GroupOverride {
            whom: vec![Matcher {
                label: "instance".into(),
                op: MatchOp::Equal,
                value: value.into(),
            }],
            objective: objective.parse().unwrap(),
        }],
        ..Grouping::by(["instance"])
    };
    let overrides = [
        ("shop/it/slo", only("i", "97%")),
        ("shop/it/sla", only("j", "90%")),
    ];
    for (uid, grouping) in overrides {
        let slo = catalog.slos.get_mut(&SloId::new(uid)).unwrap();
        Arc::make_mut(slo).grouping = Some(Arc::new(grouping));
    }
    let run = played(catalog);
    let slos = run.last.as_ref().unwrap().slos.iter();
    let promised: Vec<(String, String)> = slos
        .map(|status| (status.id.clone(), status.slo.objective.to_string()))
        .collect();
    let group: Group = [("instance", "i")].into_iter().collect();
    let expected = [("shop/it/sla", "95%"), ("shop/it/slo", "97%")];
    let expected = expected.map(|(uid, it)| (format!("{uid}{{{group}}}"), it.to_owned()));
    assert_eq!(promised, expected);
}
