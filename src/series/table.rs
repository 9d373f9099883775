//! The series of one family: who is counted where, and how far.

use std::collections::{BTreeMap, HashMap};

use crate::domain::labels::Labels;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::{Batch, Sample, Series};
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

#[derive(Debug)]
struct Row {
    labels: Labels,
    edges: Box<[Edge]>,
    settled: Option<Cursor>,
    head: Option<Cursor>,
}

impl Row {
    const fn cursor(&mut self, layer: Layer) -> &mut Option<Cursor> {
        match layer {
            Layer::Settled => &mut self.settled,
            Layer::Head => &mut self.head,
        }
    }
}

/// The series of one family.
#[derive(Debug, Default)]
pub struct SeriesTable {
    index: HashMap<Labels, usize>,
    rows: Vec<Row>,
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
        let row = self.row(roles, labels);
        self.rows[row].settled = Some(cursor);
        self.rows[row].head = Some(cursor);
    }

    /// How many series are known.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The labels and the settled cursor of a series that moved.
    pub fn settled(&self, row: usize) -> Option<(&Labels, Cursor)> {
        self.rows
            .get(row)
            .and_then(|row| Some((&row.labels, row.settled?)))
    }

    /// Forgets the series that have had no sample since `before`, by the settled cursors, and says
    /// which: a series that returns after that is a birth.
    pub fn forget(&mut self, before: Timestamp) -> Vec<Labels> {
        let is_old = |row: &Row| row.settled.is_some_and(|settled| settled.at < before);
        if !self.rows.iter().any(is_old) {
            return Vec::new();
        }
        let (old, kept): (Vec<Row>, Vec<Row>) =
            std::mem::take(&mut self.rows).into_iter().partition(is_old);
        self.index = kept
            .iter()
            .enumerate()
            .map(|(index, row)| (row.labels.clone(), index))
            .collect();
        self.rows = kept;
        old.into_iter().map(|row| row.labels).collect()
    }

    /// Starts the heads anew from the settled cursors.
    pub fn rewind_heads(&mut self) {
        for row in &mut self.rows {
            row.head = row.settled;
        }
    }

    /// The edges of all series with a sample at or after `since`, by the head cursors.
    pub fn alive(&self, since: Timestamp) -> impl Iterator<Item = &Edge> {
        let is_alive = move |row: &&Row| row.head.is_some_and(|head| head.at >= since);
        self.rows
            .iter()
            .filter(is_alive)
            .flat_map(|row| row.edges.iter())
    }

    /// The edges of all series that were ever seen.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.rows.iter().flat_map(|row| row.edges.iter())
    }

    /// The newest sample of the series that count towards the total of each meter, with the usual
    /// interval of its series, by the head cursors.
    pub fn newest_totals(&self) -> BTreeMap<usize, (Timestamp, Span)> {
        let mut newest = BTreeMap::new();
        for row in &self.rows {
            let Some(head) = row.head else { continue };
            for edge in row
                .edges
                .iter()
                .filter(|edge| edge.towards == Towards::Total)
            {
                let entry = newest.entry(edge.meter).or_insert((head.at, head.interval));
                *entry = (*entry).max((head.at, head.interval));
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
        let first_read = known_only || self.rows.iter_mut().all(|row| row.cursor(layer).is_none());
        let mut counted = Counted::default();
        let mut newborn = Vec::new();
        for series in &batch.series {
            let samples = within(&series.samples, range);
            let row = self.row(roles, &series.labels);
            if samples.is_empty() || self.rows[row].edges.is_empty() {
                continue;
            }
            counted.moved.push(row);
            if self.rows[row].cursor(layer).is_none() {
                newborn.push((
                    row,
                    Series {
                        labels: series.labels.clone(),
                        samples: samples.to_vec(),
                    },
                ));
            }
        }
        let surroundings = if newborn.is_empty() || first_read {
            None
        } else {
            Some(self.surroundings(batch, range, layer))
        };
        for series in &batch.series {
            let Some(&row) = self.index.get(&series.labels) else {
                continue;
            };
            self.advance(row, within(&series.samples, range), layer, &mut counted);
        }
        for (row, series) in newborn {
            self.bear(row, &series, surroundings.as_ref(), layer, &mut counted);
        }
        counted
    }

    /// Moves the cursor of a known series over its samples.
    fn advance(&mut self, row: usize, samples: &[Sample], layer: Layer, counted: &mut Counted) {
        let row = &mut self.rows[row];
        let Some(mut cursor) = *row.cursor(layer) else {
            return;
        };
        let mut increases = Vec::new();
        for sample in samples {
            if let Some(birth) = cursor.advance(*sample, &mut increases) {
                counted.ignored.push((row.labels.clone(), birth));
            }
        }
        *row.cursor(layer) = Some(cursor);
        for increase in increases {
            counted
                .increases
                .extend(row.edges.iter().map(|edge| (*edge, increase)));
        }
    }

    /// Gives a new series its cursor and counts what its first value is worth.
    fn bear(
        &mut self,
        row: usize,
        series: &Series,
        surroundings: Option<&Surroundings>,
        layer: Layer,
        counted: &mut Counted,
    ) {
        let usable = |sample: &&Sample| sample.value.is_finite() && sample.value >= 0.0;
        let Some(first) = series.samples.iter().find(usable) else {
            return;
        };
        let cursor = match surroundings.map(|known| known.base(series)) {
            None => {
                // What was there before is known to the settled layer too, or it would be born there later.
                let row = &mut self.rows[row];
                row.settled = row.settled.or(Some(Cursor::at_first(*first)));
                Cursor::at_first(*first)
            }
            Some(None) => Cursor::at_birth(*first),
            Some(Some(base)) => {
                let (cursor, increase) = Cursor::after(base, *first);
                counted
                    .increases
                    .extend(self.rows[row].edges.iter().map(|edge| (*edge, increase)));
                cursor
            }
        };
        *self.rows[row].cursor(layer) = Some(cursor);
        self.advance(row, &series.samples, layer, counted);
    }

    fn surroundings(&mut self, batch: &Batch, range: TimeRange, layer: Layer) -> Surroundings {
        let samples: HashMap<&Labels, &[Sample]> = batch
            .series
            .iter()
            .map(|series| (&series.labels, within(&series.samples, range)))
            .collect();
        let mut surroundings = Surroundings::default();
        for row in &mut self.rows {
            if let Some(cursor) = *row.cursor(layer) {
                surroundings.note(
                    &row.labels,
                    &cursor,
                    samples.get(&row.labels).copied().unwrap_or_default(),
                );
            }
        }
        surroundings.sort();
        surroundings
    }

    /// The row of a series; matched against the roles when it is seen for the first time.
    fn row(&mut self, roles: &[Role], labels: &Labels) -> usize {
        if let Some(row) = self.index.get(labels) {
            return *row;
        }
        let edges = roles
            .iter()
            .filter(|role| role.matchers.matches(labels))
            .map(|role| Edge {
                meter: role.meter,
                lane: role.lane,
                weight: role.weight,
                towards: role.towards,
            })
            .collect();
        let row = self.rows.len();
        self.rows.push(Row {
            labels: labels.clone(),
            edges,
            settled: None,
            head: None,
        });
        self.index.insert(labels.clone(), row);
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
    let last = |series: &Series| match series.samples.as_slice() {
        [.., older, newer] => Some(newer.at.since(older.at)),
        _ => None,
    };
    let mut distances: Vec<Span> = batch
        .series
        .iter()
        .filter_map(last)
        .filter(|distance| !is_gap(*distance, Span::ZERO))
        .collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied()
}
