//! The store on disk: one SQLite file, written by one connection and read by a few others.

mod episodes;
mod error;
mod open;
mod outbox;
mod read;
mod schema;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use crate::domain::time::{TimeRange, Timestamp};

use super::commit::{Commit, MeterKey, Recovered};
use super::{Attempt, Backlog, OutboxKey, OutboxRow, PastChunks, Store, StoreError};
use error::Cause;

/// Keeps everything in one file. A commit is on disk before it returns: the write-ahead log is
/// synced with each one, so that neither `kill -9` nor a power cut loses it.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    identity: u64,
    writer: Mutex<Writer>,
    readers: SqlitePool,
    /// Held for as long as the store lives; the system lets go of it however the process ends.
    _lock: File,
}

/// A store that was opened, and what had to be done for it.
#[derive(Debug)]
pub struct Opened {
    /// Ready to use.
    pub store: SqliteStore,
    /// Where a damaged file was moved to; the store is a new, empty one then.
    pub quarantined: Option<PathBuf>,
}

impl SqliteStore {
    /// Opens the store at `path`, or begins a new one there; `now` names a damaged file that is
    /// set aside.
    ///
    /// # Errors
    /// When the file is in use by another process, cannot be written, belongs to another program
    /// or was written by a newer version of this one. A damaged file is no error.
    pub async fn open(path: &Path, now: Timestamp) -> Result<Opened, StoreError> {
        open::open(path, now, open::PATIENCE).await
    }

    /// Tells the daemon whose store this is from others, as long as the store lives. Names of hosts and pods do not:
    /// they are the same in every cluster.
    pub const fn identity(&self) -> u64 {
        self.identity
    }

    /// Lets go of the file in an orderly way, with its write-ahead log emptied. Nothing is lost
    /// without it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        match self.writer.lock().await.connection.take() {
            Some(connection) => self.told("close", connection.close().await),
            None => Ok(()),
        }
    }

    fn told<T>(&self, operation: &str, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        result.map_err(|error| error::database(operation, &self.path, error))
    }
}

/// The one connection that writes.
#[derive(Debug)]
struct Writer {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
}

impl Writer {
    async fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// After an error of the disk the connection is not trusted again: what it holds in memory may
    /// not be what is on disk, and a full disk may have ended the transaction behind our back.
    fn after<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        let distrusted = |error: &sqlx::Error| {
            matches!(Cause::of(error), Cause::Disk | Cause::Damaged | Cause::Full)
        };
        if result.as_ref().err().is_some_and(distrusted) {
            self.connection = None;
        }
        result
    }

    async fn commit(&mut self, commit: &Commit) -> Result<(), sqlx::Error> {
        let result = write::commit(self.connection().await?, commit).await;
        self.after(result)
    }

    async fn record(&mut self, key: &OutboxKey, attempt: &Attempt) -> Result<bool, sqlx::Error> {
        let result = outbox::record(self.connection().await?, key, attempt).await;
        self.after(result)
    }
}

impl Store for SqliteStore {
    async fn recover(&self, from: Timestamp) -> Result<Recovered, StoreError> {
        self.told("read", read::recover(&self.readers, from).await)
    }

    async fn past(&self, meter: &MeterKey, range: TimeRange) -> Result<PastChunks, StoreError> {
        let chunks = read::past(&self.readers, meter, range).await;
        self.told("read the past in", chunks)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        if commit.is_empty() {
            return Ok(());
        }
        let result = self.writer.lock().await.commit(commit).await;
        self.told("write to", result)
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        self.told("read the outbox in", outbox::due(&self.readers, now).await)
    }

    async fn record(&self, key: &OutboxKey, attempt: &Attempt) -> Result<(), StoreError> {
        let result = self.writer.lock().await.record(key, attempt).await;
        if self.told("record a delivery in", result)? {
            Ok(())
        } else {
            Err(StoreError::not_waiting(key))
        }
    }

    async fn last_delivered(
        &self,
        receiver: &str,
        closed_after: Timestamp,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = outbox::last_delivered(&self.readers, receiver, closed_after).await;
        self.told("read the outbox in", rows)
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        self.told("read the outbox in", outbox::waiting(&self.readers).await)
    }
}

#[cfg(test)]
mod tests;
