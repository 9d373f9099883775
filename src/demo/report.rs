//! What was foreseen and what came: for programs, and in words for the terminal and the page.

use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::slo::SloId;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};
use crate::status::snapshot::{SloStatus, Snapshot};

use super::catalog::TICK;
use super::gameday::{Entry, GameDay, Seen};
use super::pace::{Pace, words};
use super::predict::Prediction;
use super::world::World;
use super::world::fault::{Kind, percent};

/// The objective over the quiet queue.
pub const QUIET: &str = "order-worker/refunds";

/// The whole report for programs.
pub fn json(gameday: &GameDay, world: &World, snapshot: &Snapshot) -> Value {
    let pace = gameday.pace();
    let entries = gameday.entries();
    let faults: Vec<Value> = entries.iter().map(|entry| fault(entry, pace)).collect();
    let counts: Vec<Value> = counts(gameday, snapshot).iter().map(Count::json).collect();
    json!({
        "seed": world.seed(),
        "speed": pace.times(),
        "at": snapshot.at.map(|at| at.to_string()),
        "tickSeconds": TICK.as_millis() / 1_000,
        "ticks": snapshot.engine.ticks,
        "faults": faults,
        "counts": counts,
        "lowTraffic": low_traffic(world, snapshot),
    })
}

/// A fault for programs.
pub fn fault(entry: &Entry, pace: Pace) -> Value {
    let fault = entry.fault;
    let objectives: Vec<Value> = entry
        .foreseen
        .iter()
        .map(|foreseen| objective(entry, foreseen, pace))
        .collect();
    let blind = entry.blind.as_ref().map(|blind| {
        let seen = |slo: &SloId| entry.seen.get(slo).and_then(|seen| seen.unmeasured);
        let unmeasured = blind.slos.iter().filter_map(seen).min();
        json!({
            "slos": blind.slos.iter().map(SloId::as_str).collect::<Vec<_>>(),
            "from": blind.from.to_string(),
            "told": blind.told.map(|at| at.to_string()),
            "seenFrom": unmeasured.map(|at| at.to_string()),
            "ticksOff": unmeasured.map(|at| ticks(at.since(blind.from))),
            "seenAgain": entry.seen.values().filter_map(|seen| seen.measured_again).max().map(|at| at.to_string()),
        })
    });
    json!({
        "id": fault.id,
        "service": fault.service.name(),
        "kind": fault.kind.name(),
        "intensity": (fault.kind != Kind::Down).then(|| percent(fault.intensity)),
        "from": fault.from.to_string(),
        "to": fault.to.to_string(),
        "lasts": {"demo": fault.length().to_string(), "yours": words(pace.waited(fault.length()))},
        "objectives": objectives,
        "blind": blind,
    })
}

fn objective(entry: &Entry, foreseen: &Prediction, pace: Pace) -> Value {
    let seen = entry.seen.get(&foreseen.slo).cloned().unwrap_or_default();
    let begun = entry.fault.from;
    let after = |at: Timestamp| {
        let span = at.since(begun);
        json!({"at": at.to_string(), "ticks": ticks(span), "demo": span.to_string(), "yours": words(pace.waited(span))})
    };
    let off =
        |foreseen: Option<Timestamp>, seen: Option<Timestamp>| Some(ticks(seen?.since(foreseen?)));
    json!({
        "slo": foreseen.slo.as_str(),
        "formula": foreseen.formula,
        "foreseen": {
            "fires": foreseen.first.as_ref().map(|first| after(first.at)),
            "severity": foreseen.first.as_ref().map(|first| first.severity.name()),
            "tier": foreseen.first.as_ref().map(|first| first.tier.as_str()),
            "pages": foreseen.paged.map(after),
            "closes": foreseen.closed.map(after),
            "spends": foreseen.spends,
        },
        "seen": {
            "fired": seen.opened.map(|(at, _)| after(at)),
            "severity": seen.opened.map(|(_, severity)| severity.name()),
            "paged": seen.paged.map(after),
            "closed": seen.closed.map(after),
            "budgetBefore": seen.before,
            "budgetAfter": seen.after,
            "spent": spent(&seen),
        },
        "ticksOff": {
            "fired": off(foreseen.first.as_ref().map(|first| first.at), seen.opened.map(|(at, _)| at)),
            "paged": off(foreseen.paged, seen.paged),
            "closed": off(foreseen.closed, seen.closed),
        },
    })
}

/// Whole ticks; the part of one that a fault began within counts as one.
fn ticks(span: Span) -> i64 {
    -(-span.as_millis()).div_euclid(TICK.as_millis())
}

/// The share of the budget that was spent while a fault acted.
fn spent(seen: &Seen) -> Option<f64> {
    Some(seen.before? - seen.after?)
}

/// What the ledger holds of one objective's window, and what the services themselves counted in that time.
struct Count {
    slo: SloId,
    from: Timestamp,
    to: Timestamp,
    ledger: Counts,
    service: Counts,
}

impl Count {
    fn is_equal(&self) -> bool {
        self.ledger == self.service
    }

    fn json(&self) -> Value {
        let counts = |counts: Counts| json!({"bad": counts.bad, "total": counts.total});
        json!({
            "slo": self.slo.as_str(),
            "from": self.from.to_string(),
            "to": self.to.to_string(),
            "ledger": counts(self.ledger),
            "service": counts(self.service),
            "equal": self.is_equal(),
        })
    }
}

fn counts(gameday: &GameDay, snapshot: &Snapshot) -> Vec<Count> {
    let count = |status: &SloStatus| {
        let (range, slo) = (status.window.range, status.slo.uid.clone());
        let service = gameday.seer().own_count(&slo, (range.from, range.to))?;
        Some(Count {
            slo,
            from: range.from,
            to: range.to,
            ledger: status.window.counts,
            service,
        })
    };
    snapshot
        .slos
        .iter()
        .filter_map(|status| count(status))
        .collect()
}

fn low_traffic(world: &World, snapshot: &Snapshot) -> Value {
    let failed = Some(world.single_failure()).filter(|failed| Some(*failed) <= snapshot.at);
    let told = snapshot
        .incidents
        .iter()
        .any(|incident| incident.slo.as_str() == QUIET);
    json!({"slo": QUIET, "failedAt": failed.map(|at| at.to_string()), "told": told})
}

/// The report in words, a line each.
pub fn text(gameday: &GameDay, world: &World, snapshot: &Snapshot) -> Vec<String> {
    let pace = gameday.pace();
    let entries = gameday.entries();
    let mut said: Vec<String> = entries
        .iter()
        .flat_map(|entry| lines(entry, pace))
        .collect();
    if said.is_empty() {
        said.push(
            "No fault was injected; try --fault checkout:errors=5%,after=10s,for=10s".to_owned(),
        );
    }
    let counts = counts(gameday, snapshot);
    let sum = |of: fn(&Count) -> f64| counts.iter().map(of).sum::<f64>();
    let unequal: Vec<&Count> = counts.iter().filter(|count| !count.is_equal()).collect();
    if unequal.is_empty() {
        said.push(format!(
            "Counted {} bad of {} events over {} objectives: exactly what the services' own counters say.",
            grouped(sum(|count| count.ledger.bad)),
            grouped(sum(|count| count.ledger.total)),
            counts.len()
        ));
    }
    said.extend(unequal.iter().map(|count| {
        format!(
            "{}: the ledger has {} bad of {}, the service {} of {}; what a target did while it was down counts when it is back.",
            count.slo, count.ledger.bad, count.ledger.total, count.service.bad, count.service.total
        )
    }));
    if Some(world.single_failure()) <= snapshot.at {
        said.push(format!(
            "{QUIET} failed once, with ten events an hour: nobody was woken, since one failure may be chance."
        ));
    }
    said
}

/// A whole number with its thousands set apart.
fn grouped(count: f64) -> String {
    let digits = format!("{count:.0}");
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail
        .as_bytes()
        .chunks(3)
        .map(|group| String::from_utf8_lossy(group).into_owned());
    let all: Vec<String> = Some(head.to_owned())
        .filter(|head| !head.is_empty())
        .into_iter()
        .chain(groups)
        .collect();
    all.join(",")
}

fn lines(entry: &Entry, pace: Pace) -> Vec<String> {
    let fault = entry.fault;
    let share = match fault.kind {
        Kind::Down => String::new(),
        _ => format!(" {}", percent(fault.intensity)),
    };
    let mut said = vec![format!(
        "Fault {}: {} {}{share}, {} long ({} of yours)",
        fault.id,
        fault.service.name(),
        fault.kind.name(),
        fault.length(),
        words(pace.waited(fault.length()))
    )];
    let after = |at: Option<Timestamp>| {
        at.map_or_else(
            || "-".to_owned(),
            |at| {
                let span = at.since(fault.from);
                format!("tick {} ({})", ticks(span), words(pace.waited(span)))
            },
        )
    };
    for foreseen in &entry.foreseen {
        let seen = entry.seen.get(&foreseen.slo).cloned().unwrap_or_default();
        let spent =
            spent(&seen).map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0));
        said.push(format!("  {}", foreseen.slo));
        said.push(format!(
            "    detected  foreseen {}, seen {}",
            after(foreseen.first.as_ref().map(|first| first.at)),
            after(seen.opened.map(|(at, _)| at))
        ));
        said.push(format!(
            "    spent     foreseen {:.1} % of the budget, seen {spent}",
            foreseen.spends * 100.0
        ));
        said.push(format!(
            "    restored  foreseen {}, seen {}",
            after(foreseen.closed),
            after(seen.closed)
        ));
    }
    if let Some(blind) = &entry.blind {
        let unmeasured = blind
            .slos
            .iter()
            .filter_map(|slo| entry.seen.get(slo)?.unmeasured);
        let again = entry.seen.values().filter_map(|seen| seen.measured_again);
        said.push(format!(
            "  {} objectives were held, not measured: foreseen from {}, seen from {}, again from {}; nothing was resolved for want of data",
            blind.slos.len(),
            after(Some(blind.from)),
            after(unmeasured.min()),
            after(again.max())
        ));
    }
    if entry.foreseen.is_empty() && entry.blind.is_none() {
        said.push("  no objective comes to harm by it".to_owned());
    }
    said
}

/// How long a person waits for `span`, in words.
pub fn yours(pace: Pace, span: Span) -> String {
    words(pace.waited(span).max(Duration::ZERO))
}
