//! What is wrong with an objective, as far as the labels of its series show.

use std::collections::BTreeSet;

use crate::domain::indicator::{Events, Histogram, HistogramKind};
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::selector::{Matcher, Selector};
use crate::domain::slo::Slo;
use crate::engine::boundaries::as_written;
use crate::series::boundary::LE;
use crate::series::groups::Planned;
use crate::series::plan::Towards;
use crate::series::terms::terms;
use crate::status::names::Role;
use crate::status::survey::{Finding, Missing, Part, Several, Why};

use super::doubled::doubled;
use super::parts::{Selected, Selectors, expressions, selectors};
use super::seen::{Known, Seen};

/// Something that was found; of some of it the source may know more.
#[derive(Debug)]
pub(super) enum Found {
    /// All is known.
    Told(Finding),
    /// A selector without series: the source knows why.
    Missing {
        /// What is told of it.
        form: fn(Missing) -> Finding,
        part: Part,
        selector: Selector,
    },
    /// A histogram without any series: it may be of the other kind.
    NoHistogram,
    /// A threshold at which no bucket ends: the source knows where they end.
    NoBucket { threshold: usize },
}

/// Series of one side of an objective.
type Side<'s> = (Role, Vec<&'s Labels>);

/// Everything that is wrong with an objective.
pub(super) fn judge(planned: &Planned, seen: &Seen<'_>) -> Vec<Found> {
    let slo = &planned.slo;
    let mut found = Vec::new();
    let sides = match slo.indicator.events().and_then(Events::histogram) {
        Some(histogram) => of_histogram(slo, histogram, seen, &mut found),
        None => of_selectors(slo, seen, &mut found),
    };
    let mut sides = sides.unwrap_or_default();
    sides.extend(of_expressions(planned, seen, &mut found));
    found.extend(unlabelled(slo, &sides));
    found
}

/// The series of a selector, with the selector.
pub(super) type Looked<'s> = (Selected<'s>, Vec<&'s Labels>);

/// `None` where not all of the series were looked at.
fn of_selectors<'s>(
    slo: &'s Slo,
    seen: &'s Seen<'_>,
    found: &mut Vec<Found>,
) -> Option<Vec<Side<'s>>> {
    let look = |selected: Selected<'s>| {
        let series = seen.series(&slo.source, selected.selector, false)?;
        Some((selected, series))
    };
    let Selectors { totals, counted } = selectors(&slo.indicator);
    let totals: Vec<Looked<'_>> = totals.into_iter().map(look).collect::<Option<_>>()?;
    for (selected, _) in totals.iter().filter(|(_, series)| series.is_empty()) {
        let role = selected.part.role;
        let others = totals.iter().filter(|(it, _)| it.part.role == role);
        let is_alone = others.clone().all(|(_, series)| series.is_empty());
        let form = if is_alone {
            Finding::NoSeries
        } else {
            Finding::LessSeries
        };
        found.push(missing(form, *selected));
    }
    if totals.iter().all(|(_, series)| series.is_empty()) {
        return None;
    }
    let counted: Vec<Looked<'_>> = counted.into_iter().map(look).collect::<Option<_>>()?;
    let is_part = refines(&counted, &totals);
    let twice = match slo.indicator.events() {
        Some(Events::GoodAndBad { .. }) => doubled(&[&totals[..], &counted].concat()),
        // What refines the total has in common what that has.
        Some(Events::OfTotal { .. }) if is_part => doubled(&totals),
        Some(Events::OfTotal { .. }) => [doubled(&totals), doubled(&counted)].concat(),
        _ => Vec::new(),
    };
    found.extend(twice.into_iter().map(Found::Told));
    if is_part {
        // What refines the total is written once for all of its selectors, and lies in it.
        if let Some((first, _)) = counted.first()
            && counted.iter().all(|(_, series)| series.is_empty())
        {
            found.push(missing(form_of(first.part.role, true), *first));
        }
        return Some(sides(&totals));
    }
    let are_all_missing = counted.iter().all(|(_, series)| series.is_empty());
    for (selected, _) in counted.iter().filter(|(_, series)| series.is_empty()) {
        found.push(missing(
            form_of(selected.part.role, are_all_missing),
            *selected,
        ));
    }
    if matches!(slo.indicator.events(), Some(Events::OfTotal { .. })) {
        found.extend(counted.iter().filter_map(|it| outside(it, &totals)));
    }
    Some([sides(&totals), sides(&counted)].concat())
}

fn missing(form: fn(Missing) -> Finding, selected: Selected<'_>) -> Found {
    Found::Missing {
        form,
        part: selected.part,
        selector: selected.selector.clone(),
    }
}

/// That nothing ever failed may well be; that nothing ever succeeded is a mistake.
fn form_of(role: Role, are_all: bool) -> fn(Missing) -> Finding {
    match (role, are_all) {
        (_, false) => Finding::LessSeries,
        (Role::Bad, true) => Finding::NoneBad,
        (_, true) => Finding::NoSeries,
    }
}

/// Whether each of `counted` selects a part of what the total at its position selects.
fn refines(counted: &[Looked<'_>], totals: &[Looked<'_>]) -> bool {
    let is_part = |((part, _), (total, _)): (&Looked<'_>, &Looked<'_>)| {
        let (part, total) = (part.selector, total.selector);
        let has = |matcher| part.matchers.contains(matcher);
        part.metric == total.metric && total.matchers.iter().all(has)
    };
    counted.len() == totals.len() && counted.iter().zip(totals).all(is_part)
}

/// The series by what they stand for, as far as there are any.
fn sides<'s>(looked: &[Looked<'s>]) -> Vec<Side<'s>> {
    let mut sides: Vec<Side<'s>> = Vec::new();
    for (selected, series) in looked.iter().filter(|(_, series)| !series.is_empty()) {
        let role = selected.part.role;
        match sides.iter_mut().find(|(known, _)| *known == role) {
            Some((_, all)) => all.extend(series),
            None => sides.push((role, series.clone())),
        }
    }
    sides
}

/// The series of `counted` that belong to none of the total: of the same metric, they are none of its
/// series; of another, no series of the total is like them in the labels that both have.
fn outside((counted, series): &Looked<'_>, totals: &[Looked<'_>]) -> Option<Found> {
    let is_same = |(total, _): &&Looked<'_>| total.selector.metric == counted.selector.metric;
    let same_metric = totals.iter().any(|it| is_same(&it));
    let rivals: Vec<&Looked<'_>> = totals
        .iter()
        .filter(|it| !same_metric || is_same(it))
        .collect();
    let all = || rivals.iter().flat_map(|(_, series)| series.iter().copied());
    let common: Vec<String> = if same_metric {
        names(series.iter().copied().chain(all()))
    } else {
        let theirs: BTreeSet<String> = names(all()).into_iter().collect();
        let own = names(series.iter().copied()).into_iter();
        let is_common = |name: &String| theirs.contains(name);
        let is_chosen = |name: &String| {
            let asked = |selector: &Selector| -> Vec<Matcher> {
                let own = selector.matchers.iter().filter(|it| it.label == *name);
                own.cloned().collect()
            };
            rivals
                .iter()
                .any(|(total, _)| asked(total.selector) != asked(counted.selector))
        };
        own.filter(is_common).filter(|it| !is_chosen(it)).collect()
    };
    if common.is_empty() {
        return None;
    }
    let known: BTreeSet<Labels> = all().map(|labels| labels.only(&common)).collect();
    let is_outside = |labels: &&&Labels| !known.contains(&labels.only(&common));
    let outside = several(series.iter().filter(is_outside).copied(), series.len())?;
    Some(Found::Told(Finding::Outside {
        part: counted.part,
        series: outside,
        same_metric,
    }))
}

fn several<'s>(mut some: impl Iterator<Item = &'s Labels>, of: usize) -> Option<Several> {
    let example = some.next()?.clone();
    Some(Several {
        example,
        count: 1 + some.count(),
        of,
    })
}

/// The names of the labels that series have, apart from the metric's.
fn names<'s>(series: impl Iterator<Item = &'s Labels>) -> Vec<String> {
    let names: BTreeSet<&str> = series
        .flat_map(Labels::iter)
        .map(|(name, _)| name)
        .filter(|name| *name != METRIC_NAME)
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

/// `None` where not all of the series were looked at, or there are none.
fn of_histogram<'s>(
    slo: &'s Slo,
    histogram: &Histogram,
    seen: &'s Seen<'_>,
    found: &mut Vec<Found>,
) -> Option<Vec<Side<'s>>> {
    let is_native = histogram.kind == HistogramKind::Native;
    let terms = terms(slo.indicator.events()?);
    let thresholds = histogram.thresholds();
    let mut looked: Vec<(Vec<&Labels>, Vec<&Labels>)> = vec![Default::default(); thresholds.len()];
    for term in &terms {
        let series = seen.series(&slo.source, &term.selector, is_native)?;
        let (totals, parts) = looked.get_mut(usize::from(term.threshold?))?;
        match term.towards {
            Towards::Total => totals.extend(series),
            Towards::Part => parts.extend(series),
        }
    }
    if looked.iter().all(|(totals, _)| totals.is_empty()) {
        found.push(Found::NoHistogram);
        return None;
    }
    for (number, (threshold, (totals, parts))) in thresholds.iter().zip(&looked).enumerate() {
        let Some(selector) = threshold.selectors.first() else {
            continue;
        };
        if totals.is_empty() {
            found.push(Found::Missing {
                form: Finding::LessSeries,
                part: Part {
                    role: Role::Histogram,
                    item: number,
                },
                selector: selector.clone(),
            });
        } else if parts.is_empty() {
            found.push(Found::NoBucket { threshold: number });
        } else {
            let with: BTreeSet<Labels> = parts.iter().map(|it| without_le(it)).collect();
            let lacks = |labels: &&&Labels| !with.contains(&without_le(labels));
            let without = several(totals.iter().filter(lacks).copied(), totals.len());
            found.extend(without.map(|without| {
                Found::Told(Finding::LessBuckets {
                    threshold: number,
                    at_most: as_written(threshold.at_most.to_f64(), histogram.unit),
                    without,
                })
            }));
        }
    }
    let all = looked.into_iter().flat_map(|(totals, _)| totals).collect();
    Some(vec![(Role::Histogram, all)])
}

fn without_le(labels: &Labels) -> Labels {
    labels.iter().filter(|(name, _)| *name != LE).collect()
}

/// Expressions that give nothing, and what those that do give is labelled by.
fn of_expressions<'s>(
    planned: &Planned,
    seen: &'s Seen<'_>,
    found: &mut Vec<Found>,
) -> Vec<Side<'s>> {
    let mut sides: Vec<Side<'s>> = Vec::new();
    for (role, family) in expressions(&planned.lanes) {
        let Known::Series { labels, .. } = seen.family(family) else {
            continue;
        };
        if !labels.is_empty() {
            sides.push((role, labels.iter().collect()));
            continue;
        }
        let form = match role {
            Role::Bad | Role::Good if sides.is_empty() => continue,
            role => form_of(role, true),
        };
        found.push(Found::Told(form(Missing {
            part: Part { role, item: 0 },
            text: seen.text(family).to_owned(),
            why: Why::Expression { absent: None },
        })));
    }
    sides
}

/// Labels of groups that one side of an objective does not have.
fn unlabelled(slo: &Slo, sides: &[Side<'_>]) -> Vec<Found> {
    let by = slo.grouping.iter().flat_map(|grouping| &grouping.by);
    let of = |label: &String| {
        let lacks = |(_, series): &&Side<'_>| series.iter().all(|it| it.get(label).is_empty());
        let (role, series) = sides.iter().find(lacks)?;
        let known = names(series.iter().copied()).into_iter();
        Some(Found::Told(Finding::NoLabel {
            label: label.clone(),
            role: *role,
            known: known.filter(|name| name != LE).collect(),
        }))
    };
    by.filter_map(of).collect()
}
