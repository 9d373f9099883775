//! The plan: what to fetch from each source, and what each objective makes of it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Aggregate, Split};
use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::slices::{BadWhen, MissingData, TimeUnit, WithinSlice};
use crate::domain::slo::{Catalog, Slo, SloId, SourceName};
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange};
use crate::promql::PromqlError;

use super::batch::Fetch;
use super::draft::Draft;
use super::fetches::Fetches;
use super::groups::{Planned, PlannedGroups};
use super::index::SelectorIndex;
use super::roll::{Members, Roll};
use super::slices::Limit;
use super::starts::METRIC;

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

/// Position of an objective in its plan.
pub type SloIndex = usize;

/// Position of a meter in its plan.
pub type MeterIndex = usize;

/// Position of a meter in the plan, and of a lane in the meter.
pub type LaneIndex = (MeterIndex, usize);

/// What all objectives of a catalog need, and the instances that are known of them.
///
/// What is asked for is made once of a catalog, and shared by all plans that know more (or fewer)
/// groups of its objectives.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// One fetch each.
    pub families: Arc<Vec<Family>>,
    /// What is defined, in the catalog's order.
    pub slos: Arc<Vec<Planned>>,
    /// One per instance: first what follows from the catalog, in its order; behind that the groups
    /// in the order in which they were found.
    pub meters: Vec<Meter>,
    /// For each source with counters the family that tells when their processes began.
    pub starts: Arc<BTreeMap<SourceName, FamilyIndex>>,
    /// The meters of each objective.
    pub(super) members: Vec<Arc<Members>>,
    /// The lanes that read each family.
    pub(super) lanes_of: Vec<Arc<Vec<LaneIndex>>>,
    /// The same in all plans in which positions mean the same, as far as they have them.
    pub(super) numbering: Arc<()>,
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
    /// The labels that its selectors look at: series that are alike in these are counted alike.
    pub told_by: Vec<String>,
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
            Fetch::Sums(sums) => &sums.selector.metric,
        }
    }

    /// What to ask its source for, so that it stands for `range`.
    pub fn asked(&self, range: TimeRange) -> TimeRange {
        TimeRange {
            from: range.from - self.ago,
            to: range.to - self.ago,
        }
    }

    /// Whether the source may be asked for sums in place of samples: where nothing but events is counted.
    pub fn may_be_summed(&self) -> bool {
        let are_samples = matches!(self.fetch, Fetch::Samples(_));
        are_samples && self.counts() && !self.is_read && self.name() != METRIC
    }
}

/// Series of a family that count towards one lane, and how much one event of them is.
#[derive(Debug)]
pub struct Role {
    /// Which series.
    pub selector: SelectorPosition,
    /// Position of the objective in the plan.
    pub slo: SloIndex,
    /// Position of the lane in its meters.
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

/// How one instance of an objective is measured.
#[derive(Clone, Debug)]
pub struct Meter {
    /// The instance; of several targets that of the first.
    pub slo: Arc<Slo>,
    /// Those of the other targets, which are judged by the same counts.
    pub beside: Vec<Arc<Slo>>,
    /// Position of its objective.
    pub of: SloIndex,
    /// Every source of events that it needs.
    pub lanes: Arc<[Lane]>,
    /// What part of the objective's events it counts.
    pub share: Share,
}

/// What part of an objective's events a meter counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Share {
    /// All, of an objective that is not divided into groups.
    All,
    /// All groups together. It is there also where nobody asks for it: by it is known when the
    /// objective was measured, and groups are looked for where it is counted.
    Whole {
        /// Whether it is an instance, judged and shown.
        shown: bool,
    },
    /// Those of one group.
    Group {
        /// What its series have of the labels that tell groups apart.
        labels: Labels,
        /// Whether it is to be there always. Of another one nothing is missed when it is gone:
        /// what was measured of the objective was measured of it.
        expected: bool,
    },
}

impl Meter {
    /// All that is promised of what it counts, in the order of the targets; at least one.
    pub fn promises(&self) -> impl Iterator<Item = &Arc<Slo>> {
        std::iter::once(&self.slo).chain(&self.beside)
    }

    /// One of these; the first where there are not so many.
    pub fn promise(&self, number: usize) -> &Arc<Slo> {
        let beside = number.checked_sub(1).and_then(|it| self.beside.get(it));
        beside.unwrap_or(&self.slo)
    }

    /// Whether it is an instance that is judged and shown.
    pub const fn is_shown(&self) -> bool {
        !matches!(self.share, Share::Whole { shown: false })
    }

    /// The labels of its group, if it counts one.
    pub const fn group(&self) -> Option<&Labels> {
        match &self.share {
            Share::Group { labels, .. } => Some(labels),
            Share::All | Share::Whole { .. } => None,
        }
    }

    /// Whether it is measured whenever its objective is, whether or not it has series.
    pub const fn follows_whole(&self) -> bool {
        matches!(
            self.share,
            Share::Group {
                expected: false,
                ..
            }
        )
    }
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
    /// The share of the slice's own events that were bad.
    Events {
        /// What is added up.
        terms: Vec<TermRead>,
        /// The share of them that may be bad.
        allowance: Fraction,
    },
    /// Probers that work or do not, slot by slot.
    Probe {
        /// The probers.
        probers: Read,
        /// How many of them make a slot bad; without it each sample is an event.
        quorum: Option<BadWhen>,
        /// The width of a slot.
        slot: Span,
        /// The share of the events of a slice that may be bad; without it the slots count as they are.
        allowance: Option<Fraction>,
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

/// Where counters are read that are a part of a sum.
#[derive(Clone, Copy, Debug)]
pub struct TermRead {
    /// The counters.
    pub read: Read,
    /// What one event of them adds.
    pub weight: Counts,
    /// What they count as.
    pub towards: Towards,
    /// Which threshold of a histogram they are about.
    pub threshold: u16,
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
            Self::Events { terms, .. } => {
                let mut families: Vec<FamilyIndex> = Vec::new();
                for term in terms {
                    if !families.contains(&term.read.family) {
                        families.push(term.read.family);
                    }
                }
                families
            }
            Self::Probe { probers, .. } => vec![probers.family],
            Self::Share { used, limit, .. } => vec![used.read.family, limit.read.family],
            Self::Level { gauge, .. } | Self::Age { gauge, .. } => vec![gauge.read.family],
            Self::Value { family, .. } | Self::Ratio { family } => vec![*family],
        }
    }

    /// Where series are read; nowhere by those that take all that an expression gives.
    pub fn reads(&self) -> Vec<Read> {
        match self {
            Self::Rate { total, .. } => vec![*total],
            Self::Drop { total, past, .. } => [*total].into_iter().chain(past.clone()).collect(),
            Self::Events { terms, .. } => terms.iter().map(|term| term.read).collect(),
            Self::Probe { probers, .. } => vec![*probers],
            Self::Share { used, limit, .. } => vec![used.read, limit.read],
            Self::Level { gauge, .. } | Self::Age { gauge, .. } => vec![gauge.read],
            Self::Value { .. } | Self::Ratio { .. } => Vec::new(),
        }
    }

    /// Whether its values are valid for a while after their samples, or made of several of them.
    pub const fn looks_back(&self) -> bool {
        match self {
            Self::Rate { .. }
            | Self::Drop { .. }
            | Self::Events { .. }
            | Self::Probe { .. }
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

    /// The selectors by which it reads series, each with its family; none where it reads whole
    /// answers, or counts by roles.
    pub fn selectors(&self) -> Vec<(FamilyIndex, SelectorPosition)> {
        match self {
            Self::Counters { .. } | Self::Points { .. } => Vec::new(),
            Self::Slices(slices) => {
                let reads = slices.judge.reads().into_iter();
                reads.map(|read| (read.family, read.selector)).collect()
            }
        }
    }

    /// Whether its slots hold samples or do not, so that one without any is known to hold none.
    pub const fn is_sparse(&self) -> bool {
        matches!(
            self,
            Self::Slices(SliceLane {
                judge: Judge::Probe {
                    allowance: None,
                    ..
                },
                ..
            })
        )
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
        let mut slos = Vec::new();
        let promises = by_what_is_counted(catalog).into_iter();
        for (index, (slo, beside)) in promises.enumerate() {
            let refuse = |source| PlanError {
                slo: slo.uid.clone(),
                source,
            };
            let lanes = draft.lanes_of(index, &slo).map_err(refuse)?;
            let all = std::iter::once(&slo).chain(&beside);
            let grouping = slo.grouping.as_ref();
            let groups = grouping.map(|grouping| PlannedGroups::of(grouping, all));
            let groups = groups.transpose().map_err(refuse)?;
            slos.push(Planned {
                slo,
                beside,
                lanes: lanes.into(),
                groups,
            });
        }
        let starts = Arc::new(draft.starts());
        let families = Arc::new(draft.families());
        Ok(Self {
            lanes_of: vec![Arc::default(); families.len()],
            starts,
            families,
            ..Self::default()
        }
        .with_slos(slos))
    }

    /// Who counts the series of a family.
    pub fn roll(&self, family: FamilyIndex) -> Roll<'_> {
        Roll::new(&self.families[family], &self.members)
    }

    /// The lanes that read a family.
    pub fn lanes_of(&self, family: FamilyIndex) -> &[LaneIndex] {
        self.lanes_of.get(family).map_or(&[], |lanes| lanes)
    }

    /// Whether a lane without cursors reads a series of a family.
    pub fn reads(&self, lane: LaneIndex, family: FamilyIndex, labels: LabelsRef) -> bool {
        let lane = self.lane(lane);
        match lane {
            Lane::Counters { .. } => false,
            Lane::Points { .. } => lane.families().contains(&family),
            Lane::Slices(_) => {
                let selected = lane.selectors();
                if selected.is_empty() {
                    return lane.families().contains(&family);
                }
                let matching = self.families[family].selectors.matching(labels);
                matching
                    .iter()
                    .any(|position| selected.contains(&(family, *position)))
            }
        }
    }

    /// A lane.
    pub fn lane(&self, (meter, lane): LaneIndex) -> &Lane {
        &self.meters[meter].lanes[lane]
    }
}

/// What is defined, the targets of one objective together: the first, and the others.
fn by_what_is_counted(catalog: &Catalog) -> Vec<(Arc<Slo>, Vec<Arc<Slo>>)> {
    let mut promises: BTreeMap<&SloId, (Arc<Slo>, Vec<Arc<Slo>>)> = BTreeMap::new();
    for slo in catalog.slos.values() {
        match promises.entry(&slo.counted_as) {
            Entry::Vacant(first) => {
                first.insert((Arc::clone(slo), Vec::new()));
            }
            Entry::Occupied(mut more) => more.get_mut().1.push(Arc::clone(slo)),
        }
    }
    promises.into_values().collect()
}
