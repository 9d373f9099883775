//! Which buckets histograms have. A request is slow when it is not in the bucket of the threshold: of a
//! histogram without such a bucket, as after a release with other boundaries, nobody knows which are.

use std::collections::HashMap;
use std::hash::Hash;

use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::{Sample, SeriesId};
use super::boundary::LE;

/// No time at all.
const NEVER: TimeRange = TimeRange {
    from: Timestamp::EARLIEST,
    to: Timestamp::EARLIEST,
};

/// What tells the histogram of a bucket apart; `None` of what is no bucket.
pub fn histogram_of(labels: LabelsRef) -> Option<SeriesId> {
    if labels.get(LE).is_empty() {
        return None;
    }
    let others = labels.iter().filter(|(label, _)| *label != LE);
    Some(SeriesId::of(&others.collect::<Labels>()))
}

/// The time of a series' samples, from the first to the last.
pub fn shown(samples: &[Sample]) -> Option<TimeRange> {
    let (first, last) = (samples.first()?, samples.last()?);
    Some(TimeRange {
        from: first.at - Span::from_millis(1),
        to: last.at,
    })
}

/// When histograms had the buckets that somebody looks for.
#[derive(Debug)]
pub struct Buckets<K>(HashMap<(SeriesId, K), TimeRange>);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Takes note of a bucket that somebody looks for.
    pub fn note(&mut self, labels: LabelsRef, whose: K, samples: &[Sample]) {
        if let (Some(histogram), Some(shown)) = (histogram_of(labels), shown(samples)) {
            let there = self.0.entry((histogram, whose)).or_insert(shown);
            *there = there.hull(shown);
        }
    }

    /// When the histogram of a series had such a bucket.
    pub fn there(&self, labels: LabelsRef, whose: K) -> TimeRange {
        let there = histogram_of(labels).and_then(|histogram| self.0.get(&(histogram, whose)));
        there.copied().unwrap_or(NEVER)
    }
}
