//! Families that the source sums up: when that is turned to, and what is asked then.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Batch, Fetch, Sample, Series};
use crate::series::fetches::{CENSUS_LABEL, Census};
use crate::series::plan::{Family, FamilyIndex};
use crate::series::pushed::{CENSUS, Form, Sums, What};
use crate::series::seen::Sorter;
use crate::series::table::SeriesTable;
use crate::status::snapshot::SummedFamily;
use crate::store::commit::Commit;

use super::intake::{Read, Reading};
use super::reads::{Query, Wanted};
use super::state::{FamilyState, State, family_key};

/// So often in a row a family must be found too large, or small again.
const PATIENCE: u32 = 2;

/// So many samples one query looks at: series times steps. A server needs a few times as many in memory, and
/// gives up at fifty million by default.
const MOST_SAMPLES: u64 = 4_000_000;

/// With more series that begin or return at once, no more of their past is read than their gap needs.
pub(super) const MANY: usize = 1_000;

/// How far back the raw samples of targets reach whose series begin or return: a gap may be as long.
pub(super) const LOOKED_BACK: Span = Span::from_hours(1);

/// So many targets are named in one query.
const TARGETS_PER_QUERY: usize = 500;

/// So many queries follow on one answer at most.
const MOST_QUERIES: usize = 64;

/// A family that the source sums up.
#[derive(Debug)]
pub(super) struct Pushed {
    pub(super) form: Form,
    pub(super) increases: Fetch,
    pub(super) arrivals: Fetch,
    pub(super) living: Fetch,
    /// What is read of the targets of series that begin or return at this tick.
    pub(super) raw: Vec<Fetch>,
    /// How many series there were when they were last counted.
    pub(super) series: u64,
    /// How many steps one query is asked for.
    steps: i64,
    /// The newest step that told of anything.
    newest: Option<Timestamp>,
    /// How often in a row it was found small.
    small: u32,
    /// The raw samples were too much, so that once they are not asked for.
    is_blind: bool,
}

/// What the source summed up of a family.
#[derive(Debug)]
pub(super) struct Summed {
    pub(super) form: Form,
    /// The raw samples of the targets whose series begin or return.
    pub(super) arrivals: Batch,
    /// How many series there are, by labels; only when a block is settled.
    pub(super) living: Option<Batch>,
}

impl Pushed {
    pub(super) fn new(family: &Family, slot: Span, interval: Span, series: u64) -> Self {
        let form = Form::of(slot, interval);
        let fetch = |what| match &family.fetch {
            Fetch::Samples(selector) => Fetch::Sums(Sums {
                selector: selector.clone(),
                form,
                what,
            }),
            other => other.clone(),
        };
        let steps = MOST_SAMPLES / series.max(1);
        Self {
            form,
            increases: fetch(What::Increases(family.told_by.clone())),
            arrivals: fetch(What::Arrivals),
            living: fetch(What::Living(family.told_by.clone())),
            raw: Vec::new(),
            series,
            steps: i64::try_from(steps).unwrap_or(i64::MAX).clamp(1, 10_000),
            newest: None,
            small: 0,
            is_blind: false,
        }
    }

    /// The queries for a range that is read.
    pub(super) fn queries(&self, wanted: Wanted, settles: bool) -> Vec<Wanted> {
        let mut queries = Vec::new();
        for range in self.pieces(wanted.range) {
            let piece = |query| Wanted {
                query,
                range,
                ..wanted
            };
            queries.extend([Query::Increases, Query::Arrivals].map(piece));
        }
        if settles {
            let query = Query::Living;
            queries.push(Wanted { query, ..wanted });
        }
        queries
    }

    /// A range in pieces that are not too much for one query.
    fn pieces(&self, range: TimeRange) -> Vec<TimeRange> {
        let length = Span::from_millis(self.form.step.as_millis() * self.steps);
        let mut pieces = Vec::new();
        let mut from = range.from;
        while from < range.to {
            let to = range.to.min(from + length);
            pieces.push(TimeRange { from, to });
            from = to;
        }
        pieces
    }

    /// After an answer that was too much: fewer steps at a time. Says whether fewer are possible.
    fn shorten(&mut self) -> bool {
        let is_possible = self.steps > 1;
        self.steps = (self.steps / 2).max(1);
        is_possible
    }

    /// How far before its first arrival the raw samples of targets are read.
    fn margin(&self, arriving: usize, first: Timestamp) -> Span {
        let usual = Span::from_millis(self.form.interval.as_millis() * 6);
        let gap = self.newest.map_or(Span::ZERO, |newest| first.since(newest));
        if arriving > MANY {
            usual + gap.max(Span::ZERO)
        } else {
            LOOKED_BACK.max(usual + gap.max(Span::ZERO))
        }
    }
}

impl State {
    /// What is to be asked because of what was answered: the raw samples of targets whose series begin or
    /// return, and how many series there are where an answer was too much. To be read before the step.
    pub fn follow_up(&mut self, reads: &[Read]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let mut arrivals: BTreeMap<FamilyIndex, Vec<(&Read, &Batch)>> = BTreeMap::new();
        for read in reads {
            match (read.wanted.query, &read.reading) {
                (Query::Arrivals, Reading::Complete(batch)) => {
                    let family = arrivals.entry(read.wanted.family).or_default();
                    family.push((read, batch));
                }
                (Query::Part(part), Reading::TooMuch(_)) => {
                    wanted.extend(self.census(read.wanted, part));
                }
                _ => {}
            }
        }
        for (family, answers) in arrivals {
            wanted.extend(self.arrivals(family, &answers));
        }
        wanted
    }

    /// What tells how a query can be divided that brings too much.
    fn census(&mut self, refused: Wanted, part: usize) -> Vec<Wanted> {
        let state = &mut self.families[refused.family];
        let query = state.fetches.query(part).cloned();
        let Some(Fetch::Samples(selector) | Fetch::Histograms { selector, .. }) = query else {
            return Vec::new();
        };
        let ask = |query| Wanted { query, ..refused };
        let mut wanted = Vec::new();
        if !state.fetches.may_be_halved(part) {
            let form = Form::of(self.settings.slot, Span::ZERO);
            let fetch = |what| {
                let selector = selector.clone();
                Fetch::Sums(Sums {
                    selector,
                    form: Form {
                        interval: Span::from_mins(2),
                        ..form
                    },
                    what,
                })
            };
            let by = vec![CENSUS_LABEL.to_owned()];
            state.census.insert(part, fetch(What::Living(by)));
            wanted.push(ask(Query::Census(part)));
            if state.interval == Span::ZERO && state.pace.is_none() {
                state.pace = Some(fetch(What::Pace));
                wanted.push(ask(Query::Pace));
            }
        }
        wanted
    }

    /// The raw samples of the targets whose series arrive in the answers.
    fn arrivals(&mut self, family: FamilyIndex, answers: &[(&Read, &Batch)]) -> Vec<Wanted> {
        let planned = &self.plan.families[family];
        let most = self.settings.sources.get(&planned.source);
        let most = most.map_or(usize::MAX, |source| source.series_per_query);
        let state = &mut self.families[family];
        let (Some(pushed), Fetch::Samples(selector)) = (&mut state.pushed, &planned.fetch) else {
            return Vec::new();
        };
        pushed.raw.clear();
        let arriving = Arriving::of(selector, answers.iter().map(|(_, batch)| *batch), most);
        let ranges = answers.iter().map(|(read, _)| read.wanted);
        let last = ranges.max_by_key(|it| it.range.to);
        let (Some(arriving), Some(last)) = (arriving, last) else {
            return Vec::new();
        };
        let margin = pushed.margin(arriving.series, arriving.first);
        let range = TimeRange {
            from: arriving.first - pushed.form.step - margin,
            to: last.range.to,
        };
        if std::mem::take(&mut pushed.is_blind) {
            tracing::warn!(source = %planned.source, family = planned.name(), series = arriving.series,
                "the targets of series of `{}` that begin or return have too many samples to be looked at; what those series add is not counted", planned.name());
            return Vec::new();
        }
        arriving.warn(planned);
        pushed.raw = arriving.fetches;
        let raw = 0..pushed.raw.len();
        let ask = |query| Wanted {
            query: Query::Raw(query),
            range,
            ..last
        };
        raw.map(ask).collect()
    }

    /// Divides the queries that were refused as too much, or leaves the family to the source to sum up.
    pub(super) fn divide(
        &mut self,
        family: FamilyIndex,
        refused: &BTreeSet<usize>,
        counted: &BTreeMap<usize, &Batch>,
        pace: Option<&Batch>,
        are_sums: bool,
        commit: &mut Commit,
    ) {
        if let Some(pushed) = &mut self.families[family].pushed {
            if !are_sums {
                pushed.is_blind = true;
            } else if pushed.shorten() {
                let planned = &self.plan.families[family];
                tracing::info!(source = %planned.source, family = planned.name(),
                    "a query for `{}` was too much; it is asked for less time at once", planned.name());
            }
            return;
        }
        let planned = &self.plan.families[family];
        let settings = self.settings.sources.get(&planned.source);
        let most = settings.map_or(usize::MAX, |source| source.series_per_query);
        let above = settings.map_or(usize::MAX, |source| source.push_down_above);
        let census: BTreeMap<usize, Census> = refused
            .iter()
            .map(|part| {
                let rows = counted.get(part).into_iter().flat_map(|it| it.series());
                let row = |series: Series| {
                    let value = series.labels.get(CENSUS_LABEL).to_owned();
                    (value, count(series.samples))
                };
                (*part, rows.map(row).collect())
            })
            .collect();
        let series: usize = census.values().flatten().map(|(_, series)| series).sum();
        let may_push_down = self.may_push_down(family);
        let state = &mut self.families[family];
        state.census.clear();
        state.pace = None;
        if let Some(interval) = pace.and_then(interval) {
            state.interval = interval;
        }
        let divided = state.fetches.divided(&census, most);
        let is_over = series > above && may_push_down;
        match divided {
            Some(fetches) if !is_over => {
                let (before, now) = (state.fetches.queries().len(), fetches.queries().len());
                tracing::info!(source = %planned.source, family = planned.name(),
                    "the answer for `{}` was too large; asks in {now} queries instead of {before} from the next tick on", planned.name());
                state.fetches = fetches;
            }
            _ => self.push_down(family, series, commit),
        }
    }

    /// From now on the source sums a family up, where it may.
    pub(super) fn push_down(&mut self, family: FamilyIndex, series: usize, commit: &mut Commit) {
        let planned = &self.plan.families[family];
        let may = self.may_push_down(family);
        let state = &mut self.families[family];
        if !may {
            return;
        }
        tracing::info!(source = %planned.source, family = planned.name(), series,
            "`{}` is too large to be fetched; from the next tick on its source sums it up", planned.name());
        let table = std::mem::take(&mut state.table);
        let series = u64::try_from(series).unwrap_or(u64::MAX);
        state.pushed = Some(Box::new(Pushed::new(
            planned,
            self.settings.slot,
            state.interval,
            series,
        )));
        state.sorter = Sorter::default();
        state.too_large = 0;
        state.fetches = planned.fetches.clone();
        if state.settled_to.is_some() {
            let mut record = state.record(planned, &[]);
            record.dropped = table.all_labels().cloned().collect();
            let kept = commit.families.entry(family_key(planned)).or_default();
            kept.merge(record);
        }
    }

    fn may_push_down(&self, family: FamilyIndex) -> bool {
        let planned = &self.plan.families[family];
        let settings = self.settings.sources.get(&planned.source);
        // Replicas can be told apart by their samples only.
        let is_allowed = settings.is_some_and(|source| {
            source.push_down_above < usize::MAX && source.replica_labels.is_empty()
        });
        is_allowed
            && planned.may_be_summed()
            && !self.plan.roll(family).is_grouped()
            && self.families[family].pushed.is_none()
    }

    /// Notes how large a family is that was fetched.
    pub(super) fn note_size(&mut self, family: FamilyIndex, series: usize, commit: &mut Commit) {
        let planned = &self.plan.families[family];
        let settings = self.settings.sources.get(&planned.source);
        let above = settings.map_or(usize::MAX, |source| source.push_down_above);
        let state = &mut self.families[family];
        state.too_large = if series > above {
            state.too_large + 1
        } else {
            0
        };
        if state.too_large >= PATIENCE {
            self.push_down(family, series, commit);
        }
    }

    /// Notes what was summed up of a family, and goes back to fetching it once it is far below the limit.
    pub(super) fn note_summed(&mut self, family: FamilyIndex, increases: &Batch, summed: &Summed) {
        let planned = &self.plan.families[family];
        let settings = self.settings.sources.get(&planned.source);
        let above = settings.map_or(usize::MAX, |source| source.push_down_above);
        let state = &mut self.families[family];
        let Some(pushed) = &mut state.pushed else {
            return;
        };
        let newest = increases.samples().iter().map(|sample| sample.at).max();
        pushed.newest = pushed.newest.max(newest);
        pushed.raw.clear();
        let Some(living) = &summed.living else { return };
        let series: usize = living.series().map(|row| count(row.samples)).sum();
        pushed.series = u64::try_from(series).unwrap_or(u64::MAX);
        // Half of what turns to sums is what turns back, or a family at the limit would change with every pod.
        pushed.small = if series <= above / 2 {
            pushed.small + 1
        } else {
            0
        };
        if pushed.small >= PATIENCE {
            tracing::info!(source = %planned.source, family = planned.name(), series,
                "`{}` is small enough again; its samples are fetched from the next tick on", planned.name());
            state.pushed = None;
            state.table = SeriesTable::default();
            (state.unprimed, state.head_to) = (true, None);
        }
    }
}

/// The series that begin or return.
#[derive(Debug)]
pub(super) struct Arriving {
    /// The raw samples of their targets.
    pub(super) fetches: Vec<Fetch>,
    /// The first step in which one does.
    pub(super) first: Timestamp,
    /// How many.
    pub(super) series: usize,
    /// Whether some are left out.
    is_cut: bool,
}

impl Arriving {
    /// By what the source said of them; `None` when there are none. A query brings about `most` series.
    pub(super) fn of<'b>(
        selector: &Selector,
        answers: impl Iterator<Item = &'b Batch>,
        most: usize,
    ) -> Option<Self> {
        let mut targets: BTreeMap<String, usize> = BTreeMap::new();
        let mut first: Option<Timestamp> = None;
        for series in answers.flat_map(Batch::series) {
            let target = series.labels.get(CENSUS_LABEL).to_owned();
            *targets.entry(target).or_default() += count(series.samples);
            let begin = series.samples.first().map(|sample| sample.at);
            first = first.into_iter().chain(begin).min();
        }
        let series = targets.values().sum();
        let mut queries: Vec<(Vec<String>, usize)> = Vec::new();
        for (target, series) in targets {
            match queries.last_mut() {
                Some((targets, arriving))
                    if targets.len() < TARGETS_PER_QUERY && *arriving + series <= most / 2 =>
                {
                    targets.push(target);
                    *arriving += series;
                }
                _ => queries.push((vec![target], series)),
            }
        }
        let is_cut = queries.len() > MOST_QUERIES;
        queries.truncate(MOST_QUERIES);
        let fetch = |(targets, _): (Vec<String>, usize)| {
            let targets: Vec<String> = targets.iter().map(|it| regex::escape(it)).collect();
            let instance = Matcher {
                label: CENSUS_LABEL.to_owned(),
                op: MatchOp::Matches,
                value: targets.join("|"),
            };
            Fetch::Samples(selector.refined([instance]))
        };
        Some(Self {
            fetches: queries.into_iter().map(fetch).collect(),
            first: first?,
            series,
            is_cut,
        })
    }

    fn warn(&self, planned: &Family) {
        if self.is_cut {
            tracing::warn!(source = %planned.source, family = planned.name(), series = self.series,
                "so many series of `{}` begin or return at once that not all of them are looked at; what the others add is not counted", planned.name());
        }
    }
}

/// How the past of a family is summed up.
#[derive(Clone, Debug)]
pub(super) struct Summing {
    pub(super) form: Form,
    increases: Fetch,
    arrivals: Fetch,
    pieces: Vec<TimeRange>,
}

impl Summing {
    /// Over `range`, for a family with about so many series.
    pub(super) fn of(
        planned: &Family,
        slot: Span,
        interval: Span,
        series: u64,
        range: TimeRange,
    ) -> Self {
        let pushed = Pushed::new(planned, slot, interval, series);
        let pieces = pushed.pieces(range);
        Self {
            form: pushed.form,
            increases: pushed.increases,
            arrivals: pushed.arrivals,
            pieces,
        }
    }

    /// What is asked: the increases of all pieces, then the arrivals of all.
    pub(super) fn reads(&self) -> impl Iterator<Item = (&Fetch, TimeRange)> {
        let asked = [&self.increases, &self.arrivals].into_iter();
        asked.flat_map(|fetch| self.pieces.iter().map(move |range| (fetch, *range)))
    }

    /// The answers to what was asked, taken off the front of `batches`.
    pub(super) fn answers<'b>(&self, batches: &mut &'b [Batch]) -> (&'b [Batch], &'b [Batch]) {
        let pieces = self.pieces.len();
        let (increases, rest) = batches.split_at(pieces.min(batches.len()));
        let (arrivals, rest) = rest.split_at(pieces.min(rest.len()));
        *batches = rest;
        (increases, arrivals)
    }
}

impl State {
    /// The families that a source sums up.
    pub(super) fn summed_families(&self, source: &SourceName) -> Vec<SummedFamily> {
        let above = self.settings.sources.get(source);
        let above = above.map_or(usize::MAX, |source| source.push_down_above);
        let families = self.plan.families.iter().zip(&self.families);
        let summed = families.filter(|(family, _)| family.source == *source);
        let summed = summed.filter_map(|(family, state)| {
            let pushed = state.pushed.as_ref()?;
            Some(SummedFamily {
                metric: family.name().to_owned(),
                series: pushed.series,
                above: u64::try_from(above).unwrap_or(u64::MAX),
            })
        });
        summed.collect()
    }
}

impl FamilyState {
    /// How many series are known.
    pub(super) fn series(&self) -> u64 {
        let known = u64::try_from(self.table.len()).unwrap_or(u64::MAX);
        self.pushed.as_ref().map_or(known, |pushed| pushed.series)
    }

    /// The fetch of one of the family's queries.
    pub(super) fn fetch(&self, query: Query) -> Option<&Fetch> {
        let pushed = self.pushed.as_deref();
        match query {
            Query::Part(part) => self.fetches.query(part),
            Query::Increases => pushed.map(|it| &it.increases),
            Query::Arrivals => pushed.map(|it| &it.arrivals),
            Query::Living => pushed.map(|it| &it.living),
            Query::Raw(raw) => pushed.and_then(|it| it.raw.get(raw)),
            Query::Census(part) => self.census.get(&part),
            Query::Pace => self.pace.as_ref(),
        }
    }
}

/// The largest number that a row tells.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of series are small and not negative"
)]
pub(super) fn count(samples: &[Sample]) -> usize {
    let counts = samples.iter().map(|sample| sample.value as usize);
    counts.max().unwrap_or_default()
}

/// The usual distance of samples by how many there are.
fn interval(pace: &Batch) -> Option<Span> {
    let samples = pace.samples().last()?.value;
    let millis = CENSUS.as_secs_f64() * 1_000.0 / samples;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is below the census' time"
    )]
    (samples >= 1.0).then(|| Span::from_millis((millis.round() as i64).max(1_000)))
}
