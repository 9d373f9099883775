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
    held: Mutex<Held>,
    asked: Mutex<HashMap<Selector, Asked>>,
}

#[derive(Debug, Default)]
struct Held {
    /// By metric, since a selector names one: no other has to be looked at.
    series: HashMap<Box<str>, HashMap<Arc<Labels>, VecDeque<Sample>>>,
    forgot: Option<Timestamp>,
}

/// A selector that was asked for.
#[derive(Debug)]
struct Asked {
    matchers: Arc<CompiledMatchers>,
    /// The newest time that was asked for.
    at: Timestamp,
}

impl Memory {
    pub(super) fn new(kept: Span) -> Self {
        Self {
            kept: AtomicI64::new(kept.as_millis()),
            held: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    /// Keeps samples for at least so long from here on: what still reads by older definitions may need it.
    pub(super) fn keep_for(&self, kept: Span) {
        self.kept.fetch_max(kept.as_millis(), Relaxed);
    }

    /// Keeps what one scrape brought. A sample that is not newer than its series' newest is left out: a page that
    /// gives times of its own may show the same sample again.
    pub(super) fn keep(&self, scraped: impl IntoIterator<Item = (Arc<Labels>, Sample)>) {
        let mut held = self.held();
        for (labels, sample) in scraped {
            let metric = labels.get(METRIC_NAME);
            let series = match held.series.get_mut(metric) {
                Some(series) => series,
                None => held.series.entry(metric.into()).or_default(),
            };
            let samples = series.entry(labels).or_default();
            if samples.back().is_none_or(|last| last.at < sample.at) {
                samples.push_back(sample);
            }
        }
    }

    /// Forgets what is too old at `now`: once, since all targets are scraped at the same times.
    pub(super) fn forget(&self, now: Timestamp) {
        let oldest = now - Span::from_millis(self.kept.load(Relaxed));
        let mut held = self.held();
        if held.forgot.replace(now) == Some(now) {
            return;
        }
        held.series.retain(|_, series| {
            series.retain(|_, samples| {
                let old = samples.partition_point(|sample| sample.at <= oldest);
                samples.drain(..old);
                !samples.is_empty()
            });
            !series.is_empty()
        });
        drop(held);
        self.asked().retain(|_, asked| asked.at > oldest);
    }

    /// The samples in `range` of every series that `selector` selects, in the order of their labels.
    pub(super) fn read(&self, selector: &Selector, range: TimeRange) -> Result<Batch, PromqlError> {
        let matchers = self.compiled(selector, range.to)?;
        let mut found = BTreeMap::new();
        let held = self.held();
        for (labels, samples) in held.series.get(&*selector.metric).into_iter().flatten() {
            if !matchers.matches(&**labels) {
                continue;
            }
            let first = samples.partition_point(|sample| sample.at <= range.from);
            let after = samples.partition_point(|sample| sample.at <= range.to);
            if first < after {
                let samples: Vec<Sample> = samples.range(first..after).copied().collect();
                found.insert(Arc::clone(labels), samples);
            }
        }
        drop(held);
        let found = found.into_iter();
        Ok(found
            .map(|(labels, samples)| ((*labels).clone(), samples))
            .collect())
    }

    /// The names of the metrics with samples in `range`, sorted.
    pub(super) fn names(&self, range: TimeRange) -> Vec<String> {
        let held = self.held();
        let is_there = |samples: &VecDeque<Sample>| samples.iter().any(|it| range.contains(it.at));
        let there = held
            .series
            .iter()
            .filter(|(_, series)| series.values().any(is_there));
        let names: BTreeSet<&str> = there.map(|(name, _)| &**name).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Compiling costs more than matching all series, and the same is asked at every tick.
    fn compiled(
        &self,
        selector: &Selector,
        at: Timestamp,
    ) -> Result<Arc<CompiledMatchers>, PromqlError> {
        let mut asked = self.asked();
        if let Some(known) = asked.get_mut(selector) {
            known.at = known.at.max(at);
            return Ok(Arc::clone(&known.matchers));
        }
        let matchers = Arc::new(CompiledMatchers::new(&selector.matchers)?);
        let new = Asked {
            matchers: Arc::clone(&matchers),
            at,
        };
        asked.insert(selector.clone(), new);
        Ok(matchers)
    }

    /// How many series there are, and how many selectors are asked for.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let series = self.held().series.values().map(HashMap::len).sum();
        (series, self.asked().len())
    }

    // No change is left half-way by a panic, so a poisoned lock is whole.

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<Selector, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
