//! What was scraped not long ago, in memory: as much as the engine may still ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::selector::Selector;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::promql::{CompiledMatchers, PromqlError};
use crate::series::batch::{Batch, Sample};

/// The newest samples, by series. Shared by the targets' loops and the readers.
#[derive(Debug)]
pub(super) struct Memory {
    /// How long a sample is kept, in milliseconds.
    kept: AtomicI64,
    series: Mutex<HashMap<Arc<Labels>, VecDeque<Sample>>>,
    /// The matchers of every selector that was asked for: as many as there are families.
    matchers: Mutex<HashMap<Selector, Arc<CompiledMatchers>>>,
}

impl Memory {
    pub(super) fn new(kept: Span) -> Self {
        Self {
            kept: AtomicI64::new(kept.as_millis()),
            series: Mutex::default(),
            matchers: Mutex::default(),
        }
    }

    /// Keeps samples for at least so long from here on: what still reads by older definitions may need it.
    pub(super) fn keep_for(&self, kept: Span) {
        self.kept.fetch_max(kept.as_millis(), Relaxed);
    }

    /// Keeps what one scrape brought. A sample that is not newer than its series' newest is left out: a page that
    /// gives times of its own may show the same sample again.
    pub(super) fn keep(&self, scraped: impl IntoIterator<Item = (Arc<Labels>, Sample)>) {
        let mut series = self.lock();
        for (labels, sample) in scraped {
            let samples = series.entry(labels).or_default();
            if samples.back().is_none_or(|last| last.at < sample.at) {
                samples.push_back(sample);
            }
        }
    }

    /// Forgets what is too old at `now`.
    pub(super) fn forget(&self, now: Timestamp) {
        let oldest = now - Span::from_millis(self.kept.load(Relaxed));
        self.lock().retain(|_, samples| {
            let old = samples.partition_point(|sample| sample.at <= oldest);
            samples.drain(..old);
            !samples.is_empty()
        });
    }

    /// The samples in `range` of every series that `selector` selects, in the order of their labels.
    pub(super) fn read(&self, selector: &Selector, range: TimeRange) -> Result<Batch, PromqlError> {
        let matchers = self.compiled(selector)?;
        let mut found = BTreeMap::new();
        for (labels, samples) in &*self.lock() {
            if labels.get(METRIC_NAME) != selector.metric || !matchers.matches(&**labels) {
                continue;
            }
            let first = samples.partition_point(|sample| sample.at <= range.from);
            let after = samples.partition_point(|sample| sample.at <= range.to);
            if first < after {
                let samples: Vec<Sample> = samples.range(first..after).copied().collect();
                found.insert(Arc::clone(labels), samples);
            }
        }
        let found = found.into_iter();
        Ok(found
            .map(|(labels, samples)| ((*labels).clone(), samples))
            .collect())
    }

    /// The names of the metrics with samples in `range`, sorted.
    pub(super) fn names(&self, range: TimeRange) -> Vec<String> {
        let series = self.lock();
        let is_there = |samples: &VecDeque<Sample>| samples.iter().any(|it| range.contains(it.at));
        let there = series.iter().filter(|(_, samples)| is_there(samples));
        let names: BTreeSet<&str> = there.map(|(it, _)| it.get(METRIC_NAME)).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Compiling costs more than matching all series, and the same is asked at every tick.
    fn compiled(&self, selector: &Selector) -> Result<Arc<CompiledMatchers>, PromqlError> {
        let mut known = self.matchers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = known.get(selector) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new(CompiledMatchers::new(&selector.matchers)?);
        known.insert(selector.clone(), Arc::clone(&compiled));
        Ok(compiled)
    }

    /// How many series there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// No change is left half-way by a panic, so a poisoned lock is whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<Labels>, VecDeque<Sample>>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
