//! `/api/v1/incidents`: what is and what was wrong.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::status::query::IncidentQuery;

use super::AppState;
use super::error::ApiError;
use super::moment::{Moment, Pairs};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/incidents", get(list))
}

async fn list(moment: Moment, Pairs(pairs): Pairs) -> Result<Response, ApiError> {
    let query = IncidentQuery::read(pairs)?;
    Ok(moment.json(|moment| query.list(&moment.read.snapshot, moment.freshness)))
}
