//! By which selectors the series of a family are counted, as it is kept beside where they stand: what is
//! new to us is new-born only where it would have been seen before.

use std::collections::BTreeSet;

use crate::domain::labels::LabelsRef;
use crate::domain::time::Timestamp;
use crate::promql::{CompiledMatchers, Patterns, parse_selector, selector_text};

use super::index::SelectorIndex;
use super::plan::Family;

/// Selectors of one metric, in a form that can be kept.
#[derive(Debug, Default)]
pub struct Selection {
    /// Each once, a line each.
    text: String,
    index: SelectorIndex,
}

/// Which series were looked at before, of those that are looked at now.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// Those that are selected so.
    selection: &'a Selection,
    /// What others begin with up to here is given: they may have been there for long. By then it shows
    /// which of them were not.
    given_to: Timestamp,
}

impl Before<'_> {
    /// Whether a series was perhaps there before, of which this is the first sample that is known.
    pub fn gives(&self, labels: LabelsRef, first: Timestamp) -> bool {
        first <= self.given_to && !self.selection.covers(labels)
    }
}

impl Selection {
    /// By what the events of a family are counted.
    pub fn text_of(family: &Family) -> String {
        let roles = family.roles.iter();
        let selectors = roles.filter_map(|role| family.selectors.selector(role.selector));
        let lines: BTreeSet<String> = selectors.map(selector_text).collect();
        lines.into_iter().collect::<Vec<_>>().join("\n")
    }

    /// What was kept, as it is used. A line that is no selector selects nothing: what is not known
    /// to have been seen is not taken for new-born.
    pub fn read(text: &str) -> Self {
        let mut patterns = Patterns::default();
        let selectors = text.lines().filter_map(|line| {
            // Older stores have a query here, and of native histograms its thresholds behind it.
            let selector = line.split(" # le ").next().unwrap_or(line);
            let selector = parse_selector(selector).ok()?;
            let matchers = CompiledMatchers::sharing(&mut patterns, &selector.matchers).ok()?;
            Some((selector, matchers))
        });
        Self {
            index: SelectorIndex::new(selectors.collect()),
            text: text.to_owned(),
        }
    }

    /// The same, and what another one selects.
    #[must_use]
    pub fn and(&self, other: &str) -> Self {
        let lines: BTreeSet<&str> = self.text.lines().chain(other.lines()).collect();
        Self::read(&lines.into_iter().collect::<Vec<_>>().join("\n"))
    }

    /// The same, as what was looked at before.
    pub const fn until(&self, given_to: Timestamp) -> Before<'_> {
        Before {
            selection: self,
            given_to,
        }
    }

    /// What is to be kept.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a series is among what is selected.
    pub fn covers(&self, labels: LabelsRef) -> bool {
        !self.index.matching(labels).is_empty()
    }
}
