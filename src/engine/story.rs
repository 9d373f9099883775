//! When errors began, when they stopped, how they developed, and when a budget was used up: read
//! from the slots.

use crate::domain::guard::Guard;
use crate::domain::objective::Objective;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::ledger::Ledger;

/// How many steps a trend has.
const TREND: i64 = 8;

/// When the errors began that are still going on at `at`: the start of the oldest slot that was
/// worse than allowed, with no calm longer than `calm` between it and now. Slices of `slice` have their
/// counts in the slot at their end.
pub(super) fn onset(
    ledger: &Ledger,
    objective: Objective,
    looked: Span,
    calm: Span,
    slice: Span,
    at: Timestamp,
) -> Timestamp {
    let calm = calm.max(slice);
    let mut onset = at;
    let mut last_bad: Option<Timestamp> = None;
    for (end, counted) in ledger.slots(TimeRange {
        from: at - looked,
        to: at,
    }) {
        if !counted.counts.exceeds(objective.allowance()) {
            continue;
        }
        if last_bad.is_none_or(|last| end.since(last) > calm) {
            onset = ledger.start(end).min(end - slice);
        }
        last_bad = Some(end);
    }
    onset
}

/// What is taken for chance: so few bad events in the window before a slot's end that a service on budget shows as many with
/// a probability of `alpha` or more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    /// The length of that window.
    pub(super) window: Span,
    /// As of the low-traffic guard.
    pub(super) alpha: f64,
}

/// The end of the last slot in a range that was worse than allowed, and not by chance: single errors come hours after
/// an outage too.
pub(super) fn stopped(
    ledger: &Ledger,
    objective: Objective,
    range: TimeRange,
    chance: Option<Chance>,
) -> Option<Timestamp> {
    let allowance = objective.allowance();
    let slots = ledger.slots(range);
    let bad = slots.filter(|(_, slot)| slot.counts.exceeds(allowance));
    let bad: Vec<Timestamp> = bad.map(|(end, _)| end).collect();
    let is_no_chance = |end: &&Timestamp| {
        chance.is_none_or(|Chance { window, alpha }| {
            let before = TimeRange {
                from: **end - window,
                to: **end,
            };
            let Counts { bad, total } = ledger.sum(before).counts;
            Guard::of(bad, total, allowance.to_f64(), alpha).is_passed()
        })
    };
    let last = bad.iter().rev().find(is_no_chance);
    last.or(bad.last()).copied()
}

/// Error ratios over a range in equal steps of whole slots, oldest first.
pub(super) fn trend(ledger: &Ledger, range: TimeRange, slot: Span) -> Vec<Option<f64>> {
    let slots = range.length().as_millis() / slot.as_millis();
    let steps = slots.min(TREND);
    let edge =
        |step: i64| range.from + Span::from_millis(slots * step / steps.max(1) * slot.as_millis());
    let ratio = |step: i64| {
        ledger
            .sum(TimeRange {
                from: edge(step),
                to: edge(step + 1),
            })
            .counts
            .error_ratio()
    };
    (0..steps).map(ratio).collect()
}

/// When the bad events of a window first were more than the whole window allows.
pub(super) fn emptied(ledger: &Ledger, range: TimeRange, allowed: f64) -> Option<Timestamp> {
    let mut spent = Counts::default();
    for (end, slot) in ledger.slots(range) {
        spent = spent.plus(slot.counts);
        if spent.bad >= allowed && spent.bad > 0.0 {
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slot::Slot;

    /// A thousand events a minute, of which so many are bad; nothing is known where it is not said.
    fn minutes(bad: impl IntoIterator<Item = Option<i32>>) -> (Ledger, Timestamp) {
        let mut ledger = Ledger::new(Span::from_mins(1), 1);
        let mut end = Timestamp::from_millis(0);
        for bad in bad {
            end = end + Span::from_mins(1);
            let Some(bad) = bad else { continue };
            let counts = Counts {
                bad: f64::from(bad),
                total: 1_000.0,
            };
            let slot = Slot {
                counts,
                ..Slot::default()
            };
            ledger.add_settled(0, end, &slot);
        }
        (ledger, end)
    }

    /// A letter a minute: `.` good, `#` all bad, `-` half a per cent bad, ` ` nothing known.
    fn ledger(letters: &str) -> (Ledger, Timestamp) {
        minutes(letters.chars().map(|letter| match letter {
            '#' => Some(1_000),
            '-' => Some(5),
            '.' => Some(0),
            _ => None,
        }))
    }

    #[test]
    fn errors_begin_after_the_last_long_calm() {
        let objective: Objective = "99.9%".parse().unwrap();
        for (letters, begin, end) in [
            ("....####", 4, Some(8)),
            ("##......####", 8, Some(12)),
            ("##..####", 0, Some(8)),
            ("##.. ###..", 0, Some(8)),
            ("....--##..", 4, Some(8)),
            ("........", 8, None),
        ] {
            let (ledger, now) = ledger(letters);
            let looked = Span::from_hours(1);
            let calm = Span::from_mins(5);
            let onset = onset(&ledger, objective, looked, calm, Span::ZERO, now);
            assert_eq!(onset.as_millis() / 60_000, begin, "{letters}");
            let range = TimeRange {
                from: onset,
                to: now,
            };
            let stopped = stopped(&ledger, objective, range, None);
            assert_eq!(
                stopped.map(|end| end.as_millis() / 60_000),
                end,
                "{letters}"
            );
        }
    }

    /// Of each slot's thousand events one may be bad.
    #[test]
    fn single_errors_do_not_make_an_outage_longer() {
        let objective: Objective = "99.9%".parse().unwrap();
        let window = Span::from_mins(5);
        let chance = Some(Chance {
            window,
            alpha: 1e-3,
        });
        for (bad, end) in [
            (vec![0, 0, 500, 500, 0, 0, 0, 0, 0, 0, 2, 0], 4),
            (vec![0, 0, 500, 500, 0, 0, 0, 0, 0, 0, 20, 0], 11),
            // All of them may be chance: the last one is as good as any.
            (vec![0, 2, 0, 0, 0, 0, 0, 2, 0, 0], 8),
        ] {
            let (ledger, now) = minutes(bad.iter().copied().map(Some));
            let range = TimeRange {
                from: Timestamp::from_millis(0),
                to: now,
            };
            let stopped = stopped(&ledger, objective, range, chance);
            assert_eq!(stopped.unwrap().as_millis() / 60_000, end, "{bad:?}");
        }
    }

    #[test]
    fn errors_begin_with_their_first_slice_or_with_the_whole_of_a_coarse_slot() {
        let objective: Objective = "99.9%".parse().unwrap();
        let (calm, minute) = (Span::from_mins(5), Span::from_mins(1));
        // A slice of ten minutes ends with every letter that is not blank.
        let blank = " ".repeat(9);
        let (sliced, now) = ledger(&format!("{blank}.{blank}#{blank}#{blank}#"));
        let hour = Span::from_hours(1);
        let slice = Span::from_mins(10);
        let onset_of = |ledger: &Ledger, looked, slice, at: Timestamp| {
            let onset = onset(ledger, objective, looked, calm, slice, at);
            onset.as_millis() / minute.as_millis()
        };
        assert_eq!(onset_of(&sliced, hour, slice, now), 10);
        // Half a day later slots are five minutes wide.
        let (mut old, now) = ledger(&format!("{}##", ".".repeat(8)));
        old.grow_old(now + Span::from_hours(12));
        assert_eq!(onset_of(&old, hour, Span::ZERO, now), 5);
    }

    #[test]
    fn a_trend_has_equal_steps_and_a_budget_ends_where_it_was_used_up() {
        let (ledger, now) = ledger("....#### ");
        let range = TimeRange {
            from: Timestamp::from_millis(0),
            to: now,
        };
        let trend = trend(&ledger, range, Span::from_mins(1));
        assert_eq!(trend, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0].map(Some));
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000);
        assert_eq!(emptied(&ledger, range, 1_500.0), Some(at(6)));
        assert_eq!(emptied(&ledger, range, 5_000.0), None);
    }
}
