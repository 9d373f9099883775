//! `/api/v1/slos/{service}/{name}/explain`: how a number came to be, counted anew for whoever asks.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};

use crate::status::query::ExplainQuery;
use crate::status::view::explain::ExplanationView;

use super::AppState;
use super::error::ApiError;
use super::moment::{Moment, Pairs};
use super::slos::{find, unknown};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/slos/{service}/{name}/explain", get(show))
}

async fn show(
    State(state): State<AppState>,
    moment: Moment,
    path: Result<Path<(String, String)>, PathRejection>,
    Pairs(pairs): Pairs,
) -> Result<Json<ExplanationView>, ApiError> {
    let Path((service, name)) = path.map_err(|_| ApiError::Path)?;
    let query = ExplainQuery::read(pairs)?;
    let found = find(&moment, &service, &name)?;
    let Some(explainer) = &state.explainer else {
        return Err(ApiError::CannotExplain);
    };
    let subject = query.subject(&found);
    let subject = subject.ok_or_else(|| unknown(&found, query.id(), service, name))?;
    let explanation = explainer.explain(subject, query.asked()).await?;
    Ok(Json(ExplanationView::of(&explanation)))
}
