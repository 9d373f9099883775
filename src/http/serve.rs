//! Listens, serves each connection within bounds, and stops without waiting for idle ones.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::events::Stop;
use super::{AppState, router};

/// How many connections are served at once; more wait in the kernel's queue. Below the usual limit
/// of 1,024 open files, so that sources, receivers and the store keep theirs.
const MAX_CONNECTIONS: usize = 800;

/// How large the head of a request may be.
const MAX_HEAD: usize = 32 * 1024;

/// How long the head of the next request may take, and so how long a connection may be idle.
const IDLE: Duration = Duration::from_secs(30);

/// How long a connection lives; who comes back gets a new one.
const LIFETIME: Duration = Duration::from_mins(10);

/// How long a connection that is asked to end may take for the answer it is at.
const DRAIN: Duration = Duration::from_secs(3);

/// How long nothing is accepted after that failed, for lack of files most likely.
const PAUSE: Duration = Duration::from_secs(1);

/// Why nobody can be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", reason(source.kind()))]
pub struct BindError {
    /// Where to listen.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

fn reason(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => {
            "the port is in use; stop what listens there or choose another with `--listen`"
        }
        io::ErrorKind::PermissionDenied => {
            "this user may not use the port; choose one above 1023 with `--listen`"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have the address; choose another with `--listen`"
        }
        _ => "the system refused it; choose another address or port with `--listen`",
    }
}

/// Listens on `address`. Port 0 takes any free port.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| BindError { address, source })
}

/// Serves until `stop` is cancelled; the caller owns the listener, so a test passes port 0.
///
/// Idle connections, and those that follow events, are closed at once then, and answers under way have three seconds.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    stop: CancellationToken,
) -> io::Result<()> {
    let app = router(state).layer(Extension(Stop(stop.clone())));
    run(listener, app, stop).await
}

pub(super) async fn run(
    listener: TcpListener,
    app: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    tracing::info!(address = %listener.local_addr()?, "listening");
    while let Some((stream, place)) = stop.run_until_cancelled(accept(&listener, &places)).await {
        let (app, stop) = (app.clone(), stop.clone());
        connections.spawn(async move {
            converse(stream, app, stop).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// The next connection and its place, which is waited for first.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there always is a place in the end.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) if is_of_the_client(error.kind()) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections; trying again in a second");
                sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_the_client(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// Serves one connection to its end, which is bounded: by itself, by its lifetime, or by `stop`.
async fn converse(stream: TcpStream, app: Router, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(MAX_HEAD);
    let service = TowerToHyperService::new(app);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stop.cancelled() => None,
        () = sleep(LIFETIME) => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        ended = timeout(DRAIN, connection).await.ok();
    }
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::debug!(%error, "a connection broke off"),
        None => tracing::debug!("a connection was cut off, because it did not end in time"),
    }
}
