//! A plan in the making: families are found by name while their selectors are collected.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Aggregate, Events, Indicator, Probe, Split};
use crate::domain::quantity::Bound;
use crate::domain::selector::{Matcher, Selector};
use crate::domain::slices::{self, Gauge, MissingData, Sliced, WithinSlice};
use crate::domain::slo::{Slo, SourceName};
use crate::domain::time::Span;
use crate::promql::{CompiledMatchers, Patterns, PromqlError};

use super::batch::Fetch;
use super::boundary::{INFINITY, LE};
use super::fetches::{Fetches, fetched};
use super::index::SelectorIndex;
use super::plan::{
    Family, FamilyIndex, GaugeRead, Judge, Lane, Read, Role, SelectorPosition, SliceLane, SloIndex,
    TermRead,
};
use super::slices::Limit;
use super::starts::METRIC;
use super::terms::{Term, terms};
use super::union::union;

/// The labels that tell targets apart.
const TARGET: [&str; 2] = ["job", "instance"];

/// What was collected of the objectives so far.
pub(super) struct Draft {
    slot: Span,
    index: BTreeMap<(SourceName, String), FamilyIndex>,
    parts: Vec<FamilyDraft>,
    patterns: Patterns,
}

/// What the series of a family are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Plain samples.
    Samples,
    /// Native histograms.
    Histograms,
}

impl Kind {
    const fn of(events: &Events) -> Self {
        if events.is_interpolated() {
            Self::Histograms
        } else {
            Self::Samples
        }
    }
}

/// A selector that was taken into its family.
#[derive(Clone, Copy)]
struct Selected {
    family: FamilyIndex,
    selector: SelectorPosition,
}

struct FamilyDraft {
    source: SourceName,
    name: String,
    ago: Span,
    /// `None`: the samples that are selected.
    fetch: Option<Fetch>,
    kind: Kind,
    selectors: Vec<(Selector, CompiledMatchers)>,
    positions: BTreeMap<Selector, SelectorPosition>,
    is_read: bool,
    roles: Vec<Role>,
    /// The labels by which objectives that count here tell groups apart.
    grouped_by: BTreeSet<String>,
    /// What is fetched besides, for no objective.
    besides: Vec<Selector>,
}

impl Draft {
    /// A plan of nothing, for slots of `slot`.
    pub(super) fn new(slot: Span) -> Self {
        Self {
            slot,
            index: BTreeMap::new(),
            parts: Vec::new(),
            patterns: Patterns::default(),
        }
    }

    /// Takes in an objective, which will have the position `index`.
    pub(super) fn lanes_of(
        &mut self,
        index: SloIndex,
        slo: &Slo,
    ) -> Result<Vec<Lane>, PromqlError> {
        let source = &slo.source;
        Ok(match &slo.indicator {
            Indicator::Errors(events) | Indicator::Latency(events) => match events {
                Events::Probe(probe) => vec![Lane::Slices(SliceLane {
                    judge: self.probe(source, probe, None)?,
                    slice: self.slot,
                    missing: MissingData::Hold,
                })],
                Events::OfTotal { .. } | Events::GoodAndBad { .. } | Events::Histogram(_) => {
                    self.counters(index, slo, events)?
                }
            },
            Indicator::Slices(sliced) => vec![Lane::Slices(SliceLane {
                judge: self.judge(source, sliced)?,
                slice: sliced.slice,
                missing: sliced.missing,
            })],
            Indicator::Query {
                total,
                split,
                window,
            } => vec![Lane::Points {
                total: self.expression(source, total, *window, self.slot),
                part: match split {
                    Split::Bad(text) => {
                        Split::Bad(self.expression(source, text, *window, self.slot))
                    }
                    Split::Good(text) => {
                        Split::Good(self.expression(source, text, *window, self.slot))
                    }
                },
                window: *window,
            }],
        })
    }

    /// The lanes of counters: one for each metric, since each is a query of its own.
    fn counters(
        &mut self,
        index: SloIndex,
        slo: &Slo,
        events: &Events,
    ) -> Result<Vec<Lane>, PromqlError> {
        let kind = Kind::of(events);
        let grouped_by = slo.grouping.iter().flat_map(|grouping| &grouping.by);
        let mut families: Vec<(FamilyIndex, bool)> = Vec::new();
        for term in &terms(events) {
            let selected = self.select_of(&slo.source, &term.selector, Span::ZERO, kind)?;
            let known = families
                .iter()
                .position(|(family, _)| *family == selected.family);
            let lane = known.unwrap_or_else(|| {
                families.push((selected.family, false));
                families.len() - 1
            });
            families[lane].1 |= term.weight.total > 0.0;
            self.role(selected, index, lane, term);
            let part = &mut self.parts[selected.family];
            part.grouped_by.extend(grouped_by.clone().cloned());
        }
        let lane = |(family, totals)| Lane::Counters { family, totals };
        Ok(families.into_iter().map(lane).collect())
    }

    fn role(&mut self, selected: Selected, slo: SloIndex, lane: usize, term: &Term) {
        self.parts[selected.family].roles.push(Role {
            selector: selected.selector,
            slo,
            lane: u16::try_from(lane).unwrap_or(u16::MAX),
            weight: term.weight,
            towards: term.towards,
            threshold: term.threshold,
        });
    }

    fn judge(&mut self, source: &SourceName, sliced: &Sliced) -> Result<Judge, PromqlError> {
        Ok(match &sliced.judge {
            slices::Judge::Rate { total, bound } => Judge::Rate {
                total: self.read(source, total, Span::ZERO)?,
                limit: limit(*bound),
            },
            slices::Judge::Drop {
                total,
                at_most,
                compared_to,
            } => Judge::Drop {
                total: self.read(source, total, Span::ZERO)?,
                past: compared_to
                    .iter()
                    .map(|ago| self.read(source, total, *ago))
                    .collect::<Result<_, _>>()?,
                kept: Fraction::ONE.minus(*at_most).to_f64(),
            },
            slices::Judge::Events { events, good, .. } => {
                let allowance = Fraction::ONE.minus(*good);
                match events {
                    Events::Probe(probe) => self.probe(source, probe, Some(allowance))?,
                    Events::OfTotal { .. } | Events::GoodAndBad { .. } | Events::Histogram(_) => {
                        self.events(source, events, allowance)?
                    }
                }
            }
            slices::Judge::Share {
                used,
                limit,
                by,
                at_most,
                bad_when,
            } => Judge::Share {
                used: self.gauge(source, used)?,
                limit: self.gauge(source, limit)?,
                by: by.clone(),
                at_most: at_most.to_f64(),
                bad_when: *bad_when,
            },
            slices::Judge::Level {
                level,
                bound,
                within,
                bad_when,
            } => Judge::Level {
                gauge: self.gauge(source, &level.gauge)?,
                by: level.by.clone(),
                limit: limit(*bound),
                of_events: false,
                within: *within,
                bad_when: *bad_when,
            },
            slices::Judge::Quantile {
                quantile,
                at_most,
                unit,
                bad_when,
            } => Judge::Level {
                gauge: GaugeRead {
                    read: self.read(source, quantile, Span::ZERO)?,
                    aggregate: Aggregate::Max,
                },
                by: None,
                limit: Limit::AtMost(unit.of_seconds(*at_most).to_f64()),
                of_events: true,
                within: WithinSlice::Last,
                bad_when: *bad_when,
            },
            slices::Judge::Age {
                timestamp,
                unit,
                at_most,
                bad_when,
            } => Judge::Age {
                gauge: self.gauge(source, &timestamp.gauge)?,
                by: timestamp.by.clone(),
                unit: *unit,
                at_most: at_most.to_f64(),
                bad_when: *bad_when,
            },
            slices::Judge::Value {
                query,
                window,
                bound,
                bad_when,
            } => Judge::Value {
                family: self.expression(source, query, *window, sliced.slice),
                limit: limit(*bound),
                bad_when: *bad_when,
            },
            slices::Judge::Ratio { query, window } => Judge::Ratio {
                family: self.expression(source, query, *window, sliced.slice),
            },
        })
    }

    fn probe(
        &mut self,
        source: &SourceName,
        probe: &Probe,
        allowance: Option<Fraction>,
    ) -> Result<Judge, PromqlError> {
        Ok(Judge::Probe {
            probers: self.read(source, &probe.series, Span::ZERO)?,
            quorum: probe.quorum,
            slot: self.slot,
            allowance,
        })
    }

    /// Slices judged by the counters of their events.
    fn events(
        &mut self,
        source: &SourceName,
        events: &Events,
        allowance: Fraction,
    ) -> Result<Judge, PromqlError> {
        let mut reads = Vec::new();
        for term in terms(events) {
            let kind = Kind::of(events);
            let Selected { family, selector } =
                self.select_of(source, &term.selector, Span::ZERO, kind)?;
            self.parts[family].is_read = true;
            reads.push(TermRead {
                read: Read { family, selector },
                weight: term.weight,
                towards: term.towards,
                threshold: term.threshold,
            });
        }
        Ok(Judge::Events {
            terms: reads,
            allowance,
        })
    }

    fn gauge(&mut self, source: &SourceName, gauge: &Gauge) -> Result<GaugeRead, PromqlError> {
        Ok(GaugeRead {
            read: self.read(source, &gauge.series, Span::ZERO)?,
            aggregate: gauge.aggregate,
        })
    }

    /// Takes in a selector whose series are read without cursors, as they were so long ago.
    fn read(
        &mut self,
        source: &SourceName,
        selector: &Selector,
        ago: Span,
    ) -> Result<Read, PromqlError> {
        let Selected { family, selector } = self.select(source, selector, ago)?;
        self.parts[family].is_read = true;
        Ok(Read { family, selector })
    }

    /// Takes a selector into the family of its metric, which from now on fetches it too.
    fn select(
        &mut self,
        source: &SourceName,
        selector: &Selector,
        ago: Span,
    ) -> Result<Selected, PromqlError> {
        self.select_of(source, selector, ago, Kind::Samples)
    }

    /// The same for what may be native histograms: then the selector names a threshold by `le`.
    fn select_of(
        &mut self,
        source: &SourceName,
        selector: &Selector,
        ago: Span,
        kind: Kind,
    ) -> Result<Selected, PromqlError> {
        let metric = &selector.metric;
        let name = match kind {
            Kind::Samples if ago == Span::ZERO => metric.clone(),
            Kind::Samples => format!("{metric} offset {ago}"),
            Kind::Histograms => format!("{metric} (native)"),
        };
        let family = self.family(source, (name, ago, kind), || None);
        let part = &mut self.parts[family];
        let next = part.selectors.len();
        let position = *part.positions.entry(selector.clone()).or_insert(next);
        if position == next {
            let matchers = CompiledMatchers::sharing(&mut self.patterns, &selector.matchers)?;
            part.selectors.push((selector.clone(), matchers));
        }
        Ok(Selected {
            family,
            selector: position,
        })
    }

    /// Takes in an expression that is evaluated at the multiples of `step`.
    fn expression(
        &mut self,
        source: &SourceName,
        text: &str,
        window: Span,
        step: Span,
    ) -> FamilyIndex {
        let text = text.replace("$window", &window.to_string());
        // Without brackets it may be the name of a metric, whose samples are a family of that name.
        let may_be_a_metric = !text.contains(['(', '[']);
        let name = if step == self.slot && !may_be_a_metric {
            text.clone()
        } else {
            format!("{text} every {step}")
        };
        self.family(source, (name, Span::ZERO, Kind::Samples), || {
            Some(Fetch::Expression { text, step })
        })
    }

    fn family(
        &mut self,
        source: &SourceName,
        (name, ago, kind): (String, Span, Kind),
        fetch: impl FnOnce() -> Option<Fetch>,
    ) -> FamilyIndex {
        let next = self.parts.len();
        let key = (source.clone(), name.clone());
        let index = *self.index.entry(key).or_insert(next);
        if index == next {
            self.parts.push(FamilyDraft {
                source: source.clone(),
                name,
                ago,
                fetch: fetch(),
                kind,
                selectors: Vec::new(),
                positions: BTreeMap::new(),
                is_read: false,
                roles: Vec::new(),
                grouped_by: BTreeSet::new(),
                besides: Vec::new(),
            });
        }
        index
    }

    /// Adds a family for the starts of processes to each source with counters: of the same jobs and
    /// instances, as far as these are selected. To be called once, when all else was taken in.
    pub(super) fn starts(&mut self) -> BTreeMap<SourceName, FamilyIndex> {
        let mut starts: BTreeMap<SourceName, BTreeSet<Selector>> = BTreeMap::new();
        for part in self.parts.iter().filter(|part| !part.roles.is_empty()) {
            let of_target = |matcher: &&Matcher| TARGET.contains(&&*matcher.label);
            let narrowed = part.positions.keys().map(|selector| {
                let matchers = selector.matchers.iter().filter(of_target);
                Selector::new(METRIC, matchers.cloned().collect())
            });
            let of_source = starts.entry(part.source.clone()).or_default();
            of_source.extend(narrowed);
        }
        let mut add = |(source, selectors): (SourceName, BTreeSet<Selector>)| {
            let family = self.family(
                &source,
                (METRIC.to_owned(), Span::ZERO, Kind::Samples),
                || None,
            );
            self.parts[family].besides = selectors.into_iter().collect();
            (source, family)
        };
        starts.into_iter().map(&mut add).collect()
    }

    /// All families, in the order of their first selectors.
    pub(super) fn families(self) -> Vec<Family> {
        self.parts.into_iter().map(FamilyDraft::finish).collect()
    }
}

impl FamilyDraft {
    fn finish(mut self) -> Family {
        let matchers = self.positions.keys().flat_map(|it| &it.matchers);
        let mut told_by: BTreeSet<String> = matchers.map(|it| it.label.clone()).collect();
        told_by.extend(self.grouped_by);
        let selectors = self.positions.into_keys().chain(self.besides);
        let selectors: Vec<Selector> = selectors.collect();
        let (selectors, thresholds) = match self.kind {
            Kind::Samples => (selectors, Vec::new()),
            Kind::Histograms => without_thresholds(&selectors),
        };
        let metric = selectors.first().map_or("", |it| it.metric.as_str());
        let union = || fetched(union(metric, &selectors), &thresholds);
        let fetches = match &self.fetch {
            Some(expression) => Fetches::expression(expression.clone()),
            None => Fetches::histograms(metric, &selectors, thresholds.clone()),
        };
        self.roles.sort_by_key(|role| role.selector);
        Family {
            source: self.source,
            name: self.name,
            ago: self.ago,
            fetch: self.fetch.unwrap_or_else(union),
            fetches,
            selectors: SelectorIndex::new(self.selectors),
            is_read: self.is_read,
            told_by: told_by.into_iter().collect(),
            roles: self.roles,
        }
    }
}

/// A bound as samples are compared with it.
fn limit(bound: Bound) -> Limit {
    match bound {
        Bound::AtMost(quantity) => Limit::AtMost(quantity.value.to_f64()),
        Bound::AtLeast(quantity) => Limit::AtLeast(quantity.value.to_f64()),
    }
}

/// The selectors of native histograms as their source knows them, and the thresholds that they name.
fn without_thresholds(selectors: &[Selector]) -> (Vec<Selector>, Vec<String>) {
    let mut thresholds = BTreeSet::new();
    let strip = |selector: &Selector| {
        let (named, others) = selector.matchers.iter().partition(|it| it.label == LE);
        let (named, others): (Vec<&Matcher>, Vec<&Matcher>) = (named, others);
        let finite = named.into_iter().filter(|it| it.value != INFINITY);
        thresholds.extend(finite.map(|it| it.value.clone()));
        Selector::new(
            selector.metric.clone(),
            others.into_iter().cloned().collect(),
        )
    };
    let stripped: BTreeSet<Selector> = selectors.iter().map(strip).collect();
    (
        stripped.into_iter().collect(),
        thresholds.into_iter().collect(),
    )
}
