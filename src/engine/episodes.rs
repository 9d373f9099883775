//! Alerts that are not about a budget: how they begin and end, and who is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::incident::{Change, CloseReason, IncidentId};
use crate::domain::notice::{Facts, Notice};
use crate::domain::policy::Severity;
use crate::domain::route::labels;
use crate::domain::slo::{Catalog, Slo};
use crate::domain::time::Timestamp;
use crate::store::commit::{Commit, Episode, EpisodeKey};

use super::alerts::enqueue;
use super::state::State;

/// What begins and is not about a budget.
pub(super) struct Beginning {
    /// What tells it from all that begins at the same tick.
    pub(super) subject: String,
    /// Since when it is so.
    pub(super) since: Timestamp,
    pub(super) severity: Severity,
    /// What receivers match on.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) facts: Facts,
}

impl State {
    /// Tells `receivers` of something that begins, and remembers it until it ends.
    pub(super) fn open_episode(
        &mut self,
        key: EpisodeKey,
        beginning: Beginning,
        receivers: BTreeSet<String>,
        at: Timestamp,
        commit: &mut Commit,
    ) {
        let notice = Notice {
            incident: IncidentId::derive(&beginning.subject, at),
            sequence: 1,
            at,
            opened: beginning.since,
            change: Change::Opened,
            severity: beginning.severity,
            labels: beginning.labels,
            facts: beginning.facts,
        };
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
}

/// Whether its policy wants it told that a promise is not measured.
pub(super) fn is_told_of(slo: &Slo, catalog: &Catalog) -> bool {
    let policy = catalog.policy_of(slo);
    policy.is_some_and(|policy| policy.unmeasured.is_some())
}

/// Who is told of a ticket that is not about a budget and concerns all of `slos`: whoever is told of their own, of those
/// of which it is to be told when they are not measured.
pub(super) fn told_by_ticket<'a>(
    slos: impl Iterator<Item = &'a Arc<Slo>>,
    catalog: &Catalog,
) -> BTreeSet<String> {
    let mut receivers = BTreeSet::new();
    for slo in slos.filter(|slo| is_told_of(slo, catalog)) {
        let routed = catalog.routing.receivers(&labels(slo), Severity::Ticket);
        receivers.extend(routed.into_iter().map(str::to_owned));
    }
    receivers
}
