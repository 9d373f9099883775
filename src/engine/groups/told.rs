//! More groups than an objective may have are an alert of its own, as loud as a ticket: it ends when
//! there are none any more, and never while nobody can say so.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::group::Group;
use crate::domain::incident::CloseReason;
use crate::domain::notice::{Facts, RefusedFacts};
use crate::domain::policy::Severity;
use crate::domain::refusal::{Refusal, Sighting, Turn};
use crate::domain::route::labels;
use crate::domain::slo::{Catalog, SloId};
use crate::domain::time::{Span, Timestamp};
use crate::engine::episodes::{Beginning, told_by_ticket};
use crate::engine::facts::details;
use crate::engine::state::State;
use crate::engine::windows::Windows;
use crate::series::groups::Planned;
use crate::series::plan::SloIndex;
use crate::store::commit::{Commit, EpisodeKey};

use super::refused::Refused;

/// So many of the groups that are refused are named.
const NAMED: usize = 5;

impl State {
    /// Tells of objectives that have found more groups than they may have for a while, and when that
    /// is over. Groups that are watched have no part in it.
    pub(in crate::engine) fn watch_groups(
        &mut self,
        at: Timestamp,
        catalog: &Catalog,
        commit: &mut Commit,
    ) {
        let plan = Arc::clone(&self.plan);
        let mut watched: BTreeSet<&SloId> = BTreeSet::new();
        for (of, planned) in plan.slos.iter().enumerate() {
            let Some(patience) = patience(planned, catalog) else {
                continue;
            };
            let slo = &planned.slo.counted_as;
            watched.insert(slo);
            let before = self.groups.known.get(slo).and_then(|it| it.refusal);
            let sighting = self.sighting(of, before, catalog, at);
            let (after, turn) = Refusal::after(before, sighting, at, patience);
            if after != before {
                self.groups.set_refusal(slo, after);
            }
            let key = EpisodeKey::Refused(slo.clone());
            match turn {
                Some(Turn::Begins(since)) => {
                    let told = told_by_ticket(planned.promises(), catalog);
                    let beginning = self.refused_beginning(of, since);
                    self.open_episode(key, beginning, told, at, commit);
                }
                Some(Turn::Ends) => {
                    let now = self.refused_facts(of);
                    let facts = |told: &Facts| over(told, &now);
                    self.close_episode(&key, CloseReason::Recovered, facts, at, commit);
                }
                None => {}
            }
        }
        self.end_unwatched(&watched, at, commit);
    }

    /// What a tick shows of groups that are refused. That there are some only a tick says that read
    /// all that their objective needs, and that there are none, one that measured it.
    fn sighting(
        &self,
        of: SloIndex,
        before: Option<Refusal>,
        catalog: &Catalog,
        at: Timestamp,
    ) -> Sighting {
        let slo = &self.plan.slos[of].slo;
        let refused = self.groups.refused.get(&slo.counted_as);
        if refused.is_some_and(|refused| refused.present() > 0) {
            let is_read = self.read_to(of) >= Some(at);
            return if is_read {
                Sighting::Refused
            } else {
                Sighting::Unknown
            };
        }
        if before.is_none() {
            return Sighting::Clear;
        }
        let whole = (self.plan.members(of).whole, 0);
        let policy = catalog.policy_of(slo).map(AsRef::as_ref);
        let windows = Windows::of(&self.promise(whole), policy, None, at);
        if self.measure(whole, &windows, at).outcome.is_good() {
            Sighting::Clear
        } else {
            Sighting::Unknown
        }
    }

    /// Ends what was told of objectives that are gone, that are divided into groups no longer, and of
    /// which nobody is to be told any more.
    fn end_unwatched(&mut self, watched: &BTreeSet<&SloId>, at: Timestamp, commit: &mut Commit) {
        let is_over = |key: &&EpisodeKey| match key {
            EpisodeKey::Unmeasured { .. } | EpisodeKey::PassedOver => false,
            EpisodeKey::Refused(slo) => !watched.contains(slo),
        };
        let over: Vec<EpisodeKey> = self.episodes.keys().filter(is_over).cloned().collect();
        for key in &over {
            self.close_episode(key, CloseReason::Removed, Facts::clone, at, commit);
        }
        let known = self.groups.known.iter();
        let waiting = known.filter(|(slo, it)| it.refusal.is_some() && !watched.contains(slo));
        let waiting: Vec<SloId> = waiting.map(|(slo, _)| slo.clone()).collect();
        for slo in &waiting {
            self.groups.set_refusal(slo, None);
        }
    }

    fn refused_beginning(&self, of: SloIndex, since: Timestamp) -> Beginning {
        let slo = &self.plan.slos[of].slo;
        let mut labels = labels(slo);
        // All targets of an objective have the same groups.
        labels.remove("target");
        labels.insert("slo".to_owned(), slo.counted_as.to_string());
        Beginning {
            subject: format!("groups of {}", slo.counted_as),
            since,
            severity: Severity::Ticket,
            labels,
            facts: Facts::Refused(Box::new(self.refused_facts(of))),
        }
    }

    fn refused_facts(&self, of: SloIndex) -> RefusedFacts {
        let slo = &self.plan.slos[of].slo;
        let members = self.plan.members(of);
        let count = self.group_count(members.whole).unwrap_or_default();
        let refused = self.groups.refused.get(&slo.counted_as);
        let some = refused.into_iter().flat_map(Refused::all_present);
        let name = |labels| format!("{{{}}}", Group::of(&members.by, labels));
        RefusedFacts {
            slo: slo.counted_as.clone(),
            service: slo.service.clone(),
            name: slo.name.clone(),
            by: members.by.to_vec(),
            has_whole: slo.grouping.as_ref().is_some_and(|it| it.also_whole),
            known: count.known,
            most: count.most,
            refused: count.refused,
            more: refused.is_some_and(Refused::are_more),
            some: some.take(NAMED).map(name).collect(),
            details: details(&self.settings, slo),
        }
    }
}

/// How long there may be too many groups before somebody is told, and none before they are told of
/// that: what is refused is not measured, so it is as with all that is not. `None` where nobody is
/// to be told.
fn patience(planned: &Planned, catalog: &Catalog) -> Option<Span> {
    planned.grouping()?;
    let rules = planned
        .promises()
        .filter_map(|slo| catalog.policy_of(slo)?.unmeasured);
    rules.map(|rule| rule.after).min()
}

/// What is told at the end: what was refused when it was told, and how many groups there are now.
fn over(told: &Facts, now: &RefusedFacts) -> Facts {
    match told {
        Facts::Refused(told) => Facts::Refused(Box::new(RefusedFacts {
            known: now.known,
            most: now.most,
            ..(**told).clone()
        })),
        other => other.clone(),
    }
}
