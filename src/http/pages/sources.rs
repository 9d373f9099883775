//! `/sources`: whether samples come, notices go, and the daemon itself is well.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;

use crate::domain::time::Timestamp;
use crate::status::query;
use crate::status::view::summary::{SourceView, StatusView};
use crate::status::words;

use super::super::AppState;
use super::super::error::ApiError;
use super::super::moment::{Moment, Pairs};
use super::sign::Sign;
use super::when::When;
use super::{Layout, html};

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    layout: Layout,
    status: StatusView,
    now: Timestamp,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/sources", get(show))
}

async fn show(
    State(state): State<AppState>,
    uri: Uri,
    moment: Moment,
    Pairs(pairs): Pairs,
) -> Result<Response, ApiError> {
    query::none(pairs)?;
    Ok(html(&SourcesPage {
        layout: Layout::of(&moment, &state.site, uri.path()).titled("Sources"),
        status: StatusView::of(&moment.read, moment.freshness),
        now: moment.freshness.at.unwrap_or_default(),
    }))
}

impl SourcesPage {
    fn sign(source: &SourceView) -> Sign {
        if source.healthy {
            Sign::HEALTHY
        } else {
            Sign::UNREAD
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    fn when(&self, at: &Timestamp) -> When {
        When::exact(*at, self.now)
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::trivially_copy_pass_by_ref,
        reason = "counts far below 2^53; templates pass references"
    )]
    fn count(count: &u64) -> String {
        words::count(*count as f64)
    }
}
