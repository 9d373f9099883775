//! Services, by name, page by page.

use std::collections::BTreeMap;

use crate::status::freshness::Freshness;
use crate::status::page::{Paging, Place};
use crate::status::snapshot::{SloStatus, Snapshot};
use crate::status::view::list::ListView;
use crate::status::view::service::ServiceView;

use super::parameters::{Parameters, QueryError};

/// Which services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceQuery {
    paging: Paging,
}

impl ServiceQuery {
    /// Reads the parameters of a request.
    pub fn read(pairs: Vec<(String, String)>) -> Result<Self, QueryError> {
        let mut given = Parameters::read(pairs, &["limit", "cursor"])?;
        let paging = given.paging("service")?;
        Ok(Self { paging })
    }

    /// The page that was asked for, by name.
    pub fn list(&self, snapshot: &Snapshot, freshness: Freshness) -> ListView<ServiceView> {
        let mut services: BTreeMap<&str, Vec<&SloStatus>> = BTreeMap::new();
        for slo in &snapshot.slos {
            services.entry(&slo.slo.service).or_default().push(slo);
        }
        let place = |id| Place { ranks: [0; 3], id };
        let places = services
            .into_iter()
            .map(|(name, slos)| (place(name), (name, slos)));
        let (page, next) = self.paging.cut("service", places.collect());
        let items = page
            .into_iter()
            .map(|(name, slos)| ServiceView::of(name, &slos));
        ListView::new(freshness, items.collect(), next)
    }
}
