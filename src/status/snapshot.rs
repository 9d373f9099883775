//! The immutable picture of a tick that every reader gets: API, pages, metrics and command line.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::domain::budget::ErrorBudget;
use crate::domain::contributors::LabelShare;
use crate::domain::group::Group;
use crate::domain::guard::Guard;
use crate::domain::incident::Incident;
use crate::domain::labels::Labels;
use crate::domain::measurement::Measurement;
use crate::domain::notice::Notice;
use crate::domain::policy::{HeldBack, Severity};
use crate::domain::slo::{Slo, SloId, SourceName};
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::domain::versions::Versions;
use crate::ledger::Ledger;

/// Everything as it stood at one tick.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The tick; `None` before the first one.
    pub at: Option<Timestamp>,
    /// The distance of ticks.
    pub tick: Span,
    /// How long after a tick's time it is run: ticks are at least this old when they are shown.
    pub offset: Span,
    /// All instances, by id.
    pub slos: Vec<Arc<SloStatus>>,
    /// Open incidents and the newest closed ones, newest first.
    pub incidents: Vec<Arc<Incident>>,
    /// Open alerts that are not about a budget, the newest first.
    pub episodes: Vec<OpenEpisode>,
    /// All sources, by name.
    pub sources: Vec<SourceStatus>,
    /// Objectives that count events twice.
    pub doubled: Vec<Doubled>,
    /// How the engine itself fares.
    pub engine: EngineStatus,
}

/// An objective that counts events twice, because two of its selectors match the same series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubled {
    /// What is counted: all targets of the objective judge it.
    pub slo: SloId,
    /// The selectors.
    pub selectors: [String; 2],
    /// One of the series that both match, as a selector.
    pub series: String,
}

impl fmt::Display for Doubled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            slo,
            selectors: [one, other],
            series,
        } = self;
        write!(
            f,
            "{slo} counts events twice: `{one}` and `{other}` both select {series}; let them exclude each other, as `sloburn check --live` tells"
        )
    }
}

/// An open alert that is not about a budget.
#[derive(Clone, Debug)]
pub struct OpenEpisode {
    /// What was told.
    pub notice: Arc<Notice>,
    /// Who was told.
    pub told: BTreeSet<String>,
}

/// How the engine fares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineStatus {
    /// Ticks run since the start.
    pub ticks: u64,
    /// Ticks left out because newer ones could be read already; their samples are counted all the same.
    pub skipped: u64,
    /// How much later than its samples allow each tick is run.
    pub phase: Span,
    /// How long the last tick took, from its first read to its commit.
    pub last_tick: Span,
    /// Why the last commit failed, if it did; it is merged into the next.
    pub store_error: Option<String>,
    /// First values of new series that were not counted, because nothing shows when they were.
    pub births_ignored: u64,
    /// How often the wall clock was seen to be set since the start, by more than half a tick.
    pub clock_steps: u64,
}

/// How one source fares.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceStatus {
    /// Its name.
    pub name: SourceName,
    /// What it is and where, when the daemon says so.
    pub origin: Option<Origin>,
    /// The newest tick at which all its families could be read.
    pub last_good: Option<Timestamp>,
    /// Why the last tick's reads failed or were partial, if one did.
    pub error: Option<String>,
    /// Queries sent since the start.
    pub queries: u64,
    /// Queries that failed since the start.
    pub failures: u64,
    /// Samples received since the start.
    pub samples: u64,
    /// Series known.
    pub series: u64,
    /// Which of its families it sums up itself, because they are too large to be fetched.
    pub summed: Vec<SummedFamily>,
    /// A label by which alone some of its series differ: if they are of replicas, all is counted twice.
    pub twins: Option<&'static str>,
    /// How our clock differs from its own, where it tells.
    pub skew: Option<ClockSkew>,
    /// How much longer than its offset ticks wait for it, since its samples come later than that.
    pub lag: Span,
    /// How far its past is counted, while it is not all counted.
    pub backfill: Option<Backfill>,
    /// First values of new series that were not counted, since the start.
    pub births_ignored: u64,
    /// The newest of them, oldest first.
    pub births: Vec<IgnoredBirth>,
}

/// What a source is, and where it is asked: addresses without what may be secret in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A Prometheus, at its address.
    Prometheus(String),
    /// Pages of metrics, at theirs.
    Pages(Vec<String>),
}

/// How our clock differs from that of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSkew {
    /// How far ours is ahead for certain; negative where it is behind.
    pub ahead: Span,
    /// Whether that is more than half a tick.
    pub matters: bool,
}

/// A family that its source sums up, because it is too large to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummedFamily {
    /// The metric.
    pub metric: String,
    /// How many series it has; at the least, before they were counted.
    pub series: u64,
    /// With more than this it is not fetched.
    pub above: u64,
}

/// How far the past of a source is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backfill {
    /// The share (0..1) that is done.
    pub share: f64,
    /// Everything newer is counted.
    pub reached: Timestamp,
    /// Where it will end.
    pub goal: Timestamp,
}

/// A first value of a new series that was not counted, because nothing shows when its events happened.
#[derive(Clone, Debug, PartialEq)]
pub struct IgnoredBirth {
    /// The series.
    pub series: Labels,
    /// When it was first seen.
    pub at: Timestamp,
    /// Its value then.
    pub value: f64,
}

/// One instance of an objective.
#[derive(Clone, Debug)]
pub struct SloStatus {
    /// The objective.
    pub slo: Arc<Slo>,
    /// The instance: the objective's uid, and its group where there is one.
    pub id: String,
    /// The group's labels; empty without grouping.
    pub group: Group,
    /// How many groups its objective has, where it is divided into groups.
    pub groups: Option<GroupCount>,
    /// The severity of the open incident.
    pub alert: Option<Severity>,
    /// How the last measurement went.
    pub measurement: Measurement,
    /// How many series count towards the total and towards the bad (or good).
    pub series: SeriesCount,
    /// Whether the bad (or good) selector has ever matched a series.
    pub bad_series_ever_seen: bool,
    /// The share (0..1) of the window's slots that were spread over gaps.
    pub reconstructed_share: f64,
    /// The objective's window.
    pub window: WindowStatus,
    /// What was promised when.
    pub versions: Versions,
    /// Its budget; unknown without events.
    pub budget: Option<ErrorBudget>,
    /// When the budget was used up; known while it is.
    pub emptied_at: Option<Timestamp>,
    /// How long the rest lasts at the pace of the shortest short window.
    pub time_to_empty: Option<Span>,
    /// Every window of every tier, shortest first, each once.
    pub burn: Vec<BurnStatus>,
    /// The tiers of its policy.
    pub tiers: Vec<TierStatus>,
    /// Where the bad events came from, for each window that is looked at.
    pub contributors: Vec<(Span, Vec<LabelShare>)>,
    /// The open incident.
    pub incident: Option<Arc<Incident>>,
    /// Where the daemon tells everything about it, when it knows its own address.
    pub details: Option<String>,
    /// Where its samples can be looked at, when the source says so.
    pub graph: Option<String>,
    /// What was counted when; shares its slots with the engine.
    pub ledger: Ledger,
}

/// How many groups an objective has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupCount {
    /// Those that are known, each an instance.
    pub known: u64,
    /// How many there may be.
    pub most: u64,
    /// Those that are there beyond that, and are not watched.
    pub refused: u64,
}

/// How many series count towards what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeriesCount {
    /// Towards the total.
    pub total: u64,
    /// Towards the bad (or the good, where those are counted).
    pub bad: u64,
}

/// What the objective's window holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowStatus {
    /// What it covers.
    pub range: TimeRange,
    /// What was counted.
    pub counts: Counts,
    /// The share (0..1) of its time that was measured.
    pub coverage: f64,
}

/// One window that a tier looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurnStatus {
    /// Its length.
    pub length: Span,
    /// What was counted.
    pub counts: Counts,
    /// How fast the budget burns; unknown without events.
    pub rate: Option<f64>,
    /// The share (0..1) of its time that was measured.
    pub coverage: f64,
}

/// One tier of the policy, for this objective.
#[derive(Clone, Debug, PartialEq)]
pub struct TierStatus {
    /// Its name.
    pub name: String,
    /// Its severity.
    pub severity: Severity,
    /// Its long window.
    pub long: Span,
    /// Its short window.
    pub short: Span,
    /// The burn rate above which it fires; where it counts, at which.
    pub threshold: f64,
    /// The bad events in the long window from which it fires, where it counts.
    pub bad: Option<u64>,
    /// Whether it keeps an incident open.
    pub firing: bool,
    /// The low-traffic guard, where it applies.
    pub guard: Option<Guard>,
    /// Why it does not fire although its windows are above, where that is so.
    pub held_back: Option<HeldBack>,
}
