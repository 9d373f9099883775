//! Prometheus, or what speaks its query API: Thanos, Mimir, VictoriaMetrics.
//!
//! The wrapper around the API carries requests; answers are decoded here, because warnings, native histograms,
//! milliseconds and the reason of a failure have to survive.

mod answer;
mod circuit;
mod connection;
mod credentials;
mod crowd;
mod decode;
mod directory;
mod gate;
mod histogram;
mod remote;
mod server_clock;
mod transport;
mod wire;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use reqwest::Url;

use crate::clock::Clock;
use crate::domain::metric::MetricKind;
use crate::domain::selector::{Matcher, Selector};
use crate::domain::slo::SourceName;
use crate::domain::time::TimeRange;
use crate::series::batch::{Batch, Fetch};
use crate::source::error::{Failure, SourceError};
use crate::source::question::Question;
use crate::source::{Skew, Source, offload};

pub use self::connection::TlsFiles;
use self::decode::{Decoded, Kind, decode};
use self::directory::LookUp;
use self::gate::Gate;
use self::histogram::Thresholds;
use self::remote::Undecoded;
use self::transport::{Transport, Tries};
use self::words::beginning;

/// How to reach a Prometheus and how much to ask of it.
#[derive(Clone)]
pub struct PrometheusSettings {
    /// The source's name.
    pub name: SourceName,
    /// Where `/api/v1` lies; user and password in it are sent, and never shown.
    pub url: String,
    /// How long one read may take once it is its turn, second try and body included.
    pub timeout: Duration,
    /// Holds a token for the `Authorization` header.
    pub bearer_token_file: Option<PathBuf>,
    /// Holds `user:password` for the `Authorization` header; not asked where there is a token.
    pub basic_auth_file: Option<PathBuf>,
    /// For `https`.
    pub tls: TlsFiles,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// Narrow every selector; expressions are left as they are.
    pub matchers: Vec<Matcher>,
    /// Sent with every query.
    pub params: Vec<(String, String)>,
    /// How many queries may be under way at once; Prometheus itself runs 20.
    pub max_in_flight: NonZeroUsize,
    /// How large an answer may be, in bytes after decompression.
    pub max_body_bytes: usize,
    /// What its clock is compared with.
    pub clock: Clock,
}

impl PrometheusSettings {
    /// The Prometheus at `url`, with the defaults for all else.
    pub fn new(name: SourceName, url: impl Into<String>) -> Self {
        Self {
            name,
            url: url.into(),
            timeout: Duration::from_secs(10),
            bearer_token_file: None,
            basic_auth_file: None,
            tls: TlsFiles::default(),
            headers: Vec::new(),
            matchers: Vec::new(),
            params: Vec::new(),
            max_in_flight: const { NonZeroUsize::new(8).unwrap() },
            max_body_bytes: 128 << 20,
            clock: Clock::System,
        }
    }
}

impl fmt::Debug for PrometheusSettings {
    /// URL, headers and parameters may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusSettings")
            .field("name", &self.name)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A source of samples that asks a Prometheus.
pub struct PrometheusSource {
    name: SourceName,
    url: Box<str>,
    matchers: Vec<Matcher>,
    gate: Gate,
    transport: Transport,
    /// Whether it was found not to offer remote read.
    without_remote: AtomicBool,
}

impl PrometheusSource {
    /// Checks the settings; connects to nothing yet.
    pub fn new(mut settings: PrometheusSettings) -> Result<Self, SourceError> {
        let name = settings.name.clone();
        let matchers = std::mem::take(&mut settings.matchers);
        let gate = Gate::new(settings.max_in_flight.get());
        let at = |url: &str, failure| SourceError {
            name: name.clone(),
            url: url.into(),
            failure,
        };
        let parsed = base_url(&settings.url).map_err(|failure| at("", failure))?;
        let url = shown(parsed.clone());
        let transport = Transport::new(settings, &parsed).map_err(|failure| at(&url, failure))?;
        Ok(Self {
            name,
            url,
            matchers,
            gate,
            transport,
            without_remote: AtomicBool::new(false),
        })
    }

    /// Where it is, without user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn ask(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, Failure> {
        let Some(question) = Question::of(fetch, range, &self.matchers) else {
            return Ok(Batch::default());
        };
        // Held until the answer is decoded: this also bounds how many bodies are in memory.
        let mut place = self.gate.enter().await?;
        let tries = if place.is_probe() {
            Tries::One
        } else {
            Tries::Two
        };
        let answer = self.transport.ask(&question, tries).await;
        let body = answer.map_err(|refusal| place.refused(refusal))?;
        place.answered();
        let decoded = self.decoded(body, range, Thresholds::of(fetch)).await?;
        for info in &decoded.infos {
            tracing::debug!(source = %self.name, info, "Prometheus remarks on a query");
        }
        match (fetch, decoded.kind) {
            // Only a matrix carries the times of the scrapes.
            (Fetch::Samples(_) | Fetch::Histograms { .. }, Kind::Vector | Kind::Scalar) => {
                Err(Failure::Shape {
                    found: decoded.kind.name(),
                })
            }
            _ => Ok(decoded.batch),
        }
    }

    /// By remote read where it is offered and what came by it is of use; else by a query.
    async fn ask_past(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, Failure> {
        let may = self.transport.may_read_remotely() && !self.without_remote.load(Relaxed);
        if let (Fetch::Samples(selector), true) = (fetch, may) {
            let selector = selector.refined(self.matchers.iter().cloned());
            let name = &self.name;
            match self.ask_remotely(&selector, range).await? {
                Remote::Read(batch) => return Ok(batch),
                Remote::Damaged => {
                    tracing::warn!(source = %name, "what source `{name}` answered by remote read came damaged, and a query is put in its place; see what lies between");
                }
                Remote::NotOffered => {
                    if !self.without_remote.swap(true, Relaxed) {
                        tracing::info!(source = %name, "source `{name}` offers no remote read that Sloburn understands; its past is read by queries, which costs it more");
                    }
                }
            }
        }
        self.ask(fetch, range).await
    }

    async fn ask_remotely(&self, selector: &Selector, range: TimeRange) -> Result<Remote, Failure> {
        let request = remote::request(selector, range).map_err(|error| Failure::Refused {
            error_type: "bad_data".to_owned(),
            message: error.to_string(),
        })?;
        let mut place = self.gate.enter().await?;
        let (form, body) = match self.transport.read_remotely(request).await {
            Ok(answer) => answer,
            Err(refusal) => {
                let failure = place.refused(refusal);
                return if is_not_offered(&failure) {
                    Ok(Remote::NotOffered)
                } else {
                    Err(failure)
                };
            }
        };
        place.answered();
        let limit = self.transport.max_body_bytes();
        let work = move || remote::decode((form, &body), range, limit);
        let decoded = offload::offloaded(work).await;
        match decoded.ok_or(Failure::Truncated)? {
            Ok(batch) => Ok(Remote::Read(batch)),
            Err(Undecoded::Damaged) => Ok(Remote::Damaged),
            Err(Undecoded::Unknown) => Ok(Remote::NotOffered),
            Err(Undecoded::TooLarge) => Err(Failure::TooLarge { limit }),
        }
    }

    /// What lies beside the samples is asked once: an answer, or none, says nothing of how they can be read.
    async fn look_up(&self, asked: &LookUp) -> Result<Vec<u8>, SourceError> {
        let answer = async {
            let mut place = self.gate.enter().await?;
            let answer = self.transport.look_up(asked).await;
            answer.map_err(|refusal| match refusal.failure {
                Failure::RateLimited { .. } => place.refused(refusal),
                failure => failure,
            })
        };
        answer.await.map_err(|failure| self.fault(failure))
    }

    fn fault(&self, failure: Failure) -> SourceError {
        SourceError {
            name: self.name.clone(),
            url: self.url.clone(),
            failure,
        }
    }

    async fn decoded(
        &self,
        body: Vec<u8>,
        range: TimeRange,
        thresholds: Thresholds,
    ) -> Result<Decoded, Failure> {
        let bytes = body.len();
        let name = self.name.clone();
        let work = move || {
            let decoded = decode(&body, range, &thresholds);
            if let Err(Failure::Protocol { reason }) = &decoded {
                let body = beginning(&body);
                tracing::warn!(source = %name, reason, body, "what came is no answer to a query");
            }
            decoded
        };
        let decoded = offload::decoded(bytes, work).await;
        decoded.unwrap_or(Err(Failure::Truncated))
    }
}

impl Source for PrometheusSource {
    fn skew(&self) -> Option<Skew> {
        self.transport.skew()
    }

    fn question(&self, fetch: &Fetch, range: TimeRange) -> Option<Question> {
        Question::of(fetch, range, &self.matchers)
    }

    fn narrowed_by(&self) -> &[Matcher] {
        &self.matchers
    }

    async fn read(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        let read = self.ask(fetch, range).await;
        read.map_err(|failure| self.fault(failure))
    }

    async fn read_past(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        let read = self.ask_past(fetch, range).await;
        read.map_err(|failure| self.fault(failure))
    }

    async fn names(&self, within: TimeRange) -> Result<Vec<String>, SourceError> {
        let asked = directory::names(within, &self.matchers);
        let body = self.look_up(&asked).await?;
        directory::named(&body).map_err(|failure| self.fault(failure))
    }

    async fn kind_of(&self, metric: &str) -> Result<Option<MetricKind>, SourceError> {
        let body = self.look_up(&directory::metadata(metric)).await?;
        directory::kind(&body, metric).map_err(|failure| self.fault(failure))
    }
}

/// What came of asking by remote read.
enum Remote {
    Read(Batch),
    /// Nothing of use this time.
    Damaged,
    /// The server does not offer it, or not so that we understand it.
    NotOffered,
}

/// Whether a refusal of remote read says that there is none, or that it is not for us.
const fn is_not_offered(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Protocol { .. }
            | Failure::Refused { .. }
            | Failure::Unauthorized { status: 403 }
            | Failure::Server {
                status: 404 | 405 | 501,
                ..
            }
    )
}

/// The samples of an answer to a query that lie in `range`.
///
/// # Errors
/// When it is none, or only a part of one.
pub fn batch(body: &[u8], range: TimeRange) -> Result<Batch, Failure> {
    Ok(decode(body, range, &Thresholds::NONE)?.batch)
}

/// The same of an answer to `fetch`, which may have asked for native histograms.
///
/// # Errors
/// When it is none, or only a part of one.
pub fn answer(body: &[u8], fetch: &Fetch, range: TimeRange) -> Result<Batch, Failure> {
    Ok(decode(body, range, &Thresholds::of(fetch))?.batch)
}

impl fmt::Debug for PrometheusSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusSource")
            .field("name", &self.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

fn base_url(text: &str) -> Result<Url, Failure> {
    let fault = |reason: &str| Failure::Settings {
        key: "url",
        reason: reason.to_owned(),
    };
    let mut url = Url::parse(text.trim())
        .map_err(|_| fault("it is not a URL; write it as http://localhost:9090"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault("it must begin with http:// or https://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fault(
            "it must end with the path; query parameters belong into `params`",
        ));
    }
    // The wrapper puts its own slash between.
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn shown(mut url: Url) -> Box<str> {
    // Both fail only for URLs without a host, and those have nothing to hide.
    let hidden = url.set_username("").and_then(|()| url.set_password(None));
    match hidden {
        Ok(()) => url.as_str().trim_end_matches('/').into(),
        Err(()) => "".into(),
    }
}
