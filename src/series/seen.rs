//! Series that were seen before, with what was made of their labels then.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use hashbrown::HashTable;

use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::time::Timestamp;

use super::batch::{Batch, Series, SeriesId};
use super::plan::{Family, SelectorPosition};
use super::slices::events::{FirstScrapes, first_scrapes};

/// Series in columns, each with its edges to whatever it belongs to. A known one is found by its
/// hash and compared, without an allocation and without a look into its labels.
#[derive(Debug)]
pub struct Seen<E> {
    index: HashTable<usize>,
    ids: Vec<SeriesId>,
    labels: Vec<Labels>,
    /// Where the edges of each series lie among all.
    places: Vec<Range<usize>>,
    edges: Vec<E>,
}

impl<E> Default for Seen<E> {
    fn default() -> Self {
        Self {
            index: HashTable::new(),
            ids: Vec::new(),
            labels: Vec::new(),
            places: Vec::new(),
            edges: Vec::new(),
        }
    }
}

impl<E: Copy> Seen<E> {
    /// How many series are known; their rows count from 0.
    pub const fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether none is known.
    pub const fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The row of a series.
    pub fn find(&self, id: SeriesId, labels: LabelsRef) -> Option<usize> {
        let is_same = |row: &usize| self.labels[*row] == labels;
        self.index.find(id.bits(), is_same).copied()
    }

    /// Takes in a series that is not known, and says its row.
    pub fn insert(
        &mut self,
        id: SeriesId,
        labels: Labels,
        edges: impl IntoIterator<Item = E>,
    ) -> usize {
        let row = self.len();
        let first = self.edges.len();
        self.edges.extend(edges);
        self.places.push(first..self.edges.len());
        self.ids.push(id);
        self.labels.push(labels);
        let hash = |row: &usize| self.ids[*row].bits();
        self.index.insert_unique(id.bits(), row, hash);
        row
    }

    /// Finds out anew what every series belongs to.
    pub fn reassign(&mut self, edges: impl Fn(LabelsRef, &mut Vec<E>)) {
        self.edges.clear();
        self.places.clear();
        for labels in &self.labels {
            let first = self.edges.len();
            edges(labels.into(), &mut self.edges);
            self.places.push(first..self.edges.len());
        }
    }

    /// What a row's series belongs to.
    pub fn edges_of(&self, row: usize) -> &[E] {
        let place = self.places.get(row).cloned().unwrap_or_default();
        self.edges.get(place).unwrap_or_default()
    }

    /// What all series belong to.
    pub fn edges(&self) -> &[E] {
        &self.edges
    }

    /// The labels of a row's series.
    pub fn labels(&self, row: usize) -> Option<&Labels> {
        self.labels.get(row)
    }

    /// All ids and labels, by row.
    pub fn series(&self) -> impl Iterator<Item = (SeriesId, &Labels)> {
        self.ids.iter().copied().zip(&self.labels)
    }
}

/// Remembers which selectors of its family each series matches.
#[derive(Debug, Default)]
pub struct Sorter {
    seen: Seen<SelectorPosition>,
}

/// A batch, and which of its series each selector matches.
#[derive(Clone, Debug)]
pub struct Sorted<'b> {
    batch: &'b Batch,
    positions: HashMap<SelectorPosition, Vec<usize>>,
    /// Of the whole batch, once somebody asks; shared by all that are made of it.
    scraped: Arc<OnceLock<FirstScrapes>>,
}

impl Sorter {
    /// Sorts the series of a batch of `family` by the selectors that match them.
    pub fn sort<'b>(&mut self, family: &Family, batch: &'b Batch) -> Sorted<'b> {
        // Pods come and go: when most of what is remembered is of those that went, all is matched anew.
        if self.seen.len() > 2 * batch.len() + 1_000 {
            *self = Self::default();
        }
        let mut positions: HashMap<SelectorPosition, Vec<usize>> = HashMap::new();
        for (position, series) in batch.series().enumerate() {
            let row = self.seen.find(series.id, series.labels).unwrap_or_else(|| {
                let matching = family.selectors.matching(series.labels);
                self.seen
                    .insert(series.id, series.labels.to_labels(), matching)
            });
            for selector in self.seen.edges_of(row) {
                positions.entry(*selector).or_default().push(position);
            }
        }
        Sorted {
            batch,
            positions,
            scraped: Arc::default(),
        }
    }
}

impl Sorter {
    /// Whether any series was sorted yet that a selector matches.
    pub fn has_found(&self) -> bool {
        !self.seen.edges().is_empty()
    }

    /// Whether any selector matches a series; not of one that was never sorted.
    pub fn wants(&self, series: &Series) -> bool {
        let row = self.seen.find(series.id, series.labels);
        row.is_some_and(|row| !self.seen.edges_of(row).is_empty())
    }
}

impl<'b> Sorted<'b> {
    /// The series that a selector of the family matches.
    pub fn series(&self, selector: SelectorPosition) -> impl Iterator<Item = Series<'b>> {
        self.placed(selector).map(|(_, series)| series)
    }

    /// The series that a selector of the family matches, with their positions in the batch.
    pub fn placed(&self, selector: SelectorPosition) -> impl Iterator<Item = (usize, Series<'b>)> {
        let positions = self.positions.get(&selector).into_iter().flatten();
        positions.filter_map(|position| Some((*position, self.batch.get(*position)?)))
    }

    /// The same batch, of which no selector matches anything.
    #[must_use]
    pub fn nothing(&self) -> Self {
        Self {
            batch: self.batch,
            positions: HashMap::new(),
            scraped: Arc::clone(&self.scraped),
        }
    }

    /// When each target of the batch is first seen to be scraped, also by series that no selector matches.
    pub fn first_scrapes(&self) -> &FirstScrapes {
        self.scraped.get_or_init(|| first_scrapes(self.batch))
    }

    /// Lets a selector match the series at a position of the batch too.
    pub fn add(&mut self, selector: SelectorPosition, position: usize) {
        self.positions.entry(selector).or_default().push(position);
    }

    /// When the newest sample is of the series that any selector matches.
    pub fn newest(&self) -> Option<Timestamp> {
        let positions = self.positions.values().flatten();
        let series = positions.filter_map(|position| self.batch.get(*position));
        series
            .filter_map(|series| series.samples.last())
            .map(|sample| sample.at)
            .max()
    }

    /// How many series a selector of the family matches.
    pub fn count(&self, selector: SelectorPosition) -> usize {
        self.positions.get(&selector).map_or(0, Vec::len)
    }
}
