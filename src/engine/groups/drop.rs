//! Groups that are gone: kept as long as their window holds anything, and dropped then.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::time::{Span, Timestamp};
use crate::engine::state::State;
use crate::engine::windows::Windows;
use crate::series::plan::{Lane, MeterIndex};
use crate::store::commit::Commit;

use super::Entry;

/// How often it is looked for groups that are gone.
const EVERY: Span = Span::from_mins(5);

impl State {
    /// Whether nothing is left of a group: it is not expected, nothing was counted in its window,
    /// and no alert of it is open. Only while its objective can be measured.
    pub(in crate::engine) fn may_be_gone(
        &self,
        meter: MeterIndex,
        windows: &Windows,
        at: Timestamp,
    ) -> bool {
        let Some(whole) = self.plan.measured_with(meter) else {
            return false;
        };
        windows.budget.counts.total <= 0.0
            && windows.budget.counts.bad <= 0.0
            && self.meters[meter].alert.incident.is_none()
            && self.missing(whole, at).is_none()
            && !self.is_walked(meter)
    }

    /// Drops those groups among `gone` of which no series is known either, so that one that comes
    /// back is a new one.
    pub(in crate::engine) fn drop_groups(
        &mut self,
        mut gone: BTreeSet<MeterIndex>,
        at: Timestamp,
        commit: &mut Commit,
    ) {
        if gone.is_empty() || at < self.groups.drops_after {
            return;
        }
        self.groups.drops_after = at + EVERY;
        for state in &self.families {
            for edge in state.table.edges() {
                gone.remove(&edge.meter);
            }
        }
        gone.retain(|meter| !self.has_slices(*meter, at));
        if gone.is_empty() {
            return;
        }
        for meter in &gone {
            let (slo, labels) = {
                let meter = &self.plan.meters[*meter];
                (Arc::clone(&meter.slo), meter.group().cloned())
            };
            tracing::info!(slo = %slo.id, tick = %at, "nothing is left of {}: it is dropped", slo.id);
            if let (Some(record), Some(labels)) = (self.groups.known.get_mut(&slo.uid), labels) {
                record.groups.remove(&labels);
            }
            self.groups.changed.insert(slo.uid.clone());
            commit.merge(Commit {
                dropped: BTreeSet::from([slo.id.clone()]),
                ..Commit::default()
            });
        }
        let dropped: Vec<_> = gone
            .iter()
            .map(|meter| self.plan.meters[*meter].slo.id.clone())
            .collect();
        let plan = Arc::new(self.plan.without_groups(&gone));
        self.go_over_to(&plan, Entry::Late);
        for slo in dropped {
            self.shelf.chunks.retain(|lane, _| lane.meter.slo != slo);
            self.shelf.lanes.retain(|lane, _| lane.meter.slo != slo);
            self.shelf.seen.retain(|meter| meter.slo != slo);
            self.shelf.versions.remove(&slo);
            self.orphans.remove(&slo);
        }
        self.groups.commit(commit);
    }

    /// Whether a lane without cursors showed something of the group of late.
    fn has_slices(&self, meter: MeterIndex, at: Timestamp) -> bool {
        let lanes = self.plan.meters[meter].lanes.iter();
        let mut lanes = lanes.zip(&self.meters[meter].lanes);
        lanes.any(|(planned, state)| {
            let grain = planned.slice().unwrap_or(self.settings.slot);
            !matches!(planned, Lane::Counters { .. }) && state.known_to >= Some(at - grain - EVERY)
        })
    }
}
