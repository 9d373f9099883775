//! Groups that are gone: kept as long as their window holds anything, and dropped then.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::slo::SloId;
use crate::domain::time::{Span, Timestamp};
use crate::engine::promise::PromiseIndex;
use crate::engine::state::State;
use crate::engine::windows::Windows;
use crate::series::plan::{Lane, MeterIndex};
use crate::store::commit::Commit;

use super::Entry;

/// How often it is looked for groups that are gone.
const EVERY: Span = Span::from_mins(5);

impl State {
    /// Whether nothing is left of a group as far as a promise looks: it is not expected, nothing was
    /// counted in its window, and no alert of it is open. Only while its objective can be measured.
    pub(in crate::engine) fn may_be_gone(
        &self,
        promise: PromiseIndex,
        windows: &Windows,
        at: Timestamp,
    ) -> bool {
        let (meter, _) = promise;
        let Some(whole) = self.plan.measured_with(meter) else {
            return false;
        };
        windows.budget.counts.total <= 0.0
            && windows.budget.counts.bad <= 0.0
            && self.promise(promise).state.alert.incident.is_none()
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
        gone.retain(|meter| !self.has_slices(*meter, at) && self.knows_series(*meter));
        if gone.is_empty() {
            return;
        }
        for meter in &gone {
            let meter = &self.plan.meters[*meter];
            let id = &meter.slo.counted_as;
            tracing::info!(slo = %id, tick = %at, "nothing is left of {id}: it is dropped");
            let objective = &self.plan.slos[meter.of].slo.counted_as;
            if let (Some(record), Some(labels)) =
                (self.groups.known.get_mut(objective), meter.group())
            {
                record.groups.remove(labels);
            }
            self.groups.changed.insert(objective.clone());
        }
        let dropped: BTreeSet<SloId> = gone
            .iter()
            .map(|meter| &self.plan.meters[*meter])
            .flat_map(|meter| meter.promises().flat_map(|slo| [&slo.counted_as, &slo.id]))
            .cloned()
            .collect();
        commit.merge(Commit {
            dropped: dropped.clone(),
            ..Commit::default()
        });
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

    /// Whether the series that a meter counts are known, as far as there are any.
    fn knows_series(&self, meter: MeterIndex) -> bool {
        let mut families = self.plan.meters[meter]
            .lanes
            .iter()
            .flat_map(Lane::families);
        families.all(|family| !self.families[family].unprimed)
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
