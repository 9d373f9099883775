//! The daemon's addresses: pages, API, metrics and probes. Everything is read from the board, so that
//! no request waits for a tick, a lock or a query; but for explanations, which are counted anew.

mod configuration;
mod error;
mod events;
mod explain;
mod exposition;
mod families;
mod health;
mod history;
mod incidents;
mod metrics;
mod moment;
mod pages;
mod past;
mod serve;
mod services;
mod slos;
mod summary;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use prometheus_client::registry::Registry;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

use crate::clock::Clock;
use crate::engine::explain::ask::Explainer;
use crate::status::board::Board;

use error::ApiError;
pub use pages::{Age, Layout, NavEntry, Prose, Site, html};
pub use past::Past;
pub use serve::{BindError, bind, serve};

/// How long an answer may take to be made.
const PATIENCE: Duration = Duration::from_secs(10);

/// What requests are answered from.
#[derive(Clone, Debug)]
pub struct AppState {
    /// What the loops posted.
    pub board: Arc<Board>,
    /// What time it is.
    pub clock: Clock,
    /// What the other loops count, for `/metrics`.
    pub counters: Arc<Registry>,
    /// What is served beside the usual pages.
    pub site: Arc<Site>,
    /// Who explains numbers.
    pub explainer: Option<Explainer>,
    /// What the snapshot does not hold.
    pub past: Past,
}

/// Every address that is answered.
const ADDRESSES: [&str; 13] = [
    "/api/v1/status",
    "/api/v1/services",
    "/api/v1/slos",
    "/api/v1/slos/{service}/{name}",
    "/api/v1/slos/{service}/{name}/history",
    "/api/v1/slos/{service}/{name}/explain",
    "/api/v1/incidents",
    "/api/v1/configuration",
    "/api/v1/events",
    "/metrics",
    "/healthz",
    "/livez",
    "/readyz",
];

/// All addresses over `state`.
pub fn router(state: AppState) -> Router {
    let api = Router::new()
        .merge(summary::routes())
        .merge(services::routes())
        .merge(slos::routes())
        .merge(events::routes())
        .merge(history::routes())
        .merge(explain::routes())
        .merge(incidents::routes())
        .merge(configuration::routes());
    let routes = Router::new()
        .nest("/api/v1", api)
        .merge(metrics::routes())
        .merge(health::routes())
        .merge(pages::routes())
        .merge(state.site.routes.clone())
        .fallback(no_such_address)
        .method_not_allowed_fallback(wrong_method)
        .with_state(state.clone());
    guarded(routes, state)
}

/// What holds for every answer, the innermost first. Bodies of requests are never read.
fn guarded(routes: Router, state: AppState) -> Router {
    let always =
        |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    routes
        .layer(middleware::from_fn(in_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(state, pages::for_people))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ))
        .layer(always(header::REFERRER_POLICY, "no-referrer"))
        .layer(always(header::CACHE_CONTROL, "no-cache"))
        // What fails is logged where it fails.
        .layer(TraceLayer::new_for_http().on_failure(()))
}

fn index() -> String {
    let mut text = String::from("Sloburn watches service level objectives. It answers at:\n");
    for address in ADDRESSES {
        text.push_str(address);
        text.push('\n');
    }
    text
}

async fn no_such_address(uri: Uri) -> ApiError {
    ApiError::no_such_address(uri.path())
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::Method {
        method,
        path: uri.path().to_owned(),
    }
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Overdue.into_response(),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands over what the panic carried"
)]
fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let said = payload.downcast_ref::<String>().cloned().or_else(|| {
        let fixed = payload.downcast_ref::<&str>();
        fixed.map(|text| (*text).to_owned())
    });
    ApiError::Internal(said.unwrap_or_else(|| "a panic".into()).into()).into_response()
}

#[cfg(test)]
mod tests;
