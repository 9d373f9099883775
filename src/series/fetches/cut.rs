//! Where what is asked in one query may be cut in two.

use std::collections::BTreeMap;

use crate::domain::labels::METRIC_NAME;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::series::batch::Batch;
use crate::series::boundary::LE;

/// Those selectors that none of the others covers: what they bring holds all.
pub(super) fn widest(selectors: &[Selector]) -> Vec<Selector> {
    let mut sorted = selectors.to_vec();
    sorted.sort();
    sorted.dedup();
    // Few matchers first: they may cover those with more.
    sorted.sort_by_key(|selector| selector.matchers.len());
    let mut widest: Vec<Selector> = Vec::new();
    let mut by_first: BTreeMap<Option<Matcher>, Vec<usize>> = BTreeMap::new();
    for selector in sorted {
        let firsts = [None]
            .into_iter()
            .chain(selector.matchers.iter().cloned().map(Some));
        let candidates: Vec<usize> = firsts
            .filter_map(|first| by_first.get(&first))
            .flatten()
            .copied()
            .collect();
        let covers = |position: &usize| {
            let wider = &widest[*position].matchers;
            wider
                .iter()
                .all(|matcher| selector.matchers.contains(matcher))
        };
        if !candidates.iter().any(covers) {
            let first = selector.matchers.first().cloned();
            by_first.entry(first).or_default().push(widest.len());
            widest.push(selector);
        }
    }
    widest.sort();
    widest
}

/// Selectors in two groups, each as alike as may be: by the values of a label that all compare, or
/// by a label that some compare. `None` for a single one.
pub(super) fn halves(selectors: &[Selector]) -> Option<(Vec<Selector>, Vec<Selector>)> {
    let mut compared: BTreeMap<&str, BTreeMap<Option<&Matcher>, usize>> = BTreeMap::new();
    for selector in selectors {
        for matcher in &selector.matchers {
            let by_value = compared.entry(&matcher.label).or_default();
            *by_value.entry(Some(matcher)).or_default() += 1;
        }
    }
    for by_value in compared.values_mut() {
        let missing = selectors.len().saturating_sub(by_value.values().sum());
        if missing > 0 {
            by_value.insert(None, missing);
        }
    }
    // The label that tells the fewest groups apart is the one by which services are organised.
    let (label, by_value) = compared
        .into_iter()
        .filter(|(_, by_value)| by_value.len() > 1)
        .min_by_key(|(_, by_value)| by_value.len())?;
    let mut first = Vec::new();
    let mut counted = 0;
    for (value, count) in by_value {
        if !first.is_empty() && 2 * (counted + count) > selectors.len() + count {
            break;
        }
        counted += count;
        first.push(value.cloned());
    }
    let is_first = |selector: &&Selector| {
        let own = selector
            .matchers
            .iter()
            .find(|matcher| matcher.label == label);
        first.contains(&own.cloned())
    };
    let (one, other): (Vec<&Selector>, Vec<&Selector>) = selectors.iter().partition(is_first);
    let owned = |group: Vec<&Selector>| group.into_iter().cloned().collect::<Vec<_>>();
    (!one.is_empty() && !other.is_empty()).then(|| (owned(one), owned(other)))
}

/// How far from the end of a value a character is looked at: addresses end in the same port, names
/// of pods in chance.
const FROM_END: usize = 12;

/// A condition that about half of the series of a batch meet: that a character of a label's value
/// is one of some. With its opposite it divides all series there are or will be.
pub fn division(batch: &Batch) -> Option<Matcher> {
    let series: Vec<_> = batch.series().collect();
    let labels = series.iter().flat_map(|series| series.labels.iter());
    middle_of(labels.map(|(label, value)| (label, value, 1)), batch.len())
}

/// The same for values of one label, each with how many series have it.
pub(super) fn middle<'a>(
    values: impl Iterator<Item = (&'a str, &'a str, usize)> + Clone,
) -> Option<Matcher> {
    let all = values.clone().map(|(_, _, series)| series).sum();
    middle_of(values, all)
}

fn middle_of<'a>(
    values: impl Iterator<Item = (&'a str, &'a str, usize)>,
    all: usize,
) -> Option<Matcher> {
    let mut seen: BTreeMap<(&str, usize), BTreeMap<char, usize>> = BTreeMap::new();
    // Native histograms have no buckets to divide by, and of classic ones two are read.
    let divides = |(label, ..): &(&str, &str, usize)| *label != METRIC_NAME && *label != LE;
    for (label, value, series) in values.filter(divides) {
        for (distance, char) in value.chars().rev().take(FROM_END).enumerate() {
            let counts = seen.entry((label, distance)).or_default();
            *counts.entry(char).or_default() += series;
        }
    }
    let half = |counts: &BTreeMap<char, usize>| {
        let mut chars = Vec::new();
        let mut counted = 0;
        for (char, count) in counts {
            if 2 * (counted + count) <= all {
                counted += count;
                chars.push(*char);
            }
        }
        (counted, chars)
    };
    let ((label, distance), (counted, chars)) = seen
        .iter()
        .map(|(place, counts)| (*place, half(counts)))
        .max_by_key(|(_, (counted, _))| *counted)?;
    let coded = |char: &char| match char {
        '0'..='9' | 'A'..='Z' | 'a'..='z' => char.to_string(),
        _ => format!("\\x{{{:X}}}", u32::from(*char)),
    };
    let class: String = chars.iter().map(coded).collect();
    (counted > 0).then(|| Matcher {
        label: label.to_owned(),
        op: MatchOp::Matches,
        value: format!(".*[{class}].{{{distance}}}"),
    })
}
