//! `/api/v1/status`: the state of everything.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::status::query;
use crate::status::view::summary::StatusView;

use super::AppState;
use super::error::ApiError;
use super::moment::{Moment, Pairs};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/status", get(show))
}

async fn show(moment: Moment, Pairs(pairs): Pairs) -> Result<Response, ApiError> {
    query::none(pairs)?;
    Ok(moment.json(|moment| StatusView::of(&moment.read, moment.freshness)))
}
