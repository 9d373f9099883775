//! Incidents, the newest first, page by page.

use std::collections::HashMap;

use crate::domain::slo::SloId;
use crate::status::freshness::Freshness;
use crate::status::names::IncidentState;
use crate::status::page::{Paging, Place};
use crate::status::snapshot::Snapshot;
use crate::status::view::incident::IncidentView;
use crate::status::view::list::ListView;

use super::parameters::{Parameters, QueryError};

/// Which incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentQuery {
    state: IncidentState,
    service: Option<String>,
    paging: Paging,
}

impl IncidentQuery {
    /// Reads the parameters of a request; without `state` all are wanted.
    pub fn read(pairs: Vec<(String, String)>) -> Result<Self, QueryError> {
        let mut given = Parameters::read(pairs, &["state", "service", "limit", "cursor"])?;
        Ok(Self {
            state: given.one_of("state")?.unwrap_or(IncidentState::All),
            service: given.0.remove("service"),
            paging: given.paging("incident")?,
        })
    }

    /// The page that was asked for, newest first.
    pub fn list(&self, snapshot: &Snapshot, freshness: Freshness) -> ListView<IncidentView> {
        let services: HashMap<&SloId, &str> = snapshot
            .slos
            .iter()
            .map(|status| (&status.slo.id, status.slo.service.as_str()))
            .collect();
        let mut places = Vec::new();
        for incident in &snapshot.incidents {
            let service = services.get(&incident.slo).copied();
            let of_state = match self.state {
                IncidentState::Open => incident.closed.is_none(),
                IncidentState::Closed => incident.closed.is_some(),
                IncidentState::All => true,
            };
            if of_state && (self.service.is_none() || self.service.as_deref() == service) {
                let place = Place {
                    ranks: [-incident.opened.as_millis(), 0, 0],
                    id: incident.id.as_str(),
                };
                places.push((place, (incident, service)));
            }
        }
        let (page, next) = self.paging.cut("incident", places);
        let items = page
            .into_iter()
            .map(|(incident, service)| IncidentView::of(incident, service));
        ListView::new(freshness, items.collect(), next)
    }
}
