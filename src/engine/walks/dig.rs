//! One chunk of the past: what to read for it, and what comes of that. It shares nothing with the
//! engine's state, so that it is worked on beside the ticks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::slices::MissingData;
use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::engine::counters::SERIES_KEPT;
use crate::engine::groups::{Found, split};
use crate::engine::intake::Answer;
use crate::engine::lanes::lane_slots;
use crate::engine::pushed::Summing;
use crate::series::batch::{Batch, Fetch, Series, within};
use crate::series::cursor::{Cursor, IgnoredBirth};
use crate::series::past::{Chunk, Family, Gained, LooseEnds, Sums, WantedLane};
use crate::series::plan::{FamilyIndex, Lane, LaneIndex, MeterIndex, Plan, Share, SloIndex};
use crate::series::replicas::merged;
use crate::series::seen::Sorter;
use crate::series::slices::missing::{Behind, decided_past};
use crate::series::slices::noted::Noted;
use crate::series::slices::{Judged, Slices};
use crate::series::starts::Starts;
use crate::series::table::{usual_interval, usual_within};
use crate::series::trace::Trace;
use crate::store::commit::{WalkKey, WalkedFamily};

/// Slices are judged in pieces of this length, or one by one: each looks at all samples that it is given.
const PIECE: Span = Span::from_hours(1);

/// What to read of the past, and all that is needed to make slots of it.
#[derive(Clone, Debug)]
pub struct Dig {
    pub(super) key: WalkKey,
    pub(super) source: SourceName,
    pub(super) chunk: Chunk,
    pub(super) plan: Arc<Plan>,
    pub(super) slot: Span,
    pub(super) lanes: Vec<WantedLane>,
    pub(super) families: Vec<(FamilyIndex, WalkedFamily)>,
    pub(super) goal: Timestamp,
    /// What is known of the slices behind the chunk's end, for lanes in which missing ones count.
    pub(super) behind: BTreeMap<LaneIndex, Behind>,
    /// Where the starts of processes are read, if counters are counted.
    pub(super) starts: Option<FamilyIndex>,
    /// Whether a trace is kept.
    pub(super) is_traced: bool,
    /// The labels by which replicas are told apart.
    pub(super) replica_labels: Vec<String>,
    /// How the source sums each family up, where it does.
    pub(super) summed: Option<Vec<Summing>>,
    /// What is read of the targets of series that begin or return, with the family's place.
    pub(super) raw: Vec<(usize, Fetch, TimeRange)>,
    /// What is asked of the time before that, likewise.
    pub(super) earlier: Vec<(usize, Fetch, TimeRange)>,
}

/// What a chunk of the past held.
#[derive(Debug)]
pub struct Dug {
    pub(super) key: WalkKey,
    pub(super) plan: Arc<Plan>,
    pub(super) chunk: Chunk,
    /// The groups without meters that it shows.
    pub(super) found: BTreeSet<Found>,
    /// Those of them that it counted, in the order of their numbers behind the plan's meters.
    pub(super) numbered: Vec<Found>,
    pub(super) gained: Vec<Gained>,
    /// In the order of the walk's families.
    pub(super) loose: Vec<LooseEnds>,
    pub(super) ends: Vec<(FamilyIndex, Vec<(Labels, Cursor)>)>,
    pub(super) ignored: Vec<(Labels, IgnoredBirth)>,
    /// What is known of the slices before, for lanes in which missing ones count.
    pub(super) behind: BTreeMap<LaneIndex, Behind>,
    pub(super) queries: u64,
    pub(super) samples: u64,
    pub(in crate::engine) trace: Option<Trace>,
}

impl Dig {
    /// Whose walk it is a part of.
    pub fn key(&self) -> &WalkKey {
        &self.key
    }

    /// Whom to ask.
    pub fn source(&self) -> &SourceName {
        &self.source
    }

    /// Which part of the past it counts.
    pub fn counted(&self) -> TimeRange {
        self.chunk.counted
    }

    /// What to ask: one answer is due for each, in this order.
    pub fn reads(&self) -> impl Iterator<Item = (&Fetch, TimeRange)> {
        let families = self.families.iter().map(|(index, _)| *index);
        let read = |index: FamilyIndex| {
            let family = &self.plan.families[index];
            (&family.fetch, family.asked(self.chunk.read()))
        };
        let samples = families.filter(|_| self.summed.is_none());
        let sums = self.summed.iter().flatten().flat_map(Summing::reads);
        sums.chain(samples.chain(self.starts).map(read))
    }

    /// Makes slots of the answers.
    pub fn count(mut self, batches: Vec<Batch>) -> Dug {
        if let Some(summing) = self.summed.take() {
            return self.count_summed(&summing, &batches);
        }
        let ago = |index: &FamilyIndex| self.plan.families[*index].ago;
        let families = self.families.iter().map(|(index, _)| index);
        let delays = families.chain(&self.starts).map(ago);
        let batches = batches.into_iter().zip(delays);
        let batches: Vec<Batch> = batches.map(|(batch, ago)| batch.delayed(ago)).collect();
        if self.replica_labels.is_empty() {
            return self.count_merged(&batches);
        }
        let intervals = self.families.iter().map(|(_, walked)| walked.interval);
        let intervals = intervals.chain(std::iter::repeat(Span::ZERO));
        let merge = |(batch, interval): (&Batch, Span)| {
            let interval = usual_interval(batch).unwrap_or(interval);
            merged(batch, &self.replica_labels, interval)
        };
        let batches: Vec<Batch> = batches.iter().zip(intervals).map(merge).collect();
        self.count_merged(&batches)
    }

    /// What a chunk held of which nothing was counted yet.
    pub(super) fn nothing(&self, batches: &[Batch]) -> Dug {
        Dug {
            key: self.key.clone(),
            plan: Arc::clone(&self.plan),
            chunk: self.chunk,
            found: BTreeSet::new(),
            numbered: Vec::new(),
            gained: Vec::new(),
            loose: Vec::new(),
            ends: Vec::new(),
            ignored: Vec::new(),
            behind: BTreeMap::new(),
            queries: u64::try_from(batches.len()).unwrap_or(u64::MAX),
            samples: 0,
            trace: None,
        }
    }

    fn count_merged(mut self, batches: &[Batch]) -> Dug {
        let plan = Arc::clone(&self.plan);
        let indices = self.families.iter().map(|(index, _)| *index);
        let shown = indices.zip(batches).flat_map(|(index, batch)| {
            let series = batch.series();
            series.map(move |series| (index, series.labels))
        });
        let found = self.find_groups(shown);
        let numbered = self.number(&found);
        let mut sums = Sums::new(&self.lanes, self.chunk.counted, self.slot);
        if self.is_traced {
            sums = sums.traced();
        }
        let mut dug = Dug {
            plan,
            found,
            numbered,
            ..self.nothing(batches)
        };
        let starts = self.starts.and(batches.last()).map(|batch| {
            let mut starts = Starts::default();
            starts.note(batch, self.chunk.read());
            starts
        });
        for ((index, walked), batch) in self.families.iter().zip(batches) {
            self.count_family(
                (*index, walked),
                batch,
                starts.as_ref(),
                &mut sums,
                &mut dug,
            );
        }
        dug.behind = self.judge_slices(batches, &mut sums);
        dug.trace = sums.take_trace().map(|trace| self.trace(trace, batches));
        dug.gained = sums.into_gained().collect();
        dug
    }

    /// What was counted, together with what was read for it.
    fn trace(&self, mut trace: Trace, batches: &[Batch]) -> Trace {
        let indices = self.families.iter().map(|(index, _)| *index);
        for (index, (asked, batch)) in indices.chain(self.starts).zip(self.reads().zip(batches)) {
            let planned = &self.plan.families[index];
            trace.note_read((index, planned), asked, batch, planned.ago);
        }
        trace
    }

    fn count_family(
        &self,
        (index, walked): (FamilyIndex, &WalkedFamily),
        batch: &Batch,
        starts: Option<&Starts>,
        sums: &mut Sums,
        dug: &mut Dug,
    ) {
        let family = Family {
            index,
            roll: self.plan.roll(index),
            interval: walked.interval,
            kept: SERIES_KEPT,
            starts,
        };
        let mut loose = walked.loose.clone();
        let counted = family.count(&self.chunk, batch, &mut loose, sums);
        let reached = self.chunk.counted.from;
        if reached <= self.goal {
            family.join_older(&walked.older, &mut loose, sums);
        }
        let settled = family.settle(&mut loose, reached, self.goal, sums);
        for ignored in [counted.ignored, settled] {
            sums.note_ignored(index, &ignored);
            dug.ignored.extend(ignored);
        }
        dug.samples += counted.samples;
        dug.ends.push((index, counted.ends));
        dug.loose.push(loose);
    }

    /// The groups that answers show by their series, and for which there is no meter: of those objectives all
    /// events of which are counted here.
    pub(super) fn find_groups<'l>(
        &self,
        shown: impl Iterator<Item = (FamilyIndex, LabelsRef<'l>)>,
    ) -> BTreeSet<Found> {
        let lanes = self.lanes.iter().map(|wanted| wanted.lane);
        let wholes = lanes.filter(|(meter, _)| {
            let share = &self.plan.meters[*meter].share;
            matches!(share, Share::Whole { .. })
        });
        let wholes: Vec<LaneIndex> = wholes.collect();
        let slos: BTreeSet<SloIndex> = wholes
            .iter()
            .map(|(meter, _)| self.plan.meters[*meter].of)
            .collect();
        let mut found = BTreeSet::new();
        if slos.is_empty() {
            return found;
        }
        for (family, labels) in shown {
            let counted = self.plan.roll(family).strangers(labels);
            found.extend(counted.filter(|(of, _)| slos.contains(of)));
            for (meter, lane) in &wholes {
                let of = self.plan.meters[*meter].of;
                let members = self.plan.members(of);
                let is_read = self.plan.reads((*meter, *lane), family, labels);
                let group = is_read.then(|| members.group_of(labels));
                let group = group.filter(|group| !members.groups.contains_key(group));
                found.extend(group.map(|group| (of, group)));
            }
        }
        found
    }

    /// Gives groups numbers behind those of the plan, as many as their objectives may have, and
    /// counts them too.
    pub(super) fn number(&mut self, found: &BTreeSet<Found>) -> Vec<Found> {
        let mut room: BTreeMap<SloIndex, usize> = BTreeMap::new();
        let mut numbered: Vec<Found> = Vec::new();
        for (of, labels) in found {
            let members = self.plan.members(*of);
            let most = self.plan.slos[*of].grouping().map_or(0, |it| it.most);
            let room = room
                .entry(*of)
                .or_insert(most.saturating_sub(members.groups.len()));
            if *room > 0 {
                *room -= 1;
                numbered.push((*of, labels.clone()));
            }
        }
        let first = self.plan.meters.len();
        let groups = numbered.iter().map(|(of, labels)| (*of, labels));
        self.plan = Arc::new(self.plan.with_groups(groups));
        for (meter, (of, _)) in (first..).zip(&numbered) {
            let whole = self.plan.members(*of).whole;
            let lanes = self.lanes.iter().map(|wanted| wanted.lane);
            let lanes: Vec<usize> = lanes
                .filter(|(of, _)| *of == whole)
                .map(|(_, lane)| lane)
                .collect();
            let wanted = lanes
                .into_iter()
                .map(|lane| wanted(&self.plan, (meter, lane), true));
            self.lanes.extend(wanted);
        }
        numbered
    }

    /// Lanes without counters: their slices and values are judged from the samples at once.
    fn judge_slices(&self, batches: &[Batch], sums: &mut Sums) -> BTreeMap<LaneIndex, Behind> {
        let mut behind = self.behind.clone();
        let mut sorters: BTreeMap<FamilyIndex, Sorter> = BTreeMap::new();
        let mut lanes: BTreeMap<(SloIndex, usize), Vec<MeterIndex>> = BTreeMap::new();
        for WantedLane { lane, .. } in &self.lanes {
            let of = self.plan.meters[lane.0].of;
            if !matches!(self.plan.lane(*lane), Lane::Counters { .. }) {
                lanes.entry((of, lane.1)).or_default().push(lane.0);
            }
        }
        for ((of, number), meters) in lanes {
            let lane = &self.plan.slos[of].lanes[number];
            let grain = lane.slice().unwrap_or(self.slot);
            let mut judged: BTreeMap<MeterIndex, Slices<Judged>> = BTreeMap::new();
            let mut noted = Noted::when(self.is_traced && lane.slice().is_some());
            let length = PIECE.max(grain);
            let mut from = self.chunk.counted.from;
            while from < self.chunk.counted.to {
                // However chunks are cut, pieces are the same.
                let to = self.chunk.counted.to.min((from + length).floor_to(length));
                let range = TimeRange {
                    // Slices that end in the piece are judged with it, wherever they begin.
                    from: from.floor_to(grain),
                    to,
                };
                let pieces = self.judge_piece(
                    (of, lane),
                    &meters,
                    range,
                    batches,
                    &mut sorters,
                    &mut noted,
                );
                for (meter, slices) in pieces {
                    judged.entry(meter).or_default().extend(slices);
                }
                from = to;
            }
            for (meter, judged) in judged {
                let place = (meter, number);
                let known = self.behind.get(&place).copied();
                let known = known.unwrap_or(Behind::Unseen(None));
                let missing = self.plan.meters[meter].missing(number);
                let (slots, known) = decided_past(&judged, missing, known, grain);
                sums.add_slices(place, grain, &slots);
                noted.turn_to(self.plan.meters[meter].group());
                noted.counted(&slots);
                if missing != MissingData::Hold {
                    behind.insert(place, known);
                }
            }
            sums.note_slices(noted);
        }
        behind
    }

    /// One lane of some meters of an objective, over a part of the chunk.
    fn judge_piece(
        &self,
        (of, lane): (SloIndex, &Lane),
        meters: &[MeterIndex],
        range: TimeRange,
        batches: &[Batch],
        sorters: &mut BTreeMap<FamilyIndex, Sorter>,
        noted: &mut Noted,
    ) -> Vec<(MeterIndex, Slices<Judged>)> {
        let grain = lane.slice().unwrap_or(self.slot);
        // As it was there and then, if samples were further apart than they are now.
        let usual = |((index, walked), batch): (&(FamilyIndex, WalkedFamily), &Batch)| {
            let then = usual_within(batch, range).unwrap_or_default();
            (*index, then.max(walked.interval))
        };
        let intervals = self.families.iter().zip(batches).map(usual);
        let intervals: BTreeMap<FamilyIndex, Span> = intervals.collect();
        let interval = |family| intervals.get(&family).copied().unwrap_or_default();
        let longest = intervals.values().copied().max().unwrap_or_default();
        let seen = TimeRange {
            from: range.from - super::lookback(longest, grain),
            to: range.to,
        };
        let pieces: Vec<(FamilyIndex, Batch)> = self
            .families
            .iter()
            .zip(batches)
            .filter(|((index, _), _)| lane.families().contains(index))
            .map(|((index, _), batch)| (*index, piece(batch, seen)))
            .collect();
        let mut complete = BTreeMap::new();
        for (index, batch) in &pieces {
            let planned = &self.plan.families[*index];
            let sorter = sorters.entry(*index).or_default();
            let answer = Answer {
                range: seen,
                batch,
                summed: None,
                sorted: planned.is_read.then(|| sorter.sort(planned, batch)),
            };
            complete.insert(*index, answer);
        }
        let parts = split::parts(lane, &self.plan.members(of).by, &complete);
        let empty = Batch::default();
        let judge = |meter: &MeterIndex| {
            let group = self.plan.meters[*meter].group();
            noted.turn_to(group);
            let slots = match group {
                None => lane_slots(lane, range, self.slot, &interval, &complete, noted),
                Some(labels) => {
                    let own = split::answers_of(lane, parts.get(labels), &empty, &complete);
                    lane_slots(lane, range, self.slot, &interval, &own, noted)
                }
            };
            (*meter, slots)
        };
        meters.iter().map(judge).collect()
    }
}

/// What a walk counts of a lane; `follows` says that another one tells when it was measured.
pub(super) fn wanted(plan: &Plan, lane: LaneIndex, follows: bool) -> WantedLane {
    let part_of = match plan.lane(lane) {
        Lane::Counters {
            family,
            totals: false,
        } => Some(*family),
        _ => None,
    };
    WantedLane {
        lane,
        part_of,
        follows,
    }
}

/// The samples of a batch that lie in a range.
fn piece(batch: &Batch, range: TimeRange) -> Batch {
    let cut = |series: Series<'_>| {
        let samples = within(series.samples, range);
        (series.labels.to_labels(), samples.to_vec())
    };
    batch.series().map(cut).collect()
}
