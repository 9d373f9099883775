//! Moves one objective's alert on by a tick, and puts what is to be told into the commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::incident::{AlertState, Change, Incident, Transition};
use crate::domain::indicator::Budgeting;
use crate::domain::notice::{Facts, Notice};
use crate::domain::policy::AlertPolicy;
use crate::domain::route::labels;
use crate::domain::slo::{Catalog, Slo};
use crate::domain::time::{Span, Timestamp};
use crate::series::plan::Meter;
use crate::store::OutboxKey;
use crate::store::commit::Commit;

use super::facts;
use super::judge::readings;
use super::promise::PromiseIndex;
use super::state::{CLOSED_INCIDENTS, MeterState, State};
use super::story;
use super::windows::Windows;

impl State {
    /// Judges the tiers of one objective and records what changes.
    pub(super) fn alert(
        &mut self,
        promise: PromiseIndex,
        catalog: &Catalog,
        windows: &Windows,
        at: Timestamp,
        commit: &mut Commit,
    ) {
        let slo = Arc::clone(self.promise(promise).slo);
        let policy = catalog.policy_of(&slo).cloned();
        let before = self.promise(promise).state.alert.clone();
        let told = match &policy {
            Some(policy) => self.step_alert(promise, &slo, policy, windows, at),
            None => self.promise_mut(promise).alert.remove(at),
        };
        if let Some((incident, transition)) = told {
            self.tell(
                promise,
                catalog,
                policy.as_deref(),
                windows,
                incident,
                transition,
                commit,
            );
        }
        let now = &self.promise(promise).state.alert;
        if *now != before {
            commit.alerts.insert(slo.id.clone(), now.clone());
        }
    }

    fn step_alert(
        &mut self,
        (meter, number): PromiseIndex,
        slo: &Slo,
        policy: &AlertPolicy,
        windows: &Windows,
        at: Timestamp,
    ) -> Option<(Incident, Transition)> {
        let MeterState {
            ledger, promises, ..
        } = &mut self.meters[meter];
        let state = &mut promises[number];
        let readings = readings(state, slo, policy, (windows, ledger));
        let looked = policy
            .tiers
            .iter()
            .map(|tier| tier.long)
            .max()
            .unwrap_or_default();
        let calm = policy.shortest_window().unwrap_or_default();
        let slice = match slo.budgeting() {
            Budgeting::Timeslices(slice) => slice,
            Budgeting::Occurrences => Span::ZERO,
        };
        let onset = || story::onset(ledger, slo.objective, looked, calm, slice, at);
        state
            .alert
            .step(&slo.id, &readings, at, onset, &policy.remind)
    }

    /// Puts a transition into the commit: the incident, and one outbox row for each receiver that
    /// the routes name or that was told of the incident before.
    #[expect(
        clippy::too_many_arguments,
        reason = "the facts of a notice come from all of them"
    )]
    fn tell(
        &mut self,
        index: PromiseIndex,
        catalog: &Catalog,
        policy: Option<&AlertPolicy>,
        windows: &Windows,
        mut incident: Incident,
        transition: Transition,
        commit: &mut Commit,
    ) {
        let promise = self.promise(index);
        let (meter, _) = index;
        let origins = self.contributors(meter, transition.at);
        let (_, origins) = origins.last().cloned().unwrap_or_default();
        let facts = facts::burn(
            &self.settings,
            promise,
            policy,
            windows,
            &origins,
            (&incident, &transition),
        );
        let labels = labels(promise.slo);
        if !matches!(transition.change, Change::Closed(_)) {
            let routed = catalog.routing.receivers(&labels, transition.severity);
            incident.told.extend(routed.into_iter().map(str::to_owned));
        }
        let notice = Notice {
            incident: incident.id.clone(),
            sequence: transition.sequence,
            at: transition.at,
            opened: incident.opened,
            change: transition.change,
            severity: transition.severity,
            labels,
            facts: Facts::Burn(Box::new(facts)),
        };
        enqueue(commit, notice, &incident.told);
        if let Some(open) = &mut self.promise_mut(index).alert.incident {
            Arc::make_mut(open).told.clone_from(&incident.told);
        }
        if incident.closed.is_some() {
            self.closed.push_front(Arc::new(incident.clone()));
            self.closed.truncate(CLOSED_INCIDENTS);
        }
        commit.incidents.insert(incident.id.clone(), incident);
    }

    /// Makes orphans of the alerts of those wholes that nobody judges or sees any more, since their
    /// objectives were divided into groups.
    pub(super) fn let_go_of_hidden(&mut self) {
        let plan = Arc::clone(&self.plan);
        let meters = plan.meters.iter().enumerate();
        let hidden: Vec<(usize, &Meter)> = meters.filter(|(_, it)| !self.is_shown(it)).collect();
        for (index, meter) in hidden {
            for (slo, state) in meter.promises().zip(&mut self.meters[index].promises) {
                let alert = std::mem::take(&mut state.alert);
                if alert != AlertState::default() {
                    self.orphans.insert(slo.id.clone(), alert);
                }
            }
        }
    }

    /// Closes the incidents of objectives that are no longer defined. Nobody can say what they
    /// measured, so receivers are told with the facts of their last notice: the close itself.
    pub(super) fn close_orphans(&mut self, at: Timestamp, commit: &mut Commit) {
        for (slo, mut alert) in std::mem::take(&mut self.orphans) {
            if let Some((incident, transition)) = alert.remove(at) {
                enqueue(commit, removed(&incident, transition), &incident.told);
                self.closed.push_front(Arc::new(incident.clone()));
                self.closed.truncate(CLOSED_INCIDENTS);
                commit.incidents.insert(incident.id.clone(), incident);
            }
            commit.alerts.insert(slo, alert);
        }
    }
}

/// The notice about an incident whose objective is gone: only what the incident itself knows.
fn removed(incident: &Incident, transition: Transition) -> Notice {
    let uid = incident.slo.as_str();
    let (service, name) = uid.split_once('/').unwrap_or((uid, ""));
    let pairs = [("service", service), ("slo", uid), ("objective", name)];
    Notice {
        incident: incident.id.clone(),
        sequence: transition.sequence,
        at: transition.at,
        opened: incident.opened,
        change: transition.change,
        severity: transition.severity,
        labels: pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        facts: Facts::Removed {
            slo: incident.slo.clone(),
        },
    }
}

/// One outbox row for each receiver.
pub(super) fn enqueue(commit: &mut Commit, notice: Notice, receivers: &BTreeSet<String>) {
    let notice = Arc::new(notice);
    for receiver in receivers {
        let (incident, sequence) = (notice.incident.clone(), notice.sequence);
        let key = OutboxKey {
            incident,
            receiver: receiver.clone(),
            sequence,
        };
        commit.outbox.insert(key, Arc::clone(&notice));
    }
}
