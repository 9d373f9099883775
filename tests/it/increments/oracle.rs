//! What every slot must hold: sums over the scrape log, with nothing of what the engine counts with.

use std::collections::BTreeMap;

use super::log::{HOUR, Log, Role};

/// What a slot holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) bad: i64,
    pub(super) total: i64,
    /// Milliseconds of it between two scrapes of a target that lie close enough.
    pub(super) covered: i64,
    /// Whether a part was spread over a time without scrapes.
    pub(super) reconstructed: bool,
}

/// Whether it is known which process a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lives {
    /// As processes tell when they began.
    Told,
    /// From falling values only: who restarts and has passed the old value by the next scrape, goes on.
    Guessed,
}

/// The slots of `width` after `from`, by their ends. One that nobody knows anything about is not there.
///
/// An event belongs to the scrape that shows it first. A process that is scraped for the first time brings what it has
/// counted if it began within the hour; else those events are older than our knowledge of it.
pub(super) fn slots(log: &Log, lives: Lives, from: i64, width: i64) -> BTreeMap<i64, Expected> {
    let mut slots = BTreeMap::<i64, Expected>::new();
    let mut gaps = BTreeMap::<(i64, i64), (i64, i64)>::new();
    let mut covered = Vec::new();
    for target in &log.targets {
        let mut counters = BTreeMap::new();
        let mut shown = BTreeMap::new();
        let mut before = None;
        for answer in target.answers.iter().filter(|answer| answer.at > from) {
            let since = before.unwrap_or(answer.started);
            let is_known = before.is_some() || answer.at - since < HOUR;
            let (mut bad, mut total) = (0, 0);
            for value in &answer.values {
                let now = i64::try_from(value.stood).unwrap();
                let old = counters.insert((answer.life, value.counter), now);
                let passed = shown.get(&value.labels).filter(|shown| **shown <= now);
                let old = match lives {
                    Lives::Guessed if passed.is_some() => passed.copied(),
                    _ => old,
                };
                let events = now - old.unwrap_or(0);
                match value.role {
                    Role::Good => total += events,
                    Role::Bad | Role::Every => (bad, total) = (bad + events, total + events),
                    Role::Fast => bad -= events,
                }
            }
            let is_gap = 2 * (answer.at - since) > 5 * log.every;
            if is_known && !answer.values.is_empty() {
                if is_gap {
                    let gap = gaps.entry((since, answer.at)).or_default();
                    *gap = (gap.0 + bad, gap.1 + total - bad);
                } else {
                    let slot = slots.entry(end_of(answer.at, width)).or_default();
                    (slot.bad, slot.total) = (slot.bad + bad, slot.total + total);
                    covered.push((since, answer.at));
                }
            }
            let values = answer.values.iter();
            let values =
                values.map(|value| (value.labels.clone(), i64::try_from(value.stood).unwrap()));
            shown = values.collect();
            before = Some(answer.at);
        }
    }
    for ((since, to), (bad, good)) in gaps {
        spread(&mut slots, since, to, width, bad, good);
    }
    cover(&mut slots, covered, width);
    slots
}

/// The end of the slot, itself in it, that a time lies in.
fn end_of(at: i64, width: i64) -> i64 {
    at + (width - at % width) % width
}

/// Good and bad events each spread evenly, whole, over all slots that the gap touches.
fn spread(
    slots: &mut BTreeMap<i64, Expected>,
    since: i64,
    to: i64,
    width: i64,
    bad: i64,
    good: i64,
) {
    let (first, last) = (end_of(since + 1, width), end_of(to, width));
    let count = (last - first) / width + 1;
    for index in 0..count {
        let share = |events: i64| events * (index + 1) / count - events * index / count;
        let slot = slots.entry(first + index * width).or_default();
        slot.bad += share(bad);
        slot.total += share(bad) + share(good);
        slot.reconstructed = true;
    }
}

/// Adds the union of all `(since, to]`.
fn cover(slots: &mut BTreeMap<i64, Expected>, mut ranges: Vec<(i64, i64)>, width: i64) {
    ranges.sort_unstable();
    let mut reached = i64::MIN;
    for (since, to) in ranges {
        let mut from = since.max(reached);
        while from < to {
            let end = end_of(from + 1, width);
            slots.entry(end).or_default().covered += to.min(end) - from;
            from = end.min(to);
        }
        reached = reached.max(to);
    }
}
