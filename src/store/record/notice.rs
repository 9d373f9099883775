//! Notices, as they wait in the outbox.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::calendar::Period;
use crate::domain::group::Group;
use crate::domain::incident::{Change, IncidentId};
use crate::domain::indicator::Signal;
use crate::domain::notice::{
    BudgetFacts, BurnFacts, Facts, Notice, OriginFacts, PassedOverFacts, RefusedFacts, SloFacts,
    TierFacts, UnmeasuredFacts, WindowFacts,
};
use crate::domain::objective::Objective;
use crate::domain::policy::Severity;
use crate::domain::punctuality::PassedOver;
use crate::domain::quantity::Breach;
use crate::domain::slo::{SloId, SourceName};
use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};

use super::{Record, Unreadable, object};

object!(Notice as NoticeJson {
    incident: IncidentId,
    sequence: u32,
    at: Timestamp,
    opened: Timestamp,
    change: Change,
    severity: Severity,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    facts: Facts,
});

object!(BurnFacts as BurnJson {
    slo: SloFacts,
    now: Counts,
    #[serde(default)]
    tiers: Vec<TierFacts>,
    budget: Option<BudgetFacts>,
    onset: Timestamp,
    stopped: Option<Timestamp>,
    paged: Option<Timestamp>,
    before: Option<(Severity, Timestamp)>,
    #[serde(default)]
    trend: Vec<Option<f64>>,
    cost: Counts,
    coverage: f64,
    #[serde(default)]
    origins: Vec<OriginFacts>,
    details: Option<String>,
    graph: Option<String>,
});

object!(OriginFacts as OriginJson {
    label: String,
    value: Option<(String, f64)>,
    values: u64,
});

object!(SloFacts as SloJson {
    uid: SloId,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    group: Group,
    service: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    signal: Signal,
    threshold: Option<String>,
    #[serde(default)]
    breach: Option<Breach>,
    objective: Objective,
    window: Span,
    #[serde(default)]
    calendar: Option<Period>,
    #[serde(default)]
    slices: bool,
    description: Option<String>,
    owner: Option<String>,
    runbook: Option<String>,
});

object!(TierFacts as TierFactsJson {
    name: String,
    severity: Severity,
    threshold: f64,
    #[serde(default)]
    bad: Option<u64>,
    firing: bool,
    #[serde(default)]
    held_until: Option<Timestamp>,
    long: WindowFacts,
    short: WindowFacts,
});

object!(WindowFacts as WindowJson {
    length: Span,
    counts: Counts,
    burn: Option<f64>,
});

object!(BudgetFacts as BudgetJson {
    remaining: f64,
    before: Option<f64>,
    #[serde(default)]
    cost: Option<f64>,
    allowed: f64,
    empty_in: Option<(Span, Span)>,
});

object!(UnmeasuredFacts as UnmeasuredJson {
    source: SourceName,
    reason: String,
    last_good: Option<Timestamp>,
    #[serde(default)]
    failed_reads: u64,
    #[serde(default)]
    blind: Vec<String>,
    #[serde(default)]
    held: Vec<(String, Severity, Option<f64>)>,
});

object!(RefusedFacts as RefusedJson {
    slo: SloId,
    service: String,
    name: String,
    #[serde(default)]
    by: Vec<String>,
    #[serde(default)]
    has_whole: bool,
    known: u64,
    most: u64,
    refused: u64,
    #[serde(default)]
    more: bool,
    #[serde(default)]
    some: Vec<String>,
    details: Option<String>,
});

object!(PassedOverFacts as PassedOverJson {
    ticks: PassedOver,
    due: u64,
    tick: Span,
    took: Option<Span>,
    details: Option<String>,
});

object!(PassedOver as TicksJson {
    slow: u64,
    asleep: u64,
});

/// The facts, under the name of their kind.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) enum FactsJson {
    Burn(Box<BurnJson>),
    Unmeasured(Box<UnmeasuredJson>),
    Refused(Box<RefusedJson>),
    PassedOver(Box<PassedOverJson>),
    Removed { slo: String },
}

impl Record for Facts {
    type Json = FactsJson;

    fn to_json(&self) -> FactsJson {
        match self {
            Self::Burn(facts) => FactsJson::Burn(Box::new(facts.to_json())),
            Self::Unmeasured(facts) => FactsJson::Unmeasured(Box::new(facts.to_json())),
            Self::Refused(facts) => FactsJson::Refused(Box::new(facts.to_json())),
            Self::PassedOver(facts) => FactsJson::PassedOver(Box::new(facts.to_json())),
            Self::Removed { slo } => FactsJson::Removed {
                slo: slo.to_string(),
            },
        }
    }

    fn from_json(json: FactsJson) -> Result<Self, Unreadable> {
        Ok(match json {
            FactsJson::Burn(json) => Self::Burn(Box::new(BurnFacts::from_json(*json)?)),
            FactsJson::Unmeasured(json) => {
                Self::Unmeasured(Box::new(UnmeasuredFacts::from_json(*json)?))
            }
            FactsJson::Refused(json) => Self::Refused(Box::new(RefusedFacts::from_json(*json)?)),
            FactsJson::PassedOver(json) => {
                Self::PassedOver(Box::new(PassedOverFacts::from_json(*json)?))
            }
            FactsJson::Removed { slo } => Self::Removed {
                slo: SloId::new(slo),
            },
        })
    }
}
