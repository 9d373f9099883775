//! What is asked for an explanation, and what becomes of one that cannot be given.

use std::sync::Arc;

use crate::domain::decimal::Fraction;
use crate::domain::guard::Guard;
use crate::domain::measurement::{Measurement, Outcome};
use crate::domain::policy::{Severity, Tier, TierLimit};
use crate::domain::slo::{Slo, SourceName};
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, TimeRange};
use crate::engine::explain::ExplainError;
use crate::engine::explain::ask::Explainer;
use crate::status::explanation::{
    Asked, AskedWindow, ExplainedTier, ExplainedVersion, Explanation, Subject,
};
use crate::status::fixture;
use crate::status::snapshot::SloStatus;
use crate::status::view::explain::ExplanationView;

use super::super::AppState;
use super::api::read;
use super::{ask, fresh};

fn explanation(slo: Arc<Slo>, asked: Asked) -> Explanation {
    let at = asked.at.unwrap_or(fixture::NOW);
    let length = match asked.window {
        AskedWindow::Length(length) => Some(length),
        AskedWindow::Usual => Some(Span::from_hours(1)),
        AskedWindow::Budget => None,
    };
    let range = TimeRange {
        from: at - length.unwrap_or(Span::from_days(30)),
        to: at,
    };
    let counts = Counts {
        bad: 954.0,
        total: 57_223.0,
    };
    let sum = fixture::sum(range.from, counts);
    let tier = Tier {
        name: "fast".to_owned(),
        severity: Severity::Page,
        long: Span::from_hours(1),
        short: Span::from_mins(5),
        limit: TierLimit::BudgetSpent(Fraction::new(2, 100)),
    };
    Explanation {
        slo,
        at,
        asked: length,
        period: Span::from_days(30),
        range,
        slot: Span::from_secs(30),
        sum,
        measurement: Measurement {
            outcome: Outcome::Measured,
            at,
            last_good: Some(at),
            reason: None,
            impossible: false,
        },
        unwatched: false,
        tiers: vec![ExplainedTier {
            severity: tier.severity,
            long: sum,
            short: sum,
            guard: Some(Guard::of(954.0, 57_223.0, 0.001, 0.001)),
            held_back: None,
            tier,
        }],
        versions: if length.is_some() {
            Vec::new()
        } else {
            changed(range)
        },
        longer_tiers: vec![("slow".to_owned(), Span::from_hours(6))],
        parts: Vec::new(),
        outside: Counts::default(),
        slots: vec![(
            at,
            Slot {
                counts,
                covered: Span::from_secs(30),
                reconstructed: false,
            },
        )],
        judged: None,
        reads: Vec::new(),
    }
}

/// An objective that was raised in the last third of a window.
fn changed(range: TimeRange) -> Vec<ExplainedVersion> {
    let raised = range.to - Span::from_days(10);
    let version = |from, to, objective: &str, (bad, total)| ExplainedVersion {
        range: TimeRange { from, to },
        objective: objective.parse().unwrap(),
        counts: Counts { bad, total },
    };
    vec![
        version(range.from, raised, "99%", (900.0, 40_000.0)),
        version(raised, range.to, "99.9%", (54.0, 17_223.0)),
    ]
}

/// A daemon whose explanations are as above, or fail.
pub(super) fn explaining(failure: fn() -> Option<ExplainError>) -> AppState {
    let state = fresh();
    let board = Arc::clone(&state.board);
    let explainer = Explainer::new(move |subject: Subject, asked| {
        let snapshot = board.read().snapshot;
        let is_it = |status: &&Arc<SloStatus>| {
            status.slo.uid == subject.uid && status.group == subject.group
        };
        let status = snapshot.slos.iter().find(is_it);
        let slo = Arc::clone(&status.unwrap().slo);
        Box::pin(async move {
            match failure() {
                Some(failure) => Err(failure),
                None => Ok(explanation(slo, asked)),
            }
        })
    });
    AppState {
        explainer: Some(explainer),
        ..state
    }
}

const PLACE: &str = "/api/v1/slos/checkout/latency/explain";

#[tokio::test(start_paused = true)]
async fn an_explanation_says_what_was_asked_for_and_loses_nothing_on_the_way() {
    let state = explaining(|| None);
    for (query, asked, from) in [
        ("", Some("1h"), "2026-01-15T11:00:20Z"),
        ("?window=20m", Some("20m"), "2026-01-15T11:40:20Z"),
        (
            "?window=budget&at=2026-01-10T00:00:00Z",
            None,
            "2025-12-11T00:00:00Z",
        ),
        ("?at=1768003200000", Some("1h"), "2026-01-09T23:00:00Z"),
    ] {
        let answer = ask(&state, "GET", &format!("{PLACE}{query}"), &[]).await;
        let view: ExplanationView = read(&answer);
        let length = view.asked.map(|length| length.0.to_string());
        assert_eq!(length.as_deref(), asked, "{query}");
        assert_eq!(view.from.0.to_string(), from, "{query}");
    }
    let view: ExplanationView = read(&ask(&state, "GET", PLACE, &[]).await);
    let tier = &view.tiers[0];
    assert!(
        !tier.burns && !tier.long.exceeds && tier.guard_passed,
        "{tier:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn each_version_of_an_objective_allows_its_part() {
    let state = explaining(|| None);
    let answer = ask(&state, "GET", &format!("{PLACE}?window=budget"), &[]).await;
    let view: ExplanationView = read(&answer);
    let step = |name: &str| {
        let step = view.steps.iter().find(|step| step.name == name).unwrap();
        let numbers: Vec<String> = step
            .numbers
            .iter()
            .map(|(n, it)| format!("{n} {}", it.unwrap().0))
            .collect();
        let result = step.result.map(|it| it.0);
        format!(
            "{name} = {} with {} = {result:?}",
            step.formula,
            numbers.join(", ")
        )
    };
    let steps = ["allowed", "spent", "remaining"].map(step);
    insta::assert_snapshot!(steps.join("\n"), @r"
    allowed = total1 × allowance1 + total2 × allowance2 with allowance1 0.01, allowance2 0.001, total1 40000, total2 17223 = Some(417.223)
    spent = bad / allowed with allowed 417.223, bad 954 = Some(2.286547002442339)
    remaining = 1 − spent with spent 2.286547002442339 = Some(-1.2865470024423389)
    ");
}

/// An objective whose only instance is a group: without an id the whole is meant, which has none here.
#[tokio::test(start_paused = true)]
async fn an_instance_is_named_by_its_id() {
    let state = explaining(|| None);
    let id = "mail/availability{note=\"a\\nb\",route=\"/pay\"}";
    let uri = format!(
        "/api/v1/slos/mail/availability/explain?id={}",
        id.replace('{', "%7B")
            .replace('}', "%7D")
            .replace('"', "%22")
            .replace('\\', "%5C")
    );
    let view: ExplanationView = read(&ask(&state, "GET", &uri, &[]).await);
    assert_eq!(view.id, id);
    assert_eq!(view.group["route"], "/pay");
    let refusal = async |id: &str| {
        let uri = format!("{PLACE}?id={id}");
        ask(&state, "GET", &uri, &[]).await.refusal()
    };
    let other = refusal("other").await;
    let gone = refusal("checkout/latency%7Broute=%22/gone%22%7D").await;
    insta::assert_snapshot!([other, gone].join("\n"), @r#"
    400 `id=other` is no instance of `checkout/latency`; /api/v1/slos/checkout/latency gives them
    404 no `checkout/latency{route="/gone"}` is known: it is gone, was never found, or is beyond `maxGroups`; what is known is at /api/v1/slos/checkout/latency
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_explained_is_refused_with_the_reason() {
    let refusal = async |state: &AppState, uri: &str| {
        let answer = ask(state, "GET", uri, &[]).await;
        answer.refusal()
    };
    let state = explaining(|| None);
    let mut told = Vec::new();
    for uri in [
        "/api/v1/slos/checkout/nothing/explain",
        &format!("{PLACE}?window=1M"),
        &format!("{PLACE}?at=noon"),
        &format!("{PLACE}?length=1h"),
    ] {
        told.push(refusal(&state, uri).await);
    }
    let failures: [fn() -> Option<ExplainError>; 4] = [
        || Some(ExplainError::Unread("HTTP 503 from Prometheus".to_owned())),
        || Some(ExplainError::TooMuch { most: 500_000 }),
        || Some(ExplainError::Future { now: fixture::NOW }),
        || {
            Some(ExplainError::NothingThen {
                slo: "checkout/latency".to_owned(),
                source_name: SourceName::new("default"),
                range: TimeRange {
                    from: fixture::AT - Span::from_hours(1),
                    to: fixture::AT,
                },
            })
        },
    ];
    for failure in failures {
        told.push(refusal(&explaining(failure), PLACE).await);
    }
    told.push(refusal(&fresh(), PLACE).await);
    insta::assert_snapshot!(told.join("\n"), @"
    404 no objective `checkout/nothing`; see /api/v1/slos
    400 `window=1M` is not a length of time; write it as 1h, or `budget` for the objective's own
    400 `at=noon` is not a time; write it as 2026-01-15T12:00:00Z, or in milliseconds since 1970
    400 unknown parameter `length`; allowed are `at`, `window`, `id`
    503 the samples cannot be read: HTTP 503 from Prometheus
    400 the window holds more than 500000 samples, which is the most that is explained here; ask for a shorter one
    400 `at` lies in the future (now is 2026-01-15T12:00:20Z)
    404 source `default` has no samples of what `checkout/latency` selects from 2026-01-15T11:00:00Z to 2026-01-15T12:00:00Z: it does not keep them that long, or the selectors match nothing (`sloburn check --live` shows what they match now)
    404 nothing is explained here, since no samples can be read again
    ");
}
