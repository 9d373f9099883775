//! The API of a Prometheus around answers that a test gives.

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Answers instant queries and queries over a range, each given the body of the request. Serves until
/// what it returns with the address is dropped.
pub(in crate::cli) async fn serve<I: IntoResponse, R: IntoResponse>(
    instant: impl Fn(&str) -> I + Clone + Send + Sync + 'static,
    range: impl Fn(&str) -> R + Clone + Send + Sync + 'static,
) -> (String, JoinSet<std::io::Result<()>>) {
    serve_with(Router::new(), instant, range).await
}

/// The same, with another part of the API beside.
pub(in crate::cli) async fn serve_with<I: IntoResponse, R: IntoResponse>(
    beside: Router,
    instant: impl Fn(&str) -> I + Clone + Send + Sync + 'static,
    range: impl Fn(&str) -> R + Clone + Send + Sync + 'static,
) -> (String, JoinSet<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let instant = |body: String| async move { instant(&body).into_response() };
    let range = |body: String| async move { range(&body).into_response() };
    let router = beside
        .route("/api/v1/query", post(instant))
        .route("/api/v1/query_range", post(range))
        .fallback(|| async { StatusCode::NOT_FOUND });
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await });
    (url, server)
}

/// A parameter of a request.
pub(in crate::cli) fn parameter(body: &str, name: &str) -> String {
    let url = Url::parse(&format!("http://x/?{body}")).unwrap();
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.unwrap().1.into_owned()
}

/// A parameter of a request that is a time, in whole seconds.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
pub(in crate::cli) fn seconds(body: &str, name: &str) -> i64 {
    parameter(body, name).parse::<f64>().unwrap() as i64
}

/// The selector of an instant query, and the milliseconds of its range.
pub(in crate::cli) fn selected(body: &str) -> (String, i64) {
    let query = parameter(body, "query");
    let (selector, range) = query.rsplit_once('[').unwrap();
    let length = range.trim_end_matches("ms]").parse().unwrap();
    (selector.to_owned(), length)
}

/// An answer with these series.
pub(in crate::cli) fn matrix(result: &[Value]) -> String {
    let data = json!({"resultType": "matrix", "result": result});
    json!({"status": "success", "data": data}).to_string()
}
