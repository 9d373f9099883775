//! `/api/v1/slos/{service}/{name}/history`: the course of an objective as flat rows, for charts.

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::status::query::{Format, HistoryQuery};
use crate::status::view::history::HistoryRow;
use crate::status::view::list::ListView;

use super::AppState;
use super::error::ApiError;
use super::moment::{Moment, Pairs};
use super::slos::{find, unknown};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/slos/{service}/{name}/history", get(show))
}

async fn show(
    State(state): State<AppState>,
    moment: Moment,
    headers: HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
    Pairs(pairs): Pairs,
) -> Result<Response, ApiError> {
    let Path((service, name)) = path.map_err(|_| ApiError::Path)?;
    let query = HistoryQuery::read(pairs)?;
    let instances = find(&moment, &service, &name)?;
    let mut wanted = instances.iter().filter(|status| query.wants(status));
    let (Some(status), None) = (wanted.next(), wanted.next()) else {
        return Err(unknown(&instances, query.id(), service, name));
    };
    let further = match query.from() {
        Some(from) => state.past.reaching(status, from).await?,
        None => None,
    };
    let rows = query.rows(further.as_ref().unwrap_or(status))?;
    if query.format().unwrap_or_else(|| preferred(&headers)) == Format::Csv {
        let content_type = [
            (
                header::CONTENT_TYPE,
                "text/csv; charset=utf-8; header=present",
            ),
            (header::VARY, "accept"),
        ];
        return Ok((content_type, HistoryRow::csv(&rows)).into_response());
    }
    let mut response = moment.json(|moment| ListView::new(moment.freshness, rows.clone(), None));
    let vary = header::HeaderValue::from_static("accept");
    response.headers_mut().insert(header::VARY, vary);
    Ok(response)
}

/// CSV for whoever names it and not JSON.
fn preferred(headers: &HeaderMap) -> Format {
    let values = headers.get_all(header::ACCEPT).iter();
    let texts: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    let names = |kind| texts.iter().any(|text| text.contains(kind));
    if names("text/csv") && !names("json") {
        Format::Csv
    } else {
        Format::Json
    }
}
