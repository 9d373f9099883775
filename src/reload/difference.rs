//! What is different in a new catalog, in words.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use crate::domain::slo::Catalog;

/// How many names of each kind are told.
const NAMED: usize = 5;

/// `12 objectives; added cart/latency; changed checkout/availability; policies and routes changed`.
pub(super) fn between(before: &Catalog, now: &Catalog) -> String {
    let mut text = match now.slos.len() {
        1 => "1 objective".to_owned(),
        many => format!("{many} objectives"),
    };
    parts(&mut text, "", &before.slos, &now.slos);
    parts(&mut text, "receiver ", &before.receivers, &now.receivers);
    parts(&mut text, "policy ", &before.policies, &now.policies);
    if before.routing != now.routing {
        text.push_str("; changed the routes");
    }
    if before == now {
        text.push_str("; nothing changed");
    }
    text
}

fn parts<K: Ord + Display, V: PartialEq>(
    text: &mut String,
    kind: &str,
    before: &BTreeMap<K, Arc<V>>,
    now: &BTreeMap<K, Arc<V>>,
) {
    let added = now.keys().filter(|name| !before.contains_key(*name));
    let removed = before.keys().filter(|name| !now.contains_key(*name));
    let is_other = |(name, it): &(&K, &Arc<V>)| before.get(*name).is_some_and(|old| old != *it);
    let changed = now.iter().filter(is_other).map(|(name, _)| name);
    list(text, &format!("added {kind}"), added);
    list(text, &format!("removed {kind}"), removed);
    list(text, &format!("changed {kind}"), changed);
}

fn list<'a, K: Display + 'a>(text: &mut String, what: &str, names: impl Iterator<Item = &'a K>) {
    let names: Vec<String> = names.map(ToString::to_string).collect();
    if names.is_empty() {
        return;
    }
    let told = names.iter().take(NAMED).map(String::as_str);
    let told = told.collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    text.extend(["; ", what, &told, &more]);
}
