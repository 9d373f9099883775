//! What there is of the series that a lane without cursors looks at, for the status.

use std::collections::BTreeMap;

use crate::engine::intake::Answer;
use crate::series::plan::{FamilyIndex, Judge, Lane, Read, SliceLane, Towards};
use crate::series::terms::SidesSeen;

/// Of which thresholds there are series in the batches that slices of events are judged by.
pub(super) fn lane_sides(lane: &Lane, complete: &BTreeMap<FamilyIndex, Answer>) -> SidesSeen {
    let mut sides = SidesSeen::default();
    let Lane::Slices(SliceLane {
        judge: Judge::Events { terms, .. },
        ..
    }) = lane
    else {
        return sides;
    };
    for term in terms {
        let sorted = complete.get(&term.read.family);
        let sorted = sorted.and_then(|it| it.sorted.as_ref());
        if sorted.is_some_and(|sorted| sorted.count(term.read.selector) > 0) {
            sides.note(term.towards, term.threshold);
        }
    }
    sides
}

/// How many series of the batches a lane without cursors looks at, on its two sides.
pub(super) fn lane_series(lane: &Lane, complete: &BTreeMap<FamilyIndex, Answer>) -> (u64, u64) {
    let selected = |read: Read| {
        let sorted = complete.get(&read.family).and_then(|it| it.sorted.as_ref());
        sorted.map_or(0, |sorted| sorted.count(read.selector))
    };
    let all = |family: FamilyIndex| complete.get(&family).map_or(0, |it| it.batch.len());
    let (one, other) = match lane {
        Lane::Counters { .. } => (0, 0),
        Lane::Slices(slices) => match &slices.judge {
            Judge::Rate { total, .. } | Judge::Drop { total, .. } => (selected(*total), 0),
            Judge::Events { terms, .. } => {
                let side = |towards: Towards| {
                    let own = terms.iter().filter(|term| term.towards == towards);
                    own.map(|term| selected(term.read)).sum()
                };
                (side(Towards::Total), side(Towards::Part))
            }
            Judge::Probe { probers, .. } => (selected(*probers), 0),
            Judge::Share { used, limit, .. } => (selected(used.read), selected(limit.read)),
            Judge::Level { gauge, .. } | Judge::Age { gauge, .. } => (selected(gauge.read), 0),
            Judge::Value { family, .. } | Judge::Ratio { family } => (all(*family), 0),
        },
        Lane::Points { total, part, .. } => (all(*total), all(*part.counted())),
    };
    let count = |series: usize| u64::try_from(series).unwrap_or(u64::MAX);
    (count(one), count(other))
}
