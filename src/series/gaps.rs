//! Gaps: what happened while nothing was scraped is spread over that time, in whole events.

use std::collections::BTreeMap;

use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};

use super::cursor::{Increase, spread};
use super::table::Edge;

/// The events of gaps, by lane and gap: a lane's bad and good events are each spread for
/// themselves, so that no slot ends up with more bad events than events.
#[derive(Debug, Default)]
pub struct Gaps(BTreeMap<(usize, u16, Timestamp, Timestamp), Counts>);

impl Gaps {
    /// Adds what a series counted over a gap.
    pub fn add(&mut self, edge: &Edge, increase: &Increase) {
        let key = (edge.meter, edge.lane, increase.from, increase.to);
        let counts = self.0.entry(key).or_default();
        *counts = counts.plus(edge.weight.times(increase.events));
    }

    /// What each slot of `width` gets: meter, lane, the slot's end and its share.
    pub fn slots(self, width: Span) -> impl Iterator<Item = (usize, u16, Timestamp, Counts)> {
        let gaps = self.0.into_iter();
        gaps.flat_map(move |((meter, lane, from, to), counts)| {
            let share = shares(from, to, counts, width);
            share.map(move |(end, counts)| (meter, lane, end, counts))
        })
    }
}

/// The shares of the slots of `width` in what was counted over a gap. A lane that counts only bad
/// (or good) events has no total of its own, and nothing to tell apart.
pub fn shares(
    from: Timestamp,
    to: Timestamp,
    counts: Counts,
    width: Span,
) -> impl Iterator<Item = (Timestamp, Counts)> {
    let is_part = counts.total == 0.0;
    let good = if is_part {
        0.0
    } else {
        counts.total - counts.bad
    };
    let bad = spread(from, to, counts.bad, width);
    bad.zip(spread(from, to, good, width))
        .map(move |((end, bad), (_, good))| {
            let total = if is_part { 0.0 } else { bad + good };
            (end, Counts { bad, total })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::plan::Towards;

    #[test]
    fn good_and_bad_are_spread_each_in_whole_events() {
        let at = |second: i64| Timestamp::from_millis(second * 1_000);
        let edge = |bad, total| Edge {
            meter: 0,
            lane: 0,
            weight: Counts { bad, total },
            towards: Towards::Total,
            threshold: None,
        };
        let increase = |events| Increase {
            from: at(0),
            to: at(150),
            events,
            gap: true,
            reset: false,
            evidence: None,
        };
        for (series, expected) in [
            // Three requests, of which two were fast enough.
            (
                vec![(edge(1.0, 1.0), 3.0), (edge(-1.0, 0.0), 2.0)],
                "0/0 0/0 0/1 0/0 1/2",
            ),
            (vec![(edge(0.0, 1.0), 5.0)], "0/1 0/1 0/1 0/1 0/1"),
            (vec![(edge(1.0, 0.0), 2.0)], "0/0 0/0 1/0 0/0 1/0"),
            // Two series of one target.
            (
                vec![(edge(0.0, 1.0), 4.0), (edge(0.0, 1.0), 1.0)],
                "0/1 0/1 0/1 0/1 0/1",
            ),
        ] {
            let mut gaps = Gaps::default();
            for (edge, events) in series {
                gaps.add(&edge, &increase(events));
            }
            let slots = gaps.slots(Span::from_secs(30));
            let slots: Vec<String> = slots
                .map(|(_, _, _, counts)| format!("{}/{}", counts.bad, counts.total))
                .collect();
            assert_eq!(slots.join(" "), expected);
        }
    }
}
