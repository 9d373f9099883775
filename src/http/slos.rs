//! `/api/v1/slos` and `/api/v1/slos/{service}/{name}`: objectives with every number's inputs.

use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use axum::routing::get;

use crate::status::query::{self, SloQuery};
use crate::status::snapshot::SloStatus;
use crate::status::view::list::ListView;
use crate::status::view::slo::SloView;

use super::AppState;
use super::error::ApiError;
use super::moment::{Moment, Pairs};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/slos", get(list))
        .route("/slos/{service}/{name}", get(show))
}

async fn list(moment: Moment, Pairs(pairs): Pairs) -> Result<Response, ApiError> {
    let query = SloQuery::read(pairs)?;
    Ok(moment.json(|moment| query.list(&moment.read.snapshot, moment.freshness)))
}

/// A list of one, or of one for each group.
async fn show(
    moment: Moment,
    path: Result<Path<(String, String)>, PathRejection>,
    Pairs(pairs): Pairs,
) -> Result<Response, ApiError> {
    let Path((service, name)) = path.map_err(|_| ApiError::Path)?;
    query::none(pairs)?;
    let found = find(&moment, &service, &name)?;
    let items = || found.iter().map(|slo| SloView::of(slo)).collect();
    Ok(moment.json(|moment| ListView::new(moment.freshness, items(), None)))
}

/// The instances of an objective: one, or one for each group.
pub(super) fn find<'a>(
    moment: &'a Moment,
    service: &str,
    name: &str,
) -> Result<Vec<&'a SloStatus>, ApiError> {
    let slos = moment.read.snapshot.slos.iter();
    let found: Vec<_> = slos
        .map(AsRef::as_ref)
        .filter(|status| status.slo.service == service && status.slo.name == name)
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let (service, name) = (service.to_owned(), name.to_owned());
    Err(match moment.freshness.at {
        None => ApiError::NotYet,
        Some(_) => ApiError::NoSuchSlo { service, name },
    })
}

/// Why none of the instances of an objective is the one that was asked for, or why it is not known
/// which.
pub(super) fn unknown(
    instances: &[&SloStatus],
    id: Option<&str>,
    service: String,
    name: String,
) -> ApiError {
    let id = id.filter(|id| query::is_well_formed(id, instances));
    match id.map(str::to_owned) {
        Some(id) => ApiError::NoSuchInstance { id, service, name },
        None => ApiError::WhichInstance { service, name },
    }
}
