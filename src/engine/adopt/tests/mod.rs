//! Reloads of all kinds, in the middle of everything, against engines that saw none or were restarted.
#![expect(clippy::cast_precision_loss, reason = "small whole numbers are exact")]

mod births;

use std::sync::Arc;

use proptest::prelude::*;

use super::super::intake::Reading;
use super::super::tests::{Run, World, catalog, healthy, requests, selector, shop};
use super::*;
use crate::domain::indicator::{Events, Indicator, Split};
use crate::domain::selector::{MatchOp, Matcher};
use crate::domain::slo::Slo;
use crate::domain::time::TimeRange;

/// The whole story of an incident: opened, risen, closed.
const END: i64 = 9_000;

/// The catalog with another objective beside `shop/it`, of which nobody is told.
fn with(mut catalog: Catalog, name: &str, indicator: Indicator) -> Catalog {
    let slo = &catalog.slos[&SloId::new("shop/it")];
    let other = Slo {
        uid: SloId::new(name),
        id: SloId::new(name),
        counted_as: SloId::new(name),
        name: name.into(),
        indicator,
        policy: None,
        ..Slo::clone(slo)
    };
    catalog.slos.insert(other.uid.clone(), Arc::new(other));
    catalog
}

/// The catalog with `shop/it` changed.
fn changed(mut catalog: Catalog, change: impl FnOnce(&mut Slo)) -> Catalog {
    for slo in catalog.slos.values_mut() {
        if slo.uid.as_str() == "shop/it" {
            return {
                change(Arc::make_mut(slo));
                catalog
            };
        }
    }
    catalog
}

fn without(mut catalog: Catalog, uid: &str) -> Catalog {
    catalog.slos.remove(&SloId::new(uid));
    catalog
}

/// Requests of one instance only: a selection that is narrower than [`requests`].
fn narrow() -> Indicator {
    let matcher = |label: &str, op, value: &str| Matcher {
        label: label.into(),
        op,
        value: value.into(),
    };
    let total = selector("requests_total").refined([matcher("instance", MatchOp::Equal, "i")]);
    Indicator::Errors(Events::OfTotal {
        split: Split::Bad(vec![total.refined([matcher(
            "code",
            MatchOp::Matches,
            "5..",
        )])]),
        total: vec![total],
    })
}

/// What fails of something else.
fn jobs() -> Indicator {
    Indicator::Errors(Events::OfTotal {
        total: vec![selector("jobs_total")],
        split: Split::Bad(vec![selector("job_failures_total")]),
    })
}

fn world() -> World {
    shop(7_200, 7_500, 2)
        .with("jobs_total", "", |second| Some((second * 2) as f64))
        .with("job_failures_total", "", |second| {
            (second > 600).then_some((second / 100) as f64)
        })
}

#[test]
fn a_reload_of_the_same_changes_nothing_at_all() {
    let mut whole = Run::new(catalog(requests()));
    whole.ticks(&world(), 0, END, healthy);
    let mut reloaded = Run::new(catalog(requests()));
    for second in (0..END).step_by(30) {
        reloaded.ticks(&world(), second, second + 30, healthy);
        reloaded.reload(catalog(requests()));
    }
    assert_eq!(reloaded.told, whole.told);
    assert_eq!(reloaded.kept, whole.kept);
    assert_eq!(format!("{:?}", reloaded.last), format!("{:?}", whole.last));
}

#[test]
fn reloads_in_the_midst_of_an_incident_change_nothing_about_it() {
    let mut whole = Run::new(catalog(requests()));
    whole.ticks(&world(), 0, END, healthy);
    let one = || catalog(requests());
    // Before it, while it is open, after it rose, and while it is held.
    for at in [3_000, 7_260, 7_290, 7_410, 7_530] {
        for next in [
            with(one(), "a/narrow", narrow()),
            with(one(), "z/jobs", jobs()),
            changed(one(), |slo| slo.name = "renamed, with its uid".into()),
        ] {
            let mut run = Run::new(one());
            run.ticks(&world(), 0, at, healthy);
            run.reload(next.clone());
            run.ticks(&world(), at, END, healthy);
            assert_eq!(run.told, whole.told, "{at}");
            assert_eq!(run.slots("shop/it"), whole.slots("shop/it"), "{at}");
            let counts = |run: &Run| run.status("shop/it").window.counts;
            assert_eq!(counts(&run), counts(&whole), "{at}");
            for slo in &run.last.as_ref().unwrap().slos {
                assert!(slo.measurement.outcome.is_good(), "{at} {}", slo.id);
            }
        }
    }
}

#[test]
fn what_is_provisional_outlives_a_reload_while_the_source_is_away() {
    let counts = |reload: bool| {
        let mut run = Run::new(catalog(requests()));
        run.ticks(&world(), 0, 7_410, healthy);
        if reload {
            run.reload(with(run.catalog.clone(), "a/narrow", narrow()));
        }
        let away = |_| Some(Reading::Failed("cannot reach it".into()));
        run.ticks(&world(), 7_410, 7_440, away);
        let status = run.status("shop/it");
        (status.window.counts, status.burn.clone(), status.alert)
    };
    assert_eq!(counts(true), counts(false));
}

#[test]
fn a_restart_does_not_begin_anew_to_wait_before_it_says_that_nothing_is_measured() {
    let away = |_| Some(Reading::Failed("cannot reach it".into()));
    for restart in [false, true] {
        let mut run = Run::new(catalog(requests()));
        run.ticks(&world(), 0, 3_000, healthy);
        run.ticks(&world(), 3_000, 3_090, away);
        if restart {
            run.restart();
        }
        run.ticks(&world(), 3_090, 3_300, away);
        assert_eq!(run.told, ["3150 blind opened ticket team"], "{restart}");
    }
}

#[test]
fn where_bad_events_came_from_is_told_after_a_reload_as_before() {
    let contributors = |reload: bool| {
        let mut run = Run::new(catalog(requests()));
        run.ticks(&world(), 0, 7_410, healthy);
        if reload {
            run.reload(with(run.catalog.clone(), "a/narrow", narrow()));
        }
        run.ticks(&world(), 7_410, 7_440, healthy);
        run.status("shop/it").contributors.clone()
    };
    let told = contributors(true);
    assert!(
        told.iter().all(|(_, labels)| !labels.is_empty()),
        "{told:?}"
    );
    assert_eq!(told, contributors(false));
}

#[test]
fn what_is_removed_closes_and_has_its_past_when_it_returns() {
    let both = || with(catalog(requests()), "z/jobs", jobs());
    let mut run = Run::new(both());
    run.ticks(&world(), 0, 7_410, healthy);
    run.reload(without(both(), "shop/it"));
    run.ticks(&world(), 7_410, 8_100, healthy);
    insta::assert_snapshot!(run.told.join("\n"), @r"
    7260 opened ticket team
    7380 rose page team
    7440 removed page team
    ");
    assert_eq!(run.last.as_ref().unwrap().slos.len(), 1);
    run.reload(both());
    run.ticks(&world(), 8_100, END, healthy);
    let status = run.status("shop/it");
    // All that the end of the incident is: it was settled up to some minutes before it was removed,
    // and what is missing since is read when it returns.
    assert_eq!(
        (status.window.counts.bad, status.window.counts.total),
        (15_000.0, 900_000.0)
    );
    assert_eq!(status.alert, None);
}

/// Objectives in force at ticks, one after the other, and what the window allows and shows of it.
#[test]
fn a_change_of_the_objective_does_not_rewrite_the_past() {
    let promising = |objective: &str| {
        let objective = objective.parse().unwrap();
        changed(catalog(requests()), |slo| slo.objective = objective)
    };
    // A hundred requests a second, from the start of the hour at 3,600 s on.
    let counted = |run: &Run| run.status("shop/it").window.counts.total;
    for restart in [false, true] {
        let mut run = Run::new(promising("99.9%"));
        let go_over = |run: &mut Run, objective: &str| {
            run.catalog = promising(objective);
            if restart {
                run.restart();
            } else {
                run.reload(promising(objective));
            }
        };
        run.ticks(&world(), 0, 5_400, healthy);
        go_over(&mut run, "99%");
        run.ticks(&world(), 5_400, 5_430, healthy);
        let before = run.state.meters[0].ledger.sum(TimeRange {
            from: Timestamp::EARLIEST,
            to: Timestamp::from_millis(3_600_000),
        });
        let before = before.counts.total;
        let allowed = |run: &Run| run.status("shop/it").budget.unwrap().allowed;
        let expected = before * 0.001 + (counted(&run) - before) * 0.01;
        assert!(
            (allowed(&run) - expected).abs() < 1e-6,
            "{} {expected}",
            allowed(&run)
        );
        let versions = run.status("shop/it").versions.clone();
        let shown: Vec<String> = versions
            .all()
            .iter()
            .map(|it| it.objective.to_string())
            .collect();
        assert_eq!(shown, ["99.9%", "99%"]);
        // Burn rates are those of the promise in force.
        let burn = run.status("shop/it").burn.clone();
        let rate = |burn: &crate::status::snapshot::BurnStatus| {
            Some(burn.counts.bad / burn.counts.total / 0.01)
        };
        assert!(burn.iter().all(|it| it.rate == rate(it)));
        // Taken back within the hour, nothing has changed.
        go_over(&mut run, "99.9%");
        run.ticks(&world(), 5_430, 5_460, healthy);
        assert!((allowed(&run) - counted(&run) * 0.001).abs() < 1e-6);
        assert_eq!(run.status("shop/it").versions.all().len(), 1);
    }
}

/// Nothing had failed before the stop, so that not one series of failures was known.
#[test]
fn the_first_failure_after_a_restart_counts_as_much_as_without_it() {
    let both = || with(catalog(requests()), "z/jobs", jobs());
    let bad = |stop: Option<i64>| {
        let mut run = Run::new(both());
        if let Some(stop) = stop {
            run.ticks(&world(), 0, stop, healthy);
            run.restart();
        }
        run.ticks(&world(), stop.unwrap_or(0), 1_500, healthy);
        run.status("z/jobs").window.counts.bad
    };
    let whole = bad(None);
    assert!(whole > 0.0);
    for stop in [330, 510, 570, 600] {
        assert!((bad(Some(stop)) - whole).abs() < 1e-9, "{stop}");
    }
}

/// One of a few catalogs, by number.
fn variant(number: usize) -> Catalog {
    let one = || catalog(requests());
    match number {
        0 => one(),
        1 => with(one(), "a/narrow", narrow()),
        2 => without(with(one(), "z/jobs", jobs()), "shop/it"),
        3 => changed(one(), |slo| slo.indicator = narrow()),
        4 => changed(one(), |slo| slo.objective = "95%".parse().unwrap()),
        _ => with(with(one(), "z/jobs", jobs()), "a/narrow", narrow()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// The oracle is a restart with other definitions: a reload comes to the same.
    #[test]
    fn reloads_come_to_the_same_as_restarts(
        steps in prop::collection::vec((0..6_usize, 1..60_i64), 1..7),
    ) {
        let mut reloaded = Run::new(variant(0));
        let mut restarted = Run::new(variant(0));
        let mut from = 0;
        for (number, ticks) in steps.into_iter().chain([(5, 40)]) {
            let to = from + ticks * 30;
            reloaded.ticks(&world(), from, to, healthy);
            restarted.ticks(&world(), from, to, healthy);
            from = to;
            reloaded.reload(variant(number));
            restarted.catalog = variant(number);
            restarted.restart();
        }
        reloaded.ticks(&world(), from, from + 1_200, healthy);
        restarted.ticks(&world(), from, from + 1_200, healthy);
        prop_assert_eq!(&reloaded.told, &restarted.told);
        prop_assert_eq!(&reloaded.kept.chunks, &restarted.kept.chunks);
        prop_assert_eq!(&reloaded.kept.families, &restarted.kept.families);
        prop_assert_eq!(&reloaded.kept.lanes, &restarted.kept.lanes);
        let counts = |run: &Run| -> Vec<_> {
            let slos = run.last.as_ref().unwrap().slos.iter();
            slos.map(|slo| (slo.id.clone(), slo.window.counts)).collect()
        };
        prop_assert_eq!(counts(&reloaded), counts(&restarted));
    }
}
