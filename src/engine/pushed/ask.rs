//! What is asked because of what was answered: where series begin or return, and how an answer can be divided that was
//! too much.

use std::collections::BTreeMap;

use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::engine::counters::SERIES_KEPT;
use crate::engine::intake::{Read, Reading};
use crate::engine::reads::{Query, Wanted};
use crate::engine::state::State;
use crate::series::batch::{Batch, Fetch};
use crate::series::fetches::CENSUS_LABEL;
use crate::series::plan::{Family, FamilyIndex};
use crate::series::pushed::{Form, Sums, What, earlier};

use super::count;

/// So many targets are named in one query.
const TARGETS_PER_QUERY: usize = 500;

/// So many queries follow on one answer at most.
const MOST_QUERIES: usize = 64;

impl State {
    /// What is to be asked because of what was answered: the raw samples of targets whose series begin or
    /// return, where those stood which these show nothing of before, and how many series there are where an
    /// answer was too much. To be read before the step, and asked again with the answers, until it is nothing.
    pub fn follow_up(&mut self, reads: &[Read]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let mut arrivals: BTreeMap<FamilyIndex, Vec<(&Read, &Batch)>> = BTreeMap::new();
        for read in reads {
            match (read.wanted.query, &read.reading) {
                (Query::Arrivals, Reading::Complete(batch)) => {
                    let family = arrivals.entry(read.wanted.family).or_default();
                    family.push((read, batch));
                }
                (Query::Raw(_), Reading::Complete(samples)) => {
                    wanted.extend(self.earlier(read.wanted, samples));
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
        pushed.earlier.clear();
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

    /// Where the series stood before that raw samples show nothing of at first.
    fn earlier(&mut self, raw: Wanted, samples: &Batch) -> Vec<Wanted> {
        let fetch = &self.plan.families[raw.family].fetch;
        let pushed = &mut self.families[raw.family].pushed;
        let (Some(pushed), Fetch::Samples(selector)) = (pushed, fetch) else {
            return Vec::new();
        };
        let begins = raw.range.from + pushed.form.valid();
        let asked = earlier(selector, samples, begins, (pushed.form, SERIES_KEPT));
        let asked = asked.into_iter().map(|sums| {
            pushed.earlier.push(Fetch::Sums(sums));
            Wanted {
                query: Query::Earlier(pushed.earlier.len() - 1),
                range: before(raw.range),
                ..raw
            }
        });
        asked.collect()
    }
}

/// The time before a range in which series are remembered.
pub(in crate::engine) fn before(range: TimeRange) -> TimeRange {
    TimeRange {
        from: range.from - SERIES_KEPT,
        to: range.from,
    }
}

/// The series that begin or return.
#[derive(Debug)]
pub(in crate::engine) struct Arriving {
    /// The raw samples of their targets.
    pub(in crate::engine) fetches: Vec<Fetch>,
    /// The first step in which one does.
    pub(in crate::engine) first: Timestamp,
    /// How many.
    pub(in crate::engine) series: usize,
    /// Whether some are left out.
    is_cut: bool,
}

impl Arriving {
    /// By what the source said of them; `None` when there are none. A query brings about `most` series.
    pub(in crate::engine) fn of<'b>(
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
