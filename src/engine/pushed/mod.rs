//! Families that the source sums up: what is known of one, what is asked, and when that is turned to.

mod ask;
mod decide;
mod past;

use std::collections::BTreeSet;

use crate::domain::labels::Labels;
use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Batch, Fetch, Sample};
use crate::series::plan::Family;
use crate::series::pushed::{Form, Raw, Sums, What};
use crate::status::snapshot::SummedFamily;

use super::reads::{Query, Wanted};
use super::state::{FamilyState, State};

pub(super) use ask::{Arriving, before};
pub(super) use decide::interval;
pub(super) use past::Summing;

/// So many samples one query looks at: series times steps. A server needs a few times as many in memory, and
/// gives up at fifty million by default.
const MOST_SAMPLES: u64 = 4_000_000;

/// With more series that begin or return at once, no more of their past is read than their gap needs.
pub(super) const MANY: usize = 1_000;

/// Every so many blocks it is asked how often there is a sample: somebody may have targets scraped more often.
const PACED_EVERY: u32 = 6;

/// How far back the raw samples of targets reach whose series begin or return: a gap may be as long.
pub(super) const LOOKED_BACK: Span = Span::from_hours(1);

/// A family that the source sums up.
#[derive(Debug)]
pub(super) struct Pushed {
    pub(super) form: Form,
    pub(super) increases: Fetch,
    pub(super) arrivals: Fetch,
    pub(super) living: Fetch,
    /// What tells how often there is a sample.
    pace: Fetch,
    /// How many blocks were settled since the pace was asked for.
    unpaced: u32,
    /// What is read of the targets of series that begin or return at this tick.
    pub(super) raw: Vec<Fetch>,
    /// What is asked of the time before that.
    pub(super) earlier: Vec<Fetch>,
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
    /// What was read of the targets whose series begin or return.
    pub(super) arrivals: Raw,
    /// The usual distance of samples, where that was asked for.
    pub(super) pace: Option<Span>,
    /// How many series there are, by labels; only when a block is settled.
    pub(super) living: Option<Batch>,
    /// The same of those that stood before what was read; only where none is known.
    pub(super) standing: Option<Batch>,
}

impl Summed {
    /// The rows of the series whose raw samples tell of something in `range`, with these labels.
    pub(super) fn arriving(&self, range: TimeRange, labels: &[String]) -> BTreeSet<Labels> {
        let series = self.arrivals.samples.series();
        let within = series.filter(|it| it.samples.iter().any(|it| range.contains(it.at)));
        within.map(|it| it.labels.only(labels)).collect()
    }
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
            pace: fetch(What::Pace),
            unpaced: PACED_EVERY,
            raw: Vec::new(),
            earlier: Vec::new(),
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
            queries.push(Wanted {
                query: Query::Living,
                ..wanted
            });
            if self.unpaced >= PACED_EVERY {
                queries.push(Wanted {
                    query: Query::Pace,
                    ..wanted
                });
            }
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

    /// Takes note of a block that was settled, and of the distance of samples where that was asked for: says it if
    /// it is another one now.
    fn note_pace(&mut self, pace: Option<Span>) -> Option<Span> {
        self.unpaced += 1;
        let pace = pace?;
        self.unpaced = 0;
        let apart = (pace.as_millis() - self.form.interval.as_millis()).abs();
        (apart * 4 > self.form.interval.as_millis()).then_some(pace)
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
            Query::Living | Query::Standing => pushed.map(|it| &it.living),
            Query::Raw(raw) => pushed.and_then(|it| it.raw.get(raw)),
            Query::Earlier(earlier) => pushed.and_then(|it| it.earlier.get(earlier)),
            Query::Census(part) => self.census.get(&part),
            Query::Pace => pushed.map(|it| &it.pace).or(self.pace.as_ref()),
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
