//! Pages for people, made on the server: they show what the API gives, work without script, and
//! load nothing from anywhere else.

mod assets;
mod chart;
mod figures;
mod groups;
mod incidents;
mod layout;
mod objective;
mod overview;
mod promise;
mod prose;
mod refusal;
mod sign;
mod site;
mod slices;
mod sources;
mod when;

use askama::Template;
use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

use super::AppState;
use super::error::ApiError;

pub use layout::{Age, Layout};
pub use prose::Prose;
pub(super) use refusal::for_people;
pub use site::{NavEntry, Site};

/// What a page may do: load what is ours, and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .merge(assets::routes())
        .merge(overview::routes())
        .merge(objective::routes())
        .merge(incidents::routes())
        .merge(sources::routes())
}

/// A page as an answer.
pub fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let mut response = Html(text).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
            // Under `no-referrer` browsers would send our own forms without their origin.
            headers.insert(
                header::REFERRER_POLICY,
                HeaderValue::from_static("same-origin"),
            );
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
            response
        }
        Err(error) => ApiError::Internal(error.into()).into_response(),
    }
}

/// Whether the client is a person's browser, which names HTML among what it takes.
pub(super) fn is_for_people(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    let mut texts = values.filter_map(|value| value.to_str().ok());
    texts.any(|text| text.to_ascii_lowercase().contains("text/html"))
}
