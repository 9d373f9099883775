//! Incidents: one per instance, opened by the first firing tier, rising and falling in place, and
//! closed after the hold. A step takes verdicts and the time, and says what to tell.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::measurement::Outcome;
use super::policy::Severity;
use super::slo::SloId;
use super::time::{Span, Timestamp};

/// What one tier's windows say at a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both windows are above the threshold.
    Burning,
    /// Measured, and not above.
    Clear,
    /// The long window holds no events at all: nothing is left to burn.
    Idle,
    /// Not known: the state stays as it is.
    Unknown,
}

/// One tier's state. `Holding` still counts as firing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TierState {
    /// Not firing.
    #[default]
    Quiet,
    /// Above its threshold.
    Burning {
        /// The tick at which it fired.
        since: Timestamp,
    },
    /// No longer above, but not for long enough.
    Holding {
        /// The tick at which it fired.
        since: Timestamp,
        /// The tick at which it cleared.
        clear: Timestamp,
    },
}

impl TierState {
    /// Whether the tier keeps an incident open.
    pub const fn is_firing(self) -> bool {
        !matches!(self, Self::Quiet)
    }

    /// The tick at which the tier fired, while it is firing.
    pub const fn since(self) -> Option<Timestamp> {
        match self {
            Self::Quiet => None,
            Self::Burning { since } | Self::Holding { since, .. } => Some(since),
        }
    }

    /// When the tier is left if it stays clear, while it is clear and held for `hold`.
    pub fn held_until(self, hold: Span) -> Option<Timestamp> {
        match self {
            Self::Holding { clear, .. } => Some(clear + hold),
            Self::Quiet | Self::Burning { .. } => None,
        }
    }

    /// The state after a verdict at `now`; a tier is left once it has been clear for `hold`.
    #[must_use]
    pub fn after(self, verdict: Verdict, now: Timestamp, hold: Span) -> Self {
        match (self, verdict) {
            (_, Verdict::Idle) => Self::Quiet,
            (Self::Quiet, Verdict::Burning) => Self::Burning { since: now },
            (Self::Holding { since, .. }, Verdict::Burning) => Self::Burning { since },
            (Self::Burning { since }, Verdict::Clear) => Self::Holding { since, clear: now },
            (Self::Holding { clear, .. }, Verdict::Clear) if now.since(clear) >= hold => {
                Self::Quiet
            }
            (unchanged, _) => unchanged,
        }
    }
}

/// The identity of an incident, or of an episode of not being able to measure or to watch all groups.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(String);

impl IncidentId {
    /// The identity of what began with `subject` at `opened`: the same after a crash, so that a
    /// decision made twice is still one incident (FNV-1a, 64 bit, in hexadecimal).
    pub fn derive(subject: &str, opened: Timestamp) -> Self {
        let bytes = subject
            .bytes()
            .chain([b'@'])
            .chain(opened.as_millis().to_be_bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(format!("{hash:016x}"))
    }

    /// An identity read back from its text.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an incident was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// All tiers were clear for their hold.
    Recovered,
    /// The long windows hold no events at all.
    NoTraffic,
    /// The objective, or its policy, is no longer defined; or it is watched by its groups alone.
    Removed,
}

impl CloseReason {
    /// The name used in the API and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::NoTraffic => "noTraffic",
            Self::Removed => "removed",
        }
    }
}

/// What happened to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It began at this severity.
    Opened,
    /// It became louder.
    Rose {
        /// The severity before.
        from: Severity,
    },
    /// It became less loud.
    Fell {
        /// The severity before.
        from: Severity,
    },
    /// It goes on, and was not told for a while.
    Reminded,
    /// It is over.
    Closed(CloseReason),
}

/// One line of an incident's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Counts from 1 within the incident.
    pub sequence: u32,
    /// The tick that decided it.
    pub at: Timestamp,
    /// What happened.
    pub change: Change,
    /// The severity after it; for a close, the one that was left.
    pub severity: Severity,
}

/// One episode of one instance being in breach of its policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its identity.
    pub id: IncidentId,
    /// Whose promise is broken.
    pub slo: SloId,
    /// The tick of the first firing.
    pub opened: Timestamp,
    /// When the errors began, as far as the slots tell.
    pub onset: Timestamp,
    /// The severity now (the last one, once closed).
    pub severity: Severity,
    /// The loudest severity it had.
    pub peak: Severity,
    /// When it last became a page.
    pub paged: Option<Timestamp>,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// What happened, oldest first.
    pub history: Vec<Transition>,
    /// The receivers that know of it.
    pub told: BTreeSet<String>,
}

impl Incident {
    /// One that begins now, and of which nothing happened yet.
    fn new(slo: &SloId, now: Timestamp, onset: Timestamp, severity: Severity) -> Self {
        Self {
            id: IncidentId::derive(slo.as_str(), now),
            slo: slo.clone(),
            opened: now,
            onset,
            severity,
            peak: severity,
            paged: None,
            closed: None,
            history: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    /// What there is to tell when it is as loud as this now; `remind` is the longest silence by severity.
    fn change(
        &self,
        severity: Severity,
        now: Timestamp,
        remind: &BTreeMap<Severity, Span>,
    ) -> Option<Change> {
        let from = self.severity;
        match severity.cmp(&from) {
            Ordering::Greater => Some(Change::Rose { from }),
            Ordering::Less => Some(Change::Fell { from }),
            Ordering::Equal => {
                let told = self.history.last().map_or(self.opened, |last| last.at);
                let silence = remind.get(&severity)?;
                (now.since(told) >= *silence).then_some(Change::Reminded)
            }
        }
    }

    /// Appends to the history and keeps severity, peak and times in step with it.
    fn record(&mut self, at: Timestamp, change: Change, severity: Severity) -> Transition {
        let sequence = u32::try_from(self.history.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let transition = Transition {
            sequence,
            at,
            change,
            severity,
        };
        self.history.push(transition);
        let louder = matches!(change, Change::Opened | Change::Rose { .. });
        if louder && severity == Severity::Page {
            self.paged = Some(at);
        }
        if let Change::Closed(_) = change {
            self.closed = Some(at);
        }
        self.severity = severity;
        self.peak = self.peak.max(severity);
        transition
    }
}

/// The alert state of one promise: its tiers by name, the open incident, and since when it is blind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertState {
    /// Tiers that are not quiet.
    pub tiers: BTreeMap<String, TierState>,
    /// The open incident, as everybody who reads shares it.
    pub incident: Option<Arc<Incident>>,
    /// Since which tick it has been impossible to measure, by how that ended; empty while it is
    /// measured, or while nobody wants to be told.
    pub unmeasured: BTreeMap<Outcome, Timestamp>,
}

/// What a tier says at a tick, and what it needs to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierReading<'a> {
    /// The tier's name.
    pub name: &'a str,
    /// Its severity for this objective.
    pub severity: Severity,
    /// How long it is held.
    pub hold: Span,
    /// What its windows say.
    pub verdict: Verdict,
}

impl AlertState {
    /// Since which tick nothing could be measured, however that ended.
    pub fn unmeasured_since(&self) -> Option<Timestamp> {
        self.unmeasured.values().min().copied()
    }

    /// Takes one tick's readings and says what is to be told. A closed incident is returned with
    /// its last transition and is no longer part of the state.
    ///
    /// `onset` is asked only when an incident opens; `remind` is the longest silence by severity.
    pub fn step(
        &mut self,
        slo: &SloId,
        readings: &[TierReading<'_>],
        now: Timestamp,
        onset: impl FnOnce() -> Timestamp,
        remind: &BTreeMap<Severity, Span>,
    ) -> Option<(Incident, Transition)> {
        let known = std::mem::take(&mut self.tiers);
        let gone = gone(&known, self.incident.as_deref(), readings);
        let mut loudest = None;
        for reading in readings.iter().chain(&gone) {
            let before = known.get(reading.name).copied().unwrap_or_default();
            let after = before.after(reading.verdict, now, reading.hold);
            if after.is_firing() {
                loudest = loudest.max(Some(reading.severity));
                self.tiers.insert(reading.name.to_owned(), after);
            }
        }
        let idle = readings
            .iter()
            .all(|reading| reading.verdict == Verdict::Idle);
        match (self.incident.take(), loudest) {
            (None, None) => None,
            (None, Some(severity)) => {
                let mut incident = Incident::new(slo, now, onset(), severity);
                let transition = incident.record(now, Change::Opened, severity);
                self.incident = Some(Arc::new(incident.clone()));
                Some((incident, transition))
            }
            (Some(incident), None) => {
                let reason = if idle {
                    CloseReason::NoTraffic
                } else {
                    CloseReason::Recovered
                };
                Some(close(incident, now, reason))
            }
            (Some(mut incident), Some(severity)) => {
                let told = incident.change(severity, now, remind).map(|change| {
                    let changed = Arc::make_mut(&mut incident);
                    let transition = changed.record(now, change, severity);
                    (changed.clone(), transition)
                });
                self.incident = Some(incident);
                told
            }
        }
    }

    /// Closes the open incident because what it was about is gone.
    pub fn remove(&mut self, now: Timestamp) -> Option<(Incident, Transition)> {
        self.tiers.clear();
        self.unmeasured.clear();
        self.incident
            .take()
            .map(|incident| close(incident, now, CloseReason::Removed))
    }
}

/// What is said of tiers that fired and that the policy does not have any more: nothing, before all that it
/// has is known. Then they are clear, and keep the incident as loud as it is for the shortest hold.
fn gone<'a>(
    fired: &'a BTreeMap<String, TierState>,
    incident: Option<&Incident>,
    readings: &[TierReading<'_>],
) -> Vec<TierReading<'a>> {
    let Some(incident) = incident else {
        return Vec::new();
    };
    let any = |verdict| readings.iter().any(|it| it.verdict == verdict);
    let verdict = if any(Verdict::Unknown) {
        Verdict::Unknown
    } else if any(Verdict::Clear) || any(Verdict::Burning) {
        Verdict::Clear
    } else {
        Verdict::Idle
    };
    let hold = readings.iter().map(|it| it.hold).min().unwrap_or_default();
    let is_gone = |name: &&String| !readings.iter().any(|it| it.name == **name);
    let names = fired.keys().filter(is_gone);
    let said = names.map(|name| TierReading {
        name,
        severity: incident.severity,
        hold,
        verdict,
    });
    said.collect()
}

fn close(incident: Arc<Incident>, now: Timestamp, reason: CloseReason) -> (Incident, Transition) {
    let mut incident = Arc::unwrap_or_clone(incident);
    let severity = incident.severity;
    let transition = incident.record(now, Change::Closed(reason), severity);
    (incident, transition)
}
