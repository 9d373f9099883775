//! Incidents with their history.

use serde::{Deserialize, Serialize};

use crate::domain::incident::{Change, CloseReason, Incident, Transition};

use super::super::names::Alert;
use super::scalar::Time;

/// One incident, open or closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentView {
    /// Its identity.
    pub id: String,
    /// The uid of the objective.
    pub slo: String,
    /// The service; unknown once the objective is no longer defined.
    pub service: Option<String>,
    /// The severity now, or the last one.
    pub severity: Alert,
    /// The loudest severity it had.
    pub peak: Alert,
    /// The tick of the first firing.
    pub opened: Time,
    /// When the errors began.
    pub onset: Time,
    /// When it last became a page.
    pub paged: Option<Time>,
    /// When it was closed.
    pub closed: Option<Time>,
    /// Why it was closed.
    pub close_reason: Option<CloseReasonName>,
    /// What happened, oldest first.
    pub history: Vec<TransitionView>,
}

/// Why an incident was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CloseReasonName {
    /// All tiers were clear for their hold.
    Recovered,
    /// Nothing is left to burn.
    NoTraffic,
    /// The objective is no longer watched.
    Removed,
}

/// One line of an incident's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransitionView {
    /// Counts from 1.
    pub sequence: u32,
    /// The tick that decided it.
    pub at: Time,
    /// What happened.
    pub change: ChangeName,
    /// The severity after it.
    pub severity: Alert,
}

/// What happened to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeName {
    /// It began.
    Opened,
    /// It became louder.
    Rose,
    /// It became less loud.
    Fell,
    /// It was told again.
    Reminded,
    /// It ended.
    Closed,
}

impl IncidentView {
    /// The view of one incident of `service`, where that is known.
    pub fn of(incident: &Incident, service: Option<&str>) -> Self {
        let reason = incident.history.last().and_then(|last| match last.change {
            Change::Closed(reason) => Some(reason.into()),
            _ => None,
        });
        Self {
            id: incident.id.to_string(),
            slo: incident.slo.to_string(),
            service: service.map(str::to_owned),
            severity: incident.severity.into(),
            peak: incident.peak.into(),
            opened: Time(incident.opened),
            onset: Time(incident.onset),
            paged: incident.paged.map(Time),
            closed: incident.closed.map(Time),
            close_reason: reason,
            history: incident.history.iter().map(TransitionView::of).collect(),
        }
    }
}

impl TransitionView {
    /// The view of one line.
    pub fn of(transition: &Transition) -> Self {
        Self {
            sequence: transition.sequence,
            at: Time(transition.at),
            change: match transition.change {
                Change::Opened => ChangeName::Opened,
                Change::Rose { .. } => ChangeName::Rose,
                Change::Fell { .. } => ChangeName::Fell,
                Change::Reminded => ChangeName::Reminded,
                Change::Closed(_) => ChangeName::Closed,
            },
            severity: transition.severity.into(),
        }
    }
}

impl From<CloseReason> for CloseReasonName {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Recovered => Self::Recovered,
            CloseReason::NoTraffic => Self::NoTraffic,
            CloseReason::Removed => Self::Removed,
        }
    }
}
