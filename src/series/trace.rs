//! A trace of counting: what was asked and came, and what each sample was worth. It is kept only for
//! whoever wants to know how a number came to be.

use std::collections::BTreeMap;

use crate::domain::labels::Labels;
use crate::domain::time::{Span, TimeRange};

use super::batch::{Batch, Fetch, Sample};
use super::cursor::{IgnoredBirth, Increase};
use super::plan::{Family, FamilyIndex};
use super::slices::noted::{Noted, NotedSlices};
use super::table::Gain;

/// What was read and counted, in the order in which that was done.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What was asked.
    pub reads: Vec<TracedRead>,
    /// What came of it, by family and series.
    pub series: BTreeMap<(FamilyIndex, Labels), TracedSeries>,
    /// By what slices were judged, and what they count as.
    pub slices: NotedSlices,
}

/// One question, and how much came back.
#[derive(Clone, Debug)]
pub struct TracedRead {
    /// The family that it was asked for.
    pub family: FamilyIndex,
    /// What was asked.
    pub fetch: Fetch,
    /// For which time.
    pub range: TimeRange,
    /// How many series came.
    pub series: usize,
    /// How many samples they have together.
    pub samples: usize,
}

/// What became of one series.
#[derive(Clone, Debug, Default)]
pub struct TracedSeries {
    /// Its samples, as they were read.
    pub samples: Vec<Sample>,
    /// What was counted of it.
    pub increases: Vec<Increase>,
    /// First values that were not counted.
    pub ignored: Vec<IgnoredBirth>,
}

impl Trace {
    /// Takes note of an answer, and of the samples in it that `family` selects, which lie so much
    /// later in it than they were taken.
    pub fn note_read(
        &mut self,
        (index, family): (FamilyIndex, &Family),
        (fetch, range): (&Fetch, TimeRange),
        batch: &Batch,
        delayed: Span,
    ) {
        self.reads.push(TracedRead {
            family: index,
            fetch: fetch.clone(),
            range,
            series: batch.len(),
            samples: batch.samples().len(),
        });
        for series in batch.series() {
            let is_wanted = match fetch {
                Fetch::Samples(_) | Fetch::Histograms { .. } => {
                    !family.selectors.matching(series.labels).is_empty()
                }
                Fetch::Expression { .. } => true,
                // Rows of sums are no series.
                Fetch::Sums(_) => false,
            };
            if is_wanted {
                let samples = series.samples.iter().map(|sample| Sample {
                    at: sample.at - delayed,
                    ..*sample
                });
                let traced = self.of(index, &series.labels.to_labels());
                traced.samples.extend(samples);
            }
        }
    }

    /// Takes note of what a sample of a series was worth.
    pub fn note_increase(&mut self, family: FamilyIndex, labels: &Labels, increase: Increase) {
        self.of(family, labels).increases.push(increase);
    }

    /// Takes note of what the series of a table gained. One increase is there once for each of
    /// its edges, which follow one another.
    pub fn note_gains<'l>(
        &mut self,
        family: FamilyIndex,
        labels: impl Fn(usize) -> Option<&'l Labels>,
        gains: &[Gain],
    ) {
        let mut before = None;
        for Gain { row, increase, .. } in gains {
            let this = (*row, increase.from, increase.to);
            if before.replace(this) != Some(this)
                && let Some(labels) = labels(*row)
            {
                self.note_increase(family, labels, *increase);
            }
        }
    }

    /// Takes note of first values that were not counted.
    pub fn note_ignored(&mut self, family: FamilyIndex, ignored: &[(Labels, IgnoredBirth)]) {
        for (labels, birth) in ignored {
            self.of(family, labels).ignored.push(*birth);
        }
    }

    /// Takes note of the values by which slices were judged, and of what they count as.
    pub fn note_slices(&mut self, noted: Noted) {
        self.slices.absorb(noted.into_slices());
    }

    /// Adds what another part of the same counting did.
    pub fn absorb(&mut self, other: Self) {
        self.reads.extend(other.reads);
        self.slices.absorb(other.slices);
        for ((family, labels), traced) in other.series {
            let own = self.of(family, &labels);
            own.samples.extend(traced.samples);
            own.increases.extend(traced.increases);
            own.ignored.extend(traced.ignored);
        }
    }

    /// Everything oldest first, and each sample once, however often it was read.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        for traced in self.series.values_mut() {
            traced.samples.sort_by_key(|sample| sample.at);
            traced.samples.dedup_by_key(|sample| sample.at);
            traced.increases.sort_by_key(|it| (it.to, it.from));
            traced.ignored.sort_by_key(|birth| birth.at);
        }
        self.reads
            .sort_by_key(|read| (read.family, read.range.from));
        self.slices.sort();
        self
    }

    fn of(&mut self, family: FamilyIndex, labels: &Labels) -> &mut TracedSeries {
        self.series.entry((family, labels.clone())).or_default()
    }
}
