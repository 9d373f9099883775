//! The snapshot of a tick, for everybody who reads.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::domain::budget::ErrorBudget;
use crate::domain::measurement::{Measurement, Outcome};
use crate::domain::objective::BurnRate;
use crate::domain::policy::AlertPolicy;
use crate::domain::slo::{Catalog, Slo};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::Ledger;
use crate::series::plan::Family;
use crate::status::snapshot::{
    BurnStatus, EngineStatus, OpenEpisode, SloStatus, Snapshot, SourceStatus, TierStatus,
    WindowStatus,
};

use super::facts::{details, graph};
use super::judge::{guard, held_back_above};
use super::promise::{Promise, PromiseIndex, PromiseState};
use super::state::{MeterState, State};
use super::story;
use super::windows::Windows;

impl State {
    /// Everything as it stands after the tick `at`; the shell adds how the tick itself went, and what the clocks say.
    pub(super) fn snapshot(&self, at: Timestamp, slos: Vec<Arc<SloStatus>>) -> Snapshot {
        let promises = self.meters.iter().flat_map(|meter| &meter.promises);
        let open = promises.filter_map(|promise| promise.alert.incident.clone());
        let mut incidents: Vec<_> = open.collect();
        incidents.sort_by(|a, b| b.opened.cmp(&a.opened).then_with(|| a.slo.cmp(&b.slo)));
        incidents.extend(self.closed.iter().cloned());
        Snapshot {
            at: Some(at),
            tick: self.settings.tick,
            offset: self.settings.offset(),
            slos,
            incidents,
            episodes: self.open_episodes(),
            sources: self.source_statuses(),
            doubled: self.doubled(),
            engine: EngineStatus {
                births_ignored: self
                    .sources
                    .values()
                    .map(|source| source.births_ignored)
                    .sum(),
                ..EngineStatus::default()
            },
        }
    }

    fn open_episodes(&self) -> Vec<OpenEpisode> {
        let open = self.episodes.values().map(|episode| OpenEpisode {
            notice: Arc::clone(&episode.notice),
            told: episode.told.clone(),
        });
        let mut open: Vec<OpenEpisode> = open.collect();
        open.sort_by_key(|episode| Reverse(episode.notice.opened));
        open
    }

    fn source_statuses(&self) -> Vec<SourceStatus> {
        let status =
            |(name, source): (&crate::domain::slo::SourceName, &super::state::SourceState)| {
                let own = |family: &Family| family.source == *name;
                let families = self
                    .plan
                    .families
                    .iter()
                    .zip(&self.families)
                    .filter(|(family, _)| own(family));
                let series: u64 = families.map(|(_, state)| state.series()).sum();
                let settings = self.settings.sources.get(name);
                SourceStatus {
                    name: name.clone(),
                    origin: settings.and_then(|settings| settings.origin.clone()),
                    last_good: source.last_good,
                    error: source.error.clone(),
                    queries: source.queries,
                    failures: source.failures,
                    samples: source.samples,
                    series,
                    summed: self.summed_families(name),
                    twins: source.twins,
                    skew: None,
                    lag: Span::ZERO,
                    backfill: self.backfill(name),
                    births_ignored: source.births_ignored,
                    births: source.births.iter().cloned().collect(),
                }
            };
        self.sources.iter().map(status).collect()
    }

    /// One promise after its tick.
    pub(super) fn slo_status(
        &mut self,
        index: PromiseIndex,
        catalog: &Catalog,
        windows: &Windows,
        at: Timestamp,
    ) -> SloStatus {
        let budget = windows.errors;
        self.note_emptied(index, windows, budget);
        let (place, _) = index;
        let Promise { slo, meter, state } = self.promise(index);
        let policy = catalog.policy_of(slo);
        let none = Measurement {
            outcome: Outcome::NoData,
            at,
            last_good: None,
            reason: None,
            impossible: false,
        };
        SloStatus {
            id: slo.id.to_string(),
            group: slo.group.clone(),
            groups: self.group_count(place),
            alert: state
                .alert
                .incident
                .as_ref()
                .map(|incident| incident.severity),
            measurement: state.measurement.clone().unwrap_or(none),
            series: meter.series,
            bad_series_ever_seen: meter.bad_series_ever_seen,
            reconstructed_share: reconstructed_share(windows),
            window: WindowStatus {
                range: windows.range,
                counts: windows.budget.counts,
                coverage: windows.budget.covered,
            },
            versions: state.versions.clone(),
            budget,
            emptied_at: state.emptied_at,
            time_to_empty: windows.time_to_empty(slo.objective),
            burn: burns(slo, windows),
            tiers: policy
                .map(|policy| tiers(state, slo, policy, (windows, &meter.ledger)))
                .unwrap_or_default(),
            contributors: self.contributors(place, at),
            incident: state.alert.incident.clone(),
            details: details(&self.settings, slo),
            graph: graph(&self.settings, slo),
            ledger: meter.ledger.clone(),
            slo: Arc::clone(slo),
        }
    }

    /// Remembers when the budget was used up, for as long as it is.
    fn note_emptied(
        &mut self,
        (meter, number): PromiseIndex,
        windows: &Windows,
        budget: Option<ErrorBudget>,
    ) {
        let MeterState {
            ledger, promises, ..
        } = &mut self.meters[meter];
        let state = &mut promises[number];
        match budget {
            Some(budget) if budget.remaining() <= 0.0 && budget.bad > 0.0 => {
                // What moves along may have been empty for longer than it is; a period begins anew.
                let is_of_it = |at: &Timestamp| !windows.is_period() || *at > windows.range.from;
                let known = state.emptied_at.filter(is_of_it);
                state.emptied_at =
                    known.or_else(|| story::emptied(ledger, windows.range, budget.allowed));
            }
            _ => state.emptied_at = None,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "slots are counted in millions at most"
)]
fn reconstructed_share(windows: &Windows) -> f64 {
    let sum = &windows.budget;
    if sum.slots == 0 {
        0.0
    } else {
        sum.reconstructed_slots as f64 / sum.slots as f64
    }
}

fn burns(slo: &Slo, windows: &Windows) -> Vec<BurnStatus> {
    let burn =
        |(length, sum): (&crate::domain::time::Span, &crate::ledger::WindowSum)| BurnStatus {
            length: *length,
            counts: sum.counts,
            rate: BurnRate::of(sum.counts, slo.objective).map(BurnRate::get),
            coverage: sum.covered,
        };
    windows.tiers.iter().map(burn).collect()
}

fn tiers(
    state: &PromiseState,
    slo: &Slo,
    policy: &AlertPolicy,
    (windows, ledger): (&Windows, &Ledger),
) -> Vec<TierStatus> {
    let status = policy.tiers.iter().map(|tier| TierStatus {
        name: tier.name.clone(),
        severity: policy.severity_of(tier, slo.signal()),
        long: tier.long,
        short: tier.short,
        threshold: tier.threshold(slo.objective, windows.period, windows.get(tier.long).counts),
        bad: tier.bad(),
        firing: state
            .alert
            .tiers
            .get(&tier.name)
            .is_some_and(|tier| tier.is_firing()),
        guard: guard(slo, policy, tier, &windows.get(tier.long)),
        held_back: held_back_above(state, slo, policy, tier, (windows, ledger)),
    });
    status.collect()
}
