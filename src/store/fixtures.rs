//! Values for the tests of stores and records: one of each kind, with every field in use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::calendar::Period;
use crate::domain::evidence::Evidence;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{
    AlertState, Change, CloseReason, Incident, IncidentId, TierState, Transition,
};
use crate::domain::indicator::Signal;
use crate::domain::labels::Labels;
use crate::domain::measurement::Outcome;
use crate::domain::notice::{
    BudgetFacts, BurnFacts, Facts, Notice, OriginFacts, PassedOverFacts, RefusedFacts, SloFacts,
    TierFacts, UnmeasuredFacts, WindowFacts,
};
use crate::domain::policy::Severity;
use crate::domain::punctuality::PassedOver;
use crate::domain::quantity::Breach;
use crate::domain::refusal::Refusal;
use crate::domain::slo::{SloId, SourceName};
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, Timestamp};
use crate::domain::versions::{Version, Versions};
use crate::ledger::chunk::{Age, Chunk, ChunkKey};
use crate::series::batch::Sample;
use crate::series::births::Target;
use crate::series::cursor::{Cursor, IgnoredBirth, Increase};
use crate::series::past::{Judgement, LooseEnd, Worth};
use crate::series::slices::missing::Behind;

use super::OutboxKey;
use super::commit::{
    Commit, Episode, EpisodeKey, FamilyKey, FamilyRecord, GroupRecord, LaneKey, LaneRecord,
    MeterKey, WalkKey, WalkRecord, WalkedFamily,
};

pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(secs * 1_000)
}

pub(super) fn id(name: &str) -> IncidentId {
    IncidentId::from_text(name)
}

pub(super) fn key(incident: &str, receiver: &str, sequence: u32) -> OutboxKey {
    OutboxKey {
        incident: id(incident),
        receiver: receiver.to_owned(),
        sequence,
    }
}

pub(super) fn changes() -> [Change; 7] {
    [
        Change::Opened,
        Change::Rose {
            from: Severity::Ticket,
        },
        Change::Fell {
            from: Severity::Page,
        },
        Change::Reminded,
        Change::Closed(CloseReason::Recovered),
        Change::Closed(CloseReason::NoTraffic),
        Change::Closed(CloseReason::Removed),
    ]
}

pub(super) fn counts(bad: f64, total: f64) -> Counts {
    Counts { bad, total }
}

/// A notice about a burning budget; `number` stands where any float may be.
pub(super) fn burn(incident: &str, sequence: u32, change: Change, number: f64) -> Notice {
    let window = |burn| WindowFacts {
        length: Span::from_mins(5),
        counts: counts(3.0, number),
        burn,
    };
    Notice {
        incident: id(incident),
        sequence,
        at: at(i64::from(sequence) * 30),
        opened: at(30),
        change,
        severity: Severity::Page,
        labels: BTreeMap::from([("team".to_owned(), "päyments \"1\"".to_owned())]),
        facts: Facts::Burn(Box::new(BurnFacts {
            slo: slo_facts(),
            now: counts(954.0, 4_769.0),
            tiers: vec![TierFacts {
                held_until: Some(at(7_200)),
                bad: Some(3),
                name: "fast".to_owned(),
                severity: Severity::Ticket,
                threshold: number,
                firing: true,
                long: window(Some(number)),
                short: window(None),
            }],
            budget: Some(BudgetFacts {
                remaining: number,
                before: Some(0.71),
                cost: Some(number),
                allowed: number,
                empty_in: Some((Span::from_hours(2), Span::from_mins(5))),
            }),
            onset: at(1),
            stopped: Some(at(2)),
            paged: Some(at(3)),
            before: Some((Severity::Ticket, at(4))),
            trend: vec![Some(number), None, Some(0.1 + 0.2)],
            cost: counts(number, 17_167.0),
            coverage: 0.998,
            origins: vec![
                OriginFacts {
                    label: "route".to_owned(),
                    value: Some(("/pay".to_owned(), number)),
                    values: 7,
                },
                OriginFacts {
                    label: "pod".to_owned(),
                    value: None,
                    values: 12,
                },
            ],
            details: Some("https://slo.example.com/slos/checkout".to_owned()),
            graph: None,
        })),
    }
}

fn slo_facts() -> SloFacts {
    SloFacts {
        uid: SloId::new("checkout/availability"),
        group: [("route", "/pay"), ("zone", "")].into_iter().collect(),
        service: "checkout".to_owned(),
        name: "availability".to_owned(),
        target: Some("sla".to_owned()),
        signal: Signal::Errors,
        threshold: Some("300ms".to_owned()),
        breach: Some(Breach::Above),
        objective: "99.95%".parse().unwrap(),
        window: Span::from_days(30),
        calendar: Some(Period::Month),
        slices: true,
        description: None,
        owner: Some("payments".to_owned()),
        runbook: None,
    }
}

pub(super) fn unmeasured(incident: &str, sequence: u32, change: Change) -> Notice {
    Notice {
        facts: Facts::Unmeasured(Box::new(UnmeasuredFacts {
            source: SourceName::new("default"),
            reason: "HTTP 503".to_owned(),
            last_good: Some(at(5)),
            failed_reads: 24,
            blind: vec!["checkout/availability".to_owned()],
            held: vec![
                ("checkout/availability".to_owned(), Severity::Page, None),
                ("cart/latency".to_owned(), Severity::Ticket, Some(16.7)),
            ],
        })),
        ..burn(incident, sequence, change, 1.0)
    }
}

pub(super) fn refused(incident: &str, sequence: u32, change: Change) -> Notice {
    Notice {
        facts: Facts::Refused(Box::new(RefusedFacts {
            slo: SloId::new("checkout/availability"),
            service: "checkout".to_owned(),
            name: "availability".to_owned(),
            by: vec!["cluster".to_owned(), "route".to_owned()],
            has_whole: true,
            known: 200,
            most: 200,
            refused: 1_000,
            more: true,
            some: vec![r#"{cluster="",route="/pay"}"#.to_owned()],
            details: Some("https://slo.example.com/slos/checkout".to_owned()),
        })),
        ..burn(incident, sequence, change, 1.0)
    }
}

pub(super) fn incident(name: &str, closed: Option<Timestamp>) -> Incident {
    let history = changes().into_iter().zip(1..);
    Incident {
        id: id(name),
        slo: SloId::new("checkout/availability"),
        opened: at(30),
        onset: at(10),
        severity: Severity::Ticket,
        peak: Severity::Page,
        paged: Some(at(60)),
        closed,
        history: history
            .map(|(change, sequence)| Transition {
                sequence,
                at: at(i64::from(sequence)),
                change,
                severity: Severity::Page,
            })
            .collect(),
        told: BTreeSet::from(["payments".to_owned()]),
    }
}

pub(super) fn alert(incident: Incident) -> AlertState {
    AlertState {
        tiers: BTreeMap::from([
            ("fast".to_owned(), TierState::Burning { since: at(30) }),
            (
                "slow".to_owned(),
                TierState::Holding {
                    since: at(30),
                    clear: at(60),
                },
            ),
        ]),
        incident: Some(Arc::new(incident)),
        unmeasured: BTreeMap::from([(Outcome::NoData, at(45))]),
    }
}

pub(super) fn meter(slo: &str) -> MeterKey {
    MeterKey {
        slo: SloId::new(slo),
        // Larger than what fits in a signed number.
        indicator: Fingerprint::from_bits(u64::MAX - 1),
    }
}

pub(super) fn lane(slo: &str, lane: u16) -> LaneKey {
    let meter = meter(slo);
    LaneKey { meter, lane }
}

/// A lane that was settled up to here, and measured up to a little before if it has cursors.
pub(super) fn settled(secs: i64) -> LaneRecord {
    LaneRecord {
        settled_to: at(secs),
        covered_to: (secs % 2 == 0).then_some(at(secs - 7)),
        reach: (secs % 2 == 1).then_some(at(-secs)),
    }
}

pub(super) fn versions(list: &[(i64, &str)]) -> Versions {
    let version = |(hour, objective): &(i64, &str)| Version {
        from: at(hour * 3_600),
        objective: objective.parse().unwrap(),
    };
    Versions::new(list.iter().map(version).collect())
}

/// The recent chunk that starts `start` seconds after the epoch, with `slots` slots.
pub(super) fn chunk(start: i64, slots: i64) -> (ChunkKey, Arc<Chunk>) {
    let mut chunk = Chunk::new(ChunkKey::containing(Age::Recent, at(start + 1)));
    for slot in 1..=slots {
        let slot_of = Slot {
            counts: counts(1.0, 10.5),
            covered: Span::from_secs(30),
            reconstructed: slot == 2,
        };
        chunk.add(at(start + slot * 30), &slot_of);
    }
    (chunk.key(), Arc::new(chunk))
}

/// The old chunk of the first day, with slots in its first `hours`.
pub(super) fn day(hours: i64) -> (ChunkKey, Arc<Chunk>) {
    let mut chunk = Chunk::new(ChunkKey::containing(Age::Old, at(1)));
    for hour in 1..=hours {
        let slot_of = Slot {
            counts: counts(2.0, 7e12),
            covered: Span::from_hours(1),
            reconstructed: false,
        };
        chunk.add(at(hour * 3_600), &slot_of);
    }
    (chunk.key(), Arc::new(chunk))
}

pub(super) fn labels(code: &str) -> Labels {
    [("__name__", "http_requests_total"), ("code", code)]
        .into_iter()
        .collect()
}

pub(super) fn cursor(secs: i64, value: f64) -> Cursor {
    Cursor {
        at: at(secs),
        value,
        interval: Span::from_secs(15),
        birth: (secs % 2 == 1).then_some((at(secs), value)),
    }
}

pub(super) fn family_key() -> FamilyKey {
    FamilyKey {
        source: SourceName::new("default"),
        metric: "http_requests_total".to_owned(),
    }
}

pub(super) fn family(secs: i64, cursors: &[(&str, Cursor)]) -> FamilyRecord {
    FamilyRecord {
        selection: format!("http_requests_total{{at=\"{secs}\"}}"),
        settled_to: at(secs),
        cursors: cursors
            .iter()
            .map(|(code, cursor)| (labels(code), *cursor))
            .collect(),
        summed_every: (secs % 2 == 0).then(|| Span::from_secs(secs)),
        falls: BTreeMap::from([(Target::new("api", "a:80"), at(secs))]),
        dropped: BTreeSet::new(),
    }
}

pub(super) fn episode_key(outcome: Outcome, opened: i64) -> EpisodeKey {
    EpisodeKey::Unmeasured {
        source: SourceName::new("default"),
        outcome,
        opened: at(opened),
    }
}

pub(super) fn episode(name: &str) -> Episode {
    Episode {
        incident: id(name),
        since: at(1),
        opened: at(2),
        told: BTreeSet::from(["payments".to_owned()]),
        notice: Arc::new(unmeasured(name, 1, Change::Opened)),
    }
}

/// The episode of an objective with too many groups.
pub(super) fn refused_episode(name: &str) -> Episode {
    Episode {
        notice: Arc::new(refused(name, 1, Change::Opened)),
        ..episode(name)
    }
}

/// The episode of a daemon that passes over ticks.
fn late_episode(name: &str) -> Episode {
    let facts = PassedOverFacts {
        ticks: PassedOver { slow: 9, asleep: 3 },
        due: 61,
        tick: Span::from_secs(30),
        took: Some(Span::from_secs(42)),
        details: None,
    };
    let notice = Notice {
        facts: Facts::PassedOver(Box::new(facts)),
        ..refused(name, 1, Change::Opened)
    };
    Episode {
        notice: Arc::new(notice),
        ..episode(name)
    }
}

/// A walk with loose ends of every verdict.
pub(super) fn walk() -> WalkRecord {
    let first = Sample {
        at: at(60),
        value: 7.0,
    };
    let increase = Increase {
        from: at(45),
        to: at(60),
        events: 7.0,
        gap: false,
        reset: true,
        evidence: Some(Evidence::Process),
    };
    let birth = IgnoredBirth {
        at: at(60),
        value: 7.0,
        evidence: Evidence::OlderProcess,
    };
    let worths = [
        None,
        Some(Worth::WasThere),
        Some(Worth::Counted(increase)),
        Some(Worth::Ignored(birth)),
    ];
    let loose = (200..).zip(worths).map(|(code, born): (u16, _)| {
        let judgement = born.map(|born| Judgement {
            born,
            fallen: Some(cursor(45, 0.0)),
            returned: None,
        });
        let end = LooseEnd { first, judgement };
        (labels(&code.to_string()), end)
    });
    WalkRecord {
        lanes: vec![lane("checkout/availability", 0)],
        families: vec![WalkedFamily {
            key: family_key(),
            interval: Span::from_secs(15),
            loose: loose.collect(),
            older: BTreeMap::from([(labels("500"), cursor(3, 0.1))]),
        }],
        seam: at(3_600),
        goal: at(0),
        reached: at(1_800),
        behind: BTreeMap::from([
            (lane("checkout/availability", 0), Behind::Seen),
            (lane("checkout/orders", 0), Behind::Unseen(Some(at(1_860)))),
            (lane("checkout/orders", 1), Behind::Unseen(None)),
        ]),
    }
}

/// The groups of an objective, by their codes.
pub(super) fn groups(codes: &[&str]) -> GroupRecord {
    let group = |code: &&str| [("code", *code)].into_iter().collect();
    GroupRecord {
        by: vec!["code".into()],
        groups: codes.iter().map(group).collect(),
        refusal: Some(Refusal::Told { since: at(30) }),
    }
}

/// A commit with something of everything.
pub(super) fn everything() -> Commit {
    let slo = SloId::new("checkout/availability");
    let open = incident("open", None);
    let outbox = [("a", 1), ("a", 2), ("b", 1)];
    Commit {
        chunks: [chunk(0, 120), chunk(3_600, 3), day(20)]
            .into_iter()
            .map(|(key, chunk)| ((lane("checkout/availability", 1), key), chunk))
            .collect(),
        lanes: BTreeMap::from([
            (lane("checkout/availability", 0), settled(3_690)),
            (lane("checkout/availability", 1), settled(3_691)),
        ]),
        claims: BTreeMap::new(),
        seen: BTreeSet::from([meter("checkout/availability")]),
        versions: BTreeMap::from([(slo.clone(), versions(&[(1, "99.95%"), (7, "99%")]))]),
        families: BTreeMap::from([(
            family_key(),
            family(
                3_690,
                &[("200", cursor(3_690, 1e300)), ("500", cursor(3_681, 0.1))],
            ),
        )]),
        walks: BTreeMap::from([(WalkKey("first".into()), walk())]),
        groups: BTreeMap::from([(slo.clone(), groups(&["200", "500"]))]),
        dropped: BTreeSet::new(),
        alerts: BTreeMap::from([(slo.clone(), alert(open.clone()))]),
        incidents: BTreeMap::from([
            (id("open"), open),
            (id("closed"), incident("closed", Some(at(99)))),
        ]),
        episodes: BTreeMap::from([
            (episode_key(Outcome::Failed, 2), Some(episode("blind"))),
            (EpisodeKey::Refused(slo), Some(refused_episode("crowded"))),
            (EpisodeKey::PassedOver, Some(late_episode("late"))),
        ]),
        grown: BTreeMap::new(),
        forgotten: None,
        deliveries: BTreeMap::new(),
        outbox: outbox
            .into_iter()
            .map(|(receiver, sequence)| {
                let change = changes()[sequence as usize - 1];
                let notice = burn("open", sequence, change, 14.4);
                (key("open", receiver, sequence), Arc::new(notice))
            })
            .collect(),
    }
}
