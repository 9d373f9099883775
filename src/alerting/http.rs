//! One POST: bounded in time and size, no redirects, and nothing secret in what is said about a failure.

use std::path::Path;
use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::SecretString;

use crate::causes;
use crate::client;
use crate::domain::time::Timestamp;

use super::notifier::NotifyError;

/// How long a call may take, from the connection to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an answer is read; what matters is at its beginning.
const BODY_CAP: usize = 64 * 1024;
/// How much of an answer is quoted.
const QUOTED: usize = 200;

/// What all receivers send with.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
}

/// What a receiver answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

impl Http {
    /// A client for all receivers; fails when the system's certificates cannot be read.
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { client })
    }

    /// Posts `body` as JSON to `url`; `whom` names the receiver in sentences, since the URL may be a secret.
    pub(super) async fn post(
        &self,
        whom: &str,
        url: &str,
        headers: HeaderMap,
        body: String,
        now: Timestamp,
    ) -> Result<Reply, NotifyError> {
        let sent = self
            .client
            .post(url)
            .headers(headers)
            .header("content-type", "application/json; charset=utf-8")
            .body(body)
            .send()
            .await;
        let mut response = sent.map_err(|error| failure(whom, error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), now);
        let mut bytes = Vec::new();
        while bytes.len() < BODY_CAP {
            match response
                .chunk()
                .await
                .map_err(|error| failure(whom, error))?
            {
                Some(chunk) => bytes.extend_from_slice(&chunk),
                None => break,
            }
        }
        bytes.truncate(BODY_CAP);
        Ok(Reply {
            status,
            retry_after,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

impl Reply {
    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The beginning of the body on one line, to be quoted.
    pub(super) fn quote(&self) -> String {
        let words: Vec<&str> = self.body.split_whitespace().collect();
        let text: String = words.join(" ").chars().take(QUOTED).collect();
        if text.is_empty() {
            "and nothing more".to_owned()
        } else {
            format!("`{text}`")
        }
    }

    /// What the status alone says about a call that was not taken.
    pub(super) fn refusal(&self, whom: &str) -> NotifyError {
        let (status, quote) = (self.status, self.quote());
        match status {
            429 => self.busy(format!("{whom} asks for fewer messages (HTTP 429)")),
            408 | 425 | 500..=599 => self.busy(format!(
                "{whom} answers HTTP {status} {quote}; it is tried again"
            )),
            300..=399 => NotifyError::permanent(format!(
                "{whom} redirects elsewhere (HTTP {status}), which is not followed: write down its final address"
            )),
            _ => NotifyError::permanent(format!(
                "{whom} refuses with HTTP {status} {quote}: check its address and what it accepts"
            )),
        }
    }

    /// A failure that passes, after as long as the receiver said.
    pub(super) fn busy(&self, sentence: String) -> NotifyError {
        NotifyError::Transient {
            retry_after: self.retry_after,
            sentence,
        }
    }
}

/// The content of a file that holds a secret, without the white space around it.
pub(super) async fn secret(what: &str, path: &Path) -> Result<SecretString, NotifyError> {
    let shown = path.display();
    let text = tokio::fs::read_to_string(path).await.map_err(|error| {
        NotifyError::permanent(format!(
            "cannot read {what} from `{shown}` ({error}): put it there, readable for sloburn"
        ))
    })?;
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(NotifyError::permanent(format!(
            "`{shown}` should hold {what} and nothing else, on one line"
        )));
    }
    Ok(SecretString::from(text))
}

/// The host of `url`, which may be named where the rest may not.
pub(super) fn host(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn failure(whom: &str, error: reqwest::Error) -> NotifyError {
    if error.is_builder() {
        return NotifyError::permanent(format!(
            "{whom} has no usable address: write a URL that begins with http:// or https://"
        ));
    }
    if error.is_timeout() {
        let seconds = TIMEOUT.as_secs();
        return NotifyError::transient(format!(
            "{whom} did not answer within {seconds} s; it is tried again and may be told twice"
        ));
    }
    let what = if error.is_connect() {
        "cannot be reached"
    } else {
        "broke off the call"
    };
    // The URL stands in the outermost error only; the innermost says what really happened.
    let cause = causes::innermost(&error.without_url());
    NotifyError::transient(format!("{whom} {what} ({cause}); it is tried again"))
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::parse(text).ok()?.timestamp();
    Some(Timestamp::from(date).since(now).to_std())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::super::sample;
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = sample::at("2015-10-21T07:27:30Z");
        for (text, seconds) in [
            ("7", Some(7)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(
                retry_after(&headers, now),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[tokio::test]
    async fn nothing_secret_stands_in_a_sentence() {
        let http = Http::new().unwrap();
        // A port on which nothing listens any more.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        for url in [
            format!("http://127.0.0.1:{port}/services/canary-secret"),
            "http:// canary-secret".to_owned(),
            "canary-secret".to_owned(),
        ] {
            let now = Timestamp::default();
            let error = http
                .post("Slack", &url, HeaderMap::new(), String::new(), now)
                .await
                .unwrap_err();
            assert!(
                !format!("{error} {error:?}").contains("canary"),
                "{error:?}"
            );
        }
    }
}
