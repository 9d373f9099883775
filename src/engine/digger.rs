//! Reads the past beside the ticks: one chunk of a source at a time, with rests between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange};
use crate::series::batch::{Batch, Fetch};
use crate::source::Source;
use crate::store::commit::WalkKey;

use super::settings::Settings;
use super::state::State;
use super::walks::dig::{Dig, Dug};

/// One answer may wait for its turn, but not for ever.
const DEADLINE: Duration = Duration::from_mins(5);

/// How long a source is left alone after a chunk that failed; doubled with each further one.
const PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// What came of a chunk.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) source: SourceName,
    pub(super) key: WalkKey,
    pub(super) result: Result<Dug, Refused>,
}

/// Why a chunk could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// A sentence for people.
    pub(super) sentence: String,
    /// Whether less of it might be.
    pub(super) too_much: bool,
}

/// How a chunk that could not be read is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// The same, later.
    Later,
    /// The same, later; why is told already, since the ticks fail too.
    LaterSilently,
    /// Half of it, at once.
    Shorter,
}

/// One source, as far as its past goes.
#[derive(Debug, Default)]
struct Place {
    /// Since when something is read.
    busy: Option<Instant>,
    /// What reads it.
    task: Option<Id>,
    /// Nothing is read before.
    rests_until: Option<Instant>,
    failures: u32,
    told: Option<String>,
}

/// The chunks that are under way.
#[derive(Debug, Default)]
pub(super) struct Digger {
    tasks: JoinSet<Finished>,
    places: BTreeMap<SourceName, Place>,
}

impl Digger {
    /// Starts on what is due: one chunk for each source that is neither busy nor resting.
    pub(super) fn start<S: Source>(
        &mut self,
        state: &State,
        settings: &Settings,
        sources: &BTreeMap<SourceName, Arc<S>>,
    ) {
        let now = Instant::now();
        for (name, source) in sources {
            let place = self.places.entry(name.clone()).or_default();
            let rests = place.rests_until > Some(now);
            if place.busy.is_some() || rests || share(settings, name) == 0 {
                continue;
            }
            let Some(dig) = state.next_dig(name) else {
                continue;
            };
            place.busy = Some(now);
            tracing::debug!(source = %name, from = %dig.counted().from, to = %dig.counted().to, "reading the past");
            place.task = Some(self.tasks.spawn(read(Arc::clone(source), dig)).id());
        }
    }

    /// Returns when a chunk is finished, or when a rest is over and another may be started.
    pub(super) async fn wait(&mut self, state: &State) -> Option<Finished> {
        let mut rests = Vec::new();
        for name in state.behind() {
            match self.places.get(name) {
                Some(place) if place.busy.is_none() => {
                    rests.push(place.rests_until.unwrap_or_else(Instant::now));
                }
                _ => {}
            }
        }
        let rest = async {
            match rests.into_iter().min() {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(ended) = self.tasks.join_next() => match ended {
                Ok(finished) => Some(finished),
                Err(error) => {
                    tracing::error!(%error, "reading the past ended by a panic; it is tried again, and report this as a bug");
                    self.rest_after_panic(error.id());
                    None
                }
            },
            () = rest => None,
        }
    }

    /// What others read goes on. The same is not begun at once, for it may well end as before.
    fn rest_after_panic(&mut self, task: Id) {
        for place in self.places.values_mut() {
            if place.task == Some(task) {
                place.busy = None;
                place.rests_until = Some(Instant::now() + LONGEST_PAUSE);
            }
        }
    }

    /// Whether something is under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Lets the source rest after a chunk that was read: as long as its share of the time asks for.
    pub(super) fn rest(&mut self, settings: &Settings, source: &SourceName) {
        let now = Instant::now();
        let percent = share(settings, source).max(1);
        let place = self.places.entry(source.clone()).or_default();
        let took = now - place.busy.take().unwrap_or(now);
        place.rests_until = Some(now + took * (100 - percent) / percent);
        place.failures = 0;
        if place.told.take().is_some() {
            tracing::info!(%source, "the past of source `{source}` can be read again");
        }
    }

    /// Lets the source rest after a chunk that could not be read, and says why, once it happened
    /// twice; unless the ticks say so. A shorter chunk is tried at once.
    pub(super) fn pause(&mut self, source: &SourceName, refused: &Refused, again: Again) -> u32 {
        let now = Instant::now();
        let place = self.places.entry(source.clone()).or_default();
        place.busy = None;
        if again == Again::Shorter {
            tracing::debug!(%source, reason = refused.sentence, "a chunk of the past was too much; half of it is tried");
            place.rests_until = None;
            return place.failures;
        }
        let doubled = PAUSE * (1 << place.failures.min(16));
        place.rests_until = Some(now + doubled.min(LONGEST_PAUSE));
        place.failures += 1;
        if again == Again::Later
            && place.failures > 1
            && place.told.as_ref() != Some(&refused.sentence)
        {
            tracing::warn!(%source, "the past cannot be read: {}; it is tried again", refused.sentence);
            place.told = Some(refused.sentence.clone());
        }
        place.failures
    }
}

fn share(settings: &Settings, source: &SourceName) -> u32 {
    let source = settings.sources.get(source);
    source.map_or(0, |source| source.backfill_percent.min(100))
}

/// Reads a chunk and counts it.
pub(super) async fn read<S: Source>(source: Arc<S>, mut dig: Dig) -> Finished {
    let (name, key) = (dig.source().clone(), dig.key().clone());
    let result = match fetch_all(&*source, &mut dig).await {
        Err(refused) => Err(refused),
        Ok(batches) => {
            // Millions of samples: too long for a thread that others wait for.
            let counted = tokio::task::spawn_blocking(move || dig.count(batches)).await;
            counted.map_err(|error| Refused {
                sentence: format!("counting it failed ({error}); report this as a bug"),
                too_much: false,
            })
        }
    };
    Finished {
        source: name,
        key,
        result,
    }
}

async fn fetch_all<S: Source>(source: &S, dig: &mut Dig) -> Result<Vec<Batch>, Refused> {
    let reads = dig.reads().map(|(fetch, range)| (fetch.clone(), range));
    let reads: Vec<(Fetch, TimeRange)> = reads.collect();
    let mut batches = fetch(source, dig, reads).await?;
    loop {
        let more = dig.follow_up(&batches);
        if more.is_empty() {
            return Ok(batches);
        }
        batches.extend(fetch(source, dig, more).await?);
    }
}

/// One query after the other: nobody is to notice that the past is read.
async fn fetch<S: Source>(
    source: &S,
    dig: &Dig,
    reads: Vec<(Fetch, TimeRange)>,
) -> Result<Vec<Batch>, Refused> {
    let mut batches = Vec::new();
    for (fetch, range) in reads {
        let refuse = |sentence, too_much| Err(Refused { sentence, too_much });
        match timeout(DEADLINE, source.read_past(&fetch, range)).await {
            Err(_) => {
                let name = dig.source();
                return refuse(
                    format!(
                        "source `{name}` did not answer within {}",
                        Span::from(DEADLINE)
                    ),
                    true,
                );
            }
            Ok(Err(error)) => return refuse(error.to_string(), error.failure.is_too_much()),
            Ok(Ok(batch)) if !batch.warnings.is_empty() => {
                let warnings = batch.warnings.join("; ");
                return refuse(
                    format!(
                        "source `{}` answered with a part of it: {warnings}",
                        dig.source()
                    ),
                    false,
                );
            }
            Ok(Ok(batch)) => batches.push(batch),
        }
    }
    Ok(batches)
}
