//! The plan: what to fetch from each source, and what each objective makes of it.

mod judge;
mod lane;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::slices::MissingData;
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
use super::starts::METRIC;

pub use judge::{GaugeRead, Judge, Read, TermRead};
pub use lane::{Lane, SliceLane};

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
    /// The labels that its selectors look at, and those that tell the groups of its objectives apart: series that
    /// are alike in these are counted alike.
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

    /// Whether thresholds of histograms are counted here.
    pub fn has_thresholds(&self) -> bool {
        self.roles.iter().any(|role| role.threshold.is_some())
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
    /// Which threshold they are about, where they are of a histogram.
    pub threshold: Option<u16>,
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

    /// What a slot of a lane counts as of which the source holds nothing. Nothing is missing of a group
    /// that may come and go: what it does not show any more is gone.
    pub fn missing(&self, lane: usize) -> MissingData {
        let lane = self.lanes.get(lane).filter(|_| !self.follows_whole());
        lane.map_or(MissingData::Hold, Lane::missing)
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
            let all = std::iter::once(&slo).chain(&beside);
            let policies = all.filter_map(|slo| catalog.policy_of(slo));
            let tiers = policies.flat_map(|policy| policy.tiers.iter().map(|tier| tier.long));
            slos.push(Planned {
                longest_tier: tiers.max().unwrap_or_default(),
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
