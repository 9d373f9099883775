//! What is asked of a source and what comes back: fetches, samples and batches.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::domain::labels::{Draft, Labels, LabelsRef};
use crate::domain::selector::Selector;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::promql::selector_text;

use super::pushed::Sums;

/// One thing to ask of a source for a range of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fetch {
    /// The raw samples of all series that match.
    Samples(Selector),
    /// The native histograms of all series that match, each as counters that a classic one would
    /// have: the events up to each threshold, told apart by `le`, and all events with `le="+Inf"`.
    Histograms {
        /// Which series; without a condition on `le`.
        selector: Selector,
        /// The thresholds, as `le` spells them; each a number.
        thresholds: Vec<String>,
    },
    /// A PromQL expression, evaluated at each multiple of `step` in the range.
    Expression {
        /// PromQL, complete.
        text: String,
        /// The distance of the evaluations; divides both ends of the range.
        step: Span,
    },
    /// What counters grew by, worked out and summed up by the source.
    Sums(Sums),
}

impl Fetch {
    /// What is asked, as PromQL.
    pub fn text(&self) -> String {
        match self {
            Self::Samples(selector) => selector_text(selector),
            // Other thresholds make other series: what is asked for is told apart by them, too.
            Self::Histograms {
                selector,
                thresholds,
            } => format!("{} # le {}", selector_text(selector), thresholds.join(", ")),
            Self::Expression { text, .. } => text.clone(),
            Self::Sums(sums) => sums.text(),
        }
    }
}

/// One sample of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When it was scraped (or evaluated).
    pub at: Timestamp,
    /// Its value; may be NaN or infinite.
    pub value: f64,
}

impl Sample {
    /// Whether it is a count. A counter may show what is none, which is passed over: it is negative, infinite, or not a
    /// number.
    pub const fn is_count(&self) -> bool {
        self.value.is_finite() && self.value >= 0.0
    }
}

/// The samples of a sorted list that lie in `(from, to]`.
pub fn within(samples: &[Sample], range: TimeRange) -> &[Sample] {
    let first = samples.partition_point(|sample| sample.at <= range.from);
    let behind = samples.partition_point(|sample| sample.at <= range.to);
    samples.get(first..behind).unwrap_or_default()
}

/// A hash of a series' labels: the same for the same labels. Others may have it too, so whoever
/// looks a series up by it compares the labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeriesId(u64);

impl SeriesId {
    /// The id of the series with these labels.
    pub fn of<'a>(labels: impl Into<LabelsRef<'a>>) -> Self {
        Self(FixedState::default().hash_one(labels.into()))
    }

    /// The bits of the hash.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// The samples of one series within the range that was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Series<'a> {
    /// What finds it again.
    pub id: SeriesId,
    /// What tells it apart, the metric's name included.
    pub labels: LabelsRef<'a>,
    /// Oldest first, each time once; never empty.
    pub samples: &'a [Sample],
}

/// The answer to one fetch: all labels in one buffer, all samples in another, so that a series
/// costs no allocation. Made by a [`BatchWriter`], or collected from series in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    labels: Vec<u8>,
    samples: Vec<Sample>,
    /// In the order of the answer.
    series: Vec<Place>,
    /// What the source warned of: with any, a part of the data may be missing.
    pub warnings: Vec<String>,
    /// Series that hold native histograms where plain numbers are due; they are left out.
    pub histograms: usize,
}

/// Where a series ends in the buffers; it begins where the one before ends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    id: SeriesId,
    labels_end: usize,
    samples_end: usize,
}

impl Batch {
    /// How many series there are.
    pub const fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there are no series.
    pub const fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// The series at a position, in the order of the answer.
    pub fn get(&self, position: usize) -> Option<Series<'_>> {
        let place = self.series.get(position)?;
        let before = position
            .checked_sub(1)
            .and_then(|before| self.series.get(before));
        let (labels, samples) =
            before.map_or((0, 0), |before| (before.labels_end, before.samples_end));
        Some(Series {
            id: place.id,
            labels: LabelsRef::in_buffer(self.labels.get(labels..place.labels_end)?),
            samples: self.samples.get(samples..place.samples_end)?,
        })
    }

    /// All series, in the order of the answer.
    pub fn series(&self) -> impl Iterator<Item = Series<'_>> {
        (0..self.len()).filter_map(|position| self.get(position))
    }

    /// The samples of all series, one series after another.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The same, with all samples so much later.
    #[must_use]
    pub fn delayed(mut self, by: Span) -> Self {
        for sample in &mut self.samples {
            sample.at = sample.at + by;
        }
        self
    }
}

impl Batch {
    /// Several answers as one; what more than one of them brought is kept once.
    pub fn joined<'b>(parts: impl IntoIterator<Item = &'b Self>) -> Self {
        let mut writer = BatchWriter::new(TimeRange::ALL);
        let mut seen: HashTable<(SeriesId, LabelsRef)> = HashTable::new();
        for part in parts {
            writer.batch.histograms += part.histograms;
            writer.batch.warnings.extend_from_slice(&part.warnings);
            for series in part.series() {
                let is_same = |(_, labels): &(SeriesId, LabelsRef)| *labels == series.labels;
                let hash = |(id, _): &(SeriesId, LabelsRef)| id.bits();
                let known = seen.find(series.id.bits(), is_same).is_some();
                if !known {
                    seen.insert_unique(series.id.bits(), (series.id, series.labels), hash);
                    writer.series(series.labels, series.samples.iter().copied());
                }
            }
        }
        writer.finish()
    }
}

impl FromIterator<(Labels, Vec<Sample>)> for Batch {
    /// Series without samples are left out.
    fn from_iter<I: IntoIterator<Item = (Labels, Vec<Sample>)>>(series: I) -> Self {
        let mut writer = BatchWriter::new(TimeRange::ALL);
        for (labels, samples) in series {
            writer.series((&labels).into(), samples);
        }
        writer.finish()
    }
}

/// Writes a batch, series by series: labels and samples in any order, then the end.
#[derive(Debug)]
pub struct BatchWriter {
    batch: Batch,
    range: TimeRange,
    draft: Draft,
    is_sorted: bool,
}

impl BatchWriter {
    /// An empty batch of samples in `range`.
    pub fn new(range: TimeRange) -> Self {
        Self {
            batch: Batch::default(),
            range,
            draft: Draft::behind(&[]),
            is_sorted: true,
        }
    }

    /// Writes a whole series.
    pub fn series(&mut self, labels: LabelsRef, samples: impl IntoIterator<Item = Sample>) {
        for (name, value) in labels.iter() {
            self.label(name, value);
        }
        for sample in samples {
            self.sample(sample);
        }
        self.end_series();
    }

    /// Adds a label to the series.
    pub fn label(&mut self, name: &str, value: &str) {
        self.draft.push(&mut self.batch.labels, name, value);
    }

    /// Adds a sample to the series, if it lies in the range.
    pub fn sample(&mut self, sample: Sample) {
        if !self.range.contains(sample.at) {
            return;
        }
        let (_, start) = self.start();
        if let Some(last) = self.batch.samples.get(start..).and_then(<[Sample]>::last) {
            self.is_sorted &= last.at < sample.at;
        }
        self.batch.samples.push(sample);
    }

    /// How many bytes labels and samples take so far.
    pub const fn bytes(&self) -> usize {
        self.batch.labels.len() + self.batch.samples.len() * size_of::<Sample>()
    }

    /// Ends the series. One without samples is left out.
    pub fn end_series(&mut self) {
        let (labels, samples) = self.start();
        if self.batch.samples.len() == samples {
            self.drop_series();
            return;
        }
        self.draft.finish(&mut self.batch.labels);
        if !self.is_sorted {
            // Servers send samples in order; one that does not costs a sort and nothing else.
            let mut messy = self.batch.samples.split_off(samples);
            messy.sort_by_key(|sample| sample.at);
            messy.dedup_by_key(|sample| sample.at);
            self.batch.samples.append(&mut messy);
        }
        let own = self.batch.labels.get(labels..).unwrap_or_default();
        self.batch.series.push(Place {
            id: SeriesId::of(LabelsRef::in_buffer(own)),
            labels_end: self.batch.labels.len(),
            samples_end: self.batch.samples.len(),
        });
        self.next();
    }

    /// Leaves the series out.
    pub fn drop_series(&mut self) {
        let (labels, samples) = self.start();
        self.batch.labels.truncate(labels);
        self.batch.samples.truncate(samples);
        self.next();
    }

    /// Leaves the series out, and counts it as one of native histograms.
    pub fn drop_histogram(&mut self) {
        self.drop_series();
        self.batch.histograms += 1;
    }

    /// The batch of all series that were ended.
    pub fn finish(mut self) -> Batch {
        self.drop_series();
        self.batch
    }

    fn next(&mut self) {
        self.draft = Draft::behind(&self.batch.labels);
        self.is_sorted = true;
    }

    /// Where the series begins in the buffers.
    fn start(&self) -> (usize, usize) {
        self.batch
            .series
            .last()
            .map_or((0, 0), |last| (last.labels_end, last.samples_end))
    }
}
