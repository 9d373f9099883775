//! `/api/v1/services`: what the objectives of each service say together.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::status::query::ServiceQuery;

use super::AppState;
use super::error::ApiError;
use super::moment::{Moment, Pairs};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/services", get(list))
}

async fn list(moment: Moment, Pairs(pairs): Pairs) -> Result<Response, ApiError> {
    let query = ServiceQuery::read(pairs)?;
    Ok(moment.json(|moment| query.list(&moment.read.snapshot, moment.freshness)))
}
