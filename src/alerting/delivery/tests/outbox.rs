//! A store in memory whose records can be made to fail, before or after they were made.

use std::sync::{Arc, Mutex};

use crate::alerting::sample;
use crate::domain::incident::{Change, IncidentId};
use crate::domain::time::{TimeRange, Timestamp};
use crate::store::commit::{Commit, MeterKey, Recovered};
use crate::store::memory::MemoryStore;
use crate::store::{Attempt, Backlog, OutboxKey, OutboxRow, PastChunks, Store, StoreError};

#[derive(Default)]
pub(super) struct Outbox {
    store: MemoryStore,
    broken: Mutex<Broken>,
}

/// How many of the next records fail, and whether they are made nevertheless.
#[derive(Clone, Copy, Default)]
pub(super) struct Broken {
    pub(super) records: u32,
    pub(super) made: bool,
}

impl Outbox {
    pub(super) async fn add(&self, incident: &str, receiver: &str, sequence: u32) {
        self.add_change(incident, receiver, sequence, Change::Opened)
            .await;
    }

    pub(super) async fn add_change(
        &self,
        incident: &str,
        receiver: &str,
        sequence: u32,
        change: Change,
    ) {
        let mut notice = sample::opened();
        notice.incident = IncidentId::from_text(incident);
        notice.sequence = sequence;
        notice.change = change;
        let key = sample::row(notice.clone(), receiver).key;
        let mut commit = Commit::default();
        commit.outbox.insert(key, Arc::new(notice));
        self.store.commit(&commit).await.unwrap();
    }

    pub(super) fn break_records(&self, records: u32, made: bool) {
        *self.broken.lock().unwrap() = Broken { records, made };
    }

    /// How many notices wait, and what is wrong with them.
    pub(super) async fn waiting(&self) -> String {
        let backlog = self.store.backlog().await.unwrap().into_iter();
        let lines = backlog.map(|it| format!("{} {}: {:?}", it.receiver, it.waiting, it.error));
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Store for Outbox {
    async fn recover(&self, from: Timestamp) -> Result<Recovered, StoreError> {
        self.store.recover(from).await
    }

    async fn past(&self, meter: &MeterKey, range: TimeRange) -> Result<PastChunks, StoreError> {
        self.store.past(meter, range).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        self.store.commit(commit).await
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        self.store.due(now).await
    }

    async fn record(&self, key: &OutboxKey, attempt: &Attempt) -> Result<(), StoreError> {
        let broken = {
            let mut broken = self.broken.lock().unwrap();
            let now = *broken;
            broken.records = now.records.saturating_sub(1);
            now
        };
        if broken.records == 0 || broken.made {
            self.store.record(key, attempt).await?;
        }
        if broken.records == 0 {
            return Ok(());
        }
        Err(StoreError {
            sentence: "the store is full: make room".into(),
            source: None,
        })
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
