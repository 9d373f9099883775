//! The plan: what to fetch from each source, and what each objective makes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::indicator::{Aggregate, Split};
use crate::domain::labels::LabelsRef;
use crate::domain::slices::{BadWhen, MissingData, TimeUnit, WithinSlice};
use crate::domain::slo::{Catalog, Slo, SloId, SourceName};
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange};
use crate::promql::PromqlError;

use super::batch::Fetch;
use super::draft::Draft;
use super::fetches::Fetches;
use super::index::SelectorIndex;
use super::slices::Limit;

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
    /// For each source with counters the family that tells when their processes began.
    pub starts: BTreeMap<SourceName, FamilyIndex>,
}

/// One metric (or expression) of one source: one query a tick.
#[derive(Debug)]
pub struct Family {
    /// Where it is read.
    pub source: SourceName,
    /// What tells it apart from the other families of its source, and names it to people.
    pub name: String,
    /// How long ago the samples are that it stands for: it is read so much earlier, and its samples
    /// count as if they were of now.
    pub ago: Span,
    /// All that is asked, as one.
    pub fetch: Fetch,
    /// What is asked before anything was measured.
    pub fetches: Fetches,
    /// What the objectives select of it, each selector once; empty for an expression.
    pub selectors: SelectorIndex,
    /// Whether a lane without cursors reads its series.
    pub is_read: bool,
    /// Which series are counted towards which lanes, in the order of their selectors; empty when no
    /// events are counted here.
    pub roles: Vec<Role>,
}

/// Position of a selector in its family.
pub type SelectorPosition = usize;

impl Family {
    /// The roles of a series.
    pub fn roles_of(&self, labels: LabelsRef) -> impl Iterator<Item = &Role> {
        self.selectors
            .matching(labels)
            .into_iter()
            .flat_map(|selector| {
                let first = self.roles.partition_point(|role| role.selector < selector);
                let behind = self.roles.partition_point(|role| role.selector <= selector);
                self.roles.get(first..behind).unwrap_or_default()
            })
    }

    /// Whether its series are made of native histograms: the same sample may read a little
    /// differently beside others, when buckets were joined meanwhile.
    pub const fn is_interpolated(&self) -> bool {
        matches!(self.fetch, Fetch::Histograms { .. })
    }

    /// Whether events are counted here; only then are there cursors.
    pub fn counts(&self) -> bool {
        !self.roles.is_empty()
    }

    /// What tells it apart, for people: the metric's name, or the expression.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The metric's name; the whole expression where there is none.
    pub fn metric(&self) -> &str {
        match &self.fetch {
            Fetch::Samples(selector) | Fetch::Histograms { selector, .. } => &selector.metric,
            Fetch::Expression { text, .. } => text,
        }
    }

    /// What to ask its source for, so that it stands for `range`.
    pub fn asked(&self, range: TimeRange) -> TimeRange {
        TimeRange {
            from: range.from - self.ago,
            to: range.to - self.ago,
        }
    }
}

/// Series of a family that count towards one lane, and how much one event of them is.
#[derive(Debug)]
pub struct Role {
    /// Which series.
    pub selector: SelectorPosition,
    /// Position of the meter in the plan.
    pub meter: usize,
    /// Position of the lane in the meter.
    pub lane: u16,
    /// What one event adds: an event of a `good` series takes one from `bad`.
    pub weight: Counts,
    /// What the series count as, for the status.
    pub towards: Towards,
    /// Which threshold of a histogram they are about.
    pub threshold: u16,
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
        /// Whether any of the events that make up the total are counted here. No sample in any of
        /// these lanes means not measured.
        totals: bool,
    },
    /// Slices of time, judged one by one.
    Slices(SliceLane),
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

/// Slices of time, and what they are judged by.
#[derive(Debug)]
pub struct SliceLane {
    /// What a slice is judged by.
    pub judge: Judge,
    /// The length of a slice.
    pub slice: Span,
    /// What a slice is of which the source holds nothing.
    pub missing: MissingData,
}

/// What a slice is judged by.
#[derive(Debug)]
pub enum Judge {
    /// The rate of counters.
    Rate {
        /// The counters.
        total: Read,
        /// In events per second.
        limit: Limit,
    },
    /// The rate of counters against the median of what it was in earlier periods.
    Drop {
        /// The counters.
        total: Read,
        /// The same in each of the periods, as if it were now.
        past: Vec<Read>,
        /// The share of the median that must be left.
        kept: f64,
    },
    /// What groups of gauges use of their limits.
    Share {
        /// What is used.
        used: GaugeRead,
        /// What there is.
        limit: GaugeRead,
        /// The labels of a group.
        by: Vec<String>,
        /// The share that may be used.
        at_most: f64,
        /// How many groups make a slice bad.
        bad_when: BadWhen,
    },
    /// Groups of gauges against a threshold.
    Level {
        /// The gauges.
        gauge: GaugeRead,
        /// The labels of a group; each series by itself without them.
        by: Option<Vec<String>>,
        /// In the unit of the gauges.
        limit: Limit,
        /// Which samples of a slice count.
        within: WithinSlice,
        /// How many groups make a slice bad.
        bad_when: BadWhen,
    },
    /// How long ago timestamps are.
    Age {
        /// The timestamps.
        gauge: GaugeRead,
        /// The labels of a group; each series by itself without them.
        by: Option<Vec<String>>,
        /// What the timestamps count in.
        unit: TimeUnit,
        /// Seconds.
        at_most: f64,
        /// How many groups make a slice bad.
        bad_when: BadWhen,
    },
    /// The values of an expression against a threshold.
    Value {
        /// The expression.
        family: FamilyIndex,
        /// In the unit of the values.
        limit: Limit,
        /// How many series make a slice bad.
        bad_when: BadWhen,
    },
    /// The error ratio that an expression gives.
    Ratio {
        /// The expression.
        family: FamilyIndex,
    },
}

/// Where series are read.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// The family.
    pub family: FamilyIndex,
    /// Which of its series.
    pub selector: SelectorPosition,
}

/// Where a gauge is read and how a group becomes one value.
#[derive(Clone, Copy, Debug)]
pub struct GaugeRead {
    /// The series.
    pub read: Read,
    /// How a group becomes one value.
    pub aggregate: Aggregate,
}

impl Judge {
    /// The families whose samples are needed, the one that is told of first.
    pub fn families(&self) -> Vec<FamilyIndex> {
        match self {
            Self::Rate { total, .. } => vec![total.family],
            Self::Drop { total, past, .. } => {
                let past = past.iter().map(|read| read.family);
                [total.family].into_iter().chain(past).collect()
            }
            Self::Share { used, limit, .. } => vec![used.read.family, limit.read.family],
            Self::Level { gauge, .. } | Self::Age { gauge, .. } => vec![gauge.read.family],
            Self::Value { family, .. } | Self::Ratio { family } => vec![*family],
        }
    }

    /// Whether its values are valid for a while after their samples, or made of several of them.
    pub const fn looks_back(&self) -> bool {
        match self {
            Self::Rate { .. }
            | Self::Drop { .. }
            | Self::Share { .. }
            | Self::Level { .. }
            | Self::Age { .. } => true,
            Self::Value { .. } | Self::Ratio { .. } => false,
        }
    }
}

impl Lane {
    /// The families whose samples the lane needs, the one with the totals first.
    pub fn families(&self) -> Vec<FamilyIndex> {
        match self {
            Self::Counters { family, .. } => vec![*family],
            Self::Slices(slices) => slices.judge.families(),
            Self::Points { total, part, .. } => vec![*total, *part.counted()],
        }
    }

    /// The length of its slices, if it judges any.
    pub const fn slice(&self) -> Option<Span> {
        match self {
            Self::Slices(slices) => Some(slices.slice),
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
        let mut draft = Draft::new(slot);
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
            starts: draft.starts(),
            families: draft.families(),
            meters,
        })
    }
}
