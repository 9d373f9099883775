//! A Prometheus for tests that tells the truth about one small service, until it is told to lie.
//!
//! The service has answered a hundred requests a second since the server was started, half of them with 500, and is
//! scraped every second on the second: what must have been counted at any time is known in closed form.

mod lies;
mod truth;

use std::fmt::Debug;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::post;
use axum::serve::Listener;
use sloburn::clock::Clock;
use sloburn::domain::time::{Span, Timestamp};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(crate) use lies::Lie;
use truth::Question;

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct LyingPrometheus {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    /// When the service began.
    born: Timestamp,
    lie: Mutex<Lie>,
    /// When each query came, what it asked for, and how it was answered.
    asked: Mutex<Vec<(Instant, String, Lie)>>,
    /// How many are being answered, and how many were at most.
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

impl LyingPrometheus {
    /// Starts a server that tells the truth.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self::on(address, listener))
    }

    /// Starts one that speaks TLS as `config` says; [`url`](Self::url) is still that of HTTP.
    pub(crate) async fn secured(config: Arc<rustls::ServerConfig>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(config);
        Ok(Self::on(address, Secured { listener, acceptor }))
    }

    fn on<L: Listener<Addr: Debug>>(address: SocketAddr, listener: L) -> Self {
        let mut running = Self {
            address,
            shared: Arc::new(Shared {
                born: now().floor_to(Span::from_secs(1)),
                lie: Mutex::new(Lie::Truth),
                asked: Mutex::default(),
                under_way: AtomicUsize::default(),
                most_under_way: AtomicUsize::default(),
            }),
            server: JoinSet::new(),
        };
        running.serve(listener);
        running
    }

    /// When the service began.
    pub(crate) fn born(&self) -> Timestamp {
        self.shared.born
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers like this from now on.
    pub(crate) async fn tell(&mut self, lie: Lie) {
        *lock(&self.shared.lie) = lie;
        if lie == Lie::Refused {
            self.server.shutdown().await;
        } else if self.server.is_empty() {
            let listener = TcpListener::bind(self.address).await;
            self.serve(listener.expect("the port that was ours a moment ago"));
        }
    }

    /// When queries came that were answered like this.
    pub(crate) fn asked(&self, lie: Lie) -> Vec<Instant> {
        let asked = lock(&self.shared.asked);
        let so = asked.iter().filter(|(.., answered)| *answered == lie);
        so.map(|(at, ..)| *at).collect()
    }

    /// The metrics that were asked for by queries that were answered like this, in order.
    pub(crate) fn metrics(&self, lie: Lie) -> Vec<String> {
        let asked = lock(&self.shared.asked);
        let so = asked.iter().filter(|(.., answered)| *answered == lie);
        so.map(|(_, metric, _)| metric.clone()).collect()
    }

    /// How many queries were under way at once at most.
    pub(crate) fn most_under_way(&self) -> usize {
        self.shared.most_under_way.load(Ordering::Relaxed)
    }

    /// How many failures and how many requests there were up to `at`.
    pub(crate) fn truth(&self, at: Timestamp) -> (f64, f64) {
        let second = at.since(self.shared.born).as_millis() / 1_000;
        let bad = truth::value(second);
        (bad, 2.0 * bad)
    }

    fn serve<L: Listener<Addr: Debug>>(&mut self, listener: L) {
        let router = Router::new()
            .route("/api/v1/query", post(answer))
            .route("/api/v1/query_range", post(answer))
            .with_state(Arc::clone(&self.shared));
        self.server.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                panic!("the lying Prometheus stopped: {error}");
            }
        });
    }
}

/// A socket that speaks TLS.
struct Secured {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // Who does not trust us hangs up, which is no reason to stop.
            if let Ok((connection, address)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(connection).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, form: String) -> Response {
    let _under_way = UnderWay::begin(&shared);
    let question = Question::of(&form, shared.born);
    let lie = *lock(&shared.lie);
    let metric = question.metric().to_owned();
    lock(&shared.asked).push((Instant::now(), metric, lie));
    let mut response = lies::told(&shared, &question, lie).await;
    if let Lie::Clock(ahead) = lie {
        let date = (now() + Span::from_secs(ahead)).to_jiff();
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let date = HeaderValue::from_str(&date).expect("a date");
        response.headers_mut().insert(header::DATE, date);
    }
    // No connection outlives the server that let it in.
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// Counts a query for as long as it is being answered and somebody waits for that.
struct UnderWay<'a>(&'a Shared);

impl<'a> UnderWay<'a> {
    fn begin(shared: &'a Shared) -> Self {
        let under_way = shared.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        let most = &shared.most_under_way;
        most.fetch_max(under_way, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn now() -> Timestamp {
    Clock::System.now().into()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
