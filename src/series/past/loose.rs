//! Loose ends: first samples whose base an older chunk may hold, and what becomes of them.

use std::collections::{BTreeMap, HashMap};

use crate::domain::evidence::Evidence;
use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;

use super::super::batch::{Sample, SeriesId};
use super::super::births::Verdict;
use super::super::boundary::{INFINITY, LE};
use super::super::buckets::histogram_of;
use super::super::cursor::{Cursor, IgnoredBirth, is_gap};
use super::super::joined::Pair;
use super::births::{Judged, Judgement, Worth};
use super::sums::{Place, Sums};
use super::{Chunk, Family, Walked, seen};

/// A first sample for which no older one is known yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LooseEnd {
    /// The sample.
    pub first: Sample,
    /// What it is worth, by what was seen beside it; `None` before it was judged.
    pub judgement: Option<Judgement>,
}

/// The loose ends of one family, by series.
pub type LooseEnds = BTreeMap<Labels, LooseEnd>;

/// What native histograms counted as wholes on both sides of a time that was not read at once.
#[derive(Debug, Default)]
pub(super) struct Wholes(HashMap<SeriesId, Pair>);

impl Wholes {
    /// Where a series stood, as it would read beside its `newer` sample. The whole of a histogram comes before its parts.
    fn alike(&mut self, labels: &Labels, stood: Cursor, newer: Sample) -> Cursor {
        let Some(histogram) = histogram_of(labels.into()) else {
            return stood;
        };
        let pair = Pair {
            older: stood.value,
            newer: newer.value,
        };
        if labels.get(LE) == INFINITY {
            self.0.insert(histogram, pair);
        }
        let whole = self.0.get(&histogram);
        let value = whole.map_or(stood.value, |whole| pair.older_alike(*whole));
        Cursor { value, ..stood }
    }
}

impl Family<'_> {
    /// Where a series stood at the end of a chunk, as it would read beside its loose end.
    pub(super) fn stood(
        &self,
        wholes: &mut Wholes,
        end: Cursor,
        newer: &LooseEnd,
        walked: &Walked,
    ) -> Cursor {
        let mut samples = walked.samples.iter();
        if !self.roll.family().is_interpolated() || samples.any(|it| it.at == newer.first.at) {
            return end;
        }
        wholes.alike(&walked.labels, end, newer.first)
    }

    /// Counts a loose end for which a base was found: where its series stood at the chunk's end.
    pub(super) fn join(
        &self,
        chunk: &Chunk,
        end: Cursor,
        newer: &LooseEnd,
        (series, walked): (usize, &Walked),
        judged: &Judged,
        sums: &mut Sums,
    ) -> Option<(Labels, IgnoredBirth)> {
        let places = &walked.places;
        if !self.knows(end.at, newer.first.at) {
            return self.settle_one(&walked.labels, newer, places, sums);
        }
        let samples = &walked.samples;
        let behind = samples.iter().position(|it| it.at == newer.first.at);
        let verdict = behind.and_then(|index| judged.going_on.get(&(series, index)));
        let base = match verdict {
            Some(Verdict::From(base, evidence)) => Some((*base, *evidence)),
            Some(_) => None,
            None => returned(end, newer),
        };
        let older = Sample {
            at: end.at,
            value: end.value,
        };
        // Native histograms read a little differently beside others.
        let first = behind.map_or(newer.first, |index| samples[index]);
        let increase = self.increase(base, older, first, || {
            behind.is_none_or(|index| self.is_gap(chunk, samples, index))
        });
        let covered = seen(&increase).filter(|_| base.is_none());
        sums.add((self.index, &walked.labels), places, &increase);
        sums.cover(places, covered, chunk.counted);
        // Where live counting began, the time up to its first sample is covered by this pair.
        sums.cover_seam(places, covered, chunk.counted.to);
        None
    }

    /// Counts the loose ends for which no base can come any more, now that everything down to
    /// `reached` was looked at; all of them at the `goal`. Says which first values were not counted.
    pub fn settle(
        &self,
        loose: &mut LooseEnds,
        reached: Timestamp,
        goal: Timestamp,
        sums: &mut Sums,
    ) -> Vec<(Labels, IgnoredBirth)> {
        let mut ignored = Vec::new();
        loose.retain(|labels, end| {
            if reached > goal && self.knows(reached, end.first.at) {
                return true;
            }
            let places = self.places(labels.into(), sums);
            ignored.extend(self.settle_one(labels, end, &places, sums));
            false
        });
        ignored
    }

    /// Joins loose ends to the cursors of samples that were counted before an outage.
    pub fn join_older(
        &self,
        older: &BTreeMap<Labels, Cursor>,
        loose: &mut LooseEnds,
        sums: &mut Sums,
    ) {
        let mut wholes = Wholes::default();
        loose.retain(|labels, end| {
            let is_base =
                |base: &&Cursor| base.at < end.first.at && self.knows(base.at, end.first.at);
            let Some(base) = older.get(labels).filter(is_base) else {
                return true;
            };
            let base = if self.roll.family().is_interpolated() {
                wholes.alike(labels, *base, end.first)
            } else {
                *base
            };
            let older = Sample {
                at: base.at,
                value: base.value,
            };
            let increase = self.increase(returned(base, end), older, end.first, || {
                is_gap(end.first.at.since(base.at), self.interval)
            });
            let places = self.places(labels.into(), sums);
            sums.add((self.index, labels), &places, &increase);
            false
        });
    }

    /// Counts a loose end by what was seen beside it.
    fn settle_one(
        &self,
        labels: &Labels,
        end: &LooseEnd,
        places: &[Place],
        sums: &mut Sums,
    ) -> Option<(Labels, IgnoredBirth)> {
        match end.judgement.map(|judgement| judgement.born) {
            Some(Worth::Counted(increase)) => sums.add((self.index, labels), places, &increase),
            Some(Worth::Ignored(birth)) => return Some((labels.clone(), birth)),
            Some(Worth::WasThere) | None => {}
        }
        None
    }
}

/// From where a loose end counts whose series stood at `end` before.
fn returned(end: Cursor, newer: &LooseEnd) -> Option<(Cursor, Evidence)> {
    let judgement = newer.judgement?;
    let base = if newer.first.value < end.value {
        judgement.fallen
    } else {
        judgement.returned
    };
    // What was seen beside it is newer than where it stood, or says nothing.
    let base = base.filter(|base| base.at > end.at)?;
    let evidence = if base.value > 0.0 {
        Evidence::Renamed
    } else {
        Evidence::Anew
    };
    Some((base, evidence))
}
