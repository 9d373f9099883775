//! Where the demo's samples come from: up to the handover from the closed form, from then on from scraped pages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::labels::Labels;
use crate::domain::selector::Selector;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::promql::CompiledMatchers;
use crate::series::batch::{Batch, Fetch, Sample};
use crate::source::Source;
use crate::source::error::SourceError;
use crate::source::scrape::ScrapeSource;

use super::catalog::SCRAPE;
use super::world::World;

/// The past and the present as one source. Both show the same closed form, so that no counter is reset between them.
#[derive(Debug)]
pub struct Samples {
    /// The simulated services.
    pub world: Arc<World>,
    /// What is scraped of their pages.
    pub live: ScrapeSource,
    /// The last time of the past.
    pub handover: Timestamp,
    chosen: Mutex<Chosen>,
}

/// The series that each selector selects.
type Chosen = BTreeMap<Selector, Arc<BTreeSet<Arc<Labels>>>>;

impl Samples {
    /// The closed form up to `handover`, scraped pages from then on.
    pub fn new(world: Arc<World>, live: ScrapeSource, handover: Timestamp) -> Self {
        Self {
            world,
            live,
            handover,
            chosen: Mutex::default(),
        }
    }

    /// The series that a selector selects; matched once, since patterns are slow to compile.
    fn chosen(&self, selector: &Selector) -> Option<Arc<BTreeSet<Arc<Labels>>>> {
        let mut known = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(chosen) = known.get(selector) {
            return Some(Arc::clone(chosen));
        }
        // The definitions were planned with the same matchers.
        let matchers = CompiledMatchers::new(&selector.matchers).ok()?;
        let all = self.world.series_of(&selector.metric);
        let matching = all.filter(|series| matchers.matches(&**series.labels));
        let chosen = Arc::new(matching.map(|series| Arc::clone(series.labels)).collect());
        known.insert(selector.clone(), Arc::clone(&chosen));
        Some(chosen)
    }

    /// What a scrape every [`SCRAPE`] would have shown.
    fn past(&self, fetch: &Fetch, range: TimeRange) -> Option<Batch> {
        let Fetch::Samples(selector) = fetch else {
            return None;
        };
        let chosen = self.chosen(selector)?;
        let faults = self.world.faults();
        let first = (range.from + Span::from_millis(1)).ceil_to(SCRAPE);
        let all = self.world.series_of(&selector.metric);
        let matching = all.filter(|series| chosen.contains(series.labels));
        let series = matching.map(|series| {
            let times = std::iter::successors(Some(first), |at| Some(*at + SCRAPE));
            let samples = times.take_while(|at| *at <= range.to).map(|at| Sample {
                at,
                value: series.at(&faults, at),
            });
            ((**series.labels).clone(), samples.collect())
        });
        Some(series.collect())
    }
}

impl Source for Samples {
    async fn read(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        let past = TimeRange {
            from: range.from,
            to: range.to.min(self.handover),
        };
        let live = TimeRange {
            from: range.from.max(self.handover),
            to: range.to,
        };
        let before = if past.from < past.to {
            self.past(fetch, past)
        } else {
            None
        };
        if live.from >= live.to {
            return Ok(before.unwrap_or_default());
        }
        let now = self.live.read(fetch, live).await?;
        Ok(match before {
            None => now,
            Some(before) => joined(&before, &now),
        })
    }
}

/// Both parts of each series as one.
fn joined(before: &Batch, after: &Batch) -> Batch {
    let mut series: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
    for part in before.series().chain(after.series()) {
        let samples = series.entry(part.labels.to_labels()).or_default();
        samples.extend_from_slice(part.samples);
    }
    series.into_iter().collect()
}
