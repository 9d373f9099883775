//! A Prometheus for tests that tells the truth about one small service, until it is told to lie.
//!
//! The service has answered a hundred requests a second since the server was started, half of them with 500, and is
//! scraped every second on the second: what must have been counted at any time is known in closed form.

use std::fmt::{Debug, Write as _};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::post;
use axum::serve::Listener;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Url;
use sloburn::clock::Clock;
use sloburn::domain::time::{Span, Timestamp};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What the service answers each second with 200, and as many times with 500.
const EACH_PER_SECOND: i64 = 50;

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
    /// Without what was scraped between these seconds since the service began.
    Gap(i64, i64),
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
    /// When each query came, and how it was answered.
    asked: Mutex<Vec<(Instant, Lie)>>,
}

/// The parts of a query that matter here.
struct Question {
    query: String,
    time: f64,
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
        let now = Timestamp::from(Clock::System.now());
        let mut running = Self {
            address,
            shared: Arc::new(Shared {
                born: now.floor_to(Span::from_secs(1)),
                lie: Mutex::new(Lie::Truth),
                asked: Mutex::default(),
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
        let so = asked.iter().filter(|(_, answered)| *answered == lie);
        so.map(|(at, _)| *at).collect()
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

impl Question {
    fn of(form: &str) -> Self {
        let url = Url::parse(&format!("http://form/?{form}")).expect("a form");
        let field = |wanted| {
            let mut fields = url.query_pairs();
            let found = fields.find(|(name, _)| name == wanted);
            found.expect("every query has it").1.into_owned()
        };
        Self {
            query: field("query"),
            time: field("time").parse().expect("seconds"),
        }
    }
}

impl Shared {
    /// The second since the service began at which a question is asked.
    #[expect(clippy::cast_possible_truncation, reason = "it is a time of ours")]
    fn second(&self, question: &Question) -> i64 {
        question.time.round() as i64 - self.born.as_millis() / 1_000
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a test is over long before 2^53"
    )]
    fn value(&self, at: Timestamp) -> f64 {
        (at.since(self.born).as_millis() / 1_000 * EACH_PER_SECOND) as f64
    }

    /// `selector[…ms]` at a time: the samples of all series, or of those that do not fail.
    fn truth(&self, question: &Question, codes: &[&str], warning: &str) -> String {
        self.told(question, codes, warning, |_, value| Some(value.to_string()))
    }

    /// The same, with what `value` makes of each value at its second since the service began.
    fn told(
        &self,
        question: &Question,
        codes: &[&str],
        warning: &str,
        value: impl Fn(i64, f64) -> Option<String>,
    ) -> String {
        // It cannot count its series, which is asked when answers are too large.
        if question.query.starts_with("count by") || question.query.starts_with("quantile") {
            return r#"{"status":"error","errorType":"bad_data","error":"no such function"}"#
                .to_owned();
        }
        let range = question
            .query
            .rsplit_once('[')
            .and_then(|(_, rest)| rest.strip_suffix("ms]"));
        let length = range
            .and_then(|text| text.parse().ok())
            .expect("only raw samples are asked for");
        #[expect(clippy::cast_possible_truncation, reason = "it is a time of ours")]
        let to = Timestamp::from_millis((question.time * 1_000.0).round() as i64);
        let from =
            (to - Span::from_millis(length)).floor_to(Span::from_secs(1)) + Span::from_secs(1);
        let mut points = String::new();
        let mut at = from.max(self.born);
        while at <= to {
            let second = at.since(self.born).as_millis() / 1_000;
            if let Some(value) = value(second, self.value(at)) {
                let comma = if points.is_empty() { "" } else { "," };
                let at = at.as_millis() / 1_000;
                write!(points, "{comma}[{at}, \"{value}\"]").expect("a string takes it");
            }
            at = at + Span::from_secs(1);
        }
        let series: Vec<String> = codes.iter().filter(|_| !points.is_empty()).map(|code| format!(
            r#"{{"metric":{{"__name__":"http_requests_total","job":"shop","instance":"shop:80","code":"{code}"}},"values":[{points}]}}"#
        )).collect();
        format!(
            r#"{{"status":"success",{warning}"data":{{"resultType":"matrix","result":[{}]}}}}"#,
            series.join(",")
        )
    }
}

async fn answer(State(shared): State<Arc<Shared>>, form: String) -> Response {
    let question = Question::of(&form);
    let lie = *lock(&shared.lie);
    lock(&shared.asked).push((Instant::now(), lie));
    if lie == Lie::Truth && !question.query.starts_with("http_requests_total") {
        return shared.truth(&question, &[], "").into_response();
    }
    let truth = || shared.truth(&question, &["200", "500"], "");
    let both = ["200", "500"];
    let now = shared.second(&question);
    let mut response = match lie {
        Lie::Truth | Lie::Refused => truth().into_response(),
        Lie::Unauthorized => (StatusCode::UNAUTHORIZED, "who are you?").into_response(),
        Lie::Busy(seconds) => {
            let wait = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, wait).into_response()
        }
        Lie::Page => Html("<!DOCTYPE html><title>Sign in</title>").into_response(),
        Lie::Cut => {
            let whole = truth();
            whole
                .chars()
                .take(whole.len() / 2)
                .collect::<String>()
                .into_response()
        }
        Lie::Warning => {
            let warning = r#""warnings":["store gateway-2 did not answer"],"#;
            shared.truth(&question, &["200"], warning).into_response()
        }
        Lie::Status(status, text) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, text).into_response()
        }
        Lie::Elsewhere => Redirect::to("http://127.0.0.1:9/login").into_response(),
        Lie::Silence => std::future::pending().await,
        Lie::Says(text) => text.into_response(),
        Lie::Bomb(mib) => bomb(mib),
        Lie::Nothing => shared.truth(&question, &[], "").into_response(),
        Lie::Healthy => shared.truth(&question, &["200"], "").into_response(),
        Lie::Value(text) => {
            let value = |_, _| Some(text.to_owned());
            shared.told(&question, &both, "", value).into_response()
        }
        Lie::Late(seconds) => {
            let there = |at, value: f64| (at <= now - seconds).then(|| value.to_string());
            shared.told(&question, &both, "", there).into_response()
        }
        Lie::Gap(from, to) => {
            let there = |at, value: f64| (at <= from || at > to).then(|| value.to_string());
            shared.told(&question, &both, "", there).into_response()
        }
    };
    // No connection outlives the server that let it in.
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
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
