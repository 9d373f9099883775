//! Where walks begin: when an objective is counted live for the first time, and when so much was
//! missed that reading all of it would hold up the alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::labels::Labels;
use crate::domain::slices::MissingData;
use crate::domain::slo::SourceName;
use crate::domain::time::{Span, Timestamp};
use crate::engine::counters::SERIES_KEPT;
use crate::engine::intake::Answer;
use crate::engine::lanes::Seen;
use crate::engine::state::{State, family_key};
use crate::series::batch::{Batch, Sample};
use crate::series::cursor::Cursor;
use crate::series::past::{LaneIndex, LooseEnd, LooseEnds};
use crate::series::plan::FamilyIndex;
use crate::series::selection::Selection;
use crate::series::slices::missing::Behind;
use crate::store::commit::{Commit, FamilyKey, LaneKey, WalkKey, WalkRecord, WalkedFamily};

use super::{FIRST_LENGTH, SAMPLES, SHORTEST, Walk, Way};

/// A lane whose live counting begins.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Beginning {
    pub(in crate::engine) lane: LaneIndex,
    /// What is newer is counted live.
    pub(in crate::engine) seam: Timestamp,
    /// Where an earlier life of it stopped, if there was one.
    pub(in crate::engine) stopped: Option<Timestamp>,
}

/// What a family's series were like where its live counting began.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Seam {
    /// First samples that live counting took as given.
    pub(in crate::engine) loose: LooseEnds,
    /// Where the series stood when an earlier life stopped.
    pub(in crate::engine) older: BTreeMap<Labels, Cursor>,
}

/// Lanes that walk together, since they read the same families.
struct Company {
    lanes: Vec<LaneIndex>,
    families: BTreeSet<FamilyIndex>,
    seam: Timestamp,
    stopped: Option<Timestamp>,
}

impl State {
    /// Gives up reading on from where it stopped for families that are so far behind that it would
    /// take more than one read: they begin anew at the present, and the time between is walked
    /// through backwards.
    pub fn leap(&mut self, at: Timestamp) {
        for family in 0..self.families.len() {
            let source = &self.plan.families[family].source;
            if !self.has_fallen_behind((source, Span::ZERO), self.families[family].settled_to, at) {
                continue;
            }
            let state = &mut self.families[family];
            let stopped = state.settled_to.take();
            let older = state.table.take_settled();
            // The rows of sums are no series.
            let older = if state.pushed.is_some() {
                BTreeMap::new()
            } else {
                older
            };
            (state.head_to, state.newest_totals) = (None, BTreeMap::new());
            state.selected = Some(Selection::default());
            state.unprimed = false;
            let key = family_key(&self.plan.families[family]);
            self.forget_loose(&key, stopped);
            self.seams.entry(key).or_default().older = older;
            for (meter, lane) in self.counter_lanes(family) {
                self.restart_lane((meter, lane), stopped);
            }
        }
        for meter in 0..self.meters.len() {
            for lane in 0..self.meters[meter].lanes.len() {
                let settled_to = self.meters[meter].lanes[lane].settled_to;
                let source = &self.plan.meters[meter].slo.source;
                let grain = self.grain((meter, lane));
                if self.has_fallen_behind((source, grain), settled_to, at) {
                    self.restart_lane((meter, lane), settled_to);
                }
            }
        }
    }

    /// Lets walks that began where the counting of a family `stopped` wait no longer for what its first samples add to
    /// what is older: they are counted again with what was missed.
    fn forget_loose(&mut self, family: &FamilyKey, stopped: Option<Timestamp>) {
        let began_there = |(_, walk): &(&WalkKey, &mut Walk)| Some(walk.record.seam) == stopped;
        for (key, walk) in self.walks.iter_mut().filter(began_there) {
            walk.record.forget_live(|it| it == family);
            self.walked.insert(key.clone(), walk.record.clone());
            self.parted.insert(key.clone(), walk.record.clone());
        }
    }

    /// Whether what was settled is too far behind to be read on from, and its past can be walked through.
    fn has_fallen_behind(
        &self,
        (source, grain): (&SourceName, Span),
        settled_to: Option<Timestamp>,
        at: Timestamp,
    ) -> bool {
        let is_behind = |to| self.settings.is_behind((source, grain), to, at);
        self.has_past(source) && settled_to.is_some_and(is_behind)
    }

    /// Whether the past of a source may be read. Else what was missed is known from the counters alone.
    pub(in crate::engine) fn has_past(&self, source: &SourceName) -> bool {
        let source = self.settings.sources.get(source);
        source.is_some_and(|source| source.backfill_percent > 0)
    }

    fn restart_lane(&mut self, (meter, lane): LaneIndex, stopped: Option<Timestamp>) {
        let number = u16::try_from(lane).unwrap_or(u16::MAX);
        let meter = &mut self.meters[meter];
        meter.ledger.clear_provisional(number);
        let state = &mut meter.lanes[lane];
        let stopped = state.begun.then_some(stopped).flatten().or(state.stopped);
        if let Some(stopped) = stopped {
            meter.ledger.drop_after(number, stopped);
        }
        *state = super::super::state::LaneState {
            stopped,
            reach: state.reach,
            kept: state.kept,
            seen: state.seen.before(),
            ..Default::default()
        };
    }

    /// Takes note that the counters of a family are about to be counted live from a seam on, for lanes
    /// of which that is the first time. `answer` is what was read; what series that nobody looked at
    /// before begin with in it is given, up to a time.
    pub(in crate::engine) fn begin_counters(
        &mut self,
        family: FamilyIndex,
        (seam, given_to): (Timestamp, Timestamp),
        answer: &Answer,
    ) {
        let lanes = self.counter_lanes(family);
        let is_new = |(meter, lane): &LaneIndex| !self.meters[*meter].lanes[*lane].begun;
        let new: Vec<LaneIndex> = lanes.into_iter().filter(is_new).collect();
        if new.is_empty() {
            return;
        }
        let state = &self.families[family];
        let before = state.selected.as_ref().map(|it| it.until(given_to));
        let mut loose = LooseEnds::new();
        // Of sums the first step builds on a sample before it, which is no loose end.
        let samples = answer.summed.is_none().then_some(answer.batch);
        let series = samples.into_iter().flat_map(Batch::series);
        for series in series {
            let is_first = |sample: &&Sample| sample.at > seam && sample.is_count();
            if let Some(first) = series.samples.iter().find(is_first)
                && state.table.is_given(&series, first.at, before)
            {
                let end = LooseEnd {
                    first: *first,
                    judgement: None,
                };
                loose.insert(series.labels.to_labels(), end);
            }
        }
        let key = family_key(&self.plan.families[family]);
        self.seams.entry(key).or_default().loose = loose;
        for lane in new {
            self.begin_lane(lane, seam);
        }
    }

    /// Takes note that a lane is about to be counted live for the first time.
    pub(in crate::engine) fn begin_lane(&mut self, (meter, lane): LaneIndex, seam: Timestamp) {
        let state = &mut self.meters[meter].lanes[lane];
        state.begun = true;
        self.beginnings.push(Beginning {
            lane: (meter, lane),
            seam,
            stopped: state.stopped.take(),
        });
    }

    /// Lets the lanes that began at this tick walk through their past.
    pub(in crate::engine) fn open_walks(&mut self, commit: &mut Commit) {
        let beginnings = std::mem::take(&mut self.beginnings);
        if beginnings.is_empty() {
            return;
        }
        let seams = std::mem::take(&mut self.seams);
        for company in self.companies(beginnings) {
            let seam = company.seam;
            self.open(company, seam, &seams, commit);
        }
    }

    /// Lets lanes walk on from where they were counted to, to where their windows begin at `at`.
    pub(in crate::engine) fn walk_on(
        &mut self,
        further: Vec<Beginning>,
        at: Timestamp,
        commit: &mut Commit,
    ) {
        for company in self.companies(further) {
            self.open(company, at, &BTreeMap::new(), commit);
        }
    }

    /// Begins the walk of a company, to where the windows of its lanes begin at `at`.
    fn open(
        &mut self,
        company: Company,
        at: Timestamp,
        seams: &BTreeMap<FamilyKey, Seam>,
        commit: &mut Commit,
    ) {
        let lanes = company.lanes.clone();
        let stopped = company.stopped;
        if let Some((key, walk)) = self.walk(company, at, seams) {
            for (meter, lane) in lanes {
                let wanted = self.wanted_from(meter, at);
                let reach = &mut self.meters[meter].lanes[lane].reach;
                // Behind where an earlier life stopped, that life knows how far it was counted.
                if stopped.is_none_or(|stopped| stopped <= wanted) {
                    *reach = Some(wanted);
                }
                // With the walk in one commit, so that no other life walks there again.
                let reach = *reach;
                if let Some(kept) = &mut self.meters[meter].lanes[lane].kept {
                    kept.reach = reach;
                    let record = *kept;
                    commit.lanes.insert(self.lane_key(meter, lane), record);
                }
            }
            self.walked.insert(key.clone(), walk.record.clone());
            commit.walks.insert(key.clone(), walk.record.clone());
            if !walk.is_done() {
                self.walks.insert(key, walk);
            }
        }
    }

    fn companies(&self, beginnings: Vec<Beginning>) -> Vec<Company> {
        let mut companies: Vec<Company> = Vec::new();
        // Which company reads a family, of those that begin and stopped together.
        let mut hosts: BTreeMap<(Timestamp, Option<Timestamp>, FamilyIndex), usize> =
            BTreeMap::new();
        for Beginning {
            lane,
            seam,
            stopped,
        } in beginnings
        {
            let families = self.plan.meters[lane.0].lanes[lane.1].families();
            let found = families
                .iter()
                .filter_map(|family| hosts.get(&(seam, stopped, *family)).copied());
            let found: BTreeSet<usize> = found.collect();
            let mut found = found.into_iter();
            let host = found.next().unwrap_or(companies.len());
            if host == companies.len() {
                companies.push(Company {
                    lanes: Vec::new(),
                    families: BTreeSet::new(),
                    seam,
                    stopped,
                });
            }
            let mut families: BTreeSet<FamilyIndex> = families.into_iter().collect();
            for guest in found {
                let lanes = std::mem::take(&mut companies[guest].lanes);
                companies[host].lanes.extend(lanes);
                families.append(&mut companies[guest].families);
            }
            for family in &families {
                hosts.insert((seam, stopped, *family), host);
            }
            companies[host].lanes.push(lane);
            companies[host].families.append(&mut families);
        }
        companies.retain(|company| !company.lanes.is_empty());
        companies
    }

    fn walk(
        &self,
        company: Company,
        at: Timestamp,
        seams: &BTreeMap<FamilyKey, Seam>,
    ) -> Option<(WalkKey, Walk)> {
        let first = *company.families.first()?;
        let source = self.plan.families[first].source.clone();
        if !self.has_past(&source) {
            return None;
        }
        let windows = company.lanes.iter();
        let window = windows
            .map(|(meter, _)| self.wanted_from(*meter, at))
            .min()?;
        let family = |index: &FamilyIndex| {
            let key = family_key(&self.plan.families[*index]);
            let seam = seams.get(&key).cloned().unwrap_or_default();
            WalkedFamily {
                key,
                interval: self.families[*index].interval,
                loose: seam.loose,
                older: company.stopped.map(|_| seam.older).unwrap_or_default(),
            }
        };
        let lanes = company.lanes.iter();
        let keys = lanes.map(|(meter, lane)| self.lane_key(*meter, *lane));
        let lanes: Vec<LaneKey> = keys.collect();
        let mut behind = BTreeMap::new();
        for ((meter, lane), key) in company.lanes.iter().zip(&lanes) {
            let missing = self.plan.meters[*meter].missing(*lane);
            // What an earlier life measured was there: what is empty since then is missing.
            let was_seen = self.meters[*meter].lanes[*lane].seen == Seen::Before;
            if company.stopped.is_some() && was_seen && missing != MissingData::Hold {
                behind.insert(key.clone(), Behind::Seen);
            }
        }
        let record = WalkRecord {
            lanes,
            behind,
            families: company.families.iter().map(family).collect(),
            seam: company.seam,
            goal: company
                .stopped
                .map_or(window, |stopped| stopped.max(window)),
            reached: company.seam,
        };
        let lane = record.lanes.iter().min()?;
        let LaneKey { meter, lane } = lane;
        let (slo, indicator) = (&meter.slo, meter.indicator.bits());
        let key = WalkKey(format!("{slo}/{lane} {indicator:016x} {}", record.seam));
        let walk = Walk {
            source,
            lanes: company.lanes,
            length: self.first_length(&record.families, &company.families),
            way: Way::Samples,
            families: company.families.into_iter().collect(),
            record,
        };
        Some((key, walk))
    }

    /// From where on the past of an objective is counted that is looked at, or counted live, from
    /// `seam` on: that of its whole window and of all tiers, or of what is to be explained.
    pub(in crate::engine) fn past_from(&self, meter: usize, seam: Timestamp) -> Timestamp {
        if let Some(reach) = self.traced {
            return seam - reach;
        }
        let planned = &self.plan.meters[meter];
        let tiers = seam - self.plan.slos[planned.of].longest_tier;
        let windows = planned.promises().map(|slo| slo.window.range(seam).from);
        windows.fold(tiers, Timestamp::min)
    }

    /// How long the first chunk is, by the series that are known and how often they are sampled.
    fn first_length(&self, walked: &[WalkedFamily], families: &BTreeSet<FamilyIndex>) -> Span {
        let hour = Span::from_hours(1).as_millis();
        let samples = walked.iter().zip(families).map(|(walked, family)| {
            let series = i64::try_from(self.families[*family].series()).unwrap_or(i64::MAX);
            series.saturating_mul(hour / walked.interval.as_millis().max(1_000))
        });
        let an_hour = samples.fold(1, i64::saturating_add);
        Span::from_millis(hour * SAMPLES / an_hour).clamp(SHORTEST, FIRST_LENGTH)
    }

    /// Lets live counting know of series that it has not seen: should they come back, they are not new-born.
    pub(super) fn learn(
        &mut self,
        family: FamilyIndex,
        ends: Vec<(Labels, Cursor)>,
        commit: &mut Commit,
    ) {
        let Some(settled_to) = self.families[family].settled_to else {
            return;
        };
        if self.families[family].pushed.is_some() {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let planned = &plan.families[family];
        let mut learned = Vec::new();
        for (labels, cursor) in ends {
            if settled_to.since(cursor.at) <= SERIES_KEPT {
                let table = &mut self.families[family].table;
                learned.extend(table.learn(plan.roll(family), &labels, cursor));
            }
        }
        if !learned.is_empty() {
            let record = self.families[family].record(planned, &learned);
            match commit.families.entry(family_key(planned)) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(record);
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    entry.get_mut().merge(record);
                }
            }
        }
    }
}
