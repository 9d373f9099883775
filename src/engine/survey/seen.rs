//! What was read for one tick, by what selects it.

use std::collections::BTreeMap;

use crate::domain::labels::Labels;
use crate::domain::selector::Selector;
use crate::domain::slo::SourceName;
use crate::engine::intake::{Read, Reading};
use crate::engine::reads::Query;
use crate::series::plan::{Family, FamilyIndex, Plan};

/// The series of each family that was read.
pub(super) struct Seen<'p> {
    plan: &'p Plan,
    families: Vec<Known>,
    by_name: BTreeMap<(&'p SourceName, &'p str), FamilyIndex>,
}

/// What is known of a family.
#[derive(Debug, Default)]
pub(super) enum Known {
    /// Its series are not looked at: nothing was asked, or there are too many to be read at once.
    #[default]
    Nothing,
    /// Why it could not be read.
    Unread(String),
    /// Its series, and which of them each of its selectors matches.
    Series {
        labels: Vec<Labels>,
        by_selector: Vec<Vec<usize>>,
    },
}

impl<'p> Seen<'p> {
    /// What `reads` brought.
    pub(super) fn of(plan: &'p Plan, reads: &[Read]) -> Self {
        let mut families: Vec<Known> = Vec::new();
        families.resize_with(plan.families.len(), Known::default);
        for read in reads {
            if let (Query::Part(_), Some(known)) =
                (read.wanted.query, families.get_mut(read.wanted.family))
            {
                known.add(&plan.families[read.wanted.family], &read.reading);
            }
        }
        let named = plan.families.iter().enumerate();
        let by_name = named.map(|(index, family)| ((&family.source, family.name()), index));
        Self {
            plan,
            families,
            by_name: by_name.collect(),
        }
    }

    /// What is known of a family.
    pub(super) fn family(&self, index: FamilyIndex) -> &Known {
        &self.families[index]
    }

    /// What is asked of a family, for people.
    pub(super) fn text(&self, index: FamilyIndex) -> &'p str {
        self.plan.families[index].metric()
    }

    /// The series that a selector matches; `None` where they were not looked at. Native histograms are a
    /// family of their own.
    pub(super) fn series(
        &self,
        source: &SourceName,
        selector: &Selector,
        is_native: bool,
    ) -> Option<Vec<&Labels>> {
        let metric = &selector.metric;
        let native = is_native.then(|| format!("{metric} (native)"));
        let name = native.as_ref().unwrap_or(metric);
        let index = *self.by_name.get(&(source, name.as_str()))?;
        let selectors = &self.plan.families[index].selectors;
        let is_it = |position: &usize| selectors.selector(*position) == Some(selector);
        let position = (0..selectors.len()).find(is_it)?;
        match &self.families[index] {
            Known::Series {
                labels,
                by_selector,
            } => {
                let found = by_selector.get(position)?;
                Some(found.iter().map(|series| &labels[*series]).collect())
            }
            Known::Nothing | Known::Unread(_) => None,
        }
    }
}

impl Known {
    /// Takes in one of the answers to the queries of `family`.
    fn add(&mut self, family: &Family, reading: &Reading) {
        let batch = match reading {
            Reading::Complete(batch) => batch,
            Reading::Partial(why) | Reading::Failed(why) => {
                *self = Self::Unread(why.clone());
                return;
            }
            // It is summed up by its source then, or read in parts.
            Reading::TooMuch(_) => return,
        };
        if matches!(self, Self::Nothing) {
            *self = Self::Series {
                labels: Vec::new(),
                by_selector: vec![Vec::new(); family.selectors.len()],
            };
        }
        let Self::Series {
            labels,
            by_selector,
        } = self
        else {
            return;
        };
        for series in batch.series() {
            for selector in family.selectors.matching(series.labels) {
                by_selector[selector].push(labels.len());
            }
            labels.push(series.labels.to_labels());
        }
    }
}
