//! One life of the daemon's engine on simulated time, over the log and a store in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use sloburn::clock::Clock;
use sloburn::domain::slo::{Catalog, SourceName};
use sloburn::domain::time::{Span, Timestamp};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::status::board::Board;
use sloburn::status::snapshot::Snapshot;
use sloburn::store::memory::MemoryStore;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::oracle::SLOT;
use super::source::Prometheus;

pub(super) const TICK: Span = Span::from_mins(5);

/// A running engine. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Life {
    store: Arc<MemoryStore>,
    clock: Clock,
    board: Arc<Board>,
    loops: JoinSet<()>,
}

impl Life {
    /// Starts on what an earlier life left behind; samples may be late by `settle`.
    pub(super) async fn start(
        source: &Arc<Prometheus>,
        settle: Span,
        catalog: &Arc<Catalog>,
        left: MemoryStore,
    ) -> Self {
        let clock = source.clock.clone();
        let (store, board) = (Arc::new(left), Arc::new(Board::new(clock.now().into())));
        let name = SourceName::new("default");
        let reading = SourceSettings {
            settle,
            ..SourceSettings::default()
        };
        let settings = Settings {
            tick: TICK,
            slot: Span::from_millis(SLOT),
            sources: BTreeMap::from([(name.clone(), reading)]),
            ..Settings::default()
        };
        let parts = Parts {
            sources: BTreeMap::from([(name, Arc::clone(source))]),
            store: Arc::clone(&store),
            clock: clock.clone(),
            board: Arc::clone(&board),
            wake: Arc::new(Notify::new()),
        };
        let engine = Engine::start(settings, Arc::clone(catalog), parts)
            .await
            .expect("an engine");
        let mut loops = JoinSet::new();
        loops.spawn(engine.run(CancellationToken::new()));
        Self {
            store,
            clock,
            board,
            loops,
        }
    }

    /// Lets time pass until the tick `at` was run, which may wait for late samples, and shows what it showed.
    pub(super) async fn at(&mut self, at: i64) -> Arc<Snapshot> {
        let at = Timestamp::from_millis(at);
        let mut now = at + Span::from_millis(TICK.as_millis() / 2);
        loop {
            self.sleep_until(now).await;
            let snapshot = self.board.read().snapshot;
            if snapshot.at >= Some(at) {
                assert_eq!(snapshot.at, Some(at));
                return snapshot;
            }
            assert!(now < at + TICK + TICK, "{:?} is the newest", snapshot.at);
            now = now + Span::from_secs(10);
        }
    }

    /// Kills it at a time, and says what it leaves behind.
    pub(super) async fn die(mut self, at: i64) -> MemoryStore {
        self.sleep_until(Timestamp::from_millis(at)).await;
        self.store.survivors()
    }

    async fn sleep_until(&mut self, time: Timestamp) {
        tokio::select! {
            () = self.clock.sleep_until(time.to_jiff()) => {}
            Some(ended) = self.loops.join_next() => panic!("the engine ended by itself: {ended:?}"),
        }
    }
}
