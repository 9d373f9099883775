//! An inverted index: which of many selectors a series belongs to, without trying them all.

use std::collections::HashMap;

use crate::domain::labels::LabelsRef;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::promql::{CompiledMatchers, literals};

/// The selectors of one metric, found by the labels of the series that they may match.
///
/// Each selector that asks for certain values of a label stands under these, and under that label
/// of its own that tells it best from the others. What is found there is still matched in full.
#[derive(Debug, Default)]
pub struct SelectorIndex {
    selectors: Vec<CompiledMatchers>,
    written: Vec<Selector>,
    by_value: HashMap<String, HashMap<String, Vec<usize>>>,
    /// Those that may match a series whatever its labels are.
    anywhere: Vec<usize>,
}

impl SelectorIndex {
    /// An index of `selectors`, each with its matchers compiled.
    pub fn new(selectors: Vec<(Selector, CompiledMatchers)>) -> Self {
        let mut asked: HashMap<(&str, String), usize> = HashMap::new();
        for (label, values) in selectors.iter().flat_map(|(selector, _)| keys(selector)) {
            for value in values {
                *asked.entry((label, value)).or_default() += 1;
            }
        }
        let mut index = Self::default();
        for (position, (selector, _)) in selectors.iter().enumerate() {
            let crowd = |(label, values): &(&str, Vec<String>)| {
                let crowds = values
                    .iter()
                    .map(|value| asked.get(&(*label, value.clone())));
                crowds.flatten().copied().max()
            };
            let Some((label, values)) = keys(selector).min_by_key(crowd) else {
                index.anywhere.push(position);
                continue;
            };
            let by_value = index.by_value.entry(label.to_owned()).or_default();
            for value in values {
                by_value.entry(value).or_default().push(position);
            }
        }
        (index.written, index.selectors) = selectors.into_iter().unzip();
        index
    }

    /// The selector at a position, as it was written.
    pub fn selector(&self, position: usize) -> Option<&Selector> {
        self.written.get(position)
    }

    /// How many selectors there are.
    pub const fn len(&self) -> usize {
        self.selectors.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.selectors.is_empty()
    }

    /// The positions of the selectors that match `labels`, in their order.
    pub fn matching<'a>(&self, labels: impl Into<LabelsRef<'a>>) -> Vec<usize> {
        let labels = labels.into();
        let found = labels
            .iter()
            .filter_map(|(label, value)| self.by_value.get(label)?.get(value))
            .flatten();
        let mut matching: Vec<usize> = found
            .chain(&self.anywhere)
            .copied()
            .filter(|position| self.selectors[*position].matches(labels))
            .collect();
        matching.sort_unstable();
        matching.dedup();
        matching
    }
}

/// The labels of which a selector asks for certain values, with these. A label that may be missing
/// is none of them.
fn keys(selector: &Selector) -> impl Iterator<Item = (&str, Vec<String>)> {
    selector.matchers.iter().filter_map(|matcher| {
        let values = values(matcher)?;
        let present = !values.iter().any(String::is_empty);
        present.then_some((matcher.label.as_str(), values))
    })
}

fn values(matcher: &Matcher) -> Option<Vec<String>> {
    match matcher.op {
        MatchOp::Equal => Some(vec![matcher.value.clone()]),
        MatchOp::Matches => literals(&matcher.value),
        MatchOp::NotEqual | MatchOp::NotMatches => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn matcher() -> impl Strategy<Value = Matcher> {
        let op = prop_oneof![
            Just(MatchOp::Equal),
            Just(MatchOp::NotEqual),
            Just(MatchOp::Matches),
            Just(MatchOp::NotMatches),
        ];
        let value = prop_oneof![
            "[xyz]{0,1}",
            Just("x|y".to_owned()),
            Just("|z".to_owned()),
            Just(".".to_owned()),
            Just("[xy]?".to_owned())
        ];
        ("[abc]", op, value).prop_map(|(label, op, value)| Matcher { label, op, value })
    }

    proptest! {
        #[test]
        fn the_index_finds_what_trying_all_selectors_finds(
            selectors in vec(vec(matcher(), 0..4), 0..20),
            series in vec(vec(("[abc]", "[xyz]{0,1}"), 0..4), 1..10),
        ) {
            let compiled = selectors.into_iter().map(|matchers| {
                let selector = Selector::new("m", matchers);
                let compiled = CompiledMatchers::new(&selector.matchers).unwrap();
                (selector, compiled)
            });
            let compiled: Vec<_> = compiled.collect();
            let index = SelectorIndex::new(compiled.clone());
            for labels in series {
                let labels: Labels = labels.into_iter().collect();
                let all = compiled.iter().enumerate();
                let matching = all.filter(|(_, (_, matchers))| matchers.matches(&labels));
                let expected: Vec<usize> = matching.map(|(position, _)| position).collect();
                prop_assert_eq!(index.matching(&labels), expected);
            }
        }
    }
}
