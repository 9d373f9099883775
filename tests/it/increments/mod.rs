//! Counts are the scrape log's in every slot, whatever happens to targets, Prometheus and the daemon.
//!
//! Each class of behaviour is a log of whole numbers, made by chance from a fixed seed. The engine reads it as it would
//! read Prometheus, and an oracle that shares nothing with it says what each slot must hold.

mod classes;
mod daemon;
mod log;
mod maker;
mod oracle;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sloburn::domain::slot::Slot;

use self::classes::{BEGIN, Class, Loses};
use self::daemon::{Counted, TICK, Way};
use self::log::{HOUR, MINUTE};
use self::oracle::{Expected, Lives};

/// How many differences are written down.
const SHOWN: usize = 5;

#[test]
fn every_slot_of_every_class_is_exact_where_start_times_are_known() {
    let way = Way {
        starts: true,
        crashes: None,
    };
    judge(way, |class, expected, counted| {
        differences(class, expected, counted)
    });
}

#[test]
fn every_tick_shows_what_happened_before_it() {
    let way = Way {
        starts: true,
        crashes: Some(17),
    };
    judge(way, |class, expected, counted| {
        let mut report = String::new();
        for (at, shown) in counted.shown.iter().filter(|_| class.is_prompt) {
            let before = expected
                .range(..=at)
                .map(|(_, slot)| (slot.bad, slot.total));
            let sum = before.fold((0, 0), |sum, slot| (sum.0 + slot.0, sum.1 + slot.1));
            let shown = (whole(shown.bad), whole(shown.total));
            if shown != sum {
                let second = (at - BEGIN) / 1_000;
                let name = class.name;
                writeln!(report, "{name} at {second} s: {shown:?} instead of {sum:?}").unwrap();
            }
        }
        report
    });
}

#[test]
fn without_start_times_only_births_are_lost_and_each_is_listed() {
    let way = Way {
        starts: false,
        crashes: None,
    };
    judge(way, |class, expected, counted| {
        let mut expected = expected.clone();
        if class.loses == Loses::Births {
            leave_out(&mut expected, counted);
        }
        differences(class, &expected, counted)
    });
}

#[test]
fn a_daemon_that_is_killed_again_and_again_counts_the_same() {
    let way = Way {
        starts: true,
        crashes: Some(23),
    };
    judge(way, |class, expected, counted| {
        differences(class, expected, counted)
    });
}

/// Counts every class and writes down what is not as it must be.
fn judge(way: Way, compare: impl Fn(&Class, &BTreeMap<i64, Expected>, &Counted) -> String) {
    let mut report = String::new();
    let lives = if way.starts {
        Lives::Told
    } else {
        Lives::Guessed
    };
    for class in classes::all() {
        assert!(class.events >= 20, "{}: {}", class.name, class.events);
        let end = class.end + 20 * MINUTE;
        let counted = daemon::count(&class.log, class.indicator, BEGIN, end, way);
        let mut expected = oracle::slots(&class.log, lives, counted.from, TICK);
        expected.retain(|end, _| *end <= counted.to);
        report.push_str(&compare(&class, &expected, &counted));
    }
    assert!(report.is_empty(), "{way:?}\n{report}");
}

/// Takes away what is listed as left out.
fn leave_out(expected: &mut BTreeMap<i64, Expected>, counted: &Counted) {
    for (labels, birth) in &counted.ignored {
        let events = whole(birth.value);
        let end = (birth.at.as_millis() + TICK - 1).div_euclid(TICK) * TICK;
        let slot = expected.get_mut(&end).expect("births belong to slots");
        slot.total -= events;
        slot.bad -= if labels.get("code") == "500" {
            events
        } else {
            0
        };
    }
}

/// What differs in single slots, and in the hours of what is kept at the end.
fn differences(class: &Class, expected: &BTreeMap<i64, Expected>, counted: &Counted) -> String {
    assert!(expected.len() > 100, "{}: {}", class.name, expected.len());
    let slots = counted.slots.iter().map(|(end, slot)| (*end, shape(slot)));
    let kept = counted.kept.iter().map(|(end, slot)| (*end, shape(slot)));
    let hours = unlike(class, &hours(expected.clone()), &hours(kept));
    if class.is_fine {
        unlike(class, expected, &slots.collect()) + &hours
    } else {
        hours
    }
}

fn unlike(class: &Class, expected: &Slots, counted: &Slots) -> String {
    let mut report = String::new();
    let ends: BTreeSet<i64> = expected.keys().chain(counted.keys()).copied().collect();
    let mut found = 0;
    for end in ends {
        let (mut is, must) = (counted.get(&end).copied(), expected.get(&end).copied());
        if let (Some(is), Some(must), false) = (&mut is, must, class.covers) {
            is.covered = must.covered;
        }
        if is == must {
            continue;
        }
        found += 1;
        if found <= SHOWN {
            let second = (end - BEGIN) / 1_000;
            writeln!(
                report,
                "{} at {second} s: {is:?} instead of {must:?}",
                class.name
            )
            .unwrap();
        }
    }
    if found > SHOWN {
        writeln!(report, "{}: {found} slots differ", class.name).unwrap();
    }
    report
}

type Slots = BTreeMap<i64, Expected>;

/// The same by hours.
fn hours(slots: impl IntoIterator<Item = (i64, Expected)>) -> Slots {
    let mut hours = Slots::new();
    for (end, slot) in slots {
        let hour = hours
            .entry((end + HOUR - 1).div_euclid(HOUR) * HOUR)
            .or_default();
        hour.bad += slot.bad;
        hour.total += slot.total;
        hour.covered += slot.covered;
        hour.reconstructed |= slot.reconstructed;
    }
    hours
}

fn shape(slot: &Slot) -> Expected {
    Expected {
        bad: whole(slot.counts.bad),
        total: whole(slot.counts.total),
        covered: slot.covered.as_millis(),
        reconstructed: slot.reconstructed,
    }
}

/// A count, which has no fraction here.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole")]
fn whole(count: f64) -> i64 {
    assert!(count.fract().abs() < f64::EPSILON, "{count}");
    count as i64
}
