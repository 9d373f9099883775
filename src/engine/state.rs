//! The engine's memory between ticks: series and their cursors, ledgers, alerts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::domain::calendar::Calendar;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{AlertState, Incident};
use crate::domain::labels::Labels;
use crate::domain::measurement::Outcome;
use crate::domain::punctuality::Punctuality;
use crate::domain::slo::{Slo, SloId, SourceName};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::Ledger;
use crate::series::batch::Fetch;
use crate::series::cursor;
use crate::series::fetches::Fetches;
use crate::series::plan::{Family, Lane, Meter, MeterIndex, Plan, Towards};
use crate::series::roll::Roll;
use crate::series::seen::Sorter;
use crate::series::selection::Selection;
use crate::series::slices::Impossible;
use crate::series::starts::Starts;
use crate::series::table::{Edge, Lacking, SeriesTable};
use crate::series::terms::SidesSeen;
use crate::status::snapshot::{Doubled, IgnoredBirth, SeriesCount};
use crate::store::commit::{
    Episode, EpisodeKey, FamilyKey, FamilyRecord, LaneKey, LaneRecord, MeterKey, Recovered,
    WalkKey, WalkRecord,
};

use super::adopt::Shelf;
use super::blame::Blame;
use super::coverage::Coverage;
use super::groups::Groups;
use super::lanes::Seen;
use super::odd::Odd;
use super::promise::PromiseState;
use super::pushed::Pushed;
use super::settings::Settings;
use super::walks::{Beginning, Seam, Walk};

/// How many closed incidents are kept for readers.
pub const CLOSED_INCIDENTS: usize = 200;

/// Everything that the engine remembers.
#[derive(Debug)]
pub struct State {
    pub(super) settings: Settings,
    pub(super) plan: Arc<Plan>,
    pub(super) families: Vec<FamilyState>,
    pub(super) meters: Vec<MeterState>,
    pub(super) episodes: BTreeMap<EpisodeKey, Episode>,
    pub(super) closed: VecDeque<Arc<Incident>>,
    /// Alert states of objectives that are no longer defined; their incidents are to be closed.
    pub(super) orphans: BTreeMap<SloId, AlertState>,
    pub(super) sources: BTreeMap<SourceName, SourceState>,
    /// The first tick of this life.
    pub(super) first_tick: Option<Timestamp>,
    /// When the processes of each source's targets began.
    pub(super) starts: BTreeMap<SourceName, Starts>,
    pub(super) shelf: Shelf,
    /// What was kept before indicators were told apart, by whose it is: to be said to the store.
    pub(super) claims: BTreeMap<SloId, Fingerprint>,
    /// What lies before this was left in the store when this life began.
    pub(super) left_before: Timestamp,
    /// No chunk before this is needed any more.
    pub(super) forgotten: Option<Timestamp>,
    /// Something that windows need is still to be fetched from the store: walks wait for it.
    pub(super) fetching: bool,
    /// Definitions are new, so that windows may reach further back than what was counted.
    pub(super) reaches_unchecked: bool,
    /// Stretches of the past that were counted or are still to be, and those that are walked through now.
    pub(super) walked: BTreeMap<WalkKey, WalkRecord>,
    pub(super) walks: BTreeMap<WalkKey, Walk>,
    /// Those that were parted, in which the store still has them whole.
    pub(super) parted: BTreeMap<WalkKey, WalkRecord>,
    /// Lanes that are about to be counted live for the first time, and what their families were like then.
    pub(super) beginnings: Vec<Beginning>,
    pub(super) seams: BTreeMap<FamilyKey, Seam>,
    /// Whether a trace is kept, and how far back the past is counted for it.
    pub(super) traced: Option<Span>,
    pub(super) groups: Groups,
    pub(super) punctuality: Punctuality,
}

/// What was read of a source.
#[derive(Clone, Debug, Default)]
pub(super) struct SourceState {
    pub(super) last_good: Option<Timestamp>,
    pub(super) error: Option<String>,
    pub(super) queries: u64,
    pub(super) failures: u64,
    pub(super) samples: u64,
    /// A label by which alone some of its series differ, as those of replicas do that nobody told of.
    pub(super) twins: Option<&'static str>,
    /// First values that were not counted.
    pub(super) births_ignored: u64,
    /// The newest of them, oldest first.
    pub(super) births: VecDeque<IgnoredBirth>,
}

/// So many births that were left out are listed for each source.
const BIRTHS_LISTED: usize = 100;

impl SourceState {
    /// Counts births that were left out, and keeps the newest of them.
    pub(super) fn note_ignored(&mut self, ignored: &[(Labels, cursor::IgnoredBirth)]) {
        self.births_ignored += u64::try_from(ignored.len()).unwrap_or(u64::MAX);
        let births = ignored.iter().map(|(series, birth)| IgnoredBirth {
            series: series.clone(),
            at: birth.at,
            value: birth.value,
        });
        self.births.extend(births);
        let surplus = self.births.len().saturating_sub(BIRTHS_LISTED);
        self.births.drain(..surplus);
    }
}

/// One family: its series, and how far it was read.
#[derive(Debug)]
pub(super) struct FamilyState {
    /// How it is asked for, by what was learned of the answers.
    pub(super) fetches: Fetches,
    /// How the source sums it up, if it is too large to be fetched.
    pub(super) pushed: Option<Box<Pushed>>,
    /// How often in a row it was found too large.
    pub(super) too_large: u32,
    /// Its series are not known, though it was counted before: its next read shows where they stand.
    pub(super) unprimed: bool,
    /// What counts the series of queries that were refused as too much, and how often there is a sample.
    pub(super) census: BTreeMap<usize, Fetch>,
    pub(super) pace: Option<Fetch>,
    /// How often all of it was read.
    pub(super) reads: u64,
    pub(super) table: SeriesTable,
    /// Which selectors its series match; only of families that lanes without cursors read.
    pub(super) sorter: Sorter,
    /// All samples up to here are counted for good; only of families with counters.
    pub(super) settled_to: Option<Timestamp>,
    /// All samples up to here were read.
    pub(super) head_to: Option<Timestamp>,
    /// The usual distance of samples; zero when unknown.
    pub(super) interval: Span,
    /// The newest sample that counts towards the total of each meter, and its usual interval.
    pub(super) newest_totals: BTreeMap<MeterIndex, (Timestamp, Span)>,
    /// Values of its series that no counter has.
    pub(super) odd: Odd,
    /// How many living series count towards each meter.
    pub(super) living: BTreeMap<(usize, Towards), u64>,
    /// Living histograms without the bucket of a threshold, one of each meter.
    pub(super) lacking: BTreeMap<MeterIndex, Lacking>,
    /// How the last read failed, if it did.
    pub(super) failure: Option<(Outcome, String)>,
    /// By what its series were counted as far as they are settled, where that is not what selects
    /// them now: what else is new to us is not new-born.
    pub(super) selected: Option<Selection>,
}

/// What one instance counts, and what is promised of it.
#[derive(Debug)]
pub(super) struct MeterState {
    pub(super) key: MeterKey,
    pub(super) ledger: Ledger,
    pub(super) lanes: Vec<LaneState>,
    /// What is promised of it, in the order of the plan.
    pub(super) promises: Vec<PromiseState>,
    pub(super) series: SeriesCount,
    pub(super) bad_series_ever_seen: bool,
    /// Of which thresholds series were seen, on which side; only of counters.
    pub(super) sides: SidesSeen,
    /// Whether the store knows that.
    pub(super) seen_kept: bool,
    /// Which of its events count twice, if any were seen.
    pub(super) doubled: Option<Doubled>,
    /// The bucket boundaries that a histogram has, when the threshold is none of them.
    pub(super) boundaries: Option<Vec<String>>,
    /// Which series the bad events of late came from.
    pub(super) blame: Blame,
}

/// How far one lane is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LaneState {
    /// Whether it was counted live before, so that its past is counted or walked through.
    pub(super) begun: bool,
    /// Where an earlier life of it stopped, until it begins anew.
    pub(super) stopped: Option<Timestamp>,
    /// From when on it is counted, once its walks are done.
    pub(super) reach: Option<Timestamp>,
    /// What the store holds of it.
    pub(super) kept: Option<LaneRecord>,
    /// Slots up to here are final; only of lanes without cursors.
    pub(super) settled_to: Option<Timestamp>,
    /// Slots up to here are decided; only of lanes without cursors.
    pub(super) head_to: Option<Timestamp>,
    /// The end of the newest slice or value that is known; only of lanes without cursors.
    pub(super) known_to: Option<Timestamp>,
    /// Since when anything is known; only of lanes without cursors.
    pub(super) seen: Seen,
    /// The newest slot or slice that is not final and cannot be true; only of lanes without cursors.
    pub(super) impossible: Option<(Timestamp, Impossible)>,
    /// The time credited to settled slots.
    pub(super) settled: Coverage,
    /// The time credited to all slots.
    pub(super) head: Coverage,
}

impl State {
    /// A start from what the store kept.
    pub fn new(settings: Settings, plan: &Arc<Plan>, recovered: Recovered) -> Self {
        let mut chunks: BTreeMap<LaneKey, Vec<_>> = BTreeMap::new();
        for ((key, _), chunk) in recovered.chunks {
            chunks.entry(key).or_default().push(chunk);
        }
        let closed = recovered.closed.into_iter().map(Arc::new);
        let mut state = Self {
            settings,
            plan: Arc::default(),
            families: Vec::new(),
            meters: Vec::new(),
            episodes: recovered.episodes,
            closed: closed.take(CLOSED_INCIDENTS).collect(),
            orphans: recovered.alerts,
            sources: BTreeMap::new(),
            first_tick: None,
            starts: BTreeMap::new(),
            shelf: Shelf {
                chunks,
                lanes: recovered.lanes,
                seen: recovered.seen,
                versions: recovered.versions,
                families: recovered.families,
            },
            claims: BTreeMap::new(),
            left_before: Timestamp::EARLIEST,
            forgotten: None,
            fetching: false,
            reaches_unchecked: true,
            walked: recovered.walks,
            walks: BTreeMap::new(),
            parted: BTreeMap::new(),
            beginnings: Vec::new(),
            seams: BTreeMap::new(),
            traced: None,
            groups: Groups::of(recovered.groups),
            punctuality: Punctuality::default(),
        };
        state.adopt(plan);
        state
    }

    /// The same, which keeps a trace of all that it counts, and counts no more than `reach` of the
    /// past, in whole blocks: for whoever wants to know how a number came to be.
    #[must_use]
    pub fn traced(self, reach: Span) -> Self {
        let traced = Some(reach);
        Self { traced, ..self }
    }

    /// Whether the last tick could not read all of a source.
    pub(super) fn is_failing(&self, source: &SourceName) -> bool {
        let source = self.sources.get(source);
        source.is_some_and(|source| source.error.is_some())
    }
}

impl FamilyState {
    /// A family as the store kept it, if it did.
    pub(super) fn restore(settings: &Settings, roll: Roll, record: Option<FamilyRecord>) -> Self {
        let family = roll.family();
        let hint = settings
            .sources
            .get(&family.source)
            .and_then(|source| source.scrape_interval);
        let mut state = Self {
            fetches: family.fetches.clone(),
            pushed: None,
            too_large: 0,
            unprimed: false,
            census: BTreeMap::new(),
            pace: None,
            reads: 0,
            table: SeriesTable::default(),
            sorter: Sorter::default(),
            settled_to: None,
            head_to: None,
            interval: hint.unwrap_or_default(),
            newest_totals: BTreeMap::new(),
            odd: Odd::default(),
            living: BTreeMap::new(),
            lacking: BTreeMap::new(),
            failure: None,
            selected: Some(Selection::default()),
        };
        let Some(record) = record else {
            return state;
        };
        state.settled_to = Some(record.settled_to);
        state.select(&record.selection, family);
        if let Some(interval) = record.summed_every {
            state.unprimed = true;
            if family.may_be_summed() && settings.may_sum_up(&family.source) {
                let source = settings.sources.get(&family.source);
                let above = source.map_or(usize::MAX, |source| source.push_down_above);
                let series = u64::try_from(above).unwrap_or(u64::MAX);
                let pushed = Pushed::new(family, settings.slot, interval, series);
                (state.pushed, state.interval) = (Some(Box::new(pushed)), interval);
            }
        }
        for (target, at) in record.falls {
            state.table.restore_fall(target, at);
        }
        for (labels, cursor) in record.cursors {
            state.interval = state.interval.max(cursor.interval);
            state.table.restore(roll, &labels, cursor);
        }
        state
    }

    /// What the store is to keep of this family once `moved` series were settled.
    pub(super) fn record(&self, family: &Family, moved: &[usize]) -> FamilyRecord {
        // Sums have no cursors: where their series stand the source knows.
        let moved = if self.pushed.is_some() { &[] } else { moved };
        let cursors: BTreeMap<Labels, _> = moved
            .iter()
            .filter_map(|row| self.table.settled(*row))
            .map(|(labels, cursor)| (labels.clone(), cursor))
            .collect();
        FamilyRecord {
            selection: self.selected_by(family),
            settled_to: self.settled_to.unwrap_or_default(),
            summed_every: self.pushed.as_ref().map(|pushed| pushed.form.interval),
            falls: BTreeMap::new(),
            dropped: BTreeSet::new(),
            cursors,
        }
    }
}

/// The key under which the store keeps a family.
pub(super) fn family_key(family: &Family) -> FamilyKey {
    FamilyKey {
        source: family.source.clone(),
        metric: family.name().to_owned(),
    }
}

/// The edges of periods that no slot of a meter may reach over.
pub(super) fn calendars(meter: &Meter) -> Vec<Calendar> {
    let calendars = meter.promises().filter_map(|slo| slo.window.calendar());
    calendars.cloned().collect()
}

/// The key under which the store keeps what an objective counts.
pub(super) fn meter_key(slo: &Slo) -> MeterKey {
    MeterKey {
        slo: slo.counted_as.clone(),
        indicator: Fingerprint::of(&slo.indicator, &slo.source),
    }
}

impl MeterState {
    /// Takes note of a series that was seen.
    pub(super) fn note_edge(&mut self, edge: &Edge) {
        self.sides.note(edge.towards, edge.threshold);
        self.bad_series_ever_seen |= edge.towards == Towards::Part;
    }

    /// Takes note of series that were seen.
    pub(super) fn note_sides(&mut self, sides: SidesSeen) {
        self.sides.merge(sides);
        self.bad_series_ever_seen |= sides.has_part();
    }

    /// All slots and slices up to here are decided; `None` of counters, which are counted up to any
    /// moment.
    pub(super) fn decided_to(&self) -> Option<Timestamp> {
        self.lanes.iter().filter_map(|lane| lane.head_to).min()
    }

    pub(super) fn new(settings: &Settings, planned: &Meter) -> Self {
        let lanes = planned.lanes.len();
        let totals = |(number, lane): (u16, &Lane)| {
            matches!(lane, Lane::Counters { totals: true, .. }).then_some(number)
        };
        Self {
            key: meter_key(&planned.slo),
            ledger: Ledger::new(settings.slot, u16::try_from(lanes).unwrap_or(u16::MAX))
                .any_of((0..).zip(planned.lanes.iter()).filter_map(totals))
                .cut_at(calendars(planned)),
            lanes: vec![LaneState::default(); lanes],
            promises: planned
                .promises()
                .map(|_| PromiseState::default())
                .collect(),
            series: SeriesCount::default(),
            bad_series_ever_seen: false,
            sides: SidesSeen::default(),
            seen_kept: false,
            doubled: None,
            boundaries: None,
            blame: Blame::default(),
        }
    }
}
