//! What both stores say of rows that wait, in one place.

use std::collections::BTreeMap;

use crate::domain::time::Timestamp;

use super::Backlog;

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
