//! What outlives the process: settled slots and cursors, alert state, incidents and the outbox.
//! Everything that one tick decides is one commit.

pub mod bridge;
mod chunk_codec;
pub mod commit;
#[cfg(test)]
mod fixtures;
pub mod memory;
mod outbox;
mod record;
pub mod sqlite;
#[cfg(test)]
mod suite;

use std::future::Future;
use std::sync::Arc;

use crate::domain::incident::IncidentId;
use crate::domain::notice::Notice;
use crate::domain::time::{TimeRange, Timestamp};
use crate::ledger::chunk::Chunk;
use commit::{Commit, MeterKey, Recovered};

/// Chunks of one meter, each with its lane.
pub type PastChunks = Vec<(u16, Arc<Chunk>)>;

/// Keeps commits durably, and hands out what is to be delivered.
pub trait Store: Send + Sync + 'static {
    /// Everything that was committed, for a start, but for chunks that end at or before `from`.
    fn recover(
        &self,
        from: Timestamp,
    ) -> impl Future<Output = Result<Recovered, StoreError>> + Send;

    /// The chunks of a meter that reach into `range`, each with its lane.
    fn past(
        &self,
        meter: &MeterKey,
        range: TimeRange,
    ) -> impl Future<Output = Result<PastChunks, StoreError>> + Send;

    /// Makes a commit durable: all of it or nothing. Committing the same again changes nothing.
    fn commit(&self, commit: &Commit) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// For each (incident, receiver) with undelivered rows: the oldest of them, if it is due at
    /// `now`. Later rows of the pair wait for it.
    fn due(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<OutboxRow>, StoreError>> + Send;

    /// Records how a delivery went.
    fn record(
        &self,
        key: &OutboxKey,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What receivers that must be told again and again (Alertmanager) were last told: the newest
    /// delivered row of each incident of `receiver` that is open, or was closed after `closed_after`.
    fn last_delivered(
        &self,
        receiver: &str,
        closed_after: Timestamp,
    ) -> impl Future<Output = Result<Vec<OutboxRow>, StoreError>> + Send;

    /// How many rows wait, and what is wrong with them, by receiver.
    fn backlog(&self) -> impl Future<Output = Result<Vec<Backlog>, StoreError>> + Send;
}

/// Which notice for whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxKey {
    /// The incident.
    pub incident: IncidentId,
    /// The receiver's name.
    pub receiver: String,
    /// The transition's number within the incident.
    pub sequence: u32,
}

/// One notice for one receiver, and how far its delivery is.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// Which notice for whom.
    pub key: OutboxKey,
    /// What is to be told.
    pub notice: Notice,
    /// How many of the notice's calls the receiver has accepted (Slack: post, edit, thread).
    pub step: u32,
    /// How often the present step was tried in vain.
    pub attempts: u32,
    /// What the receiver said of this incident that later calls need (Slack: channel id and `ts`),
    /// in the receiver's own words (JSON). Shared by all rows of the pair (incident, receiver).
    pub memory: Option<String>,
    /// When it was fully delivered, if it was.
    pub delivered: Option<Timestamp>,
}

/// How one call of a delivery went.
#[derive(Clone, Debug, PartialEq)]
pub enum Attempt {
    /// Accepted; `memory` replaces the pair's memory when given. The row is delivered when `done`.
    Accepted {
        /// When.
        at: Timestamp,
        /// What to remember of the receiver's answer.
        memory: Option<String>,
        /// Whether it was the last call of this notice.
        done: bool,
    },
    /// Not accepted; to be tried again.
    Refused {
        /// When.
        at: Timestamp,
        /// Not before.
        next: Timestamp,
        /// A sentence for people.
        error: String,
        /// Whether the receiver will refuse it again unless somebody changes something.
        permanent: bool,
    },
}

/// What waits for one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The receiver's name.
    pub receiver: String,
    /// Rows not yet delivered.
    pub waiting: u64,
    /// The tick of the oldest of them.
    pub oldest: Timestamp,
    /// The last error, and whether it is permanent.
    pub error: Option<(String, bool)>,
}

impl Backlog {
    /// What waits for the receiver elsewhere, and is newer.
    fn add(&mut self, newer: Self) {
        self.waiting += newer.waiting;
        self.oldest = self.oldest.min(newer.oldest);
        self.error = newer.error.or(self.error.take());
    }
}

/// Why the store could not do it. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct StoreError {
    /// The operation, its object, and what to do.
    pub sentence: String,
    /// What the database said.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// A delivery of something that does not wait.
    fn not_waiting(key: &OutboxKey) -> Self {
        let OutboxKey {
            incident,
            receiver,
            sequence,
        } = key;
        Self {
            sentence: format!(
                "cannot record a delivery to `{receiver}`: notice {sequence} of incident \
                 {incident} does not wait in the outbox"
            ),
            source: None,
        }
    }
}

/// How many closed incidents a start gets back.
const CLOSED_KEPT: usize = 200;
