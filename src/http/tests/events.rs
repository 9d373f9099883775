//! Who follows is told of every tick and change, in bounds, and holds nothing up at the end.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::{fresh, send};
use crate::domain::incident::{Change, CloseReason, Transition};
use crate::domain::time::Span;
use crate::http::events::MOST;
use crate::http::{bind, router, serve};
use crate::status::board::DeliveryStatus;
use crate::status::fixture;

/// Reads until something with `needle` and all of its event has come.
async fn until(stream: &mut TcpStream, needle: &str) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 1024]);
    let reading = async {
        while !text
            .split_once(needle)
            .is_some_and(|(_, rest)| rest.contains('\n'))
        {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "it ended without `{needle}`: {text}");
            text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    };
    let came = tokio::time::timeout(Duration::from_mins(1), reading).await;
    assert!(came.is_ok(), "`{needle}` did not come: {text}");
    text
}

#[tokio::test]
async fn news_come_in_their_order_and_the_end_of_the_server_is_the_end() {
    let state = fresh();
    let board = Arc::clone(&state.board);
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let serving = serve(listener, state, stop.clone());
    tasks.spawn(async { serving.await.unwrap() });
    tasks.close();

    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /api/v1/events HTTP/1.1\r\nhost: sloburn\r\naccept-encoding: gzip\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let head = until(&mut stream, "retry: 2000").await;
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert!(
        !head.contains("content-encoding"),
        "compressed, news would wait: {head}"
    );

    let mut snapshot = fixture::snapshot();
    snapshot.at = Some(fixture::AT + Span::from_secs(30));
    let closed = Arc::make_mut(&mut snapshot.incidents[0]);
    closed.history.push(Transition {
        sequence: 3,
        at: fixture::AT + Span::from_secs(30),
        change: Change::Closed(CloseReason::Recovered),
        severity: closed.severity,
    });
    board.publish(snapshot);
    let mut news = until(&mut stream, "event: tick").await;
    board.publish_delivery(DeliveryStatus::default());
    news += &until(&mut stream, "event: notice").await;
    let lines = news.lines().filter(|line| line.contains(": "));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    data: {"id":"8cc26948dc6aa4c4","slo":"cart/availability","sequence":3,"at":"2026-01-15T12:00:30Z","change":"closed","severity":"ticket"}
    event: incident
    data: {"at":"2026-01-15T12:00:30Z"}
    event: tick
    data: {"waiting":0}
    event: notice
    "#);

    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(20), tasks.wait()).await;
    assert!(ended.is_ok(), "the server waits for who follows it");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "an end in order: {rest}");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_follow_at_once() {
    let app = router(fresh());
    let request = || Request::get("/api/v1/events").body(Body::empty()).unwrap();
    let mut following = Vec::new();
    for _ in 0..MOST {
        let response = app.clone().oneshot(request()).await.unwrap();
        assert_eq!(response.status(), 200);
        following.push(response);
    }
    let refused = send(app.clone(), request()).await;
    assert_eq!(
        refused.refusal(),
        "503 200 clients follow already, which is the most; ask `/api/v1/status` now and then"
    );
    following.pop();
    assert_eq!(app.oneshot(request()).await.unwrap().status(), 200);
}
