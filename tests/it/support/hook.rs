//! A generic webhook that takes everything and writes down when it came.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use sloburn::clock::Clock;
use sloburn::domain::time::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

type Log = Arc<Mutex<Vec<(Timestamp, Value)>>>;

/// A running webhook; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Hook {
    address: SocketAddr,
    log: Log,
    _server: JoinSet<()>,
}

impl Hook {
    /// Starts a webhook on a free port.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let log = Log::default();
        let router = Router::new()
            .route("/hook", post(take))
            .with_state(Arc::clone(&log));
        let mut server = JoinSet::new();
        server.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                panic!("the webhook stopped: {error}");
            }
        });
        Ok(Self {
            address,
            log,
            _server: server,
        })
    }

    /// Where it takes messages.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What was taken so far, with the time at which it came.
    pub(crate) fn taken(&self) -> Vec<(Timestamp, Value)> {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until so many messages have come, or until it has waited for too long.
    pub(crate) async fn until(&self, messages: usize, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.taken().len() < messages && Instant::now() < deadline {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn take(State(log): State<Log>, Json(message): Json<Value>) -> StatusCode {
    let at = Clock::System.now().into();
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    log.push((at, message));
    StatusCode::NO_CONTENT
}
