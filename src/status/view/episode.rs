//! Open alerts that are not about a budget.

use serde::{Deserialize, Serialize};

use super::super::names::{Alert, EpisodeKind};
use super::super::snapshot::OpenEpisode;
use super::super::words;
use super::scalar::Time;
use crate::domain::notice::Facts;

/// An open alert that is not about a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EpisodeView {
    /// Its identity, as messages about it have it.
    pub id: String,
    /// What it is about.
    pub kind: EpisodeKind,
    /// Whose it is: a source, the uid of an objective, or `sloburn` itself.
    pub subject: String,
    /// How loud it is.
    pub severity: Alert,
    /// Since when it is so.
    pub since: Time,
    /// When it was told.
    pub told_at: Time,
    /// The receivers that know of it.
    pub told: Vec<String>,
    /// What was found then, in a sentence.
    pub reason: String,
}

impl EpisodeView {
    /// The view of one of them; none of what is about a budget.
    pub fn of(episode: &OpenEpisode) -> Option<Self> {
        let notice = &episode.notice;
        let (kind, subject, reason) = match &notice.facts {
            Facts::Burn(_) | Facts::Removed { .. } => return None,
            Facts::Unmeasured(facts) => {
                let blind = u64::try_from(facts.blind.len()).unwrap_or(u64::MAX);
                let blind = counted(blind, "objective", false);
                let reason = match facts.reason.as_str() {
                    "" => format!("{blind} cannot be measured"),
                    reason => format!("{blind} cannot be measured: {reason}"),
                };
                (EpisodeKind::Unmeasured, facts.source.to_string(), reason)
            }
            Facts::Refused(facts) => {
                let refused = counted(facts.refused, "group", facts.more);
                let (known, most) = (words::whole(facts.known), words::whole(facts.most));
                let reason = format!("{refused} not watched; {known} watched, maxGroups {most}");
                (EpisodeKind::GroupsRefused, facts.slo.to_string(), reason)
            }
            Facts::PassedOver(facts) => {
                let why = words::why_passed_over(facts).join("; ");
                let reason = format!("{} passed over; {why}", words::passed_over(facts));
                (EpisodeKind::TicksPassedOver, "sloburn".to_owned(), reason)
            }
        };
        Some(Self {
            id: notice.incident.to_string(),
            kind,
            subject,
            severity: notice.severity.into(),
            since: Time(notice.opened),
            told_at: Time(notice.at),
            told: episode.told.iter().cloned().collect(),
            reason,
        })
    }
}

/// `1 group`, `at least 1,000 groups`
fn counted(count: u64, what: &str, more: bool) -> String {
    let least = if more { "at least " } else { "" };
    let plural = if count == 1 { "" } else { "s" };
    format!("{least}{} {what}{plural}", words::whole(count))
}
