//! Columns against a plain map of slots, in whatever form they are kept.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::slot::Counts;

/// One addition: to which slot, what, how much of it was measured, and whether it was spread over a gap.
type Step = (i64, Counts, i64, bool);

/// What a slot counts, by a number.
type Each = fn(f64) -> Counts;

/// How many seconds of a slot were measured, by its number.
type Covered = fn(u32) -> i64;

/// What each event of a lane adds.
fn each() -> impl Strategy<Value = (i32, i32)> {
    prop_oneof![
        Just((0, 1)),
        Just((1, 0)),
        Just((1, 1)),
        Just((-1, 0)),
        Just((2, 3)),
        Just((0, 1 << 30)),
    ]
}

fn times((bad, total): (i32, i32), times: i32) -> Counts {
    let times = f64::from(times);
    pair(f64::from(bad) * times, f64::from(total) * times)
}

/// Most slots come one after the other, measured wholly, with events that all add the same.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let flags = (any::<bool>(), prop::bool::weighted(0.2));
    let odd = (0..50_i64, (each(), 0..9), 0..31_i64, flags);
    let odd = odd.prop_map(|(place, (each, number), covered, (mark, half))| {
        let mut counts = times(each, number);
        counts.total += if half { 0.5 } else { 0.0 };
        (place * 30, counts, covered, mark)
    });
    let even = (each(), prop::collection::vec(0..40, 0..40));
    let even = even.prop_map(|(each, numbers)| {
        let slots = (1..).zip(numbers);
        let steps = slots.map(|(place, number)| (place * 30, times(each, number), 30, false));
        steps.collect::<Vec<Step>>()
    });
    (even, prop::collection::vec(odd, 0..4)).prop_map(|(mut even, odd)| {
        even.extend(odd);
        even
    })
}

proptest! {
    #[test]
    fn columns_hold_what_was_added(
        steps in prop_oneof![steps(), steps().prop_shuffle()],
        shrunk_at in 0..45_usize,
    ) {
        let mut columns = Columns::new();
        let mut plain: BTreeMap<i64, Slot> = BTreeMap::new();
        let mut grown = Tally::default();
        for (number, (end, counts, covered, reconstructed)) in steps.into_iter().enumerate() {
            let covered = Span::from_secs(covered);
            let more = Slot { counts, covered, reconstructed };
            grown = grown.plus(columns.add(Span::from_secs(end), &more));
            plain.entry(end).or_default().add(&more);
            if number == shrunk_at {
                let loose = columns.clone();
                columns.shrink();
                prop_assert!(!columns.is_loose());
                prop_assert_eq!(&columns, &loose);
            }
        }
        let mut shrunk = columns.clone();
        shrunk.shrink();
        for columns in [columns, shrunk] {
            prop_assert_eq!(columns.len(), plain.len());
            let mut sum = Tally::default();
            for (place, (end, slot)) in plain.iter().enumerate() {
                let end = Span::from_secs(*end);
                prop_assert_eq!(columns.get(place), Some((end, *slot)));
                prop_assert_eq!(columns.up_to(end - Span::from_millis(1)), place);
                prop_assert_eq!(columns.up_to(end), place + 1);
                sum = sum.plus(Tally::of(slot));
                prop_assert_eq!(columns.tally(place + 1), sum);
            }
            prop_assert_eq!(columns.get(plain.len()), None);
            prop_assert_eq!(grown, sum);
        }
    }
}

#[test]
fn what_is_alike_is_kept_once() {
    let lane = |each: Each, covered: Covered| {
        let mut columns = Columns::new();
        for number in 1..=120_u32 {
            let slot = Slot {
                counts: each(f64::from(number)),
                covered: Span::from_secs(covered(number)),
                reconstructed: number == 50 && covered(number) < 30,
            };
            columns.add(Span::from_secs(30 * i64::from(number)), &slot);
        }
        columns.shrink();
        let times = match columns.times {
            Times::Even { .. } => "even",
            Times::Runs(_) => "runs",
            Times::Uneven(_) => "uneven",
        };
        let counts = match columns.counts {
            CountColumn::Nothing => "nothing".to_owned(),
            CountColumn::Same { each, .. } => format!("same {each:?}"),
            CountColumn::Small(_) => "small".to_owned(),
            CountColumn::Whole(_) => "whole".to_owned(),
            CountColumn::Any(_) => "any".to_owned(),
        };
        format!("{times}, {counts}")
    };
    let all: Covered = |_| 30;
    let cases: [(Each, Covered, &str); 9] = [
        (|_| pair(0.0, 0.0), all, "even, nothing"),
        (|n| pair(0.0, n), all, "even, same [0, 1]"),
        (|n| pair(-n, 0.0), all, "even, same [-1, 0]"),
        (|n| pair(n, n), |_| 29, "runs, same [1, 1]"),
        (
            |n| pair(n, n),
            |number| if number % 20 == 10 { 7 } else { 30 },
            "runs, same [1, 1]",
        ),
        (
            |n| pair(n, n),
            |number| 30 - i64::from(number % 2),
            "uneven, same [1, 1]",
        ),
        (|n| pair(1.0, n), all, "even, small"),
        (|n| pair(-1.0, n), all, "even, whole"),
        (|n| pair(0.5, n), all, "even, any"),
    ];
    for (each, covered, kept) in cases {
        assert_eq!(lane(each, covered), kept);
    }
}

const fn pair(bad: f64, total: f64) -> Counts {
    Counts { bad, total }
}
