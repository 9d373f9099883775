//! The shell around the pure step: waits for the tick, reads, steps, commits, posts and wakes.

mod once;
mod outcome;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::punctuality::PassedOver;
use crate::domain::slo::{Catalog, SourceName};
use crate::domain::time::{Span, Timestamp};
use crate::series::plan::PlanError;
use crate::source::Source;
use crate::status::board::Board;
use crate::status::snapshot::EngineStatus;
use crate::status::words::words;
use crate::store::commit::Commit;
use crate::store::{Store, StoreError};

use super::adopt::Revision;
use super::clocks::Clocks;
use super::digger::Digger;
use super::journal::Journal;
use super::lag::Lags;
use super::past::needed_from;
use super::schedule::Schedule;
use super::settings::Settings;
use super::state::State;

/// A start fetches this much more than windows need, for ticks that are a little older than the clock.
const FETCHED_BEYOND: Span = Span::from_hours(1);

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A matcher of the definitions cannot be used.
    #[error("the definitions cannot be planned")]
    Plan(#[from] PlanError),
    /// The store cannot be read.
    #[error("what the store kept cannot be read")]
    Recover(#[from] StoreError),
}

/// What the engine works with.
#[derive(Debug)]
pub struct Parts<S, K> {
    /// The sources that the definitions name.
    pub sources: BTreeMap<SourceName, Arc<S>>,
    /// Where commits go.
    pub store: Arc<K>,
    /// What time it is.
    pub clock: Clock,
    /// Where the picture of each tick is posted.
    pub board: Arc<Board>,
    /// Woken when there is something to deliver.
    pub wake: Arc<Notify>,
}

/// The engine: runs a tick at a time until it is stopped.
#[derive(Debug)]
pub struct Engine<S, K> {
    parts: Parts<S, K>,
    settings: Settings,
    revision: Revision,
    news: Option<watch::Receiver<Revision>>,
    state: State,
    /// Commits that failed, merged: they ride with the next.
    pending: Commit,
    status: EngineStatus,
    boundaries: BTreeMap<usize, Vec<String>>,
    journal: Journal,
    digger: Digger,
    schedule: Schedule,
    /// For the sake of the tick that is run next.
    passed_over: PassedOver,
    lags: Lags,
}

impl<S: Source, K: Store> Engine<S, K> {
    /// Takes up the work where the store says that it was left.
    ///
    /// # Errors
    /// When the store cannot be read, or a selector cannot be matched.
    pub async fn start(
        settings: Settings,
        catalog: Arc<Catalog>,
        parts: Parts<S, K>,
    ) -> Result<Self, EngineError> {
        let first = Timestamp::from(parts.clock.now()) - FETCHED_BEYOND;
        Self::start_before(first, settings, catalog, parts).await
    }

    /// The same before the tick `first`, or one that is later.
    async fn start_before(
        first: Timestamp,
        settings: Settings,
        catalog: Arc<Catalog>,
        parts: Parts<S, K>,
    ) -> Result<Self, EngineError> {
        let revision = Revision::of(catalog, settings.slot)?;
        let from = needed_from(revision.catalog(), first);
        let recovered = parts.store.recover(from).await?;
        let mut state = State::new(settings.clone(), &revision.plan, recovered);
        state.leave_before(from);
        Ok(Self {
            schedule: Schedule::new(settings.tick),
            passed_over: PassedOver::default(),
            lags: Lags::default(),
            status: EngineStatus {
                phase: settings.phase,
                ..EngineStatus::default()
            },
            parts,
            settings,
            revision,
            news: None,
            state,
            pending: Commit::default(),
            boundaries: BTreeMap::new(),
            journal: Journal::default(),
            digger: Digger::default(),
        })
    }

    /// From now on goes over to definitions that are handed on, the newest of them, between two ticks.
    #[must_use]
    pub fn following(self, revisions: watch::Receiver<Revision>) -> Self {
        Self {
            news: Some(revisions),
            ..self
        }
    }

    fn go_over(&mut self) {
        let Some(news) = &mut self.news else { return };
        if !news.has_changed().unwrap_or(false) {
            return;
        }
        self.revision = news.borrow_and_update().clone();
        self.state.adopt(&self.revision.plan);
        // Answers to questions by positions in the plan that was.
        self.boundaries.clear();
        self.lags.forget();
    }

    /// Runs until `stop`, which takes effect between two ticks or in the midst of reading.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let due = self.schedule.next(self.readable());
            if stop.run_until_cancelled(self.wait_for(due)).await.is_none() {
                return;
            }
            // Who has slept for too long goes on with the newest.
            let at = self.schedule.next(self.readable()).max(due);
            self.count_passed_over(due, at);
            if stop.run_until_cancelled(self.tick(at)).await.is_none() {
                return;
            }
        }
    }

    /// Up to when the sources' samples can be read by now.
    fn readable(&self) -> Timestamp {
        let last = self.schedule.last();
        self.clocks().readable(&self.settings, &self.lags, last)
    }

    fn clocks(&self) -> Clocks {
        Clocks::of(&self.parts.sources, self.parts.clock.now())
    }

    /// Waits until the tick `at` is due, and counts the past meanwhile. Looks at the clocks at least once a tick.
    async fn wait_for(&mut self, at: Timestamp) {
        let clock = self.parts.clock.clone();
        loop {
            self.note_step(at);
            self.digger
                .start(&self.state, &self.settings, &self.parts.sources);
            let left = at.since(self.readable());
            if left <= Span::ZERO {
                return;
            }
            let due = Timestamp::from(clock.now()) + left;
            tokio::select! {
                biased;
                () = clock.sleep_until(due.to_jiff()) => {}
                () = sleep(self.settings.tick.to_std()) => {}
                finished = self.digger.wait(&self.state) => {
                    if let Some(finished) = finished {
                        // Counting and committing a chunk is quick; what takes long is done elsewhere.
                        self.take_past(finished).await;
                    }
                }
            }
        }
    }

    /// Counts the ticks that are not run because `at` is, where `due` was waited for.
    fn count_passed_over(&mut self, due: Timestamp, at: Timestamp) {
        let passed_over = self.schedule.run(due, at);
        let PassedOver { slow, asleep } = passed_over;
        if slow > 0 {
            tracing::warn!(missed = slow, tick = %at, "passed over {slow} ticks, because the last one took too long; their samples are counted");
        }
        if asleep > 0 {
            tracing::warn!(missed = asleep, tick = %at, "passed over {asleep} ticks, because this process did not run while they were due, or a clock was set; their samples are counted");
        }
        self.status.skipped += passed_over.all();
        self.passed_over = passed_over;
    }

    /// Tells when the wall clock was set. Ticks go by the sources' clocks where these are known.
    fn note_step(&mut self, next: Timestamp) {
        let (now, passed) = (self.parts.clock.now(), self.parts.clock.passed());
        let Some(by) = self.schedule.step(now.into(), passed.into()) else {
            return;
        };
        self.status.clock_steps += 1;
        if by > Span::ZERO {
            tracing::warn!(%by, "the clock was set forward by {}, or the machine slept for so long", words(by));
        } else {
            let back = Span::ZERO - by;
            tracing::warn!(by = %by, %next, "the clock was set back by {}; no tick is run twice: the next one is that of {next}", words(back));
        }
    }
}
