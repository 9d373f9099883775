//! Histograms without the bucket of a threshold: what they count towards it is left out, and told.

use std::collections::{BTreeMap, HashSet};
use std::iter::successors;

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;

use super::super::batch::Batch;
use super::super::buckets::shown;
use super::super::plan::{MeterIndex, Towards};
use super::super::roll::Roll;
use super::{Counted, Edge, Layer, SeriesTable};

/// A histogram without the bucket of a threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Which threshold.
    pub threshold: u16,
    /// The labels of one of its series.
    pub labels: Labels,
}

impl SeriesTable {
    /// Where histograms may lack buckets: when the series began of which nobody knows yet what their first values are
    /// worth. What comes next says it, and does not show that they were there.
    pub(super) fn unclear_births(
        &mut self,
        roll: Roll,
        rows: &[usize],
        layer: Layer,
    ) -> HashSet<(usize, Timestamp)> {
        let rows = rows.iter().filter(|_| roll.family().has_thresholds());
        let cursors = self.cursors(layer);
        let born = rows.filter_map(|row| Some((*row, cursors[*row]?.birth?.0)));
        born.collect()
    }

    /// Leaves out what histograms gained at times for which neither the batch nor a birth shows a bucket of the threshold.
    pub(super) fn leave_out_lacking(
        &mut self,
        batch: &Batch,
        rows: &[usize],
        unclear: &HashSet<(usize, Timestamp)>,
        counted: &mut Counted,
    ) {
        let mut there = std::mem::take(&mut self.scratch.there);
        there.clear();
        there.resize(self.len(), None);
        for (row, series) in rows.iter().zip(batch.series()) {
            there[*row] = shown(series.samples);
        }
        counted.gains.retain(|gain| {
            let at = gain.increase.to;
            let is_there = |row: usize| {
                there[row].is_some_and(|there| there.contains(at)) || unclear.contains(&(row, at))
            };
            self.is_complete(gain.row, &gain.edge, is_there)
        });
        self.scratch.there = there;
    }

    /// A histogram of each meter that has samples since then, by the head cursors, but no bucket of a threshold.
    pub fn lacking(&self, since: Timestamp) -> BTreeMap<MeterIndex, Lacking> {
        let is_there = |row: usize| self.head[row].is_some_and(|head| head.at >= since);
        let mut lacking = BTreeMap::new();
        for row in (0..self.len()).filter(|row| is_there(*row)) {
            for edge in self.seen.edges_of(row) {
                if let Some(threshold) = edge.threshold
                    && !self.is_complete(row, edge, is_there)
                    && let Some(labels) = self.seen.labels(row)
                {
                    lacking.entry(edge.meter).or_insert_with(|| Lacking {
                        threshold,
                        labels: labels.clone(),
                    });
                }
            }
        }
        lacking
    }

    /// Whether it is known which of the events of a series are good, if it is a histogram: the bucket of the
    /// threshold is there.
    fn is_complete(&self, row: usize, edge: &Edge, is_there: impl Fn(usize) -> bool) -> bool {
        if edge.threshold.is_none() || edge.towards == Towards::Part {
            return true;
        }
        let is_part = |other: &Edge| {
            other.towards == Towards::Part
                && other.meter == edge.meter
                && other.threshold == edge.threshold
        };
        let first = self.origin(row);
        let mut buckets = successors(Some(first), |row| self.next.get(*row).copied().flatten());
        buckets.any(|row| is_there(row) && self.seen.edges_of(row).iter().any(is_part))
    }
}
