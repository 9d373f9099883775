//! A store that ends with the process: for one-shot commands, and for simulations that let it fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{AlertState, Change, Incident, IncidentId};
use crate::domain::slo::SloId;
use crate::domain::time::{TimeRange, Timestamp};
use crate::ledger::chunk::Age;

use super::commit::{Commit, LaneKey, MeterKey, Recovered};
use super::outbox::Outbox;
use super::{Attempt, Backlog, CLOSED_KEPT, OutboxKey, OutboxRow, PastChunks, Store, StoreError};

/// Keeps everything in memory, with the same meaning as a store on disk.
#[derive(Debug, Default)]
pub struct MemoryStore {
    synced: Mutex<Contents>,
    faults: Mutex<Faults>,
}

/// What was made durable.
#[derive(Clone, Debug, Default)]
struct Contents {
    recovered: Recovered,
    incidents: BTreeMap<IncidentId, Incident>,
    outbox: Outbox,
}

/// Where a commit never comes back from, as if the process were killed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hang {
    /// Nothing of it was made durable.
    BeforeSync,
    /// All of it was, but nobody was told.
    AfterSync,
}

#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    failing: u32,
    hang: Option<Hang>,
}

impl MemoryStore {
    /// The next `count` commits fail and keep nothing.
    pub fn fail_next_commits(&self, count: u32) {
        lock(&self.faults).failing = count;
    }

    /// The next commit never returns.
    pub fn hang_next_commit(&self, place: Hang) {
        lock(&self.faults).hang = Some(place);
    }

    /// What a new process finds after this one was killed.
    pub fn survivors(&self) -> Self {
        Self {
            synced: Mutex::new(self.contents().clone()),
            faults: Mutex::default(),
        }
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        lock(&self.synced)
    }
}

/// Each change is made by one statement that does not panic half-way, so a poisoned lock is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for MemoryStore {
    async fn recover(&self, from: Timestamp) -> Result<Recovered, StoreError> {
        let contents = self.contents();
        let mut closed: Vec<Incident> = contents.incidents.values().cloned().collect();
        closed.retain(|incident| incident.closed.is_some());
        closed.sort_by(|a, b| b.closed.cmp(&a.closed).then_with(|| a.id.cmp(&b.id)));
        closed.truncate(CLOSED_KEPT);
        let mut recovered = contents.recovered.clone();
        recovered.chunks.retain(|(_, key), _| key.end() > from);
        Ok(Recovered {
            closed,
            ..recovered
        })
    }

    async fn past(&self, meter: &MeterKey, range: TimeRange) -> Result<PastChunks, StoreError> {
        let contents = self.contents();
        let kept = contents.recovered.chunks.iter().filter(|((lane, key), _)| {
            lane.meter == *meter && key.start < range.to && key.end() > range.from
        });
        Ok(kept
            .map(|((lane, _), chunk)| (lane.lane, Arc::clone(chunk)))
            .collect())
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        let faults = {
            let mut faults = lock(&self.faults);
            let now = *faults;
            faults.failing = now.failing.saturating_sub(1);
            faults.hang = None;
            now
        };
        if faults.failing > 0 {
            let sentence = "cannot write to the store in memory: it was told to fail".to_owned();
            let source = None;
            return Err(StoreError { sentence, source });
        }
        if faults.hang != Some(Hang::BeforeSync) {
            self.contents().apply(commit);
        }
        if faults.hang.is_some() {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(self.contents().outbox.due(now))
    }

    async fn record(&self, key: &OutboxKey, attempt: &Attempt) -> Result<(), StoreError> {
        if self.contents().outbox.record(key, attempt) {
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
        let contents = self.contents();
        let told = contents.outbox.told(receiver).into_iter();
        let told = told.filter(|(incident, _)| {
            let closed = contents.closed(incident);
            closed.is_none_or(|closed| closed > closed_after)
        });
        Ok(told.map(|(_, row)| row).collect())
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        Ok(self.contents().outbox.backlog())
    }
}

impl Contents {
    fn apply(&mut self, commit: &Commit) {
        let Recovered {
            chunks,
            lanes,
            seen,
            versions,
            families,
            walks,
            groups,
            alerts,
            closed: _,
            episodes,
        } = &mut self.recovered;
        let is_dropped = |slo: &SloId| commit.dropped.contains(slo);
        chunks.retain(|(lane, _), _| !is_dropped(&lane.meter.slo));
        lanes.retain(|lane, _| !is_dropped(&lane.meter.slo));
        alerts.retain(|slo, _| !is_dropped(slo));
        seen.retain(|meter| !is_dropped(&meter.slo));
        versions.retain(|slo, _| !is_dropped(slo));
        for (slo, indicator) in &commit.claims {
            let claimed = |lane: &LaneKey| {
                let unclaimed = lane.meter.indicator == Fingerprint::UNKNOWN;
                let mut lane = lane.clone();
                if unclaimed && lane.meter.slo == *slo {
                    lane.meter.indicator = *indicator;
                }
                lane
            };
            let kept = std::mem::take(chunks).into_iter();
            *chunks = kept
                .map(|((lane, key), it)| ((claimed(&lane), key), it))
                .collect();
            let kept = std::mem::take(lanes).into_iter();
            *lanes = kept.map(|(lane, it)| (claimed(&lane), it)).collect();
        }
        chunks.extend(commit.chunks.clone());
        chunks.retain(|(lane, key), _| {
            let grown = commit.grown.get(lane).filter(|_| key.age == Age::Recent);
            let is_grown = grown.is_some_and(|grown| grown.contains(key.end()));
            !is_grown && Some(key.end()) > commit.forgotten
        });
        lanes.extend(commit.lanes.clone());
        seen.extend(commit.seen.clone());
        versions.extend(commit.versions.clone());
        for (key, record) in &commit.families {
            let family = families.entry(key.clone()).or_default();
            family.merge(record.clone());
            family.dropped.clear();
        }
        walks.extend(commit.walks.clone());
        groups.extend(commit.groups.clone());
        alerts.extend(commit.alerts.clone());
        alerts.retain(|_, state| *state != AlertState::default());
        for (key, episode) in &commit.episodes {
            match episode {
                Some(episode) => episodes.insert(key.clone(), episode.clone()),
                None => episodes.remove(key),
            };
        }
        self.incidents.extend(commit.incidents.clone());
        for (key, notice) in &commit.outbox {
            self.outbox.add(key, notice);
        }
        for (key, progress) in &commit.deliveries {
            self.outbox.set(key, progress);
        }
    }

    /// When an incident was closed. Episodes of not being able to measure are no incidents of
    /// their own: their closing notice tells it.
    fn closed(&self, incident: &IncidentId) -> Option<Timestamp> {
        let known = self.incidents.get(incident).and_then(|it| it.closed);
        known.or_else(|| {
            let told = self.outbox.rows().filter(|(key, notice, _)| {
                key.incident == *incident && matches!(notice.change, Change::Closed(_))
            });
            told.map(|(_, notice, _)| notice.at).min()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixtures::{at, everything};
    use super::*;

    #[tokio::test]
    async fn a_commit_that_fails_keeps_nothing_and_is_made_up_by_the_next() {
        let store = MemoryStore::default();
        store.fail_next_commits(2);
        let mut pending = Commit::default();
        for _ in 0..2 {
            pending.merge(everything());
            store.commit(&pending).await.unwrap_err();
            assert_eq!(
                store.recover(Timestamp::EARLIEST).await.unwrap(),
                Recovered::default()
            );
        }
        store.commit(&pending).await.unwrap();
        assert_eq!(store.due(at(90)).await.unwrap().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_kill_in_a_commit_leaves_all_of_it_or_nothing() {
        for (place, rows) in [(Hang::BeforeSync, 0), (Hang::AfterSync, 2)] {
            let store = MemoryStore::default();
            store.hang_next_commit(place);
            let commit = everything();
            let hour = Duration::from_hours(1);
            let returned = tokio::time::timeout(hour, store.commit(&commit)).await;
            assert!(returned.is_err(), "it never returns");
            let next = store.survivors();
            assert_eq!(next.due(at(90)).await.unwrap().len(), rows, "{place:?}");
            next.commit(&commit).await.unwrap();
            assert_eq!(next.due(at(90)).await.unwrap().len(), 2, "{place:?}");
            let later = store.due(at(90)).await.unwrap();
            assert_eq!(
                later.len(),
                rows,
                "the dead process does not see its successor"
            );
        }
    }
}
