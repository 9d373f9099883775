//! The shell over sources that hold nothing, or never answer.

use std::time::Duration;

use tokio::time::timeout;

use super::super::tests::{Empty, catalog, requests, settings};
use super::*;
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
