//! Counting what lies before the live cursors: chunks of the past, newest first, every event once.
//!
//! A chunk `(from, to]` counts the samples that lie in it. It is read with a margin on both sides:
//! samples before it are the bases of its first ones, show how often series are sampled, and which
//! targets were there before a birth; samples behind it show how a newborn series goes on. What
//! comes out depends on these samples alone, so the same slots come of any way to cut the past.
//!
//! First samples without a base in sight are *loose ends*: an older chunk may hold the base, and
//! then the pair is counted, once. What remains is a birth, and was judged when it was seen.

mod births;
mod loose;
mod summed;
mod sums;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::domain::evidence::Evidence;
use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::{Batch, Sample};
use super::births::{Target, Verdict};
use super::cursor::{Cursor, IgnoredBirth, Increase, is_gap};
use super::plan::FamilyIndex;
pub use super::plan::LaneIndex;
use super::roll::Roll;
use super::starts::Starts;

use births::{Event, Judged};
pub use births::{Judgement, Worth};
use loose::Wholes;
pub use loose::{LooseEnd, LooseEnds};
pub use sums::{Gained, Sums, WantedLane};
use sums::{Place, leave_out_lacking};

/// How many usual intervals a margin holds at least, so that what series were like before no longer matters.
const INTERVALS: i64 = 20;

/// A part of the past that is counted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// What is counted; both ends lie on the grid.
    pub counted: TimeRange,
    /// What is read before and behind it; a multiple of the grid.
    pub margin: Span,
    /// The length of the blocks in which births are judged, as live samples are settled.
    pub grid: Span,
}

impl Chunk {
    /// The margin for a family with this usual interval (zero when unknown).
    pub fn margin(grid: Span, interval: Span) -> Span {
        Self::whole(grid, Span::from_millis(interval.as_millis() * INTERVALS)).max(grid)
    }

    /// The least multiple of `grid` that is not shorter than `length`.
    pub fn whole(grid: Span, length: Span) -> Span {
        let zero = Timestamp::from_millis(0);
        (zero + length).ceil_to(grid).since(zero)
    }

    /// What is to be read for it.
    pub fn read(&self) -> TimeRange {
        TimeRange {
            from: self.counted.from - self.margin,
            to: self.counted.to + self.margin,
        }
    }
}

/// One family as its past is counted.
#[derive(Debug)]
pub struct Family<'a> {
    /// Its position in the plan.
    pub index: FamilyIndex,
    /// Who counts its series.
    pub roll: Roll<'a>,
    /// The usual distance of samples today; zero when unknown.
    pub interval: Span,
    /// How long a series is remembered after its last sample.
    pub kept: Span,
    /// When the processes of its targets began, if that is read.
    pub starts: Option<&'a Starts>,
}

/// What a chunk brought to light besides its sums.
#[derive(Debug, Default)]
pub struct Counted {
    /// First values that were not counted.
    pub ignored: Vec<(Labels, IgnoredBirth)>,
    /// Where each series stood at the chunk's end.
    pub ends: Vec<(Labels, Cursor)>,
    /// How many samples were looked at.
    pub samples: u64,
}

/// A series of a chunk that is counted.
#[derive(Debug)]
struct Walked {
    labels: Labels,
    target: Option<Target>,
    /// Those with values that counters have.
    samples: Vec<Sample>,
    places: Vec<Place>,
}

impl Family<'_> {
    /// Counts one chunk from what was read for it, into `sums`. `loose` are the loose ends of the
    /// chunks that are newer, and those of the samples that were counted live.
    pub fn count(
        &self,
        chunk: &Chunk,
        batch: &Batch,
        loose: &mut LooseEnds,
        sums: &mut Sums,
    ) -> Counted {
        let mut counted = Counted {
            samples: u64::try_from(batch.samples().len()).unwrap_or(u64::MAX),
            ..Counted::default()
        };
        let series = self.walked(batch, loose, sums);
        let events = self.events(chunk, &series, loose);
        let judged = births::judge(self.interval, chunk, &series, &events, self.starts);
        let mut wholes = Wholes::default();
        for (index, walked) in series.iter().enumerate() {
            let end = self.walk(chunk, (index, walked), &judged, sums);
            let Walked {
                labels, samples, ..
            } = walked;
            if let Some(end) = end {
                counted.ends.push((labels.clone(), end));
                if let Some(newer) = loose.remove(labels) {
                    let end = self.stood(&mut wholes, end, &newer, walked);
                    let ignored = self.join(chunk, end, &newer, (index, walked), &judged, sums);
                    counted.ignored.extend(ignored);
                }
            }
            let first = samples[0];
            let waits = loose
                .get(labels)
                .is_some_and(|it| it.first == first && it.judgement.is_none());
            let counts = walked.places.iter().any(|place| place.counts(first.at));
            if counts && first.at > chunk.counted.from && (first.at <= chunk.counted.to || waits) {
                let judgement = judged.first.get(&index).copied();
                loose.insert(labels.clone(), LooseEnd { first, judgement });
            }
        }
        sums.cover_parts(self.index, chunk.counted);
        counted
    }

    fn walked(&self, batch: &Batch, loose: &LooseEnds, sums: &Sums) -> Vec<Walked> {
        let mut all = Vec::with_capacity(batch.len());
        for series in batch.series() {
            let places = self.places(series.labels, sums);
            if places.is_empty() {
                continue;
            }
            let samples = series.samples.iter().copied();
            let samples: Vec<Sample> = samples.filter(Sample::is_count).collect();
            if !samples.is_empty() {
                all.push(Walked {
                    labels: series.labels.to_labels(),
                    target: Target::of(series.labels),
                    samples,
                    places,
                });
            }
        }
        if self.roll.family().has_thresholds() {
            leave_out_lacking(&mut all, loose);
        }
        all
    }

    /// The samples that begin a series or may be a return, and those at which the process behind
    /// a target may have begun anew.
    fn events(&self, chunk: &Chunk, series: &[Walked], loose: &LooseEnds) -> Vec<Event> {
        let mut falls: HashSet<(&Target, Timestamp)> = HashSet::new();
        if self.starts.is_some() {
            for walked in series {
                let pairs = walked.samples.windows(2);
                let fallen = pairs.filter(|pair| pair[1].value < pair[0].value);
                let target = walked.target.as_ref();
                falls.extend(fallen.filter_map(|pair| Some((target?, pair[1].at))));
            }
        }
        let mut events = Vec::new();
        for (index, walked) in series.iter().enumerate() {
            let newer = loose
                .get(&walked.labels)
                .filter(|it| it.judgement.is_none());
            for (position, sample) in walked.samples.iter().enumerate() {
                let waits = newer.is_some_and(|newer| newer.first.at == sample.at);
                if !chunk.counted.contains(sample.at) && !waits {
                    continue;
                }
                let fell = |target: &Target| falls.contains(&(target, sample.at));
                if position == 0
                    || self.misses_scrapes(&walked.samples, position)
                    || (!falls.is_empty() && walked.target.as_ref().is_some_and(fell))
                {
                    events.push((index, position));
                }
            }
        }
        events
    }

    /// Counts the samples of one series that lie in the chunk; says where it stood at the chunk's end.
    fn walk(
        &self,
        chunk: &Chunk,
        (series, walked): (usize, &Walked),
        judged: &Judged,
        sums: &mut Sums,
    ) -> Option<Cursor> {
        let Walked {
            samples, places, ..
        } = walked;
        let (first, rest) = samples.split_first()?;
        if first.at > chunk.counted.to {
            return None;
        }
        let mut last = *first;
        let mut run: Option<TimeRange> = None;
        for (index, sample) in (1..).zip(rest) {
            if sample.at > chunk.counted.to {
                // Counted with the newer chunk, but a part of its time is ours.
                let between = TimeRange {
                    from: last.at,
                    to: sample.at,
                };
                let seen = !self.is_gap(chunk, samples, index);
                sums.cover(places, seen.then_some(between), chunk.counted);
                break;
            }
            let older = std::mem::replace(&mut last, *sample);
            if sample.at <= chunk.counted.from {
                continue;
            }
            let base = match judged.going_on.get(&(series, index)) {
                Some(Verdict::From(base, evidence)) => Some((*base, *evidence)),
                _ => None,
            };
            let increase =
                self.increase(base, older, *sample, || self.is_gap(chunk, samples, index));
            sums.add((self.index, &walked.labels), places, &increase);
            // What counts from elsewhere shows nothing of the time before it: its neighbours do.
            let covered = seen(&increase).filter(|_| base.is_none());
            run = match run {
                Some(run) if covered.is_some() && run.to == increase.from => Some(TimeRange {
                    to: increase.to,
                    ..run
                }),
                ended => {
                    sums.cover(places, ended, chunk.counted);
                    covered
                }
            };
        }
        sums.cover(places, run, chunk.counted);
        Some(births::at(last, self.interval))
    }

    /// What a sample adds to the one before it, or to `base` if that is said.
    fn increase(
        &self,
        base: Option<(Cursor, Evidence)>,
        older: Sample,
        newer: Sample,
        is_gap_here: impl Fn() -> bool,
    ) -> Increase {
        match base {
            Some((base, evidence)) => {
                let increase = Cursor::after(base, Some(evidence), newer).1;
                Increase {
                    gap: is_gap(increase.to.since(increase.from), self.interval),
                    ..increase
                }
            }
            None => Increase {
                gap: is_gap_here(),
                ..Cursor::after(Cursor::at_first(older), None, newer).1
            },
        }
    }

    /// Whether scrapes are missing before the sample at `index`.
    fn misses_scrapes(&self, samples: &[Sample], index: usize) -> bool {
        let Some((older, newer)) = index
            .checked_sub(1)
            .and_then(|before| Some((samples.get(before)?, samples.get(index)?)))
        else {
            return true;
        };
        let own = newer.at.since(older.at).as_millis();
        2 * own > 3 * self.usual(samples, index).as_millis().max(1)
    }

    /// The usual distance of samples around `index`: today's, or a longer one that both neighbours keep.
    fn usual(&self, samples: &[Sample], index: usize) -> Span {
        let distance = |newer: usize| {
            let older = samples.get(newer.checked_sub(1)?)?;
            Some(samples.get(newer)?.at.since(older.at))
        };
        let neighbours = [index.checked_sub(1).and_then(distance), distance(index + 1)];
        let kept = neighbours.into_iter().flatten().min();
        kept.map_or(self.interval, |kept| kept.max(self.interval))
    }

    /// Whether the sample at `index` lies so far behind the one before that the events between are
    /// spread: further than 2.5 usual intervals, where the usual one is today's, or a longer one
    /// that both neighbours keep. Whatever is longer than half a margin is a gap, because beyond
    /// that the neighbours might lie outside of what a chunk sees.
    fn is_gap(&self, chunk: &Chunk, samples: &[Sample], index: usize) -> bool {
        let older = index.checked_sub(1).and_then(|before| samples.get(before));
        let Some((older, newer)) = older.zip(samples.get(index)) else {
            return true;
        };
        let own = newer.at.since(older.at);
        own.as_millis() * 2 > chunk.margin.as_millis() || is_gap(own, self.usual(samples, index))
    }

    /// Whether a series is still known at `later`, when its last sample was `earlier`.
    fn knows(&self, earlier: Timestamp, later: Timestamp) -> bool {
        later.since(earlier) <= self.kept
    }

    /// Where a series is counted.
    fn places(&self, labels: LabelsRef, sums: &Sums) -> Vec<Place> {
        let edges = self.roll.edges_of(labels);
        edges.filter_map(|edge| sums.place(&edge)).collect()
    }
}

/// The time that an increase shows as measured: none over a gap.
fn seen(increase: &Increase) -> Option<TimeRange> {
    (!increase.gap).then_some(TimeRange {
        from: increase.from,
        to: increase.to,
    })
}
