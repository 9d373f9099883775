//! Who is told that nothing can be measured: each objective once, however its source fails.

use std::sync::Arc;

use crate::domain::incident::Change;
use crate::domain::indicator::{Events, Indicator, Split};
use crate::domain::notice::Facts;
use crate::domain::policy::{AlertPolicy, Unmeasured};
use crate::domain::slo::{Catalog, SloId};
use crate::domain::time::Span;
use crate::engine::intake::Reading;

use super::{Run, World, catalog, healthy, selector};

/// Objectives by these names, each with a metric of its own name. All are to be told of after two
/// minutes, but for `patient`, which waits for four.
fn promises(names: &[&str]) -> Catalog {
    let errors = |metric: &str| {
        let total = selector(metric);
        Indicator::Errors(Events::OfTotal {
            split: Split::Bad(vec![total.clone()]),
            total: vec![total],
        })
    };
    let mut all = catalog(errors("none"));
    let mut policy = (*all.policies["test"]).clone();
    policy.tiers.clear();
    let patient = policy.unmeasured.map(|rule| Unmeasured {
        after: Span::from_mins(4),
        ..rule
    });
    let slow = AlertPolicy {
        unmeasured: patient,
        ..policy.clone()
    };
    all.policies.insert("test".into(), Arc::new(policy));
    all.policies.insert("slow".into(), Arc::new(slow));
    let one = all.slos.values().next().map(|slo| (**slo).clone()).unwrap();
    all.slos.clear();
    for name in names {
        let mut slo = one.clone();
        slo.indicator = errors(name);
        (slo.uid, slo.id, slo.counted_as) =
            (SloId::new(*name), SloId::new(*name), SloId::new(*name));
        if *name == "patient" {
            slo.policy = Some("slow".into());
        }
        all.slos.insert(slo.uid.clone(), Arc::new(slo));
    }
    all
}

/// `steady` and `patient` are always there, `dies` is away from 3,600 s to 6,000 s and `follows` from
/// 3,720 s to 7,200 s; the drips go one after another from 3,600 s on. Nothing is ever known of anything else.
fn world() -> World {
    let but = |from: i64, to: i64| {
        move |second: i64| {
            let is_there = !(from..to).contains(&second);
            is_there.then(|| f64::from(i32::try_from(second).unwrap_or_default()))
        }
    };
    World::new(15)
        .with("steady", "", but(0, 0))
        .with("patient", "", but(0, 0))
        .with("dies", "", but(3_600, 6_000))
        .with("follows", "", but(3_720, 7_200))
        .with("drip_a", "", but(3_600, 6_000))
        .with("drip_b", "", but(3_630, 6_000))
        .with("drip_c", "", but(3_660, 6_000))
}

/// What was told: when, what, and of which objectives.
fn told(run: &Run) -> String {
    let mut lines: Vec<(i64, String)> = Vec::new();
    for notice in run.kept.outbox.values() {
        let Facts::Unmeasured(facts) = &notice.facts else {
            continue;
        };
        let what = match notice.change {
            Change::Closed(reason) => reason.name(),
            _ => notice.labels["outcome"].as_str(),
        };
        let second = notice.at.as_millis() / 1_000;
        lines.push((second, format!("{second} {what} {}", facts.blind.join(" "))));
    }
    lines.sort();
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    lines.join(" · ")
}

fn failed() -> Reading {
    Reading::Failed("cannot reach it".into())
}

fn partial() -> Reading {
    Reading::Partial("a store is down".into())
}

type Fault = fn(i64) -> Option<Reading>;

/// What happens to a source, by name, which objectives it has, and what is told of it.
const STORIES: &[(&str, &[&str], Fault, &str)] = &[
    (
        "what is lost later is told later, and over when it is over",
        &["typo", "steady", "dies", "follows"],
        healthy,
        "150 noData typo · 3750 noData dies · 3870 noData follows · 6000 recovered dies · 7200 recovered follows",
    ),
    (
        "a hiccup says nothing, whatever else is going on",
        &["typo", "steady"],
        |second| match second {
            3_000 => Some(failed()),
            3_600 => Some(partial()),
            _ => None,
        },
        "150 noData typo",
    ),
    (
        "an outage is told of those that it blinds",
        &["typo", "steady", "dies"],
        |second| {
            if (2_000..2_400).contains(&second) {
                Some(failed())
            } else {
                None
            }
        },
        "150 noData typo · 2130 failed dies steady · 2400 recovered dies steady · 3750 noData dies · 6000 recovered dies",
    ),
    (
        "a source that fails in turns is told once",
        &["typo", "steady"],
        |second| match second {
            3_000..6_000 if second % 60 == 0 => Some(failed()),
            3_000..6_000 => Some(partial()),
            _ => None,
        },
        "150 noData typo · 3120 failed steady · 6000 recovered steady",
    ),
    (
        "those that go one after another are no message each",
        &["drip_a", "drip_b", "drip_c"],
        healthy,
        "3750 noData drip_a · 3870 noData drip_b drip_c · 6000 recovered drip_a · 6000 recovered drip_b drip_c",
    ),
    (
        "a hiccup when it is time to tell names no wrong reason",
        &["dies"],
        |second| {
            if second == 3_750 {
                Some(failed())
            } else {
                None
            }
        },
        "3780 noData dies · 6000 recovered dies",
    ),
    (
        "a policy that waits longer is told of when its time has come",
        &["patient", "steady"],
        |second| {
            if (3_000..3_600).contains(&second) {
                Some(failed())
            } else {
                None
            }
        },
        "3120 failed steady · 3240 failed patient · 3600 recovered patient · 3600 recovered steady",
    ),
];

#[test]
fn each_objective_is_told_of_once_for_as_long_as_it_is_blind() {
    for (name, promised, fault, expected) in STORIES {
        let mut whole = Run::new(promises(promised));
        whole.ticks(&world(), 0, 9_000, fault);
        assert_eq!(told(&whole), *expected, "{name}");
        assert!(whole.state.episodes.len() < 2, "{name}");
    }
}

#[test]
fn restarts_neither_tell_again_nor_forget() {
    for (name, promised, fault, expected) in STORIES {
        for stops in [[90, 3_690], [3_060, 3_750], [2_130, 3_900]] {
            let mut run = Run::new(promises(promised));
            let mut from = 0;
            for stop in stops {
                run.ticks(&world(), from, stop, fault);
                run.restart();
                from = stop;
            }
            run.ticks(&world(), from, 9_000, fault);
            assert_eq!(told(&run), *expected, "{name}: {stops:?}");
        }
    }
}

#[test]
fn an_episode_ends_with_the_last_objective_that_it_named() {
    let mut run = Run::new(promises(&["steady", "patient"]));
    run.ticks(&world(), 0, 600, |_| Some(failed()));
    run.reload(promises(&["patient"]));
    run.ticks(&world(), 600, 900, |_| Some(failed()));
    let expected = "150 failed steady · 270 failed patient · 630 removed steady";
    assert_eq!(told(&run), expected);
}
