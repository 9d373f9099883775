//! An engine on paused time, over a shop in memory that takes down what it is asked and takes its time to answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sloburn::clock::Clock;
use sloburn::domain::slo::SourceName;
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::series::batch::{Batch, Fetch};
use sloburn::source::Source;
use sloburn::source::error::SourceError;
use sloburn::status::board::Board;
use sloburn::status::snapshot::Snapshot;
use sloburn::store::memory::MemoryStore;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::sim::{self, ONSET, Outage, Shop};

/// When a query came, what it asked for, and of which time.
pub(super) type Asked = (Timestamp, String, TimeRange);

/// The shop, behind a desk.
#[derive(Debug)]
pub(super) struct Watched {
    shop: Shop,
    clock: Clock,
    asked: Mutex<Vec<Asked>>,
    takes: Mutex<Duration>,
}

impl Watched {
    /// All that was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panicked").clone()
    }

    /// Takes so long to answer from now on.
    pub(super) fn take(&self, long: Duration) {
        *self.takes.lock().expect("nobody panicked") = long;
    }
}

impl Source for Watched {
    async fn read(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        let asked = (self.clock.now().into(), fetch.text(), range);
        self.asked.lock().expect("nobody panicked").push(asked);
        let takes = *self.takes.lock().expect("nobody panicked");
        sleep(takes).await;
        self.shop.read(fetch, range).await
    }
}

/// The engine, life after life.
#[derive(Debug)]
pub(super) struct Paused {
    pub(super) source: Arc<Watched>,
    pub(super) store: Arc<MemoryStore>,
    clock: Clock,
    settings: Settings,
    board: Arc<Board>,
    tasks: JoinSet<()>,
}

impl Paused {
    /// Five minutes before the shop begins to fail, which it does for half a day.
    pub(super) const START: Timestamp = Timestamp::from_millis(ONSET.as_millis() - 300_000);

    /// Nothing runs yet; ticks are this far apart, and each is run `phase` later than it could.
    pub(super) fn new(tick: Span, phase: Span) -> Self {
        let clock = Clock::simulated((Self::START + Span::from_secs(12)).to_jiff());
        let outage = Outage {
            onset: ONSET,
            length: Span::from_hours(12),
            failing: 200,
        };
        let reading = SourceSettings {
            offset: Span::ZERO,
            // The past is read whenever there is time.
            backfill_percent: 0,
            ..SourceSettings::default()
        };
        Self {
            source: Arc::new(Watched {
                shop: Shop::new(Self::START, outage),
                clock: clock.clone(),
                asked: Mutex::default(),
                takes: Mutex::default(),
            }),
            store: Arc::default(),
            settings: Settings {
                tick,
                slot: tick,
                phase,
                sources: BTreeMap::from([(SourceName::new("default"), reading)]),
                ..Settings::default()
            },
            board: Arc::new(Board::new(Self::START)),
            clock,
            tasks: JoinSet::new(),
        }
    }

    /// Begins a new life on what the last one left behind, which is killed.
    pub(super) async fn start(&mut self) {
        self.tasks.shutdown().await;
        let parts = Parts {
            sources: BTreeMap::from([(SourceName::new("default"), Arc::clone(&self.source))]),
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            board: Arc::clone(&self.board),
            wake: Arc::new(Notify::new()),
        };
        let catalog = Arc::new(sim::catalog("30d", self.settings.tick));
        let engine = Engine::start(self.settings.clone(), catalog, parts).await;
        self.tasks
            .spawn(engine.expect("an engine").run(CancellationToken::new()));
    }

    /// Lets time pass until `end`, and gives the picture of the last tick.
    pub(super) async fn until(&self, end: Timestamp) -> Snapshot {
        self.clock.sleep_until(end.to_jiff()).await;
        Snapshot::clone(&self.board.read().snapshot)
    }
}
