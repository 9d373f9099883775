//! Incidents as Alertmanager's alerts: one alert for each severity, told apart by labels.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use crate::alerting::text::message;
use crate::domain::incident::Change;
use crate::domain::notice::{Facts, Notice};
use crate::domain::policy::Severity;
use crate::domain::time::{Span, Timestamp};
use crate::store::OutboxRow;

/// One alert, as `POST /api/v2/alerts` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    /// Its identity; holds nothing that changes within or between incidents.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<&'static str, String>,
    #[serde(serialize_with = "rfc3339")]
    pub(super) starts_at: Timestamp,
    #[serde(serialize_with = "rfc3339")]
    pub(super) ends_at: Timestamp,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    pub(super) generator_url: Option<String>,
    #[serde(skip)]
    over: bool,
}

impl Alert {
    /// Whether it tells of an end.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }
}

/// The alerts that `row` means at `now`: that of its severity, which began at `starts_at`, and after a rise or a fall
/// the end of the severity before. An end has the labels that its beginning had, whatever they would be by now.
pub(super) fn of(
    row: &OutboxRow,
    starts_at: Timestamp,
    began_as: Option<&BTreeMap<String, String>>,
    now: Timestamp,
    lifetime: Span,
    zone: &TimeZone,
) -> Vec<Alert> {
    let notice = &row.notice;
    let annotations = annotations(notice, zone, now);
    let alert = |severity, starts_at: Timestamp, end: Option<Timestamp>| Alert {
        labels: match (end, began_as) {
            (Some(_), Some(known)) => with_severity(known.clone(), severity),
            _ => labels(notice, severity),
        },
        annotations: annotations.clone(),
        starts_at,
        // An alert that ends before it begins is refused.
        ends_at: end
            .unwrap_or(now + lifetime)
            .max(starts_at + Span::from_millis(1)),
        generator_url: match &notice.facts {
            Facts::Burn(facts) => facts.details.clone().or_else(|| facts.graph.clone()),
            Facts::Refused(facts) => facts.details.clone(),
            Facts::PassedOver(facts) => facts.details.clone(),
            Facts::Unmeasured(_) | Facts::Removed { .. } => None,
        },
        over: end.is_some(),
    };
    let before = match &notice.facts {
        Facts::Burn(facts) => facts.before.map(|(_, since)| since),
        Facts::Unmeasured(_) | Facts::Refused(_) | Facts::PassedOver(_) | Facts::Removed { .. } => {
            None
        }
    };
    match notice.change {
        Change::Opened | Change::Reminded => vec![alert(notice.severity, starts_at, None)],
        Change::Rose { from } | Change::Fell { from } => vec![
            alert(notice.severity, starts_at, None),
            alert(from, before.unwrap_or(notice.opened), Some(notice.at)),
        ],
        Change::Closed(_) => vec![alert(notice.severity, starts_at, Some(notice.at))],
    }
}

/// What tells the alerts of `notice` from those of others.
pub(super) fn labels(notice: &Notice, severity: Severity) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<String, String> = notice
        .labels
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (sanitised(name), value.clone()))
        .collect();
    let own = match &notice.facts {
        Facts::Burn(facts) => vec![
            ("alertname", "SloBurn"),
            ("service", facts.slo.service.as_str()),
            ("signal", facts.slo.signal.name()),
            ("slo", facts.slo.uid.as_str()),
        ],
        Facts::Unmeasured(facts) => vec![
            ("alertname", "SloUnmeasured"),
            ("source", facts.source.as_str()),
            // Of one source several may be open, and end one by one.
            ("episode", notice.incident.as_str()),
        ],
        Facts::Refused(facts) => vec![
            ("alertname", "SloGroupsRefused"),
            ("service", facts.service.as_str()),
            ("slo", facts.slo.as_str()),
        ],
        Facts::PassedOver(_) => vec![
            ("alertname", "SloTicksPassedOver"),
            // Several daemons may tell one Alertmanager.
            ("episode", notice.incident.as_str()),
        ],
        Facts::Removed { slo } => vec![("alertname", "SloBurn"), ("slo", slo.as_str())],
    };
    labels.extend(
        own.into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    with_severity(labels, severity)
}

fn with_severity(
    mut labels: BTreeMap<String, String>,
    severity: Severity,
) -> BTreeMap<String, String> {
    labels.insert("severity".to_owned(), severity.name().to_owned());
    labels
}

/// A label's name in the letters that every Alertmanager takes.
fn sanitised(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = name.chars().map(kept).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        format!("_{name}")
    } else {
        name
    }
}

fn annotations(notice: &Notice, zone: &TimeZone, now: Timestamp) -> BTreeMap<&'static str, String> {
    let message = message(notice, zone, now);
    let mut annotations = BTreeMap::from([
        ("summary", message.title.clone()),
        ("description", message.body()),
        ("incident", notice.incident.to_string()),
        ("tick", notice.at.to_string()),
    ]);
    if let Facts::Burn(facts) = &notice.facts {
        annotations.extend(facts.slo.runbook.clone().map(|url| ("runbook_url", url)));
    }
    annotations
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
