//! `/sources`: whether samples come, notices go, and the daemon itself is well.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;

use crate::domain::time::{Span, Timestamp};
use crate::status::query;
use crate::status::view::summary::{SkewView, SourceKind, SourceView, StatusView};
use crate::status::words;

use super::super::AppState;
use super::super::error::ApiError;
use super::super::moment::{Moment, Pairs};
use super::sign::Sign;
use super::when::When;
use super::{Layout, Prose, html};

/// So many pages that a source scrapes are named.
const SHOWN: usize = 3;

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

    /// What it is, and where it is asked.
    fn place(source: &SourceView) -> Option<String> {
        let verb = match source.kind? {
            SourceKind::Prometheus => "Prometheus at",
            SourceKind::Scrape => "scrapes",
        };
        let shown = source.addresses.iter().take(SHOWN);
        let shown: Vec<&str> = shown.map(String::as_str).collect();
        let more = match source.addresses.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!("{verb} {}{more}", shown.join(", ")))
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    fn when(&self, at: &Timestamp) -> When {
        When::exact(*at, self.now)
    }

    /// How our clock differs from that of a source, where that matters.
    fn skew(source: &SourceView) -> Option<String> {
        let SkewView { seconds, .. } = source.clock_skew.filter(|skew| skew.matters)?;
        let by = words::words(Span::from(Duration::from_secs_f64(seconds.0.abs())));
        let side = if seconds.0 > 0.0 {
            "behind"
        } else {
            "ahead of"
        };
        Some(format!(
            "its clock is {by} {side} ours: set the one that is wrong"
        ))
    }

    /// How much later than they should the samples of a source come.
    fn lag(source: &SourceView) -> Option<String> {
        let seconds = source.lag_seconds.0;
        let by = words::words(Span::from(Duration::from_secs_f64(seconds)));
        let told = || {
            format!(
                "its samples come later than its offset allows: ticks wait {by} longer, and alerts with them"
            )
        };
        (seconds > 0.0).then(told)
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
