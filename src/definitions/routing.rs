//! `Routing`: who is told what, with the places of the receivers' names.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::indicator::Signal;
use crate::domain::route::{Route, Routing};

use super::codes;
use super::fields::{Fields, names, truth};
use super::node::{Faults, Located, Node};
use super::policy::severity_word;

/// Routes and every name of a receiver in them.
#[derive(Debug)]
pub(super) struct RoutingDraft {
    pub(super) routing: Routing,
    /// Where the routes are, in order.
    pub(super) routes: Vec<RoutePlaces>,
    pub(super) receivers: Vec<Located<String>>,
    pub(super) place: Place,
}

/// Where a route and its conditions are.
#[derive(Debug)]
pub(super) struct RoutePlaces {
    pub(super) route: Place,
    /// Whether it has no errors: of what has some, nobody knows what it is meant to take.
    pub(super) is_sound: bool,
    /// By label.
    pub(super) conditions: BTreeMap<String, Place>,
}

/// Reads the `spec` of a routing that is named at `place`.
pub(super) fn routing(spec: &Node, place: &Place, faults: &Faults) -> Option<RoutingDraft> {
    let fields = Fields::of(
        spec,
        "the spec of a routing",
        &["default", "routes"],
        faults,
    )?;
    let default = fields
        .need("default", "default: NAME-OF-A-RECEIVER")
        .map(|node| names(node, "default", faults))
        .unwrap_or_default();
    let mut receivers = default.clone();
    let (mut routes, mut places) = (Vec::new(), Vec::new());
    for item in fields.list("routes").into_iter().flatten() {
        let (route, is_sound) = faults.judged(|| route(item, faults));
        let Some((route, mut at, to)) = route else {
            continue;
        };
        at.is_sound = is_sound;
        receivers.extend(to);
        routes.push(route);
        places.push(at);
    }
    Some(RoutingDraft {
        routing: Routing {
            default: plain(&default),
            routes,
        },
        routes: places,
        receivers,
        place: place.clone(),
    })
}

fn route(node: &Node, faults: &Faults) -> Option<(Route, RoutePlaces, Vec<Located<String>>)> {
    let fields = Fields::of(node, "a route", &["match", "to", "continue"], faults)?;
    fields.need("match", "match: {team: payments, severity: page}");
    let matches = fields.texts("match");
    if let Some(severity) = matches.get("severity")
        && let Err(sentence) = severity_word(&severity.value)
    {
        faults.add(Diagnostic::error(codes::WORD, sentence).at(&severity.place));
    }
    let signals = [
        Signal::Errors,
        Signal::Latency,
        Signal::Traffic,
        Signal::Saturation,
    ];
    if let Some(signal) = matches.get("signal")
        && !signals.iter().any(|it| it.name() == signal.value)
    {
        let sentence = format!(
            "`{}` is not a signal; write errors, latency, traffic or saturation",
            signal.value
        );
        faults.add(Diagnostic::error(codes::WORD, sentence).at(&signal.place));
    }
    let to = fields
        .need("to", "to: NAME-OF-A-RECEIVER")
        .map(|node| names(node, "to", faults))
        .unwrap_or_default();
    let place = |(name, text): (&String, &Located<String>)| (name.clone(), text.place.clone());
    let places = RoutePlaces {
        route: node.place.clone(),
        is_sound: true,
        conditions: matches.iter().map(place).collect(),
    };
    let route = Route {
        matches: matches
            .into_iter()
            .map(|(name, text)| (name, text.value))
            .collect(),
        to: plain(&to),
        goes_on: fields
            .get("continue")
            .is_some_and(|node| truth(node, "continue", faults)),
    };
    Some((route, places, to))
}

fn plain(names: &[Located<String>]) -> Vec<String> {
    names.iter().map(|name| name.value.clone()).collect()
}
