//! Everything as it stood at one moment, for whoever looks once and keeps nothing.

use std::sync::Arc;

use crate::domain::slo::{Catalog, SourceName};
use crate::domain::time::Timestamp;
use crate::source::Source;
use crate::status::snapshot::Backfill;
use crate::store::Store;

use super::super::settings::Settings;
use super::super::step::{Input, Tick, step};
use super::{Engine, EngineError, Parts};

/// So often in a row a source may refuse before counting all of the past is given up.
const PATIENCE: u32 = 3;

impl<S: Source, K: Store> Engine<S, K> {
    /// The same for whoever looks once, at a moment `at` that may be long ago, and keeps nothing: the past of all
    /// sources is read, as fast as it comes.
    ///
    /// # Errors
    /// When a selector cannot be matched.
    pub async fn for_once(
        at: Timestamp,
        settings: Settings,
        catalog: Arc<Catalog>,
        parts: Parts<S, K>,
    ) -> Result<Self, EngineError> {
        let settings = settings.with_past(&parts.sources);
        Self::start_before(at, settings, catalog, parts).await
    }

    /// Everything as it stood at `at`, for whoever starts with nothing: reads what a tick reads,
    /// counts all of the past, and only then judges. `progress` is told of each chunk.
    ///
    /// # Errors
    /// With a sentence, when a source refused to tell of its past several times in a row.
    pub async fn evaluate(
        &mut self,
        at: Timestamp,
        progress: impl FnMut(&SourceName, Option<Backfill>),
    ) -> Result<(), String> {
        let started = self.parts.clock.passed();
        self.fetch_missing(at).await;
        let input = Input {
            reads: self.read(at).await,
            ..Input::default()
        };
        let tick = Tick { at, judge: false };
        let effects = step(&mut self.state, tick, &input, self.revision.catalog());
        self.carry_out(effects, started).await;
        self.ask(at).await;
        self.backfill(progress).await?;
        self.tick(at).await;
        Ok(())
    }

    /// Counts all of the past, and tells `progress` of each chunk.
    ///
    /// # Errors
    /// With a sentence, when a source refused several times in a row.
    async fn backfill(
        &mut self,
        mut progress: impl FnMut(&SourceName, Option<Backfill>),
    ) -> Result<(), String> {
        while self.state.behind().next().is_some() || self.digger.is_busy() {
            self.digger
                .start(&self.state, &self.settings, &self.parts.sources);
            let Some(finished) = self.digger.wait(&self.state).await else {
                continue;
            };
            let source = finished.source.clone();
            let refused = finished.result.as_ref().err().cloned();
            if self.take_past(finished).await >= PATIENCE
                && let Some(refused) = refused
            {
                return Err(refused.sentence);
            }
            progress(&source, self.state.backfill(&source));
        }
        Ok(())
    }
}
