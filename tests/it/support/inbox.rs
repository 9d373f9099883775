//! A webhook's other end for tests: keeps what it takes, or refuses everything.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A running inbox; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Inbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    status: AtomicU16,
    taken: Mutex<Vec<Value>>,
}

impl Inbox {
    /// Starts an inbox that takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            status: AtomicU16::new(200),
            taken: Mutex::default(),
        });
        let router = Router::new()
            .route("/hook", post(take))
            .with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                panic!("the inbox stopped: {error}");
            }
        });
        Self {
            address,
            shared,
            _server: server,
        }
    }

    /// Where it takes messages.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers with this status from now on; what is not taken (200) is not kept.
    pub(crate) fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::Relaxed);
    }

    /// What was taken so far.
    pub(crate) fn taken(&self) -> Vec<Value> {
        let taken = self.shared.taken.lock();
        taken.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The types of what was taken so far: `incident.opened` and the like.
    pub(crate) fn types(&self) -> Vec<String> {
        let name = |body: Value| body["type"].as_str().unwrap_or_default().to_owned();
        self.taken().into_iter().map(name).collect()
    }
}

async fn take(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> StatusCode {
    let status = StatusCode::from_u16(shared.status.load(Ordering::Relaxed));
    let status = status.expect("a status that exists");
    if status.is_success() {
        let taken = shared.taken.lock();
        taken.unwrap_or_else(PoisonError::into_inner).push(body);
    }
    status
}
