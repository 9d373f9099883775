//! The inbox: a receiver that shows what Slack would show, at once and without sending anything anywhere.
//!
//! It is a receiver like any other: told by the delivery loop, from the outbox, in Slack's own form. It stands in for
//! the bot within the process because Slack takes one call a second, and a second is twelve minutes of the demo.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use crate::alerting::notifier::{Accepted, BoxFuture, Notifier, NotifyError};
use crate::alerting::slack::form::Form;
use crate::alerting::text::message;
use crate::domain::incident::{Change, IncidentId};
use crate::domain::notice::Facts;
use crate::domain::time::Timestamp;
use crate::store::OutboxRow;

/// Rings everybody in the channel, as the mention of a receiver would.
const MENTION: &str = "<!here>";

/// The most messages that are kept; the oldest make room.
const MOST: usize = 500;

/// A message as it stands in the channel.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    /// Counts from 1 in the order of arrival.
    pub number: u64,
    /// When it was posted, on the demo's clock.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// When it was last edited.
    #[serde(serialize_with = "maybe_as_text")]
    pub edited: Option<Timestamp>,
    /// The incident that it tells of.
    #[serde(serialize_with = "as_text")]
    pub incident: IncidentId,
    /// Whether it tells of something that could not be measured.
    pub unmeasured: bool,
    /// Whether it belongs to the simulated past.
    pub history: bool,
    /// What notifications show.
    pub text: String,
    /// Slack's blocks, as they would be sent.
    pub blocks: Vec<serde_json::Value>,
    /// The answers in its thread.
    pub thread: Vec<String>,
    /// What happened, in a word.
    #[serde(skip)]
    pub change: Change,
}

fn as_text<S: Serializer>(value: &impl ToString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
fn maybe_as_text<S: Serializer>(
    value: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => as_text(value, serializer),
        None => serializer.serialize_none(),
    }
}

impl Post {
    /// The text of its blocks, line by line, as a person reads it.
    pub fn lines(&self) -> Vec<String> {
        let text = |block: &serde_json::Value| {
            let text = block["text"]["text"].as_str();
            text.or(block["elements"][0]["text"].as_str())
                .map(str::to_owned)
        };
        let texts = self.blocks.iter().filter_map(text);
        texts
            .flat_map(|text| text.lines().map(readable).collect::<Vec<_>>())
            .collect()
    }
}

/// A line of Slack's mrkdwn without its marks: bold, links and escapes.
fn readable(line: &str) -> String {
    let (mut parts, mut rest) = (Vec::new(), line);
    while let Some((before, link)) = rest.split_once('<') {
        let Some((link, after)) = link.split_once('>') else {
            break;
        };
        parts.push(before.to_owned());
        parts.push(match (link.strip_prefix('!'), link.split_once('|')) {
            (Some(group), _) => format!("@{group}"),
            (None, Some((url, label))) => format!("{label} ({url})"),
            (None, None) => link.to_owned(),
        });
        rest = after;
    }
    parts.push(rest.to_owned());
    let plain = parts.concat().replace('*', "");
    [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
        .into_iter()
        .fold(plain, |text, (escape, sign)| text.replace(escape, sign))
}

/// The channel.
#[derive(Debug)]
pub struct Inbox {
    live: Timestamp,
    posts: Mutex<Vec<Post>>,
}

impl Inbox {
    /// An empty channel; what happened up to `live` belongs to the simulated past.
    pub fn new(live: Timestamp) -> Self {
        Self {
            live,
            posts: Mutex::default(),
        }
    }

    /// All messages, newest first.
    pub fn posts(&self) -> Vec<Post> {
        self.lock().iter().rev().cloned().collect()
    }

    fn take(&self, row: &OutboxRow, now: Timestamp) {
        let notice = &row.notice;
        let message = message(notice, &TimeZone::UTC, now);
        let form = Form::full(&message, Some(MENTION).filter(|_| message.aloud));
        let mut posts = self.lock();
        let rings = matches!(
            notice.change,
            Change::Opened | Change::Rose { .. } | Change::Reminded
        );
        let first = posts
            .iter()
            .position(|post| post.incident == notice.incident);
        if let Some(first) = first.and_then(|first| posts.get_mut(first)) {
            // The first post always shows how it stands; what it was goes on in its thread.
            first.edited = Some(now);
            let quiet = Form::full(&message, None);
            (first.text, first.blocks) = (quiet.text, quiet.blocks);
            first.thread.push(message.history.clone());
        }
        if first.is_some() && !rings {
            return;
        }
        let number = posts.last().map_or(1, |last| last.number + 1);
        if posts.len() == MOST {
            posts.remove(0);
        }
        posts.push(Post {
            number,
            at: now,
            edited: None,
            incident: notice.incident.clone(),
            unmeasured: matches!(notice.facts, Facts::Unmeasured(_)),
            history: notice.at <= self.live,
            text: form.text,
            blocks: form.blocks,
            thread: Vec::new(),
            change: notice.change,
        });
    }

    /// Each change is made whole or not at all, so a poisoned lock is whole.
    fn lock(&self) -> MutexGuard<'_, Vec<Post>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notifier for Inbox {
    fn call<'a>(
        &'a self,
        row: &'a OutboxRow,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Accepted, NotifyError>> {
        Box::pin(async move {
            self.take(row, now);
            Ok(Accepted::DONE)
        })
    }
}
