//! A store in memory that writes down how alert states change, as they are committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use sloburn::clock::Clock;
use sloburn::domain::incident::{AlertState, TierState};
use sloburn::domain::time::{TimeRange, Timestamp};
use sloburn::store::commit::{Commit, MeterKey, Recovered};
use sloburn::store::memory::MemoryStore;
use sloburn::store::{Attempt, Backlog, OutboxKey, OutboxRow, PastChunks, Store, StoreError};

use super::seconds;

/// The store of one life of the daemon.
#[derive(Debug)]
pub(crate) struct Journal {
    store: MemoryStore,
    clock: Clock,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    tiers: BTreeMap<String, TierState>,
    lines: BTreeSet<(i64, String)>,
}

impl Journal {
    pub(crate) fn new(clock: Clock, store: MemoryStore) -> Self {
        Self {
            store,
            clock,
            entries: Mutex::default(),
        }
    }

    /// What a new process finds after this one was killed.
    pub(crate) fn survivors(&self) -> MemoryStore {
        self.store.survivors()
    }

    /// The next `count` commits fail and keep nothing.
    pub(crate) fn fail_next_commits(&self, count: u32) {
        self.store.fail_next_commits(count);
    }

    /// How tiers changed: the tick in seconds from the onset, the tier, and what it became.
    pub(crate) fn lines(&self) -> BTreeSet<(i64, String)> {
        self.entries.lock().unwrap().lines.clone()
    }
}

impl Entries {
    fn note(&mut self, now: Timestamp, state: &AlertState) {
        let at = seconds(now);
        for (name, tier) in &state.tiers {
            if self.tiers.get(name) == Some(tier) {
                continue;
            }
            let became = match tier {
                TierState::Quiet => "quiet".to_owned(),
                TierState::Burning { since } if *since == now => "fires".to_owned(),
                TierState::Burning { since } => format!("fires again since {}", seconds(*since)),
                TierState::Holding { clear, .. } if *clear == now => "clears".to_owned(),
                TierState::Holding { clear, .. } => format!("clear since {}", seconds(*clear)),
            };
            self.lines.insert((at, format!("{name} {became}")));
        }
        for name in self.tiers.keys() {
            if !state.tiers.contains_key(name) {
                self.lines.insert((at, format!("{name} is left")));
            }
        }
        self.tiers.clone_from(&state.tiers);
    }
}

impl Store for Journal {
    async fn recover(&self, from: Timestamp) -> Result<Recovered, StoreError> {
        let recovered = self.store.recover(from).await?;
        for state in recovered.alerts.values() {
            self.entries.lock().unwrap().tiers.clone_from(&state.tiers);
        }
        Ok(recovered)
    }

    async fn past(&self, meter: &MeterKey, range: TimeRange) -> Result<PastChunks, StoreError> {
        self.store.past(meter, range).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        self.store.commit(commit).await?;
        for state in commit.alerts.values() {
            let now = self.clock.now().into();
            self.entries.lock().unwrap().note(now, state);
        }
        Ok(())
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        self.store.due(now).await
    }

    async fn record(&self, key: &OutboxKey, attempt: &Attempt) -> Result<(), StoreError> {
        self.store.record(key, attempt).await
    }

    async fn last_delivered(
        &self,
        receiver: &str,
        closed_after: Timestamp,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.store.last_delivered(receiver, closed_after).await
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        self.store.backlog().await
    }
}
