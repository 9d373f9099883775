//! A Slack incoming webhook: a plain post for every transition, since it can neither edit nor thread.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::alerting::http::{self, Http};
use crate::alerting::notifier::{Accepted, BoxFuture, Notifier, NotifyError};
use crate::alerting::text::message;
use crate::domain::time::{Span, Timestamp};
use crate::store::OutboxRow;

use super::errors::{self, Refusal};
use super::form::Form;

/// Slack's pace for one webhook: a message a second.
const GAP: Span = Span::from_secs(1);
const WHOM: &str = "Slack's webhook";

/// A receiver behind an incoming webhook.
#[derive(Debug)]
pub struct SlackWebhook {
    pub(crate) http: Http,
    pub(crate) url_file: PathBuf,
    pub(crate) mention: Option<String>,
    pub(crate) zone: TimeZone,
}

impl SlackWebhook {
    async fn tell(&self, row: &OutboxRow, now: Timestamp) -> Result<Accepted, NotifyError> {
        let url = http::secret("the webhook's URL", &self.url_file).await?;
        let message = message(&row.notice, &self.zone, now);
        let mention = self.mention.as_deref().filter(|_| message.aloud);
        match self.post(&url, &Form::full(&message, mention), now).await {
            Ok(()) => Ok(Accepted::DONE),
            Err(Refusal::Form(_)) => {
                self.post(&url, &Form::plain(&message, mention), now)
                    .await?;
                Ok(Accepted::DONE)
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn post(&self, url: &SecretString, form: &Form, now: Timestamp) -> Result<(), Refusal> {
        let mut body = json!({ "text": form.text });
        if !form.blocks.is_empty() {
            body["blocks"] = json!(form.blocks);
        }
        let reply = self
            .http
            .post(
                WHOM,
                url.expose_secret(),
                HeaderMap::new(),
                body.to_string(),
                now,
            )
            .await?;
        let answer = reply.body.trim();
        match reply.status {
            200 if answer == "ok" => Ok(()),
            200 => Err(Refusal::Other(NotifyError::transient(format!(
                "what answers is not Slack, which would say `ok` and not {}: check the URL in the file, and proxies on the way",
                reply.quote()
            )))),
            400 if answer == "invalid_payload" && !form.blocks.is_empty() => {
                Err(Refusal::Form(reply.refusal(WHOM)))
            }
            400..=599 if is_code(answer) && reply.status != 429 => {
                Err(errors::refusal(answer, "the webhook's channel", &reply))
            }
            _ => Err(Refusal::Other(reply.refusal(WHOM))),
        }
    }
}

/// Whether `answer` is one of Slack's codes rather than somebody's page.
fn is_code(answer: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b == b'_';
    !answer.is_empty() && answer.len() < 50 && answer.bytes().all(letters)
}

impl Notifier for SlackWebhook {
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
mod tests {
    use std::io::Write as _;

    use crate::alerting::fake_slack::{FakeSlack, Options, Refuse};
    use crate::alerting::sample;

    use super::*;

    struct Scene {
        fake: FakeSlack,
        receiver: SlackWebhook,
        _file: tempfile::NamedTempFile,
    }

    async fn scene(path: &str) -> Scene {
        let fake = FakeSlack::start(Options::default()).await.unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let url = if path.is_empty() {
            fake.webhook_url()
        } else {
            fake.webhook_url().replace(FakeSlack::WEBHOOK, path)
        };
        writeln!(file, "{url}").unwrap();
        let receiver = SlackWebhook {
            http: Http::new().unwrap(),
            url_file: file.path().to_owned(),
            mention: Some("<!here>".into()),
            zone: TimeZone::UTC,
        };
        Scene {
            fake,
            receiver,
            _file: file,
        }
    }

    #[tokio::test]
    async fn every_transition_is_a_post() {
        let scene = scene("").await;
        for notice in [sample::opened(), sample::closed()] {
            let row = sample::row(notice, "hook");
            assert_eq!(
                scene.receiver.call(&row, row.notice.at).await,
                Ok(Accepted::DONE)
            );
            scene.fake.forget_pace();
        }
        let texts: Vec<String> = scene.fake.accepted().into_iter().map(|m| m.text).collect();
        insta::assert_snapshot!(texts.join("\n"), @r"
    🔴 PAGE checkout/availability: 20.0 % of requests fail (0.1 % allowed)  <!here>
    ✅ RESOLVED checkout/availability · errors stopped 01:49, closed 02:33 UTC after the hold
    ");
    }

    #[tokio::test]
    async fn refusals_say_what_to_do_and_keep_the_secret() {
        let row = sample::row(sample::opened(), "hook");
        let mut seen = String::new();
        for (path, refuse) in [
            ("/services/T0/B0/canary", Refuse::Nothing),
            ("/services/T0FAKE/B0FAKE/canary", Refuse::Nothing),
            ("", Refuse::Status(500)),
            ("", Refuse::Reset),
            ("", Refuse::Page),
            ("", Refuse::Blocks),
        ] {
            let scene = scene(path).await;
            scene.fake.refuse(refuse);
            let told = match scene.receiver.call(&row, row.notice.at).await {
                Ok(_) => format!("told in {} blocks", scene.fake.accepted()[0].blocks.len()),
                Err(error) => format!("{error}"),
            };
            assert!(!told.contains("canary"), "{told}");
            seen.push_str(&told);
            seen.push('\n');
        }
        insta::assert_snapshot!(seen, @r"
    Slack refuses with `no_service`: the webhook is revoked or its URL is wrong: make a new one and put it into the URL file
    Slack refuses with `invalid_token`: the webhook is revoked or its URL is wrong: make a new one and put it into the URL file
    Slack's webhook answers HTTP 500 and nothing more; it is tried again
    Slack's webhook broke off the call (connection closed before message completed); it is tried again
    what answers is not Slack, which would say `ok` and not `<h1>Please log in</h1>`: check the URL in the file, and proxies on the way
    told in 0 blocks
    ");
    }
}
