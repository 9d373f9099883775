//! Answers taken apart by group, for lanes without cursors.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;
use crate::engine::intake::Answer;
use crate::series::batch::{Batch, Series};
use crate::series::plan::{FamilyIndex, Lane, SelectorPosition};
use crate::series::seen::Sorted;

/// What of an answer belongs to one group.
#[derive(Debug)]
pub(in crate::engine) struct Part<'b> {
    /// By selectors, where a lane without cursors reads the family.
    sorted: Option<Sorted<'b>>,
    /// Where the lane reads whole answers: a copy of the group's series.
    batch: Option<Batch>,
}

impl Part<'_> {
    /// When its newest sample is.
    fn newest(&self) -> Option<Timestamp> {
        let sorted = self.sorted.as_ref().and_then(Sorted::newest);
        let samples = self.batch.iter().flat_map(Batch::series);
        let copied = samples.filter_map(|series| series.samples.last());
        sorted.max(copied.map(|sample| sample.at).max())
    }
}

/// When the newest sample of a group is, by the parts of the answers that are its own.
pub(in crate::engine) fn newest(parts: &BTreeMap<FamilyIndex, Part<'_>>) -> Option<Timestamp> {
    parts.values().filter_map(Part::newest).max()
}

/// The parts of the answers that a lane needs, by group and family.
pub(in crate::engine) type Parts<'b> = BTreeMap<Labels, BTreeMap<FamilyIndex, Part<'b>>>;

/// Takes the answers that a lane needs apart by the labels `by`. Every group that any of them
/// shows is there; without labels to tell them apart there are none.
pub(in crate::engine) fn parts<'b>(
    lane: &Lane,
    by: &[String],
    complete: &BTreeMap<FamilyIndex, Answer<'b>>,
) -> Parts<'b> {
    let mut parts = Parts::new();
    if by.is_empty() {
        return parts;
    }
    let selectors: BTreeSet<_> = lane.selectors().into_iter().collect();
    for family in lane.families().into_iter().collect::<BTreeSet<_>>() {
        let Some(answer) = complete.get(&family) else {
            continue;
        };
        match &answer.sorted {
            Some(sorted) => {
                for (_, selector) in selectors.iter().filter(|(of, _)| *of == family) {
                    sort(family, *selector, sorted, by, &mut parts);
                }
            }
            None => copy(family, answer.batch, by, &mut parts),
        }
    }
    parts
}

fn sort<'b>(
    family: FamilyIndex,
    selector: SelectorPosition,
    sorted: &Sorted<'b>,
    by: &[String],
    parts: &mut Parts<'b>,
) {
    for (position, series) in sorted.placed(selector) {
        let families = parts.entry(series.labels.only(by)).or_default();
        let part = families.entry(family).or_insert_with(|| Part {
            sorted: Some(sorted.nothing()),
            batch: None,
        });
        if let Some(sorted) = &mut part.sorted {
            sorted.add(selector, position);
        }
    }
}

fn copy<'b>(family: FamilyIndex, batch: &'b Batch, by: &[String], parts: &mut Parts<'b>) {
    let mut groups: BTreeMap<Labels, Vec<Series<'b>>> = BTreeMap::new();
    for series in batch.series() {
        let group = groups.entry(series.labels.only(by)).or_default();
        group.push(series);
    }
    for (group, series) in groups {
        let own = |it: Series<'b>| (it.labels.to_labels(), it.samples.to_vec());
        let part = Part {
            sorted: None,
            batch: Some(series.into_iter().map(own).collect()),
        };
        parts.entry(group).or_default().insert(family, part);
    }
}

/// The answers that a lane needs, with nothing in them but what belongs to one group.
pub(in crate::engine) fn answers_of<'a, 'b: 'a>(
    lane: &Lane,
    parts: Option<&'a BTreeMap<FamilyIndex, Part<'b>>>,
    empty: &'a Batch,
    complete: &BTreeMap<FamilyIndex, Answer<'b>>,
) -> BTreeMap<FamilyIndex, Answer<'a>> {
    let mut answers = BTreeMap::new();
    for family in lane.families() {
        let Some(whole) = complete.get(&family) else {
            continue;
        };
        let part = parts.and_then(|parts| parts.get(&family));
        let sorted = match (&whole.sorted, part.and_then(|part| part.sorted.as_ref())) {
            (None, _) => None,
            (Some(_), Some(part)) => Some(part.clone()),
            (Some(whole), None) => Some(whole.nothing()),
        };
        let batch = match part.and_then(|part| part.batch.as_ref()) {
            Some(batch) => batch,
            // Of what is sorted, the positions say what is the group's.
            None if sorted.is_some() => whole.batch,
            None => empty,
        };
        answers.insert(
            family,
            Answer {
                range: whole.range,
                batch,
                summed: None,
                sorted,
            },
        );
    }
    answers
}
