//! A Prometheus that knows ten metrics: a process of its own, with the labels of its answers rendered beforehand.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use reqwest::Url;
use sloburn::client;
use sloburn::domain::time::{Span, Timestamp};
use tokio::net::TcpListener;

use super::world::{self, FAMILIES, Size};

/// What the stub has served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) queries: u64,
    pub(crate) bytes: u64,
    /// The first and the last scrape of which a sample was served, by their numbers.
    pub(crate) scrapes: Option<(i64, i64)>,
}

/// A stub that runs; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Stub {
    process: Child,
    url: String,
}

impl Stub {
    /// Starts this very program again, as a stub.
    pub(crate) fn start(size: Size) -> io::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args([
                "stub",
                &size.instances.to_string(),
                &size.series.to_string(),
            ])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url)?;
        let url = url.trim().to_owned();
        Ok(Self { process, url })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn served(&self) -> Served {
        let client = client::builder().build().unwrap();
        let reply = client.get(format!("{}/served", self.url)).send().await;
        let text = reply.unwrap().text().await.unwrap();
        let numbers: Vec<i64> = text.split(' ').map(|it| it.parse().unwrap()).collect();
        Served {
            queries: numbers[0].cast_unsigned(),
            bytes: numbers[1].cast_unsigned(),
            scrapes: (numbers[0] > 0).then_some((numbers[2], numbers[3])),
        }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            self.process.wait().ok();
        }
    }
}

const EMPTY: &[u8] = br#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;

#[derive(Debug)]
struct Prometheus {
    size: Size,
    /// Of each family, what stands before the samples of each series.
    heads: Vec<Vec<String>>,
    served: Mutex<Served>,
}

/// Serves until the process is killed; its address is the first line of its output.
pub(crate) async fn serve(size: Size) -> io::Result<()> {
    let head = |family, series| format!(r#"{{"metric":{},"values":["#, size.labels(family, series));
    let heads = |family| {
        (0..size.in_family())
            .map(|series| head(family, series))
            .collect()
    };
    let prometheus = Prometheus {
        size,
        heads: (0..FAMILIES).map(heads).collect(),
        served: Mutex::default(),
    };
    let router = Router::new()
        .route("/api/v1/query", post(query))
        .route("/served", get(served))
        .with_state(Arc::new(prometheus));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    axum::serve(listener, router).await
}

async fn served(State(prometheus): State<Arc<Prometheus>>) -> String {
    let served = *prometheus
        .served
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let (first, last) = served.scrapes.unwrap_or_default();
    format!("{} {} {first} {last}", served.queries, served.bytes)
}

async fn query(State(prometheus): State<Arc<Prometheus>>, form: String) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "application/json")],
        prometheus.answer(&form),
    )
}

impl Prometheus {
    fn answer(&self, form: &str) -> Vec<u8> {
        let url = Url::parse(&format!("http://form/?{form}")).unwrap();
        let field = |wanted| {
            let field = url.query_pairs().find(|(name, _)| name == wanted);
            field.unwrap().1.into_owned()
        };
        let (query, to) = (field("query"), field("time"));
        let (selector, range) = query.rsplit_once('[').unwrap();
        let metric = selector.split('{').next().unwrap_or_default();
        let Some(family) = world::family(metric) else {
            // Processes' starts are asked for too, and no target of this world tells them.
            return EMPTY.to_vec();
        };
        let millis: f64 = to.parse::<f64>().unwrap() * 1_000.0;
        #[expect(clippy::cast_possible_truncation, reason = "it is a time of ours")]
        let to = Timestamp::from_millis(millis.round() as i64);
        let length = range.strip_suffix("ms]").unwrap().parse().unwrap();
        let scrapes: Vec<_> = world::scrapes(to - Span::from_millis(length), to).collect();
        let body = self.render(family, &scrapes);
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.queries += 1;
        served.bytes += u64::try_from(body.len()).unwrap_or(u64::MAX);
        for (_, step) in scrapes {
            let (first, last) = served.scrapes.unwrap_or((step, step));
            served.scrapes = Some((first.min(step), last.max(step)));
        }
        body
    }

    fn render(&self, family: usize, scrapes: &[(Timestamp, i64)]) -> Vec<u8> {
        let times: Vec<String> = scrapes
            .iter()
            .map(|(at, _)| {
                format!(
                    "[{}.{:03},\"",
                    at.as_millis() / 1_000,
                    at.as_millis() % 1_000
                )
            })
            .collect();
        let mut body = Vec::with_capacity(self.size.in_family() * (180 + 32 * scrapes.len()));
        body.extend_from_slice(br#"{"status":"success","data":{"resultType":"matrix","result":["#);
        for (series, head) in self.heads[family].iter().enumerate() {
            if series > 0 {
                body.push(b',');
            }
            body.extend_from_slice(head.as_bytes());
            for (position, (time, (_, step))) in times.iter().zip(scrapes).enumerate() {
                if position > 0 {
                    body.push(b',');
                }
                body.extend_from_slice(time.as_bytes());
                write!(body, "{}\"]", self.size.value(series, *step)).unwrap();
            }
            body.extend_from_slice(b"]}");
        }
        body.extend_from_slice(b"]}}");
        body
    }
}
