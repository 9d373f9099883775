//! Where the loops post what they know and everybody reads it: no lock, no query, no waiting.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::diagnostic::Diagnostics;
use crate::domain::time::Timestamp;

use super::snapshot::Snapshot;

/// How deliveries fare, as the delivery loop posts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// Receivers for whom something waits, or who refused something, by name.
    pub receivers: Vec<ReceiverStatus>,
    /// Why the outbox itself could not be read, in a sentence.
    pub error: Option<String>,
}

/// What waits for one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverStatus {
    /// The receiver's name.
    pub receiver: String,
    /// Notices not yet delivered.
    pub waiting: u64,
    /// The tick of the oldest of them.
    pub oldest: Timestamp,
    /// Why the last attempt failed, in a sentence.
    pub error: Option<String>,
    /// Whether it will fail again unless somebody changes something.
    pub permanent: bool,
}

/// Which definitions are in force, and how the last change of them went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefinitionsStatus {
    /// Tells the set of files in force from any other.
    pub revision: String,
    /// Since when it is in force.
    pub since: Timestamp,
    /// How many objectives it defines.
    pub objectives: u64,
    /// What is probably not meant in it.
    pub warnings: Diagnostics,
    /// How often other definitions were put in force since the start.
    pub reloads: u64,
    /// How often changed definitions were refused since the start.
    pub failures: u64,
    /// When what was found last was found to be good.
    pub last_success: Timestamp,
    /// What was found last, if it was refused.
    pub refused: Option<Refusal>,
}

/// Changed definitions that are not put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Tells the set of files from any other.
    pub revision: String,
    /// When it was found.
    pub at: Timestamp,
    /// Why, in a sentence that says what stays in force.
    pub reason: String,
    /// Everything that is wrong with it.
    pub faults: Diagnostics,
}

/// How the store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreOpened {
    /// What happened to the old store when it had to be set aside, in a sentence.
    pub notice: Option<String>,
}

/// The board that the loops post to and that the API, the metrics and the probes read.
#[derive(Debug)]
pub struct Board {
    started: Timestamp,
    snapshot: ArcSwap<Posted<Arc<Snapshot>>>,
    delivery: ArcSwap<Posted<Option<Arc<DeliveryStatus>>>>,
    definitions: ArcSwap<Posted<Option<Arc<DefinitionsStatus>>>>,
    store: OnceLock<Arc<StoreOpened>>,
    changes: watch::Sender<()>,
}

/// Something posted, and the how manieth it is.
#[derive(Clone, Debug, Default)]
struct Posted<T> {
    generation: u64,
    value: T,
}

impl Board {
    /// An empty board. `started` tells its postings from those of an earlier process.
    pub fn new(started: Timestamp) -> Self {
        Self {
            started,
            snapshot: ArcSwap::default(),
            delivery: ArcSwap::default(),
            definitions: ArcSwap::default(),
            store: OnceLock::new(),
            changes: watch::Sender::new(()),
        }
    }

    /// Says when something may have been posted since it was last asked; several postings may come
    /// as one.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Posts the picture of a tick.
    pub fn publish(&self, snapshot: impl Into<Arc<Snapshot>>) {
        let value = snapshot.into();
        self.snapshot.rcu(|old| Posted {
            generation: old.generation + 1,
            value: Arc::clone(&value),
        });
        self.changes.send_replace(());
    }

    /// Posts how deliveries fare. What is the same as before changes nothing, so it may be posted
    /// as often as one likes.
    pub fn publish_delivery(&self, delivery: DeliveryStatus) {
        post(&self.delivery, delivery);
        self.changes.send_replace(());
    }

    /// Posts which definitions are in force. What is the same as before changes nothing.
    pub fn publish_definitions(&self, definitions: DefinitionsStatus) {
        post(&self.definitions, definitions);
        self.changes.send_replace(());
    }

    /// Posts that the store is open. Only the first time counts: a store is opened once.
    pub fn publish_store(&self, opened: StoreOpened) {
        self.store.get_or_init(|| Arc::new(opened));
    }

    /// All that is posted now.
    pub fn read(&self) -> Reading {
        let (snapshot, delivery) = (self.snapshot.load(), self.delivery.load());
        let definitions = self.definitions.load();
        Reading {
            snapshot: Arc::clone(&snapshot.value),
            delivery: delivery.value.clone(),
            definitions: definitions.value.clone(),
            store: self.store.get().cloned(),
            version: format!(
                "{:x}-{}-{}-{}-{}",
                self.started.as_millis(),
                snapshot.generation,
                delivery.generation,
                definitions.generation,
                u8::from(self.store.get().is_some())
            ),
        }
    }
}

fn post<T: PartialEq>(place: &ArcSwap<Posted<Option<Arc<T>>>>, value: T) {
    let value = Arc::new(value);
    place.rcu(|old| {
        if old.value.as_ref() == Some(&value) {
            return Arc::clone(old);
        }
        Arc::new(Posted {
            generation: old.generation + 1,
            value: Some(Arc::clone(&value)),
        })
    });
}

/// What was posted at one moment.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The newest picture; empty before the first tick.
    pub snapshot: Arc<Snapshot>,
    /// How deliveries fare; `None` before the first posting.
    pub delivery: Option<Arc<DeliveryStatus>>,
    /// Which definitions are in force; `None` before the first posting.
    pub definitions: Option<Arc<DefinitionsStatus>>,
    /// How the store was opened; `None` before it is.
    pub store: Option<Arc<StoreOpened>>,
    /// Differs whenever anything of it differs, also from one process to the next.
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_news_change_the_version() {
        let board = Board::new(Timestamp::from_millis(255));
        let version = || board.read().version;
        assert_eq!(version(), "ff-0-0-0-0");
        board.publish(Snapshot::default());
        assert_eq!(version(), "ff-1-0-0-0");
        let refused = |error: &str| DeliveryStatus {
            error: Some(error.to_owned()),
            ..DeliveryStatus::default()
        };
        for (delivery, expected) in [
            (DeliveryStatus::default(), "ff-1-1-0-0"),
            (DeliveryStatus::default(), "ff-1-1-0-0"),
            (refused("locked"), "ff-1-2-0-0"),
            (refused("locked"), "ff-1-2-0-0"),
        ] {
            board.publish_delivery(delivery);
            assert_eq!(version(), expected);
        }
        board.publish_store(StoreOpened::default());
        assert_eq!(version(), "ff-1-2-0-1");
        board.publish_definitions(DefinitionsStatus::default());
        board.publish_definitions(DefinitionsStatus::default());
        assert_eq!(version(), "ff-1-2-1-1");
        assert_ne!(
            Board::new(Timestamp::from_millis(256)).read().version,
            "ff-0-0-0-0"
        );
    }

    #[test]
    fn a_reader_keeps_what_it_read() {
        let board = Board::new(Timestamp::default());
        let before = board.read();
        let at = Some(Timestamp::from_millis(1));
        board.publish(Snapshot {
            at,
            ..Snapshot::default()
        });
        assert_eq!(before.snapshot.at, None);
        assert_eq!(board.read().snapshot.at, at);
    }
}
