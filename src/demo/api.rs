//! The demo's addresses for programs: faults, the inbox and the report, as JSON.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, Form, Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::clock::Clock;
use crate::http::AppState;
use crate::status::board::Board;

use super::gameday::GameDay;
use super::inbox::Inbox;
use super::report;
use super::world::World;
use super::world::fault::{Order, OrderError};

/// How long the body of a request may be.
const MOST_BYTES: usize = 16 << 10;

/// What the demo's addresses are answered from.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The faults.
    pub gameday: Arc<GameDay>,
    /// The messages.
    pub inbox: Arc<Inbox>,
    /// The services.
    pub world: Arc<World>,
    /// What the engine posted.
    pub board: Arc<Board>,
    /// The demo's clock.
    pub clock: Clock,
}

/// The addresses for programs.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/demo/faults", get(faults).post(inject))
        .route("/demo/faults/{id}", delete(stop))
        .route("/demo/faults/{id}/stop", post(stop_and_look))
        .route("/demo/inbox", get(inbox))
        .route("/demo/report", get(whole_report))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

async fn faults(Extension(shared): Extension<Shared>) -> Response {
    let pace = shared.gameday.pace();
    let entries = shared.gameday.entries();
    let faults: Vec<_> = entries
        .iter()
        .map(|entry| report::fault(entry, pace))
        .collect();
    let at = shared.clock.now().to_string();
    Json(json!({"at": at, "speed": pace.times(), "faults": faults})).into_response()
}

async fn inbox(Extension(shared): Extension<Shared>) -> Response {
    let at = shared.clock.now().to_string();
    Json(json!({"at": at, "messages": shared.inbox.posts()})).into_response()
}

async fn whole_report(Extension(shared): Extension<Shared>) -> Response {
    let snapshot = shared.board.read().snapshot;
    Json(report::json(&shared.gameday, &shared.world, &snapshot)).into_response()
}

/// A fault as JSON or as a form gives it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOrder {
    service: String,
    kind: String,
    intensity: Option<String>,
    after: Option<String>,
    #[serde(rename = "for")]
    lasts: Option<String>,
}

impl RawOrder {
    pub(super) fn read(&self) -> Result<Order, OrderError> {
        // A form always sends its fields; a target that is down needs no share.
        let intensity = self.intensity.as_deref().filter(|_| self.kind != "down");
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let (after, lasts) = (given(&self.after), given(&self.lasts));
        Order::of(
            &self.service,
            &self.kind,
            intensity,
            after.as_deref(),
            lasts.as_deref(),
        )
    }
}

/// A fault to inject, and who asks.
struct Asked {
    order: Result<Order, Refused>,
    by: Client,
}

/// Who asks: a browser is led back to the page, a program gets JSON, however it wrote its request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Browser,
    Program,
}

impl Client {
    fn of(headers: &HeaderMap) -> Self {
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok());
        if accept.is_some_and(|accept| accept.contains("text/html")) {
            Self::Browser
        } else {
            Self::Program
        }
    }
}

/// Why a fault is not injected.
struct Refused(StatusCode, String);

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let by = Client::of(request.headers());
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        if !is_of_this_site(request.headers()) {
            let refused = Refused(
                StatusCode::FORBIDDEN,
                "faults are only taken from the demo's own pages".to_owned(),
            );
            return Ok(Self {
                order: Err(refused),
                by,
            });
        }
        let raw: Result<RawOrder, String> = if is_form {
            let form = Form::from_request(request, state).await;
            form.map(|Form(raw)| raw).map_err(|error| error.body_text())
        } else {
            let json = Json::from_request(request, state).await;
            json.map(|Json(raw)| raw).map_err(|error| error.body_text())
        };
        let example = r#"send {"service": "checkout", "kind": "errors", "intensity": "20%", "after": "10s", "for": "2m"}"#;
        let order = raw
            .map_err(|error| format!("{error}; {example}"))
            .and_then(|raw| raw.read().map_err(|error| error.to_string()))
            .map_err(|sentence| Refused(StatusCode::BAD_REQUEST, sentence));
        Ok(Self { order, by })
    }
}

/// Whether a request that changes something comes from our own pages, or from no page at all.
fn is_of_this_site(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else {
        return true;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text(header::HOST)
}

async fn inject(Extension(shared): Extension<Shared>, asked: Asked) -> Response {
    let now = shared.clock.now().into();
    let injected = asked.order.and_then(|order| {
        let entry = shared.gameday.inject(&order, now);
        entry.map_err(|error| Refused(StatusCode::CONFLICT, error.to_string()))
    });
    match injected {
        Ok(_) if asked.by == Client::Browser => see_other("/game-day"),
        Ok(entry) => {
            let fault = report::fault(&entry, shared.gameday.pace());
            (StatusCode::CREATED, Json(fault)).into_response()
        }
        Err(Refused(_, sentence)) if asked.by == Client::Browser => {
            let query: Vec<String> = sentence
                .bytes()
                .map(|byte| format!("%{byte:02X}"))
                .collect();
            see_other(&format!("/game-day?refused={}", query.concat()))
        }
        Err(Refused(status, sentence)) => {
            (status, Json(json!({"error": sentence}))).into_response()
        }
    }
}

fn see_other(place: &str) -> Response {
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, place.to_owned())],
    )
        .into_response()
}

async fn stop(
    Extension(shared): Extension<Shared>,
    headers: HeaderMap,
    Path(id): Path<u32>,
) -> Response {
    if !is_of_this_site(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(entry) = shared.gameday.stop(id, shared.clock.now().into()) else {
        let sentence = format!("there is no fault {id}; GET /demo/faults lists them");
        return (StatusCode::NOT_FOUND, Json(json!({"error": sentence}))).into_response();
    };
    Json(report::fault(&entry, shared.gameday.pace())).into_response()
}

async fn stop_and_look(shared: Extension<Shared>, headers: HeaderMap, id: Path<u32>) -> Response {
    let by = Client::of(&headers);
    let stopped = stop(shared, headers, id).await;
    if by == Client::Browser && stopped.status().is_success() {
        see_other("/game-day")
    } else {
        stopped
    }
}
