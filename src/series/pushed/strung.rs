//! Answers for one piece of time after another, as one.

use std::collections::BTreeMap;

use crate::domain::labels::Labels;
use crate::series::batch::{Batch, Sample};

/// Several answers to the same question for times that follow each other, as one.
pub fn strung<'b>(pieces: impl IntoIterator<Item = &'b Batch>) -> Batch {
    let mut series: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
    for piece in pieces {
        for part in piece.series() {
            let all = series.entry(part.labels.to_labels()).or_default();
            all.extend_from_slice(part.samples);
        }
    }
    for samples in series.values_mut() {
        samples.sort_by_key(|sample| sample.at);
        samples.dedup_by_key(|sample| sample.at);
    }
    series.into_iter().collect()
}
