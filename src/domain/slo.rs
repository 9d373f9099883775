//! Service level objectives and the catalog of everything that is defined.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::calendar::Calendar;
use super::group::{Group, Grouping};
use super::indicator::{Budgeting, Indicator, Signal};
use super::objective::Objective;
use super::policy::AlertPolicy;
use super::route::{Receiver, Routing};
use super::time::{Span, TimeRange, Timestamp};

/// The identity that history, incidents and receivers' keys hang on: of an objective, by default
/// `service/name`, and of an instance, that with the labels of its group: `service/name{route="/pay"}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SloId(Arc<str>);

impl SloId {
    /// An identity from its text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// That of a group; of the whole the same.
    #[must_use]
    pub fn of_group(&self, group: &Group) -> Self {
        if group.is_empty() {
            return self.clone();
        }
        Self::new(format!("{self}{{{group}}}"))
    }
}

impl fmt::Display for SloId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a source of samples in the daemon's configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Arc<str>);

impl SourceName {
    /// A source's name.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The period over which an objective holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// The last so much time, moving along.
    Rolling(Span),
    /// The present period of the calendar, from its beginning on.
    Calendar(Calendar),
}

impl Window {
    /// The range that the window covers when it is looked at `at`.
    pub fn range(&self, at: Timestamp) -> TimeRange {
        let from = match self {
            Self::Rolling(length) => at - *length,
            Self::Calendar(calendar) => calendar.around(at).from,
        };
        TimeRange { from, to: at }
    }

    /// The length of the whole window that `at` lies in; of a calendar's, its real one.
    pub fn length(&self, at: Timestamp) -> Span {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar(calendar) => calendar.around(at).length(),
        }
    }

    /// The least that the window lasts.
    pub fn shortest(&self) -> Span {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar(calendar) => calendar.shortest(),
        }
    }

    /// The most that the window lasts.
    pub fn longest(&self) -> Span {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar(calendar) => calendar.longest(),
        }
    }

    /// Its calendar, if it follows one.
    pub const fn calendar(&self) -> Option<&Calendar> {
        match self {
            Self::Rolling(_) => None,
            Self::Calendar(calendar) => Some(calendar),
        }
    }
}

impl fmt::Display for Window {
    /// `30d`, or `month`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(length) => length.fmt(f),
            Self::Calendar(calendar) => f.write_str(calendar.period().name()),
        }
    }
}

/// One promise: service, name, indicator, objective, window and alert policy. In the catalog it is
/// what was written; as an instance, that for one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Slo {
    /// Its identity, the same for all of its instances.
    pub uid: SloId,
    /// The identity of the instance; the uid where nothing is grouped, and of the whole.
    pub id: SloId,
    /// The identity of what is counted for the instance: the same for all targets of an objective,
    /// so that their events are counted once. The `id` where there is one promise.
    pub counted_as: SloId,
    /// The labels of the instance.
    pub group: Group,
    /// How it is divided into groups, if it is.
    pub grouping: Option<Arc<Grouping>>,
    /// The service that promises.
    pub service: String,
    /// The objective's name within the service.
    pub name: String,
    /// Which of the objective's targets it is, where several are promised on one indicator.
    pub target: Option<String>,
    /// Labels of the service and the objective, for routing and filtering.
    pub labels: BTreeMap<String, String>,
    /// What the promise means, in words.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where to read what to do.
    pub runbook: Option<String>,
    /// Where its samples come from.
    pub source: SourceName,
    /// What is promised.
    pub objective: Objective,
    /// For which period.
    pub window: Window,
    /// How good and bad are told apart.
    pub indicator: Indicator,
    /// When to tell whom: the name of a policy in the catalog; `None` never alerts.
    pub policy: Option<String>,
}

impl Slo {
    /// The instance of one group, of which `objective` is promised.
    #[must_use]
    pub fn of_group(&self, group: Group, objective: Objective) -> Self {
        Self {
            id: self.uid.of_group(&group),
            counted_as: self.counted_as.of_group(&group),
            group,
            objective,
            ..self.clone()
        }
    }

    /// What people call it.
    pub fn title(&self) -> String {
        title(&self.service, &self.name, self.target.as_deref())
    }

    /// The golden signal that it measures.
    pub const fn signal(&self) -> Signal {
        self.indicator.signal()
    }

    /// Whether events or slices make up its budget.
    pub const fn budgeting(&self) -> Budgeting {
        self.indicator.budgeting()
    }
}

/// What people call a promise: `service/name`, or `service/name/target`.
pub fn title(service: &str, name: &str, target: Option<&str>) -> String {
    match target {
        Some(target) => format!("{service}/{name}/{target}"),
        None => format!("{service}/{name}"),
    }
}

/// Everything that is defined: objectives, policies, receivers and routes. Replaced as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// By identity, in order.
    pub slos: BTreeMap<SloId, Arc<Slo>>,
    /// Alert policies by name.
    pub policies: BTreeMap<String, Arc<AlertPolicy>>,
    /// Receivers by name.
    pub receivers: BTreeMap<String, Arc<Receiver>>,
    /// Who is told what.
    pub routing: Routing,
}

impl Catalog {
    /// The policy of `slo`, if it has one.
    pub fn policy_of(&self, slo: &Slo) -> Option<&Arc<AlertPolicy>> {
        self.policies.get(slo.policy.as_ref()?)
    }
}
