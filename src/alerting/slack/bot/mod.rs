//! Slack by bot token: each rise is a post of its own, since edits ring nobody; the incident's first post is edited
//! to show the present state, and what happened is told in its thread.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::alerting::http::{self, Http};
use crate::alerting::notifier::{Accepted, BoxFuture, Notifier, NotifyError};
use crate::alerting::text::{Message, message};
use crate::domain::incident::Change;
use crate::domain::time::{Span, Timestamp};
use crate::store::OutboxRow;

use super::errors::{self, Refusal};
use super::form::Form;

/// Slack's pace for one channel: a message a second.
const GAP: Span = Span::from_secs(1);

/// A receiver behind a bot token.
#[derive(Debug)]
pub struct SlackBot {
    pub(crate) http: Http,
    pub(crate) channel: String,
    pub(crate) token_file: PathBuf,
    pub(crate) mention: Option<String>,
    pub(crate) api_url: String,
    pub(crate) zone: TimeZone,
}

/// The incident's first post, which later calls edit and answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct FirstPost {
    /// The channel's id; edits do not take its name.
    channel: String,
    ts: String,
}

/// One call of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// A post in the channel, and whether it is the one that later calls edit.
    Post { first: bool },
    /// The first post shows the present state.
    Edit,
    /// A line in the first post's thread.
    Thread,
}

/// The calls of a notice, in their order.
const fn calls(change: Change, told_before: bool) -> &'static [Call] {
    match change {
        // Somebody who was told nothing yet is told with a post, whatever happened.
        _ if !told_before => &[Call::Post { first: true }],
        Change::Opened | Change::Rose { .. } | Change::Reminded => {
            &[Call::Post { first: false }, Call::Edit, Call::Thread]
        }
        Change::Fell { .. } | Change::Closed(_) => &[Call::Edit, Call::Thread],
    }
}

/// What Slack answers when it takes a call.
#[derive(Debug, Deserialize)]
struct Answer {
    ok: bool,
    error: Option<String>,
    channel: Option<String>,
    ts: Option<String>,
}

impl SlackBot {
    async fn tell(&self, row: &OutboxRow, now: Timestamp) -> Result<Accepted, NotifyError> {
        let token = http::secret("the Slack bot token", &self.token_file).await?;
        let memory = row.memory.as_deref();
        // A memory that cannot be read is as good as none: better told anew than not at all.
        let first: Option<FirstPost> = memory.and_then(|memory| serde_json::from_str(memory).ok());
        let calls = calls(row.notice.change, first.is_some());
        let step = usize::try_from(row.step).unwrap_or(usize::MAX);
        let Some(call) = calls.get(step) else {
            return Ok(Accepted::DONE);
        };
        let session = Session {
            bot: self,
            token: &token,
            message: message(&row.notice, &self.zone, now),
            row,
            now,
        };
        let posted = session.make(*call, first.as_ref()).await?;
        Ok(Accepted {
            memory: posted.and_then(|post| serde_json::to_string(&post).ok()),
            done: step + 1 >= calls.len(),
        })
    }
}

/// What all requests of one call share.
struct Session<'a> {
    bot: &'a SlackBot,
    token: &'a SecretString,
    message: Message,
    row: &'a OutboxRow,
    now: Timestamp,
}

impl Session<'_> {
    /// Makes one call. A new first post is returned, to be remembered.
    async fn make(
        &self,
        call: Call,
        first: Option<&FirstPost>,
    ) -> Result<Option<FirstPost>, NotifyError> {
        let mention = self.bot.mention.as_deref().filter(|_| self.message.aloud);
        let result = match (call, first) {
            (Call::Post { first: false }, _) => {
                self.post(mention).await?;
                return Ok(None);
            }
            (Call::Post { first: true }, _) | (_, None) => {
                return Ok(Some(self.post(mention).await?));
            }
            (Call::Edit, Some(first)) => {
                let place = json!({"channel": first.channel, "ts": first.ts});
                self.in_any_form("chat.update", &place, None).await
            }
            (Call::Thread, Some(first)) => {
                let place = json!({"channel": first.channel, "thread_ts": first.ts});
                self.send("chat.postMessage", &place, &Form::history(&self.message))
                    .await
            }
        };
        match result {
            Ok(_) => Ok(None),
            // Somebody deleted the first post: the incident goes on in a new one.
            Err(Refusal::Gone(_)) => Ok(Some(self.post(None).await?)),
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn post(&self, mention: Option<&str>) -> Result<FirstPost, NotifyError> {
        let place = json!({ "channel": self.bot.channel });
        let answer = self
            .in_any_form("chat.postMessage", &place, mention)
            .await?;
        match (answer.channel, answer.ts) {
            (Some(channel), Some(ts)) => Ok(FirstPost { channel, ts }),
            _ => Err(NotifyError::permanent(
                "what answers is not Slack, which would name the new message: check apiUrl",
            )),
        }
    }

    /// Sends the full form, and the plain one when Slack does not take that.
    async fn in_any_form(
        &self,
        method: &str,
        place: &Value,
        mention: Option<&str>,
    ) -> Result<Answer, Refusal> {
        let full = Form::full(&self.message, mention);
        match self.send(method, place, &full).await {
            Err(Refusal::Form(_)) => {
                let plain = Form::plain(&self.message, mention);
                self.send(method, place, &plain).await
            }
            other => other,
        }
    }

    async fn send(&self, method: &str, place: &Value, form: &Form) -> Result<Answer, Refusal> {
        let bot = self.bot;
        let mut body = place.clone();
        body["text"] = json!(form.text);
        if !form.blocks.is_empty() {
            body["blocks"] = json!(form.blocks);
        }
        body["metadata"] = json!({
            "event_type": "sloburn_notice",
            "event_payload": {
                "incident": self.row.key.incident.as_str(),
                "sequence": self.row.key.sequence,
                "step": self.row.step,
                "tick": self.row.notice.at.to_string(),
            },
        });
        if bot
            .mention
            .as_ref()
            .is_some_and(|mention| mention.starts_with('@'))
        {
            body["link_names"] = json!(true);
        }
        let url = format!("{}/{method}", bot.api_url.trim_end_matches('/'));
        let whom = http::host(&url)
            .map_or_else(|| "Slack".to_owned(), |host| format!("Slack at `{host}`"));
        let reply = bot
            .http
            .post(&whom, &url, bearer(self.token)?, body.to_string(), self.now)
            .await?;
        let Ok(answer) = serde_json::from_str::<Answer>(&reply.body) else {
            return Err(Refusal::Other(if reply.is_success() {
                let quote = reply.quote();
                NotifyError::transient(format!(
                    "{whom} answers {quote}, which is not Slack's API: check apiUrl, and proxies on the way"
                ))
            } else {
                reply.refusal(&whom)
            }));
        };
        match answer.error.as_deref() {
            _ if answer.ok && reply.is_success() => Ok(answer),
            Some(code) if reply.status != 429 => Err(errors::refusal(code, &bot.channel, &reply)),
            _ => Err(Refusal::Other(reply.refusal(&whom))),
        }
    }
}

fn bearer(token: &SecretString) -> Result<HeaderMap, NotifyError> {
    let value = format!("Bearer {}", token.expose_secret());
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        NotifyError::permanent("the token file holds something that is not a Slack token (xoxb-…)")
    })?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

impl Notifier for SlackBot {
    fn call<'a>(
        &'a self,
        row: &'a OutboxRow,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Accepted, NotifyError>> {
        Box::pin(self.tell(row, now))
    }

    fn gap(&self) -> Span {
        GAP
    }
}

#[cfg(test)]
mod tests;
