//! `/api/v1/slos` and `/api/v1/slos/{service}/{name}`: objectives with every number's inputs.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use axum::routing::get;

use crate::diagnostic::did_you_mean;
use crate::domain::slo::title;
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
        Some(_) => ApiError::NoSuchSlo {
            hint: meant(moment, &service, &name),
            service,
            name,
        },
    })
}

/// What may have been meant by the name of an objective that does not exist.
fn meant(moment: &Moment, service: &str, name: &str) -> String {
    let slos = moment.read.snapshot.slos.iter();
    let known: BTreeSet<String> = slos
        .map(|status| title(&status.slo.service, &status.slo.name, None))
        .collect();
    let known = known.iter().map(String::as_str);
    did_you_mean(&title(service, name, None), known, || {
        "see /api/v1/slos".to_owned()
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
    let Some(id) = id else {
        return ApiError::WhichInstance { service, name };
    };
    let is_well_formed = query::is_well_formed(id, instances);
    let id = id.to_owned();
    if is_well_formed {
        ApiError::NoSuchInstance { id, service, name }
    } else {
        ApiError::NoInstance { id, service, name }
    }
}
