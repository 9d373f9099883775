//! One moment's reading of the board, and answers that say `304` while nothing is new.

use std::convert::Infallible;

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::status::board::Reading;
use crate::status::freshness::Freshness;

use super::AppState;
use super::error::ApiError;

/// What was posted when the request came, and how old that was.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) read: Reading,
    pub(super) freshness: Freshness,
    if_none_match: Option<String>,
}

impl FromRequestParts<AppState> for Moment {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let read = state.board.read();
        let freshness = Freshness::of(&read.snapshot, state.clock.now().into());
        Ok(Self {
            read,
            freshness,
            if_none_match: if_none_match(&parts.headers),
        })
    }
}

impl Moment {
    /// `view` as JSON, or `304` when the client has it already.
    ///
    /// The tag stands for what was posted and for whether that is stale, not for `tickAgeSeconds`,
    /// which grows all the time: who holds a copy adds its own age. It is weak, because compressed
    /// and plain answers share it.
    pub(super) fn json<T: Serialize>(&self, view: impl FnOnce(&Self) -> T) -> Response {
        let stale = if self.freshness.stale { "-stale" } else { "" };
        let tag = format!("W/\"{}{stale}\"", self.read.version);
        let known = self.if_none_match.as_ref();
        if known.is_some_and(|known| names(known, &tag)) {
            return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
        }
        ([(header::ETAG, tag)], Json(view(self))).into_response()
    }
}

fn if_none_match(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let texts: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    (!texts.is_empty()).then(|| texts.join(","))
}

/// Whether `list`, the value of an `If-None-Match`, names `tag`; strong and weak are the same here.
fn names(list: &str, tag: &str) -> bool {
    let opaque = |tag: &'_ str| tag.trim().trim_start_matches("W/").to_owned();
    let mut tags = list.split(',').map(opaque);
    tags.any(|one| one == "*" || one == opaque(tag))
}

/// The parameters of a request as pairs, in the order given.
#[derive(Debug)]
pub(super) struct Pairs(pub(super) Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(_) => Err(ApiError::Parameters),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list() {
        for (list, found) in [
            (r#"W/"a-1""#, true),
            (r#""a-1""#, true),
            (r#""b", W/"a-1""#, true),
            ("*", true),
            (r#""a-10""#, false),
            ("", false),
        ] {
            assert_eq!(names(list, r#"W/"a-1""#), found, "{list}");
        }
    }
}
