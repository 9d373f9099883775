//! Every address, asked without a socket, and the server itself with one.

mod api;
mod events;
mod explain;
mod exposition;
mod history;
mod lists;
mod pages;
mod probes;
mod refusals;
mod server;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt as _;

use crate::clock::Clock;
use crate::domain::time::Timestamp;
use crate::status::board::Board;
use crate::status::fixture;

use super::{AppState, Past, router};

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// Status and sentence of a refusal.
    fn refusal(&self) -> String {
        assert_eq!(self.header("content-type"), "application/json");
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        let sentence = body["error"].as_str().unwrap();
        format!("{} {sentence}", self.status.as_u16())
    }
}

/// What is asked from `board` at `now`.
fn state(board: Board, now: Timestamp) -> AppState {
    AppState {
        board: Arc::new(board),
        clock: Clock::simulated(now.to_jiff()),
        counters: Arc::default(),
        site: Arc::default(),
        explainer: None,
        past: Past::default(),
    }
}

/// The fixture's board while it is fresh.
fn fresh() -> AppState {
    state(fixture::board(), fixture::NOW)
}

async fn send(app: Router, request: Request<Body>) -> Answer {
    let (parts, body) = app.oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

async fn ask(state: &AppState, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    send(router(state.clone()), request).await
}

async fn get(uri: &str) -> Answer {
    ask(&fresh(), "GET", uri, &[]).await
}
