//! An exporter of its own for each test, over real HTTP on loopback.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What the exporter answers.
#[derive(Clone)]
pub(super) enum Answer {
    Page(&'static str, String),
    Status(u16),
    RedirectTo(String),
    Never,
}

/// Serves `/metrics` until it is dropped.
pub(super) struct Exporter {
    pub(super) address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    /// The `Accept` header of the last request.
    pub(super) asked_for: Arc<Mutex<String>>,
    _serving: JoinSet<()>,
}

impl Exporter {
    pub(super) async fn start(page: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(Answer::Page("text/plain", page.to_owned())));
        let asked_for = Arc::new(Mutex::new(String::new()));
        let (said, heard) = (Arc::clone(&answer), Arc::clone(&asked_for));
        let routes = Router::new().route(
            "/metrics",
            get(move |headers: HeaderMap| {
                let accept = headers["accept"].to_str().unwrap().to_owned();
                *heard.lock().unwrap() = accept;
                let answer = said.lock().unwrap().clone();
                async move {
                    match answer {
                        Answer::Page(kind, page) => {
                            ([("content-type", kind)], page).into_response()
                        }
                        Answer::Status(status) => {
                            StatusCode::from_u16(status).unwrap().into_response()
                        }
                        Answer::RedirectTo(url) => {
                            (StatusCode::FOUND, [("location", url)]).into_response()
                        }
                        Answer::Never => {
                            tokio::time::sleep(Duration::from_hours(1)).await;
                            StatusCode::OK.into_response()
                        }
                    }
                }
            }),
        );
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self {
            address,
            answer,
            asked_for,
            _serving: serving,
        }
    }

    pub(super) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(super) fn shows(&self, page: &str) {
        self.answers(Answer::Page("text/plain", page.to_owned()));
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }
}
