//! One instance of an objective with every number's inputs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::indicator::Budgeting;
use crate::domain::objective::Objective;
use crate::domain::policy::HeldBack;
use crate::domain::slo::{Slo, title};
use crate::domain::time::TimeRange;

use super::super::names::{Alert, Compliance, Measured, SignalName};
use super::super::snapshot::{BurnStatus, GroupCount, SloStatus, TierStatus};
use super::incident::IncidentView;
use super::indicator::{SelectorView, selectors};
use super::scalar::{Count, Length, Time, finite};

/// One instance of an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SloView {
    /// The identity of the objective.
    pub uid: String,
    /// The identity of the instance: the uid, and the group where there is one.
    pub id: String,
    /// The service that promises.
    pub service: String,
    /// The objective's name within the service.
    pub name: String,
    /// Which of its targets it is; `null` of an objective with one promise.
    #[serde(default)]
    pub target: Option<String>,
    /// The labels of the group; empty without grouping.
    pub group: BTreeMap<String, String>,
    /// How many groups the objective has; left out where nothing is grouped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<GroupingView>,
    /// The golden signal.
    pub signal: SignalName,
    /// Labels of the service and the objective.
    pub labels: BTreeMap<String, String>,
    /// What is promised, 0..1.
    pub objective: f64,
    /// What is promised in percent, exactly as written.
    pub objective_percent: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The source of its samples.
    pub source: String,
    /// What is asked of it.
    #[serde(default)]
    pub selectors: Vec<SelectorView>,
    /// How loud the open incident is.
    pub alert: Alert,
    /// Whether the last measurement can be relied on: measured, or no traffic.
    pub measured: bool,
    /// Whether the promise is kept over the window.
    pub compliance: Compliance,
    /// How the last measurement went.
    pub measurement: MeasurementView,
    /// The objective's window.
    pub window: WindowView,
    /// Its budget.
    pub budget: BudgetView,
    /// Every window that a tier looks at, by length, shortest first.
    pub burn: BTreeMap<Length, BurnView>,
    /// The tiers of its policy.
    pub tiers: Vec<TierView>,
    /// Which label values the bad events of late came from; older daemons do not tell.
    #[serde(default)]
    pub contributors: Vec<ContributorView>,
    /// The open incident.
    pub incident: Option<IncidentView>,
    /// Where to go from here.
    pub links: LinksView,
}

/// How many groups an objective has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupingView {
    /// Those that are known.
    pub groups: u64,
    /// How many there may be.
    pub max_groups: u64,
    /// Those that are there beyond that, and are not watched.
    pub refused: u64,
}

impl GroupingView {
    const fn of(count: GroupCount) -> Self {
        Self {
            groups: count.known,
            max_groups: count.most,
            refused: count.refused,
        }
    }
}

/// How a measurement went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeasurementView {
    /// How it ended.
    pub outcome: Measured,
    /// The tick it belongs to.
    pub at: Time,
    /// The newest tick with a good outcome.
    pub last_good_at: Option<Time>,
    /// Why it is not good.
    pub reason: Option<String>,
    /// Whether the counts are estimates.
    pub approximate: bool,
    /// How many series count.
    pub series: SeriesView,
    /// Whether the bad (or good) selector has ever matched a series.
    pub bad_series_ever_seen: bool,
    /// The share of the window's slots that were spread over gaps.
    pub reconstructed_share: f64,
}

/// How many series count towards what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeriesView {
    /// Towards the total.
    pub total: u64,
    /// Towards the bad (or the good, where those are counted).
    pub bad: u64,
}

/// Whether a window moves along or follows the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WindowKind {
    /// The last so much time.
    Rolling,
    /// A week, month, quarter or year of the calendar.
    Calendar,
}

/// What the objective's window holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowView {
    /// How it moves.
    pub kind: WindowKind,
    /// How long it is: `30d`, or the calendar's `week`, `month`, `quarter` or `year`.
    pub length: String,
    /// The time zone of a calendar window.
    pub time_zone: Option<String>,
    /// Excluded start.
    pub from: Time,
    /// Included end.
    pub to: Time,
    /// Bad events (or slices) counted.
    pub bad: Count,
    /// All of them.
    pub total: Count,
    /// bad / total; unknown without events.
    pub ratio: Option<f64>,
    /// The share of its time that was measured.
    pub coverage: f64,
    /// What was promised in it, oldest first, where that changed: events count towards the budget by
    /// what was in force then. Left out when one objective held all the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionView>,
}

/// What was promised in a part of the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// What ends after this time counts by it, up to where the next begins.
    pub from: Time,
    /// What was promised, 0..1.
    pub objective: f64,
    /// What was promised in percent, exactly as written.
    pub objective_percent: String,
}

/// What a budget is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BudgetUnit {
    /// Events.
    Events,
    /// Slices of time.
    Slices,
}

/// The error budget of the window; unknown without events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetView {
    /// What it is made of.
    pub unit: BudgetUnit,
    /// Bad events that the window allows.
    pub allowed: Option<Count>,
    /// The share that is spent; above 1 once overspent.
    pub spent: Option<f64>,
    /// The share that is left; negative once overspent.
    pub remaining: Option<f64>,
    /// When it was used up, while it is.
    pub emptied_at: Option<Time>,
    /// How long the rest lasts at the present pace.
    pub seconds_to_empty: Option<Count>,
}

/// One window that a tier looks at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BurnView {
    /// How many times faster than allowed the budget is spent; unknown without events.
    pub rate: Option<f64>,
    /// Bad events counted.
    pub bad: Count,
    /// All of them.
    pub total: Count,
    /// The share of its time that was measured.
    pub coverage: f64,
}

/// One tier of the policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TierView {
    /// Its name.
    pub name: String,
    /// Its severity.
    pub severity: Alert,
    /// Its long window.
    pub long: Length,
    /// Its short window.
    pub short: Length,
    /// The burn rate above which it fires; where it counts, at which, or `null` while its long window is empty.
    pub threshold: Option<f64>,
    /// The bad events in the long window from which it fires, where it counts.
    #[serde(default)]
    pub bad: Option<u64>,
    /// Whether it keeps an incident open.
    pub firing: bool,
    /// The low-traffic guard, where it applies.
    pub guard: Option<GuardView>,
    /// Why it does not fire although its windows are above; `null` where it does, or they are not.
    #[serde(default)]
    pub held_back: Option<HeldBackView>,
}

/// Why a tier starts no alarm although its windows are above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HeldBackView {
    /// Without what was spread over gaps its short window is not above.
    Spread,
    /// The past is still being read, and would the rest be well its windows were not above.
    Unread,
}

impl From<HeldBack> for HeldBackView {
    fn from(held: HeldBack) -> Self {
        match held {
            HeldBack::Spread => Self::Spread,
            HeldBack::Unread => Self::Unread,
        }
    }
}

impl HeldBackView {
    /// For people, after "above, but held back: ".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Spread => {
                "events of a gap were spread over its short window, and without them it is not above"
            }
            Self::Unread => "its past is still being read",
        }
    }
}

/// The low-traffic guard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GuardView {
    /// Failures seen in the long window.
    pub seen: Count,
    /// Failures needed before chance is ruled out.
    pub needed: u64,
}

/// One value of a label that tells the series of the objective apart, and its part of the bad events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContributorView {
    /// The window whose bad events are meant.
    pub window: Length,
    /// The label.
    pub label: String,
    /// Its value.
    pub value: String,
    /// The bad events of the series with this value.
    pub bad: Count,
    /// Their share of all bad events of the window.
    pub share: f64,
}

/// Where to go from here; what is not known is `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinksView {
    /// The objective's page.
    pub page: Option<String>,
    /// Its samples in a graph.
    pub graph: Option<String>,
    /// What to do.
    pub runbook: Option<String>,
}

impl SloView {
    /// What people call the promise: `service/name`, or `service/name/target`.
    pub fn title(&self) -> String {
        title(&self.service, &self.name, self.target.as_deref())
    }

    /// The view of one instance.
    pub fn of(status: &SloStatus) -> Self {
        let slo = &status.slo;
        let pairs = status.group.iter();
        Self {
            uid: slo.uid.to_string(),
            id: status.id.clone(),
            service: slo.service.clone(),
            name: slo.name.clone(),
            target: slo.target.clone(),
            group: pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            grouping: status.groups.map(GroupingView::of),
            signal: slo.signal().into(),
            labels: slo.labels.clone(),
            objective: slo.objective.ratio(),
            objective_percent: slo.objective.percent().to_string(),
            owner: slo.owner.clone(),
            source: slo.source.to_string(),
            selectors: selectors(&slo.indicator),
            alert: status.alert.into(),
            measured: status.measurement.outcome.is_good(),
            compliance: Compliance::of(status),
            measurement: MeasurementView::of(status),
            window: WindowView::of(status),
            budget: BudgetView::of(status),
            burn: status.burn.iter().map(burn).collect(),
            tiers: status.tiers.iter().map(TierView::of).collect(),
            contributors: contributors(status),
            incident: status
                .incident
                .as_deref()
                .map(|incident| IncidentView::of(incident, Some(&slo.service))),
            links: LinksView {
                page: status.details.clone(),
                graph: status.graph.clone(),
                runbook: slo.runbook.clone(),
            },
        }
    }
}

impl MeasurementView {
    fn of(status: &SloStatus) -> Self {
        let measurement = &status.measurement;
        Self {
            outcome: measurement.outcome.into(),
            at: Time(measurement.at),
            last_good_at: measurement.last_good.map(Time),
            reason: measurement.reason.clone(),
            approximate: status.slo.indicator.is_approximate(),
            series: SeriesView {
                total: status.series.total,
                bad: status.series.bad,
            },
            bad_series_ever_seen: status.bad_series_ever_seen,
            reconstructed_share: status.reconstructed_share,
        }
    }
}

impl WindowView {
    fn of(status: &SloStatus) -> Self {
        let window = &status.window;
        let calendar = status.slo.window.calendar();
        Self {
            kind: calendar.map_or(WindowKind::Rolling, |_| WindowKind::Calendar),
            length: status.slo.window.to_string(),
            time_zone: calendar.map(|calendar| calendar.zone().to_owned()),
            from: Time(window.range.from),
            to: Time(window.range.to),
            bad: Count(window.counts.bad),
            total: Count(window.counts.total),
            ratio: window.counts.error_ratio(),
            coverage: window.coverage,
            versions: versions(status),
        }
    }
}

fn versions(status: &SloStatus) -> Vec<VersionView> {
    let parts = status.versions.parts(status.window.range);
    if parts.len() < 2 {
        return Vec::new();
    }
    let view = |(range, objective): (TimeRange, Objective)| VersionView {
        from: Time(range.from),
        objective: objective.ratio(),
        objective_percent: objective.percent().to_string(),
    };
    parts.into_iter().map(view).collect()
}

impl BudgetView {
    fn of(status: &SloStatus) -> Self {
        let budget = status.budget.as_ref();
        Self {
            unit: BudgetUnit::of(&status.slo),
            allowed: budget.map(|budget| Count(budget.allowed)),
            spent: budget.and_then(|budget| finite(budget.spent())),
            remaining: budget.and_then(|budget| finite(budget.remaining())),
            emptied_at: status.emptied_at.map(Time),
            seconds_to_empty: status.time_to_empty.map(|span| Count(span.as_secs_f64())),
        }
    }
}

impl BudgetUnit {
    fn of(slo: &Slo) -> Self {
        match slo.budgeting() {
            Budgeting::Occurrences => Self::Events,
            Budgeting::Timeslices(_) => Self::Slices,
        }
    }
}

fn burn(status: &BurnStatus) -> (Length, BurnView) {
    let view = BurnView {
        rate: status.rate.and_then(finite),
        bad: Count(status.counts.bad),
        total: Count(status.counts.total),
        coverage: status.coverage,
    };
    (Length(status.length), view)
}

/// The values of all labels, window by window, the label with the greatest share first.
fn contributors(status: &SloStatus) -> Vec<ContributorView> {
    let windows = status.contributors.iter();
    let labels = windows.flat_map(|(window, labels)| labels.iter().map(move |it| (window, it)));
    let values = labels.flat_map(|(window, it)| it.top.iter().map(move |top| (window, it, top)));
    values
        .map(|(window, it, top)| ContributorView {
            window: Length(*window),
            label: it.label.clone(),
            value: top.value.clone(),
            bad: Count(top.bad),
            share: top.share,
        })
        .collect()
}

impl TierView {
    fn of(tier: &TierStatus) -> Self {
        Self {
            name: tier.name.clone(),
            severity: tier.severity.into(),
            long: Length(tier.long),
            short: Length(tier.short),
            threshold: finite(tier.threshold),
            bad: tier.bad,
            firing: tier.firing,
            guard: tier.guard.map(|guard| GuardView {
                seen: Count(guard.seen),
                needed: guard.needed(),
            }),
            held_back: tier.held_back.map(HeldBackView::from),
        }
    }
}
