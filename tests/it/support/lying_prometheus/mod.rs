//! A Prometheus for tests that tells the truth about one small service, until it is told to lie.
//!
//! The service has answered a hundred requests a second since the server was started, half of them with 500, and is
//! scraped every second on the second: what must have been counted at any time is known in closed form.

mod truth;

use std::fmt::Debug;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::post;
use axum::serve::Listener;
use flate2::Compression;
use flate2::write::GzEncoder;
use sloburn::clock::Clock;
use sloburn::domain::time::{Span, Timestamp};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use truth::Question;

/// How every query is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// As Prometheus would.
    Truth,
    /// Nobody listens.
    Refused,
    /// 401.
    Unauthorized,
    /// 429 with so many seconds to wait.
    Busy(u32),
    /// Somebody else's page with status 200.
    Page,
    /// The first half of the answer.
    Cut,
    /// Without the series of failures, and with a warning that says so.
    Warning,
    /// This status with this text.
    Status(u16, &'static str),
    /// 302 to somewhere else.
    Elsewhere,
    /// Nothing, for as long as somebody waits.
    Silence,
    /// This, with status 200.
    Says(&'static str),
    /// So many MiB of blanks, packed.
    Bomb(usize),
    /// No series at all.
    Nothing,
    /// Without the series of failures.
    Healthy,
    /// Every value is this.
    Value(&'static str),
    /// Without what was scraped in the last seconds, so many.
    Late(i64),
    /// Samples are there so many seconds after their time.
    Behind(i64),
    /// Without what was scraped between these seconds since the service began.
    Gap(i64, i64),
    /// The truth, after so many milliseconds.
    Slow(u64),
    /// Its clock is so many seconds ahead; what it has not lived through yet is not there.
    Clock(i64),
    /// Every series twice.
    Twice,
    /// So many routes, each of which answers a tenth of what the service does.
    Routes(i64),
}

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
        let bad = self.shared.value(at);
        (bad, 2.0 * bad)
    }

    fn serve<L: Listener<Addr: Debug>>(&mut self, listener: L) {
        let router = Router::new()
            .route("/api/v1/query", post(answer))
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
    let question = Question::of(&form);
    let lie = *lock(&shared.lie);
    let metric = question.metric().to_owned();
    lock(&shared.asked).push((Instant::now(), metric, lie));
    let mut response = told(&shared, &question, lie).await;
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

async fn told(shared: &Shared, question: &Question, lie: Lie) -> Response {
    let whole = || shared.truth(question, &["200", "500"]);
    let those = |there: &dyn Fn(i64) -> bool| {
        let value = |at, value: f64| there(at).then(|| value.to_string());
        shared.told(question, &["200", "500"], value)
    };
    let asked_at = shared.second(question);
    match lie {
        Lie::Truth | Lie::Refused => whole().into_response(),
        Lie::Unauthorized => (StatusCode::UNAUTHORIZED, "who are you?").into_response(),
        Lie::Busy(seconds) => {
            let wait = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, wait).into_response()
        }
        Lie::Page => Html("<!DOCTYPE html><title>Sign in</title>").into_response(),
        Lie::Cut => {
            let whole = whole();
            let half = whole.chars().take(whole.len() / 2);
            half.collect::<String>().into_response()
        }
        Lie::Warning => {
            let warning = r#"{"warnings":["store gateway-2 did not answer"],"#;
            let part = shared.truth(question, &["200"]);
            part.replacen('{', warning, 1).into_response()
        }
        Lie::Status(status, text) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, text).into_response()
        }
        Lie::Elsewhere => Redirect::to("http://127.0.0.1:9/login").into_response(),
        Lie::Silence => std::future::pending().await,
        Lie::Says(text) => text.into_response(),
        Lie::Bomb(mib) => bomb(mib),
        Lie::Nothing => shared.truth(question, &[]).into_response(),
        Lie::Healthy => shared.truth(question, &["200"]).into_response(),
        Lie::Value(text) => {
            let value = |_, _| Some(text.to_owned());
            let told = shared.told(question, &["200", "500"], value);
            told.into_response()
        }
        Lie::Late(seconds) => those(&|at| at <= asked_at - seconds).into_response(),
        Lie::Gap(from, to) => those(&|at| at <= from || at > to).into_response(),
        Lie::Slow(millis) => {
            sleep(Duration::from_millis(millis)).await;
            whole().into_response()
        }
        Lie::Behind(seconds) => {
            let there = now().since(shared.born) - Span::from_secs(seconds);
            those(&|at| at * 1_000 <= there.as_millis()).into_response()
        }
        Lie::Clock(ahead) => {
            let lived = (now() + Span::from_secs(ahead)).since(shared.born);
            those(&|at| at <= lived.as_millis() / 1_000).into_response()
        }
        Lie::Twice => shared
            .truth(question, &["200", "500", "200", "500"])
            .into_response(),
        Lie::Routes(routes) => shared.routes(question, routes).into_response(),
    }
}

fn now() -> Timestamp {
    Clock::System.now().into()
}

/// Blanks, packed to next to nothing.
fn bomb(mib: usize) -> Response {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer
        .write_all(&vec![b' '; mib << 20])
        .expect("memory takes it");
    let packed = packer.finish().expect("memory takes it");
    ([(header::CONTENT_ENCODING, "gzip")], packed).into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
