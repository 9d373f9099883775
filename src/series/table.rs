//! The series of one family: who is counted where, and how far.

use std::collections::BTreeMap;
use std::ops::Range;

use hashbrown::HashTable;

use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::{Batch, Sample, Series, SeriesId};
use super::births::Surroundings;
use super::cursor::{Cursor, IgnoredBirth, Increase, is_gap};
use super::plan::{Role, Towards};

/// Which of the two cursors is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Behind by the settle time; what it counted is final.
    Settled,
    /// At the newest sample; what it counted is provisional.
    Head,
}

/// A series' part in one lane.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// Position of the meter in the plan.
    pub meter: usize,
    /// Position of the lane in the meter.
    pub lane: u16,
    /// What one event adds.
    pub weight: Counts,
    /// What it counts as.
    pub towards: Towards,
}

/// The series of one family, in columns. A series that is known is found by its hash, compared, and
/// counted without an allocation; its labels are looked into when it is seen for the first time only.
#[derive(Debug, Default)]
pub struct SeriesTable {
    index: HashTable<usize>,
    ids: Vec<SeriesId>,
    labels: Vec<Labels>,
    /// Where the edges of each series lie among all.
    places: Vec<Range<usize>>,
    edges: Vec<Edge>,
    settled: Vec<Option<Cursor>>,
    head: Vec<Option<Cursor>>,
    scratch: Scratch,
}

/// Buffers that outlive a batch, so that none is made for each.
#[derive(Debug, Default)]
struct Scratch {
    /// The row of each series of the batch.
    rows: Vec<usize>,
    /// What the samples of one series add.
    increases: Vec<Increase>,
}

/// What counting a batch brought to light.
#[derive(Debug, Default)]
pub struct Counted {
    /// Increases with the edges of their series.
    pub increases: Vec<(Edge, Increase)>,
    /// First values that were not counted.
    pub ignored: Vec<(Labels, IgnoredBirth)>,
    /// The series whose cursor moved.
    pub moved: Vec<usize>,
}

impl SeriesTable {
    /// Takes over a cursor from the store.
    pub fn restore(&mut self, roles: &[Role], labels: &Labels, cursor: Cursor) {
        let row = self.row(roles, SeriesId::of(labels), labels.into());
        self.settled[row] = Some(cursor);
        self.head[row] = Some(cursor);
    }

    /// How many series are known.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The labels and the settled cursor of a series that moved.
    pub fn settled(&self, row: usize) -> Option<(&Labels, Cursor)> {
        let cursor = self.settled.get(row).copied().flatten()?;
        Some((self.labels.get(row)?, cursor))
    }

    /// Forgets the series that have had no sample since `before`, by the settled cursors, and says
    /// which: a series that returns after that is a birth.
    pub fn forget(&mut self, before: Timestamp) -> Vec<Labels> {
        let is_old = |settled: &Option<Cursor>| settled.is_some_and(|settled| settled.at < before);
        if !self.settled.iter().any(is_old) {
            return Vec::new();
        }
        let old = std::mem::take(self);
        let mut forgotten = Vec::new();
        for (row, labels) in old.labels.into_iter().enumerate() {
            if is_old(&old.settled[row]) {
                forgotten.push(labels);
                continue;
            }
            let edges = old.edges.get(old.places[row].clone()).unwrap_or_default();
            let kept = self.insert(old.ids[row], labels, edges.iter().copied());
            self.settled[kept] = old.settled[row];
            self.head[kept] = old.head[row];
        }
        forgotten
    }

    /// Starts the heads anew from the settled cursors.
    pub fn rewind_heads(&mut self) {
        self.head.clone_from(&self.settled);
    }

    /// The edges of all series with a sample at or after `since`, by the head cursors.
    pub fn alive(&self, since: Timestamp) -> impl Iterator<Item = &Edge> {
        let is_alive = move |row: &usize| self.head[*row].is_some_and(|head| head.at >= since);
        (0..self.len())
            .filter(is_alive)
            .flat_map(|row| self.edges_of(row))
    }

    /// The edges of all series that were ever seen.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter()
    }

    /// The newest sample of the series that count towards the total of each meter, with the usual
    /// interval of its series, by the head cursors.
    pub fn newest_totals(&self) -> BTreeMap<usize, (Timestamp, Span)> {
        let mut newest = BTreeMap::new();
        for (row, head) in self.head.iter().enumerate() {
            let Some(head) = head else { continue };
            for edge in self.edges_of(row) {
                if edge.towards == Towards::Total {
                    let entry = newest.entry(edge.meter).or_insert((head.at, head.interval));
                    *entry = (*entry).max((head.at, head.interval));
                }
            }
        }
        newest
    }

    /// Counts the samples of a batch that lie in `range` and are newer than the cursors of `layer`.
    ///
    /// With `known_only`, series without a cursor are taken to have been there before: their first
    /// values are not births. The same holds at the very first read.
    pub fn count(
        &mut self,
        roles: &[Role],
        batch: &Batch,
        range: TimeRange,
        layer: Layer,
        known_only: bool,
    ) -> Counted {
        let first_read = known_only || self.cursors(layer).iter().all(Option::is_none);
        let mut counted = Counted::default();
        let mut newborn = Vec::new();
        let mut rows = std::mem::take(&mut self.scratch.rows);
        rows.clear();
        for series in batch.series() {
            let samples = within(series.samples, range);
            let row = self.row(roles, series.id, series.labels);
            rows.push(row);
            if samples.is_empty() || self.places[row].is_empty() {
                continue;
            }
            counted.moved.push(row);
            if self.cursors(layer)[row].is_none() {
                newborn.push((row, samples));
            }
        }
        let surroundings = if newborn.is_empty() || first_read {
            None
        } else {
            Some(self.surroundings(batch, &rows, range, layer))
        };
        for (row, series) in rows.iter().zip(batch.series()) {
            self.advance(*row, within(series.samples, range), layer, &mut counted);
        }
        for (row, samples) in newborn {
            self.bear(row, samples, surroundings.as_ref(), layer, &mut counted);
        }
        self.scratch.rows = rows;
        counted
    }

    const fn cursors(&mut self, layer: Layer) -> &mut Vec<Option<Cursor>> {
        match layer {
            Layer::Settled => &mut self.settled,
            Layer::Head => &mut self.head,
        }
    }

    fn edges_of(&self, row: usize) -> &[Edge] {
        let place = self.places.get(row).cloned().unwrap_or_default();
        self.edges.get(place).unwrap_or_default()
    }

    /// Moves the cursor of a known series over its samples.
    fn advance(&mut self, row: usize, samples: &[Sample], layer: Layer, counted: &mut Counted) {
        let Some(mut cursor) = self.cursors(layer)[row] else {
            return;
        };
        let mut increases = std::mem::take(&mut self.scratch.increases);
        increases.clear();
        for sample in samples {
            if let Some(birth) = cursor.advance(*sample, &mut increases) {
                counted.ignored.push((self.labels[row].clone(), birth));
            }
        }
        self.cursors(layer)[row] = Some(cursor);
        for increase in &increases {
            let edges = self.edges_of(row).iter();
            counted
                .increases
                .extend(edges.map(|edge| (*edge, *increase)));
        }
        self.scratch.increases = increases;
    }

    /// Gives a new series its cursor and counts what its first value is worth.
    fn bear(
        &mut self,
        row: usize,
        samples: &[Sample],
        surroundings: Option<&Surroundings>,
        layer: Layer,
        counted: &mut Counted,
    ) {
        let usable = |sample: &&Sample| sample.value.is_finite() && sample.value >= 0.0;
        let Some(first) = samples.iter().find(usable) else {
            return;
        };
        let cursor = match surroundings.map(|known| known.base(&self.labels[row], samples)) {
            None => {
                // What was there before is known to the settled layer too, or it would be born there later.
                let settled = &mut self.settled[row];
                *settled = settled.or(Some(Cursor::at_first(*first)));
                Cursor::at_first(*first)
            }
            Some(None) => Cursor::at_birth(*first),
            Some(Some(base)) => {
                let (cursor, increase) = Cursor::after(base, *first);
                let edges = self.edges_of(row).iter();
                counted
                    .increases
                    .extend(edges.map(|edge| (*edge, increase)));
                cursor
            }
        };
        self.cursors(layer)[row] = Some(cursor);
        self.advance(row, samples, layer, counted);
    }

    /// What is known besides newborn series: where the others stood, and what the batch has of them.
    fn surroundings(
        &mut self,
        batch: &Batch,
        rows: &[usize],
        range: TimeRange,
        layer: Layer,
    ) -> Surroundings {
        let mut samples: Vec<&[Sample]> = vec![&[]; self.len()];
        for (row, series) in rows.iter().zip(batch.series()) {
            samples[*row] = within(series.samples, range);
        }
        let mut surroundings = Surroundings::default();
        for (row, samples) in samples.into_iter().enumerate() {
            if let Some(cursor) = self.cursors(layer)[row] {
                surroundings.note(&self.labels[row], &cursor, samples);
            }
        }
        surroundings.sort();
        surroundings
    }

    /// The row of a series; matched against the roles when it is seen for the first time.
    fn row(&mut self, roles: &[Role], id: SeriesId, labels: LabelsRef) -> usize {
        let found = self
            .index
            .find(id.bits(), |row| self.labels[*row] == labels);
        if let Some(row) = found {
            return *row;
        }
        let counted = roles.iter().filter(|role| role.matchers.matches(labels));
        let edges = counted.map(|role| Edge {
            meter: role.meter,
            lane: role.lane,
            weight: role.weight,
            towards: role.towards,
        });
        self.insert(id, labels.to_labels(), edges)
    }

    fn insert(&mut self, id: SeriesId, labels: Labels, edges: impl Iterator<Item = Edge>) -> usize {
        let row = self.len();
        let first = self.edges.len();
        self.edges.extend(edges);
        self.places.push(first..self.edges.len());
        self.ids.push(id);
        self.labels.push(labels);
        self.settled.push(None);
        self.head.push(None);
        let ids = &self.ids;
        self.index
            .insert_unique(id.bits(), row, |row| ids[*row].bits());
        row
    }
}

/// The samples of a sorted list that lie in `(from, to]`.
fn within(samples: &[Sample], range: TimeRange) -> &[Sample] {
    let start = samples.partition_point(|sample| sample.at <= range.from);
    let end = samples.partition_point(|sample| sample.at <= range.to);
    samples.get(start..end).unwrap_or_default()
}

/// The usual distance of samples in a batch: the median over its series of the last distance;
/// `None` when no series has two samples close enough.
pub fn usual_interval(batch: &Batch) -> Option<Span> {
    let last = |series: Series| match series.samples {
        [.., older, newer] => Some(newer.at.since(older.at)),
        _ => None,
    };
    let mut distances: Vec<Span> = batch
        .series()
        .filter_map(last)
        .filter(|distance| !is_gap(*distance, Span::ZERO))
        .collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied()
}
