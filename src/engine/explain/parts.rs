//! What was counted, selector by selector, from the trace of the counting.

use std::collections::BTreeMap;

use crate::domain::group::Group;
use crate::domain::indicator::{Events, Indicator, Split};
use crate::domain::labels::Labels;
use crate::domain::selector::Matcher;
use crate::domain::slices::Judge as Defined;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Fetch, Sample};
use crate::series::cursor::Increase;
use crate::series::gaps::shares;
use crate::series::plan::{
    Family, FamilyIndex, Judge, Lane, Plan, Read, Role, SelectorPosition, TermRead, Towards,
};
use crate::series::trace::{Trace, TracedSeries};
use crate::source::Source;
use crate::source::question::Question;
use crate::status::explanation::{
    AskedRead, CountedSeries, Evaluation, Note, NoteKind, Part, Query,
};
use crate::status::names::Role as RoleName;

/// One instance of the only objective of a plan, in one window.
pub(super) struct Shown<'a, S> {
    pub(super) plan: &'a Plan,
    pub(super) trace: &'a Trace,
    pub(super) range: TimeRange,
    /// The instance; empty for the whole.
    pub(super) group: &'a Group,
    pub(super) source: Option<&'a S>,
}

impl<S: Source> Shown<'_, S> {
    /// The parts of the objective, in the order of its lanes; and what of its gaps lies outside of
    /// the window.
    pub(super) fn parts(&self, slot: Span) -> (Vec<Part>, Counts) {
        let Some(meter) = self.plan.meters.first() else {
            return (Vec::new(), Counts::default());
        };
        let mut parts = Vec::new();
        let mut outside = Counts::default();
        for (number, lane) in (0..).zip(meter.lanes.iter()) {
            match lane {
                Lane::Counters { family, .. } => {
                    let own = |role: &&Role| role.slo == meter.of && role.lane == number;
                    let roles = self.plan.families[*family].roles.iter();
                    let roles: Vec<&Role> = roles.filter(own).collect();
                    for role in &roles {
                        let events = meter.slo.indicator.events();
                        let by_both = matches!(events, Some(Events::GoodAndBad { .. }));
                        let name = name_of(by_both, role.towards, role.weight);
                        let weight = Some(role.weight);
                        parts.push(self.selected(name, weight, *family, role.selector));
                    }
                    outside = outside.plus(self.outside(*family, &roles, slot));
                }
                Lane::Slices(slices) => {
                    let reads = judged_by(&meter.slo.indicator, &slices.judge);
                    parts.extend(reads.into_iter().map(
                        |(name, family, selector)| match selector {
                            Some(selector) => self.selected(name, None, family, selector),
                            None => self.expression(name, family),
                        },
                    ));
                }
                Lane::Points { total, part, .. } => {
                    parts.push(self.expression(RoleName::Total, *total));
                    let name = match part {
                        Split::Bad(_) => RoleName::Bad,
                        Split::Good(_) => RoleName::Good,
                    };
                    parts.push(self.expression(name, *part.counted()));
                }
            }
        }
        (parts, outside)
    }

    /// Everything that was asked, by family and time.
    pub(super) fn reads(&self) -> Vec<AskedRead> {
        let asked = self.trace.reads.iter().map(|read| AskedRead {
            query: query(self.source, &read.fetch, read.range),
            family: self.plan.families[read.family].name().to_owned(),
            range: read.range,
            series: read.series,
            samples: read.samples,
        });
        asked.collect()
    }

    /// Whether a series is one of the instance.
    fn is_own(&self, labels: &Labels) -> bool {
        let mut group = self.group.iter();
        group.all(|(name, value)| labels.get(name) == value)
    }

    fn selected(
        &self,
        role: RoleName,
        weight: Option<Counts>,
        index: FamilyIndex,
        position: SelectorPosition,
    ) -> Part {
        let family = &self.plan.families[index];
        let Some(selector) = family.selectors.selector(position) else {
            return self.expression(role, index);
        };
        let is_its = |labels: &Labels| family.selectors.matching(labels).contains(&position);
        let own = self.group.iter();
        let own = own.map(|(name, value)| Matcher::equal(name, value));
        let selected = Fetch::Samples(selector.refined(own));
        // The counters of native histograms are made of them here; they are asked for as a whole.
        let fetch = if family.is_interpolated() {
            &family.fetch
        } else {
            &selected
        };
        self.part(
            (role, weight),
            selected.text(),
            (family, fetch),
            self.series_of(index, is_its),
        )
    }

    fn expression(&self, role: RoleName, index: FamilyIndex) -> Part {
        let family = &self.plan.families[index];
        self.part(
            (role, None),
            family.name().to_owned(),
            (family, &family.fetch),
            self.series_of(index, |_| true),
        )
    }

    fn series_of(
        &self,
        index: FamilyIndex,
        is_its: impl Fn(&Labels) -> bool,
    ) -> Vec<(&Labels, &TracedSeries)> {
        let own = self.trace.series.iter();
        own.filter(|((family, labels), _)| {
            *family == index && self.is_own(labels) && is_its(labels)
        })
        .map(|((_, labels), traced)| (labels, traced))
        .collect()
    }

    fn part(
        &self,
        (role, weight): (RoleName, Option<Counts>),
        selector: String,
        (family, fetch): (&Family, &Fetch),
        series: Vec<(&Labels, &TracedSeries)>,
    ) -> Part {
        // What stands for an earlier period was read there.
        let own = family.asked(self.range);
        let from = match fetch {
            Fetch::Samples(_) | Fetch::Histograms { .. } => listed_from(own, &series),
            Fetch::Expression { .. } | Fetch::Sums(_) => own.from,
        };
        let fits = match fetch {
            Fetch::Samples(_) => true,
            // These bring the other groups, too.
            Fetch::Histograms { .. } | Fetch::Sums(_) => self.group.is_empty(),
            Fetch::Expression { step, .. } => {
                let points = own.length().as_millis() / step.as_millis();
                self.group.is_empty() && points <= MOST_POINTS
            }
        };
        let listed = TimeRange { from, to: own.to };
        let counted = series
            .into_iter()
            .map(|(labels, traced)| self.counted(labels, traced, listed));
        Part {
            role,
            weight,
            selector,
            query: query(self.source, fetch, listed).filter(|_| fits),
            series: counted.filter(|it| !it.samples.is_empty()).collect(),
        }
    }

    fn counted(&self, labels: &Labels, traced: &TracedSeries, listed: TimeRange) -> CountedSeries {
        let samples = traced.samples.iter();
        let samples = samples.filter(|sample| listed.contains(sample.at));
        let is_within = |it: &&Increase| self.range.contains(it.to);
        let increases: Vec<&Increase> = traced.increases.iter().filter(is_within).collect();
        let ignored = traced.ignored.iter();
        let ignored = ignored.filter(|birth| self.range.contains(birth.at));
        let mut notes: Vec<Note> = increases
            .iter()
            .filter_map(|increase| notes(increase, &traced.samples))
            .chain(ignored.map(|birth| Note {
                from: birth.at,
                to: birth.at,
                before: None,
                after: birth.value,
                events: 0.0,
                gap: false,
                kind: NoteKind::Ignored(birth.evidence),
            }))
            .collect();
        notes.sort_by_key(|note| note.to);
        CountedSeries {
            labels: labels.clone(),
            samples: samples.map(|sample| (sample.at, sample.value)).collect(),
            events: increases.iter().map(|increase| increase.events).sum(),
            notes,
        }
    }

    /// What of the gaps at the window's edges lies outside of it: they are spread over all of
    /// their slots, all series of a lane together.
    fn outside(&self, family: FamilyIndex, roles: &[&Role], slot: Span) -> Counts {
        let mut gaps: BTreeMap<(Timestamp, Timestamp), Counts> = BTreeMap::new();
        let selectors = &self.plan.families[family].selectors;
        for (labels, traced) in self.series_of(family, |_| true) {
            let matching = selectors.matching(labels);
            let own = roles.iter().filter(|it| matching.contains(&it.selector));
            let weight = own.fold(Counts::default(), |sum, role| sum.plus(role.weight));
            let is_cut =
                |it: &&Increase| it.gap && self.range.contains(it.to) && it.from < self.range.from;
            for increase in traced.increases.iter().filter(is_cut) {
                let counts = gaps.entry((increase.from, increase.to)).or_default();
                *counts = counts.plus(weight.times(increase.events));
            }
        }
        let mut outside = Counts::default();
        for ((from, to), counts) in gaps {
            for (end, share) in shares(from, to, counts, slot) {
                if !self.range.contains(end) {
                    outside = outside.plus(share);
                }
            }
        }
        outside
    }
}

const fn name_of(by_both: bool, towards: Towards, weight: Counts) -> RoleName {
    match towards {
        Towards::Total if by_both => RoleName::Good,
        Towards::Total => RoleName::Total,
        Towards::Part if weight.bad < 0.0 => RoleName::Good,
        Towards::Part => RoleName::Bad,
    }
}

/// What slices are judged by: what it stands for, and where it is read.
fn judged_by(
    indicator: &Indicator,
    judge: &Judge,
) -> Vec<(RoleName, FamilyIndex, Option<SelectorPosition>)> {
    let series = |name, read: &Read| (name, read.family, Some(read.selector));
    let is_quantile = matches!(
        indicator,
        Indicator::Slices(sliced) if matches!(sliced.judge, Defined::Quantile { .. })
    );
    match judge {
        Judge::Rate { total, .. } => vec![series(RoleName::Total, total)],
        Judge::Drop { total, past, .. } => {
            let past = past.iter().map(|read| series(RoleName::Past, read));
            std::iter::once(series(RoleName::Total, total))
                .chain(past)
                .collect()
        }
        Judge::Events { terms, .. } => {
            let by_both = matches!(indicator.events(), Some(Events::GoodAndBad { .. }));
            let name = |term: &TermRead| name_of(by_both, term.towards, term.weight);
            let parts = terms.iter().map(|term| series(name(term), &term.read));
            parts.collect()
        }
        Judge::Probe { probers, .. } => vec![series(RoleName::Probe, probers)],
        Judge::Share { used, limit, .. } => vec![
            series(RoleName::Used, &used.read),
            series(RoleName::Limit, &limit.read),
        ],
        Judge::Level { gauge, .. } if is_quantile => {
            vec![series(RoleName::Quantile, &gauge.read)]
        }
        Judge::Level { gauge, .. } => vec![series(RoleName::Gauge, &gauge.read)],
        Judge::Age { gauge, .. } => vec![series(RoleName::Timestamp, &gauge.read)],
        Judge::Value { family, .. } => vec![(RoleName::Value, *family, None)],
        Judge::Ratio { family } => vec![(RoleName::Ratio, *family, None)],
    }
}

fn query<S: Source>(source: Option<&S>, fetch: &Fetch, range: TimeRange) -> Option<Query> {
    Some(match source?.question(fetch, range)? {
        Question::Instant { query, at } => Query {
            text: query,
            at: Evaluation::Once(at),
        },
        Question::Range {
            query,
            start,
            end,
            step,
        } => Query {
            text: query,
            at: Evaluation::Range(start, end, step),
        },
    })
}

/// Prometheus gives so many points of a series at once.
const MOST_POINTS: i64 = 11_000;

/// From where on samples are listed: just before the last one of each series that lies before
/// the window, for there the first increases begin.
fn listed_from(window: TimeRange, series: &[(&Labels, &TracedSeries)]) -> Timestamp {
    let base = |traced: &TracedSeries| {
        let before = traced
            .samples
            .partition_point(|sample| sample.at <= window.from);
        let last = traced.samples.get(before.checked_sub(1)?)?;
        // Where nothing follows within the window, nothing begins there.
        let follows = traced.samples.get(before)?.at <= window.to;
        follows.then_some(last.at - Span::from_millis(1))
    };
    let bases = series.iter().filter_map(|(_, traced)| base(traced));
    bases.min().unwrap_or(window.from)
}

/// What is to be told of an increase; nothing of most.
fn notes(increase: &Increase, samples: &[Sample]) -> Option<Note> {
    let kind = match increase {
        Increase {
            evidence: Some(evidence),
            ..
        } => NoteKind::Counted(*evidence),
        Increase { reset: true, .. } => NoteKind::Reset,
        Increase { gap: true, .. } => NoteKind::Gap,
        _ => return None,
    };
    let value = |at: Timestamp| {
        let found = samples.binary_search_by_key(&at, |sample| sample.at).ok()?;
        samples.get(found).map(|sample| sample.value)
    };
    let after = value(increase.to).unwrap_or(increase.events);
    let before = match increase.evidence {
        Some(_) => Some(after - increase.events),
        None => value(increase.from),
    };
    Some(Note {
        from: increase.from,
        to: increase.to,
        before,
        after,
        events: increase.events,
        gap: increase.gap,
        kind,
    })
}
