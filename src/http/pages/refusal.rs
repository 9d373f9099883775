//! Refusals for people: the sentence that programs get as JSON, on a page.

use askama::Template;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use super::super::AppState;
use super::super::error::Sentence;
use super::{Layout, Prose, html, is_for_people};

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage {
    layout: Layout,
    status: StatusCode,
    sentence: Prose,
}

/// Turns refusals of pages into pages for whoever takes HTML. What programs ask stays JSON.
pub(in crate::http) async fn for_people(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let of_programs = ["/api/", "/metrics", "/healthz", "/livez", "/readyz"];
    let path = request.uri().path();
    let for_people = is_for_people(request.headers())
        && !of_programs.iter().any(|program| path.starts_with(program));
    if !for_people {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let Ok(layout) = Layout::from_request_parts(&mut parts, &state).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(Sentence(sentence)) = response.extensions().get() else {
        return response;
    };
    let status = response.status();
    let title = status.canonical_reason().unwrap_or("Refused");
    let mut page = html(&RefusalPage {
        layout: layout.titled(title),
        status,
        sentence: Prose::of(sentence),
    });
    *page.status_mut() = status;
    page
}
