//! Incidents, the alert state of one instance, and episodes of what is not about a budget.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::incident::{
    AlertState, Change, CloseReason, Incident, IncidentId, TierState, Transition,
};
use crate::domain::measurement::Outcome;
use crate::domain::notice::Notice;
use crate::domain::policy::Severity;
use crate::domain::slo::SloId;
use crate::domain::time::Timestamp;

use super::super::commit::Episode;
use super::{Record, Unreadable, object};

object!(Incident as IncidentJson {
    id: IncidentId,
    slo: SloId,
    opened: Timestamp,
    onset: Timestamp,
    severity: Severity,
    peak: Severity,
    paged: Option<Timestamp>,
    closed: Option<Timestamp>,
    #[serde(default)]
    history: Vec<Transition>,
    #[serde(default)]
    told: BTreeSet<String>,
});

object!(Transition as TransitionJson {
    sequence: u32,
    at: Timestamp,
    change: Change,
    severity: Severity,
});

object!(Episode as EpisodeJson {
    incident: IncidentId,
    since: Timestamp,
    opened: Timestamp,
    #[serde(default)]
    told: BTreeSet<String>,
    notice: Arc<Notice>,
});

impl<T: Record> Record for Arc<T> {
    type Json = T::Json;

    fn to_json(&self) -> Self::Json {
        T::to_json(self)
    }

    fn from_json(json: Self::Json) -> Result<Self, Unreadable> {
        T::from_json(json).map(Self::new)
    }
}

/// What happened to an incident, with what the change says of itself.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(in crate::store) enum ChangeJson {
    Opened,
    Rose { from: String },
    Fell { from: String },
    Reminded,
    Closed { reason: String },
}

impl Record for Change {
    type Json = ChangeJson;

    fn to_json(&self) -> ChangeJson {
        match self {
            Self::Opened => ChangeJson::Opened,
            Self::Rose { from } => ChangeJson::Rose {
                from: from.to_json(),
            },
            Self::Fell { from } => ChangeJson::Fell {
                from: from.to_json(),
            },
            Self::Reminded => ChangeJson::Reminded,
            Self::Closed(reason) => ChangeJson::Closed {
                reason: reason.to_json(),
            },
        }
    }

    fn from_json(json: ChangeJson) -> Result<Self, Unreadable> {
        Ok(match json {
            ChangeJson::Opened => Self::Opened,
            ChangeJson::Rose { from } => Self::Rose {
                from: Severity::from_json(from)?,
            },
            ChangeJson::Fell { from } => Self::Fell {
                from: Severity::from_json(from)?,
            },
            ChangeJson::Reminded => Self::Reminded,
            ChangeJson::Closed { reason } => Self::Closed(CloseReason::from_json(reason)?),
        })
    }
}

/// A tier that is not quiet: since when it burns, and since when it is clear while it is held.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct TierJson {
    since: i64,
    clear: Option<i64>,
}

/// The alert state with its tiers by name; tiers that are not there are quiet.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct AlertJson {
    #[serde(default)]
    tiers: BTreeMap<String, TierJson>,
    incident: Option<IncidentJson>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unmeasured: BTreeMap<String, i64>,
}

impl Record for AlertState {
    type Json = AlertJson;

    fn to_json(&self) -> AlertJson {
        let tier = |(name, state): (&String, &TierState)| {
            let (since, clear) = match state {
                TierState::Quiet => return None,
                TierState::Burning { since } => (since, None),
                TierState::Holding { since, clear } => (since, Some(clear.to_json())),
            };
            let since = since.to_json();
            Some((name.clone(), TierJson { since, clear }))
        };
        let ended = |(outcome, since): (&Outcome, &Timestamp)| (outcome.to_json(), since.to_json());
        AlertJson {
            tiers: self.tiers.iter().filter_map(tier).collect(),
            incident: self.incident.as_deref().map(Record::to_json),
            unmeasured: self.unmeasured.iter().map(ended).collect(),
        }
    }

    fn from_json(json: AlertJson) -> Result<Self, Unreadable> {
        let tier = |(name, tier): (String, TierJson)| {
            let since = Timestamp::from_millis(tier.since);
            let state = match tier.clear.map(Timestamp::from_millis) {
                None => TierState::Burning { since },
                Some(clear) => TierState::Holding { since, clear },
            };
            (name, state)
        };
        let incident: Option<Incident> = Record::from_json(json.incident)?;
        let unmeasured = json.unmeasured.into_iter();
        let unmeasured = unmeasured.map(|(outcome, since)| {
            Ok((Outcome::from_json(outcome)?, Timestamp::from_json(since)?))
        });
        Ok(Self {
            tiers: json.tiers.into_iter().map(tier).collect(),
            incident: incident.map(Arc::new),
            unmeasured: unmeasured.collect::<Result<_, Unreadable>>()?,
        })
    }
}
