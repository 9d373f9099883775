//! The ledger against a slow one: a list of everything that was added.

use proptest::prelude::*;

use super::chunk::Age;
use super::tally::touched;
use super::*;
use crate::domain::calendar::Period;

const SLOT: Span = Span::from_secs(30);

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(secs * 1_000)
}

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange {
        from: at(from),
        to: at(to),
    }
}

fn slot(bad: u32, total: u32, covered: i64, reconstructed: bool) -> Slot {
    Slot {
        counts: Counts {
            bad: bad.into(),
            total: total.into(),
        },
        covered: Span::from_secs(covered),
        reconstructed,
    }
}

/// One call that adds something: (lane, settled, time in seconds, what).
type Added = (u16, bool, i64, Slot);

fn added() -> impl Strategy<Value = Vec<Added>> {
    let what = (
        0_u32..50,
        50_u32..1_000,
        0_i64..60,
        prop::bool::weighted(0.1),
    )
        .prop_map(|(bad, total, covered, reconstructed)| slot(bad, total, covered, reconstructed));
    let one = (0_u16..2, any::<bool>(), -9_000_i64..20_000, what);
    prop::collection::vec(one, 0..200)
}

fn filled(added: &[Added]) -> Ledger {
    let mut ledger = Ledger::new(SLOT, 2);
    for (lane, settled, secs, what) in added {
        if *settled {
            ledger.add_settled(*lane, at(*secs), what);
        } else {
            ledger.add_provisional(*lane, at(*secs), what);
        }
    }
    ledger
}

/// The slots of one lane, settled or not, by end: added up the slow way.
fn slow_lane(
    added: &[Added],
    lane: u16,
    settled: bool,
    range: TimeRange,
) -> Vec<(Timestamp, Slot)> {
    let mut slots = std::collections::BTreeMap::<_, Slot>::new();
    for (_, _, secs, what) in added
        .iter()
        .filter(|(of, is, ..)| *of == lane && *is == settled)
    {
        slots.entry(at(*secs).ceil_to(SLOT)).or_default().add(what);
    }
    slots.retain(|end, _| range.contains(*end));
    slots.into_iter().collect()
}

/// Parts of an event: 2^40.
const PARTS: f64 = 1_099_511_627_776.0;

proptest! {
    #[test]
    fn sums_are_those_of_a_plain_list(added in added(), from in -10_000_i64..21_000, length in 0_i64..15_000) {
        let range = range(from, from + length);
        let sum = filled(&added).sum(range);
        let from = range.from.floor_to(SLOT);
        // How long both lanes were measured together is tested by itself.
        let mut slow = WindowSum { from, covered: sum.covered, ..WindowSum::default() };
        for lane in 0..2 {
            for (_, slot) in [true, false].into_iter().flat_map(|settled| slow_lane(&added, lane, settled, range)) {
                slow.counts = slow.counts.plus(slot.counts);
                slow.slots += 1;
                slow.reconstructed_slots += u64::from(slot.reconstructed);
            }
        }
        slow.reconstructed = slow.reconstructed_slots > 0;
        prop_assert_eq!(sum, slow);
    }

    #[test]
    fn slots_come_in_order_and_add_up_to_the_sum(added in added(), from in -10_000_i64..21_000, length in 0_i64..15_000) {
        let (ledger, range) = (filled(&added), range(from, from + length));
        let slots: Vec<_> = ledger.slots(range).collect();
        prop_assert!(slots.is_sorted_by(|(a, _), (b, _)| a < b));
        let counts = slots.iter().fold(Counts::default(), |sum, (_, slot)| sum.plus(slot.counts));
        prop_assert_eq!(counts, ledger.sum(range).counts);
        for (end, slot) in slots {
            let one = ledger.sum(TimeRange { from: end - SLOT, to: end });
            prop_assert_eq!(slot.counts, one.counts);
            prop_assert_eq!(slot.reconstructed, one.reconstructed);
            prop_assert!((slot.covered.as_secs_f64() / 30.0).min(1.0) - one.covered < 1e-9);
        }
    }
}

#[test]
fn a_slot_belongs_to_the_windows_in_which_it_ends() {
    let mut ledger = Ledger::new(SLOT, 1);
    ledger.add_settled(0, at(3_590), &slot(1, 10, 30, false));
    ledger.add_provisional(0, at(3_630), &slot(2, 20, 30, false));
    for (from, to, bad, covered) in [
        (0, 3_600, 1.0, 30.0 / 3_600.0),
        (3_570, 3_600, 1.0, 1.0),
        (3_600, 3_630, 2.0, 1.0),
        (3_570, 3_630, 3.0, 1.0),
        (0, 3_599, 0.0, 0.0),
        (3_630, 3_660, 0.0, 0.0),
        (3_630, 3_600, 0.0, 0.0),
        (3_600, 3_600, 0.0, 0.0),
    ] {
        let sum = ledger.sum(range(from, to));
        assert!(
            (sum.counts.bad - bad).abs() < 1e-9 && (sum.covered - covered).abs() < 1e-9,
            "({from}, {to}]: {sum:?}"
        );
    }
}

#[test]
fn a_window_is_covered_as_far_as_its_least_covered_lane() {
    let mut ledger = Ledger::new(SLOT, 2);
    ledger.add_settled(0, at(30), &slot(1, 1, 30, false));
    ledger.add_settled(0, at(60), &slot(1, 1, 45, false));
    ledger.add_settled(1, at(60), &slot(0, 5, 15, true));
    let sum = ledger.sum(range(0, 60));
    assert!((sum.covered - 0.25).abs() < 1e-9, "{sum:?}");
    assert_eq!((sum.slots, sum.reconstructed_slots), (3, 1));
    assert_eq!(
        ledger.slots(range(0, 60)).collect::<Vec<_>>(),
        [
            (at(30), slot(1, 1, 0, false)),
            (at(60), slot(1, 6, 15, true))
        ]
    );
    assert!(Ledger::new(SLOT, 0).sum(range(0, 60)).covered.abs() < 1e-9);
}

/// How the lanes of a ledger were measured over three days: `#` two hours long, `.` two hours not.
fn watched(lanes: &[&str]) -> Ledger {
    let mut ledger = Ledger::new(SLOT, u16::try_from(lanes.len()).unwrap());
    for (number, lane) in (0..).zip(lanes) {
        for (letter, hours) in lane.chars().zip((0..).step_by(2)) {
            for slots in (0..240).filter(|_| letter == '#') {
                let end = at(hours * 3_600 + (slots + 1) * 30);
                ledger.add_settled(number, end, &slot(0, 1, 30, false));
            }
        }
    }
    ledger
}

#[test]
fn lanes_are_measured_together_where_each_is_or_one_that_is_enough() {
    let days = |day: &str| day.repeat(3);
    for (lanes, all, any) in [
        (["############", "############"], 12, 12),
        (["############", "####..######"], 10, 12),
        // One took over from the other.
        (["######......", "......######"], 0, 12),
        (["########....", "....########"], 4, 12),
        // Two holes, and one that is in both.
        (["##..########", "########..##"], 8, 12),
        (["##..########", "##..########"], 10, 10),
        (["############", "............"], 0, 12),
    ] {
        let lanes = lanes.map(days);
        let lanes: Vec<&str> = lanes.iter().map(String::as_str).collect();
        for now in [0, 72 + 7, 10 * 24] {
            for (enough, expected) in [(0..0, all), (0..2, any)] {
                let mut ledger = watched(&lanes).any_of(enough);
                ledger.grow_old(at(now * 3_600));
                for length in [1, 3] {
                    let sum = ledger.sum(range(0, length * 86_400));
                    let expected = f64::from(expected) / 12.0;
                    assert!(
                        (sum.covered - expected).abs() < 1e-9,
                        "{lanes:?} {now} {length}: {sum:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn settled_slots_replace_provisional_ones_and_only_they_are_to_be_written() {
    let mut ledger = Ledger::new(SLOT, 2);
    ledger.add_provisional(0, at(30), &slot(1, 10, 30, false));
    ledger.add_provisional(1, at(30), &slot(0, 7, 30, false));
    assert!(ledger.take_changed().is_empty());
    ledger.clear_provisional(0);
    ledger.add_settled(0, at(30), &slot(2, 10, 30, false));
    ledger.add_settled(0, at(3_630), &slot(0, 1, 30, false));
    ledger.add_settled(5, at(30), &slot(9, 9, 30, false));
    assert_eq!(
        ledger.sum(range(0, 60)).counts,
        Counts {
            bad: 2.0,
            total: 17.0
        }
    );
    let keys = |changed: Vec<((u16, ChunkKey), Arc<Chunk>)>| {
        let starts = changed
            .into_iter()
            .map(|((lane, key), _)| (lane, key.start));
        starts.collect::<Vec<_>>()
    };
    assert_eq!(keys(ledger.take_changed()), [(0, at(0)), (0, at(3_600))]);
    assert!(ledger.take_changed().is_empty());
    ledger.add_settled(0, at(3_660), &slot(0, 1, 30, false));
    assert_eq!(keys(ledger.take_changed()), [(0, at(3_600))]);
}

#[test]
fn a_clone_does_not_see_what_comes_later_and_shares_the_rest() {
    let mut ledger = filled(&[
        (0, true, 30, slot(1, 1, 30, false)),
        (0, true, 3_630, slot(1, 1, 30, false)),
    ]);
    let seen = ledger.clone();
    let first = |ledger: &Ledger| {
        let key = ChunkKey::containing(Age::Recent, at(30));
        Arc::as_ptr(ledger.lanes[0].chunk(key).unwrap())
    };
    assert_eq!(first(&ledger), first(&seen));
    ledger.add_settled(0, at(3_640), &slot(1, 1, 30, false));
    assert_eq!(first(&ledger), first(&seen));
    assert!((seen.sum(range(0, 7_200)).counts.bad - 2.0).abs() < 1e-9);
    assert!((ledger.sum(range(0, 7_200)).counts.bad - 3.0).abs() < 1e-9);
}

#[test]
fn chunks_of_another_slot_width_still_sum_right() {
    let mut old = Ledger::new(Span::from_secs(60), 1);
    for minute in 1..=10 {
        old.add_settled(0, at(minute * 60), &slot(1, 10, 60, false));
    }
    for width in [7, 30, 120] {
        let mut ledger = Ledger::new(Span::from_secs(width), 1);
        for ((lane, _), chunk) in old.clone().take_changed() {
            ledger.restore(lane, chunk);
        }
        assert!(ledger.take_changed().is_empty(), "the store has it already");
        ledger.add_settled(0, at(601), &slot(5, 5, 7, false));
        let sum = ledger.sum(range(300, 900));
        assert_eq!(
            sum.counts,
            Counts {
                bad: 10.0,
                total: 55.0
            },
            "{width}"
        );
        assert_eq!(ledger.sum(range(0, 3_600)).slots, 11, "{width}");
    }
}

#[test]
fn chunks_are_forgotten_once_all_of_them_is_past() {
    let hours = |hours: i64| at(hours * 3_600);
    let mut ledger = Ledger::new(SLOT, 2);
    for hour in 0..4 {
        ledger.add_settled(1, hours(hour) + SLOT, &slot(0, 1, 30, false));
    }
    assert!(!ledger.forget_before(hours(1) - SLOT));
    assert!(ledger.forget_before(hours(2)));
    assert!(!ledger.forget_before(hours(2)));
    assert_eq!(ledger.sum(range(0, 20_000)).slots, 2);
    assert_eq!(
        ledger.take_changed().len(),
        2,
        "forgotten chunks are not written again"
    );
}

/// Whether a time lies on the grid that slots of its age have, seen from `now`.
fn grain_at(time: i64, now: i64) -> i64 {
    let hours = |hours: i64| (now - hours * 3_600).div_euclid(3_600) * 3_600;
    if time < hours(72) {
        3_600
    } else if time < hours(6) {
        300
    } else {
        30
    }
}

proptest! {
    /// However slots were added, early or late, before they grew old or after, a window that begins
    /// on their grid holds exactly what it would hold of fine slots; every other window begins at
    /// the start of the slot into which its start falls.
    #[test]
    fn growing_old_loses_nothing_but_the_place_of_the_far_edge(
        first in prop::collection::vec((0_i64..500_000, 0_u32..9, any::<bool>()), 1..60),
        late in prop::collection::vec((0_i64..500_000, 0_u32..9, any::<bool>()), 0..20),
        nows in prop::collection::vec(0_i64..600_000, 1..5),
        from in 0_i64..500_000,
    ) {
        let (mut aged, mut fine) = (Ledger::new(SLOT, 1), Ledger::new(SLOT, 1));
        let mut add = |aged: &mut Ledger, added: &[(i64, u32, bool)]| for (secs, bad, reconstructed) in added {
            let what = slot(*bad, 10, 30, *reconstructed);
            aged.add_settled(0, at(*secs), &what);
            fine.add_settled(0, at(*secs), &what);
        };
        add(&mut aged, &first);
        for now in &nows {
            aged.grow_old(at(*now));
        }
        add(&mut aged, &late);
        let now = nows.iter().copied().max().unwrap();
        let begun = from.div_euclid(grain_at(from, now)) * grain_at(from, now);
        let (sum, whole) = (aged.sum(range(from, 600_000)), fine.sum(range(begun, 600_000)));
        prop_assert_eq!(sum.from, at(begun));
        prop_assert_eq!(sum.counts, whole.counts);
        prop_assert!((sum.covered - whole.covered).abs() < 1e-9);
        prop_assert_eq!(sum.reconstructed, whole.reconstructed);
        let ends: Vec<_> = aged.slots(range(-1_000_000, 10_000_000)).map(|(end, _)| end).collect();
        prop_assert!(ends.is_sorted_by(|a, b| a < b));
    }

    /// What was handed out to be written, minus what is no longer needed, is the ledger.
    #[test]
    fn what_is_written_restores_the_ledger(
        steps in prop::collection::vec((0_i64..500_000, 1_u32..9, prop::option::of(0_i64..600_000)), 1..60),
    ) {
        let mut ledger = Ledger::new(SLOT, 1);
        let mut written = std::collections::BTreeMap::new();
        for (secs, bad, now) in steps {
            ledger.add_settled(0, at(secs), &slot(bad, 10, 30, false));
            let grown = now.and_then(|now| ledger.grow_old(at(now)));
            written.extend(ledger.take_changed());
            written.retain(|(_, key), _| key.age == Age::Old || grown.is_none_or(|grown| !grown.contains(key.end())));
        }
        let mut restored = Ledger::new(SLOT, 1);
        for ((lane, _), chunk) in written {
            restored.restore(lane, chunk);
        }
        prop_assert!(restored.slots(range(-1_000_000, 10_000_000)).eq(ledger.slots(range(-1_000_000, 10_000_000))));
    }
}

/// Midnight in Kathmandu is a quarter past six in the evening: hours are cut there, and only there.
#[test]
fn hours_are_cut_at_the_edges_of_calendar_periods() {
    let month = Calendar::new(Period::Month, "Asia/Kathmandu");
    let edge = month.as_ref().unwrap().around(at(1_790_000_000)).to;
    let mut ledger = Ledger::new(SLOT, 1).cut_at(month.into_iter().collect());
    for minute in -120..120 {
        let end = edge + Span::from_mins(minute);
        ledger.add_settled(0, end, &slot(1, 2, 30, false));
    }
    ledger.grow_old(edge + Span::from_days(10));
    let total = |from: Span, to: Span| {
        let (from, to) = (edge + from, edge + to);
        let sum = ledger.sum(TimeRange { from, to });
        (sum.from.since(edge), sum.counts.bad)
    };
    let (hours, none) = (Span::from_hours(12), Span::ZERO);
    assert_eq!(total(none, hours), (none, 119.0));
    let quarter = Span::from_mins(15);
    assert_eq!(total(none - hours, none), (none - hours - quarter, 121.0));
    let inside = Span::from_mins(10);
    assert_eq!(total(inside, hours), (none, 119.0));
    let before = none - Span::from_mins(10);
    assert_eq!(total(before, hours), (none - quarter, 119.0 + 15.0));
}

#[test]
fn thirty_days_of_slots_take_little_room() {
    let mut ledger = Ledger::new(SLOT, 1);
    let end = Span::from_days(30).as_millis() / SLOT.as_millis();
    for number in 1..=end {
        let now = Timestamp::from_millis(number * SLOT.as_millis());
        let counts = Counts {
            bad: 3.0,
            total: 70_000.0,
        };
        ledger.add_settled(
            0,
            now,
            &Slot {
                counts,
                covered: SLOT,
                reconstructed: false,
            },
        );
        ledger.grow_old(now);
    }
    let slots = ledger.slots(range(-1_000_000, 10_000_000)).count();
    assert_eq!(slots, 27 * 24 + 66 * 12 + 6 * 120);
    let sum = ledger.sum(TimeRange {
        from: Timestamp::default(),
        to: at(30 * 86_400),
    });
    assert_eq!(
        sum.counts,
        Counts {
            bad: 259_200.0,
            total: 6_048_000_000.0
        }
    );
}

/// Ninety-five days up to the end of the last tick, as an engine fills them, with slots that are not
/// final yet at the end.
fn ninety_five_days() -> (Ledger, Timestamp) {
    let mut ledger = Ledger::new(SLOT, 1);
    let end = at(95 * 86_400 + 12_345 * 30);
    let mut now = at(0);
    while now < end - Span::from_mins(5) {
        // Only the newest hours need all of their slots.
        let fine = end.since(now) < Span::from_hours(80);
        now = now + if fine { SLOT } else { Span::from_mins(10) };
        ledger.add_settled(0, now, &slot(1, 100, 30, false));
        ledger.grow_old(now);
    }
    while now < end {
        now = now + SLOT;
        ledger.add_provisional(0, now, &slot(1, 100, 30, false));
    }
    (ledger, end)
}

#[test]
fn a_window_of_ninety_days_looks_at_as_many_slots_as_one_of_an_hour() {
    let (mut ledger, mut now) = ninety_five_days();
    let lengths = [
        Span::from_hours(1),
        Span::from_hours(6),
        Span::from_hours(72),
        Span::from_days(30),
        Span::from_days(90),
    ];
    // A day of ticks, and what is final every five minutes.
    for tick in 1..=2_880 {
        now = now + SLOT;
        ledger.add_provisional(0, now, &slot(1, 100, 30, false));
        if tick % 10 == 0 {
            ledger.clear_provisional(0);
            for older in 10..20 {
                let end = now - Span::from_secs(older * 30);
                ledger.add_settled(0, end, &slot(1, 100, 30, false));
            }
            for newer in 0..10 {
                let end = now - Span::from_secs(newer * 30);
                ledger.add_provisional(0, end, &slot(1, 100, 30, false));
            }
        }
        ledger.grow_old(now);
        let touched = lengths.map(|length| {
            let range = TimeRange {
                from: now - length,
                to: now,
            };
            touched::by(|| ledger.sum(range))
        });
        // Two sums at each end, of recent slots and of old ones, and the slots that are not final.
        assert_eq!(touched, [8 + 10 + tick % 10; 5], "tick {tick}");
    }
    let slots = ledger.slots(range(0, i64::MAX / 1_000)).count();
    assert!(slots > 2_000, "{slots} slots");
}

proptest! {
    /// Counts that are not whole, chunks that are restored, replaced, filled newest first and let
    /// go of: a window is always what its slots come to, to the last bit of a float.
    #[test]
    fn windows_do_not_drift(
        steps in prop::collection::vec((0_i64..900_000, -3.0_f64..1e6, any::<bool>()), 1..120),
        newest_first in any::<bool>(),
        grown in prop::option::of(0_i64..900_000),
        gone in prop::option::of(0_i64..200_000),
        windows in prop::collection::vec((0_i64..900_000, 0_i64..900_000), 1..8),
    ) {
        let mut steps = steps;
        if newest_first {
            steps.sort_by_key(|(secs, ..)| -secs);
        }
        let mut ledger = Ledger::new(SLOT, 1);
        for (secs, count, whole) in &steps {
            let total = if *whole { count.round() } else { *count };
            let counts = Counts { bad: total / 4.0, total };
            ledger.add_settled(0, at(*secs), &Slot { counts, covered: SLOT, reconstructed: *whole });
        }
        if let Some(now) = grown {
            ledger.grow_old(at(now));
        }
        if let Some(time) = gone {
            ledger.forget_before(at(time));
        }
        let mut restored = Ledger::new(SLOT, 1);
        for (lane, chunk) in ledger.chunks() {
            restored.restore(lane, Arc::clone(chunk));
            restored.restore(lane, Arc::clone(chunk));
        }
        restored.ages = ledger.ages;
        for (from, to) in windows {
            let range = range(from.min(to), from.max(to));
            let sum = ledger.sum(range);
            prop_assert_eq!(restored.sum(range), sum);
            // Parts of an event that floats of this size hold are added up without an error.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "counts of tests are far below 2^87"
            )]
            let parts = |count: f64| (count * PARTS).round() as i128;
            let (mut bad, mut total, mut slots) = (0_i128, 0_i128, 0);
            for (_, slot) in ledger.slots(range) {
                bad += parts(slot.counts.bad);
                total += parts(slot.counts.total);
                slots += 1;
            }
            #[expect(clippy::cast_precision_loss, reason = "sums round once, as the ledger does")]
            let float = |parts: i128| parts as f64 / PARTS;
            prop_assert_eq!((sum.counts.bad, sum.counts.total), (float(bad), float(total)));
            prop_assert_eq!(sum.slots, slots);
        }
    }
}

#[test]
fn what_was_let_go_of_is_not_begun_anew() {
    let days = |days: i64| at(days * 86_400);
    let mut ledger = Ledger::new(SLOT, 1);
    for day in 0..10 {
        ledger.add_settled(0, days(day) + Span::from_hours(3), &slot(1, 10, 30, false));
    }
    ledger.grow_old(days(20));
    ledger.take_changed();
    ledger.forget_before(days(5) + Span::from_hours(1));
    // The chunk of this day is complete elsewhere: a new one would take its place there.
    ledger.add_settled(0, days(4) + Span::from_hours(7), &slot(1, 10, 30, false));
    assert!(ledger.take_changed().is_empty());
    ledger.add_settled(0, days(5) + Span::from_hours(7), &slot(1, 10, 30, false));
    assert_eq!(ledger.take_changed().len(), 1);
    assert_eq!(ledger.sum(range(0, i64::MAX / 1_000)).slots, 6);
}
