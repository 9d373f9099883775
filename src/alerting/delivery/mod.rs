//! The delivery loop: takes what is due from the outbox and tells it, each receiver on its own and in order.
//!
//! The store hands out the oldest undelivered notice of each incident and receiver, and each call that a receiver
//! takes is recorded before the next one is made. A crash between the two repeats one call and loses none.

mod lane;
mod metrics;
mod pause;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
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
        let (_, never) = watch::channel(Notifiers::default());
        self.run_following(never, stop).await
    }

    /// As [`run`](Self::run), and goes over to receivers that are handed on, the newest of them. Who
    /// stays the same goes on as before; what waits for somebody who is gone goes on waiting.
    ///
    /// # Errors
    ///
    /// Only when a delivery panicked.
    pub async fn run_following(
        self,
        mut news: watch::Receiver<Notifiers>,
        stop: CancellationToken,
    ) -> Result<(), DeliveryError> {
        let mut lanes = Lanes::new(self, stop.clone());
        loop {
            lanes.start_what_is_due().await;
            let next = lanes.next_wake();
            let wait = async {
                tokio::select! {
                    () = lanes.wake.notified() => Event::Wake,
                    () = sleep_until(next) => Event::Wake,
                    () = changed(&mut news) => Event::News,
                    Some(finished) = lanes.turns.join_next() => Event::Back(finished),
                }
            };
            match stop.run_until_cancelled(wait).await {
                None => break,
                Some(Event::Wake) => {}
                Some(Event::News) => lanes.go_over(news.borrow_and_update().clone()),
                Some(Event::Back(finished)) => {
                    lanes.come_back(finished.map_err(DeliveryError::Broken)?);
                }
            }
        }
        while let Some(finished) = lanes.turns.join_next().await {
            finished.map_err(DeliveryError::Broken)?;
        }
        Ok(())
    }
}

/// What the loop waits for.
enum Event<S> {
    /// Something may be due.
    Wake,
    /// There are other receivers.
    News,
    /// A turn has ended.
    Back(Result<Box<Lane<S>>, JoinError>),
}

/// Waits for other receivers; for ever when nobody can hand them on any more.
async fn changed(news: &mut watch::Receiver<Notifiers>) {
    if news.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A receiver's lane, or the mark that it is under way.
enum Place<S> {
    Idle(Box<Lane<S>>),
    /// The token tells its turn that somebody else takes over after the call in flight.
    Busy(CancellationToken),
}

/// All lanes, and the turns that are under way.
struct Lanes<S> {
    by_name: BTreeMap<String, Place<S>>,
    notifiers: Notifiers,
    store: Arc<S>,
    clock: Clock,
    wake: Arc<Notify>,
    metrics: DeliveryMetrics,
    jitter: Jitter,
    stop: CancellationToken,
    turns: JoinSet<Box<Lane<S>>>,
    /// What is wrong with the outbox, so that it is logged once.
    trouble: Option<String>,
    /// Whether the outbox was not looked at yet. Who restarts the daemon or changes its receivers may have mended
    /// what was refused: then everything that waits is due.
    fresh: bool,
}

impl<S: Store> Lanes<S> {
    fn new(delivery: Delivery<S>, stop: CancellationToken) -> Self {
        let mut lanes = Self {
            by_name: BTreeMap::new(),
            notifiers: Notifiers::default(),
            store: delivery.store,
            clock: delivery.clock,
            wake: delivery.wake,
            metrics: delivery.metrics,
            jitter: Jitter::new(delivery.seed),
            stop,
            turns: JoinSet::new(),
            trouble: None,
            fresh: true,
        };
        lanes.go_over(delivery.notifiers);
        lanes
    }

    /// Goes over to other receivers. A receiver is never called by two lanes: one that changed while it is called
    /// gets its new lane when the old one has come back.
    fn go_over(&mut self, notifiers: Notifiers) {
        self.notifiers = notifiers;
        self.fresh = true;
        let is_same = |lane: &Lane<S>| self.notifiers.is(&lane.name, &lane.notifier);
        let mut kept = BTreeMap::new();
        for (name, place) in std::mem::take(&mut self.by_name) {
            match &place {
                Place::Idle(lane) if !is_same(lane) => continue,
                Place::Busy(superseded) => superseded.cancel(),
                Place::Idle(_) => {}
            }
            kept.insert(name, place);
        }
        self.by_name = kept;
        let names: Vec<String> = self.notifiers.names().map(str::to_owned).collect();
        for name in names {
            if !self.by_name.contains_key(&name) {
                self.open(name);
            }
        }
    }

    /// Gives a receiver a lane.
    fn open(&mut self, name: String) {
        let Some(notifier) = self.notifiers.get(&name) else {
            return;
        };
        let start = Instant::now();
        let lane = Lane {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
            stop: self.stop.clone(),
            superseded: CancellationToken::new(),
            jitter: Jitter::new(self.jitter.next()),
            assert_at: notifier.reassertion().map(|_| start),
            notifier,
            name: name.clone(),
            free_at: start,
            paused_until: start,
            retry_at: None,
            failures: 0,
            trouble: None,
        };
        self.by_name.insert(name, Place::Idle(Box::new(lane)));
    }

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
            let busy = Place::Busy(lane.superseded.clone());
            if let Place::Idle(lane) = std::mem::replace(place, busy) {
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

    /// A lane whose receiver has changed or gone in the meantime has come back for the last time.
    fn come_back(&mut self, mut lane: Box<Lane<S>>) {
        let name = lane.name.clone();
        if self.notifiers.is(&name, &lane.notifier) {
            lane.superseded = CancellationToken::new();
            self.by_name.insert(name, Place::Idle(lane));
        } else {
            self.by_name.remove(&name);
            self.open(name);
        }
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
            Place::Busy(_) => None,
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
