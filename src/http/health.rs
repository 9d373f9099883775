//! Probes: whether the process is alive, and whether what it shows can be relied on.

use axum::Router;
use axum::routing::get;

use crate::domain::time::Span;

use super::AppState;
use super::error::ApiError;
use super::moment::Moment;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
}

/// Who can answer is alive. A source or a receiver that is down is no reason to be restarted.
async fn alive() -> &'static str {
    "ok\n"
}

/// Ready once the store is open and the first tick has run, and while ticks go on.
/// A store that takes no commits is told of, and is no reason to be left alone: alerts go on.
async fn ready(moment: Moment) -> Result<String, ApiError> {
    let mut missing = Vec::new();
    if moment.read.store.is_none() {
        missing.push("the store is not open yet".to_owned());
    }
    match moment.freshness.age {
        None => missing.push("no tick has run yet".to_owned()),
        Some(age) if moment.freshness.stale && age < Span::ZERO => missing.push(format!(
            "the last tick is still {} to come: the clock was set back, and the next tick is run when it gets there; set it right",
            Span::from_secs(-age.as_millis() / 1_000)
        )),
        Some(age) if moment.freshness.stale => missing.push(format!(
            "the last tick was {} ago, and one is due every {}",
            Span::from_secs(age.as_millis() / 1_000),
            moment.read.snapshot.tick
        )),
        Some(_) => {}
    }
    if !missing.is_empty() {
        return Err(ApiError::NotReady(missing.join("; ")));
    }
    let failing = &moment.read.snapshot.engine.store_error;
    Ok(failing.as_ref().map_or_else(
        || "ok\n".to_owned(),
        |why| {
            format!("degraded: alerts are told from memory, since the last commit failed: {why}\n")
        },
    ))
}
