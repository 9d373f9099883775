//! The roll of a family: which meters count a series, by what its objectives select and by its group.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::slot::Counts;
use crate::promql::selector_text;

use super::plan::{Family, MeterIndex, Role, SloIndex, Towards};

/// A series' part in one lane.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// Position of the meter in the plan.
    pub meter: MeterIndex,
    /// Position of the lane in the meter.
    pub lane: u16,
    /// What one event adds.
    pub weight: Counts,
    /// What it counts as.
    pub towards: Towards,
    /// Which threshold it is about, where it is of a histogram.
    pub threshold: Option<u16>,
}

impl Edge {
    /// Where the events of a series may be added once: as events, and beside that as the bad (or good)
    /// among them.
    const fn side(&self) -> (MeterIndex, u16, bool) {
        (self.meter, self.lane, is_event(self.weight))
    }
}

/// Whether something of this weight is an event by itself, and not only a bad (or good) one of others.
pub const fn is_event(weight: Counts) -> bool {
    weight.total > 0.0
}

/// The meters towards which a series with these edges counts twice.
pub(super) fn doubled(edges: &[Edge]) -> impl Iterator<Item = MeterIndex> {
    let mut sides = HashSet::new();
    let again = edges.iter().filter(move |edge| !sides.insert(edge.side()));
    again.map(|edge| edge.meter)
}

/// The meters of one objective.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// The meter of all events.
    pub whole: MeterIndex,
    /// The labels that tell groups apart; empty where nothing is grouped.
    pub by: Arc<[String]>,
    /// The meters of groups, by what their series have of these labels.
    pub groups: HashMap<Labels, MeterIndex>,
}

impl Members {
    /// One meter for all.
    pub fn one(whole: MeterIndex) -> Self {
        Self {
            whole,
            ..Self::default()
        }
    }

    /// Whether the objective is divided into groups.
    pub fn is_grouped(&self) -> bool {
        !self.by.is_empty()
    }

    /// What a series has of the labels that tell groups apart.
    pub fn group_of(&self, labels: LabelsRef) -> Labels {
        labels.only(&self.by)
    }

    /// The meters of its groups, by their labels.
    pub fn groups_in_order(&self) -> impl Iterator<Item = (&Labels, MeterIndex)> {
        let groups: BTreeMap<&Labels, MeterIndex> = self
            .groups
            .iter()
            .map(|(labels, meter)| (labels, *meter))
            .collect();
        groups.into_iter()
    }

    /// All of its meters.
    pub fn all(&self) -> impl Iterator<Item = MeterIndex> {
        std::iter::once(self.whole).chain(self.groups.values().copied())
    }

    /// The meters that count a series of the objective.
    fn meters_of(&self, labels: LabelsRef) -> impl Iterator<Item = MeterIndex> + use<> {
        let group = self
            .is_grouped()
            .then(|| self.groups.get(&self.group_of(labels)).copied());
        std::iter::once(self.whole).chain(group.flatten())
    }
}

/// One family, and the meters that there are.
#[derive(Clone, Copy, Debug)]
pub struct Roll<'p> {
    family: &'p Family,
    members: &'p [Arc<Members>],
}

impl<'p> Roll<'p> {
    /// The roll of a family whose roles are of these objectives.
    pub const fn new(family: &'p Family, members: &'p [Arc<Members>]) -> Self {
        Self { family, members }
    }

    /// The family.
    pub const fn family(&self) -> &'p Family {
        self.family
    }

    /// What a series counts towards.
    pub fn edges_of<'a>(&self, labels: LabelsRef<'a>) -> impl Iterator<Item = Edge> + use<'p, 'a> {
        let Self { family, members } = *self;
        family.roles_of(labels).flat_map(move |role: &Role| {
            let members = members.get(role.slo);
            let meters = members.map(|members| members.meters_of(labels));
            let edge = |meter| Edge {
                meter,
                lane: role.lane,
                weight: role.weight,
                towards: role.towards,
                threshold: role.threshold,
            };
            meters.into_iter().flatten().map(edge)
        })
    }

    /// The groups that a series makes up for which there is no meter, each with its objective.
    pub fn strangers<'a>(
        &self,
        labels: LabelsRef<'a>,
    ) -> impl Iterator<Item = (SloIndex, Labels)> + use<'p, 'a> {
        let members = self.members;
        self.family.roles_of(labels).filter_map(move |role| {
            let of = members.get(role.slo).filter(|of| of.is_grouped())?;
            let group = of.group_of(labels);
            (!of.groups.contains_key(&group)).then_some((role.slo, group))
        })
    }

    /// Two selectors by which a series counts twice towards an objective.
    pub fn doubled_by(&self, labels: LabelsRef, slo: SloIndex) -> Option<[String; 2]> {
        let mut sides: BTreeMap<(u16, bool), &Role> = BTreeMap::new();
        let own = self.family.roles_of(labels).filter(|role| role.slo == slo);
        for role in own {
            if let Some(other) = sides.insert((role.lane, is_event(role.weight)), role) {
                let selectors = &self.family.selectors;
                let text = |role: &Role| selectors.selector(role.selector).map(selector_text);
                return Some([text(other)?, text(role)?]);
            }
        }
        None
    }

    /// Whether any objective that counts here is divided into groups.
    pub fn is_grouped(&self) -> bool {
        let mut roles = self.family.roles.iter();
        roles.any(|role| self.members.get(role.slo).is_some_and(|of| of.is_grouped()))
    }
}
