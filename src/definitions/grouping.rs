//! `groupBy` and what belongs to it: one objective as many instances.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::domain::group::{Group, GroupOverride, Grouping, MOST_GROUPS};
use crate::domain::objective::Objective;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::promql::CompiledMatchers;

use super::codes;
use super::fields::{Fields, names, truth, wrong_type};
use super::indicator;
use super::node::{Entry, Faults, Located, Node, Value};
use super::service::Draft;

/// The keys that say something of groups, besides `groupBy`, and `overrides` of each promise.
const BESIDE: [&str; 3] = ["alsoWhole", "maxGroups", "expect"];

/// More groups than this cannot be asked for: each is a budget, an alert and a line of its own.
const MOST: usize = 10_000;

/// How an objective is divided into groups, and where that is written.
#[derive(Clone, Debug)]
pub(super) struct GroupingDraft {
    /// Without what is promised for some of the groups, which each promise says ([`overrides`]).
    pub(super) grouping: Grouping,
    /// The labels that tell groups apart.
    pub(super) by: Vec<Located<String>>,
}

/// How an objective is divided into groups, if it is.
pub(super) fn grouping(fields: &Fields<'_>) -> Option<GroupingDraft> {
    let faults = fields.faults;
    let Some(by) = fields.get("groupBy") else {
        for entry in BESIDE.into_iter().filter_map(|key| fields.entry(key)) {
            faults.add(nothing_grouped(entry));
        }
        return None;
    };
    let by = labels(by, fields);
    let also_whole = fields
        .get("alsoWhole")
        .map(|node| truth(node, "alsoWhole", faults));
    let most = fields.parse("maxGroups", codes::NUMBER, most_groups);
    let expected = expected(fields, &by);
    let most = most.map_or(MOST_GROUPS, |most| most.value);
    if let Some(node) = fields.get("expect").filter(|_| expected.len() > most) {
        faults.add(
            Diagnostic::error(
                codes::GROUPS,
                format!(
                    "{} groups are expected, and {most} are allowed",
                    expected.len()
                ),
            )
            .at(&node.place)
            .help("raise `maxGroups`, or expect fewer"),
        );
    }
    Some(GroupingDraft {
        grouping: Grouping {
            also_whole: also_whole.unwrap_or(false),
            most,
            expected,
            ..Grouping::by(by.iter().map(|label| label.value.as_str()))
        },
        by,
    })
}

/// Tells of labels that cannot tell groups apart, since all series have the same value.
pub(super) fn judge(draft: &Draft, faults: &Faults) {
    let (Some(groups), Some(indicator)) = (&draft.grouping, &draft.indicator) else {
        return;
    };
    let selectors = indicator.value.everything();
    for label in &groups.by {
        let values = selectors.iter().map(|it| fixed(it, &label.value));
        let values: Option<BTreeSet<&str>> = values.collect();
        let values = values.map(Vec::from_iter);
        let Some([only]) = values.as_deref() else {
            continue;
        };
        let name = &label.value;
        faults.add(
            Diagnostic::warning(
                codes::ONE_GROUP,
                format!("`{name}` tells no groups apart: all series have {name}={only:?}"),
            )
            .at(&label.place)
            .related(&indicator.place, "fixed in this indicator")
            .help(format!(
                "remove the condition on {name} from the selectors, or group by another label"
            )),
        );
    }
}

/// The only value that series of `selector` have of a label, if it asks for one.
fn fixed<'s>(selector: &'s Selector, label: &str) -> Option<&'s str> {
    let is_it = |it: &&Matcher| it.label == label && it.op == MatchOp::Equal;
    let found = selector.matchers.iter().find(is_it);
    found.map(|it| it.value.as_str())
}

/// The labels that tell groups apart.
fn labels(node: &Node, fields: &Fields<'_>) -> Vec<Located<String>> {
    let mut labels: Vec<Located<String>> = Vec::new();
    for label in names(node, "groupBy", fields.faults) {
        let name = &label.value;
        let refused = if !is_label(name) {
            format!("`{name}` is not a label's name; write one as in groupBy: [route]")
        } else if name == "__name__" {
            "groups cannot be told apart by the metric's name; write an objective for each metric"
                .to_owned()
        } else if name == "le" && fields.has("latency") {
            "`le` tells the buckets of a histogram apart, which are needed together; group by another label".to_owned()
        } else if labels.iter().any(|other| other.value == *name) {
            format!("`{name}` comes twice; write it once")
        } else {
            labels.push(label);
            continue;
        };
        let fault = Diagnostic::error(codes::NAME, refused).at(&label.place);
        fields.faults.add(fault);
    }
    labels
}

fn is_label(name: &str) -> bool {
    let is_first = |char: char| char.is_ascii_alphabetic() || char == '_';
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    name.starts_with(is_first) && name.chars().all(is_word)
}

fn most_groups(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    number
        .filter(|most| (1..=MOST).contains(most))
        .ok_or_else(|| {
            format!("`{text}` is not a number of groups; write a whole number from 1 to {MOST}")
        })
}

/// All groups that `expect` names: every value of each label with every value of the others.
fn expected(fields: &Fields<'_>, by: &[Located<String>]) -> BTreeSet<Group> {
    let faults = fields.faults;
    let Some(node) = fields.get("expect") else {
        return BTreeSet::new();
    };
    let Value::Map(entries) = &node.value else {
        faults.add(
            wrong_type(node, "expect", "a map of labels and their values")
                .help("write expect: {cluster: [eu1, us1]}"),
        );
        return BTreeSet::new();
    };
    let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut is_misspelt = false;
    for entry in entries {
        if !by.iter().any(|label| label.value == entry.key) {
            faults.add(not_grouped_by(&entry.key, by).at(&entry.place));
            is_misspelt = true;
            continue;
        }
        let named = names(&entry.node, &entry.key, faults);
        values.insert(&entry.key, named.into_iter().map(|it| it.value).collect());
    }
    let is_missing = |label: &&Located<String>| !values.contains_key(&*label.value);
    if let Some(label) = by.iter().find(is_missing) {
        let name = &label.value;
        // Whoever misspelt a label has been told so.
        if !is_misspelt {
            faults.add(
                Diagnostic::error(
                    codes::GROUPS,
                    format!("`expect` says nothing of `{name}`, and a group has a value of each label"),
                )
                .at(&node.place)
                .related(&label.place, "grouped by it here")
                .help(format!(
                    "write {name}: [VALUE, VALUE] too, or expect groups in an objective that is not grouped by `{name}`"
                )),
            );
        }
        return BTreeSet::new();
    }
    let mut groups = vec![Vec::new()];
    for (label, values) in values {
        let with = |group: &Vec<(String, String)>| {
            let more = values.iter().map(|value| (label.to_owned(), value.clone()));
            more.map(|pair| group.iter().cloned().chain([pair]).collect())
                .collect::<Vec<_>>()
        };
        groups = groups.iter().flat_map(with).take(MOST + 1).collect();
    }
    groups.into_iter().map(Group::from_iter).collect()
}

fn nothing_grouped(entry: &Entry) -> Diagnostic {
    Diagnostic::error(
        codes::NOT_GROUPED,
        format!("`{}` has no meaning without `groupBy`", entry.key),
    )
    .at(&entry.place)
    .help("write groupBy: [route] beside it, with the labels that tell groups apart, or remove it")
}

/// The other objectives of a promise for some of the groups, each with its place.
pub(super) fn overrides(
    fields: &Fields<'_>,
    grouping: Option<&GroupingDraft>,
) -> Vec<Located<GroupOverride>> {
    let Some(grouping) = grouping else {
        if let Some(entry) = fields.entry("overrides") {
            fields.faults.add(nothing_grouped(entry));
        }
        return Vec::new();
    };
    let nodes = fields.list("overrides").unwrap_or_default();
    nodes
        .iter()
        .filter_map(|node| one_override(node, grouping, fields.faults))
        .collect()
}

fn one_override(
    node: &Node,
    grouping: &GroupingDraft,
    faults: &Faults,
) -> Option<Located<GroupOverride>> {
    let GroupingDraft { grouping, by } = grouping;
    let expected = &grouping.expected;
    let fields = Fields::of(node, "an override", &["where", "objective"], faults)?;
    let example = "where: 'cluster=\"eu1\"', a condition on labels that `groupBy` names";
    let whom = fields
        .need("where", example)
        .and_then(|node| indicator::conditions(node, "where", faults));
    let objective = fields.need_parsed(
        "objective",
        "objective: 99.5%",
        codes::OBJECTIVE,
        str::parse::<Objective>,
    );
    let whom = whom?;
    let known = |label: &str| by.iter().any(|it| it.value == label);
    let strange = whom.value.iter().find(|matcher| !known(&matcher.label));
    if let Some(matcher) = strange {
        faults.add(not_grouped_by(&matcher.label, by).at(&whom.place));
        return None;
    }
    if let Ok(matchers) = CompiledMatchers::new(&whom.value)
        && !expected.is_empty()
        && !expected
            .iter()
            .any(|group| matchers.matches(&group.labels()))
    {
        faults.add(
            Diagnostic::warning(
                codes::NO_SUCH_GROUP,
                "this `where` matches none of the groups that `expect` names",
            )
            .at(&whom.place)
            .help("correct the value, or add the group to `expect`"),
        );
    }
    let objective = objective?;
    Some(Located {
        value: GroupOverride {
            whom: whom.value,
            objective: objective.value,
        },
        place: objective.place,
    })
}

fn not_grouped_by(label: &str, by: &[Located<String>]) -> Diagnostic {
    let names = || by.iter().map(|label| label.value.as_str());
    Diagnostic::error(
        codes::NOT_GROUPED,
        format!("the objective is not grouped by `{label}`"),
    )
    .help(did_you_mean(label, names(), || {
        let all: Vec<&str> = names().collect();
        format!("`groupBy` names {}", all.join(", "))
    }))
}
