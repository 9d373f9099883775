//! Sends questions to Prometheus: credentials, deadlines and the second try.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use reqwest::{Response, Url};
use tokio::time::{Instant, sleep, timeout_at};

use crate::domain::time::Span;
use crate::source::Skew;
use crate::source::error::Failure;
use crate::source::question::{Question, seconds};

use super::PrometheusSettings;
use super::answer::{Refusal, body, unanswered};
use super::connection::Connection;
use super::credentials::Credentials;
use super::directory::LookUp;
use super::gate::chance;
use super::remote::Form;
use super::server_clock::ServerClock;

/// How often a question is put.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tries {
    /// Whatever comes of it.
    One,
    /// Once more after a passing failure.
    Two,
}

/// Puts questions to one Prometheus.
pub(super) struct Transport {
    connection: Connection,
    url: Url,
    params: Vec<(&'static str, String)>,
    credentials: Credentials,
    timeout: Duration,
    max_body_bytes: usize,
    server_clock: ServerClock,
}

impl Transport {
    /// Checks the settings; connects to nothing yet.
    pub(super) fn new(settings: PrometheusSettings, url: &Url) -> Result<Self, Failure> {
        let credentials = Credentials::of(&settings);
        let connection = Connection::new(url, &settings.headers, settings.tls)?;
        // The wrapper wants names that live for ever: a few bytes for each time that the configuration is read.
        let leaked = |(name, value): (String, String)| (&*name.leak(), value);
        Ok(Self {
            connection,
            url: url.clone(),
            params: settings.params.into_iter().map(leaked).collect(),
            credentials,
            timeout: settings.timeout,
            max_body_bytes: settings.max_body_bytes,
            server_clock: ServerClock::new(settings.clock),
        })
    }

    /// How far our clock is ahead of the server's, as far as its answers tell.
    pub(super) fn skew(&self) -> Option<Skew> {
        self.server_clock.skew()
    }

    /// Whether samples may be read remotely: parameters of queries would be lost on the way.
    pub(super) const fn may_read_remotely(&self) -> bool {
        self.params.is_empty()
    }

    /// How large an answer may be, unpacked.
    pub(super) const fn max_body_bytes(&self) -> usize {
        self.max_body_bytes
    }

    /// Asks for samples by remote read, once. What comes back is how the answer is packed, and the whole of it.
    pub(super) async fn read_remotely(&self, request: Vec<u8>) -> Result<(Form, Vec<u8>), Refusal> {
        let clients = self.connection.clients().await?;
        let mut post = clients
            .plain
            .post(self.below("read"))
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(CONTENT_ENCODING, "snappy")
            .header("X-Prometheus-Remote-Read-Version", "0.1.0")
            .body(request);
        if let Some(token) = self.credentials.header().await? {
            post = post.header(AUTHORIZATION, token);
        }
        let limit = self.limit();
        let answer = async {
            let asked = self.server_clock.asks();
            let response = post.send().await.map_err(|error| unanswered(&error))?;
            self.server_clock.answers(asked, response.headers());
            let kind = response.headers().get(CONTENT_TYPE);
            let form = kind.and_then(|kind| Form::of(kind.to_str().ok()?));
            let body = body(response, self.max_body_bytes, limit).await?;
            match form {
                Some(form) => Ok((form, body)),
                None => Err(not_by_remote_read().into()),
            }
        };
        timeout_at(Instant::now() + self.timeout, answer)
            .await
            .unwrap_or_else(|_| Err(Failure::TimedOut { limit }.into()))
    }

    /// Asks for what lies beside the samples, once. What comes back is the whole body.
    pub(super) async fn look_up(&self, asked: &LookUp) -> Result<Vec<u8>, Refusal> {
        let mut url = self.below(asked.path);
        let parameters = asked.parameters.iter().chain(&self.params);
        let parameters = parameters.map(|(name, value)| (*name, value.as_str()));
        url.query_pairs_mut().extend_pairs(parameters);
        let clients = self.connection.clients().await?;
        let mut get = clients.plain.get(url);
        if let Some(token) = self.credentials.header().await? {
            get = get.header(AUTHORIZATION, token);
        }
        let limit = self.limit();
        let answer = async {
            let response = get.send().await.map_err(|error| unanswered(&error))?;
            body(response, self.max_body_bytes, limit).await
        };
        timeout_at(Instant::now() + self.timeout, answer)
            .await
            .unwrap_or_else(|_| Err(Failure::TimedOut { limit }.into()))
    }

    /// A part of the API.
    fn below(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let path = format!("{}/api/v1/{path}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    /// Asks, all within the timeout. What comes back is the whole body.
    pub(super) async fn ask(&self, question: &Question, tries: Tries) -> Result<Vec<u8>, Refusal> {
        let deadline = Instant::now() + self.timeout;
        timeout_at(deadline, self.ask_twice(question, tries, deadline))
            .await
            .unwrap_or_else(|_| {
                Err(Failure::TimedOut {
                    limit: self.limit(),
                }
                .into())
            })
    }

    async fn ask_twice(
        &self,
        question: &Question,
        tries: Tries,
        deadline: Instant,
    ) -> Result<Vec<u8>, Refusal> {
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
            failure if failure.is_passing() && tries == Tries::Two => {
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
        let asked = self.server_clock.asks();
        let response = self.send(question, left, token).await?;
        self.server_clock.answers(asked, response.headers());
        body(response, self.max_body_bytes, self.limit()).await
    }

    async fn send(
        &self,
        question: &Question,
        left: Duration,
        token: Option<&HeaderValue>,
    ) -> Result<Response, Failure> {
        let left = i64::try_from(left.as_millis()).unwrap_or(i64::MAX).max(1);
        let (clients, params) = (self.connection.clients().await?, self.params.iter());
        // Two builders of the wrapper, alike but for their types.
        match question {
            Question::Instant { query, at } => {
                let request = clients
                    .wrapped
                    .query(query)
                    .query("time", seconds(*at))
                    .timeout(left);
                let request = params.fold(request, |it, (name, value)| it.query(name, value));
                let request = token
                    .into_iter()
                    .fold(request, |it, token| it.header(AUTHORIZATION, token.clone()));
                request.post_raw().await.map_err(|error| unanswered(&error))
            }
            Question::Range {
                query,
                start,
                end,
                step,
            } => {
                let (start, end) = (start.as_millis() / 1_000, end.as_millis() / 1_000);
                let request = clients
                    .wrapped
                    .query_range(query, start, end, step.as_secs_f64())
                    .timeout(left);
                let request = params.fold(request, |it, (name, value)| it.query(name, value));
                let request = token
                    .into_iter()
                    .fold(request, |it, token| it.header(AUTHORIZATION, token.clone()));
                request.post_raw().await.map_err(|error| unanswered(&error))
            }
        }
    }

    fn limit(&self) -> Span {
        Span::from(self.timeout)
    }
}

/// What a good response means that is of another kind than those of remote read.
fn not_by_remote_read() -> Failure {
    Failure::Protocol {
        reason: "it answers otherwise than by remote read".to_owned(),
    }
}

/// How long to wait before the second try.
fn jitter() -> Duration {
    Duration::from_millis(50) + Duration::from_millis(200).mul_f64(chance())
}
