//! One life of the daemon: engine and delivery as tasks, watched tick by tick.

use std::collections::BTreeMap;
use std::sync::Arc;

use sloburn::alerting::delivery::{Delivery, DeliveryMetrics};
use sloburn::alerting::notifier::Notifier;
use sloburn::clock::Clock;
use sloburn::domain::measurement::Outcome;
use sloburn::domain::slo::{Catalog, SourceName};
use sloburn::domain::slot::Counts;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::status::board::Board;
use sloburn::store::bridge::Bridge;
use sloburn::store::memory::MemoryStore;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Inbox, Journal, Shop};

/// What outlives a daemon: everything around it.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) shop: Arc<Shop>,
    pub(crate) catalog: Arc<Catalog>,
    /// The distance of ticks, and the width of slots.
    pub(crate) tick: Span,
    pub(crate) receivers: BTreeMap<&'static str, Arc<Inbox>>,
}

/// A running daemon. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) store: Arc<Journal>,
    /// The ticks that it judged, as its board showed them.
    pub(crate) judged: Vec<Timestamp>,
    clock: Clock,
    tick: Span,
    board: Arc<Board>,
    loops: JoinSet<()>,
    stop: CancellationToken,
}

impl Daemon {
    /// Starts on what an earlier life left behind.
    pub(crate) async fn start(world: &World, left: MemoryStore) -> Self {
        let store = Arc::new(Journal::new(world.clock.clone(), left));
        let bridge = Arc::new(Bridge::over(Arc::clone(&store)));
        let board = Arc::new(Board::new(world.clock.now().into()));
        let wake = Arc::new(Notify::new());
        let parts = Parts {
            sources: BTreeMap::from([(SourceName::new("default"), Arc::clone(&world.shop))]),
            store: Arc::clone(&bridge),
            clock: world.clock.clone(),
            board: Arc::clone(&board),
            wake: Arc::clone(&wake),
        };
        let engine = Engine::start(settings(world.tick), Arc::clone(&world.catalog), parts)
            .await
            .unwrap();
        let receiver = |(name, inbox): (&&str, &Arc<Inbox>)| {
            let notifier: Arc<dyn Notifier> = Arc::clone(inbox) as _;
            ((*name).to_owned(), notifier)
        };
        let delivery = Delivery {
            store: bridge,
            notifiers: world.receivers.iter().map(receiver).collect(),
            clock: world.clock.clone(),
            wake,
            metrics: DeliveryMetrics::default(),
            seed: 1,
        };
        let stop = CancellationToken::new();
        let mut loops = JoinSet::new();
        let (engine_stop, delivery_stop) = (stop.child_token(), stop.child_token());
        loops.spawn(async move { engine.run(engine_stop).await });
        loops.spawn(async move { delivery.run(delivery_stop).await.unwrap() });
        Self {
            store,
            judged: Vec::new(),
            clock: world.clock.clone(),
            tick: world.tick,
            board,
            loops,
            stop,
        }
    }

    /// Lets time pass until `end`, and looks at the board in the middle between ticks.
    pub(crate) async fn run_until(&mut self, end: Timestamp) {
        let middle = Span::from_millis(self.tick.as_millis() / 2);
        loop {
            let now = Timestamp::from(self.clock.now());
            let look = (now - middle).floor_to(self.tick) + self.tick + middle;
            self.sleep_until(look.min(end)).await;
            if look > end {
                return;
            }
            self.look();
        }
    }

    /// Lets time pass until `time`.
    pub(crate) async fn sleep_until(&mut self, time: Timestamp) {
        tokio::select! {
            () = self.clock.sleep_until(time.to_jiff()) => {}
            Some(ended) = self.loops.join_next() => panic!("a loop ended by itself: {ended:?}"),
        }
    }

    /// Every tick is judged once and none is passed over.
    fn look(&mut self) {
        let snapshot = self.board.read().snapshot;
        self.judged.push(snapshot.at.unwrap());
        let ticks = u64::try_from(self.judged.len()).unwrap();
        assert_eq!((snapshot.engine.ticks, snapshot.engine.skipped), (ticks, 0));
        assert_eq!(snapshot.engine.store_error, None);
        assert_eq!(snapshot.slos[0].measurement.outcome, Outcome::Measured);
    }

    /// Why the last commit failed, if it did.
    pub(crate) fn store_error(&self) -> Option<String> {
        self.board.read().snapshot.engine.store_error.clone()
    }

    /// What the promise's window holds.
    pub(crate) fn counts(&self) -> Counts {
        self.board.read().snapshot.slos[0].window.counts
    }

    /// Stops as the daemon does when it is told to.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.loops.join_next().await {
            ended.unwrap();
        }
    }
}

fn settings(tick: Span) -> Settings {
    let source = SourceSettings {
        offset: Span::ZERO,
        ..SourceSettings::default()
    };
    Settings {
        tick,
        slot: tick,
        sources: BTreeMap::from([(SourceName::new("default"), source)]),
        ..Settings::default()
    }
}
