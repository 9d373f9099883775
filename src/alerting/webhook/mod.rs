//! A webhook: JSON by POST, signed as Standard Webhooks describes when there is a key.

mod envelope;
mod signature;

use std::path::PathBuf;

use jiff::tz::TimeZone;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::time::Timestamp;
use crate::store::{OutboxKey, OutboxRow};

use super::http::{self, Http};
use super::notifier::{Accepted, BoxFuture, Notifier, NotifyError};
use super::text::message;

/// A receiver that takes JSON. What it is sent is described in `docs/webhook.md`.
#[derive(Debug)]
pub struct Webhook {
    pub(crate) http: Http,
    pub(crate) url: String,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) zone: TimeZone,
}

impl Webhook {
    async fn tell(&self, row: &OutboxRow, now: Timestamp) -> Result<Accepted, NotifyError> {
        let message = message(&row.notice, &self.zone, now);
        let id = id(&row.key);
        let body = envelope::body(&id, &row.notice, &message)?;
        let seconds = now.as_millis().div_euclid(1_000);
        let mut headers = HeaderMap::new();
        add(&mut headers, "webhook-id", &id)?;
        add(&mut headers, "webhook-timestamp", &seconds.to_string())?;
        if let Some(path) = &self.secret_file {
            let key = http::secret("the webhook's signing key", path).await?;
            let signature = signature::sign(&key, &id, seconds, &body)?;
            add(&mut headers, "webhook-signature", &signature)?;
        }
        let whom = http::host(&self.url).map_or_else(
            || "the webhook".to_owned(),
            |host| format!("the webhook at `{host}`"),
        );
        let reply = self.http.post(&whom, &self.url, headers, body, now).await?;
        if reply.is_success() {
            Ok(Accepted::DONE)
        } else {
            Err(reply.refusal(&whom))
        }
    }
}

/// The same for every attempt at a notice, so that the other side can tell copies; of characters that headers take.
fn id(key: &OutboxKey) -> String {
    let mut receiver = String::new();
    for byte in key.receiver.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            receiver.push(char::from(byte));
        } else {
            receiver.extend(format!("%{byte:02X}").chars());
        }
    }
    format!("{}/{receiver}/{}", key.incident, key.sequence)
}

fn add(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), NotifyError> {
    let value = HeaderValue::try_from(value).map_err(|_| {
        NotifyError::permanent(format!(
            "`{name}` cannot be sent: name the receiver in plain letters"
        ))
    })?;
    headers.insert(HeaderName::from_static(name), value);
    Ok(())
}

impl Notifier for Webhook {
    fn call<'a>(
        &'a self,
        row: &'a OutboxRow,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Accepted, NotifyError>> {
        Box::pin(self.tell(row, now))
    }
}

#[cfg(test)]
mod tests;
