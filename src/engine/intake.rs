//! From what was read to slots: notes how each read ended, and hands the samples on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::labels::Labels;
use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::Batch;
use crate::series::cursor::IgnoredBirth;
use crate::series::plan::FamilyIndex;
use crate::series::seen::Sorted;
use crate::series::table::Layer;
use crate::series::trace::Trace;
use crate::store::commit::{Commit, LaneKey};

use super::pushed::Summed;
use super::reads::Wanted;
use super::state::{MeterState, State};

/// How long the starts of processes are remembered after they were read, for samples that come late.
const STARTS_KEPT: Span = Span::from_hours(1);

/// What came back for one read.
#[derive(Clone, Debug)]
pub struct Read {
    /// What was asked.
    pub wanted: Wanted,
    /// What came back.
    pub reading: Reading,
}

/// How a read ended.
#[derive(Clone, Debug)]
pub enum Reading {
    /// With all samples of the range.
    Complete(Batch),
    /// With warnings: a part may be missing. Sentences for people.
    Partial(String),
    /// Not at all. A sentence for people.
    Failed(String),
    /// Not at all, because it would have been too much at once. A sentence for people.
    TooMuch(String),
}

/// A complete answer, for all who need it.
#[derive(Debug)]
pub(super) struct Answer<'b> {
    pub(super) range: TimeRange,
    pub(super) batch: &'b Batch,
    /// By selectors, where a lane without cursors reads the family.
    pub(super) sorted: Option<Sorted<'b>>,
    /// Where the batch holds sums of the source in place of samples.
    pub(super) summed: Option<&'b Summed>,
}

/// What taking in the reads of a tick brought to light.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) ignored: Vec<(Labels, IgnoredBirth)>,
    pub(super) trace: Option<Trace>,
}

impl State {
    /// Counts everything that was read for the tick `at`. What was settled goes into `commit`.
    pub(super) fn take_in(&mut self, at: Timestamp, reads: &[Read], commit: &mut Commit) -> Taken {
        self.first_tick = self.first_tick.or(Some(at));
        let mut taken = Taken {
            trace: self.trace_of(reads),
            ..Taken::default()
        };
        let whole = self.gather(reads, commit);
        self.find_groups(&whole, commit);
        let mut complete: BTreeMap<FamilyIndex, Answer> = BTreeMap::new();
        for (family, whole) in &whole {
            let planned = &self.plan.families[*family];
            let sorter = &mut self.families[*family].sorter;
            let sort = || sorter.sort(planned, &whole.batch);
            let answer = Answer {
                range: whole.range,
                batch: &whole.batch,
                sorted: planned.is_read.then(sort),
                summed: whole.summed.as_ref(),
            };
            complete.insert(*family, answer);
        }
        let plan = Arc::clone(&self.plan);
        for (source, family) in plan.starts.iter() {
            if let Some(answer) = complete.get(family) {
                let starts = self.starts.entry(source.clone()).or_default();
                starts.note(answer.batch, answer.range);
                // What is provisional is counted once more.
                let settled_to = self.settings.settle_boundary(source, at);
                let from = settled_to - self.settings.settle_grid(source);
                starts.forget(answer.range.from.min(from) - STARTS_KEPT);
            }
        }
        for (family, answer) in &complete {
            if !self.plan.families[*family].roles.is_empty() {
                self.take_counters(*family, at, answer, &mut taken, commit);
            }
        }
        self.take_lanes(at, &complete, &mut taken, commit);
        self.open_walks(commit);
        for (family, answer) in &complete {
            // Also where it was read further before: what was provisional there went with what was settled.
            self.families[*family].head_to = Some(answer.range.to);
        }
        self.revise_queries(&whole, commit);
        taken
    }

    /// A trace of what was read, where one is kept.
    fn trace_of(&self, reads: &[Read]) -> Option<Trace> {
        self.traced?;
        let mut trace = Trace::default();
        for read in reads {
            if let Reading::Complete(batch) = &read.reading {
                let family = read.wanted.family;
                let (_, fetch, range) = self.fetch(read.wanted);
                let planned = &self.plan.families[family];
                trace.note_read((family, planned), (fetch, range), batch, Span::ZERO);
            }
        }
        Some(trace)
    }

    pub(super) fn note_source(&mut self, read: &Read) {
        let name = &self.plan.families[read.wanted.family].source;
        let Some(source) = self.sources.get_mut(name) else {
            return;
        };
        source.queries += 1;
        match &read.reading {
            Reading::Complete(batch) => {
                source.samples += u64::try_from(batch.samples().len()).unwrap_or(u64::MAX);
            }
            Reading::Partial(why) | Reading::Failed(why) | Reading::TooMuch(why) => {
                source.failures += 1;
                source.error = Some(why.clone());
            }
        }
    }

    pub(super) fn lane_key(&self, meter: usize, lane: usize) -> LaneKey {
        LaneKey {
            meter: self.meters[meter].key.clone(),
            lane: u16::try_from(lane).unwrap_or(u16::MAX),
        }
    }
}

/// Adds to a slot of a lane, for good or for the time being.
pub(super) fn put(meter: &mut MeterState, lane: u16, layer: Layer, end: Timestamp, slot: &Slot) {
    match layer {
        Layer::Settled => meter.ledger.add_settled(lane, end, slot),
        Layer::Head => meter.ledger.add_provisional(lane, end, slot),
    }
}
