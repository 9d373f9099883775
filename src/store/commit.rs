//! One tick's decisions as one idempotent commit, and what a start gets back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{AlertState, Incident, IncidentId};
use crate::domain::labels::Labels;
use crate::domain::measurement::Outcome;
use crate::domain::notice::Notice;
use crate::domain::refusal::Refusal;
use crate::domain::slo::{SloId, SourceName};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::domain::versions::Versions;
use crate::ledger::chunk::{Chunk, ChunkKey};
use crate::series::births::Target;
use crate::series::cursor::Cursor;
use crate::series::past::LooseEnds;
use crate::series::slices::missing::Behind;

use super::OutboxKey;

/// What was counted for whom: what another indicator counted under the same identity is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterKey {
    /// The objective.
    pub slo: SloId,
    /// By which indicator.
    pub indicator: Fingerprint,
}

/// Which lane of which meter: every source of events that an indicator needs has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// The meter.
    pub meter: MeterKey,
    /// Counts from 0 within the meter.
    pub lane: u16,
}

/// How far a lane is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneRecord {
    /// What ends up to here is counted for good.
    pub settled_to: Timestamp,
    /// Up to where time was credited as measured; only of lanes of counters, and none before the first.
    pub covered_to: Option<Timestamp>,
    /// From when on it is counted, once its walks through the past are done; none where the past is
    /// not read.
    pub reach: Option<Timestamp>,
}

/// Which metric family of which source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FamilyKey {
    /// The source.
    pub source: SourceName,
    /// The metric's name.
    pub metric: String,
}

/// How far a family of counters is settled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FamilyRecord {
    /// By what its series were selected, a selector a line; others were never looked at.
    pub selection: String,
    /// All samples up to here are counted for good.
    pub settled_to: Timestamp,
    /// The settled cursors that changed (in a commit), or all of them (in a recovery).
    pub cursors: BTreeMap<Labels, Cursor>,
    /// The usual distance of its samples, where the source sums it up and there are no cursors.
    pub summed_every: Option<Span>,
    /// When a counter of a target last fell: those that fell anew (in a commit), or all (in a recovery).
    pub falls: BTreeMap<Target, Timestamp>,
    /// Series whose cursors are no longer needed (in a commit; empty in a recovery).
    pub dropped: BTreeSet<Labels>,
}

impl FamilyRecord {
    /// Takes over what a newer settling found.
    pub fn merge(&mut self, newer: Self) {
        self.selection = newer.selection;
        self.settled_to = newer.settled_to;
        self.summed_every = newer.summed_every;
        self.falls.extend(newer.falls);
        for labels in &newer.dropped {
            self.cursors.remove(labels);
        }
        self.dropped.extend(newer.dropped);
        for (labels, cursor) in newer.cursors {
            self.dropped.remove(&labels);
            self.cursors.insert(labels, cursor);
        }
    }
}

/// Tells one stretch of the past from the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WalkKey(pub String);

/// How far a stretch of the past is counted, from the newest to the oldest. It is kept when it is
/// done, to tell that its lanes need no other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WalkRecord {
    /// Which lanes.
    pub lanes: Vec<LaneKey>,
    /// What is read for them.
    pub families: Vec<WalkedFamily>,
    /// Where it began: what is newer was counted live.
    pub seam: Timestamp,
    /// Where it ends.
    pub goal: Timestamp,
    /// Everything after this is counted.
    pub reached: Timestamp,
    /// What is known of the slices before, for lanes in which missing ones count.
    pub behind: BTreeMap<LaneKey, Behind>,
}

impl WalkRecord {
    /// The same for some of its lanes, with some of its families.
    #[must_use]
    pub fn part(
        &self,
        has_lane: impl Fn(&LaneKey) -> bool,
        has_family: impl Fn(&FamilyKey) -> bool,
    ) -> Self {
        let mut part = self.clone();
        part.lanes.retain(&has_lane);
        part.behind.retain(|lane, _| has_lane(lane));
        part.families.retain(|family| has_family(&family.key));
        part
    }

    /// Waits no longer for the bases of samples that were counted live from the seam on, of these families.
    pub fn forget_live(&mut self, has_family: impl Fn(&FamilyKey) -> bool) {
        let seam = self.seam;
        for family in self.families.iter_mut().filter(|it| has_family(&it.key)) {
            family.loose.retain(|_, end| end.first.at <= seam);
        }
    }

    /// Whether all of it is counted.
    pub fn is_done(&self) -> bool {
        self.reached <= self.goal
    }
}

/// One family on a walk through the past.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkedFamily {
    /// Which one.
    pub key: FamilyKey,
    /// The usual distance of its samples when the walk began; zero when it was not known.
    pub interval: Span,
    /// First samples whose bases are still to be found.
    pub loose: LooseEnds,
    /// Where its series stood at the goal, when that is where an earlier life stopped.
    pub older: BTreeMap<Labels, Cursor>,
}

/// The groups of an objective that were found, so that they are known from the start of the next life.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupRecord {
    /// The labels that told them apart.
    pub by: Vec<String>,
    /// What their series have of these labels.
    pub groups: BTreeSet<Labels>,
    /// How long there have been more than there may be, if there are.
    pub refusal: Option<Refusal>,
}

/// What an alert is about that is not about a budget: one message for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EpisodeKey {
    /// Objectives that cannot be measured, as many as are told of together. Those that are blind later
    /// are told of later, and are measured again at another time.
    Unmeasured {
        /// Their source.
        source: SourceName,
        /// How their measurements end.
        outcome: Outcome,
        /// The tick at which it was told.
        opened: Timestamp,
    },
    /// Groups of an objective beyond as many as it may have.
    Refused(SloId),
    /// Ticks that were passed over, more than may be.
    PassedOver,
}

/// An alert that is not about a budget, kept over a restart.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Its identity, as for incidents.
    pub incident: IncidentId,
    /// Since when it is so.
    pub since: Timestamp,
    /// When it was told, and with which reason.
    pub opened: Timestamp,
    /// Who was told.
    pub told: BTreeSet<String>,
    /// What was told.
    pub notice: Arc<Notice>,
}

/// How far the delivery of a row of the outbox is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// How many of the notice's calls the receiver has accepted.
    pub step: u32,
    /// How often the present step was tried in vain.
    pub attempts: u32,
    /// Not to be tried before.
    pub next: Timestamp,
    /// The last refusal: when, a sentence, and whether it is permanent.
    pub refusal: Option<(Timestamp, String, bool)>,
    /// When it was fully delivered, if it was.
    pub delivered: Option<Timestamp>,
    /// What the receiver said that later calls of the incident need.
    pub memory: Option<String>,
}

/// Everything that a tick decided. Keys make it idempotent: a commit that failed is merged into
/// the next tick's, and the newer value of a key wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// Settled chunks that changed, by lane and key.
    pub chunks: BTreeMap<(LaneKey, ChunkKey), Arc<Chunk>>,
    /// How far lanes are settled.
    pub lanes: BTreeMap<LaneKey, LaneRecord>,
    /// What was counted before indicators were told apart, by whose it is from now on.
    pub claims: BTreeMap<SloId, Fingerprint>,
    /// Meters of which a series that counts as bad (or good) was seen.
    pub seen: BTreeSet<MeterKey>,
    /// What was promised when, of objectives whose promise changed: all that is known of each.
    pub versions: BTreeMap<SloId, Versions>,
    /// How far families are settled.
    pub families: BTreeMap<FamilyKey, FamilyRecord>,
    /// Stretches of the past that were begun, or counted further.
    pub walks: BTreeMap<WalkKey, WalkRecord>,
    /// The groups of objectives where any came or went.
    pub groups: BTreeMap<SloId, GroupRecord>,
    /// Instances of which nothing is kept any more; what this commit says of them besides is newer.
    pub dropped: BTreeSet<SloId>,
    /// Alert states that changed; the open incident is kept with them. An empty state is the same
    /// as none, and is not kept.
    pub alerts: BTreeMap<SloId, AlertState>,
    /// Incidents that changed, open and closed.
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// Episodes that began (`Some`) or ended (`None`).
    pub episodes: BTreeMap<EpisodeKey, Option<Episode>>,
    /// Where recent chunks of lanes end that are no longer needed, since old ones hold what they held;
    /// they go after all others have been written.
    pub grown: BTreeMap<LaneKey, TimeRange>,
    /// No chunk that ends at or before this time is needed any more, whosesoever it is.
    pub forgotten: Option<Timestamp>,
    /// What is to be told.
    pub outbox: BTreeMap<OutboxKey, Arc<Notice>>,
    /// How far rows of the outbox are that were told while no commit succeeded.
    pub deliveries: BTreeMap<OutboxKey, Progress>,
}

impl Commit {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Takes over what a newer tick decided.
    pub fn merge(&mut self, newer: Self) {
        let is_dropped = |slo: &SloId| newer.dropped.contains(slo);
        if !newer.dropped.is_empty() {
            self.chunks
                .retain(|(lane, _), _| !is_dropped(&lane.meter.slo));
            self.lanes.retain(|lane, _| !is_dropped(&lane.meter.slo));
            self.grown.retain(|lane, _| !is_dropped(&lane.meter.slo));
            self.seen.retain(|meter| !is_dropped(&meter.slo));
            self.versions.retain(|slo, _| !is_dropped(slo));
            self.alerts.retain(|slo, _| !is_dropped(slo));
        }
        self.dropped.extend(newer.dropped);
        self.groups.extend(newer.groups);
        self.chunks.extend(newer.chunks);
        self.lanes.extend(newer.lanes);
        for (key, record) in newer.families {
            self.families.entry(key).or_default().merge(record);
        }
        self.walks.extend(newer.walks);
        self.alerts.extend(newer.alerts);
        self.incidents.extend(newer.incidents);
        self.episodes.extend(newer.episodes);
        self.claims.extend(newer.claims);
        self.seen.extend(newer.seen);
        self.versions.extend(newer.versions);
        for (lane, newer) in newer.grown {
            let grown = self.grown.entry(lane).or_insert(newer);
            *grown = newer.hull(*grown);
        }
        self.forgotten = self.forgotten.max(newer.forgotten);
        self.outbox.extend(newer.outbox);
        self.deliveries.extend(newer.deliveries);
    }
}

/// What a start gets back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// Settled chunks, as far back as was asked for.
    pub chunks: BTreeMap<(LaneKey, ChunkKey), Arc<Chunk>>,
    /// How far lanes are settled.
    pub lanes: BTreeMap<LaneKey, LaneRecord>,
    /// Meters of which a series that counts as bad (or good) was seen.
    pub seen: BTreeSet<MeterKey>,
    /// What was promised when.
    pub versions: BTreeMap<SloId, Versions>,
    /// Families with all their cursors.
    pub families: BTreeMap<FamilyKey, FamilyRecord>,
    /// Stretches of the past, those that are done too.
    pub walks: BTreeMap<WalkKey, WalkRecord>,
    /// The groups of objectives.
    pub groups: BTreeMap<SloId, GroupRecord>,
    /// Alert states.
    pub alerts: BTreeMap<SloId, AlertState>,
    /// The newest closed incidents, newest first, and nothing of the open ones.
    pub closed: Vec<Incident>,
    /// Open episodes.
    pub episodes: BTreeMap<EpisodeKey, Episode>,
}
