//! The game day: which faults are planned, what was foreseen of them, and what came of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::measurement::Outcome;
use crate::domain::policy::Severity;
use crate::domain::slo::SloId;
use crate::domain::time::{Span, Timestamp};
use crate::status::snapshot::Snapshot;

use super::catalog::TICK;
use super::pace::Pace;
use super::predict::{Blind, Prediction, Seer};
use super::world::World;
use super::world::fault::{Fault, Order, OrderError};

/// The most faults of one demo.
const MOST: usize = 100;

/// A fault with what was foreseen and what was seen.
#[derive(Clone, Debug)]
pub struct Entry {
    /// On the demo's clock.
    pub fault: Fault,
    /// What its objectives come to.
    pub foreseen: Vec<Prediction>,
    /// What comes of a target that is down.
    pub blind: Option<Blind>,
    /// What was seen, by objective.
    pub seen: BTreeMap<SloId, Seen>,
}

/// What was seen of one objective.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The tick at which the incident was opened, and how loudly.
    pub opened: Option<(Timestamp, Severity)>,
    /// When somebody was paged.
    pub paged: Option<Timestamp>,
    /// When the incident was closed.
    pub closed: Option<Timestamp>,
    /// What was left of the budget before (1 is all of it).
    pub before: Option<f64>,
    /// What was left of it at the fault's end, or now.
    pub after: Option<f64>,
    /// The first tick at which it could not be measured.
    pub unmeasured: Option<Timestamp>,
    /// The first tick after that at which it could be again.
    pub measured_again: Option<Timestamp>,
}

/// All faults that somebody asked for.
#[derive(Debug)]
pub struct GameDay {
    world: Arc<World>,
    seer: Seer,
    pace: Pace,
    entries: Mutex<Vec<Entry>>,
}

impl GameDay {
    /// An uneventful day.
    pub const fn new(world: Arc<World>, seer: Seer, pace: Pace) -> Self {
        Self {
            world,
            seer,
            pace,
            entries: Mutex::new(Vec::new()),
        }
    }

    /// How fast the demo's clock runs.
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// Who foresees.
    pub const fn seer(&self) -> &Seer {
        &self.seer
    }

    /// All faults, in the order in which they were asked for.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// Plans a fault at `now`, and says what it will come to.
    ///
    /// # Errors
    /// When the same is planned for the same time already.
    pub fn inject(&self, order: &Order, now: Timestamp) -> Result<Entry, OrderError> {
        let mut entries = self.lock();
        if entries.len() >= MOST {
            return Err(OrderError(format!(
                "this demo has had {MOST} faults; start another"
            )));
        }
        let from = now + self.pace.on_the_clock(order.after);
        let fault = Fault {
            id: u32::try_from(entries.len()).unwrap_or(u32::MAX) + 1,
            service: order.service,
            kind: order.kind,
            intensity: order.intensity,
            from,
            to: from + self.pace.on_the_clock(order.lasts),
        };
        let mut faults = (*self.world.faults()).clone();
        let overlaps = |other: &&Fault| {
            (other.service, other.kind) == (fault.service, fault.kind)
                && other.from < fault.to
                && fault.from < other.to
        };
        if let Some(other) = faults.iter().find(overlaps) {
            return Err(OrderError(format!(
                "{} of {} overlaps with fault {}, which is the same kind; stop that one first",
                fault.kind.name(),
                fault.service.name(),
                other.id
            )));
        }
        faults.push(fault);
        self.world.plan(faults);
        let entry = self.foreseen(fault);
        entries.push(entry.clone());
        Ok(entry)
    }

    /// Ends a fault at `now`; one that has not begun never does. `None` when there is none of that number.
    pub fn stop(&self, id: u32, now: Timestamp) -> Option<Entry> {
        let mut entries = self.lock();
        let entry = entries.iter_mut().find(|entry| entry.fault.id == id)?;
        if entry.fault.to <= now {
            return Some(entry.clone());
        }
        let ended = Fault {
            to: now.max(entry.fault.from),
            ..entry.fault
        };
        let others = self.world.faults();
        let faults = others
            .iter()
            .map(|fault| if fault.id == id { ended } else { *fault });
        self.world.plan(faults.collect());
        let seen = std::mem::take(&mut entry.seen);
        *entry = Entry {
            seen,
            ..self.foreseen(ended)
        };
        Some(entry.clone())
    }

    fn foreseen(&self, fault: Fault) -> Entry {
        Entry {
            foreseen: self.seer.foresee(&fault, &self.world.faults()),
            blind: self.seer.blind(&fault),
            fault,
            seen: BTreeMap::new(),
        }
    }

    /// Notes what a tick shows of the faults.
    pub fn observe(&self, snapshot: &Snapshot) {
        let Some(at) = snapshot.at else { return };
        for entry in &mut *self.lock() {
            let foreseen = entry.foreseen.iter().map(|foreseen| &foreseen.slo);
            let blind = entry.blind.iter().flat_map(|blind| &blind.slos);
            let slos: Vec<SloId> = foreseen.chain(blind).cloned().collect();
            for slo in slos {
                let fault = entry.fault;
                note(
                    entry.seen.entry(slo.clone()).or_default(),
                    &slo,
                    &fault,
                    at,
                    snapshot,
                );
            }
        }
    }

    /// No change is left half-way by a panic, so a poisoned lock is whole.
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes what a tick shows of one objective.
fn note(seen: &mut Seen, slo: &SloId, fault: &Fault, at: Timestamp, snapshot: &Snapshot) {
    let Some(status) = snapshot.slos.iter().find(|status| status.slo.uid == *slo) else {
        return;
    };
    let left = status.budget.map(|budget| budget.remaining());
    if at <= fault.from {
        seen.before = left;
    } else if at <= fault.to.ceil_to(TICK) {
        seen.after = left;
    }
    if at <= fault.from {
        return;
    }
    let known = matches!(
        status.measurement.outcome,
        Outcome::Measured | Outcome::NoTraffic
    );
    if !known && at <= fault.to + Span::from_hours(1) {
        seen.unmeasured = seen.unmeasured.or(Some(at));
    } else if known && seen.unmeasured.is_some() {
        seen.measured_again = seen.measured_again.or(Some(at));
    }
    let since = |opened: Timestamp| opened > fault.from && opened <= fault.to + Span::from_hours(6);
    let mine = snapshot
        .incidents
        .iter()
        .filter(|it| it.slo == *slo && since(it.opened));
    if let Some(incident) = mine.min_by_key(|incident| incident.opened) {
        let loud = incident
            .history
            .first()
            .map_or(incident.severity, |first| first.severity);
        seen.opened = Some((incident.opened, loud));
        seen.paged = incident.paged;
        seen.closed = incident.closed;
    }
}
