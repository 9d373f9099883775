//! More groups than there may be: from when on that is told and until when, through outages, restarts
//! and other definitions, and that it changes nothing for those that are watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::past::floor;
use super::{all, by_route, changed, grouped, route, shop};
use crate::domain::group::Grouping;
use crate::domain::incident::Change;
use crate::domain::indicator::Indicator;
use crate::domain::notice::{Facts, RefusedFacts};
use crate::domain::route::Route;
use crate::domain::slo::{Catalog, Slo, SloId};
use crate::engine::intake::Reading;
use crate::engine::tests::{Run, World, healthy, requests};
use crate::status::snapshot::OpenEpisode;
use crate::store::commit::EpisodeKey;

/// There is room for what is always there.
const ROOM: usize = 2;

/// When more come.
const CROWDED: i64 = 3_000;

fn few(most: usize) -> Grouping {
    Grouping { most, ..by_route() }
}

/// Beside the two groups that are always there seven others, in `[from, to)`.
fn crowd((from, to): (i64, i64)) -> World {
    let others = (0..7).map(|number| format!("/x{number}"));
    others.fold(shop(), |world, other| route(world, &other, (from, to), 1))
}

/// What was told of groups, and all else.
fn told(run: &Run) -> (Vec<&str>, Vec<&str>) {
    let told = run.told.iter().map(String::as_str);
    told.partition(|it| it.contains(" groups "))
}

fn failed(second: i64, from: i64, to: i64) -> Option<Reading> {
    let fails = (from..to).contains(&second);
    fails.then(|| Reading::Failed("HTTP 503".to_owned()))
}

/// A world in which others come and go, and what is told of them.
struct Case {
    what: &'static str,
    indicator: fn() -> Indicator,
    /// When the others are there.
    there: (i64, i64),
    /// When nothing can be read.
    unread: (i64, i64),
    told: &'static [&'static str],
}

#[test]
fn row_16_what_lasts_is_told_once_and_is_over_only_when_that_is_known() {
    let (always, never) = (i64::MAX, (0, 0));
    let case = |what, there, unread, told| Case {
        what,
        indicator: requests,
        there,
        unread,
        told,
    };
    let of_slices = |case| Case {
        indicator: floor,
        ..case
    };
    let stay = || case("they stay", (CROWDED, always), never, &["3120 opened"]);
    let go = || {
        let told = &["3120 opened", "4200 recovered"];
        case("they go", (CROWDED, 4_000), never, told)
    };
    let cases = [
        case("none", (20_000, always), never, &[]),
        case("one scrape", (CROWDED, 3_015), never, &[]),
        stay(),
        go(),
        case(
            "they go while nothing can be read",
            (CROWDED, 4_000),
            (3_900, 5_000),
            &["3120 opened", "5130 recovered"],
        ),
        case(
            "nothing can be read once they are gone",
            (CROWDED, 4_000),
            (4_110, 5_000),
            &["3120 opened", "5010 recovered"],
        ),
        case(
            "nothing can be read when they come",
            (CROWDED, always),
            (3_030, 3_600),
            &["3600 opened"],
        ),
        case(
            "nothing can be read any more",
            (CROWDED, always),
            (3_600, always),
            &["3120 opened"],
        ),
        of_slices(stay()),
        of_slices(go()),
    ];
    for case in cases {
        let Case {
            what,
            indicator,
            there,
            unread,
            told: expected,
        } = case;
        let fault = |second| failed(second, unread.0, unread.1);
        let mut run = Run::new(grouped(indicator(), few(ROOM)));
        run.ticks(&crowd(there), 0, 7_200, fault);
        let (groups, others) = told(&run);
        let expected: Vec<String> = expected
            .iter()
            .map(|it| it.replace(' ', " groups ") + " ticket team")
            .collect();
        assert_eq!(groups, expected, "{what}");
        // In an outage what was known last.
        let is_open = expected.last().is_some_and(|it| it.contains("opened"));
        let count = run.last.as_ref().unwrap().slos[0].groups.unwrap();
        assert_eq!(count.refused, if is_open { 7 } else { 0 }, "{what}");
        let mut alone = Run::new(grouped(indicator(), few(ROOM)));
        alone.ticks(&shop(), 0, 7_200, fault);
        assert_eq!(all(&run), all(&alone), "{what}");
        assert_eq!(others, told(&alone).1, "{what}");
    }
}

/// The facts that were told of groups at the beginning and at the end.
fn facts(run: &Run) -> Vec<(Change, RefusedFacts)> {
    let notices = run.kept.outbox.values();
    let mut facts: Vec<_> = notices
        .filter_map(|notice| match &notice.facts {
            Facts::Refused(facts) => Some((notice.sequence, notice.change, (**facts).clone())),
            Facts::Burn(_)
            | Facts::Unmeasured(_)
            | Facts::PassedOver(_)
            | Facts::Removed { .. } => None,
        })
        .collect();
    facts.sort_by_key(|(sequence, ..)| *sequence);
    facts
        .into_iter()
        .map(|(_, change, it)| (change, it))
        .collect()
}

#[test]
fn it_is_told_how_many_are_watched_how_many_are_not_and_which() {
    let mut run = Run::new(grouped(requests(), few(ROOM)));
    let world = crowd((CROWDED, i64::MAX));
    run.ticks(&world, 0, 3_600, healthy);
    let groups = run.status(r#"shop/it{route="/pay"}"#).groups.unwrap();
    assert_eq!((groups.known, groups.most, groups.refused), (2, 2, 7));
    run.reload(grouped(requests(), few(20)));
    run.ticks(&world, 3_600, 4_200, healthy);
    let shown = facts(&run).into_iter().map(|(change, it)| {
        let (counts, names) = ((it.known, it.most, it.refused, it.more), it.some.join(" "));
        format!("{change:?} {} by {:?}: {counts:?} {names}", it.slo, it.by)
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    Opened shop/it by ["route"]: (2, 2, 7, false) {route="/x0"} {route="/x1"} {route="/x2"} {route="/x3"} {route="/x4"}
    Closed(Recovered) shop/it by ["route"]: (9, 20, 7, false) {route="/x0"} {route="/x1"} {route="/x2"} {route="/x3"} {route="/x4"}
    "#);
    let groups = run.status(r#"shop/it{route="/x6"}"#).groups.unwrap();
    assert_eq!((groups.known, groups.most, groups.refused), (9, 20, 0));
}

/// The objective under another name.
fn renamed() -> Catalog {
    let other = |slo: &mut Slo| {
        let id = SloId::new("shop/other");
        (slo.uid, slo.id, slo.counted_as) = (id.clone(), id.clone(), id);
    };
    let catalog = changed(grouped(requests(), few(ROOM)), other);
    let slos = catalog.slos.into_values();
    Catalog {
        slos: slos.map(|slo| (slo.uid.clone(), slo)).collect(),
        ..catalog
    }
}

/// The objective when nobody is told of what is not measured.
fn untold() -> Catalog {
    let mut catalog = grouped(requests(), few(ROOM));
    for policy in catalog.policies.values_mut() {
        Arc::make_mut(policy).unmeasured = None;
    }
    catalog
}

#[test]
fn other_definitions_end_it_or_let_it_go_on_whether_read_anew_or_after_a_restart() {
    let unpromised = |slo: &mut Slo| slo.policy = None;
    let cases: [(&str, Catalog, &[&str]); 8] = [
        ("the same", grouped(requests(), few(ROOM)), &[]),
        ("less room", grouped(requests(), few(1)), &[]),
        (
            "more room",
            grouped(requests(), few(20)),
            &["3750 recovered"],
        ),
        (
            "by another label",
            grouped(
                requests(),
                Grouping {
                    most: ROOM,
                    ..Grouping::by(["code"])
                },
            ),
            &["3750 recovered"],
        ),
        (
            "no groups",
            crate::engine::tests::catalog(requests()),
            &["3630 removed"],
        ),
        ("no such objective", renamed(), &["3630 removed"]),
        (
            "no policy",
            changed(grouped(requests(), few(ROOM)), unpromised),
            &["3630 removed"],
        ),
        ("nobody is to be told", untold(), &["3630 removed"]),
    ];
    for (what, after, expected) in cases {
        let expected = expected
            .iter()
            .map(|it| it.replace(' ', " groups ") + " ticket team");
        let told_before = ["3120 groups opened ticket team".to_owned()];
        let expected: Vec<String> = told_before.into_iter().chain(expected).collect();
        for restarts in [false, true] {
            let mut run = Run::new(grouped(requests(), few(ROOM)));
            let world = crowd((CROWDED, i64::MAX));
            run.ticks(&world, 0, 3_600, healthy);
            if restarts {
                run.catalog = after.clone();
                run.restart();
            } else {
                run.reload(after.clone());
            }
            run.ticks(&world, 3_600, 3_900, healthy);
            let of_it = |it: &&str| !it.contains("opened") || it.starts_with("3120");
            let (groups, _) = told(&run);
            let groups: Vec<&str> = groups.into_iter().filter(of_it).collect();
            assert_eq!(groups, expected, "{what} {restarts}");
            let key = EpisodeKey::Refused(SloId::new("shop/it"));
            let is_open = expected.len() == 1;
            assert_eq!(run.state.episodes.contains_key(&key), is_open, "{what}");
            assert_eq!(run.kept.episodes[&key].is_some(), is_open, "{what}");
            let episodes = &run.last.as_ref().unwrap().episodes;
            let is_its = |it: &OpenEpisode| match &it.notice.facts {
                Facts::Refused(facts) => facts.slo.as_str() == "shop/it",
                Facts::Burn(_)
                | Facts::Unmeasured(_)
                | Facts::PassedOver(_)
                | Facts::Removed { .. } => false,
            };
            assert_eq!(episodes.iter().any(is_its), is_open, "{what}");
        }
    }
}

/// What was waited for while nobody was to be told does not count.
#[test]
fn an_objective_that_returns_waits_anew() {
    let mut run = Run::new(grouped(requests(), few(ROOM)));
    let world = crowd((CROWDED, i64::MAX));
    run.ticks(&world, 0, 3_060, healthy);
    run.reload(untold());
    run.ticks(&world, 3_060, 3_600, healthy);
    run.reload(grouped(requests(), few(ROOM)));
    run.ticks(&world, 3_600, 3_900, healthy);
    assert_eq!(told(&run).0, ["3750 groups opened ticket team"]);
}

#[test]
fn whoever_is_told_of_tickets_of_a_promise_is_told_once() {
    let mut catalog = grouped(requests(), few(ROOM));
    let whole = catalog.slos.remove(&SloId::new("shop/it")).unwrap();
    for (target, policy) in [("slo", Some("test")), ("slx", Some("test")), ("sla", None)] {
        let uid = SloId::new(format!("shop/it/{target}"));
        let promise = Slo {
            uid: uid.clone(),
            id: uid.clone(),
            target: Some(target.to_owned()),
            policy: policy.map(str::to_owned),
            ..Slo::clone(&whole)
        };
        catalog.slos.insert(uid, Arc::new(promise));
    }
    let to = |name: &str, value: &str, to: &str, goes_on| Route {
        matches: BTreeMap::from([(name.to_owned(), value.to_owned())]),
        to: vec![to.to_owned()],
        goes_on,
    };
    catalog.routing.routes = vec![
        to("severity", "page", "nobody", false),
        to("target", "slo", "one", true),
        to("target", "slx", "two", false),
        to("target", "sla", "nobody", false),
        to("service", "shop", "all", false),
    ];
    let mut run = Run::new(catalog);
    run.ticks(&crowd((CROWDED, i64::MAX)), 0, 3_600, healthy);
    let all = ["all", "one", "two"];
    let all = all.map(|receiver| format!("3120 groups opened ticket {receiver}"));
    assert_eq!(told(&run).0, all);
    let notices = run.kept.outbox.values();
    let of_groups = |facts: &Facts| matches!(facts, Facts::Refused(_));
    let notice = notices.into_iter().find(|it| of_groups(&it.facts)).unwrap();
    let labels: Vec<String> = notice
        .labels
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    assert_eq!(labels, ["service=shop", "signal=errors", "slo=shop/it"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// The oracle is an engine that was never stopped.
    #[test]
    fn restarts_lose_nothing_of_what_is_told_of_groups_and_double_nothing(
        stops in prop::collection::vec(20..90_i64, 1..6),
        there in (600..900_i64, 900..1_500_i64),
    ) {
        let mut whole = Run::new(grouped(requests(), few(ROOM)));
        whole.ticks(&crowd(there), 0, 2_700, healthy);
        let mut run = Run::new(grouped(requests(), few(ROOM)));
        let mut from = 0;
        let mut stops: Vec<i64> = stops.into_iter().map(|tick| tick * 30).collect();
        stops.sort_unstable();
        stops.dedup();
        for stop in stops {
            run.ticks(&crowd(there), from, stop, healthy);
            run.restart();
            from = stop;
        }
        run.ticks(&crowd(there), from, 2_700, healthy);
        prop_assert_eq!(&run.told, &whole.told);
        prop_assert_eq!(&run.kept.outbox, &whole.kept.outbox);
        prop_assert_eq!(&run.kept.episodes, &whole.kept.episodes);
        prop_assert_eq!(&run.kept.groups, &whole.kept.groups);
    }
}
