//! Notices for tests: the night of the design's example.

use std::collections::BTreeMap;

use crate::domain::group::Group;
use crate::domain::incident::{Change, CloseReason, IncidentId};
use crate::domain::indicator::Signal;
use crate::domain::notice::{
    BudgetFacts, BurnFacts, Facts, Notice, OriginFacts, PassedOverFacts, RefusedFacts, SloFacts,
    TierFacts, UnmeasuredFacts, WindowFacts,
};
use crate::domain::policy::Severity;
use crate::domain::punctuality::PassedOver;
use crate::domain::slo::{SloId, SourceName};
use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};
use crate::store::{OutboxKey, OutboxRow};

pub(super) fn at(text: &str) -> Timestamp {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

pub(super) fn window(length: Span, bad: f64, total: f64) -> WindowFacts {
    WindowFacts {
        length,
        counts: Counts { bad, total },
        burn: (total > 0.0).then(|| bad / total / 0.001),
    }
}

fn tiers() -> Vec<TierFacts> {
    let (minutes, hours) = (Span::from_mins, Span::from_hours);
    let tier = |name: &str, severity, threshold, firing, long, short| TierFacts {
        name: name.into(),
        severity,
        threshold,
        firing,
        held_until: None,
        bad: None,
        long,
        short,
    };
    vec![
        tier(
            "fast",
            Severity::Page,
            14.4,
            true,
            window(hours(1), 954.0, 57_223.0),
            window(minutes(5), 954.0, 4_769.0),
        ),
        tier(
            "day",
            Severity::Ticket,
            3.0,
            false,
            window(hours(24), 1_000.0, 1_373_352.0),
            window(hours(2), 954.0, 114_446.0),
        ),
    ]
}

fn origin(label: &str, value: Option<(&str, f64)>) -> OriginFacts {
    OriginFacts {
        label: label.to_owned(),
        value: value.map(|(value, share)| (value.to_owned(), share)),
        values: 12,
    }
}

pub(super) fn facts() -> BurnFacts {
    BurnFacts {
        slo: SloFacts {
            uid: SloId::new("checkout/availability"),
            group: Group::default(),
            service: "checkout".into(),
            name: "availability".into(),
            target: None,
            signal: Signal::Errors,
            threshold: None,
            breach: None,
            objective: "99.9%".parse().unwrap(),
            window: Span::from_days(30),
            calendar: None,
            slices: false,
            description: Some("Card payments succeed".into()),
            owner: Some("payments".into()),
            runbook: Some("https://runbooks.example.com/checkout".into()),
        },
        now: Counts {
            bad: 954.0,
            total: 4_769.0,
        },
        tiers: tiers(),
        budget: Some(BudgetFacts {
            remaining: 0.687,
            before: Some(0.71),
            cost: Some(954.0 / 41_200.0),
            allowed: 41_200.0,
            empty_in: Some((Span::from_mins(148), Span::from_mins(5))),
        }),
        onset: at("2026-11-23T01:31:00Z"),
        stopped: None,
        paged: Some(at("2026-11-23T01:36:00Z")),
        before: None,
        trend: vec![Some(0.0), Some(0.05), Some(0.15), Some(0.2)],
        cost: Counts {
            bad: 954.0,
            total: 4_769.0,
        },
        coverage: 1.0,
        origins: vec![
            origin("code", Some(("503", 0.94))),
            origin("route", Some(("/pay", 0.81))),
            origin("pod", None),
        ],
        details: Some("https://slo.example.com/slos/checkout/availability".into()),
        graph: None,
    }
}

/// A page that opened at 02:36 in Berlin.
pub(super) fn opened() -> Notice {
    Notice {
        incident: IncidentId::from_text("7f3a09c2d1e44b10"),
        sequence: 1,
        at: at("2026-11-23T01:36:00Z"),
        opened: at("2026-11-23T01:36:00Z"),
        change: Change::Opened,
        severity: Severity::Page,
        labels: [
            ("service", "checkout"),
            ("slo", "checkout/availability"),
            ("signal", "errors"),
            ("team", "payments"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        facts: Facts::Burn(Box::new(facts())),
    }
}

/// The notice after `opened` that `change` makes, with facts to match.
pub(super) fn next(change: Change) -> Notice {
    let (mut notice, mut facts) = (opened(), facts());
    notice.sequence = 2;
    notice.change = change;
    notice.at = at("2026-11-23T02:33:00Z");
    match change {
        Change::Rose { from } => {
            notice.opened = at("2026-11-22T20:10:00Z");
            notice.at = at("2026-11-23T01:36:00Z");
            facts.before = Some((from, notice.opened));
            facts.tiers[1].firing = true;
            facts.tiers[1].long = window(Span::from_hours(24), 4_669.0, 1_373_352.0);
        }
        Change::Fell { from } => {
            notice.severity = Severity::Ticket;
            facts.before = Some((from, notice.opened));
            facts.tiers[0].firing = false;
            facts.tiers[1].firing = true;
            facts.tiers[1].long = window(Span::from_hours(24), 4_669.0, 1_373_352.0);
            facts.now = Counts {
                bad: 5.0,
                total: 4_770.0,
            };
        }
        Change::Opened | Change::Reminded => {}
        Change::Closed(_) => {
            facts.stopped = Some(at("2026-11-23T01:49:00Z"));
            facts.cost = Counts {
                bad: 3_433.0,
                total: 17_167.0,
            };
            for tier in &mut facts.tiers {
                tier.firing = false;
            }
            facts.tiers[0].short = window(Span::from_mins(5), 2.0, 6_667.0);
            let budget = facts.budget.as_mut().unwrap();
            budget.remaining = 0.627;
            budget.cost = Some(facts.cost.bad / budget.allowed);
        }
    }
    notice.facts = Facts::Burn(Box::new(facts));
    notice
}

/// A reminder of what burns no more, and is held.
pub(super) fn held() -> Notice {
    let mut notice = next(Change::Reminded);
    if let Facts::Burn(facts) = &mut notice.facts {
        facts.now = Counts {
            bad: 0.0,
            total: 4_770.0,
        };
        facts.tiers[0].held_until = Some(at("2026-11-23T02:38:00Z"));
        facts.tiers[0].short = window(Span::from_mins(5), 0.0, 4_770.0);
    }
    notice
}

/// The close of an objective that is no longer defined.
pub(super) fn removed() -> Notice {
    let mut notice = next(Change::Closed(CloseReason::Removed));
    notice.labels = [("slo".to_owned(), "checkout/availability".to_owned())].into();
    notice.facts = Facts::Removed {
        slo: SloId::new("checkout/availability"),
    };
    notice
}

pub(super) fn closed() -> Notice {
    next(Change::Closed(CloseReason::Recovered))
}

pub(super) fn unmeasured(change: Change) -> Notice {
    let facts = UnmeasuredFacts {
        source: SourceName::new("thanos-eu"),
        reason: "HTTP 503".into(),
        last_good: Some(at("2026-11-23T02:01:45Z")),
        failed_reads: 24,
        blind: (1..=7).map(|n| format!("checkout/slo-{n}")).collect(),
        held: vec![("checkout/availability".into(), Severity::Page, Some(16.67))],
    };
    Notice {
        incident: IncidentId::from_text("00c0ffee00c0ffee"),
        sequence: if change == Change::Opened { 1 } else { 2 },
        at: at("2026-11-23T02:12:00Z"),
        opened: at("2026-11-23T02:02:00Z"),
        change,
        severity: Severity::Ticket,
        labels: [("source", "thanos-eu"), ("outcome", "failed")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        facts: Facts::Unmeasured(Box::new(facts)),
    }
}

/// An objective with far more groups than it may have.
pub(super) fn refused(change: Change) -> Notice {
    let named = ["/a", "/b", "/c", "/d", "/e"];
    let facts = RefusedFacts {
        slo: SloId::new("checkout/availability"),
        service: "checkout".into(),
        name: "availability".into(),
        by: vec!["route".into()],
        has_whole: true,
        known: 200,
        most: 200,
        refused: 497,
        more: false,
        some: named.map(|route| format!("{{route={route:?}}}")).into(),
        details: Some("https://slo.example.com/slos/checkout/availability".into()),
    };
    Notice {
        incident: IncidentId::from_text("0c20bded00000200"),
        sequence: if change == Change::Opened { 1 } else { 2 },
        severity: Severity::Ticket,
        change,
        at: at("2026-11-23T02:12:00Z"),
        opened: at("2026-11-23T02:02:00Z"),
        facts: Facts::Refused(Box::new(facts)),
        ..opened()
    }
}

/// A daemon that passes over too many ticks.
pub(super) fn passed_over(change: Change) -> Notice {
    let facts = PassedOverFacts {
        ticks: PassedOver { slow: 9, asleep: 3 },
        due: 61,
        tick: Span::from_secs(30),
        took: Some(Span::from_secs(42)),
        details: Some("https://slo.example.com/sources".into()),
    };
    Notice {
        incident: IncidentId::from_text("1a7e00001a7e0000"),
        severity: Severity::Ticket,
        labels: BTreeMap::new(),
        facts: Facts::PassedOver(Box::new(facts)),
        ..refused(change)
    }
}

pub(super) fn row(notice: Notice, receiver: &str) -> OutboxRow {
    OutboxRow {
        key: OutboxKey {
            incident: notice.incident.clone(),
            receiver: receiver.into(),
            sequence: notice.sequence,
        },
        notice,
        step: 0,
        attempts: 0,
        memory: None,
        delivered: None,
    }
}
