//! Notices: what one receiver is told of one incident, as facts. Receivers turn them into text.

use std::collections::BTreeMap;

use super::calendar::Period;
use super::group::Group;
use super::incident::{Change, IncidentId};
use super::indicator::Signal;
use super::objective::Objective;
use super::policy::Severity;
use super::punctuality::PassedOver;
use super::quantity::Breach;
use super::slo::{SloId, SourceName, title};
use super::slot::Counts;
use super::time::{Span, Timestamp};

/// What is to be told. Together with a receiver it is one row of the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The incident, or the episode of what is not about a budget.
    pub incident: IncidentId,
    /// Counts from 1 within the incident; receivers see them in this order.
    pub sequence: u32,
    /// The tick that decided it.
    pub at: Timestamp,
    /// When the incident was opened.
    pub opened: Timestamp,
    /// What happened.
    pub change: Change,
    /// The severity after it; for a close, the one that was left.
    pub severity: Severity,
    /// What routes and receivers match on: the objective's labels with `service`, `slo`, `signal`,
    /// and `target` where it has several.
    pub labels: BTreeMap<String, String>,
    /// The facts.
    pub facts: Facts,
}

/// The facts of a notice.
#[derive(Clone, Debug, PartialEq)]
pub enum Facts {
    /// A budget burns, or no longer does.
    Burn(Box<BurnFacts>),
    /// Objectives cannot be measured, or can be again.
    Unmeasured(Box<UnmeasuredFacts>),
    /// An objective finds more groups than it may have, or no longer does.
    Refused(Box<RefusedFacts>),
    /// More ticks were passed over than may be, or no longer are.
    PassedOver(Box<PassedOverFacts>),
    /// The objective of an open incident is no longer defined.
    Removed {
        /// The identity that it had.
        slo: SloId,
    },
}

/// The facts about a burning budget.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnFacts {
    /// Whose promise it is.
    pub slo: SloFacts,
    /// What was counted over the shortest short window, for the headline.
    pub now: Counts,
    /// Every tier of the policy, in its order.
    pub tiers: Vec<TierFacts>,
    /// The budget of the window; unknown without events.
    pub budget: Option<BudgetFacts>,
    /// When the errors began.
    pub onset: Timestamp,
    /// When they ended: the end of the last slot that was worse than allowed. Told at the close.
    pub stopped: Option<Timestamp>,
    /// When it last became a page.
    pub paged: Option<Timestamp>,
    /// The severity before this change and the tick since which it held, for a rise or a fall.
    pub before: Option<(Severity, Timestamp)>,
    /// Error ratios from the onset until now in equal steps, oldest first; `None` where unknown.
    pub trend: Vec<Option<f64>>,
    /// What was counted from the onset until the errors stopped (or until now).
    pub cost: Counts,
    /// The share (0..1) of the longest long window that was measured.
    pub coverage: f64,
    /// Where the bad events of the last hour came from, by label; the clearest first.
    pub origins: Vec<OriginFacts>,
    /// Where the objective's page is, when the daemon knows its own address.
    pub details: Option<String>,
    /// Where the samples can be looked at.
    pub graph: Option<String>,
}

impl BurnFacts {
    /// Until when `severity` is held, when none of its tiers is above its threshold any more.
    pub fn held_until(&self, severity: Severity) -> Option<Timestamp> {
        let firing = || {
            let tiers = self.tiers.iter();
            tiers.filter(move |tier| tier.firing && tier.severity == severity)
        };
        let all_held = firing().all(|tier| tier.held_until.is_some());
        all_held
            .then(|| firing().filter_map(|tier| tier.held_until).max())
            .flatten()
    }
}

/// How bad events are spread over the values of a label.
#[derive(Clone, Debug, PartialEq)]
pub struct OriginFacts {
    /// The label.
    pub label: String,
    /// The value that stands out, with its share (0..1); `None` when they are spread evenly.
    pub value: Option<(String, f64)>,
    /// How many values the label has.
    pub values: u64,
}

/// The promise, as far as a message needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct SloFacts {
    /// Its identity.
    pub uid: SloId,
    /// The labels of the instance; none of the whole.
    pub group: Group,
    /// The service.
    pub service: String,
    /// The objective's name.
    pub name: String,
    /// Which of its targets it is, where there are several.
    pub target: Option<String>,
    /// The golden signal.
    pub signal: Signal,
    /// The indicator's threshold as written: `300ms`, `5/s`, `90%`.
    pub threshold: Option<String>,
    /// How slices of time break it; `None` where events do.
    pub breach: Option<Breach>,
    /// What is promised.
    pub objective: Objective,
    /// The length of the objective's window.
    pub window: Span,
    /// The period, when the window follows the calendar.
    pub calendar: Option<Period>,
    /// Whether slices of time are counted, not events.
    pub slices: bool,
    /// In words.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where to read what to do.
    pub runbook: Option<String>,
}

impl SloFacts {
    /// What is promised, as people call it: `checkout/availability{route="/pay"}`, and with a target
    /// `checkout/availability/sla`.
    pub fn subject(&self) -> String {
        let title = title(&self.service, &self.name, self.target.as_deref());
        SloId::new(title).of_group(&self.group).to_string()
    }
}

/// One tier, as it stood at the deciding tick.
#[derive(Clone, Debug, PartialEq)]
pub struct TierFacts {
    /// The tier's name.
    pub name: String,
    /// Its severity for this objective.
    pub severity: Severity,
    /// The burn rate above which it fires; where it counts, at which.
    pub threshold: f64,
    /// The bad events in the long window from which it fires, where it counts.
    pub bad: Option<u64>,
    /// Whether it keeps the incident open.
    pub firing: bool,
    /// When it is left, if it stays as clear as it is now; only while it is clear and held.
    pub held_until: Option<Timestamp>,
    /// The long window.
    pub long: WindowFacts,
    /// The short window.
    pub short: WindowFacts,
}

/// One window: what was counted in it.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowFacts {
    /// Its length.
    pub length: Span,
    /// What was counted.
    pub counts: Counts,
    /// The burn rate; unknown without events.
    pub burn: Option<f64>,
}

/// The budget as it stood at the deciding tick.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetFacts {
    /// The share that is left; negative once overspent.
    pub remaining: f64,
    /// The share that was left at the onset; unknown where that lies in an earlier period of the calendar.
    pub before: Option<f64>,
    /// The share that the incident has cost since its onset; unknown in the same case.
    pub cost: Option<f64>,
    /// Bad events that the window allows so far.
    pub allowed: f64,
    /// How long the rest lasts, and the short window whose pace that is.
    pub empty_in: Option<(Span, Span)>,
}

/// The facts about objectives that cannot be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct UnmeasuredFacts {
    /// The source that cannot be read, or has no data.
    pub source: SourceName,
    /// Why, in a sentence.
    pub reason: String,
    /// The newest tick with a good measurement.
    pub last_good: Option<Timestamp>,
    /// Ticks since then.
    pub failed_reads: u64,
    /// The objectives that are blind, in order.
    pub blind: Vec<String>,
    /// Incidents that stay open meanwhile: objective, severity, and its last known burn rate.
    pub held: Vec<(String, Severity, Option<f64>)>,
}

/// The facts about groups that are not watched, since their objective has as many as it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedFacts {
    /// The objective.
    pub slo: SloId,
    /// Its service.
    pub service: String,
    /// Its name.
    pub name: String,
    /// The labels that tell its groups apart.
    pub by: Vec<String>,
    /// Whether all groups together are an instance too, for which those that are refused count.
    pub has_whole: bool,
    /// How many groups are watched.
    pub known: u64,
    /// How many there may be.
    pub most: u64,
    /// How many are there that are not watched; at the close, how many were when it was told.
    pub refused: u64,
    /// Whether there are more of these, which are not told apart.
    pub more: bool,
    /// Some of them, as `{route="/pay"}`.
    pub some: Vec<String>,
    /// Where the objective's page is, when the daemon knows its own address.
    pub details: Option<String>,
}

/// The facts about ticks that were passed over, since newer ones could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOverFacts {
    /// How many, and why.
    pub ticks: PassedOver,
    /// How many there were to be run since the first of them.
    pub due: u64,
    /// The distance of ticks.
    pub tick: Span,
    /// How long the last tick took for which others were passed over, where any took too long.
    pub took: Option<Span>,
    /// Where the page of the sources and the engine is, when the daemon knows its own address.
    pub details: Option<String>,
}
