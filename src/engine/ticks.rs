//! Passing over too many ticks is an alert of its own, as loud as a ticket: what burns meanwhile is told late.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::incident::CloseReason;
use crate::domain::notice::{Facts, PassedOverFacts};
use crate::domain::policy::Severity;
use crate::domain::punctuality::{Missed, PassedOver, Turn};
use crate::domain::slo::Catalog;
use crate::domain::time::{Span, Timestamp};
use crate::series::groups::Planned;
use crate::store::commit::{Commit, EpisodeKey};

use super::episodes::{Beginning, is_told_of, told_by_ticket};
use super::state::State;

impl State {
    /// Tells when too many ticks were passed over, and when the tick `at` ends an hour in which few were.
    pub(super) fn watch_ticks(
        &mut self,
        at: Timestamp,
        (passed_over, took): (PassedOver, Span),
        catalog: &Catalog,
        commit: &mut Commit,
    ) {
        let key = EpisodeKey::PassedOver;
        let is_told = self.episodes.contains_key(&key);
        let tick = (at, self.settings.tick);
        let turn = self.punctuality.note(tick, (passed_over, took), is_told);
        let plan = Arc::clone(&self.plan);
        let promises = || plan.slos.iter().flat_map(Planned::promises);
        let is_wanted = promises().any(|slo| is_told_of(slo, catalog));
        match turn {
            _ if is_told && !is_wanted => {
                self.close_episode(&key, CloseReason::Removed, Facts::clone, at, commit);
            }
            Some(Turn::Ends) => {
                self.close_episode(&key, CloseReason::Recovered, Facts::clone, at, commit);
            }
            Some(Turn::Begins(missed)) if is_wanted => {
                let told = told_by_ticket(promises(), catalog);
                self.open_episode(key, self.too_many_missed(missed), told, at, commit);
            }
            Some(Turn::Begins(_)) | None => {}
        }
    }

    fn too_many_missed(&self, missed: Missed) -> Beginning {
        let base = self.settings.external_url.as_deref();
        let facts = PassedOverFacts {
            ticks: missed.passed_over,
            due: missed.due,
            tick: self.settings.tick,
            took: missed.took,
            details: base.map(|base| format!("{base}/sources")),
        };
        Beginning {
            // Where daemons tell the same receiver, their addresses tell them apart.
            subject: format!("ticks of {}", base.unwrap_or_default()),
            since: missed.since,
            severity: Severity::Ticket,
            labels: BTreeMap::new(),
            facts: Facts::PassedOver(Box::new(facts)),
        }
    }
}
