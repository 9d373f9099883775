//! `/api/v1/configuration`: the definitions in force, and what is wrong with those that were refused.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::status::query;
use crate::status::view::configuration::ConfigurationView;

use super::AppState;
use super::error::ApiError;
use super::moment::{Moment, Pairs};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/configuration", get(show))
}

async fn show(moment: Moment, Pairs(pairs): Pairs) -> Result<Response, ApiError> {
    query::none(pairs)?;
    Ok(moment.json(|moment| ConfigurationView::of(&moment.read)))
}
