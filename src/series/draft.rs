//! A plan in the making: families are found by name while their selectors are collected.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::indicator::{Gauge, Indicator, Split};
use crate::domain::selector::{Matcher, Selector};
use crate::domain::slo::{Slo, SourceName};
use crate::domain::time::Span;
use crate::promql::CompiledMatchers;
use crate::promql::Patterns;
use crate::promql::PromqlError;

use super::batch::Fetch;
use super::fetches::Fetches;
use super::index::SelectorIndex;
use super::plan::{Family, FamilyIndex, GaugeRead, Lane, Role, SelectorPosition};
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

/// A selector that was taken into its family.
#[derive(Clone, Copy)]
struct Selected {
    family: FamilyIndex,
    selector: SelectorPosition,
}

struct FamilyDraft {
    source: SourceName,
    fetch: Option<Fetch>,
    metric: String,
    selectors: Vec<(Selector, CompiledMatchers)>,
    positions: BTreeMap<Selector, SelectorPosition>,
    is_read: bool,
    roles: Vec<Role>,
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

    /// Takes in an objective, whose meter will have the position `meter`.
    pub(super) fn lanes_of(&mut self, meter: usize, slo: &Slo) -> Result<Vec<Lane>, PromqlError> {
        let source = &slo.source;
        Ok(match &slo.indicator {
            Indicator::Errors(events) | Indicator::Latency(events) => {
                self.counters(meter, source, &terms(events))?
            }
            Indicator::Traffic {
                total,
                at_least,
                slice,
            } => {
                let Selected { family, selector } = self.read(source, total)?;
                vec![Lane::Rate {
                    family,
                    selector,
                    at_least: at_least.to_f64(),
                    slice: *slice,
                }]
            }
            Indicator::Saturation {
                used,
                limit,
                by,
                at_most,
                slice,
            } => vec![Lane::Fullness {
                used: self.gauge(source, used)?,
                limit: self.gauge(source, limit)?,
                by: by.clone(),
                at_most: at_most.to_f64(),
                slice: *slice,
            }],
            Indicator::Query {
                total,
                split,
                window,
            } => vec![Lane::Points {
                total: self.expression(source, total, *window),
                part: match split {
                    Split::Bad(text) => Split::Bad(self.expression(source, text, *window)),
                    Split::Good(text) => Split::Good(self.expression(source, text, *window)),
                },
                window: *window,
            }],
        })
    }

    /// The lanes of counters: one for each metric, since each is a query of its own.
    fn counters(
        &mut self,
        meter: usize,
        source: &SourceName,
        terms: &[Term],
    ) -> Result<Vec<Lane>, PromqlError> {
        let mut families: Vec<(FamilyIndex, bool)> = Vec::new();
        for term in terms {
            let selected = self.select(source, &term.selector)?;
            let known = families
                .iter()
                .position(|(family, _)| *family == selected.family);
            let lane = known.unwrap_or_else(|| {
                families.push((selected.family, false));
                families.len() - 1
            });
            families[lane].1 |= term.weight.total > 0.0;
            self.role(selected, meter, lane, term);
        }
        let lane = |(family, totals)| Lane::Counters { family, totals };
        Ok(families.into_iter().map(lane).collect())
    }

    fn role(&mut self, selected: Selected, meter: usize, lane: usize, term: &Term) {
        self.parts[selected.family].roles.push(Role {
            selector: selected.selector,
            meter,
            lane: u16::try_from(lane).unwrap_or(u16::MAX),
            weight: term.weight,
            towards: term.towards,
        });
    }

    fn gauge(&mut self, source: &SourceName, gauge: &Gauge) -> Result<GaugeRead, PromqlError> {
        let Selected { family, selector } = self.read(source, &gauge.series)?;
        Ok(GaugeRead {
            family,
            selector,
            aggregate: gauge.aggregate,
        })
    }

    /// Takes in a selector whose series are read without cursors.
    fn read(&mut self, source: &SourceName, selector: &Selector) -> Result<Selected, PromqlError> {
        let selected = self.select(source, selector)?;
        self.parts[selected.family].is_read = true;
        Ok(selected)
    }

    /// Takes a selector into the family of its metric, which from now on fetches it too.
    fn select(
        &mut self,
        source: &SourceName,
        selector: &Selector,
    ) -> Result<Selected, PromqlError> {
        let family = self.family(source, &selector.metric, None);
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

    fn expression(&mut self, source: &SourceName, text: &str, window: Span) -> FamilyIndex {
        let text = text.replace("$window", &window.to_string());
        let fetch = Fetch::Expression {
            text: text.clone(),
            step: self.slot,
        };
        self.family(source, &text, Some(fetch))
    }

    fn family(&mut self, source: &SourceName, name: &str, fetch: Option<Fetch>) -> FamilyIndex {
        let next = self.parts.len();
        let index = *self
            .index
            .entry((source.clone(), name.to_owned()))
            .or_insert(next);
        if index == next {
            self.parts.push(FamilyDraft {
                source: source.clone(),
                fetch,
                metric: name.to_owned(),
                selectors: Vec::new(),
                positions: BTreeMap::new(),
                is_read: false,
                roles: Vec::new(),
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
            let family = self.family(&source, METRIC, None);
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
        let selectors = self.positions.into_keys().chain(self.besides);
        let selectors: Vec<Selector> = selectors.collect();
        let union = || Fetch::Samples(union(&self.metric, &selectors));
        let fetches = match &self.fetch {
            Some(expression) => Fetches::expression(expression.clone()),
            None => Fetches::union(&self.metric, &selectors),
        };
        self.roles.sort_by_key(|role| role.selector);
        Family {
            source: self.source,
            fetch: self.fetch.unwrap_or_else(union),
            fetches,
            selectors: SelectorIndex::new(self.selectors),
            is_read: self.is_read,
            roles: self.roles,
        }
    }
}
