//! The delivery loop: takes what is due from the outbox and tells it, each receiver on its own and in order.
//!
//! The store hands out the oldest undelivered notice of each incident and receiver, and each call that a receiver
//! takes is recorded before the next one is made. A crash between the two repeats one call and loses none.

mod lane;
mod metrics;
mod pause;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::time::{Span, Timestamp};
use crate::store::{Attempt, OutboxRow, Store, StoreError};

use super::notifiers::Notifiers;
use lane::Lane;
pub use metrics::DeliveryMetrics;
use pause::Jitter;

/// How often the outbox is looked at without being asked to: a wake-up comes with each commit, and what is to be
/// tried again is known, so that this is for what an earlier process left behind.
const SWEEP: Duration = Duration::from_secs(5);
/// How long a notice for somebody who is not defined waits before it is looked at again.
const UNKNOWN_WAITS: Span = Span::from_mins(10);

/// What the delivery loop needs.
#[derive(Debug)]
pub struct Delivery<S> {
    /// Where the outbox is.
    pub store: Arc<S>,
    /// Who can be told.
    pub notifiers: Notifiers,
    /// What time it is.
    pub clock: Clock,
    /// Told by whoever committed something to deliver.
    pub wake: Arc<Notify>,
    /// What is counted.
    pub metrics: DeliveryMetrics,
    /// Where the spreading of retries begins; any number.
    pub seed: u64,
}

/// Why the loop ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// A receiver's code failed in a way that it must not.
    #[error("a delivery broke off; restart sloburn, nothing is lost, and report this as a bug")]
    Broken(#[source] tokio::task::JoinError),
}

impl<S: Store> Delivery<S> {
    /// Delivers until `stop` is cancelled, and then finishes the calls in flight.
    ///
    /// # Errors
    ///
    /// Only when a delivery panicked.
    pub async fn run(self, stop: CancellationToken) -> Result<(), DeliveryError> {
        let mut lanes = self.lanes(&stop);
        loop {
            lanes.start_what_is_due().await;
            let next = lanes.next_wake();
            let wait = async {
                tokio::select! {
                    () = lanes.wake.notified() => None,
                    () = sleep_until(next) => None,
                    Some(finished) = lanes.turns.join_next() => Some(finished),
                }
            };
            match stop.run_until_cancelled(wait).await {
                None => break,
                Some(None) => {}
                Some(Some(finished)) => lanes.come_back(finished.map_err(DeliveryError::Broken)?),
            }
        }
        while let Some(finished) = lanes.turns.join_next().await {
            finished.map_err(DeliveryError::Broken)?;
        }
        Ok(())
    }

    fn lanes(self, stop: &CancellationToken) -> Lanes<S> {
        let start = Instant::now();
        let mut jitter = Jitter::new(self.seed);
        let by_name = self
            .notifiers
            .into_map()
            .into_iter()
            .map(|(name, notifier)| {
                let seed = jitter.next();
                let lane = Lane {
                    store: Arc::clone(&self.store),
                    clock: self.clock.clone(),
                    metrics: self.metrics.clone(),
                    stop: stop.clone(),
                    jitter: Jitter::new(seed),
                    assert_at: notifier.reassertion().map(|_| start),
                    notifier,
                    name: name.clone(),
                    free_at: start,
                    paused_until: start,
                    retry_at: None,
                    failures: 0,
                    trouble: None,
                };
                (name, Place::Idle(Box::new(lane)))
            });
        Lanes {
            by_name: by_name.collect(),
            store: self.store,
            clock: self.clock,
            wake: self.wake,
            turns: JoinSet::new(),
            trouble: None,
            fresh: true,
        }
    }
}

/// A receiver's lane, or the mark that it is under way.
enum Place<S> {
    Idle(Box<Lane<S>>),
    Busy,
}

/// All lanes, and the turns that are under way.
struct Lanes<S> {
    by_name: BTreeMap<String, Place<S>>,
    store: Arc<S>,
    clock: Clock,
    wake: Arc<Notify>,
    turns: JoinSet<Box<Lane<S>>>,
    /// What is wrong with the outbox, so that it is logged once.
    trouble: Option<String>,
    /// Whether the outbox was not looked at yet. Who restarts the daemon may have mended what was refused: then
    /// everything that waits is due.
    fresh: bool,
}

impl<S: Store> Lanes<S> {
    /// Sends every idle lane on its way for which something is due.
    async fn start_what_is_due(&mut self) {
        let (now, moment) = (Timestamp::from(self.clock.now()), Instant::now());
        let mut rows: BTreeMap<String, Vec<OutboxRow>> = BTreeMap::new();
        let until = if self.fresh {
            Timestamp::from_millis(i64::MAX)
        } else {
            now
        };
        match self.store.due(until).await {
            Ok(due) => {
                self.trouble = None;
                self.fresh = false;
                for row in due {
                    rows.entry(row.key.receiver.clone()).or_default().push(row);
                }
            }
            Err(error) => self.complain(&error),
        }
        for (name, place) in &mut self.by_name {
            let rows = rows.remove(name).unwrap_or_default();
            let Place::Idle(lane) = place else {
                continue;
            };
            let told_again = lane.assert_at.is_some_and(|at| at <= moment);
            let told = !rows.is_empty() && lane.paused_until <= moment;
            if !told && !told_again {
                continue;
            }
            if let Place::Idle(lane) = std::mem::replace(place, Place::Busy) {
                let rows = if told { rows } else { Vec::new() };
                self.turns.spawn(lane.turn(rows));
            }
        }
        for row in rows.into_values().flatten() {
            self.put_off(&row, now).await;
        }
    }

    /// A notice for a receiver that is not defined waits; nothing is thrown away.
    async fn put_off(&mut self, row: &OutboxRow, now: Timestamp) {
        let receiver = &row.key.receiver;
        let sentence = format!(
            "receiver `{receiver}` is not defined (any more): define it, and what waits for it is told"
        );
        if row.attempts == 0 {
            tracing::error!(%receiver, incident = %row.key.incident, "{sentence}");
        }
        let attempt = Attempt::Refused {
            at: now,
            next: now + UNKNOWN_WAITS,
            error: sentence,
            permanent: true,
        };
        if let Err(error) = self.store.record(&row.key, &attempt).await {
            self.complain(&error);
        }
    }

    fn come_back(&mut self, lane: Box<Lane<S>>) {
        self.by_name.insert(lane.name.clone(), Place::Idle(lane));
    }

    fn complain(&mut self, error: &StoreError) {
        let sentence = error.to_string();
        if self.trouble.as_ref() != Some(&sentence) {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "the outbox cannot be read or written; it is tried again: {sentence}"
            );
            self.trouble = Some(sentence);
        }
    }

    /// When the outbox is to be looked at again at the latest.
    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let lanes = self.by_name.values().filter_map(|place| match place {
            Place::Idle(lane) => Some(lane),
            Place::Busy => None,
        });
        lanes
            .flat_map(|lane| [lane.retry_at, lane.assert_at, Some(lane.paused_until)])
            .flatten()
            .filter(|at| *at > now)
            .fold(now + SWEEP, Instant::min)
    }
}

#[cfg(test)]
mod tests;
