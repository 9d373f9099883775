//! A daemon that knows the objectives of the fixture, and what `explain` says of names that are unclear.

use axum::routing::get;
use axum::{Json, Router};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::cli::tests::run;
use crate::status::fixture;
use crate::status::view::slo::SloView;

/// Explains `slo` by the daemon.
async fn asked(slo: &str) -> String {
    let snapshot = fixture::snapshot();
    let slos: Vec<SloView> = snapshot.slos.iter().map(|slo| SloView::of(slo)).collect();
    let list = |slos: &[SloView]| json!({"at": null, "tickAgeSeconds": null, "stale": false, "items": slos, "next": null});
    let all = list(&slos);
    let mut router = Router::new().route("/api/v1/slos", get(async || Json(all)));
    for objective in slos.chunk_by(|one, other| one.name == other.name) {
        let place = format!(
            "/api/v1/slos/{}/{}",
            objective[0].service, objective[0].name
        );
        let its = list(objective);
        let refusal = json!({"error": format!("{place} is explained")});
        router = router
            .route(&place, get(async || Json(its)))
            .route(&format!("{place}/explain"), get(async || refused(refusal)));
    }
    let router = router.fallback(async || (StatusCode::NOT_FOUND, Json(json!({"error": "no"}))));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await });
    let ran = run(&["explain", slo, "--url", &url], &[]).await;
    ran.to_string().replace(&url, "URL")
}

/// Nothing needs to be explained to see what was asked for.
fn refused(why: Value) -> (StatusCode, Json<Value>) {
    (StatusCode::SERVICE_UNAVAILABLE, Json(why))
}

#[tokio::test]
async fn a_daemon_is_asked_what_an_unclear_name_may_mean() {
    let mut told = Vec::new();
    for slo in ["checkout/latency", "checkout", "checkout/latncy", "nothing"] {
        told.push(format!("{slo}\n{}", asked(slo).await));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    checkout/latency
    err:
    error: the daemon at URL says: /api/v1/slos/checkout/latency is explained
    exit 2
    checkout
    err:
    error: `checkout` is a service; write one of its objectives: checkout/availability, checkout/latency
    exit 2
    checkout/latncy
    err:
    error: no objective is named `checkout/latncy`; did you mean `checkout/latency`?
    exit 2
    nothing
    err:
    error: no objective is named `nothing`; there are cart/availability, cart/throughput, checkout/availability, checkout/latency, mail/availability, mail/delivery, mail/queue, search/availability, search/latency
    exit 2
    ");
}
