//! Groups that appear, vanish, return and are too many, against engines that saw none of it or were
//! restarted in the midst of it.
#![expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "small whole numbers are exact"
)]

mod past;
mod refused;
mod regrouped;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::tests::{Run, World, at, catalog, fresh, healthy, requests, selector};
use crate::domain::decimal::Fraction;
use crate::domain::group::{Group, GroupOverride, Grouping};
use crate::domain::indicator::{Events, Indicator, Split};
use crate::domain::measurement::Outcome;
use crate::domain::quantity::{Bound, Quantity, Unit};
use crate::domain::selector::Matcher;
use crate::domain::slices::{Judge, MissingData, Sliced};
use crate::domain::slo::{Catalog, Slo, SloId, Window};
use crate::domain::time::{Span, TimeRange};
use crate::status::snapshot::SloStatus;

fn changed(mut catalog: Catalog, change: impl FnOnce(&mut Slo)) -> Catalog {
    if let Some(slo) = catalog.slos.values_mut().next() {
        change(Arc::make_mut(slo));
    }
    catalog
}

fn grouped(indicator: Indicator, grouping: Grouping) -> Catalog {
    changed(catalog(indicator), |slo| {
        slo.grouping = Some(Arc::new(grouping));
    })
}

fn by_route() -> Grouping {
    Grouping::by(["route"])
}

fn and_whole() -> Grouping {
    Grouping {
        also_whole: true,
        ..by_route()
    }
}

fn expecting(routes: &[&str]) -> Grouping {
    let group = |route: &&str| [("route", *route)].into_iter().collect();
    Grouping {
        expected: routes.iter().map(group).collect(),
        ..and_whole()
    }
}

/// A route that is there in `[from, to)`, with so many requests a second, of which a tenth fail.
fn route(world: World, route: &str, (from, to): (i64, i64), pace: i64) -> World {
    let there = move |second: i64| (from..to).contains(&second);
    let counted = move |second: i64, pace: i64| {
        // What is counted at the first scrape happened since the one before.
        there(second).then_some(((second - from + 15) * pace) as f64)
    };
    world
        .with(
            "requests_total",
            &format!("code=200,route={route}"),
            move |second| counted(second, pace * 9),
        )
        .with(
            "requests_total",
            &format!("code=500,route={route}"),
            move |second| counted(second, pace),
        )
}

fn always(world: World, name: &str, pace: i64) -> World {
    route(world, name, (-100_000, i64::MAX), pace)
}

fn shop() -> World {
    always(always(World::new(15), "/list", 3), "/pay", 1)
}

fn shown(status: &SloStatus) -> String {
    let counts = status.window.counts;
    format!(
        "{} {:?} {} of {}",
        status.id, status.measurement.outcome, counts.bad, counts.total
    )
}

fn all(run: &Run) -> Vec<String> {
    let slos = run.last.as_ref().unwrap().slos.iter();
    slos.map(|slo| shown(slo)).collect()
}

fn ids(run: &Run) -> String {
    let slos = run.last.as_ref().unwrap().slos.iter();
    let ids = slos.map(|slo| slo.id.trim_start_matches("shop/it").to_owned());
    ids.collect::<Vec<_>>().join(" ")
}

#[test]
fn each_group_has_its_own_budget_alert_and_incident() {
    let mut run = Run::new(grouped(requests(), and_whole()));
    let quiet = |pace: i64| move |second: i64| Some((second * pace) as f64);
    let world = always(World::new(15), "/pay", 1).with(
        "requests_total",
        "code=200,route=/list",
        quiet(500),
    );
    run.ticks(&world, 0, 3_600, healthy);
    insta::assert_snapshot!(all(&run).join("\n"), @r#"
    shop/it Measured 4185 of 1841850
    shop/it{route="/list"} Measured 0 of 1800000
    shop/it{route="/pay"} Measured 4185 of 41850
    "#);
    let incidents = &run.last.as_ref().unwrap().incidents;
    let open: Vec<&str> = incidents.iter().map(|it| it.slo.as_str()).collect();
    assert_eq!(open, [r#"shop/it{route="/pay"}"#]);
    let pay = run.status(r#"shop/it{route="/pay"}"#);
    assert_eq!(pay.slo.group, Group::from_iter([("route", "/pay")]));
    assert_eq!(pay.slo.uid.as_str(), "shop/it");
    assert!(pay.contributors[1].1.iter().all(|it| it.label != "route"));
}

#[test]
fn while_no_group_is_known_the_whole_is_shown_as_what_is_not_measured() {
    let mut run = Run::new(grouped(requests(), by_route()));
    let world = route(World::new(15), "/pay", (3_000, i64::MAX), 1);
    run.ticks(&world, 0, 2_970, healthy);
    assert_eq!(all(&run), ["shop/it NoData 0 of 0"]);
    let reason = &run.status("shop/it").measurement.reason;
    insta::assert_snapshot!(reason.as_deref().unwrap_or_default(), @"no series of `requests_total` match what shop/it selects; check its selectors");
    run.ticks(&world, 2_970, 3_600, healthy);
    assert_eq!(ids(&run), r#"{route="/pay"}"#);
}

#[test]
fn the_first_failures_of_a_new_group_are_counted_whole() {
    let mut run = Run::new(grouped(requests(), by_route()));
    let world = route(shop(), "/new", (3_015, i64::MAX), 2);
    run.ticks(&world, 0, 3_030, healthy);
    let new = run.status(r#"shop/it{route="/new"}"#);
    assert_eq!(
        (new.window.counts.bad, new.window.counts.total),
        (60.0, 600.0)
    );
    let old = run.status(r#"shop/it{route="/pay"}"#);
    assert_eq!(new.window.coverage, old.window.coverage, "it was not there");
    run.ticks(&world, 3_030, 6_000, healthy);
    let new = run.status(r#"shop/it{route="/new"}"#);
    assert_eq!(
        (new.window.counts.bad, new.window.counts.total),
        (6_000.0, 60_000.0)
    );
}

#[test]
fn a_new_group_that_goes_with_its_objective_has_what_it_missed_when_it_returns() {
    let mut both = grouped(requests(), by_route());
    let it = both.slos.values().next().unwrap();
    let mut other = Slo {
        uid: SloId::new("z/other"),
        grouping: None,
        ..Slo::clone(it)
    };
    (other.id, other.counted_as) = (other.uid.clone(), other.uid.clone());
    let only = Catalog {
        slos: BTreeMap::from([(other.uid.clone(), Arc::new(other.clone()))]),
        ..both.clone()
    };
    both.slos.insert(other.uid.clone(), Arc::new(other));
    let world = route(shop(), "/new", (3_015, i64::MAX), 2);
    let new = r#"shop/it{route="/new"}"#;
    let mut watcher = Run::new(both.clone());
    watcher.ticks(&world, 0, 4_530, healthy);
    while watcher.dig(&world, Span::from_hours(1)) {}
    watcher.ticks(&world, 4_530, 6_000, healthy);
    for seen_to in [3_030, 3_330] {
        let mut run = Run::new(both.clone());
        run.ticks(&world, 0, seen_to, healthy);
        run.reload(only.clone());
        run.ticks(&world, seen_to, 4_500, healthy);
        run.reload(both.clone());
        run.ticks(&world, 4_500, 4_530, healthy);
        while run.dig(&world, Span::from_hours(1)) {}
        run.ticks(&world, 4_530, 6_000, healthy);
        let window = |run: &Run| run.status(new).window;
        assert_eq!(window(&run), window(&watcher), "seen to {seen_to}");
    }
}

#[test]
fn row_16_groups_beyond_the_cap_are_refused_and_change_nothing_for_those_that_are_known() {
    let few = |most| Grouping { most, ..by_route() };
    let world = || {
        route(
            route(shop(), "/a", (2_000, i64::MAX), 1),
            "/b",
            (3_000, i64::MAX),
            1,
        )
    };
    let mut run = Run::new(grouped(requests(), few(3)));
    run.ticks(&world(), 0, 6_000, healthy);
    assert_eq!(ids(&run), r#"{route="/a"} {route="/list"} {route="/pay"}"#);
    let mut free = Run::new(grouped(requests(), few(4)));
    free.ticks(&world(), 0, 6_000, healthy);
    for route in ["/a", "/list", "/pay"] {
        let id = format!("shop/it{{route={route:?}}}");
        assert_eq!(shown(run.status(&id)), shown(free.status(&id)));
        assert_eq!(run.slots(&id), free.slots(&id));
    }
    let count = run.status(r#"shop/it{route="/a"}"#).groups.unwrap();
    assert_eq!((count.known, count.most, count.refused), (3, 3, 1));
    // With more room what was refused comes in, and none of its lifetime into its budget.
    run.reload(grouped(requests(), few(4)));
    run.ticks(&world(), 6_000, 7_200, healthy);
    let counts = run.status(r#"shop/it{route="/b"}"#).window.counts;
    assert!(counts.total < 20_000.0, "{counts:?} of its 42,000");
    assert!(counts.total >= 12_000.0, "{counts:?}");
    assert!(run.state.groups.refused.is_empty());
    // With less room than are known nothing happens to them.
    run.reload(grouped(requests(), few(1)));
    run.ticks(&world(), 7_200, 7_260, healthy);
    assert_eq!(run.last.as_ref().unwrap().slos.len(), 4);
}

#[test]
fn a_group_that_is_gone_keeps_its_budget_and_goes_on_when_it_returns() {
    let mut run = Run::new(grouped(requests(), by_route()));
    let counted = |second: i64| (second.min(3_000) + (second - 9_000).max(0)) as f64;
    let there = |second: i64| !(3_015..9_000).contains(&second);
    let world = always(World::new(15), "/pay", 1)
        .with("requests_total", "code=200,route=/old", move |second| {
            there(second).then_some(counted(second) * 9.0)
        })
        .with("requests_total", "code=500,route=/old", move |second| {
            there(second).then_some(counted(second))
        });
    run.ticks(&world, 0, 3_600, healthy);
    let gone = run.status(r#"shop/it{route="/old"}"#);
    assert_eq!(
        shown(gone),
        r#"shop/it{route="/old"} NoTraffic 3000 of 30000"#
    );
    assert!(
        !run.told.iter().any(|told| told.contains("blind")),
        "{:?}",
        run.told
    );
    run.ticks(&world, 3_600, 9_600, healthy);
    let back = run.status(r#"shop/it{route="/old"}"#);
    assert_eq!(
        shown(back),
        r#"shop/it{route="/old"} Measured 3600 of 36000"#
    );
    assert!(back.window.coverage > 0.1);
}

#[test]
fn a_group_of_which_nothing_is_left_is_dropped_and_may_come_back() {
    let short = |slo: &mut Slo| slo.window = Window::Rolling(Span::from_hours(2));
    let mut run = Run::new(changed(grouped(requests(), by_route()), short));
    let world = || route(shop(), "/old", (-100_000, 3_000), 1);
    run.ticks(&world(), 0, 10_200, healthy);
    assert!(ids(&run).contains("/old"), "its series are remembered");
    // All of the past is counted: nothing that is still to come might be its.
    run.state.walks.clear();
    // As if the daemon had been away for three days.
    run.ticks(&world(), 1_800 + 3 * 86_400, 2_400 + 3 * 86_400, healthy);
    assert!(ids(&run).contains("/old"));
    run.ticks(&world(), 2_400 + 3 * 86_400, 4_200 + 3 * 86_400, healthy);
    assert_eq!(ids(&run), r#"{route="/list"} {route="/pay"}"#);
    assert!(run.slots(r#"shop/it{route="/old"}"#).is_empty());
    let known: Vec<usize> = run.kept.groups.values().map(|it| it.groups.len()).collect();
    assert_eq!(known, [2]);
    let again = route(shop(), "/old", (5_010 + 3 * 86_400, i64::MAX), 1);
    run.ticks(&again, 4_200 + 3 * 86_400, 5_100 + 3 * 86_400, healthy);
    let back = run.status(r#"shop/it{route="/old"}"#);
    assert_eq!(back.window.counts.total, 1_050.0);
}

#[test]
fn an_expected_group_that_vanishes_is_told_and_makes_the_whole_partial() {
    let mut run = Run::new(grouped(requests(), expecting(&["/pay", "/eu"])));
    let world = route(shop(), "/eu", (-100_000, 3_000), 1);
    run.ticks(&world, 0, 2_970, healthy);
    insta::assert_snapshot!(all(&run).join("\n"), @r#"
    shop/it Measured 17775 of 177750
    shop/it{route="/eu"} Measured 3555 of 35550
    shop/it{route="/list"} Measured 10665 of 106650
    shop/it{route="/pay"} Measured 3555 of 35550
    "#);
    run.told.clear();
    run.ticks(&world, 2_970, 3_600, healthy);
    insta::assert_snapshot!(all(&run).join("\n"), @r#"
    shop/it Partial 20310 of 203100
    shop/it{route="/eu"} NoData 3570 of 35700
    shop/it{route="/list"} Measured 12555 of 125550
    shop/it{route="/pay"} Measured 4185 of 41850
    "#);
    let reason = |id: &str| run.status(id).measurement.reason.clone().unwrap();
    insta::assert_snapshot!(reason("shop/it"), @r#"a part is missing: nothing is measured of {route="/eu"}, which `expect` names"#);
    insta::assert_snapshot!(reason(r#"shop/it{route="/eu"}"#), @"`requests_total` has had no sample since 1970-01-01T00:49:45Z");
    insta::assert_snapshot!(run.told.join("\n"), @"
    3150 blind opened ticket team
    3150 blind opened ticket team
    ");
}

#[test]
fn an_expected_group_is_there_before_it_has_series() {
    let mut run = Run::new(grouped(requests(), expecting(&["/later"])));
    let world = route(shop(), "/later", (3_015, i64::MAX), 1);
    run.ticks(&world, 0, 600, healthy);
    assert_eq!(
        shown(run.status(r#"shop/it{route="/later"}"#)),
        r#"shop/it{route="/later"} NoData 0 of 0"#
    );
    run.ticks(&world, 600, 3_600, healthy);
    assert_eq!(
        shown(run.status(r#"shop/it{route="/later"}"#)),
        r#"shop/it{route="/later"} Measured 600 of 6000"#
    );
}

#[test]
fn a_group_may_have_an_objective_of_its_own() {
    let whom = vec![Matcher::equal("route", "/pay")];
    let grouping = Grouping {
        overrides: vec![GroupOverride {
            whom,
            objective: "80%".parse().unwrap(),
        }],
        ..by_route()
    };
    let mut run = Run::new(grouped(requests(), grouping));
    run.ticks(&shop(), 0, 3_600, healthy);
    let objective = |route: &str| {
        let slo = &run.status(&format!("shop/it{{route={route:?}}}")).slo;
        slo.objective.to_string()
    };
    assert_eq!(
        (objective("/pay"), objective("/list")),
        ("80%".into(), "99%".into())
    );
    let open = &run.last.as_ref().unwrap().incidents;
    let open: Vec<&str> = open.iter().map(|it| it.slo.as_str()).collect();
    assert_eq!(open, [r#"shop/it{route="/list"}"#]);
}

#[test]
fn row_15_groups_are_told_apart_by_the_named_labels_alone() {
    let mut run = Run::new(grouped(requests(), by_route()));
    let world = shop()
        .with("requests_total", "code=200", |second| Some(second as f64))
        .with("requests_total", "code=200,pod=b,route=/pay", |second| {
            Some(second as f64)
        });
    run.ticks(&world, 0, 600, healthy);
    assert_eq!(ids(&run), r#"{route=""} {route="/list"} {route="/pay"}"#);
    assert_eq!(run.status(r#"shop/it{route=""}"#).group.get("route"), "");
    assert_eq!(run.status(r#"shop/it{route="/pay"}"#).series.total, 3);
}

#[test]
fn slices_are_judged_group_by_group() {
    let traffic = Indicator::Slices(Sliced {
        judge: Judge::Rate {
            total: selector("requests_total"),
            bound: Bound::AtLeast(Quantity {
                value: Fraction::new(20, 1),
                unit: Unit::PerSecond,
            }),
        },
        slice: Span::from_mins(1),
        missing: MissingData::Hold,
    });
    let mut run = Run::new(grouped(traffic, and_whole()));
    let world = route(shop(), "/new", (1_815, 3_000), 1);
    run.ticks(&world, 0, 3_600, healthy);
    insta::assert_snapshot!(all(&run).join("\n"), @r#"
    shop/it Measured 0 of 70
    shop/it{route="/list"} Measured 0 of 70
    shop/it{route="/new"} NoTraffic 20 of 20
    shop/it{route="/pay"} Measured 70 of 70
    "#);
    let coverage = |route: &str| {
        let status = run.status(&format!("shop/it{{route={route:?}}}"));
        status.window.coverage
    };
    assert_eq!(coverage("/new"), coverage("/pay"));
}

/// Something that tells each minute when it was last done, of each route.
fn told_of(missing: MissingData) -> Indicator {
    Indicator::Slices(Sliced {
        judge: fresh(),
        slice: Span::from_mins(1),
        missing,
    })
}

fn done(world: World, route: &str, (from, to): (i64, i64)) -> World {
    world.with("done", &format!("route={route}"), move |second| {
        (from..to).contains(&second).then_some(second as f64)
    })
}

#[test]
fn of_a_group_that_comes_and_goes_nothing_is_missing() {
    let world = || {
        let world = done(World::new(15), "/pay", (i64::MIN, i64::MAX));
        let world = done(world, "/gone", (i64::MIN, 3_600));
        done(world, "/new", (3_595, i64::MAX))
    };
    for missing in [MissingData::Good, MissingData::Bad] {
        let mut watched = Run::new(grouped(told_of(missing), by_route()));
        watched.ticks(&world(), 0, 7_200, healthy);
        let mut late = Run::new(grouped(told_of(missing), by_route()));
        late.ticks(&world(), 7_140, 7_170, healthy);
        while late.dig(&world(), Span::from_mins(40)) {}
        late.ticks(&world(), 7_170, 7_200, healthy);
        for run in [&watched, &late] {
            let slices = |route: &str| {
                let range = TimeRange {
                    from: at(1_800),
                    to: at(7_200),
                };
                let id = format!("shop/it{{route={route:?}}}");
                let sum = run.status(&id).ledger.sum(range);
                (sum.counts.bad, sum.counts.total)
            };
            // Its last sample is valid for a little more than half a slice.
            assert_eq!(slices("/gone"), (0.0, 30.0), "{missing:?}");
            assert_eq!(slices("/new"), (0.0, 61.0), "{missing:?}");
            assert_eq!(slices("/pay"), (0.0, 90.0), "{missing:?}");
            assert!(run.told.is_empty(), "{missing:?} {:?}", run.told);
        }
    }
}

#[test]
fn a_group_that_is_gone_goes_though_missing_data_is_bad() {
    let short = |slo: &mut Slo| slo.window = Window::Rolling(Span::from_hours(2));
    let mut run = Run::new(changed(
        grouped(told_of(MissingData::Bad), by_route()),
        short,
    ));
    let world = done(World::new(15), "/pay", (i64::MIN, i64::MAX));
    let world = done(world, "/old", (i64::MIN, 3_600));
    run.ticks(&world, 0, 7_200, healthy);
    while run.dig(&world, Span::from_hours(1)) {}
    run.ticks(&world, 7_200, 12_000, healthy);
    assert_eq!(ids(&run), r#"{route="/pay"}"#);
}

#[test]
fn what_is_missing_of_an_expected_group_counts() {
    let mut run = Run::new(grouped(
        told_of(MissingData::Bad),
        expecting(&["/pay", "/eu", "/later"]),
    ));
    let world = done(World::new(15), "/pay", (i64::MIN, i64::MAX));
    let world = done(world, "/eu", (i64::MIN, 3_600));
    run.ticks(&world, 0, 7_200, healthy);
    let bad = |route: &str| {
        let status = run.status(&format!("shop/it{{route={route:?}}}"));
        (status.window.counts.bad, status.measurement.outcome)
    };
    assert_eq!(bad("/pay"), (0.0, Outcome::Measured));
    assert_eq!(bad("/eu"), (60.0, Outcome::Measured));
    // It was never there.
    assert_eq!(bad("/later"), (0.0, Outcome::NoData));
}

#[test]
fn two_families_make_groups_together() {
    let jobs = Indicator::Errors(Events::OfTotal {
        total: vec![selector("jobs_total")],
        split: Split::Bad(vec![selector("job_failures_total")]),
    });
    let mut run = Run::new(grouped(jobs, by_route()));
    let world = World::new(15)
        .with("jobs_total", "route=/a", |second| Some((second * 2) as f64))
        .with("jobs_total", "route=/b", |second| Some((second * 2) as f64))
        .with("job_failures_total", "route=/b", |second| {
            (second >= 1_200).then_some(((second - 1_185) / 15) as f64)
        });
    run.ticks(&world, 0, 3_600, healthy);
    insta::assert_snapshot!(all(&run).join("\n"), @r#"
    shop/it{route="/a"} Measured 0 of 7200
    shop/it{route="/b"} Measured 161 of 7200
    "#);
}

/// One of a few catalogs, by number.
fn variant(number: usize) -> Catalog {
    match number {
        0 => grouped(requests(), by_route()),
        1 => grouped(requests(), and_whole()),
        2 => grouped(requests(), Grouping::by(["code"])),
        3 => grouped(requests(), expecting(&["/pay", "/eu"])),
        4 => catalog(requests()),
        _ => changed(grouped(requests(), by_route()), |slo| {
            slo.objective = "95%".parse().unwrap();
        }),
    }
}

/// Routes that come and go in the first hour.
fn fleeting() -> World {
    let world = route(shop(), "/a", (300, i64::MAX), 1);
    let world = route(world, "/b", (900, 1_500), 2);
    route(world, "/eu", (-100_000, 2_000), 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// The oracle is an engine that was never stopped.
    #[test]
    fn restarts_change_nothing_about_groups(stops in prop::collection::vec(1..110_i64, 1..5)) {
        let mut whole = Run::new(variant(1));
        whole.ticks(&fleeting(), 0, 3_600, healthy);
        let mut run = Run::new(variant(1));
        let mut from = 0;
        let mut stops: Vec<i64> = stops.into_iter().map(|tick| tick * 30).collect();
        stops.sort_unstable();
        stops.dedup();
        for stop in stops {
            run.ticks(&fleeting(), from, stop, healthy);
            run.restart();
            from = stop;
        }
        run.ticks(&fleeting(), from, 3_600, healthy);
        prop_assert_eq!(all(&run), all(&whole));
        prop_assert_eq!(&run.kept.chunks, &whole.kept.chunks);
        prop_assert_eq!(&run.kept.lanes, &whole.kept.lanes);
        prop_assert_eq!(&run.kept.groups, &whole.kept.groups);
    }

    /// The oracle is a restart with other definitions: a reload comes to the same.
    #[test]
    fn reloads_of_groups_come_to_the_same_as_restarts(
        steps in prop::collection::vec((0..6_usize, 1..40_i64), 1..6),
    ) {
        let mut reloaded = Run::new(variant(0));
        let mut restarted = Run::new(variant(0));
        let mut from = 0;
        for (number, ticks) in steps.into_iter().chain([(1, 40)]) {
            let to = from + ticks * 30;
            reloaded.ticks(&fleeting(), from, to, healthy);
            restarted.ticks(&fleeting(), from, to, healthy);
            from = to;
            reloaded.reload(variant(number));
            restarted.catalog = variant(number);
            restarted.restart();
        }
        reloaded.ticks(&fleeting(), from, from + 600, healthy);
        restarted.ticks(&fleeting(), from, from + 600, healthy);
        prop_assert_eq!(all(&reloaded), all(&restarted));
        prop_assert_eq!(&reloaded.told, &restarted.told);
        prop_assert_eq!(&reloaded.kept.chunks, &restarted.kept.chunks);
        prop_assert_eq!(&reloaded.kept.lanes, &restarted.kept.lanes);
        prop_assert_eq!(&reloaded.kept.groups, &restarted.kept.groups);
    }
}
