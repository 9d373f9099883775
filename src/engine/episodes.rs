//! Being unable to measure is an alert of its own: one for each source and kind of failure, however
//! many objectives are blind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::incident::{Change, CloseReason, IncidentId};
use crate::domain::measurement::Outcome;
use crate::domain::notice::{Facts, Notice, UnmeasuredFacts};
use crate::domain::objective::BurnRate;
use crate::domain::policy::Severity;
use crate::domain::slo::{Catalog, SourceName};
use crate::domain::time::{TimeRange, Timestamp};
use crate::store::commit::{Commit, Episode, EpisodeKey};

use super::alerts::{enqueue, labels};
use super::promise::{Promise, PromiseIndex};
use super::state::State;

/// The objectives of one source that end the same way.
#[derive(Default)]
struct Group {
    /// Those that are blind.
    blind: Vec<PromiseIndex>,
    /// Whether one of them has been blind for as long as its policy allows.
    due: bool,
    /// The loudest severity of their policies.
    severity: Option<Severity>,
    receivers: BTreeSet<String>,
}

impl State {
    /// Keeps track of how long each objective is blind, and tells when it is too long or over.
    pub(super) fn watch_measurements(
        &mut self,
        at: Timestamp,
        catalog: &Catalog,
        commit: &mut Commit,
    ) {
        let groups = self.groups(at, catalog, commit);
        let ended: Vec<EpisodeKey> = self
            .episodes
            .keys()
            .filter(|key| matches!(key, EpisodeKey::Unmeasured { .. }))
            .filter(|key| !groups.contains_key(*key))
            .cloned()
            .collect();
        for key in ended {
            self.close_episode(&key, CloseReason::Recovered, Facts::clone, at, commit);
        }
        for (key, group) in &groups {
            if group.due && !self.episodes.contains_key(key) {
                self.tell_unmeasured(key, group, at, commit);
            }
        }
    }

    fn groups(
        &mut self,
        at: Timestamp,
        catalog: &Catalog,
        commit: &mut Commit,
    ) -> BTreeMap<EpisodeKey, Group> {
        let mut groups: BTreeMap<EpisodeKey, Group> = BTreeMap::new();
        for index in self.shown() {
            let slo = Arc::clone(self.promise(index).slo);
            let rule = catalog.policy_of(&slo).and_then(|policy| policy.unmeasured);
            let state = self.promise_mut(index);
            let outcome = state.outcome();
            let rule = rule.filter(|_| !outcome.is_good());
            let before = state.alert.unmeasured_since;
            let since = before.unwrap_or(at);
            state.alert.unmeasured_since = rule.map(|_| since);
            if state.alert.unmeasured_since != before {
                commit.alerts.insert(slo.id.clone(), state.alert.clone());
            }
            let Some(rule) = rule else {
                continue;
            };
            let group = groups
                .entry(EpisodeKey::Unmeasured {
                    source: slo.source.clone(),
                    outcome,
                })
                .or_default();
            group.blind.push(index);
            group.due |= at.since(since) >= rule.after;
            group.severity = group.severity.max(Some(rule.severity));
            let routed = catalog.routing.receivers(&labels(&slo), rule.severity);
            group
                .receivers
                .extend(routed.into_iter().map(str::to_owned));
        }
        groups
    }

    fn tell_unmeasured(
        &mut self,
        key: &EpisodeKey,
        group: &Group,
        at: Timestamp,
        commit: &mut Commit,
    ) {
        let (Some(severity), EpisodeKey::Unmeasured { source, outcome }) = (group.severity, key)
        else {
            return;
        };
        let subject = format!("{source}/{}", outcome.name());
        let since = group
            .blind
            .iter()
            .filter_map(|promise| self.promise(*promise).state.alert.unmeasured_since)
            .min()
            .unwrap_or(at);
        let own = [("source", source.as_str()), ("outcome", outcome.name())];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let notice = Notice {
            incident: IncidentId::derive(&subject, at),
            sequence: 1,
            at,
            opened: since,
            change: Change::Opened,
            severity,
            labels: BTreeMap::from(own),
            facts: Facts::Unmeasured(Box::new(self.unmeasured(
                (source, *outcome),
                group,
                since,
                at,
            ))),
        };
        self.open_episode(key.clone(), notice, group.receivers.clone(), commit);
    }

    /// Tells `receivers` of something that begins, and remembers it until it ends.
    pub(super) fn open_episode(
        &mut self,
        key: EpisodeKey,
        notice: Notice,
        receivers: BTreeSet<String>,
        commit: &mut Commit,
    ) {
        enqueue(commit, notice.clone(), &receivers);
        let episode = Episode {
            incident: notice.incident.clone(),
            since: notice.opened,
            opened: notice.at,
            told: receivers,
            notice: Arc::new(notice),
        };
        commit.episodes.insert(key.clone(), Some(episode.clone()));
        self.episodes.insert(key, episode);
    }

    /// Tells those who know of it that something is over, with `facts` made of those that were told.
    pub(super) fn close_episode(
        &mut self,
        key: &EpisodeKey,
        reason: CloseReason,
        facts: impl FnOnce(&Facts) -> Facts,
        at: Timestamp,
        commit: &mut Commit,
    ) {
        let Some(episode) = self.episodes.remove(key) else {
            return;
        };
        let notice = Notice {
            sequence: 2,
            at,
            change: Change::Closed(reason),
            facts: facts(&episode.notice.facts),
            ..(*episode.notice).clone()
        };
        enqueue(commit, notice, &episode.told);
        commit.episodes.insert(key.clone(), None);
    }

    fn unmeasured(
        &self,
        (source, outcome): (&SourceName, Outcome),
        group: &Group,
        since: Timestamp,
        at: Timestamp,
    ) -> UnmeasuredFacts {
        let measurements = || {
            group
                .blind
                .iter()
                .filter_map(|promise| self.promise(*promise).state.measurement.as_ref())
        };
        let held = |promise: &PromiseIndex| {
            let Promise { slo, meter, state } = self.promise(*promise);
            let incident = state.alert.incident.as_ref()?;
            let read = state
                .measurement
                .as_ref()
                .and_then(|last| last.last_good)
                .unwrap_or(incident.opened);
            let range = TimeRange {
                from: incident.onset,
                to: read,
            };
            let counts = meter.ledger.sum(range).counts;
            Some((
                slo.id.to_string(),
                incident.severity,
                BurnRate::of(counts, slo.objective).map(BurnRate::get),
            ))
        };
        let ticks = at.since(since).as_millis() / self.settings.tick.as_millis() + 1;
        UnmeasuredFacts {
            source: source.clone(),
            reason: measurements()
                .find_map(|last| last.reason.clone())
                .unwrap_or_default(),
            last_good: measurements().filter_map(|last| last.last_good).max(),
            // Where there is no data, reads succeed and bring nothing.
            failed_reads: if outcome == Outcome::NoData {
                0
            } else {
                u64::try_from(ticks).unwrap_or_default()
            },
            blind: group
                .blind
                .iter()
                .map(|promise| self.promise(*promise).slo.id.to_string())
                .collect(),
            held: group.blind.iter().filter_map(held).collect(),
        }
    }
}
