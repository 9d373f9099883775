//! `targets`: several promises on one indicator.

use std::sync::Arc;

use crate::domain::slo::Slo;

use super::mistakes::{catalog_of, told_of, told_of_route};

const OBJECTIVE: &str = "      objective: 99.9%\n";

/// The objective of the fixture with these keys in place of `objective`; a line for each promise.
fn promised(keys: &str) -> String {
    let catalog = catalog_of(|text| text.replacen(OBJECTIVE, keys, 1));
    let slos = catalog.slos.values();
    let own = slos.filter(|slo| slo.name == "availability");
    let line = |slo: &Arc<Slo>| {
        let overrides = slo.grouping.iter().flat_map(|it| &it.overrides);
        let overrides: Vec<String> = overrides.map(|it| it.objective.to_string()).collect();
        format!(
            "{} as {}, counted as {}: {} over {}, {:?} {overrides:?}",
            slo.uid,
            slo.title(),
            slo.counted_as,
            slo.objective,
            slo.window,
            slo.policy
        )
    };
    own.map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn targets_take_from_their_objective_what_they_do_not_say() {
    let keys = r"      window: 7d
      groupBy: [route]
      targets:
        - {name: slo, objective: 99.95%, overrides: [{where: 'route=~`/a.*`', objective: 99%}]}
        - {name: sla, objective: 99.9%, window: {calendar: month}, alertPolicy: none}
        - {name: old, objective: 99%, uid: api/availability}
";
    insta::assert_snapshot!(promised(keys), @r#"
    api/availability as api/availability/old, counted as api/availability: 99% over 1w, Some("default") []
    api/availability/sla as api/availability/sla, counted as api/availability: 99.9% over month, None []
    api/availability/slo as api/availability/slo, counted as api/availability: 99.95% over 1w, Some("default") ["99%"]
    "#);
    let own = "      uid: it\n      targets: [{name: slo, objective: 99.95%}]\n";
    insta::assert_snapshot!(promised(own), @r#"it/slo as api/availability/slo, counted as it: 99.95% over 30d, Some("default") []"#);
}

/// What is written in place of `objective`.
const MISTAKES: [&str; 10] = [
    "objective: 99.9%\n      targets: [{name: slo, objective: 99.9%}]",
    "targets: []",
    "targets: {slo: 99.9%}",
    "targets: [{objective: 99.9%}, 99.9%]",
    "targets: [{name: slo, objective: 99.9%}, {name: slo, objective: 0.99}]",
    "targets: [{name: slo, objectiv: 99.9%, alertPolicy: non}]",
    "overrides: []\n      targets: [{name: slo, objective: 99.9%, overrides: [{where: 'a=\"b\"', objective: 99%}]}]",
    "targets: [{name: slo, objective: 99.9%, uid: a}, {name: sla, objective: 99%, uid: a}, {name: it, objective: 99%, uid: api/latency}]",
    "uid: api/memory\n      targets: [{name: slo, objective: 99.9%}]",
    "targets: [{name: slo, objective: 99.9%, window: 5m}]",
];

#[test]
fn every_mistake_is_told() {
    let told = MISTAKES.map(|keys| {
        let told = told_of(|text| text.replacen(OBJECTIVE, &format!("      {keys}\n"), 1));
        format!("{keys}\n{told}")
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    objective: 99.9%
          targets: [{name: slo, objective: 99.9%}]
    api.yaml:10:7: error[SB0109]: `objective` and `targets` exclude one another; it stands in each of the targets

    targets: []
    api.yaml:10:16: error[SB0108]: the list `targets` is empty; write at least one item, or remove the key

    targets: {slo: 99.9%}
    api.yaml:10:16: error[SB0106]: `targets` is a list, and this is a map; begin each item with `- `, on a line of its own

    targets: [{objective: 99.9%}, 99.9%]
    api.yaml:10:17: error[SB0104]: a target needs `name`; write name: sla
    api.yaml:10:37: error[SB0106]: a target is a map, and this is a single value; it has the keys name, objective, window, alertPolicy, uid, overrides

    targets: [{name: slo, objective: 99.9%}, {name: slo, objective: 0.99}]
    api.yaml:10:55: error[SB0401]: two targets of this objective have the name `slo`; give one of them another name

    targets: [{name: slo, objectiv: 99.9%, alertPolicy: non}]
    api.yaml:10:29: error[SB0105]: a target has no key `objectiv`; did you mean `objective`?
    api.yaml:10:59: error[SB0403]: there is no alert policy `non`; write default, or define it as a document of kind AlertPolicy, or write alertPolicy: none

    overrides: []
          targets: [{name: slo, objective: 99.9%, overrides: [{where: 'a="b"', objective: 99%}]}]
    api.yaml:10:7: error[SB0109]: `overrides` and `targets` exclude one another; write them in the target whose objective they replace
    api.yaml:11:47: error[SB0411]: `overrides` has no meaning without `groupBy`; write groupBy: [route] beside it, with the labels that tell groups apart, or remove it

    targets: [{name: slo, objective: 99.9%, uid: a}, {name: sla, objective: 99%, uid: a}, {name: it, objective: 99%, uid: api/latency}]
    api.yaml:10:89: error[SB0402]: two targets have the uid `a`; give one of them another uid; history hangs on it
    api.yaml:14:13: error[SB0402]: two objectives have the uid `api/latency`; give one of them another uid; history hangs on it

    uid: api/memory
          targets: [{name: slo, objective: 99.9%}]
    api.yaml:26:13: error[SB0402]: two objectives have the uid `api/memory`; give one of them another uid; history hangs on it

    targets: [{name: slo, objective: 99.9%, window: 5m}]
    api.yaml:10:55: error[SB0502]: a window of 5m is too short for the tiers `fast`, `slow` of the policy `default`, which looks back 6h; use a policy whose tiers fit into the window, or alertPolicy: none
    "#);
}

#[test]
fn routes_name_targets_by_their_own_uid_and_groups_by_any_value() {
    let with = |keys: &'static str| move |text: &str| text.replacen(OBJECTIVE, keys, 1);
    let targets =
        "      targets: [{name: slo, objective: 99.95%}, {name: sla, objective: 99.9%}]\n";
    insta::assert_snapshot!(told_of_route("{slo: api/availability}", with(targets)), @"alerts.yaml:40:16: warning[SB0415]: no objective has the uid `api/availability`; each target has its own uid: write one of api/availability/sla, api/availability/slo");
    let routed = "{slo: api/availability/sla, target: sla}";
    assert_eq!(told_of_route(routed, with(targets)), "");
    let groups = "      objective: 99.9%\n      groupBy: [route, service]\n";
    let routed = "{slo: api/availability, route: /pay, group_service: pay}";
    assert_eq!(told_of_route(routed, with(groups)), "");
    // What cannot be read may be what is meant.
    let broken = told_of_route(
        "{slo: api/it}",
        with("      objective: 0%\n      nam: it\n"),
    );
    assert!(!broken.contains("SB0415"), "{broken}");
}
