//! What chunks of the past add to the slots of each lane.

use std::collections::BTreeMap;

use crate::domain::labels::Labels;
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::buckets::Buckets;
use crate::series::cursor::{IgnoredBirth, Increase};
use crate::series::gaps::shares;
use crate::series::plan::{FamilyIndex, LaneIndex, Towards};
use crate::series::roll::Edge;
use crate::series::slices::noted::Noted;
use crate::series::terms::SidesSeen;
use crate::series::trace::Trace;

use super::{LooseEnds, Walked};

/// A lane whose past is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedLane {
    /// Which one.
    pub lane: LaneIndex,
    /// The family of which it counts a part, where it does not count all events of it: there having
    /// asked is having measured, since what never failed has no series.
    pub part_of: Option<FamilyIndex>,
    /// Whether another lane tells which time was measured: then this one does not.
    pub follows: bool,
}

/// What is added to the lanes of a plan.
#[derive(Debug)]
pub struct Sums {
    slot: Span,
    counted: TimeRange,
    index: BTreeMap<LaneIndex, usize>,
    lanes: Vec<LaneSums>,
    parts: Vec<(FamilyIndex, usize)>,
    trace: Option<Trace>,
}

/// What is added to one lane.
#[derive(Debug, Default)]
struct LaneSums {
    /// The slots of the chunk, oldest first; those of which nothing is known hold nothing.
    within: Vec<Slot>,
    /// Slots of newer chunks.
    beyond: BTreeMap<Timestamp, Slot>,
    /// The events of gaps, which all series that share one are spread over together.
    gaps: BTreeMap<(Timestamp, Timestamp), Counts>,
    /// The time that its series cover.
    covered: Vec<TimeRange>,
    /// The same at the place where live counting began.
    seam: Vec<TimeRange>,
    /// What its series count as.
    seen: SidesSeen,
    follows: bool,
}

/// What one lane gained.
#[derive(Debug)]
pub struct Gained {
    /// Position of the meter in the plan, and of the lane in the meter.
    pub lane: LaneIndex,
    /// Its slots by their ends; those of which nothing is known are left out.
    pub slots: BTreeMap<Timestamp, Slot>,
    /// What the series that were seen count as.
    pub seen: SidesSeen,
}

/// A lane that counts a series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    lane: usize,
    weight: Counts,
    towards: Towards,
    threshold: Option<u16>,
    /// When the events of its series are known as good or bad, where that is not always.
    there: Option<TimeRange>,
}

impl Place {
    /// Whose bucket it is (or whose bucket it needs), if it is about the threshold of a histogram.
    fn bucket(&self, towards: Towards) -> Option<(usize, u16)> {
        let threshold = self.threshold.filter(|_| self.towards == towards)?;
        Some((self.lane, threshold))
    }

    /// As much of a time as counts.
    fn counted(&self, range: TimeRange) -> Option<TimeRange> {
        self.there.map_or(Some(range), |there| common(range, there))
    }

    /// Whether what happened then counts.
    pub(super) fn counts(&self, at: Timestamp) -> bool {
        self.there.is_none_or(|there| there.contains(at))
    }
}

/// Lets nothing count of histograms while they do not have the bucket of the threshold. One that is there at both ends
/// of a time that was not read at once was there meanwhile.
pub(super) fn leave_out_lacking(series: &mut [Walked], loose: &LooseEnds) {
    let mut buckets = Buckets::default();
    for walked in &*series {
        let newer = loose.get(&walked.labels).map(|end| end.first);
        let parts = walked.places.iter();
        for bucket in parts.filter_map(|place| place.bucket(Towards::Part)) {
            buckets.note((&walked.labels).into(), bucket, &walked.samples);
            buckets.note((&walked.labels).into(), bucket, newer.as_slice());
        }
    }
    for walked in series {
        for place in &mut walked.places {
            if let Some(bucket) = place.bucket(Towards::Total) {
                place.there = Some(buckets.there((&walked.labels).into(), bucket));
            }
        }
    }
}

impl Sums {
    /// Nothing yet, for these lanes, of the chunk `counted`.
    pub fn new(lanes: &[WantedLane], counted: TimeRange, slot: Span) -> Self {
        let part = |(place, wanted): (usize, &WantedLane)| Some((wanted.part_of?, place));
        Self {
            slot,
            counted,
            index: lanes.iter().map(|wanted| wanted.lane).zip(0..).collect(),
            parts: lanes.iter().enumerate().filter_map(part).collect(),
            lanes: lanes
                .iter()
                .map(|wanted| LaneSums {
                    follows: wanted.follows,
                    ..LaneSums::default()
                })
                .collect(),
            trace: None,
        }
    }

    /// Where a series is counted that has this part in a lane, if the lane is wanted.
    pub(super) fn place(&self, edge: &Edge) -> Option<Place> {
        Some(Place {
            lane: *self.index.get(&(edge.meter, usize::from(edge.lane)))?,
            weight: edge.weight,
            towards: edge.towards,
            threshold: edge.threshold,
            there: None,
        })
    }

    /// The same, which keep a trace of what is added.
    #[must_use]
    pub fn traced(self) -> Self {
        let trace = Some(Trace::default());
        Self { trace, ..self }
    }

    /// Adds the events of an increase of a series.
    pub(super) fn add(
        &mut self,
        (family, labels): (FamilyIndex, &Labels),
        places: &[Place],
        increase: &Increase,
    ) {
        if let Some(trace) = &mut self.trace
            && places.iter().any(|place| place.counts(increase.to))
        {
            trace.note_increase(family, labels, *increase);
        }
        let end = increase.to.ceil_to(self.slot);
        for place in places.iter().filter(|place| place.counts(increase.to)) {
            let sums = &mut self.lanes[place.lane];
            sums.seen.note(place.towards, place.threshold);
            let counts = place.weight.times(increase.events);
            if increase.gap {
                let gap = sums.gaps.entry((increase.from, increase.to));
                let so_far = gap.or_default();
                *so_far = so_far.plus(counts);
            } else {
                let slot = Slot {
                    counts,
                    ..Slot::default()
                };
                sums.put(self.counted, self.slot, end, &slot);
            }
        }
    }

    /// Takes note that a series covers `range`, as far as that lies in the chunk.
    pub(super) fn cover(&mut self, places: &[Place], range: Option<TimeRange>, counted: TimeRange) {
        let Some(range) = range.and_then(|range| common(range, counted)) else {
            return;
        };
        for place in places.iter().filter(|place| place.weight.total > 0.0) {
            if let Some(range) = place.counted(range) {
                self.lanes[place.lane].cover(range);
            }
        }
    }

    /// Takes note that a series covers the time from `seam` to its first sample that was counted live.
    pub(super) fn cover_seam(
        &mut self,
        places: &[Place],
        range: Option<TimeRange>,
        seam: Timestamp,
    ) {
        let Some(range) = range.filter(|range| range.to > seam) else {
            return;
        };
        let behind = TimeRange {
            from: range.from.max(seam),
            to: range.to,
        };
        for place in places.iter().filter(|place| place.weight.total > 0.0) {
            let lane = &mut self.lanes[place.lane];
            if let Some(behind) = place.counted(behind).filter(|_| !lane.follows) {
                lane.seam.push(behind);
            }
        }
    }

    /// Takes note that a family was read over `range`.
    pub(super) fn cover_parts(&mut self, family: FamilyIndex, range: TimeRange) {
        for (_, lane) in self.parts.iter().filter(|(read, _)| *read == family) {
            self.lanes[*lane].cover(range);
        }
    }

    /// Adds slices that were judged, by their ends; each covers the `grain` before it.
    pub fn add_slices(&mut self, lane: LaneIndex, grain: Span, slices: &[(Timestamp, Counts)]) {
        let Some(lane) = self.index.get(&lane) else {
            return;
        };
        let sums = &mut self.lanes[*lane];
        for (end, counts) in slices {
            let slot = Slot {
                counts: *counts,
                ..Slot::default()
            };
            sums.put(self.counted, self.slot, *end, &slot);
            sums.cover(TimeRange {
                from: *end - grain,
                to: *end,
            });
        }
    }

    /// Takes note of first values that were not counted.
    pub fn note_ignored(&mut self, family: FamilyIndex, ignored: &[(Labels, IgnoredBirth)]) {
        if let Some(trace) = &mut self.trace {
            trace.note_ignored(family, ignored);
        }
    }

    /// Takes note of the values by which slices were judged, and of what they count as.
    pub fn note_slices(&mut self, noted: Noted) {
        if let Some(trace) = &mut self.trace {
            trace.note_slices(noted);
        }
    }

    /// What was added, where a trace is kept.
    pub fn take_trace(&mut self) -> Option<Trace> {
        self.trace.take()
    }

    /// What each lane gained.
    pub fn into_gained(self) -> impl Iterator<Item = Gained> {
        let (slot, counted, mut lanes) = (self.slot, self.counted, self.lanes);
        self.index.into_iter().map(move |(lane, place)| {
            let sums = std::mem::take(&mut lanes[place]);
            Gained {
                lane,
                seen: sums.seen,
                slots: sums.finish(counted, slot),
            }
        })
    }
}

impl LaneSums {
    fn cover(&mut self, range: TimeRange) {
        if !self.follows {
            self.covered.push(range);
        }
    }

    fn put(&mut self, counted: TimeRange, width: Span, end: Timestamp, more: &Slot) {
        let behind = end.since(counted.from).as_millis();
        let index = usize::try_from(behind / width.as_millis() - 1).ok();
        match index {
            Some(index) if end <= counted.to => {
                if self.within.len() <= index {
                    self.within.resize(index + 1, Slot::default());
                }
                self.within[index].add(more);
            }
            _ => self.beyond.entry(end).or_default().add(more),
        }
    }

    fn finish(mut self, counted: TimeRange, width: Span) -> BTreeMap<Timestamp, Slot> {
        for ((from, to), counts) in std::mem::take(&mut self.gaps) {
            for (end, counts) in shares(from, to, counts, width) {
                let slot = Slot {
                    counts,
                    reconstructed: true,
                    ..Slot::default()
                };
                self.put(counted, width, end, &slot);
            }
        }
        let seam_to = self.seam.iter().map(|range| range.to).min();
        let seam = self.seam.iter().filter_map(|range| {
            common(
                *range,
                TimeRange {
                    to: seam_to?,
                    ..*range
                },
            )
        });
        self.covered.extend(seam.collect::<Vec<_>>());
        self.covered.sort_unstable_by_key(|range| range.from);
        let mut reached = Timestamp::from_millis(i64::MIN);
        for range in std::mem::take(&mut self.covered) {
            let mut from = range.from.max(reached);
            while from < range.to {
                let end = (from + Span::from_millis(1)).ceil_to(width);
                let to = end.min(range.to);
                let gained = Slot {
                    covered: to.since(from),
                    ..Slot::default()
                };
                self.put(counted, width, end, &gained);
                from = to;
            }
            reached = reached.max(range.to);
        }
        let mut slots = self.beyond;
        let mut end = counted.from;
        for slot in self.within {
            end = end + width;
            if slot != Slot::default() {
                slots.entry(end).or_default().add(&slot);
            }
        }
        slots
    }
}

/// What two ranges share.
fn common(one: TimeRange, other: TimeRange) -> Option<TimeRange> {
    let both = TimeRange {
        from: one.from.max(other.from),
        to: one.to.min(other.to),
    };
    (both.from < both.to).then_some(both)
}
