//! Native histograms: where their cursors stand is read again, beside the samples that follow.

use std::collections::HashMap;

use crate::domain::time::TimeRange;

use super::super::batch::{Batch, Sample, within};
use super::super::boundary::{INFINITY, LE};
use super::super::joined::Pair;
use super::{Layer, SeriesTable};

impl SeriesTable {
    /// Lets the cursors of a layer stand at what their samples read like beside the others of a batch. Where those were
    /// not read again, for nothing came for long, it is seen to that joined buckets are no reset and no events.
    pub(super) fn read_again(
        &mut self,
        batch: &Batch,
        rows: &[usize],
        range: TimeRange,
        layer: Layer,
    ) {
        let mut totals: HashMap<usize, Pair> = HashMap::new();
        let mut buckets: Vec<(usize, Pair)> = Vec::new();
        for (row, series) in rows.iter().zip(batch.series()) {
            let samples = within(series.samples, range);
            let cursor = self.cursors(layer)[*row].as_mut();
            let Some(cursor) = cursor.filter(|_| !samples.is_empty()) else {
                continue;
            };
            if let Ok(index) = series.samples.binary_search_by_key(&cursor.at, |it| it.at) {
                cursor.value = series.samples[index].value;
                continue;
            }
            let is_new = |it: &&Sample| it.at > cursor.at && it.is_count();
            let Some(newer) = samples.iter().find(is_new) else {
                continue;
            };
            let pair = Pair {
                older: cursor.value,
                newer: newer.value,
            };
            if series.labels.get(LE) == INFINITY {
                totals.insert(self.origin(*row), pair);
            } else {
                buckets.push((*row, pair));
            }
        }
        for (row, pair) in buckets {
            let all = totals.get(&self.origin(row));
            if let (Some(all), Some(cursor)) = (all, &mut self.cursors(layer)[row]) {
                cursor.value = pair.older_alike(*all);
            }
        }
    }
}
