//! Routes against the objectives: one that no notice ever takes is a slip, and nobody would be told.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Place, did_you_mean, write_one_of};
use crate::domain::route::{Route, labels, of_group};
use crate::domain::slo::Slo;

use super::codes;
use super::node::Faults;
use super::routing::{RoutePlaces, RoutingDraft};

/// Labels that the notice has, and not the objective.
const SEVERITY: &str = "severity";
const SIGNAL: &str = "signal";
/// More values than these are not listed.
const MOST_LISTED: usize = 10;

/// Tells of routes that none of the objectives takes, and of those that others take all of. Without
/// objectives only of the latter.
pub(super) fn judge(draft: &RoutingDraft, slos: &[&Slo], faults: &Faults) {
    let known: Vec<Known> = slos.iter().copied().map(Known::of).collect();
    let routes = || draft.routing.routes.iter().zip(&draft.routes);
    for (index, (route, places)) in routes().enumerate() {
        if !places.is_sound {
            continue;
        }
        let earlier = routes().take(index);
        let mut earlier = earlier.filter(|(earlier, at)| at.is_sound && !earlier.goes_on);
        let taker = earlier.find(|(earlier, _)| takes_all_of(earlier, route));
        if let Some((taker, at)) = taker {
            faults.add(shadowed(taker, at, places));
        } else if !known.is_empty() {
            no_objective(route, places, &known, faults);
        }
    }
}

/// The labels of an objective, and those that each of its groups has, whatever their values.
struct Known {
    labels: BTreeMap<String, String>,
    of_groups: BTreeSet<String>,
}

impl Known {
    fn of(slo: &Slo) -> Self {
        let groupings = slo.grouping.iter();
        let of_groups = groupings.flat_map(|grouping| &grouping.by);
        Self {
            labels: labels(slo),
            of_groups: of_groups.map(|name| of_group(name)).collect(),
        }
    }

    fn may_have(&self, name: &str, value: &str) -> bool {
        name == SEVERITY
            || self.of_groups.contains(name)
            || self.labels.get(name).is_some_and(|it| it == value)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.labels
            .keys()
            .chain(&self.of_groups)
            .map(String::as_str)
    }
}

/// Whether whatever takes the route `one` matches `other` too.
fn takes_all_of(other: &Route, one: &Route) -> bool {
    let mut conditions = other.matches.iter();
    conditions.all(|(name, value)| one.matches.get(name) == Some(value))
}

fn shadowed(taker: &Route, at: &RoutePlaces, places: &RoutePlaces) -> Diagnostic {
    if taker.matches.is_empty() {
        let sentence = "this route matches everything, so those below are never reached";
        let fault = Diagnostic::warning(codes::NEVER_TAKEN, sentence).at(&at.route);
        return fault.help("put it last, or write continue: true");
    }
    let sentence = "this route is never reached: one above it takes all that it matches";
    Diagnostic::warning(codes::NEVER_TAKEN, sentence)
        .at(&places.route)
        .related(&at.route, "the one above")
        .help("put it first, or write continue: true in the one above")
}

fn no_objective(route: &Route, places: &RoutePlaces, known: &[Known], faults: &Faults) {
    let mut is_explained = false;
    for (name, value) in &route.matches {
        if known.iter().any(|slo| slo.may_have(name, value)) {
            continue;
        }
        if name == SIGNAL {
            // It is one of four words, and written for objectives that may come.
            return;
        }
        is_explained = true;
        let place = places.conditions.get(name).unwrap_or(&places.route);
        faults.add(unmatched(name, value, place, known));
    }
    let takes = |slo: &Known| {
        let mut conditions = route.matches.iter();
        conditions.all(|(name, value)| slo.may_have(name, value))
    };
    if !is_explained && !known.iter().any(takes) {
        faults.add(
            Diagnostic::warning(
                codes::NEVER_TAKEN,
                "no objective has all of these labels, so this route is never taken",
            )
            .at(&places.route)
            .help("remove one of them, or write a route for each"),
        );
    }
}

/// The fault of a condition that no objective meets.
fn unmatched(name: &str, value: &str, place: &Place, known: &[Known]) -> Diagnostic {
    let values: BTreeSet<&str> = known
        .iter()
        .filter_map(|slo| slo.labels.get(name).map(String::as_str))
        .collect();
    let otherwise = || {
        let listed: Vec<&str> = values.iter().copied().take(MOST_LISTED).collect();
        write_one_of(&listed)
    };
    let (sentence, help) = match name {
        _ if values.is_empty() => {
            let names = known.iter().flat_map(Known::names).chain([SEVERITY]);
            let names: BTreeSet<&str> = names.collect();
            let all = names.iter().copied().collect::<Vec<_>>().join(", ");
            (
                format!("no objective has the label `{name}`"),
                did_you_mean(name, names, || format!("there are {all}")),
            )
        }
        "slo" => (
            format!("no objective has the uid `{value}`"),
            meant_uid(value, &values).unwrap_or_else(|| {
                did_you_mean(value, values.iter().copied(), || {
                    "`slo` is the uid, as in checkout/availability".to_owned()
                })
            }),
        ),
        "service" => (
            format!("no service is named `{value}`"),
            did_you_mean(value, values.iter().copied(), otherwise),
        ),
        _ => (
            format!("no objective has the label `{name}: {value}`"),
            did_you_mean(value, values.iter().copied(), otherwise),
        ),
    };
    let fault = Diagnostic::warning(codes::NEVER_TAKEN, sentence);
    fault.at(place).help(help)
}

/// What is said to somebody who wrote an objective's name alone, or the objective of several targets.
fn meant_uid(value: &str, uids: &BTreeSet<&str>) -> Option<String> {
    let targets = format!("{value}/");
    let of_it: Vec<&str> = uids
        .iter()
        .copied()
        .filter(|uid| uid.starts_with(&targets))
        .collect();
    if !of_it.is_empty() {
        return Some(format!(
            "each target has its own uid: {}",
            write_one_of(&of_it)
        ));
    }
    let named = format!("/{value}");
    let called_so: Vec<&str> = uids
        .iter()
        .copied()
        .filter(|uid| uid.ends_with(&named))
        .take(MOST_LISTED)
        .collect();
    (!called_so.is_empty()).then(|| format!("`slo` is the uid: {}", write_one_of(&called_so)))
}
