//! The facts of a notice about a burning budget, as they stand at the deciding tick.

use crate::domain::calendar::Calendar;
use crate::domain::contributors::LabelShare;
use crate::domain::incident::{Change, Incident, Transition};
use crate::domain::indicator::{Budgeting, Indicator};
use crate::domain::notice::{
    BudgetFacts, BurnFacts, OriginFacts, SloFacts, TierFacts, WindowFacts,
};
use crate::domain::objective::BurnRate;
use crate::domain::policy::{AlertPolicy, Severity};
use crate::domain::slo::Slo;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::ledger::WindowSum;
use crate::status::address;

use super::graph;
use super::promise::{Promise, PromiseState};
use super::settings::Settings;
use super::story::{self, Chance};
use super::windows::Windows;

/// Everything that a message about this transition may say.
pub(super) fn burn(
    settings: &Settings,
    promise: Promise<'_>,
    policy: Option<&AlertPolicy>,
    windows: &Windows,
    origins: &[LabelShare],
    (incident, transition): (&Incident, &Transition),
) -> BurnFacts {
    let (slo, ledger) = (promise.slo, &promise.meter.ledger);
    let range = TimeRange {
        from: incident.onset,
        to: transition.at,
    };
    let stopped = match transition.change {
        Change::Closed(_) => story::stopped(ledger, slo.objective, range, chance(slo, policy)),
        _ => None,
    };
    let cost = TimeRange {
        from: incident.onset,
        to: stopped.unwrap_or(transition.at),
    };
    let (present, now) = windows.present;
    let at_onset = slo.window.range(incident.onset);
    // Of another period there is another budget.
    let is_of_period =
        !windows.is_period() || at_onset.from == slo.window.range(transition.at).from;
    let at_onset = promise.budget(at_onset).filter(|_| is_of_period);
    let cost = ledger.sum(cost).counts;
    BurnFacts {
        slo: promised(slo, windows.period),
        now: now.counts,
        tiers: policy
            .map(|policy| tiers(promise.state, slo, policy, windows))
            .unwrap_or_default(),
        budget: windows.errors.map(|budget| BudgetFacts {
            remaining: budget.remaining(),
            before: at_onset.map(|before| before.remaining()),
            cost: (is_of_period && budget.allowed > 0.0).then_some(cost.bad / budget.allowed),
            allowed: budget.allowed,
            empty_in: windows
                .time_to_empty(slo.objective)
                .map(|left| (left, present)),
        }),
        onset: incident.onset,
        stopped,
        paged: incident.paged,
        before: before(incident, transition),
        trend: story::trend(ledger, range, settings.slot),
        cost,
        coverage: windows.longest().covered,
        origins: origins.iter().map(origin).collect(),
        details: details(settings, slo),
        graph: graph(settings, slo),
    }
}

/// What the policy takes for chance. Slices depend on one another, and of them nothing is.
fn chance(slo: &Slo, policy: Option<&AlertPolicy>) -> Option<Chance> {
    let counts = slo.budgeting() == Budgeting::Occurrences;
    let policy = policy.filter(|_| counts)?;
    Some(Chance {
        window: policy.shortest_window()?,
        alpha: policy.low_traffic?,
    })
}

fn origin(share: &LabelShare) -> OriginFacts {
    let outstanding = share.outstanding();
    OriginFacts {
        label: share.label.clone(),
        value: outstanding.map(|value| (value.value.clone(), value.share)),
        values: u64::try_from(share.values).unwrap_or(u64::MAX),
    }
}

/// The page on which the daemon tells everything about an objective.
pub(super) fn details(settings: &Settings, slo: &Slo) -> Option<String> {
    let base = settings.external_url.as_ref()?;
    Some(format!("{base}{}", address::of_instance(slo)))
}

/// The page that shows what the objective judges.
pub(super) fn graph(settings: &Settings, slo: &Slo) -> Option<String> {
    let link = settings.sources.get(&slo.source)?.link_url.as_ref()?;
    Some(link.replace("{query}", &address::encode(&graph::query(slo))))
}

/// The severity before a change, and since when it held.
fn before(incident: &Incident, transition: &Transition) -> Option<(Severity, Timestamp)> {
    let (Change::Rose { from } | Change::Fell { from }) = transition.change else {
        return None;
    };
    let is_rank =
        |line: &&Transition| line.sequence < transition.sequence && line.change != Change::Reminded;
    let told = incident.history.iter().rfind(is_rank);
    Some((from, told.map_or(incident.opened, |line| line.at)))
}

fn tiers(
    state: &PromiseState,
    slo: &Slo,
    policy: &AlertPolicy,
    windows: &Windows,
) -> Vec<TierFacts> {
    let window = |length: Span| {
        let WindowSum { counts, .. } = windows.get(length);
        WindowFacts {
            length,
            counts,
            burn: BurnRate::of(counts, slo.objective).map(BurnRate::get),
        }
    };
    let facts = policy.tiers.iter().map(|tier| {
        let now = state.alert.tiers.get(&tier.name).copied();
        let now = now.unwrap_or_default();
        TierFacts {
            name: tier.name.clone(),
            severity: policy.severity_of(tier, slo.signal()),
            threshold: tier.threshold(slo.objective, windows.period, windows.get(tier.long).counts),
            bad: tier.bad(),
            firing: now.is_firing(),
            held_until: now.held_until(policy.hold.of(tier)),
            long: window(tier.long),
            short: window(tier.short),
        }
    });
    facts.collect()
}

fn promised(slo: &Slo, period: Span) -> SloFacts {
    SloFacts {
        uid: slo.uid.clone(),
        group: slo.group.clone(),
        service: slo.service.clone(),
        name: slo.name.clone(),
        target: slo.target.clone(),
        signal: slo.signal(),
        threshold: threshold(&slo.indicator),
        breach: match &slo.indicator {
            Indicator::Slices(sliced) => sliced.judge.breach(),
            Indicator::Errors { .. } | Indicator::Latency { .. } | Indicator::Query { .. } => None,
        },
        objective: slo.objective,
        window: period,
        calendar: slo.window.calendar().map(Calendar::period),
        slices: matches!(slo.budgeting(), Budgeting::Timeslices(_)),
        description: slo.description.clone(),
        owner: slo.owner.clone(),
        runbook: slo.runbook.clone(),
    }
}

/// The indicator's threshold as people write it.
fn threshold(indicator: &Indicator) -> Option<String> {
    match indicator {
        Indicator::Errors(events) | Indicator::Latency(events) => {
            let histogram = events.histogram()?;
            // With several thresholds no single one is to be told.
            if !histogram.overrides.is_empty() {
                return None;
            }
            let at_most = histogram.at_most;
            let millis = at_most.shifted(3);
            let short = at_most.fraction() < crate::domain::decimal::Fraction::ONE;
            Some(if short {
                format!("{millis}ms")
            } else {
                format!("{at_most}s")
            })
        }
        Indicator::Query { .. } => None,
        Indicator::Slices(sliced) => {
            let threshold = sliced.judge.threshold();
            threshold.map(|threshold| threshold.to_string())
        }
    }
}
