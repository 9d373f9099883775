//! What a webhook is sent: facts as numbers, and the same in words.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::alerting::notifier::NotifyError;
use crate::alerting::text::Message;
use crate::domain::incident::Change;
use crate::domain::notice::{
    BurnFacts, Facts, Notice, PassedOverFacts, RefusedFacts, UnmeasuredFacts, WindowFacts,
};
use crate::domain::time::{Span, Timestamp};

/// The whole body. Times are RFC 3339 in UTC, shares 0..1, durations in seconds; what is unknown is `null`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    /// `incident.…` for a burning budget, `measurement.…` for objectives that cannot be measured, `groups.…` for groups
    /// that are not watched, `ticks.…` for ticks that were passed over; then `opened`, `rose`, `fell`, `reminded` or `closed`.
    pub(super) r#type: String,
    /// The tick that decided it.
    timestamp: String,
    /// The same as the header `webhook-id`: equal for every copy of this notice.
    id: &'a str,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    incident: &'a str,
    /// Counts from 1 within the incident; notices of one incident come in this order.
    sequence: u32,
    opened: String,
    /// `page` or `ticket`; at the close, the one that was left.
    severity: &'static str,
    /// The severity before a rise or a fall.
    severity_before: Option<&'static str>,
    /// `recovered`, `noTraffic` or `removed`.
    close_reason: Option<&'static str>,
    labels: &'a BTreeMap<String, String>,
    title: &'a str,
    text: String,
    #[serde(flatten)]
    numbers: Numbers<'a>,
}

/// The numbers of what it is about, and `null` for all others.
#[derive(Debug, Default, Serialize)]
struct Numbers<'a> {
    burn: Option<Burn<'a>>,
    unmeasured: Option<Unmeasured<'a>>,
    groups: Option<Unwatched<'a>>,
    ticks: Option<Missed<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Burn<'a> {
    uid: &'a str,
    /// The labels of the instance; left out of the whole.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    group: BTreeMap<&'a str, &'a str>,
    service: &'a str,
    name: &'a str,
    /// Left out where there is one promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    signal: &'static str,
    threshold: Option<&'a str>,
    objective: f64,
    objective_percent: String,
    window_seconds: f64,
    /// `events` or `slices`.
    unit: &'static str,
    bad: f64,
    total: f64,
    tiers: Vec<Tier<'a>>,
    budget: Option<Budget>,
    onset: String,
    stopped: Option<String>,
    paged: Option<String>,
    cost_bad: f64,
    cost_total: f64,
    coverage: f64,
    links: Links<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tier<'a> {
    name: &'a str,
    severity: &'static str,
    threshold: Option<f64>,
    bad_events: Option<u64>,
    firing: bool,
    long: Window,
    short: Window,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    seconds: f64,
    bad: f64,
    total: f64,
    burn: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Budget {
    remaining: Option<f64>,
    remaining_before: Option<f64>,
    allowed: f64,
    seconds_to_empty: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Links<'a> {
    runbook: Option<&'a str>,
    details: Option<&'a str>,
    graph: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unmeasured<'a> {
    source: &'a str,
    reason: &'a str,
    last_good_at: Option<String>,
    failed_reads: u64,
    blind: &'a [String],
    held: Vec<Held<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Held<'a> {
    slo: &'a str,
    severity: &'static str,
    burn: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unwatched<'a> {
    uid: &'a str,
    service: &'a str,
    name: &'a str,
    group_by: &'a [String],
    /// How many are watched.
    known: u64,
    max_groups: u64,
    /// How many are not; at the close, how many were not at the beginning.
    refused: u64,
    /// Whether there are more of them.
    more: bool,
    some: &'a [String],
    details: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Missed<'a> {
    /// How many were passed over while an earlier one was run.
    slow: u64,
    /// How many while the process did not run, or since a clock was set.
    asleep: u64,
    /// How many there were to be run since the first of them.
    due: u64,
    tick_seconds: f64,
    /// How long the last tick took for which others were passed over.
    took_seconds: Option<f64>,
    details: Option<&'a str>,
}

/// The body for `notice`.
pub(super) fn body(id: &str, notice: &Notice, message: &Message) -> Result<String, NotifyError> {
    serde_json::to_string(&envelope(id, notice, message)).map_err(|error| {
        NotifyError::permanent(format!(
            "the notice cannot be written as JSON ({error}): report this as a bug"
        ))
    })
}

/// What the body says.
pub(super) fn envelope<'a>(id: &'a str, notice: &'a Notice, message: &'a Message) -> Envelope<'a> {
    let mut numbers = Numbers::default();
    let kind = match &notice.facts {
        Facts::Burn(facts) => {
            numbers.burn = Some(burning(facts));
            "incident"
        }
        Facts::Unmeasured(facts) => {
            numbers.unmeasured = Some(blind(facts));
            "measurement"
        }
        Facts::Refused(facts) => {
            numbers.groups = Some(refused(facts));
            "groups"
        }
        Facts::PassedOver(facts) => {
            numbers.ticks = Some(missed(facts));
            "ticks"
        }
        Facts::Removed { .. } => "incident",
    };
    let (what, severity_before, close_reason) = match notice.change {
        Change::Opened => ("opened", None, None),
        Change::Rose { from } => ("rose", Some(from.name()), None),
        Change::Fell { from } => ("fell", Some(from.name()), None),
        Change::Reminded => ("reminded", None, None),
        Change::Closed(reason) => ("closed", None, Some(reason.name())),
    };
    Envelope {
        r#type: format!("{kind}.{what}"),
        timestamp: notice.at.to_string(),
        id,
        data: Data {
            incident: notice.incident.as_str(),
            sequence: notice.sequence,
            opened: notice.opened.to_string(),
            severity: notice.severity.name(),
            severity_before,
            close_reason,
            labels: &notice.labels,
            title: &message.title,
            text: message.plain(),
            numbers,
        },
    }
}

fn burning(facts: &BurnFacts) -> Burn<'_> {
    let slo = &facts.slo;
    let time = |at: Timestamp| at.to_string();
    Burn {
        uid: slo.uid.as_str(),
        group: slo.group.iter().collect(),
        service: &slo.service,
        name: &slo.name,
        target: slo.target.as_deref(),
        signal: slo.signal.name(),
        threshold: slo.threshold.as_deref(),
        objective: slo.objective.ratio(),
        objective_percent: slo.objective.percent().to_string(),
        window_seconds: slo.window.as_secs_f64(),
        unit: if slo.slices { "slices" } else { "events" },
        bad: facts.now.bad,
        total: facts.now.total,
        tiers: facts
            .tiers
            .iter()
            .map(|tier| Tier {
                name: &tier.name,
                severity: tier.severity.name(),
                threshold: finite(tier.threshold),
                bad_events: tier.bad,
                firing: tier.firing,
                long: window(&tier.long),
                short: window(&tier.short),
            })
            .collect(),
        budget: facts.budget.as_ref().map(|budget| Budget {
            remaining: finite(budget.remaining),
            remaining_before: budget.before.and_then(finite),
            allowed: budget.allowed,
            seconds_to_empty: budget.empty_in.map(|(left, _)| left.as_secs_f64()),
        }),
        onset: time(facts.onset),
        stopped: facts.stopped.map(time),
        paged: facts.paged.map(time),
        cost_bad: facts.cost.bad,
        cost_total: facts.cost.total,
        coverage: facts.coverage,
        links: Links {
            runbook: slo.runbook.as_deref(),
            details: facts.details.as_deref(),
            graph: facts.graph.as_deref(),
        },
    }
}

fn window(facts: &WindowFacts) -> Window {
    Window {
        seconds: facts.length.as_secs_f64(),
        bad: facts.counts.bad,
        total: facts.counts.total,
        burn: facts.burn.and_then(finite),
    }
}

/// JSON has no infinity.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn blind(facts: &UnmeasuredFacts) -> Unmeasured<'_> {
    let held = facts.held.iter().map(|(slo, severity, burn)| Held {
        slo,
        severity: severity.name(),
        burn: burn.and_then(finite),
    });
    Unmeasured {
        source: facts.source.as_str(),
        reason: &facts.reason,
        last_good_at: facts.last_good.map(|at| at.to_string()),
        failed_reads: facts.failed_reads,
        blind: &facts.blind,
        held: held.collect(),
    }
}

fn refused(facts: &RefusedFacts) -> Unwatched<'_> {
    Unwatched {
        uid: facts.slo.as_str(),
        service: &facts.service,
        name: &facts.name,
        group_by: &facts.by,
        known: facts.known,
        max_groups: facts.most,
        refused: facts.refused,
        more: facts.more,
        some: &facts.some,
        details: facts.details.as_deref(),
    }
}

fn missed(facts: &PassedOverFacts) -> Missed<'_> {
    Missed {
        slow: facts.ticks.slow,
        asleep: facts.ticks.asleep,
        due: facts.due,
        tick_seconds: facts.tick.as_secs_f64(),
        took_seconds: facts.took.map(Span::as_secs_f64),
        details: facts.details.as_deref(),
    }
}
