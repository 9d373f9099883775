//! What comes of a step: committed, then shown, then told.

use std::time::Duration;

use crate::domain::time::Span;
use crate::source::Source;
use crate::store::Store;
use crate::store::commit::Commit;

use super::super::digger::{Again, Finished};
use super::super::journal;
use super::super::step::{Effects, take_past};
use super::Engine;

impl<S: Source, K: Store> Engine<S, K> {
    /// Takes in a chunk of the past. Says how often in a row the source refused.
    pub(super) async fn take_past(&mut self, finished: Finished) -> u32 {
        let source = finished.source;
        match finished.result {
            Err(refused) => {
                let again = if refused.too_much && self.state.shorten(&finished.key) {
                    Again::Shorter
                } else if self.state.is_failing(&source) {
                    Again::LaterSilently
                } else {
                    Again::Later
                };
                self.digger.pause(&source, &refused, again)
            }
            Ok(dug) => {
                let effects = take_past(&mut self.state, dug);
                let started = self.parts.clock.passed();
                self.carry_out(effects, started).await;
                self.digger.rest(&self.settings, &source);
                let backfill = self.state.backfill(&source);
                self.journal.backfill(&source, backfill, started);
                0
            }
        }
    }

    /// Commits, then shows, then wakes: nobody is told what could still be lost.
    pub(super) async fn carry_out(&mut self, mut effects: Effects, started: Duration) {
        for (labels, birth) in &effects.ignored_births {
            tracing::info!(%labels, value = birth.value, at = %birth.at,
                "the first value of a new series was not counted: nothing shows when its events happened");
        }
        for incident in effects.commit.incidents.values() {
            journal::incident(incident);
        }
        if let Some(snapshot) = &mut effects.snapshot {
            self.clocks().show(&self.settings, &self.lags, snapshot);
            self.journal.sources(&snapshot.sources);
            self.journal.clocks(&snapshot.sources);
        }
        self.pending.merge(effects.commit);
        if !self.pending.is_empty() {
            self.commit().await;
        }
        if let Some(mut snapshot) = effects.snapshot {
            self.status.ticks += 1;
            self.status.births_ignored = snapshot.engine.births_ignored;
            self.status.last_tick = Span::from(self.parts.clock.passed().saturating_sub(started));
            snapshot.engine = self.status.clone();
            self.parts.board.publish(snapshot);
        }
        self.parts.wake.notify_one();
    }

    async fn commit(&mut self) {
        match self.parts.store.commit(&self.pending).await {
            Ok(()) => {
                self.pending = Commit::default();
                if self.status.store_error.take().is_some() {
                    tracing::info!("the store takes commits again; nothing was lost");
                }
            }
            Err(error) => {
                let sentence = error.to_string();
                if self.status.store_error.as_ref() != Some(&sentence) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(
                        cause,
                        "{sentence}; the commit is tried again with the next tick, and alerts are told from memory meanwhile"
                    );
                }
                self.status.store_error = Some(sentence);
            }
        }
    }
}
