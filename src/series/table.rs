//! The series of one family: who is counted where, and how far.

use std::collections::BTreeMap;

use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::{Batch, Sample, Series, SeriesId};
use super::births::Surroundings;
use super::cursor::{Cursor, IgnoredBirth, Increase, is_gap};
use super::plan::{Family, Role, Towards};
use super::seen::Seen;

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
    seen: Seen<Edge>,
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
    pub fn restore(&mut self, family: &Family, labels: &Labels, cursor: Cursor) {
        let row = self.row(family, SeriesId::of(labels), labels.into());
        self.settled[row] = Some(cursor);
        self.head[row] = Some(cursor);
    }

    /// How many series are known.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// The labels and the settled cursor of a series that moved.
    pub fn settled(&self, row: usize) -> Option<(&Labels, Cursor)> {
        let cursor = self.settled.get(row).copied().flatten()?;
        Some((self.seen.labels(row)?, cursor))
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
        for (row, (id, labels)) in old.seen.series().enumerate() {
            if is_old(&old.settled[row]) {
                forgotten.push(labels.clone());
                continue;
            }
            let edges = old.seen.edges_of(row).iter().copied();
            let kept = self.insert(id, labels.clone(), edges);
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
            .flat_map(|row| self.seen.edges_of(row))
    }

    /// The edges of all series that were ever seen.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.seen.edges().iter()
    }

    /// The newest sample of the series that count towards the total of each meter, with the usual
    /// interval of its series, by the head cursors.
    pub fn newest_totals(&self) -> BTreeMap<usize, (Timestamp, Span)> {
        let mut newest = BTreeMap::new();
        for (row, head) in self.head.iter().enumerate() {
            let Some(head) = head else { continue };
            for edge in self.seen.edges_of(row) {
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
        family: &Family,
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
            let row = self.row(family, series.id, series.labels);
            rows.push(row);
            if samples.is_empty() || self.seen.edges_of(row).is_empty() {
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

    /// Moves the cursor of a known series over its samples.
    fn advance(&mut self, row: usize, samples: &[Sample], layer: Layer, counted: &mut Counted) {
        let Some(mut cursor) = self.cursors(layer)[row] else {
            return;
        };
        let mut increases = std::mem::take(&mut self.scratch.increases);
        increases.clear();
        for sample in samples {
            let ignored = cursor.advance(*sample, &mut increases);
            let labels = self.seen.labels(row);
            counted.ignored.extend(labels.cloned().zip(ignored));
        }
        self.cursors(layer)[row] = Some(cursor);
        for increase in &increases {
            let edges = self.seen.edges_of(row).iter();
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
        let base = |known: &Surroundings| known.base(self.seen.labels(row)?, samples);
        let cursor = match surroundings.map(base) {
            None => {
                // What was there before is known to the settled layer too, or it would be born there later.
                let settled = &mut self.settled[row];
                *settled = settled.or(Some(Cursor::at_first(*first)));
                Cursor::at_first(*first)
            }
            Some(None) => Cursor::at_birth(*first),
            Some(Some(base)) => {
                let (cursor, increase) = Cursor::after(base, *first);
                let edges = self.seen.edges_of(row).iter();
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
        &self,
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
        let cursors = match layer {
            Layer::Settled => &self.settled,
            Layer::Head => &self.head,
        };
        for (row, samples) in samples.into_iter().enumerate() {
            if let Some((labels, cursor)) = self.seen.labels(row).zip(cursors[row]) {
                surroundings.note(labels, &cursor, samples);
            }
        }
        surroundings.sort();
        surroundings
    }

    /// The row of a series; matched against the roles when it is seen for the first time.
    fn row(&mut self, family: &Family, id: SeriesId, labels: LabelsRef) -> usize {
        if let Some(row) = self.seen.find(id, labels) {
            return row;
        }
        let edge = |role: &Role| Edge {
            meter: role.meter,
            lane: role.lane,
            weight: role.weight,
            towards: role.towards,
        };
        self.insert(id, labels.to_labels(), family.roles_of(labels).map(edge))
    }

    fn insert(
        &mut self,
        id: SeriesId,
        labels: Labels,
        edges: impl IntoIterator<Item = Edge>,
    ) -> usize {
        self.settled.push(None);
        self.head.push(None);
        self.seen.insert(id, labels, edges)
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
