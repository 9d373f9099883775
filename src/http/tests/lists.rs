//! Pages, tags, age and headers of what the API answers.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Map, Value};
use tower::ServiceExt as _;

use super::api::read;
use super::{AppState, ask, fresh, get, router, state};
use crate::domain::time::{Span, Timestamp};
use crate::status::board::Board;
use crate::status::fixture;
use crate::status::snapshot::Snapshot;
use crate::status::view::list::ListView;
use crate::status::view::slo::SloView;
use crate::status::view::summary::StatusView;

#[tokio::test(start_paused = true)]
async fn before_the_first_tick_nothing_is_known_and_everything_is_stale() {
    let state = state(Board::new(fixture::AT), fixture::NOW);
    let status: StatusView = read(&ask(&state, "GET", "/api/v1/status", &[]).await);
    assert!(status.stale && !status.store.open);
    assert_eq!((status.at, status.tick_age_seconds), (None, None));
    assert_eq!(status.delivery, None);
    let list = ask(&state, "GET", "/api/v1/slos", &[]).await;
    assert_eq!(
        list.body,
        r#"{"at":null,"tickAgeSeconds":null,"stale":true,"items":[],"next":null}"#
    );
    let one = ask(&state, "GET", "/api/v1/slos/cart/availability", &[]).await;
    insta::assert_snapshot!(one.refusal(), @"503 no tick has run yet, so nothing is known of any objective; /readyz says what is missing");
}

#[tokio::test(start_paused = true)]
async fn the_documentation_names_every_field() {
    let document = include_str!("../../../docs/api.md");
    for uri in ["/api/v1/slos", "/api/v1/services", "/api/v1/incidents"] {
        let list: ListView<Map<String, Value>> = read(&get(uri).await);
        assert!(!list.items.is_empty(), "{uri}");
        for field in list.items.iter().flat_map(Map::keys) {
            let named = document.contains(&format!("`{field}`"));
            assert!(named, "`{field}` of {uri} is not in docs/api.md");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pages_follow_one_another_and_cover_every_objective_once() {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let uri = format!("/api/v1/slos?limit=4{cursor}");
        let page: ListView<SloView> = read(&get(&uri).await);
        seen.extend(page.items.into_iter().map(|slo| slo.id));
        assert!(seen.len() <= 9, "pages go round in circles: {seen:?}");
        let Some(next) = page.next else { break };
        cursor = format!("&cursor={next}");
    }
    let all: ListView<SloView> = read(&get("/api/v1/slos").await);
    let all: Vec<_> = all.items.into_iter().map(|slo| slo.id).collect();
    assert_eq!(seen, all);
    assert_eq!(seen.len(), 9);
}

#[tokio::test(start_paused = true)]
async fn labels_and_names_are_percent_decoded() {
    let board = fixture::board();
    let mut snapshot = fixture::snapshot();
    let mut odd = (*snapshot.slos[0]).clone();
    let mut slo = (*odd.slo).clone();
    slo.service = "cart & co".into();
    slo.labels.insert("team".into(), "ä+b".into());
    odd.slo = slo.into();
    snapshot.slos.push(odd.into());
    board.publish(snapshot);
    let state = state(board, fixture::NOW);
    for uri in [
        "/api/v1/slos/cart%20%26%20co/availability",
        "/api/v1/slos?label.team=%C3%A4%2Bb",
        "/api/v1/slos?service=cart+%26+co",
    ] {
        let list: ListView<SloView> = read(&ask(&state, "GET", uri, &[]).await);
        assert_eq!(list.items.len(), 1, "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_holds_until_a_tick_a_delivery_or_staleness_changes_the_answer() {
    let state = fresh();
    let tag = async |state: &AppState| {
        let answer = ask(state, "GET", "/api/v1/slos", &[]).await;
        answer.header("etag").to_owned()
    };
    let first = tag(&state).await;
    assert!(first.starts_with("W/\""), "{first}");
    tokio::time::advance(Duration::from_secs(30)).await;
    let again = ask(&state, "GET", "/api/v1/slos", &[("if-none-match", &first)]).await;
    assert_eq!(again.status, 304);
    assert_eq!(
        (again.body.as_str(), again.header("etag")),
        ("", first.as_str())
    );
    tokio::time::advance(Duration::from_mins(1)).await;
    let stale = ask(&state, "GET", "/api/v1/slos", &[("if-none-match", &first)]).await;
    assert_eq!(
        stale.status, 200,
        "a copy that says it is fresh must not stay in use"
    );
    assert!(read::<ListView<SloView>>(&stale).stale);
    state.board.publish(fixture::snapshot());
    assert_ne!(tag(&state).await, stale.header("etag"));
    let restarted = super::state(Board::new(fixture::NOW), fixture::NOW);
    restarted.board.publish(Snapshot::default());
    assert_ne!(tag(&restarted).await, first);
}

#[tokio::test(start_paused = true)]
async fn a_dead_engine_is_stale() {
    for (age, stale) in [(20, false), (105, false), (106, true), (3_600, true)] {
        let now: Timestamp = fixture::AT + Span::from_secs(age);
        let state = state(fixture::board(), now);
        let list: ListView<SloView> = read(&ask(&state, "GET", "/api/v1/slos", &[]).await);
        assert_eq!(list.stale, stale, "{age}");
    }
}

#[tokio::test(start_paused = true)]
async fn head_is_get_without_its_body() {
    for address in [
        "/",
        "/api/v1/status",
        "/api/v1/slos",
        "/metrics",
        "/healthz",
    ] {
        let got = get(address).await;
        let head = ask(&fresh(), "HEAD", address, &[]).await;
        assert_eq!(
            (head.status, head.body.as_str()),
            (got.status, ""),
            "{address}"
        );
        for name in ["content-type", "etag"] {
            assert_eq!(head.header(name), got.header(name), "{address}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_compressed_for_who_can_read_that_and_carry_safe_headers() {
    let state = fresh();
    let uri = "/api/v1/incidents";
    let plain = ask(&state, "GET", uri, &[]).await;
    assert_eq!(plain.header("content-encoding"), "");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-cache"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("access-control-allow-origin", ""),
    ] {
        assert_eq!(plain.header(name), value);
    }
    let request = Request::get(uri).header("accept-encoding", "gzip");
    let request = request.body(Body::empty()).unwrap();
    let packed = router(state).oneshot(request).await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["vary"], "accept-encoding");
    assert_eq!(
        packed.headers()["etag"].to_str().unwrap(),
        plain.header("etag")
    );
    let bytes = to_bytes(packed.into_body(), usize::MAX).await.unwrap();
    assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() < plain.body.len() / 2);
}
