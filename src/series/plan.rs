//! The plan: what to fetch from each source, and what each objective makes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::indicator::{Aggregate, Gauge, Indicator, Split};
use crate::domain::selector::Selector;
use crate::domain::slo::{Catalog, Slo, SloId, SourceName};
use crate::domain::slot::Counts;
use crate::domain::time::Span;
use crate::promql::CompiledMatchers;
use crate::promql::PromqlError;

use super::batch::Fetch;
use super::boundary;
use super::union::union;

/// A selector that cannot be matched here.
#[derive(Debug, thiserror::Error)]
#[error("objective `{slo}` selects series with a pattern that cannot be matched")]
pub struct PlanError {
    /// Whose selector it is.
    pub slo: SloId,
    /// What is wrong with it.
    pub source: PromqlError,
}

/// Position of a family in its plan.
pub type FamilyIndex = usize;

/// What all objectives of a catalog need.
#[derive(Debug, Default)]
pub struct Plan {
    /// One fetch each.
    pub families: Vec<Family>,
    /// One per objective, in the catalog's order.
    pub meters: Vec<Meter>,
}

/// One metric (or expression) of one source: one query a tick.
#[derive(Debug)]
pub struct Family {
    /// Where it is read.
    pub source: SourceName,
    /// What is asked.
    pub fetch: Fetch,
    /// Which series are counted towards which lanes; empty when no events are counted here.
    pub roles: Vec<Role>,
}

impl Family {
    /// The metric's name, or the expression: what tells families of one source apart.
    pub fn name(&self) -> &str {
        match &self.fetch {
            Fetch::Samples(selector) => &selector.metric,
            Fetch::Expression { text, .. } => text,
        }
    }
}

/// Series of a family that count towards one lane, and how much one event of them is.
#[derive(Debug)]
pub struct Role {
    /// Which series.
    pub matchers: CompiledMatchers,
    /// Position of the meter in the plan.
    pub meter: usize,
    /// Position of the lane in the meter.
    pub lane: u16,
    /// What one event adds: an event of a `good` series takes one from `bad`.
    pub weight: Counts,
    /// What the series count as, for the status.
    pub towards: Towards,
}

/// What the series of a role count as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Towards {
    /// All events.
    Total,
    /// The bad ones, or the good ones where those are counted.
    Part,
}

/// How one objective is measured.
#[derive(Debug)]
pub struct Meter {
    /// The objective.
    pub slo: Arc<Slo>,
    /// Every source of events that it needs.
    pub lanes: Vec<Lane>,
}

/// One source of events of an objective.
#[derive(Debug)]
pub enum Lane {
    /// Increments of counters.
    Counters {
        /// The family.
        family: FamilyIndex,
        /// Whether all events are counted here, so that no sample here means not measured.
        totals: bool,
    },
    /// Slices judged by the rate of counters.
    Rate {
        /// The family.
        family: FamilyIndex,
        /// Which series.
        matchers: CompiledMatchers,
        /// Events per second.
        at_least: f64,
        /// The length of a slice.
        slice: Span,
    },
    /// Slices judged by what is used of a limit.
    Fullness {
        /// What is used.
        used: GaugeRead,
        /// What there is.
        limit: GaugeRead,
        /// The labels of a group.
        by: Vec<String>,
        /// The share that may be used.
        at_most: f64,
        /// The length of a slice.
        slice: Span,
    },
    /// Values of expressions, spread over slots.
    Points {
        /// All events.
        total: FamilyIndex,
        /// The bad or the good among them.
        part: Split<FamilyIndex>,
        /// What the values are counted over.
        window: Span,
    },
}

/// Where a gauge is read and how a group becomes one value.
#[derive(Debug)]
pub struct GaugeRead {
    /// The family.
    pub family: FamilyIndex,
    /// Which series.
    pub matchers: CompiledMatchers,
    /// How a group becomes one value.
    pub aggregate: Aggregate,
}

impl Lane {
    /// The families whose samples the lane needs, the one with the totals first.
    pub fn families(&self) -> Vec<FamilyIndex> {
        match self {
            Self::Counters { family, .. } | Self::Rate { family, .. } => vec![*family],
            Self::Fullness { used, limit, .. } => vec![used.family, limit.family],
            Self::Points { total, part, .. } => vec![*total, *part.counted()],
        }
    }

    /// The length of its slices, if it judges any.
    pub const fn slice(&self) -> Option<Span> {
        match self {
            Self::Rate { slice, .. } | Self::Fullness { slice, .. } => Some(*slice),
            Self::Counters { .. } | Self::Points { .. } => None,
        }
    }
}

impl Plan {
    /// Plans all objectives of a catalog for slots of `slot`.
    ///
    /// # Errors
    /// When a matcher is not a regular expression that can be matched here.
    pub fn of(catalog: &Catalog, slot: Span) -> Result<Self, PlanError> {
        let mut draft = Draft {
            slot,
            ..Draft::default()
        };
        let mut meters = Vec::with_capacity(catalog.slos.len());
        for (index, slo) in catalog.slos.values().enumerate() {
            let refuse = |source| PlanError {
                slo: slo.uid.clone(),
                source,
            };
            let lanes = draft.lanes_of(index, slo).map_err(refuse)?;
            meters.push(Meter {
                slo: Arc::clone(slo),
                lanes,
            });
        }
        Ok(Self {
            families: draft.families(),
            meters,
        })
    }
}

/// A plan in the making: families are found by name while their selectors are collected.
#[derive(Default)]
struct Draft {
    slot: Span,
    index: BTreeMap<(SourceName, String), FamilyIndex>,
    parts: Vec<FamilyDraft>,
}

struct FamilyDraft {
    source: SourceName,
    fetch: Option<Fetch>,
    metric: String,
    selectors: Vec<Selector>,
    roles: Vec<Role>,
}

impl Draft {
    fn lanes_of(&mut self, meter: usize, slo: &Slo) -> Result<Vec<Lane>, PromqlError> {
        let source = &slo.source;
        Ok(match &slo.indicator {
            Indicator::Errors { total, split } => self.counters(meter, source, total, split)?,
            Indicator::Latency { buckets, at_most } => {
                let total = buckets.refined([boundary::everything()]);
                let good = Split::Good(buckets.refined([boundary::bucket(*at_most)]));
                self.counters(meter, source, &total, &good)?
            }
            Indicator::Traffic {
                total,
                at_least,
                slice,
            } => vec![Lane::Rate {
                family: self.select(source, total),
                matchers: CompiledMatchers::new(&total.matchers)?,
                at_least: at_least.to_f64(),
                slice: *slice,
            }],
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

    /// The lanes of counters: one where total and part are of one metric, and so of one query.
    fn counters(
        &mut self,
        meter: usize,
        source: &SourceName,
        total: &Selector,
        split: &Split<Selector>,
    ) -> Result<Vec<Lane>, PromqlError> {
        let (all, part) = match split {
            Split::Bad(_) => (
                Counts {
                    bad: 0.0,
                    total: 1.0,
                },
                Counts {
                    bad: 1.0,
                    total: 0.0,
                },
            ),
            Split::Good(_) => (
                Counts {
                    bad: 1.0,
                    total: 1.0,
                },
                Counts {
                    bad: -1.0,
                    total: 0.0,
                },
            ),
        };
        let first = self.select(source, total);
        let second = self.select(source, split.counted());
        let part_lane = u16::from(first != second);
        self.role(first, total, meter, 0, all, Towards::Total)?;
        self.role(
            second,
            split.counted(),
            meter,
            part_lane,
            part,
            Towards::Part,
        )?;
        let mut lanes = vec![Lane::Counters {
            family: first,
            totals: true,
        }];
        if first != second {
            lanes.push(Lane::Counters {
                family: second,
                totals: false,
            });
        }
        Ok(lanes)
    }

    fn role(
        &mut self,
        family: FamilyIndex,
        selector: &Selector,
        meter: usize,
        lane: u16,
        weight: Counts,
        towards: Towards,
    ) -> Result<(), PromqlError> {
        let matchers = CompiledMatchers::new(&selector.matchers)?;
        self.parts[family].roles.push(Role {
            matchers,
            meter,
            lane,
            weight,
            towards,
        });
        Ok(())
    }

    fn gauge(&mut self, source: &SourceName, gauge: &Gauge) -> Result<GaugeRead, PromqlError> {
        let family = self.select(source, &gauge.series);
        let matchers = CompiledMatchers::new(&gauge.series.matchers)?;
        Ok(GaugeRead {
            family,
            matchers,
            aggregate: gauge.aggregate,
        })
    }

    /// The family of a selector's metric, which from now on fetches this selector too.
    fn select(&mut self, source: &SourceName, selector: &Selector) -> FamilyIndex {
        let family = self.family(source, &selector.metric, None);
        self.parts[family].selectors.push(selector.clone());
        family
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
            let (selectors, roles) = (Vec::new(), Vec::new());
            self.parts.push(FamilyDraft {
                source: source.clone(),
                fetch,
                metric: name.to_owned(),
                selectors,
                roles,
            });
        }
        index
    }

    fn families(self) -> Vec<Family> {
        let finish = |part: FamilyDraft| Family {
            source: part.source,
            fetch: part
                .fetch
                .unwrap_or_else(|| Fetch::Samples(union(&part.metric, &part.selectors))),
            roles: part.roles,
        };
        self.parts.into_iter().map(finish).collect()
    }
}
