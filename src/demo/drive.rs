//! Drives the demo's clock: every step the pages are scraped, every tick the daemon's own engine runs, and only then does
//! the clock move on. A slow machine makes the demo slower, and changes nothing else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Hand;
use crate::domain::time::{Span, Timestamp};
use crate::engine::shell::Engine;
use crate::status::board::Board;
use crate::store::Store as _;
use crate::store::memory::MemoryStore;

use super::catalog::{SCRAPE, TICK};
use super::gameday::GameDay;
use super::samples::Samples;

/// How long a tick's messages may take until the clock moves on all the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// Until when an incident of the past is followed tick by tick.
const FOLLOWED: Span = Span::from_days(2);

/// Whoever moves the clock.
#[derive(Debug)]
pub struct Driver {
    pub(super) hand: Hand,
    pub(super) engine: Engine<Samples, MemoryStore>,
    pub(super) samples: Arc<Samples>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) board: Arc<Board>,
    pub(super) wake: Arc<Notify>,
    pub(super) gameday: Arc<GameDay>,
    /// Where the history begins.
    pub(super) from: Timestamp,
}

impl Driver {
    /// Where the history ends and the live part begins.
    pub fn handover(&self) -> Timestamp {
        self.samples.handover
    }

    /// Plays the whole window up to the handover with the same engine: hour by hour where nothing happens, tick by tick
    /// where something does. `progress` is told how much of it (0..1) is done.
    ///
    /// What lies between two ticks is counted all the same, as after any stop; only nobody judges it.
    ///
    /// # Errors
    /// Whatever `progress` fails with.
    pub async fn history(
        &mut self,
        mut progress: impl FnMut(f64) -> io::Result<()>,
    ) -> io::Result<()> {
        let handover = self.samples.handover;
        let whole = handover.since(self.from).as_secs_f64();
        let mut past: Vec<_> = self
            .samples
            .world
            .faults()
            .iter()
            .filter(|fault| fault.id == 0 && fault.from > self.from)
            .copied()
            .collect();
        past.sort_by_key(|fault| fault.from);
        let mut at = self.from;
        self.tick(at).await;
        for fault in past {
            while at + Span::from_hours(12) < fault.from {
                at = at + Span::from_hours(12);
                self.tick(at).await;
                progress(at.since(self.from).as_secs_f64() / whole)?;
            }
            at = fault.from.ceil_to(TICK);
            while at < (fault.to + FOLLOWED).min(handover) {
                self.tick(at).await;
                if at > fault.to && !self.is_anything_open() {
                    break;
                }
                at = at + TICK;
            }
            progress(at.since(self.from).as_secs_f64() / whole)?;
        }
        while at < handover {
            at = (at + Span::from_hours(12)).min(handover);
            self.tick(at).await;
            progress(at.since(self.from).as_secs_f64() / whole)?;
        }
        Ok(())
    }

    /// Runs until `stop`, or until the demo's clock shows `until`; says what it showed last.
    pub async fn live(&mut self, until: Option<Timestamp>, stop: &CancellationToken) -> Timestamp {
        let step = self.gameday.pace().waited(SCRAPE);
        let mut at = self.samples.handover;
        let mut next = Instant::now();
        while until.is_none_or(|until| at < until) {
            next = (next + step).max(Instant::now());
            if stop.run_until_cancelled(sleep_until(next)).await.is_none() {
                break;
            }
            at = at + SCRAPE;
            self.hand.move_to(at.to_jiff());
            self.samples.live.scrape(at).await;
            if at.floor_to(TICK) == at {
                self.tick(at).await;
                self.gameday.observe(&self.board.read().snapshot);
            }
        }
        at
    }

    async fn tick(&mut self, at: Timestamp) {
        self.hand.move_to(at.to_jiff());
        self.engine.tick(at).await;
        self.wake.notify_one();
        let delivered = async {
            while let Ok(backlog) = self.store.backlog().await {
                if backlog.iter().all(|receiver| receiver.waiting == 0) {
                    return;
                }
                sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, delivered).await.is_err() {
            tracing::warn!(tick = %at, "the messages of tick {at} were not delivered in time");
        }
    }

    fn is_anything_open(&self) -> bool {
        let snapshot = self.board.read().snapshot;
        snapshot
            .incidents
            .iter()
            .any(|incident| incident.closed.is_none())
    }
}
