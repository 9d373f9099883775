//! Walks through the past: what is to be counted from before live counting began, newest first,
//! chunk by chunk. A walk goes back to the start of its objectives' windows, or to where an earlier
//! life stopped; what it reached is kept with every chunk, so that a restart goes on there.

mod adopt;
mod begin;
pub mod dig;
mod summed;

#[cfg(test)]
pub(in crate::engine) mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::labels::Labels;
use crate::domain::slo::SourceName;
use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::cursor::{IgnoredBirth, validity};
use crate::series::past::{Chunk, Gained, LaneIndex};
use crate::series::plan::{FamilyIndex, MeterIndex, Plan, SloIndex};
use crate::series::terms::SidesSeen;
use crate::status::snapshot::Backfill;
use crate::store::commit::{Commit, LaneKey, WalkKey, WalkRecord};

use super::pushed::Summing;
use super::state::State;
use super::step::hand_over;
use dig::{Dig, Dug};

pub(super) use begin::{Beginning, Seam};

/// So many samples one chunk holds at most, as far as that can be known beforehand.
const SAMPLES: i64 = 4_000_000;
const FIRST_LENGTH: Span = Span::from_hours(6);
const SHORTEST: Span = Span::from_mins(30);
const LONGEST: Span = Span::from_hours(24);

/// One stretch of the past.
#[derive(Debug)]
pub(super) struct Walk {
    source: SourceName,
    lanes: Vec<LaneIndex>,
    /// In the order of the record's.
    families: Vec<FamilyIndex>,
    record: WalkRecord,
    /// How long the next chunk is.
    length: Span,
    way: Way,
}

/// How a walk reads its next chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By samples.
    Samples,
    /// By the samples of one block, before the source sums up: what was counted last begins with samples that build on
    /// older ones, of which sums do not tell.
    Seam,
    /// Not even the shortest chunk of samples could be read: the source sums it up.
    Sums,
}

impl Walk {
    fn has_loose_ends(&self) -> bool {
        let mut families = self.record.families.iter();
        families.any(|family| !family.loose.is_empty())
    }

    fn is_done(&self) -> bool {
        self.record.is_done()
    }

    /// The next chunk: its start lies on the grid, and the last one ends at the goal.
    fn chunk(&self, grid: Span, longest_slice: Span) -> Chunk {
        let to = self.record.reached;
        let length = match self.way {
            Way::Seam => grid,
            // Each chunk is read with a slice before it, so a shorter one would save nothing.
            Way::Samples | Way::Sums => self.length.max(longest_slice),
        };
        let from = (to - length).floor_to(grid).max(self.record.goal);
        let margins = self.record.families.iter().map(|family| {
            let lookback = lookback(family.interval, longest_slice);
            Chunk::margin(grid, family.interval).max(Chunk::whole(grid, lookback))
        });
        Chunk {
            counted: TimeRange { from, to },
            margin: margins.max().unwrap_or(grid),
            grid,
        }
    }

    /// Chooses the next chunk's length by what the last one held.
    fn adapt(&mut self, read: Span, samples: u64) {
        let samples = i64::try_from(samples).unwrap_or(i64::MAX).max(1);
        let fits = read.as_millis().saturating_mul(SAMPLES) / samples;
        let length = Span::from_millis(fits.min(self.length.as_millis() * 2));
        self.length = length.clamp(SHORTEST, LONGEST);
    }
}

/// How far before its end a slice looks.
fn lookback(interval: Span, slice: Span) -> Span {
    validity(interval) + slice
}

impl State {
    /// The sources that have something of the past left to count.
    pub fn behind(&self) -> impl Iterator<Item = &SourceName> {
        let walks = self.walks.values().filter(|_| !self.fetching);
        walks.map(|walk| &walk.source)
    }

    /// What to read next of a source's past: the newest that is missing.
    pub fn next_dig(&self, source: &SourceName) -> Option<Dig> {
        let own = self.walks.iter().filter(|(_, walk)| walk.source == *source);
        let own = own.filter(|_| !self.fetching);
        let (key, walk) = own.max_by_key(|(_, walk)| walk.record.reached)?;
        let chunk = walk.chunk(self.settings.settle_grid(source), self.longest_slice(walk));
        let wanted = |lane: &LaneIndex| {
            let whole = self.plan.measured_with(lane.0);
            let follows = whole.is_some_and(|whole| walk.lanes.contains(&(whole, lane.1)));
            dig::wanted(&self.plan, *lane, follows)
        };
        let mut walked = walk.record.families.clone();
        let goal = if walk.way == Way::Seam {
            // Samples are walked through no further, so that no end may stay loose.
            for family in &mut walked {
                family.older.clear();
            }
            chunk.counted.from
        } else {
            walk.record.goal
        };
        let families = walk.families.iter().copied().zip(walked);
        Some(Dig {
            key: key.clone(),
            source: source.clone(),
            chunk,
            plan: Arc::clone(&self.plan),
            slot: self.settings.slot,
            lanes: walk.lanes.iter().map(wanted).collect(),
            families: families.collect(),
            goal,
            behind: walk
                .lanes
                .iter()
                .filter_map(|lane| {
                    Some((
                        *lane,
                        *walk.record.behind.get(&self.lane_key(lane.0, lane.1))?,
                    ))
                })
                .collect(),
            is_traced: self.traced.is_some(),
            replica_labels: self.settings.replica_labels(source).to_vec(),
            summed: (walk.way == Way::Sums).then(|| self.summed(walk, chunk.counted)),
            raw: Vec::new(),
            earlier: Vec::new(),
            starts: self.plan.starts.get(source).copied().filter(|starts| {
                let counts = |it: &FamilyIndex| !self.plan.families[*it].roles.is_empty();
                walk.families.iter().any(counts) && !walk.families.contains(starts)
            }),
        })
    }

    /// The meters whose past is still being read, and up to when. It is not where nobody reads it.
    pub(super) fn unread(&self) -> BTreeMap<MeterIndex, Timestamp> {
        let walks = self.walks.values();
        let read = walks.filter(|walk| self.has_past(&walk.source));
        let mut unread = BTreeMap::new();
        for walk in read {
            for (meter, _) in &walk.lanes {
                let to = unread.entry(*meter).or_insert(walk.record.reached);
                *to = walk.record.reached.max(*to);
            }
        }
        unread
    }

    /// The longest slice that a walk judges.
    fn longest_slice(&self, walk: &Walk) -> Span {
        let slices = walk.lanes.iter().map(|lane| self.plan.lane(*lane).slice());
        slices.max().flatten().unwrap_or_default()
    }

    /// Adds what a chunk of the past held, and hands it to the commit together with how far the
    /// walk is now. Says which first values were not counted.
    pub(super) fn take_dug(
        &mut self,
        dug: Dug,
        commit: &mut Commit,
    ) -> Vec<(Labels, IgnoredBirth)> {
        // Where the definitions have changed meanwhile it is read again for those that are in force; and a chunk that
        // does not begin where its walk stands was counted already.
        let fits = |walk: &Walk| walk.record.reached == dug.chunk.counted.to;
        if !self.plan.numbers_as(&dug.plan) || !self.walks.get(&dug.key).is_some_and(fits) {
            return Vec::new();
        }
        self.take_new_groups(&dug.found, commit);
        let Some(mut walk) = self.walks.remove(&dug.key) else {
            return Vec::new();
        };
        for gained in &dug.gained {
            let (meter, lane) = gained.lane;
            if let Some(meter) = self.found_in_past(meter, &dug.plan, &dug.numbered) {
                self.gain(&walk, (meter, lane), gained, commit);
            }
        }
        self.gain_with_whole(&walk, &dug.gained, commit);
        let shown = dug.gained.iter().filter(|gained| !gained.slots.is_empty());
        let shown = shown.map(|gained| gained.lane);
        let known = shown.filter(|(meter, _)| *meter < dug.plan.meters.len());
        let missed = self.missed_since(walk.record.seam, known);
        for gained in &missed {
            self.gain(&walk, gained.lane, gained, commit);
        }
        self.gain_with_whole(&walk, &missed, commit);
        for (family, ends) in dug.ends {
            self.learn(family, ends, commit);
        }
        if let Some(source) = self.sources.get_mut(&walk.source) {
            source.queries += dug.queries;
            source.samples += dug.samples;
            source.note_ignored(&dug.ignored);
        }
        walk.record.reached = dug.chunk.counted.from;
        for ((meter, lane), behind) in dug.behind {
            if let Some(meter) = self.found_in_past(meter, &dug.plan, &dug.numbered) {
                let key = self.lane_key(meter, lane);
                walk.record.behind.insert(key, behind);
            }
        }
        for (family, loose) in walk.record.families.iter_mut().zip(dug.loose) {
            family.loose = loose;
        }
        if walk.way == Way::Seam {
            walk.way = Way::Sums;
        } else {
            walk.adapt(dug.chunk.read().length(), dug.samples);
        }
        if walk.is_done() {
            for family in &mut walk.record.families {
                family.loose.clear();
                family.older.clear();
            }
        }
        self.walked.insert(dug.key.clone(), walk.record.clone());
        commit.walks.insert(dug.key.clone(), walk.record.clone());
        if !walk.is_done() {
            self.walks.insert(dug.key, walk);
        }
        dug.ignored
    }

    /// After a chunk that was too large for the source, the next try is for half of it. Says
    /// whether there is a half, or whether its sums are tried next.
    pub fn shorten(&mut self, key: &WalkKey) -> bool {
        let Some(walk) = self.walks.get(key) else {
            return false;
        };
        let shortest = SHORTEST.max(self.longest_slice(walk));
        let Some(walk) = self.walks.get_mut(key) else {
            return false;
        };
        if walk.way == Way::Seam {
            let name = &walk.source;
            tracing::warn!(source = %name, "not even {} of the past of source `{name}` can be read: what series added between what was read and what is summed up is not counted", self.settings.settle_grid(name));
            walk.way = Way::Sums;
            return true;
        }
        if walk.length > shortest {
            walk.length = Span::from_millis(walk.length.as_millis() / 2).max(shortest);
            return true;
        }
        let offers_sums = self.settings.may_sum_up(&walk.source);
        let may = |family: &FamilyIndex| self.plan.families[*family].may_be_summed();
        let turns = walk.way == Way::Samples && offers_sums && walk.families.iter().all(may);
        if turns {
            walk.way = if walk.has_loose_ends() {
                Way::Seam
            } else {
                Way::Sums
            };
            let name = &walk.source;
            tracing::info!(source = %name, "the past of source `{name}` is too large to be read; it sums it up itself");
        }
        turns
    }

    /// How the families of a walk are summed up over a chunk.
    fn summed(&self, walk: &Walk, range: TimeRange) -> Vec<Summing> {
        let families = walk.families.iter().zip(&walk.record.families);
        let summing = families.map(|(family, walked)| {
            let series = self.families[*family].series();
            let planned = &self.plan.families[*family];
            Summing::of(planned, self.settings.slot, walked.interval, series, range)
        });
        summing.collect()
    }

    /// The meter that a chunk of the past knew by a number: it numbered those that it found by itself.
    fn found_in_past(
        &self,
        meter: MeterIndex,
        plan: &Plan,
        found: &[(SloIndex, Labels)],
    ) -> Option<MeterIndex> {
        let Some(own) = meter.checked_sub(plan.meters.len()) else {
            return Some(meter);
        };
        let (of, labels) = found.get(own)?;
        self.plan.group(*of, labels)
    }

    /// Groups were measured when their objectives were.
    fn gain_with_whole(&mut self, walk: &Walk, gained: &[Gained], commit: &mut Commit) {
        for whole in gained {
            let (meter, lane) = whole.lane;
            let lanes = walk.lanes.iter().copied();
            let followers = lanes.filter(|(follower, own)| {
                *own == lane && self.plan.measured_with(*follower) == Some(meter)
            });
            let followers: Vec<LaneIndex> = followers.collect();
            if followers.is_empty() {
                continue;
            }
            let measured = whole
                .slots
                .iter()
                .map(|(end, slot)| (*end, slot.measured()));
            let measured = Gained {
                lane: whole.lane,
                slots: measured
                    .filter(|(_, slot)| *slot != Slot::default())
                    .collect(),
                seen: SidesSeen::default(),
            };
            for follower in followers {
                self.gain(walk, follower, &measured, commit);
            }
        }
    }

    fn gain(
        &mut self,
        walk: &Walk,
        (meter, lane): LaneIndex,
        gained: &Gained,
        commit: &mut Commit,
    ) {
        let reach = self.meters[meter].lanes[lane].reach;
        let wanted_from = match self.traced {
            Some(_) => self.past_from(meter, walk.record.seam),
            None => reach.unwrap_or(walk.record.goal),
        };
        self.meters[meter].note_sides(gained.seen);
        if self.lacks_bucket(meter) {
            return;
        }
        let number = u16::try_from(lane).unwrap_or(u16::MAX);
        let ledger = &mut self.meters[meter].ledger;
        for (end, slot) in &gained.slots {
            if *end > wanted_from {
                ledger.add_settled(number, *end, slot);
            }
        }
        // What happened earlier may have used budgets up earlier.
        for promise in &mut self.meters[meter].promises {
            promise.emptied_at = None;
        }
        hand_over(self, meter, commit);
    }

    /// Lets a new group take part in the walks of its objective.
    pub(super) fn join_walks(&mut self, meter: MeterIndex, commit: &mut Commit) {
        let whole = self.plan.whole_of(meter);
        let own = self.meters[meter].key.clone();
        for (key, walk) in &mut self.walks {
            let lanes = walk.lanes.iter().filter(|(of, _)| *of == whole);
            let lanes: Vec<usize> = lanes.map(|(_, lane)| *lane).collect();
            for lane in &lanes {
                walk.lanes.push((meter, *lane));
                walk.record.lanes.push(LaneKey {
                    meter: own.clone(),
                    lane: u16::try_from(*lane).unwrap_or(u16::MAX),
                });
            }
            if !lanes.is_empty() {
                self.walked.insert(key.clone(), walk.record.clone());
                commit.walks.insert(key.clone(), walk.record.clone());
            }
        }
    }

    /// Whether something of a meter's past is still to be counted.
    pub(super) fn is_walked(&self, meter: MeterIndex) -> bool {
        let mut lanes = self.walks.values().flat_map(|walk| &walk.lanes);
        lanes.any(|(of, _)| *of == meter)
    }

    /// How far the past of a source is counted, while it is not all counted.
    pub(super) fn backfill(&self, source: &SourceName) -> Option<Backfill> {
        let own = self.walks.values().filter(|walk| walk.source == *source);
        let (mut done, mut all) = (0.0, 0.0);
        let mut reached: Option<Timestamp> = None;
        let mut goal: Option<Timestamp> = None;
        for walk in own {
            let record = &walk.record;
            done += record.seam.since(record.reached).as_secs_f64();
            all += record.seam.since(record.goal).as_secs_f64();
            reached = Some(reached.map_or(record.reached, |it| it.max(record.reached)));
            goal = Some(goal.map_or(record.goal, |it| it.min(record.goal)));
        }
        Some(Backfill {
            share: if all > 0.0 { done / all } else { 1.0 },
            reached: reached?,
            goal: goal?,
        })
    }
}
