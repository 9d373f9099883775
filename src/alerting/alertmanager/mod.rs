//! Alertmanager's API, version 2: every member is told, and told again, since it forgets.

mod alert;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::domain::incident::Change;
use crate::domain::time::{Span, Timestamp};
use crate::store::OutboxRow;

use super::http::{self, Http};
use super::notifier::{Accepted, BoxFuture, Notifier, NotifyError, Reassertion};
use alert::Alert;

/// How often alerts are told again: as often as Prometheus does.
const EVERY: Span = Span::from_mins(1);
/// For how long it is told again that an alert is over, as Prometheus does.
const RESOLVED_FOR: Span = Span::from_mins(15);

/// A receiver of one or more Alertmanagers that work together.
#[derive(Debug)]
pub struct Alertmanager {
    pub(crate) http: Http,
    pub(crate) urls: Vec<String>,
    pub(crate) zone: TimeZone,
    /// How long an alert lives that is not told again.
    pub(crate) lifetime: Span,
    /// What is wrong with each member, so that it is logged once.
    pub(crate) faults: Mutex<BTreeMap<String, String>>,
}

/// The alert as it began, for the calls that come later.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    /// When the alert of the present severity began.
    starts_at_millis: i64,
    /// Its identity. The objective's labels may be others by the time it ends, or gone with it.
    labels: BTreeMap<String, String>,
}

impl Alertmanager {
    /// How long an alert lives that is not told again, with this tick: four times the longest silence.
    pub(crate) fn lifetime(tick: Span) -> Span {
        let silence = tick.max(EVERY);
        Span::from_millis(silence.as_millis() * 4)
    }

    /// The alerts that `row` means at `now`, and what to remember of them.
    fn alerts(&self, row: &OutboxRow, now: Timestamp) -> (Vec<Alert>, Memory) {
        let known = row.memory.as_deref();
        let known: Option<Memory> = known.and_then(|memory| serde_json::from_str(memory).ok());
        let starts_at = match (row.notice.change, &known) {
            (Change::Reminded | Change::Closed(_), Some(known)) => {
                Timestamp::from_millis(known.starts_at_millis)
            }
            (Change::Reminded | Change::Closed(_), None) => row.notice.opened,
            (Change::Opened | Change::Rose { .. } | Change::Fell { .. }, _) => row.notice.at,
        };
        let began_as = known.as_ref().map(|known| &known.labels);
        let alerts = alert::of(row, starts_at, began_as, now, self.lifetime, &self.zone);
        let labels = match (row.notice.change, known) {
            (Change::Closed(_), Some(known)) => known.labels,
            _ => alert::labels(&row.notice, row.notice.severity),
        };
        let memory = Memory {
            starts_at_millis: starts_at.as_millis(),
            labels,
        };
        (alerts, memory)
    }

    async fn tell(&self, row: &OutboxRow, now: Timestamp) -> Result<Accepted, NotifyError> {
        let (alerts, memory) = self.alerts(row, now);
        self.post(&alerts, now).await?;
        Ok(Accepted {
            memory: serde_json::to_string(&memory).ok(),
            done: true,
        })
    }

    async fn tell_again(&self, rows: &[OutboxRow], now: Timestamp) -> Result<(), NotifyError> {
        let mut alerts: BTreeMap<BTreeMap<String, String>, Alert> = BTreeMap::new();
        for row in rows {
            for alert in self.alerts(row, now).0 {
                if alert.is_over() && now.since(row.notice.at) > RESOLVED_FOR {
                    continue;
                }
                // Labels are an alert's identity: an end of the last incident must not end this one.
                let known = alerts.get(&alert.labels);
                if known.is_none_or(|known| known.starts_at < alert.starts_at) {
                    alerts.insert(alert.labels.clone(), alert);
                }
            }
        }
        let alerts: Vec<Alert> = alerts.into_values().collect();
        if alerts.is_empty() {
            return Ok(());
        }
        self.post(&alerts, now).await
    }

    /// Posts to every member at once. It is told when one of them took it.
    async fn post(&self, alerts: &[Alert], now: Timestamp) -> Result<(), NotifyError> {
        let body = serde_json::to_string(alerts).map_err(|error| {
            NotifyError::permanent(format!(
                "alerts cannot be written as JSON ({error}): report this as a bug"
            ))
        })?;
        let mut calls = JoinSet::new();
        for url in &self.urls {
            let (http, base, body) = (self.http.clone(), url.clone(), body.clone());
            calls.spawn(async move {
                let result = post_to(&http, &base, body, now).await;
                (base, result)
            });
        }
        let (mut taken, mut refused) = (false, Vec::new());
        while let Some(call) = calls.join_next().await {
            match call {
                Ok((url, Ok(()))) => {
                    taken = true;
                    self.well(&url);
                }
                Ok((url, Err(error))) => refused.push((url, error)),
                Err(broken) => {
                    refused.push((String::new(), NotifyError::transient(broken.to_string())));
                }
            }
        }
        if taken {
            for (url, error) in refused {
                self.ill(&url, error.sentence());
            }
            return Ok(());
        }
        // Who calls logs it. One member that may come back is hope enough.
        let hope =
            |(_, error): &(String, NotifyError)| matches!(error, NotifyError::Transient { .. });
        let index = refused.iter().position(hope).unwrap_or(0);
        Err(match refused.into_iter().nth(index) {
            Some((_, error)) => error,
            None => NotifyError::permanent(
                "no Alertmanager is named: write down the URLs of all members",
            ),
        })
    }

    fn ill(&self, url: &str, sentence: &str) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let before = faults.insert(url.to_owned(), sentence.to_owned());
        if before.as_deref() != Some(sentence) {
            tracing::warn!("one Alertmanager of several was not told: {sentence}");
        }
    }

    fn well(&self, url: &str) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.remove(url).is_some() {
            let host = http::host(url).unwrap_or_default();
            tracing::info!("the Alertmanager at `{host}` takes alerts again");
        }
    }
}

async fn post_to(http: &Http, base: &str, body: String, now: Timestamp) -> Result<(), NotifyError> {
    let whom = http::host(base).map_or_else(
        || "the Alertmanager".to_owned(),
        |host| format!("the Alertmanager at `{host}`"),
    );
    let url = format!("{}/api/v2/alerts", base.trim_end_matches('/'));
    let reply = http.post(&whom, &url, HeaderMap::new(), body, now).await?;
    if reply.is_success() {
        Ok(())
    } else {
        Err(reply.refusal(&whom))
    }
}

impl Notifier for Alertmanager {
    fn call<'a>(
        &'a self,
        row: &'a OutboxRow,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Accepted, NotifyError>> {
        Box::pin(self.tell(row, now))
    }

    fn reassertion(&self) -> Option<Reassertion> {
        Some(Reassertion {
            every: EVERY,
            resolved_for: RESOLVED_FOR,
        })
    }

    fn reassert<'a>(
        &'a self,
        rows: &'a [OutboxRow],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(self.tell_again(rows, now))
    }
}

#[cfg(test)]
mod tests;
