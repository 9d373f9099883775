//! Which instances an objective has: plans that know more groups, or fewer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::group::{Group, Grouping};
use crate::domain::labels::Labels;
use crate::domain::objective::Objective;
use crate::domain::slo::{Slo, SloId};
use crate::domain::time::Span;
use crate::promql::{CompiledMatchers, PromqlError};

use super::plan::{Lane, Meter, MeterIndex, Plan, Share, SloIndex};
use super::roll::Members;

/// What is planned for one objective, whatever groups it has.
#[derive(Debug)]
pub struct Planned {
    /// The objective as it is defined; of several targets the first.
    pub slo: Arc<Slo>,
    /// The other targets: further promises on what is counted.
    pub beside: Vec<Arc<Slo>>,
    /// Every source of events that each of its meters needs.
    pub lanes: Arc<[Lane]>,
    /// How it is divided into groups, if it is.
    pub groups: Option<PlannedGroups>,
    /// How far back the tiers look that its promises are judged by; zero without any.
    pub longest_tier: Span,
}

/// How an objective is divided into groups.
#[derive(Debug)]
pub struct PlannedGroups {
    grouping: Arc<Grouping>,
    /// Other objectives for some groups, of each promise.
    overrides: BTreeMap<SloId, Overrides>,
}

type Overrides = Vec<(CompiledMatchers, Objective)>;

impl PlannedGroups {
    /// How the promises of an objective, which are divided alike, are divided.
    pub(super) fn of<'a>(
        grouping: &Arc<Grouping>,
        promises: impl IntoIterator<Item = &'a Arc<Slo>>,
    ) -> Result<Self, PromqlError> {
        let compiled = |slo: &Arc<Slo>| {
            let overrides = slo.grouping.iter().flat_map(|own| &own.overrides);
            let overrides = overrides.map(|it| {
                let matchers = CompiledMatchers::new(&it.whom)?;
                Ok((matchers, it.objective))
            });
            Ok((slo.uid.clone(), overrides.collect::<Result<_, _>>()?))
        };
        Ok(Self {
            grouping: Arc::clone(grouping),
            overrides: promises
                .into_iter()
                .map(compiled)
                .collect::<Result<_, _>>()?,
        })
    }

    /// What `slo` promises for a group; the first override that matches holds.
    fn objective(&self, slo: &Slo, labels: &Labels) -> Objective {
        let mut overrides = self.overrides.get(&slo.uid).into_iter().flatten();
        let found = overrides.find(|(matchers, _)| matchers.matches(labels));
        found.map_or(slo.objective, |(_, objective)| *objective)
    }
}

impl Planned {
    /// Its grouping, if it is divided into groups.
    pub fn grouping(&self) -> Option<&Arc<Grouping>> {
        self.groups.as_ref().map(|groups| &groups.grouping)
    }

    /// All that is promised of it.
    pub fn promises(&self) -> impl Iterator<Item = &Arc<Slo>> {
        std::iter::once(&self.slo).chain(&self.beside)
    }

    fn whole(&self, of: SloIndex) -> Meter {
        let share = match self.grouping() {
            None => Share::All,
            Some(grouping) => Share::Whole {
                shown: grouping.also_whole,
            },
        };
        Meter {
            slo: Arc::clone(&self.slo),
            beside: self.beside.clone(),
            of,
            lanes: Arc::clone(&self.lanes),
            share,
        }
    }

    fn group(&self, of: SloIndex, labels: &Labels) -> Option<Meter> {
        let groups = self.groups.as_ref()?;
        let group = Group::of(&groups.grouping.by, labels);
        let expected = groups.grouping.expected.contains(&group);
        let promise = |slo: &Arc<Slo>| {
            let objective = groups.objective(slo, labels);
            Arc::new(slo.of_group(group.clone(), objective))
        };
        Some(Meter {
            slo: promise(&self.slo),
            beside: self.beside.iter().map(promise).collect(),
            of,
            lanes: Arc::clone(&self.lanes),
            share: Share::Group {
                labels: labels.clone(),
                expected,
            },
        })
    }
}

impl Plan {
    /// The meters that follow from the definitions alone.
    pub(super) fn with_slos(mut self, slos: Vec<Planned>) -> Self {
        for (of, planned) in slos.iter().enumerate() {
            let whole = self.add(planned.whole(of));
            let grouping = planned.grouping();
            self.members.push(Arc::new(Members {
                whole,
                by: grouping
                    .map(|it| it.by.as_slice().into())
                    .unwrap_or_default(),
                ..Members::default()
            }));
            for group in grouping.iter().flat_map(|it| &it.expected) {
                self.add_group(planned, of, &group.labels());
            }
        }
        self.slos = Arc::new(slos);
        self
    }

    /// The same plan with more groups. Positions go on to mean the same. Those that are known, and
    /// those of objectives without groups, are passed over.
    #[must_use]
    pub fn with_groups<'l>(
        &self,
        groups: impl IntoIterator<Item = (SloIndex, &'l Labels)>,
    ) -> Self {
        let mut plan = self.clone();
        let slos = Arc::clone(&self.slos);
        for (of, labels) in groups {
            let is_new = plan.group(of, labels).is_none();
            if let Some(planned) = slos.get(of).filter(|_| is_new) {
                plan.add_group(planned, of, labels);
            }
        }
        plan
    }

    /// A plan that knows nothing of some groups any more, with positions of its own.
    #[must_use]
    pub fn without_groups(&self, gone: &BTreeSet<MeterIndex>) -> Self {
        let mut kept: BTreeMap<SloIndex, Vec<&Labels>> = BTreeMap::new();
        for (index, meter) in self.meters.iter().enumerate() {
            if let Some(labels) = meter.group().filter(|_| !gone.contains(&index)) {
                kept.entry(meter.of).or_default().push(labels);
            }
        }
        let mut plan = Self {
            meters: Vec::new(),
            members: Vec::new(),
            lanes_of: vec![Arc::default(); self.families.len()],
            numbering: Arc::new(()),
            ..self.clone()
        };
        for (of, planned) in self.slos.iter().enumerate() {
            let whole = plan.add(planned.whole(of));
            plan.members.push(Arc::new(Members {
                whole,
                by: Arc::clone(&self.members[of].by),
                ..Members::default()
            }));
        }
        let kept = kept.into_iter().flat_map(|(of, groups)| {
            let group = move |labels| (of, labels);
            groups.into_iter().map(group)
        });
        for (of, labels) in kept {
            plan.add_group(&self.slos[of], of, labels);
        }
        plan
    }

    /// Whether positions of `other` mean the same here, as far as both have them.
    pub fn numbers_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.numbering, &other.numbering)
    }

    /// The meters of an objective.
    pub fn members(&self, of: SloIndex) -> &Members {
        &self.members[of]
    }

    /// The meter of a group.
    pub fn group(&self, of: SloIndex, labels: &Labels) -> Option<MeterIndex> {
        self.members.get(of)?.groups.get(labels).copied()
    }

    /// The meter of all events of the objective that a meter belongs to.
    pub fn whole_of(&self, meter: MeterIndex) -> MeterIndex {
        self.members[self.meters[meter].of].whole
    }

    /// The meter that tells when a group was measured: that of all events, unless the group is
    /// expected, and so measured by itself.
    pub fn measured_with(&self, meter: MeterIndex) -> Option<MeterIndex> {
        let follows = self.meters[meter].follows_whole();
        follows.then(|| self.whole_of(meter))
    }

    fn add(&mut self, meter: Meter) -> MeterIndex {
        let index = self.meters.len();
        for (number, lane) in meter.lanes.iter().enumerate() {
            let families: BTreeSet<usize> = lane.families().into_iter().collect();
            for family in families {
                if let Some(lanes) = self.lanes_of.get_mut(family) {
                    Arc::make_mut(lanes).push((index, number));
                }
            }
        }
        self.meters.push(meter);
        index
    }

    fn add_group(&mut self, planned: &Planned, of: SloIndex, labels: &Labels) {
        if let Some(meter) = planned.group(of, labels) {
            let index = self.add(meter);
            let members = Arc::make_mut(&mut self.members[of]);
            members.groups.insert(labels.clone(), index);
        }
    }
}
