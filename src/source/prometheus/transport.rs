//! Sends questions to Prometheus: credentials, deadlines and the second try.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use prometheus_http_query::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, Url, redirect};
use tokio::time::{Instant, sleep, timeout_at};

use crate::domain::time::Span;
use crate::source::error::Failure;

use super::PrometheusSettings;
use super::answer::{Refusal, body, unanswered};
use super::credentials::Credentials;
use super::question::{Question, seconds};
use super::remote::Form;

/// The connection to one Prometheus.
pub(super) struct Transport {
    client: Client,
    /// The same connections, for what the wrapper does not know.
    http: reqwest::Client,
    url: Url,
    params: Vec<(&'static str, String)>,
    credentials: Credentials,
    timeout: Duration,
    max_body_bytes: usize,
}

impl Transport {
    /// Checks the settings; connects to nothing yet.
    pub(super) fn new(settings: PrometheusSettings, url: &Url) -> Result<Self, Failure> {
        let credentials = Credentials::of(&settings);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("sloburn/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers(&settings.headers)?)
            // A redirect would carry the token to wherever it points.
            .redirect(redirect::Policy::none())
            // Only what is configured is asked; a proxy of the environment is meant for the way out.
            .no_proxy();
        if url.scheme() == "http" {
            // Small images have no authorities at all, and need none for this.
            builder = builder.tls_certs_only([]);
        }
        let fault = |reason| Failure::Settings { key: "url", reason };
        let client = builder.build().map_err(|error| {
            tracing::debug!(%error, "no HTTP client");
            fault("the certificate authorities of this machine cannot be read".to_owned())
        })?;
        let http = client.clone();
        let client =
            Client::from(client, url.as_str()).map_err(|error| fault(error.to_string()))?;
        // The wrapper wants names that live for ever: a few bytes for each time that the configuration is read.
        let leaked = |(name, value): (String, String)| (&*name.leak(), value);
        Ok(Self {
            client,
            http,
            url: url.clone(),
            params: settings.params.into_iter().map(leaked).collect(),
            credentials,
            timeout: settings.timeout,
            max_body_bytes: settings.max_body_bytes,
        })
    }

    /// Whether samples may be read remotely: parameters of queries would be lost on the way.
    pub(super) const fn may_read_remotely(&self) -> bool {
        self.params.is_empty()
    }

    /// Asks for samples by remote read, once. What comes back is how the answer is packed, and the whole of it.
    pub(super) async fn read_remotely(&self, request: Vec<u8>) -> Result<(Form, Vec<u8>), Refusal> {
        let mut url = self.url.clone();
        let path = format!("{}/api/v1/read", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let mut post = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(CONTENT_ENCODING, "snappy")
            .header("X-Prometheus-Remote-Read-Version", "0.1.0")
            .body(request);
        if let Some(token) = self.credentials.header().await? {
            post = post.header(AUTHORIZATION, token);
        }
        let limit = self.limit();
        let answer = async {
            let response = post.send().await.map_err(|error| unanswered(&error))?;
            let kind = response.headers().get(CONTENT_TYPE);
            let kind = kind.and_then(|kind| kind.to_str().ok());
            let form = match kind {
                Some(kind) if kind.contains("x-streamed-protobuf") => Form::Streamed,
                _ => Form::Sampled,
            };
            Ok((form, body(response, self.max_body_bytes, limit).await?))
        };
        timeout_at(Instant::now() + self.timeout, answer)
            .await
            .unwrap_or_else(|_| Err(Failure::TimedOut { limit }.into()))
    }

    /// Asks, once more after a passing failure, all within the timeout. What comes back is the whole body.
    pub(super) async fn ask(&self, question: &Question) -> Result<Vec<u8>, Refusal> {
        let deadline = Instant::now() + self.timeout;
        timeout_at(deadline, self.ask_twice(question, deadline))
            .await
            .unwrap_or_else(|_| {
                Err(Failure::TimedOut {
                    limit: self.limit(),
                }
                .into())
            })
    }

    async fn ask_twice(&self, question: &Question, deadline: Instant) -> Result<Vec<u8>, Refusal> {
        let token = self.credentials.header().await?;
        let refusal = match self.ask_once(question, deadline, token.as_ref()).await {
            Ok(body) => return Ok(body),
            Err(refusal) => refusal,
        };
        match &refusal.failure {
            Failure::Unauthorized { status: 401 } => {
                // The file may have been renewed while we asked.
                let renewed = self.credentials.header().await?;
                if renewed == token {
                    return Err(refusal);
                }
                self.ask_once(question, deadline, renewed.as_ref()).await
            }
            failure if failure.is_passing() => {
                let pause = jitter();
                if deadline.saturating_duration_since(Instant::now()) <= pause {
                    return Err(refusal);
                }
                sleep(pause).await;
                self.ask_once(question, deadline, token.as_ref()).await
            }
            _ => Err(refusal),
        }
    }

    async fn ask_once(
        &self,
        question: &Question,
        deadline: Instant,
        token: Option<&HeaderValue>,
    ) -> Result<Vec<u8>, Refusal> {
        let left = deadline.saturating_duration_since(Instant::now());
        let response = self
            .send(question, left, token)
            .await
            .map_err(|error| unanswered(&error))?;
        body(response, self.max_body_bytes, self.limit()).await
    }

    async fn send(
        &self,
        question: &Question,
        left: Duration,
        token: Option<&HeaderValue>,
    ) -> Result<Response, prometheus_http_query::Error> {
        let left = i64::try_from(left.as_millis()).unwrap_or(i64::MAX).max(1);
        let params = self.params.iter();
        // Two builders of the wrapper, alike but for their types.
        match question {
            Question::Instant { query, at } => {
                let request = self
                    .client
                    .query(query)
                    .query("time", seconds(*at))
                    .timeout(left);
                let request = params.fold(request, |it, (name, value)| it.query(name, value));
                let request = token
                    .into_iter()
                    .fold(request, |it, token| it.header(AUTHORIZATION, token.clone()));
                request.post_raw().await
            }
            Question::Range {
                query,
                start,
                end,
                step,
            } => {
                let (start, end) = (start.as_millis() / 1_000, end.as_millis() / 1_000);
                let request = self
                    .client
                    .query_range(query, start, end, step.as_secs_f64())
                    .timeout(left);
                let request = params.fold(request, |it, (name, value)| it.query(name, value));
                let request = token
                    .into_iter()
                    .fold(request, |it, token| it.header(AUTHORIZATION, token.clone()));
                request.post_raw().await
            }
        }
    }

    fn limit(&self) -> Span {
        Span::from(self.timeout)
    }
}

fn headers(settings: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in settings {
        let fault = |what| Failure::Settings {
            key: "headers",
            reason: format!("`{name}` {what}"),
        };
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| fault("has a value that no header may have"))?;
        value.set_sensitive(true);
        let name = HeaderName::try_from(name).map_err(|_| fault("is not the name of a header"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// How long to wait before the second try. The hasher's random keys are chance enough to keep reads apart.
fn jitter() -> Duration {
    Duration::from_millis(50 + RandomState::new().hash_one(()) % 200)
}
