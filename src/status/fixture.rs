//! A snapshot with one objective in each state, for tests of everything that shows one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::budget::ErrorBudget;
use crate::domain::contributors::{LabelShare, ValueShare};
use crate::domain::decimal::{Decimal, Fraction};
use crate::domain::group::Group;
use crate::domain::guard::Guard;
use crate::domain::incident::{Change, CloseReason, Incident, IncidentId, Transition};
use crate::domain::indicator::{Events, Histogram, HistogramKind, Indicator, Split};
use crate::domain::measurement::{Measurement, Outcome};
use crate::domain::notice::{Facts, Notice, RefusedFacts, UnmeasuredFacts};
use crate::domain::objective::BurnRate;
use crate::domain::policy::Severity;
use crate::domain::selector::{Matcher, Selector};
use crate::domain::slices::TimeUnit;
use crate::domain::slices::{Bound, Judge, MissingData, Quantity, Sliced, Unit};
use crate::domain::slo::{Slo, SloId, SourceName, Window};
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, Timestamp};
use crate::domain::versions::Versions;
use crate::ledger::Ledger;
use crate::ledger::WindowSum;

use super::board::{
    Board, DefinitionsStatus, DeliveryStatus, ReceiverStatus, Refusal, StoreOpened,
};
use super::snapshot::{
    BurnStatus, ClockSkew, EngineStatus, IgnoredBirth, OpenEpisode, SeriesCount, SloStatus,
    Snapshot, SourceStatus, TierStatus, WindowStatus,
};

/// The tick that the snapshot shows: 2026-01-15T12:00:00Z.
pub(crate) const AT: Timestamp = Timestamp::from_millis(1_768_478_400_000);

/// A moment at which the snapshot is fresh: 20 s after its tick.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_768_478_420_000);

const WINDOW: Span = Span::from_days(30);

fn ago(minutes: i64) -> Timestamp {
    AT - Span::from_mins(minutes)
}

fn errors() -> Indicator {
    let total = Selector::new("http_requests_total", vec![]);
    let bad = total.refined([Matcher::equal("code", "500")]);
    Indicator::Errors(Events::OfTotal {
        total: vec![total],
        split: Split::Bad(vec![bad]),
    })
}

fn traffic() -> Indicator {
    Indicator::Slices(Sliced {
        judge: Judge::Rate {
            total: Selector::new("http_requests_total", vec![]),
            bound: Bound::AtLeast(Quantity {
                value: Fraction::new(5, 1),
                unit: Unit::PerSecond,
            }),
        },
        slice: Span::from_mins(1),
        missing: MissingData::Hold,
    })
}

fn latency() -> Indicator {
    Indicator::Latency(Events::Histogram(Histogram {
        kind: HistogramKind::Classic,
        series: Selector::new("http_request_duration_seconds_bucket", vec![]),
        unit: TimeUnit::Seconds,
        at_most: Decimal::new(3, 1),
        overrides: Vec::new(),
    }))
}

fn query() -> Indicator {
    Indicator::Query {
        total: "sum(increase(jobs_total[$window]))".into(),
        split: Split::Bad("sum(increase(jobs_failed_total[$window]))".into()),
        window: Span::from_mins(5),
    }
}

/// What tells the objectives of the snapshot apart.
struct Case {
    id: &'static str,
    team: &'static str,
    indicator: Indicator,
    objective: &'static str,
    window: (f64, f64),
    short: (f64, f64),
    outcome: Outcome,
    reason: Option<&'static str>,
    alert: Option<Severity>,
}

impl Case {
    fn new(id: &'static str, indicator: Indicator, window: (f64, f64), short: (f64, f64)) -> Self {
        Self {
            id,
            team: "shop",
            indicator,
            objective: "99.9%",
            window,
            short,
            outcome: Outcome::Measured,
            reason: None,
            alert: None,
        }
    }

    fn not_measured(mut self, outcome: Outcome, reason: &'static str) -> Self {
        self.outcome = outcome;
        self.reason = Some(reason);
        self
    }
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        Case { alert: Some(Severity::Ticket), ..Case::new("cart/availability", errors(), (1_500.0, 1_000_000.0), (1.0, 240.0)) },
        Case { outcome: Outcome::NoTraffic, ..Case::new("cart/throughput", traffic(), (3.0, 43_000.0), (0.0, 0.0)) },
        Case { team: "payments", ..Case::new("checkout/availability", errors(), (1_204.0, 4_120_033.0), (0.0, 480.0)) },
        Case { team: "payments", objective: "99%", alert: Some(Severity::Page), ..Case::new("checkout/latency", latency(), (20_000.0, 4_120_033.0), (96.0, 480.0)) },
        Case::new("mail/availability{note=\"a\\nb\",route=\"/pay\"}", errors(), (0.0, 90.5), (0.0, 2.5)),
        Case { objective: "100%", ..Case::new("mail/delivery", errors(), (1.0, 4_000.0), (1.0, 20.0)) },
        Case::new("mail/queue", query(), (2.0, 5_000.0), (0.0, 7.0)).not_measured(Outcome::Partial, "the source warned: some shards did not answer"),
        Case::new("search/availability", errors(), (0.0, 0.0), (0.0, 0.0)).not_measured(Outcome::NoData, "no series matches http_requests_total{code=\"500\"}"),
        Case::new("search/latency", latency(), (10.0, 100_000.0), (0.0, 0.0)).not_measured(Outcome::Failed, "cannot read `thanos-eu`: HTTP 503"),
    ]
}

fn births(error: Option<&str>) -> Vec<IgnoredBirth> {
    let birth = IgnoredBirth {
        series: [("__name__", "jobs_total"), ("pod", "b-1")]
            .into_iter()
            .collect(),
        at: ago(7),
        value: 4_711.0,
    };
    if error.is_none() {
        vec![birth]
    } else {
        Vec::new()
    }
}

fn value(value: &str, bad: f64, share: f64) -> ValueShare {
    let value = value.to_owned();
    ValueShare { value, bad, share }
}

/// Of 96 bad requests most came from one route, and all pods had some.
fn contributors(alert: Option<Severity>) -> Vec<(Span, Vec<LabelShare>)> {
    let routes = LabelShare {
        label: "route".to_owned(),
        values: 7,
        top: vec![value("/pay", 72.0, 0.75), value("/list", 24.0, 0.25)],
    };
    let pods = LabelShare {
        label: "pod".to_owned(),
        values: 3,
        top: vec![value("a", 48.0, 0.5), value("b", 48.0, 0.5)],
    };
    match alert {
        Some(_) => vec![(Span::from_mins(5), vec![routes, pods])],
        None => Vec::new(),
    }
}

fn status(case: Case) -> SloStatus {
    let uid = case.id.split('{').next().unwrap();
    let (service, name) = uid.split_once('/').unwrap();
    let objective = case.objective.parse().unwrap();
    let counts = |(bad, total)| Counts { bad, total };
    let burn = |length, counts: Counts| BurnStatus {
        length,
        counts,
        rate: BurnRate::of(counts, objective).map(BurnRate::get),
        coverage: 1.0,
    };
    let short = counts(case.short);
    let grouped = [("note", "a\nb"), ("route", "/pay")];
    let group: Group = grouped.into_iter().filter(|_| uid != case.id).collect();
    let allowance = objective.allowance().to_f64();
    SloStatus {
        slo: Arc::new(Slo {
            uid: SloId::new(uid),
            id: SloId::new(case.id),
            counted_as: SloId::new(case.id),
            group: group.clone(),
            grouping: None,
            service: service.into(),
            name: name.into(),
            target: None,
            labels: BTreeMap::from([
                ("criticality".into(), "1".into()),
                ("signal".into(), case.indicator.signal().name().into()),
                ("team".into(), case.team.into()),
            ]),
            description: None,
            owner: (case.team == "payments").then(|| "payments@example.com".into()),
            runbook: Some(format!("https://runbooks.example.com/{service}")),
            source: SourceName::new("default"),
            objective,
            window: Window::Rolling(WINDOW),
            indicator: case.indicator,
            policy: Some("default".into()),
        }),
        id: case.id.into(),
        group,
        groups: None,
        alert: case.alert,
        measurement: Measurement {
            outcome: case.outcome,
            at: AT,
            last_good: Some(if case.outcome.is_good() { AT } else { ago(14) }),
            reason: case.reason.map(str::to_owned),
            impossible: false,
        },
        series: SeriesCount { total: 12, bad: 4 },
        bad_series_ever_seen: true,
        contributors: contributors(case.alert),
        reconstructed_share: 0.0,
        window: WindowStatus {
            range: Window::Rolling(WINDOW).range(AT),
            counts: counts(case.window),
            coverage: 0.998,
        },
        versions: Versions::default(),
        budget: ErrorBudget::of(counts(case.window), objective),
        emptied_at: (uid == "cart/availability").then(|| ago(600)),
        time_to_empty: (uid == "checkout/latency").then(|| Span::from_mins(1_040)),
        burn: vec![
            burn(Span::from_mins(5), short),
            burn(Span::from_hours(1), short.times(12.0)),
            burn(Span::from_hours(6), short.times(72.0)),
        ],
        tiers: vec![TierStatus {
            bad: None,
            name: "fast".into(),
            severity: Severity::Page,
            long: Span::from_hours(1),
            short: Span::from_mins(5),
            threshold: 14.4,
            firing: case.alert == Some(Severity::Page),
            guard: Some(Guard::of(
                short.bad * 12.0,
                short.total * 12.0,
                allowance,
                1e-3,
            )),
        }],
        details: None,
        graph: None,
        ledger: ledger(counts(case.window), counts(case.short)),
        incident: case
            .alert
            .map(|severity| Arc::new(incident(uid, severity, None))),
    }
}

/// Slots of five minutes that hold `short` each in the last six hours, and hours with the rest of the
/// window's counts before: its events evenly, what was bad of them ten days and two days ago.
fn ledger(window: Counts, short: Counts) -> Ledger {
    const SLOT: Span = Span::from_mins(5);
    const HOUR: Span = Span::from_hours(1);
    let mut ledger = Ledger::new(SLOT, 1);
    let rest = window.plus(short.times(-72.0));
    if window.total == 0.0 || rest.bad < 0.0 || rest.total < 0.0 {
        return ledger;
    }
    let mut add = |age, counts, covered| {
        let slot = Slot {
            counts,
            covered,
            reconstructed: false,
        };
        ledger.add_settled(0, ago(age), &slot);
    };
    let (early, hours) = ((rest.bad * 0.6).floor(), 6..720);
    let total = rest.total / 714.0;
    for age in hours {
        let bad = match age {
            240 => early,
            48 => rest.bad - early,
            _ => 0.0,
        };
        add(60 * age, Counts { bad, total }, HOUR);
    }
    for age in 0..72 {
        add(5 * age, short, SLOT);
    }
    ledger
}

fn incident(uid: &str, severity: Severity, closed: Option<CloseReason>) -> Incident {
    let slo = SloId::new(uid);
    let opened = ago(match severity {
        Severity::Page => 30,
        Severity::Ticket if closed.is_none() => 90,
        Severity::Ticket => 300,
    });
    let mut history = vec![Transition {
        sequence: 1,
        at: opened,
        change: Change::Opened,
        severity: Severity::Ticket,
    }];
    if severity == Severity::Page {
        history.push(Transition {
            sequence: 2,
            at: ago(12),
            change: Change::Rose {
                from: Severity::Ticket,
            },
            severity,
        });
    }
    history.extend(closed.map(|reason| Transition {
        sequence: 2,
        at: ago(200),
        change: Change::Closed(reason),
        severity,
    }));
    Incident {
        id: IncidentId::derive(slo.as_str(), opened),
        slo,
        opened,
        onset: opened - Span::from_mins(2),
        severity,
        peak: severity,
        paged: (severity == Severity::Page).then(|| ago(12)),
        closed: closed.map(|_| ago(200)),
        history,
        told: BTreeSet::new(),
    }
}

/// What a window holds that was measured whole.
pub(crate) fn sum(from: Timestamp, counts: Counts) -> WindowSum {
    WindowSum {
        from,
        counts,
        covered: 1.0,
        ..WindowSum::default()
    }
}

/// The snapshot: nine objectives, two open incidents and a closed one, two sources.
pub(crate) fn snapshot() -> Snapshot {
    let slos: Vec<_> = cases()
        .into_iter()
        .map(|case| Arc::new(status(case)))
        .collect();
    let open = slos.iter().filter_map(|slo| slo.incident.clone());
    let closed = incident(
        "gone/availability",
        Severity::Ticket,
        Some(CloseReason::Removed),
    );
    let incidents = open.chain([Arc::new(closed)]).collect();
    let source = |name: &str, error: Option<&str>| SourceStatus {
        name: SourceName::new(name),
        last_good: Some(if error.is_none() { AT } else { ago(14) }),
        error: error.map(str::to_owned),
        queries: 1_440,
        failures: if error.is_none() { 0 } else { 28 },
        samples: 691_200,
        series: 240,
        summed: Vec::new(),
        twins: None,
        skew: Some(ClockSkew {
            ahead: Span::from_secs(if error.is_none() { 0 } else { 64 }),
            matters: error.is_some(),
        }),
        lag: Span::from_secs(if error.is_none() { 0 } else { 45 }),
        backfill: None,
        births_ignored: if error.is_none() { 5 } else { 0 },
        births: births(error),
    };
    Snapshot {
        at: Some(AT),
        tick: Span::from_secs(30),
        offset: Span::from_secs(15),
        slos,
        incidents,
        episodes: vec![too_many_groups(), unread()],
        sources: vec![
            source("default", None),
            source("thanos-eu", Some("cannot read `thanos-eu`: HTTP 503")),
        ],
        engine: EngineStatus {
            ticks: 720,
            skipped: 2,
            last_tick: Span::from_millis(42),
            store_error: Some("cannot commit to `sloburn.db`: the disk is full".into()),
            births_ignored: 5,
            clock_steps: 1,
        },
    }
}

/// An alert that is not about a budget, told a while after it began.
fn episode(began: i64, facts: Facts) -> OpenEpisode {
    let opened = ago(began);
    let notice = Notice {
        incident: IncidentId::derive("episode", opened),
        sequence: 1,
        at: ago(began - 10),
        opened,
        change: Change::Opened,
        severity: Severity::Ticket,
        labels: BTreeMap::new(),
        facts,
    };
    OpenEpisode {
        notice: Arc::new(notice),
        told: BTreeSet::from(["payments".to_owned()]),
    }
}

fn too_many_groups() -> OpenEpisode {
    let facts = RefusedFacts {
        slo: SloId::new("mail/availability"),
        service: "mail".into(),
        name: "availability".into(),
        by: vec!["note".into(), "route".into()],
        has_whole: false,
        known: 1,
        most: 1,
        refused: 1_000,
        more: true,
        some: Vec::new(),
        details: None,
    };
    episode(20, Facts::Refused(Box::new(facts)))
}

fn unread() -> OpenEpisode {
    let facts = UnmeasuredFacts {
        source: SourceName::new("thanos-eu"),
        reason: "HTTP 503".into(),
        last_good: None,
        failed_reads: 24,
        blind: vec!["search/latency".into()],
        held: Vec::new(),
    };
    episode(30, Facts::Unmeasured(Box::new(facts)))
}

/// A board with everything posted.
pub(crate) fn board() -> Board {
    let board = Board::new(ago(600));
    board.publish(snapshot());
    board.publish_delivery(DeliveryStatus {
        receivers: vec![ReceiverStatus {
            receiver: "payments".into(),
            waiting: 2,
            oldest: ago(12),
            error: Some("Slack refused it: channel_not_found".into()),
            permanent: true,
        }],
        error: None,
    });
    board.publish_definitions(definitions());
    board.publish_store(StoreOpened {
        notice: Some("`sloburn.db` was corrupt and is now `sloburn.db.corrupt`".into()),
    });
    board
}

/// Changed definitions were refused.
fn definitions() -> DefinitionsStatus {
    let text = "objectives:\n  - objective: 0%\n";
    let start = text.len() - 3;
    let place = Place::of(&Arc::from(Path::new("shop.yaml")), text, start..start + 2);
    let fault = Diagnostic::error("SB0201", "an objective of 0% promises nothing").at(&place);
    let warning = Diagnostic::warning("SB0003", "the folder `old` has no definitions");
    DefinitionsStatus {
        revision: "0123456789abcdef".into(),
        since: ago(300),
        objectives: 6,
        warnings: [warning].into_iter().collect(),
        reloads: 2,
        failures: 1,
        last_success: ago(300),
        refused: Some(Refusal {
            revision: "fedcba9876543210".into(),
            at: ago(5),
            reason: "the changed definitions have 1 error".into(),
            faults: [fault].into_iter().collect(),
        }),
    }
}

/// The parameters of a query text without escapes.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    query
        .split('&')
        .filter(|it| !it.is_empty())
        .map(pair)
        .collect()
}
