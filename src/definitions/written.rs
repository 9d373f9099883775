//! Where an objective and its parts are written, for whoever finds something wrong with them later.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::slo::SloId;

use super::fields::Fields;
use super::node::{Entry, Located, Node, Value};
use super::service::Draft;
use super::template::INDICATORS;

/// The keys of indicators that say which series are meant, and where a threshold lies.
const PARTS: [&str; 17] = [
    "total",
    "bad",
    "good",
    "badWhere",
    "goodWhere",
    "probe",
    "histogram",
    "atMost",
    "atLeast",
    "overrides",
    "quantile",
    "used",
    "limit",
    "gauge",
    "timestamp",
    "ratio",
    "value",
];

/// The objectives of a catalog, and where they are written.
pub type AllWritten = BTreeMap<SloId, Written>;

/// Where an objective is written.
#[derive(Clone, Debug)]
pub struct Written {
    objective: Place,
    parts: Parts,
    groups: Vec<Located<String>>,
    used_at: Option<Place>,
}

/// Where the indicator of an objective is written: its key, and the values of those below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    indicator: Option<Place>,
    values: Vec<(&'static str, Vec<Place>)>,
}

impl Parts {
    /// The places of the indicator that an objective with these keys has.
    pub(super) fn of(fields: &Fields<'_>) -> Self {
        let Some(entry) = fields.first_of(&INDICATORS) else {
            return Self::default();
        };
        let Value::Map(entries) = &entry.node.value else {
            return Self::default();
        };
        let known = |entry: &Entry| {
            let key = PARTS.iter().find(|key| **key == entry.key)?;
            Some((*key, items(&entry.node)))
        };
        Self {
            indicator: Some(entry.place.clone()),
            values: entries.iter().filter_map(known).collect(),
        }
    }

    /// The item at a position of the first of `keys` that is there.
    fn item(&self, keys: &[&str], position: usize) -> Option<&Place> {
        let value = |key: &&str| self.values.iter().find(|(known, _)| known == key);
        let (_, items) = keys.iter().find_map(value)?;
        items.get(position).or(items.first())
    }
}

impl Written {
    /// Where `draft` is written, whose objective stands at `objective`.
    pub(super) fn of(draft: &Draft, objective: &Place) -> Self {
        let groups = draft.grouping.as_ref().map(|it| it.by.clone());
        Self {
            objective: objective.clone(),
            parts: draft.parts.clone(),
            groups: groups.unwrap_or_default(),
            used_at: draft.used_at.clone(),
        }
    }

    /// `fault`, at what is promised.
    #[must_use]
    pub fn at_objective(&self, fault: Diagnostic) -> Diagnostic {
        self.at(fault, &self.objective)
    }

    /// `fault`, at the item of a list (or the only value) of the first of `keys` that the indicator
    /// has; at the indicator, if it has none.
    #[must_use]
    pub fn at_part(&self, fault: Diagnostic, keys: &[&str], item: usize) -> Diagnostic {
        let part = self.parts.item(keys, item);
        let place = part.or(self.parts.indicator.as_ref());
        self.at(fault, place.unwrap_or(&self.objective))
    }

    /// `fault`, at a label of `groupBy`.
    #[must_use]
    pub fn at_group_label(&self, fault: Diagnostic, label: &str) -> Diagnostic {
        let found = self.groups.iter().find(|it| it.value == label);
        self.at(fault, found.map_or(&self.objective, |it| &it.place))
    }

    /// A fault in a template also shows where that was used.
    fn at(&self, fault: Diagnostic, place: &Place) -> Diagnostic {
        let fault = fault.at(place);
        match &self.used_at {
            Some(used_at) if fault.related.is_none() => fault.related(used_at, "used here"),
            _ => fault,
        }
    }
}

/// The places of the items of a list, else of the value itself.
fn items(node: &Node) -> Vec<Place> {
    match &node.value {
        Value::List(items) => items.iter().map(inner).collect(),
        Value::Null | Value::Text(_) | Value::Map(_) => vec![inner(node)],
    }
}

/// Of a map the place of what it is about: the series of a gauge, the threshold of an override.
fn inner(node: &Node) -> Place {
    let Value::Map(entries) = &node.value else {
        return node.place.clone();
    };
    let is_it = |entry: &&Entry| matches!(entry.key.as_str(), "series" | "atMost");
    let found = entries.iter().find(is_it);
    found.map_or(&node.place, |entry| &entry.node.place).clone()
}
