//! Carries notices over a time in which the store takes no commits: nobody waits for a disk to be told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::incident::{Change, IncidentId};
use crate::domain::time::{TimeRange, Timestamp};

use super::commit::{Commit, MeterKey, Progress, Recovered};
use super::outbox::Outbox;
use super::{Attempt, Backlog, OutboxKey, OutboxRow, PastChunks, Store, StoreError};

/// A store whose commits may fail. What one was to tell is handed out from memory until a later one, which
/// must hold it too, succeeds; that keeps how far it was told by then, so that nothing is told again. Only a
/// process that ends in between tells it a second time, under the keys of its next life.
#[derive(Debug)]
pub struct Bridge<S> {
    store: Arc<S>,
    /// What failed commits were to tell.
    waiting: Mutex<Outbox>,
}

impl<S: Store> Bridge<S> {
    /// Over the time in which `store` fails.
    pub fn over(store: Arc<S>) -> Self {
        Self {
            store,
            waiting: Mutex::default(),
        }
    }

    /// Each change is made by one statement that does not panic half-way, so a poisoned lock is whole.
    fn waiting(&self) -> MutexGuard<'_, Outbox> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What receivers said of incidents that the store was told of before it failed.
    async fn remember(&self, rows: &mut [OutboxRow], now: Timestamp) -> Result<(), StoreError> {
        let mut told: BTreeMap<String, Vec<OutboxRow>> = BTreeMap::new();
        for row in rows.iter_mut().filter(|row| row.memory.is_none()) {
            let receiver = &row.key.receiver;
            if !told.contains_key(receiver) {
                let known = self.store.last_delivered(receiver, now).await?;
                told.insert(receiver.clone(), known);
            }
            let mut known = told.get(receiver).into_iter().flatten();
            let known = known.find(|known| known.key.incident == row.key.incident);
            row.memory = known.and_then(|known| known.memory.clone());
        }
        Ok(())
    }
}

fn pair(row: &OutboxRow) -> (IncidentId, String) {
    (row.key.incident.clone(), row.key.receiver.clone())
}

impl<S: Store> Store for Bridge<S> {
    async fn recover(&self, from: Timestamp) -> Result<Recovered, StoreError> {
        self.store.recover(from).await
    }

    async fn past(&self, meter: &MeterKey, range: TimeRange) -> Result<PastChunks, StoreError> {
        self.store.past(meter, range).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        let told: BTreeMap<OutboxKey, Progress> = {
            let waiting = self.waiting();
            let rows = waiting.rows();
            rows.map(|(key, _, progress)| (key.clone(), progress.clone()))
                .collect()
        };
        let result = if told.is_empty() {
            self.store.commit(commit).await
        } else {
            let mut whole = commit.clone();
            whole.deliveries.clone_from(&told);
            self.store.commit(&whole).await
        };
        let mut waiting = self.waiting();
        match &result {
            Ok(()) => waiting.forget(&told),
            Err(_) => {
                for (key, notice) in &commit.outbox {
                    waiting.add(key, notice);
                }
            }
        }
        result
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        // As it stands now, for a commit may succeed while the store is read.
        let waiting = self.waiting().clone();
        let mut due = self.store.due(now).await?;
        if waiting.is_empty() {
            return Ok(due);
        }
        due.retain(|row| !waiting.holds(&row.key));
        // Of an incident and a receiver, what the store holds is older.
        let mut older = self.store.due(Timestamp::from_millis(i64::MAX)).await?;
        older.retain(|row| !waiting.holds(&row.key));
        let older: BTreeSet<_> = older.iter().map(pair).collect();
        let mut rows = waiting.due(now);
        rows.retain(|row| !older.contains(&pair(row)));
        self.remember(&mut rows, now).await?;
        due.append(&mut rows);
        due.sort_by(|a, b| (a.notice.at, &a.key).cmp(&(b.notice.at, &b.key)));
        Ok(due)
    }

    async fn record(&self, key: &OutboxKey, attempt: &Attempt) -> Result<(), StoreError> {
        {
            let mut waiting = self.waiting();
            if waiting.holds(key) {
                return if waiting.record(key, attempt) {
                    Ok(())
                } else {
                    Err(StoreError::not_waiting(key))
                };
            }
        }
        self.store.record(key, attempt).await
    }

    async fn last_delivered(
        &self,
        receiver: &str,
        closed_after: Timestamp,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let newer = self.waiting().told(receiver);
        let told = self.store.last_delivered(receiver, closed_after).await?;
        let told = told.into_iter().map(|row| (row.key.incident.clone(), row));
        let mut told: BTreeMap<IncidentId, OutboxRow> = told.collect();
        told.extend(newer);
        told.retain(|_, row| {
            row.notice.at > closed_after || !matches!(row.notice.change, Change::Closed(_))
        });
        Ok(told.into_values().collect())
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        let waiting = self.waiting().backlog();
        let mut backlog = self.store.backlog().await?;
        for more in waiting {
            match backlog.iter_mut().find(|it| it.receiver == more.receiver) {
                Some(known) => known.add(more),
                None => backlog.push(more),
            }
        }
        backlog.sort_by(|one, other| one.receiver.cmp(&other.receiver));
        Ok(backlog)
    }
}

#[cfg(test)]
mod tests;
