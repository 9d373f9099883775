//! One receiver's lane: its notices one after the other, at its pace, with its own waits.

use std::sync::Arc;

use tokio::time::{Duration, Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::alerting::notifier::{Accepted, Notifier, NotifyError};
use crate::clock::Clock;
use crate::domain::time::Timestamp;
use crate::store::{Attempt, OutboxRow, Store};

use super::metrics::DeliveryMetrics;
use super::pause::{self, Jitter};

/// The wait between attempts to record what a receiver took.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

/// A receiver and how it fares. Its waits are measured on the monotonic clock, since somebody may set the other.
pub(super) struct Lane<S> {
    pub(super) store: Arc<S>,
    pub(super) clock: Clock,
    pub(super) metrics: DeliveryMetrics,
    pub(super) stop: CancellationToken,
    /// Cancelled when the receivers are others now: the turn ends between two notices.
    pub(super) superseded: CancellationToken,
    pub(super) jitter: Jitter,
    pub(super) notifier: Arc<dyn Notifier>,
    pub(super) name: String,
    /// Not to be called before, for its pace.
    pub(super) free_at: Instant,
    /// Not to be called before, since it failed or asked for it.
    pub(super) paused_until: Instant,
    /// When the first of the notices that it refused is due again.
    pub(super) retry_at: Option<Instant>,
    /// When it is to be told again what it was told, if ever.
    pub(super) assert_at: Option<Instant>,
    /// Failures in a row.
    pub(super) failures: u32,
    /// What is wrong with it, so that it is logged once.
    pub(super) trouble: Option<String>,
}

/// How a notice left the lane.
enum Outcome {
    /// Told, or put off by itself: the next one may follow.
    Next,
    /// The receiver is not to be called now.
    Pause,
}

impl<S: Store> Lane<S> {
    /// Tells `rows`, each the oldest of its incident, and what is to be told again.
    pub(super) async fn turn(mut self: Box<Self>, mut rows: Vec<OutboxRow>) -> Box<Self> {
        self.retry_at = None;
        rows.sort_by(|a, b| (a.notice.at, &a.key).cmp(&(b.notice.at, &b.key)));
        for row in rows {
            let paused = matches!(self.tell(row).await, Outcome::Pause);
            if paused || self.stop.is_cancelled() || self.superseded.is_cancelled() {
                break;
            }
        }
        if self.assert_at.is_some_and(|at| at <= Instant::now()) && !self.stop.is_cancelled() {
            self.tell_again().await;
        }
        self
    }

    fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// Makes the calls of one notice that are left.
    async fn tell(&mut self, mut row: OutboxRow) -> Outcome {
        loop {
            if self
                .stop
                .run_until_cancelled(sleep_until(self.free_at))
                .await
                .is_none()
            {
                return Outcome::Pause;
            }
            let called = self.notifier.call(&row, self.now()).await;
            self.free_at = Instant::now() + self.notifier.gap().to_std();
            match called {
                Ok(accepted) => {
                    self.well();
                    if !self.accepted(&row, &accepted).await {
                        return Outcome::Pause;
                    }
                    if accepted.done {
                        return Outcome::Next;
                    }
                    row.step += 1;
                    row.attempts = 0;
                    row.memory = accepted.memory.or(row.memory);
                }
                Err(error) => return self.refused(&row, &error).await,
            }
        }
    }

    /// Whether it could be recorded that a call was taken; otherwise the daemon stops.
    async fn accepted(&mut self, row: &OutboxRow, accepted: &Accepted) -> bool {
        let at = self.now();
        self.metrics.accepted(&self.name, row, at, accepted.done);
        let attempt = Attempt::Accepted {
            at,
            memory: accepted.memory.clone(),
            done: accepted.done,
        };
        self.record(row, &attempt).await
    }

    async fn refused(&mut self, row: &OutboxRow, error: &NotifyError) -> Outcome {
        let at = self.now();
        self.metrics.refused(&self.name, error);
        let (wait, permanent) = match error {
            NotifyError::Permanent { .. } => (pause::REFUSED, true),
            NotifyError::Transient { retry_after, .. } => {
                self.failures = self.failures.max(row.attempts).saturating_add(1);
                (
                    self.jitter.after_failure(*retry_after, self.failures),
                    false,
                )
            }
        };
        let again = Instant::now() + wait.to_std();
        self.retry_at = Some(self.retry_at.map_or(again, |earlier| earlier.min(again)));
        self.ill(Some(row), error);
        let attempt = Attempt::Refused {
            at,
            next: at + wait,
            error: error.sentence().to_owned(),
            permanent,
        };
        let recorded = self.record(row, &attempt).await;
        if permanent && recorded {
            return Outcome::Next;
        }
        // Whatever else waits for this receiver would fare the same.
        self.paused_until = again;
        Outcome::Pause
    }

    /// Records until it succeeds: to send again instead would tell people twice. Ends early only for a stop.
    async fn record(&mut self, row: &OutboxRow, attempt: &Attempt) -> bool {
        let mut logged = None;
        loop {
            let Err(error) = self.store.record(&row.key, attempt).await else {
                return true;
            };
            let sentence = error.to_string();
            if logged.as_ref() != Some(&sentence) {
                tracing::error!(
                    receiver = %self.name,
                    error = &error as &dyn std::error::Error,
                    "a delivery cannot be recorded; nothing more is sent to `{}` until it can: {sentence}",
                    self.name
                );
                logged = Some(sentence);
            }
            if self
                .stop
                .run_until_cancelled(sleep(RECORD_AGAIN))
                .await
                .is_none()
            {
                return false;
            }
            if self.is_recorded(row).await {
                return true;
            }
        }
    }

    /// Whether a record that failed was made nevertheless: the row is no longer where it was.
    async fn is_recorded(&self, row: &OutboxRow) -> bool {
        let end_of_time = Timestamp::from_millis(i64::MAX);
        let Ok(waiting) = self.store.due(end_of_time).await else {
            return false;
        };
        let unchanged = |other: &OutboxRow| {
            other.key == row.key && other.step == row.step && other.attempts == row.attempts
        };
        !waiting.iter().any(unchanged)
    }

    /// Tells a receiver that forgets what it should know.
    async fn tell_again(&mut self) {
        let Some(reassertion) = self.notifier.reassertion() else {
            self.assert_at = None;
            return;
        };
        let now = self.now();
        self.assert_at = Some(Instant::now() + reassertion.every.to_std());
        let told = self
            .store
            .last_delivered(&self.name, now - reassertion.resolved_for)
            .await;
        let rows = match told {
            Ok(rows) => rows,
            Err(error) => {
                let sentence = format!("what it was told cannot be read again: {error}");
                self.ill(None, &NotifyError::transient(sentence));
                return;
            }
        };
        if rows.is_empty() {
            return;
        }
        match self.notifier.reassert(&rows, now).await {
            Ok(()) => self.well(),
            Err(error) => {
                self.metrics.refused(&self.name, &error);
                self.ill(None, &error);
            }
        }
    }

    fn well(&mut self) {
        self.failures = 0;
        if self.trouble.take().is_some() {
            tracing::info!(receiver = %self.name, "receiver `{}` takes messages again", self.name);
        }
    }

    fn ill(&mut self, row: Option<&OutboxRow>, error: &NotifyError) {
        let sentence = error.sentence();
        if self.trouble.as_deref() == Some(sentence) {
            return;
        }
        let (receiver, incident) = (&self.name, row.map(|row| row.key.incident.as_str()));
        match error {
            NotifyError::Transient { .. } => {
                tracing::warn!(%receiver, incident, "receiver `{receiver}` was not told: {sentence}");
            }
            NotifyError::Permanent { .. } => tracing::error!(
                %receiver,
                incident,
                "receiver `{receiver}` was not told, and what waits for it is kept: {sentence}"
            ),
        }
        self.trouble = Some(sentence.to_owned());
    }
}
