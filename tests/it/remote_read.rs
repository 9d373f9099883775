//! The past of servers that offer no remote read, or an older form of it: it is the same past.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use sloburn::client;
use sloburn::clock::Clock;
use sloburn::domain::labels::Labels;
use sloburn::domain::selector::Selector;
use sloburn::domain::slo::SourceName;
use sloburn::domain::time::{TimeRange, Timestamp};
use sloburn::series::batch::Fetch;
use sloburn::source::Source as _;
use sloburn::source::prometheus::{PrometheusSettings, PrometheusSource};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::remote_write::{self, Written};
use crate::support::tools::{RealServer, get};

const SCRAPE: i64 = 15;
const HOUR: i64 = 3_600;

/// What a request ends with that asks for chunks first and for samples else: `accepted_response_types = 2`, twice.
const BOTH_FORMS: [u8; 4] = [0x10, 1, 0x10, 0];

/// Stands before a server and takes down which paths are asked for.
struct Proxy {
    url: String,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    to: String,
    client: reqwest::Client,
    /// Asks for samples, as servers and clients did before there were chunks.
    is_old: bool,
    paths: Mutex<Vec<String>>,
}

impl Proxy {
    async fn before(server: &RealServer, is_old: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            to: server.url(),
            client: client::builder().build().unwrap(),
            is_old,
            paths: Mutex::default(),
        });
        let router = Router::new()
            .fallback(forward)
            .with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            shared,
            _server: server,
        }
    }

    fn source(&self) -> PrometheusSource {
        let settings = PrometheusSettings::new(SourceName::new("default"), &*self.url);
        PrometheusSource::new(settings).unwrap()
    }

    fn paths(&self) -> Vec<String> {
        let paths = self.shared.paths.lock();
        paths.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn forward(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let body = if shared.is_old && path == "/api/v1/read" {
        let request = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
        let old = request
            .strip_suffix(&BOTH_FORMS)
            .expect("it takes both forms");
        snap::raw::Encoder::new().compress_vec(old).unwrap().into()
    } else {
        body
    };
    let mut request = shared
        .client
        .post(format!("{}{path}", shared.to))
        .body(body);
    for name in [
        "content-type",
        "content-encoding",
        "x-prometheus-remote-read-version",
    ] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value.as_bytes());
        }
    }
    shared
        .paths
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(path);
    let answer = request.send().await.unwrap();
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let kind = answer.headers().get("content-type").cloned();
    let kind = kind.map(|kind| (header::CONTENT_TYPE, kind.as_bytes().to_vec()));
    let kind = kind.map(|(name, value)| [(name, String::from_utf8(value).unwrap())]);
    let body = answer.bytes().await.unwrap();
    match kind {
        Some(kind) => (status, kind, body).into_response(),
        None => (status, body).into_response(),
    }
}

/// Two counters with whole numbers over `(end - 3h, end]`.
fn written(end: i64) -> Vec<Written> {
    let series = |code: &str, each: i32| {
        let names = [
            ("__name__", "http_requests_total"),
            ("job", "api"),
            ("code", code),
        ];
        let scrapes = (end - 3 * HOUR..=end).step_by(usize::try_from(SCRAPE).unwrap());
        let samples = scrapes
            .zip(0..)
            .map(|(second, count)| (second * 1_000, f64::from(count * each)));
        (names.into_iter().collect::<Labels>(), samples.collect())
    };
    vec![series("200", 7), series("500", 1)]
}

/// What a source tells of a range, by code: its samples.
async fn told(source: &PrometheusSource, range: TimeRange) -> Vec<(String, Vec<(i64, f64)>)> {
    let fetch = Fetch::Samples(Selector::new("http_requests_total", Vec::new()));
    let batch = source.read_past(&fetch, range).await.unwrap();
    let mut told: Vec<_> = batch
        .series()
        .map(|series| {
            let samples = series
                .samples
                .iter()
                .map(|it| (it.at.as_millis(), it.value));
            (series.labels.get("code").to_owned(), samples.collect())
        })
        .collect();
    told.sort_by(|one: &(String, Vec<(i64, f64)>), other| one.0.cmp(&other.0));
    told
}

/// Reads the last hour and the two before it, and says which paths were asked for.
async fn past_is_whole(server: &RealServer, is_old: bool) -> Vec<String> {
    let end = Clock::System.now().as_second() / SCRAPE * SCRAPE;
    let written = written(end);
    remote_write::write(&server.url(), &written).await.unwrap();
    // VictoriaMetrics else tells of what it took a second later; the others do not know the path.
    get(server.address(), "/internal/force_flush")
        .await
        .unwrap();
    let proxy = Proxy::before(server, is_old).await;
    let source = proxy.source();
    for (from, to) in [(HOUR, 0), (3 * HOUR, HOUR)] {
        let range = TimeRange {
            from: Timestamp::from_millis((end - from) * 1_000),
            to: Timestamp::from_millis((end - to) * 1_000),
        };
        let there_was = |(labels, samples): &Written| {
            let within = samples
                .iter()
                .filter(|(at, _)| range.contains(Timestamp::from_millis(*at)));
            (labels.get("code").to_owned(), within.copied().collect())
        };
        let there_was: Vec<(String, Vec<_>)> = written.iter().map(there_was).collect();
        assert_eq!(
            told(&source, range).await,
            there_was,
            "{from} s to {to} s ago"
        );
    }
    proxy.paths()
}

#[tokio::test]
async fn victoria_metrics_offers_no_remote_read_and_is_asked_for_it_once() {
    let Some(server) = RealServer::victoria_metrics("global: {}\n").await else {
        return;
    };
    let asked = past_is_whole(&server, false).await;
    assert_eq!(asked, ["/api/v1/read", "/api/v1/query", "/api/v1/query"]);
}

#[tokio::test]
async fn samples_in_the_old_form_of_remote_read_are_the_same() {
    for server in [
        RealServer::prometheus("global: {}\n").await,
        RealServer::prometheus2("global: {}\n").await,
    ] {
        let Some(server) = server else { return };
        let asked = past_is_whole(&server, true).await;
        assert_eq!(asked, ["/api/v1/read"; 2]);
    }
}
