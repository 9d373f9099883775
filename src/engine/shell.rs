//! The shell around the pure step: waits for the tick, reads, steps, commits, posts and wakes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
use crate::status::snapshot::{Backfill, EngineStatus};
use crate::status::words::words;
use crate::store::commit::Commit;
use crate::store::{Store, StoreError};

use super::adopt::Revision;
use super::clocks::Clocks;
use super::digger::{Again, Digger, Finished};
use super::intake::{Read, Reading};
use super::journal::{self, Journal};
use super::lag::Lags;
use super::passes::Passes;
use super::past::needed_from;
use super::reading;
use super::reads::Wanted;
use super::schedule::Schedule;
use super::settings::Settings;
use super::state::State;
use super::step::{Effects, Input, Tick, step, take_past};

/// The past of so many objectives is fetched from the store before one tick.
const FETCHED: usize = 500;

/// A start fetches this much more than windows need, for ticks that are a little older than the clock.
const FETCHED_BEYOND: Span = Span::from_hours(1);

/// So often in a row a source may refuse before counting all of the past is given up.
const PATIENCE: u32 = 3;

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

    /// The same for whoever looks once, at a moment `at` that may be long ago, and keeps nothing: the past of all
    /// sources is read, as fast as it comes.
    ///
    /// # Errors
    /// When a selector cannot be matched.
    pub async fn for_once(
        at: Timestamp,
        settings: Settings,
        catalog: Arc<Catalog>,
        parts: Parts<S, K>,
    ) -> Result<Self, EngineError> {
        let settings = settings.with_past(&parts.sources);
        Self::start_before(at, settings, catalog, parts).await
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

    /// Takes in a chunk of the past. Says how often in a row the source refused.
    async fn take_past(&mut self, finished: Finished) -> u32 {
        let source = finished.source;
        match finished.result {
            Err(refused) => {
                let again = if refused.too_much && self.state.shorten(&finished.key) {
                    Again::Shorter
                } else if self.state.is_failing(&source) {
                    Again::LaterSilently
                } else {
                    Again::Later
                };
                self.digger.pause(&source, &refused, again)
            }
            Ok(dug) => {
                let effects = take_past(&mut self.state, dug);
                let started = self.parts.clock.passed();
                self.carry_out(effects, started).await;
                self.digger.rest(&self.settings, &source);
                let backfill = self.state.backfill(&source);
                self.journal.backfill(&source, backfill, started);
                0
            }
        }
    }

    /// Everything as it stood at `at`, for whoever starts with nothing: reads what a tick reads,
    /// counts all of the past, and only then judges. `progress` is told of each chunk.
    ///
    /// # Errors
    /// With a sentence, when a source refused to tell of its past several times in a row.
    pub async fn evaluate(
        &mut self,
        at: Timestamp,
        progress: impl FnMut(&SourceName, Option<Backfill>),
    ) -> Result<(), String> {
        let started = self.parts.clock.passed();
        self.fetch_missing(at).await;
        let input = Input {
            reads: self.read(at).await,
            ..Input::default()
        };
        let tick = Tick { at, judge: false };
        let effects = step(&mut self.state, tick, &input, self.revision.catalog());
        self.carry_out(effects, started).await;
        self.ask(at).await;
        self.backfill(progress).await?;
        self.tick(at).await;
        Ok(())
    }

    /// Counts all of the past, and tells `progress` of each chunk.
    ///
    /// # Errors
    /// With a sentence, when a source refused several times in a row.
    async fn backfill(
        &mut self,
        mut progress: impl FnMut(&SourceName, Option<Backfill>),
    ) -> Result<(), String> {
        while self.state.behind().next().is_some() || self.digger.is_busy() {
            self.digger
                .start(&self.state, &self.settings, &self.parts.sources);
            let Some(finished) = self.digger.wait(&self.state).await else {
                continue;
            };
            let source = finished.source.clone();
            let refused = finished.result.as_ref().err().cloned();
            if self.take_past(finished).await >= PATIENCE
                && let Some(refused) = refused
            {
                return Err(refused.sentence);
            }
            progress(&source, self.state.backfill(&source));
        }
        Ok(())
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

    /// Runs one tick: as many passes as it takes to catch up, then the judgement.
    pub async fn tick(&mut self, at: Timestamp) {
        let started = self.parts.clock.passed();
        self.go_over();
        self.fetch_missing(at).await;
        self.state.leap(at);
        let mut passes = Passes::default();
        loop {
            let reads = self.read(at).await;
            let judge = !passes.go_on(&reads, at);
            tracing::debug!(tick = %at, queries = reads.len(), judge, "read the samples of tick {at}");
            let input = Input {
                reads,
                boundaries: std::mem::take(&mut self.boundaries),
                passed_over: self.passed_over,
                took: self.status.last_tick,
            };
            let effects = step(
                &mut self.state,
                Tick { at, judge },
                &input,
                self.revision.catalog(),
            );
            if judge {
                let newest = self.state.newest(&input.reads);
                self.lags.note(at, &self.settings, &newest);
            }
            self.carry_out(effects, started).await;
            if judge {
                self.passed_over = PassedOver::default();
                break;
            }
            tracing::info!(tick = %at, "catching up with samples that were missed");
        }
        self.ask(at).await;
    }

    /// Everything that is wanted, and what is wanted because of the answers.
    async fn read(&mut self, at: Timestamp) -> Vec<Read> {
        let wanted = self.state.wanted(at);
        let mut answers = self.read_all(wanted, at).await;
        let mut reads = Vec::new();
        while !answers.is_empty() {
            let more = self.state.follow_up(&answers);
            reads.append(&mut answers);
            answers = self.read_all(more, at).await;
        }
        reads
    }

    /// Everything that is wanted; nothing of a source where the tick's time has not come yet.
    async fn read_all(&self, wanted: Vec<Wanted>, at: Timestamp) -> Vec<Read> {
        let (state, settings) = (&self.state, &self.settings);
        let mut reads = reading::all(state, settings, &self.parts.sources, wanted).await;
        let clocks = self.clocks();
        for read in reads.iter_mut().filter(|read| read.batch().is_some()) {
            let (source, ..) = state.fetch(read.wanted);
            if let Some(sentence) = clocks.outrun(settings, source, at) {
                read.reading = Reading::Failed(sentence);
            }
        }
        reads
    }

    /// Asks which boundaries a histogram has whose threshold is none of them; the next tick tells.
    async fn ask(&mut self, at: Timestamp) {
        let told = reading::boundaries(&self.state, &self.settings, &self.parts.sources, at).await;
        self.boundaries.extend(told);
    }

    /// Fetches from the store what windows reach back to and is not held, where one was made longer.
    /// What cannot be had now is tried again with the next tick, and the past is not counted meanwhile.
    async fn fetch_missing(&mut self, at: Timestamp) {
        let mut missing = self.state.past_missing(at).into_iter();
        for (meter, range) in missing.by_ref().take(FETCHED) {
            match self.parts.store.past(&meter, range).await {
                Ok(chunks) => self.state.take_missing(&meter, range, chunks),
                Err(error) => {
                    tracing::warn!(slo = %meter.slo, "{error}; the longer window of `{}` is filled later", meter.slo);
                    return self.state.wait_for_missing(true);
                }
            }
        }
        self.state.wait_for_missing(missing.next().is_some());
    }

    /// Commits, then shows, then wakes: nobody is told what could still be lost.
    async fn carry_out(&mut self, mut effects: Effects, started: Duration) {
        for (labels, birth) in &effects.ignored_births {
            tracing::info!(%labels, value = birth.value, at = %birth.at,
                "the first value of a new series was not counted: nothing shows when its events happened");
        }
        for incident in effects.commit.incidents.values() {
            journal::incident(incident);
        }
        if let Some(snapshot) = &mut effects.snapshot {
            self.clocks().show(&self.settings, &self.lags, snapshot);
            self.journal.sources(&snapshot.sources);
            self.journal.clocks(&snapshot.sources);
        }
        self.pending.merge(effects.commit);
        if !self.pending.is_empty() {
            self.commit().await;
        }
        if let Some(mut snapshot) = effects.snapshot {
            self.status.ticks += 1;
            self.status.births_ignored = snapshot.engine.births_ignored;
            self.status.last_tick = Span::from(self.parts.clock.passed().saturating_sub(started));
            snapshot.engine = self.status.clone();
            self.parts.board.publish(snapshot);
        }
        self.parts.wake.notify_one();
    }

    async fn commit(&mut self) {
        match self.parts.store.commit(&self.pending).await {
            Ok(()) => {
                self.pending = Commit::default();
                if self.status.store_error.take().is_some() {
                    tracing::info!("the store takes commits again; nothing was lost");
                }
            }
            Err(error) => {
                let sentence = error.to_string();
                if self.status.store_error.as_ref() != Some(&sentence) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(
                        cause,
                        "{sentence}; the commit is tried again with the next tick, and alerts are told from memory meanwhile"
                    );
                }
                self.status.store_error = Some(sentence);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Empty, catalog, requests, settings};
    use super::*;

    use tokio::time::timeout;

    use crate::domain::time::TimeRange;
    use crate::series::batch::{Batch, Fetch};
    use crate::source::error::SourceError;
    use crate::store::memory::MemoryStore;

    /// A source that takes questions and never answers.
    struct Silent;

    impl Source for Silent {
        async fn read(&self, _: &Fetch, _: TimeRange) -> Result<Batch, SourceError> {
            std::future::pending().await
        }
    }

    fn parts<S>(source: &Arc<S>) -> Parts<S, MemoryStore> {
        Parts {
            sources: BTreeMap::from([(SourceName::new("default"), Arc::clone(source))]),
            store: Arc::new(MemoryStore::default()),
            clock: Clock::simulated(jiff::Timestamp::UNIX_EPOCH),
            board: Arc::new(Board::new(Timestamp::default())),
            wake: Arc::new(Notify::new()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_looks_once_reads_the_past_also_where_the_daemon_does_not() {
        let at = Timestamp::from_millis(0) + Span::from_days(10);
        for percent in [50, 0] {
            let mut settings = settings();
            for source in settings.sources.values_mut() {
                source.backfill_percent = percent;
            }
            let source = Arc::new(Empty::read_since(at));
            let catalog = Arc::new(catalog(requests()));
            let engine = Engine::for_once(at, settings, catalog, parts(&source)).await;
            engine.unwrap().evaluate(at, |_, _| {}).await.unwrap();
            let earliest = source.earliest();
            assert!(
                at.since(earliest) >= Span::from_days(1),
                "{percent} % {earliest}"
            );
        }
    }

    /// However many objectives there are, none waits for what a store in memory cannot have.
    #[tokio::test(start_paused = true)]
    async fn who_looks_back_further_than_a_window_misses_nothing() {
        let at = Timestamp::from_millis(0) + Span::from_days(10);
        let mut parts = parts(&Arc::new(Empty::read_since(at)));
        parts.clock = Clock::simulated((at + Span::from_days(100)).to_jiff());
        let catalog = Arc::new(catalog(requests()));
        let engine = Engine::for_once(at, settings(), catalog, parts).await;
        let missing = engine.unwrap().state.past_missing(at);
        assert_eq!(missing, []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_never_answers_fails_the_tick_and_does_not_hold_it_up() {
        let parts = parts(&Arc::new(Silent));
        let board = Arc::clone(&parts.board);
        let catalog = Arc::new(catalog(requests()));
        let mut engine = Engine::start(settings(), catalog, parts).await.unwrap();
        let tick = engine.tick(Timestamp::from_millis(3_600_000));
        timeout(Duration::from_secs(31), tick).await.unwrap();
        let reason = board.read().snapshot.slos[0].measurement.reason.clone();
        insta::assert_snapshot!(
            reason.unwrap_or_default(),
            @"source `default` did not answer all queries of a tick within 30s; see its load, or raise `maxInFlight`"
        );
    }
}
