//! From the reads of a tick to one answer for each family, and what these teach about the queries.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::measurement::Outcome;
use crate::domain::time::{Span, TimeRange};
use crate::series::batch::{Batch, Series};
use crate::series::fetches::{Measured, division};
use crate::series::plan::FamilyIndex;
use crate::series::table::usual_interval;

use super::intake::{Read, Reading};
use super::state::State;

/// Every so many reads it is looked at how much of an answer is wanted.
const MEASURED_EVERY: u64 = 10;

/// All that was read of a family.
#[derive(Debug)]
pub(super) struct Whole<'r> {
    pub(super) range: TimeRange,
    pub(super) batch: Cow<'r, Batch>,
    /// The answers to the family's queries, one by one.
    parts: Vec<&'r Batch>,
}

impl State {
    /// Puts the answers to the queries of each family together. A family of which one query failed
    /// has failed: what the others brought might be counted as all.
    pub(super) fn gather<'r>(&mut self, reads: &'r [Read]) -> BTreeMap<FamilyIndex, Whole<'r>> {
        let mut by_family: BTreeMap<FamilyIndex, Vec<&Read>> = BTreeMap::new();
        for read in reads {
            self.note_source(read);
            by_family.entry(read.wanted.family).or_default().push(read);
        }
        let mut complete = BTreeMap::new();
        for (family, reads) in by_family {
            let failure = reads.iter().filter_map(|read| match &read.reading {
                Reading::Complete(_) => None,
                Reading::Partial(why) => Some((Outcome::Partial, why.clone())),
                Reading::Failed(why) => Some((Outcome::Failed, why.clone())),
            });
            let state = &mut self.families[family];
            state.failure = failure.max_by_key(|(outcome, _)| *outcome);
            let parts: Vec<&Batch> = reads.iter().filter_map(|read| read.batch()).collect();
            let (Some(first), None) = (reads.first(), &state.failure) else {
                continue;
            };
            let batch = match parts.as_slice() {
                [only] => Cow::Borrowed(*only),
                several => Cow::Owned(Batch::joined(several.iter().copied())),
            };
            let batch = match self.plan.families[family].ago {
                Span::ZERO => batch,
                ago => Cow::Owned(batch.into_owned().delayed(ago)),
            };
            state.interval = usual_interval(&batch).unwrap_or(state.interval);
            let whole = Whole {
                range: first.wanted.range,
                batch,
                parts,
            };
            complete.insert(family, whole);
        }
        complete
    }

    /// Decides how each family is asked for from now on.
    pub(super) fn revise_queries(&mut self, complete: &BTreeMap<FamilyIndex, Whole>) {
        for (family, whole) in complete {
            let planned = &self.plan.families[*family];
            let source = self.settings.sources.get(&planned.source);
            let most = source.map_or(usize::MAX, |source| source.series_per_query);
            let state = &mut self.families[*family];
            let is_looked_at = state.reads.is_multiple_of(MEASURED_EVERY);
            state.reads += 1;
            let wants = |series: &Series| state.table.wants(series) || state.sorter.wants(series);
            let measure = |batch: &&Batch| Measured {
                fetched: batch.len(),
                wanted: is_looked_at.then(|| batch.series().filter(wants).count()),
                division: (batch.len() > most).then(|| division(batch)).flatten(),
            };
            let measured: Vec<Measured> = whole.parts.iter().map(measure).collect();
            let Some(fetches) = state.fetches.revised(&measured, most) else {
                continue;
            };
            let (before, now) = (state.fetches.queries().len(), fetches.queries().len());
            if before != now {
                tracing::info!(source = %planned.source, family = planned.name(),
                    "asks for `{}` in {now} queries instead of {before} from the next tick on", planned.name());
            }
            state.fetches = fetches;
        }
    }
}

impl Read {
    fn batch(&self) -> Option<&Batch> {
        match &self.reading {
            Reading::Complete(batch) => Some(batch),
            Reading::Partial(_) | Reading::Failed(_) => None,
        }
    }
}
