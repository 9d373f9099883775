//! Being unable to measure is an alert of its own: one for all objectives of a source that are blind
//! for the same reason by the time that it is told, however many they are.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::incident::CloseReason;
use crate::domain::measurement::Outcome;
use crate::domain::notice::{Facts, Notice, UnmeasuredFacts};
use crate::domain::objective::BurnRate;
use crate::domain::policy::{Severity, Unmeasured};
use crate::domain::route::labels;
use crate::domain::slo::{Catalog, Slo, SourceName};
use crate::domain::time::{TimeRange, Timestamp};
use crate::store::commit::{Commit, EpisodeKey};

use super::episodes::Beginning;
use super::promise::{Promise, PromiseIndex};
use super::state::State;

/// The objectives of one source that are to be told of together.
#[derive(Default)]
struct Group {
    /// Those that are blind.
    blind: Vec<PromiseIndex>,
    /// The loudest severity of their policies.
    severity: Option<Severity>,
    receivers: BTreeSet<String>,
}

/// An objective that cannot be measured, and whose policy wants that told.
struct Blind {
    /// Since when, however its measurements ended.
    since: Timestamp,
    /// How the last one ended.
    outcome: Outcome,
    /// Whether some have ended that way for as long as its policy allows.
    is_due: bool,
    severity: Severity,
}

impl State {
    /// Keeps track of how long each objective is blind, and tells when it is too long or over.
    ///
    /// Each is told of once: it belongs to the episode that named it until it is measured again,
    /// however its measurements end meanwhile. What is blind later is told in an episode of its own,
    /// with all that are by the time that the shortest grace has gone by: those that fail one after
    /// another are no message each.
    pub(super) fn watch_measurements(
        &mut self,
        at: Timestamp,
        catalog: &Catalog,
        commit: &mut Commit,
    ) {
        let notices = self.episodes.iter();
        let notices: Vec<(EpisodeKey, Arc<Notice>)> = notices
            .filter(|(key, _)| matches!(key, EpisodeKey::Unmeasured { .. }))
            .map(|(key, episode)| (key.clone(), Arc::clone(&episode.notice)))
            .collect();
        let told = named(&notices);
        let rules = catalog.policies.values();
        let rules = rules.filter_map(|policy| policy.unmeasured);
        let pause = rules.map(|rule| rule.after).min().unwrap_or_default();
        let lately = told_after(&notices, at - pause);
        let mut open = BTreeSet::new();
        let mut groups: BTreeMap<(SourceName, Outcome), Group> = BTreeMap::new();
        for index in self.shown() {
            let slo = Arc::clone(self.promise(index).slo);
            let rule = catalog.policy_of(&slo).and_then(|policy| policy.unmeasured);
            let Some(blind) = self.note_blind(index, rule, at, commit) else {
                continue;
            };
            let told = told.get(slo.id.as_str());
            if let Some((_, key)) = told.filter(|(told, _)| blind.since <= *told) {
                open.insert(*key);
            } else if blind.is_due && !lately.contains(&(&slo.source, blind.outcome)) {
                let group = groups.entry((slo.source.clone(), blind.outcome));
                let group = group.or_default();
                group.blind.push(index);
                group.severity = group.severity.max(Some(blind.severity));
                let routed = catalog.routing.receivers(&labels(&slo), blind.severity);
                group
                    .receivers
                    .extend(routed.into_iter().map(str::to_owned));
            }
        }
        let ended: Vec<_> = notices.iter().filter(|it| !open.contains(&it.0)).collect();
        for (key, notice) in ended {
            let reason = self.why_over(&notice.facts);
            self.close_episode(key, reason, Facts::clone, at, commit);
        }
        for ((source, outcome), group) in &groups {
            self.tell_unmeasured((source, *outcome), group, at, commit);
        }
    }

    /// Takes note of how the last measurement of a promise ended, for as long as `rule` wants it told
    /// that it is blind.
    fn note_blind(
        &mut self,
        index: PromiseIndex,
        rule: Option<Unmeasured>,
        at: Timestamp,
        commit: &mut Commit,
    ) -> Option<Blind> {
        let id = self.promise(index).slo.id.clone();
        let state = self.promise_mut(index);
        let outcome = state.outcome();
        let Some(rule) = rule.filter(|_| !outcome.is_good()) else {
            if !state.alert.unmeasured.is_empty() {
                state.alert.unmeasured.clear();
                commit.alerts.insert(id, state.alert.clone());
            }
            return None;
        };
        let ended = state.alert.unmeasured.entry(outcome);
        let is_new = matches!(ended, Entry::Vacant(_));
        let ended = *ended.or_insert(at);
        if is_new {
            commit.alerts.insert(id, state.alert.clone());
        }
        Some(Blind {
            since: state.alert.unmeasured_since().unwrap_or(at),
            outcome,
            is_due: at.since(ended) >= rule.after,
            severity: rule.severity,
        })
    }

    /// Why nobody is told any more of the objectives that an episode named: some are measured, or none
    /// is there, or is to be told of.
    fn why_over(&self, told: &Facts) -> CloseReason {
        let Facts::Unmeasured(told) = told else {
            return CloseReason::Removed;
        };
        let is_named = |slo: &Slo| {
            // Where groups were found, they are what is measured of the whole.
            let names = [slo.id.as_str(), slo.uid.as_str()];
            names
                .into_iter()
                .any(|name| told.blind.iter().any(|it| it == name))
        };
        let shown = self.shown().into_iter().map(|index| self.promise(index));
        let mut measured = shown.filter(|promise| promise.state.outcome().is_good());
        if measured.any(|promise| is_named(promise.slo)) {
            CloseReason::Recovered
        } else {
            CloseReason::Removed
        }
    }

    fn tell_unmeasured(
        &mut self,
        (source, outcome): (&SourceName, Outcome),
        group: &Group,
        at: Timestamp,
        commit: &mut Commit,
    ) {
        let Some(severity) = group.severity else {
            return;
        };
        let subject = format!("{source}/{}", outcome.name());
        let since = group
            .blind
            .iter()
            .filter_map(|promise| self.promise(*promise).state.alert.unmeasured_since())
            .min()
            .unwrap_or(at);
        let own = [("source", source.as_str()), ("outcome", outcome.name())];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let beginning = Beginning {
            subject,
            since,
            severity,
            labels: BTreeMap::from(own),
            facts: Facts::Unmeasured(Box::new(self.unmeasured((source, outcome), group, at))),
        };
        let key = EpisodeKey::Unmeasured {
            source: source.clone(),
            outcome,
            opened: at,
        };
        self.open_episode(key, beginning, group.receivers.clone(), at, commit);
    }

    fn unmeasured(
        &self,
        (source, outcome): (&SourceName, Outcome),
        group: &Group,
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
        let ended = group.blind.iter().filter_map(|promise| {
            let alert = &self.promise(*promise).state.alert;
            alert.unmeasured.get(&outcome).copied()
        });
        let ended = at.since(ended.min().unwrap_or(at));
        let ticks = ended.as_millis() / self.settings.tick.as_millis() + 1;
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

/// Which objectives were told of, each with the newest episode that named it.
fn named(notices: &[(EpisodeKey, Arc<Notice>)]) -> BTreeMap<&str, (Timestamp, &EpisodeKey)> {
    let mut named = BTreeMap::new();
    for (key, notice) in notices {
        let Facts::Unmeasured(facts) = &notice.facts else {
            continue;
        };
        for slo in &facts.blind {
            let newest = named.entry(slo.as_str()).or_insert((notice.at, key));
            *newest = (*newest).max((notice.at, key));
        }
    }
    named
}

/// Of which sources, and of which endings, something was told after `time`.
fn told_after(
    notices: &[(EpisodeKey, Arc<Notice>)],
    time: Timestamp,
) -> BTreeSet<(&SourceName, Outcome)> {
    let mut lately = BTreeSet::new();
    for (key, notice) in notices {
        if let EpisodeKey::Unmeasured {
            source, outcome, ..
        } = key
            && notice.at > time
        {
            lately.insert((source, *outcome));
        }
    }
    lately
}
