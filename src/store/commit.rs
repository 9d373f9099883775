//! One tick's decisions as one idempotent commit, and what a start gets back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::incident::{AlertState, Incident, IncidentId};
use crate::domain::labels::Labels;
use crate::domain::measurement::Outcome;
use crate::domain::notice::Notice;
use crate::domain::slo::{SloId, SourceName};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::chunk::{Age, Chunk, ChunkKey};
use crate::series::cursor::Cursor;
use crate::series::past::LooseEnds;
use crate::series::slices::missing::Behind;

use super::OutboxKey;

/// Which lane of which objective: every source of events that an indicator needs has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// The objective.
    pub slo: SloId,
    /// Counts from 0 within the objective.
    pub lane: u16,
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
    /// What was fetched; series outside of it were never looked at.
    pub selector: String,
    /// All samples up to here are counted for good.
    pub settled_to: Timestamp,
    /// The settled cursors that changed (in a commit), or all of them (in a recovery).
    pub cursors: BTreeMap<Labels, Cursor>,
    /// Series whose cursors are no longer needed (in a commit; empty in a recovery).
    pub dropped: BTreeSet<Labels>,
}

impl FamilyRecord {
    /// Takes over what a newer settling found.
    pub fn merge(&mut self, newer: Self) {
        self.selector = newer.selector;
        self.settled_to = newer.settled_to;
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
}

/// What objectives that cannot be measured are grouped by: one message for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpisodeKey {
    /// The source.
    pub source: SourceName,
    /// How the measurements end.
    pub outcome: Outcome,
}

/// The measurement alert of one group, kept over a restart.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Its identity, as for incidents.
    pub incident: IncidentId,
    /// Since when nothing good was measured.
    pub since: Timestamp,
    /// When it was told, and with which reason.
    pub opened: Timestamp,
    /// Who was told.
    pub told: BTreeSet<String>,
    /// What was told.
    pub notice: Arc<Notice>,
}

/// Up to where a lane's chunks are no longer needed: those that end at or before these times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Of recent ones: old ones hold what they held, or no window reaches them.
    pub recent: Timestamp,
    /// Of old ones: no window reaches them.
    pub old: Timestamp,
}

impl Default for Forgotten {
    fn default() -> Self {
        let nothing = Timestamp::from_millis(i64::MIN / 2);
        Self {
            recent: nothing,
            old: nothing,
        }
    }
}

impl Forgotten {
    /// The time for chunks of this age.
    pub const fn of(&self, age: Age) -> Timestamp {
        match age {
            Age::Recent => self.recent,
            Age::Old => self.old,
        }
    }

    fn merge(&mut self, newer: Self) {
        self.recent = self.recent.max(newer.recent);
        self.old = self.old.max(newer.old);
    }
}

/// Everything that a tick decided. Keys make it idempotent: a commit that failed is merged into
/// the next tick's, and the newer value of a key wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// Settled chunks that changed, by lane and key.
    pub chunks: BTreeMap<(LaneKey, ChunkKey), Arc<Chunk>>,
    /// How far lanes are settled that have no cursors of their own (slices, queries).
    pub lanes: BTreeMap<LaneKey, Timestamp>,
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
    /// Measurement episodes that began (`Some`) or ended (`None`).
    pub episodes: BTreeMap<EpisodeKey, Option<Episode>>,
    /// Chunks that are no longer needed; they go after all others have been written.
    pub forgotten: BTreeMap<LaneKey, Forgotten>,
    /// What is to be told.
    pub outbox: BTreeMap<OutboxKey, Arc<Notice>>,
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
            self.chunks.retain(|(lane, _), _| !is_dropped(&lane.slo));
            self.lanes.retain(|lane, _| !is_dropped(&lane.slo));
            self.forgotten.retain(|lane, _| !is_dropped(&lane.slo));
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
        for (lane, newer) in newer.forgotten {
            self.forgotten.entry(lane).or_default().merge(newer);
        }
        self.outbox.extend(newer.outbox);
    }
}

/// What a start gets back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// All settled chunks.
    pub chunks: BTreeMap<(LaneKey, ChunkKey), Arc<Chunk>>,
    /// How far lanes without cursors are settled.
    pub lanes: BTreeMap<LaneKey, Timestamp>,
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
    /// Open measurement episodes.
    pub episodes: BTreeMap<EpisodeKey, Episode>,
}
