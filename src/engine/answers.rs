//! From the reads of a tick to one answer for each family, and what these teach about the queries.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::measurement::Outcome;
use crate::domain::time::{Span, TimeRange};
use crate::series::batch::{Batch, Fetch, Series};
use crate::series::fetches::{Measured, division};
use crate::series::plan::FamilyIndex;
use crate::series::pushed::{Form, Raw, strung};
use crate::series::replicas::{merged, suspected};
use crate::series::table::usual_interval;
use crate::store::commit::Commit;

use super::intake::{Read, Reading};
use super::pushed::{Summed, interval};
use super::reads::Query;
use super::state::State;

/// Every so many reads it is looked at how much of an answer is wanted.
const MEASURED_EVERY: u64 = 10;

/// Every so many reads it is looked for series that come more than once.
const SUSPECTED_EVERY: u64 = 100;

/// All that was read of a family.
#[derive(Debug)]
pub(super) struct Whole<'r> {
    pub(super) range: TimeRange,
    pub(super) batch: Cow<'r, Batch>,
    /// The answers to the family's queries, one by one.
    parts: Vec<&'r Batch>,
    /// Where the batch holds sums of the source in place of samples.
    pub(super) summed: Option<Summed>,
}

impl State {
    /// Puts the answers to the queries of each family together. A family of which one query failed
    /// has failed: what the others brought might be counted as all.
    pub(super) fn gather<'r>(
        &mut self,
        reads: &'r [Read],
        commit: &mut Commit,
    ) -> BTreeMap<FamilyIndex, Whole<'r>> {
        let mut by_family: BTreeMap<FamilyIndex, Vec<&Read>> = BTreeMap::new();
        for read in reads {
            self.note_source(read);
            by_family.entry(read.wanted.family).or_default().push(read);
        }
        let mut complete = BTreeMap::new();
        for (family, reads) in by_family {
            // Without an answer about its pace a family is read as before.
            let needed = reads.iter().filter(|it| it.wanted.query != Query::Pace);
            let failure = needed.filter_map(|read| match &read.reading {
                Reading::Complete(_) => None,
                Reading::Partial(why) => Some((Outcome::Partial, why.clone())),
                Reading::Failed(why) | Reading::TooMuch(why) => {
                    Some((Outcome::Failed, why.clone()))
                }
            });
            let state = &mut self.families[family];
            state.failure = failure.max_by_key(|(outcome, _)| *outcome);
            let failed = state.failure.is_some();
            self.ease(family, &reads, commit);
            if failed {
                continue;
            }
            let state = &mut self.families[family];
            if let Some(pushed) = &state.pushed {
                complete.extend(summed(pushed.form, &reads).map(|whole| (family, whole)));
                continue;
            }
            let is_part = |read: &&&Read| matches!(read.wanted.query, Query::Part(_));
            let Some(first) = reads.iter().find(is_part) else {
                continue;
            };
            let samples = reads.iter().filter(is_part);
            let parts: Vec<&Batch> = samples.filter_map(|read| read.batch()).collect();
            let batch = match parts.as_slice() {
                [only] => Cow::Borrowed(*only),
                several => Cow::Owned(Batch::joined(several.iter().copied())),
            };
            let batch = match self.plan.families[family].ago {
                Span::ZERO => batch,
                ago => Cow::Owned(batch.into_owned().delayed(ago)),
            };
            state.interval = usual_interval(&batch).unwrap_or(state.interval);
            let batch = self.of_one_replica(family, batch);
            let whole = Whole {
                range: first.wanted.range,
                batch,
                parts,
                summed: None,
            };
            complete.insert(family, whole);
        }
        complete
    }

    /// The samples of a family as one replica shows them, where its source has several.
    fn of_one_replica<'r>(&mut self, family: FamilyIndex, batch: Cow<'r, Batch>) -> Cow<'r, Batch> {
        let planned = &self.plan.families[family];
        let state = &mut self.families[family];
        if matches!(planned.fetch, Fetch::Expression { .. }) {
            return batch;
        }
        let labels = self.settings.replica_labels(&planned.source);
        if labels.is_empty() {
            if state.reads.is_multiple_of(SUSPECTED_EVERY)
                && let Some(label) = suspected(&batch)
                && let Some(source) = self.sources.get_mut(&planned.source)
                && source.twins.replace(label).is_none()
            {
                tracing::warn!(source = %planned.source, family = planned.name(), label,
                    "series of `{}` come more than once, and differ by `{label}` alone: if these are replicas of one Prometheus, everything is counted twice; set `replicaLabels: [{label}]` for the source", planned.name());
            }
            return batch;
        }
        Cow::Owned(merged(&batch, labels, state.interval))
    }

    /// Where answers were too much: asks for less of it from the next tick on.
    fn ease(&mut self, family: FamilyIndex, reads: &[&Read], commit: &mut Commit) {
        let mut refused: BTreeSet<usize> = BTreeSet::new();
        let mut counted: BTreeMap<usize, &Batch> = BTreeMap::new();
        let mut pace = None;
        let (mut is_too_much, mut are_sums) = (false, false);
        let mut is_uncounted = false;
        for read in reads {
            match (read.wanted.query, &read.reading) {
                (Query::Pace, Reading::TooMuch(_)) => {}
                (query, Reading::TooMuch(_)) => {
                    is_too_much = true;
                    are_sums |= !matches!(query, Query::Raw(_) | Query::Earlier(_));
                    if let Query::Part(part) = query {
                        refused.insert(part);
                    }
                }
                (Query::Census(part), Reading::Complete(batch)) => {
                    counted.insert(part, batch);
                }
                (Query::Census(_), Reading::Failed(_) | Reading::Partial(_)) => is_uncounted = true,
                (Query::Pace, Reading::Complete(batch)) => pace = Some(batch),
                _ => {}
            }
        }
        // How to divide it is known only once its series could be counted: until then it is asked for again as before.
        if is_too_much && !is_uncounted {
            self.divide(family, &refused, &counted, pace, are_sums, commit);
        }
    }

    /// Decides how each family is asked for from now on.
    pub(super) fn revise_queries(
        &mut self,
        complete: &BTreeMap<FamilyIndex, Whole>,
        commit: &mut Commit,
    ) {
        for (family, whole) in complete {
            if let Some(summed) = &whole.summed {
                self.note_summed(*family, &whole.batch, summed);
                continue;
            }
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
        for (family, whole) in complete.iter().filter(|(_, whole)| whole.summed.is_none()) {
            self.note_size(*family, whole.batch.len(), commit);
        }
    }
}

/// The answers about a family that the source sums up.
fn summed<'r>(form: Form, reads: &[&'r Read]) -> Option<Whole<'r>> {
    let of = |is_it: fn(Query) -> bool| {
        let own = reads.iter().filter(move |read| is_it(read.wanted.query));
        own.filter_map(|read| Some((read.wanted.range, read.batch()?)))
    };
    let pieces = || of(|query| query == Query::Increases);
    let range = pieces().map(|(range, _)| range).reduce(TimeRange::hull)?;
    let raw = || of(|query| matches!(query, Query::Raw(_)));
    let earlier = of(|query| matches!(query, Query::Earlier(_)));
    let arrivals = Raw {
        samples: Batch::joined(raw().map(|(_, batch)| batch)),
        from: raw()
            .map(|(range, _)| range.from)
            .min()
            .unwrap_or(range.from),
        earlier: Batch::joined(earlier.map(|(_, batch)| batch)),
    };
    let mut pace = of(|query| query == Query::Pace);
    let mut living = of(|query| query == Query::Living);
    let mut standing = of(|query| query == Query::Standing);
    Some(Whole {
        range,
        batch: Cow::Owned(strung(pieces().map(|(_, batch)| batch))),
        parts: Vec::new(),
        summed: Some(Summed {
            form,
            arrivals,
            pace: pace.next().and_then(|(_, batch)| interval(batch)),
            living: living.next_back().map(|(_, batch)| batch.clone()),
            standing: standing.next().map(|(_, batch)| batch.clone()),
        }),
    })
}

impl Read {
    pub(super) fn batch(&self) -> Option<&Batch> {
        match &self.reading {
            Reading::Complete(batch) => Some(batch),
            Reading::Partial(_) | Reading::Failed(_) | Reading::TooMuch(_) => None,
        }
    }
}
