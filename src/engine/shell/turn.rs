//! One tick: what is read for it, in as many passes as it takes, and the judgement.

use crate::domain::punctuality::PassedOver;
use crate::domain::time::Timestamp;
use crate::source::Source;
use crate::store::Store;

use super::super::intake::{Read, Reading};
use super::super::passes::Passes;
use super::super::reading;
use super::super::reads::Wanted;
use super::super::step::{Input, Tick, step};
use super::Engine;

/// The past of so many objectives is fetched from the store before one tick.
const FETCHED: usize = 500;

impl<S: Source, K: Store> Engine<S, K> {
    /// Runs one tick: as many passes as it takes to catch up, then the judgement.
    pub async fn tick(&mut self, at: Timestamp) {
        let started = self.parts.clock.passed();
        self.go_over();
        self.fetch_missing(at).await;
        self.state.leap(at);
        let mut passes = Passes::default();
        loop {
            let reads = self.read(at).await;
            let judge = !passes.go_on(&reads, at);
            tracing::debug!(tick = %at, queries = reads.len(), judge, "read the samples of tick {at}");
            let input = Input {
                reads,
                boundaries: std::mem::take(&mut self.boundaries),
                passed_over: self.passed_over,
                took: self.status.last_tick,
            };
            let effects = step(
                &mut self.state,
                Tick { at, judge },
                &input,
                self.revision.catalog(),
            );
            if judge {
                let newest = self.state.newest(&input.reads);
                self.lags.note(at, &self.settings, &newest);
            }
            self.carry_out(effects, started).await;
            if judge {
                self.passed_over = PassedOver::default();
                break;
            }
            tracing::info!(tick = %at, "catching up with samples that were missed");
        }
        self.ask(at).await;
    }

    /// Everything that is wanted, and what is wanted because of the answers.
    pub(super) async fn read(&mut self, at: Timestamp) -> Vec<Read> {
        let wanted = self.state.wanted(at);
        let mut answers = self.read_all(wanted, at).await;
        let mut reads = Vec::new();
        while !answers.is_empty() {
            let more = self.state.follow_up(&answers);
            reads.append(&mut answers);
            answers = self.read_all(more, at).await;
        }
        reads
    }

    /// Everything that is wanted; nothing of a source where the tick's time has not come yet.
    async fn read_all(&self, wanted: Vec<Wanted>, at: Timestamp) -> Vec<Read> {
        let (state, settings) = (&self.state, &self.settings);
        let mut reads = reading::all(state, settings, &self.parts.sources, wanted).await;
        let clocks = self.clocks();
        for read in reads.iter_mut().filter(|read| read.batch().is_some()) {
            let (source, ..) = state.fetch(read.wanted);
            if let Some(sentence) = clocks.outrun(settings, source, at) {
                read.reading = Reading::Failed(sentence);
            }
        }
        reads
    }

    /// Asks which boundaries a histogram has whose threshold is none of them; the next tick tells.
    pub(super) async fn ask(&mut self, at: Timestamp) {
        let told = reading::boundaries(&self.state, &self.settings, &self.parts.sources, at).await;
        self.boundaries.extend(told);
    }

    /// Fetches from the store what windows reach back to and is not held, where one was made longer.
    /// What cannot be had now is tried again with the next tick, and the past is not counted meanwhile.
    pub(super) async fn fetch_missing(&mut self, at: Timestamp) {
        let mut missing = self.state.past_missing(at).into_iter();
        for (meter, range) in missing.by_ref().take(FETCHED) {
            match self.parts.store.past(&meter, range).await {
                Ok(chunks) => self.state.take_missing(&meter, range, chunks),
                Err(error) => {
                    tracing::warn!(slo = %meter.slo, "{error}; the longer window of `{}` is filled later", meter.slo);
                    return self.state.wait_for_missing(true);
                }
            }
        }
        self.state.wait_for_missing(missing.next().is_some());
    }
}
