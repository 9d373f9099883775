//! Rows of an outbox in memory: in which order they are handed out, and how far each is.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::incident::IncidentId;
use crate::domain::notice::Notice;
use crate::domain::time::Timestamp;

use super::commit::Progress;
use super::{Attempt, Backlog, OutboxKey, OutboxRow};

/// Rows, and how far each is.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    rows: BTreeMap<OutboxKey, Row>,
}

#[derive(Clone, Debug)]
struct Row {
    notice: Arc<Notice>,
    progress: Progress,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn holds(&self, key: &OutboxKey) -> bool {
        self.rows.contains_key(key)
    }

    /// A row that is there already stays as it is: it may have been delivered since.
    pub(super) fn add(&mut self, key: &OutboxKey, notice: &Arc<Notice>) {
        self.rows.entry(key.clone()).or_insert_with(|| Row {
            notice: Arc::clone(notice),
            progress: Progress::default(),
        });
    }

    /// All rows, by incident, receiver and sequence.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&OutboxKey, &Arc<Notice>, &Progress)> {
        let rows = self.rows.iter();
        rows.map(|(key, row)| (key, &row.notice, &row.progress))
    }

    /// Takes over how far a row is, unless it is known to be delivered.
    pub(super) fn set(&mut self, key: &OutboxKey, progress: &Progress) {
        if let Some(row) = self.rows.get_mut(key)
            && row.progress.delivered.is_none()
        {
            row.progress = progress.clone();
        }
    }

    /// Lets go of rows that are still as far as this says.
    pub(super) fn forget(&mut self, known: &BTreeMap<OutboxKey, Progress>) {
        self.rows
            .retain(|key, row| known.get(key) != Some(&row.progress));
    }

    /// The oldest undelivered row of each pair, if it is due.
    pub(super) fn due(&self, now: Timestamp) -> Vec<OutboxRow> {
        let mut due = Vec::new();
        let mut before: Option<&OutboxKey> = None;
        let waiting = self.rows.iter();
        for (key, row) in waiting.filter(|(_, row)| row.progress.delivered.is_none()) {
            // Keys are in order, so the first of a pair is its oldest.
            let follows = before
                .is_some_and(|it| (&it.incident, &it.receiver) == (&key.incident, &key.receiver));
            before = Some(key);
            if !follows && row.progress.next <= now {
                due.push(self.row(key, row));
            }
        }
        due.sort_by(|a, b| (a.notice.at, &a.key).cmp(&(b.notice.at, &b.key)));
        due
    }

    /// Records how a delivery went; says whether the row waits here.
    pub(super) fn record(&mut self, key: &OutboxKey, attempt: &Attempt) -> bool {
        let row = self.rows.get_mut(key);
        let Some(row) = row.filter(|row| row.progress.delivered.is_none()) else {
            return false;
        };
        row.progress.note(attempt);
        true
    }

    /// The newest delivered row of each incident of a receiver.
    pub(super) fn told(&self, receiver: &str) -> BTreeMap<IncidentId, OutboxRow> {
        let rows = self.rows.iter();
        let told =
            rows.filter(|(key, row)| key.receiver == receiver && row.progress.delivered.is_some());
        told.map(|(key, row)| (key.incident.clone(), self.row(key, row)))
            .collect()
    }

    /// What waits, by receiver.
    pub(super) fn backlog(&self) -> Vec<Backlog> {
        let waiting = self.rows.iter();
        let waiting = waiting.filter(|(_, row)| row.progress.delivered.is_none());
        backlog(waiting.map(|(key, row)| Waiting {
            receiver: key.receiver.clone(),
            at: row.notice.at,
            refusal: row.progress.refusal.clone(),
        }))
    }

    fn row(&self, key: &OutboxKey, row: &Row) -> OutboxRow {
        let first = OutboxKey {
            sequence: 0,
            ..key.clone()
        };
        let last = OutboxKey {
            sequence: u32::MAX,
            ..key.clone()
        };
        let mut pair = self.rows.range(first..=last).rev();
        OutboxRow {
            key: key.clone(),
            notice: (*row.notice).clone(),
            step: row.progress.step,
            attempts: row.progress.attempts,
            memory: pair.find_map(|(_, row)| row.progress.memory.clone()),
            delivered: row.progress.delivered,
        }
    }
}

impl Progress {
    fn note(&mut self, attempt: &Attempt) {
        match attempt {
            Attempt::Accepted { at, memory, done } => {
                self.step += 1;
                self.attempts = 0;
                self.next = *at;
                self.refusal = None;
                self.delivered = done.then_some(*at);
                if let Some(memory) = memory {
                    self.memory = Some(memory.clone());
                }
            }
            Attempt::Refused {
                at,
                next,
                error,
                permanent,
            } => {
                self.attempts += 1;
                self.next = *next;
                self.refusal = Some((*at, error.clone(), *permanent));
            }
        }
    }
}

/// A row that is not delivered yet.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) receiver: String,
    /// The tick that decided it.
    pub(super) at: Timestamp,
    /// The last refusal: when, a sentence, and whether it is permanent.
    pub(super) refusal: Option<(Timestamp, String, bool)>,
}
/// What waits, by receiver; of several refusals the newest is told.
pub(super) fn backlog(waiting: impl IntoIterator<Item = Waiting>) -> Vec<Backlog> {
    let mut receivers: BTreeMap<String, Vec<Waiting>> = BTreeMap::new();
    for row in waiting {
        receivers.entry(row.receiver.clone()).or_default().push(row);
    }
    let told = |(receiver, rows): (String, Vec<Waiting>)| {
        let refusals = rows.iter().filter_map(|row| row.refusal.as_ref());
        let newest = refusals.max_by_key(|(at, ..)| *at);
        Backlog {
            receiver,
            waiting: rows.len().try_into().unwrap_or(u64::MAX),
            oldest: rows.iter().map(|row| row.at).min().unwrap_or_default(),
            error: newest.map(|(_, error, permanent)| (error.clone(), *permanent)),
        }
    };
    receivers.into_iter().map(told).collect()
}
