//! Groups: one objective as many instances, each with a budget of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::labels::Labels;
use super::objective::Objective;
use super::selector::Matcher;

/// How many groups an objective may have when nobody says otherwise.
pub const MOST_GROUPS: usize = 200;

/// The labels that tell one instance of an objective from the others; none for the whole.
///
/// A label that the series of the group lack is there with an empty value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(BTreeMap<String, String>);

impl Group {
    /// The group of series with these labels, among those that `by` tells apart.
    pub fn of(by: &[String], labels: &Labels) -> Self {
        let pair = |name: &String| (name.clone(), labels.get(name).to_owned());
        Self(by.iter().map(pair).collect())
    }

    /// Whether it is the whole.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a label; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value)
    }

    /// All pairs, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// What series of this group have of the labels that tell groups apart.
    pub fn labels(&self) -> Labels {
        self.iter().collect()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Group {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pair = |(name, value): (N, V)| (name.into(), value.into());
        Self(pairs.into_iter().map(pair).collect())
    }
}

impl fmt::Display for Group {
    /// `name="value",…` as in a selector's braces, with Prometheus' escapes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value:?}")?;
        }
        Ok(())
    }
}

/// How an objective is divided into groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouping {
    /// The labels that tell groups apart, sorted, each once; at least one.
    pub by: Vec<String>,
    /// Whether all groups together are an instance too.
    pub also_whole: bool,
    /// How many groups there may be. Known ones stay, new ones beyond it are refused.
    pub most: usize,
    /// Other objectives for some groups; the first that matches holds.
    pub overrides: Vec<GroupOverride>,
    /// Groups that exist whether or not they have series, so that one that vanishes is told of.
    pub expected: BTreeSet<Group>,
}

impl Grouping {
    /// Groups by these labels, and nothing else.
    pub fn by<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let names: BTreeSet<String> = names.into_iter().map(Into::into).collect();
        Self {
            by: names.into_iter().collect(),
            also_whole: false,
            most: MOST_GROUPS,
            overrides: Vec::new(),
            expected: BTreeSet::new(),
        }
    }
}

/// Another objective for some groups.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupOverride {
    /// For groups whose labels match all of these.
    pub whom: Vec<Matcher>,
    /// What is promised there.
    pub objective: Objective,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_every_label_that_tells_groups_apart() {
        let by = ["cluster".to_owned(), "route".to_owned()];
        let labels: Labels = [("route", "/a \"b\"\n"), ("pod", "x")]
            .into_iter()
            .collect();
        let group = Group::of(&by, &labels);
        assert_eq!(group.to_string(), r#"cluster="",route="/a \"b\"\n""#);
        assert_eq!(group.labels(), labels.only(&by));
        assert_eq!(Group::of(&by, &group.labels()), group);
        assert_eq!(Grouping::by(["b", "a", "b"]).by, ["a", "b"]);
    }
}
