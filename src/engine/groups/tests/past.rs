//! Groups that lived before anybody looked: a walk through the past finds them, with what they counted.

use std::collections::BTreeMap;

use super::{and_whole, by_route, grouped, ids, route, shop};
use crate::domain::decimal::Fraction;
use crate::domain::group::Grouping;
use crate::domain::indicator::{Events, Indicator, Split};
use crate::domain::quantity::{Bound, Quantity, Unit};
use crate::domain::slices::{Judge, MissingData, Sliced};
use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::engine::tests::{Run, World, healthy, requests, selector};

const HOUR: i64 = 3_600;
const END: i64 = 8 * HOUR;

/// When the late one begins: all else is its past.
const LATE: i64 = 7 * HOUR;

/// Beside those that are always there: one that is gone, one that came and stays, and one that was there for minutes.
fn world() -> World {
    let world = route(shop(), "/gone", (HOUR + 15, 3 * HOUR), 2);
    let world = route(world, "/came", (4 * HOUR + 300, i64::MAX), 1);
    route(world, "/brief", (5 * HOUR, 5 * HOUR + 600), 5)
}

type Slots = BTreeMap<String, BTreeMap<Timestamp, Slot>>;

/// What is known of every instance, slot by slot.
fn slots(run: &Run) -> Slots {
    let range = TimeRange {
        from: Timestamp::from_millis(0),
        to: Timestamp::from_millis(END * 1_000),
    };
    let slos = run.last.as_ref().unwrap().slos.iter();
    let slots = slos.map(|slo| (slo.id.clone(), slo.ledger.slots(range).collect()));
    slots.collect()
}

fn watcher(indicator: Indicator, grouping: Grouping) -> Run {
    let mut run = Run::new(grouped(indicator, grouping));
    run.ticks(&world(), 0, END, healthy);
    run
}

/// Begins late and reads the past in chunks of this length; `restarts` after each of them.
fn late(indicator: Indicator, grouping: Grouping, chunk: Span, restarts: bool) -> Run {
    let mut run = Run::new(grouped(indicator, grouping));
    let mut second = LATE;
    run.ticks(&world(), second - 30, second, healthy);
    while run.dig(&world(), chunk) {
        if restarts {
            run.restart();
            run.ticks(&world(), second, second + 30, healthy);
            second += 30;
        }
    }
    run.ticks(&world(), second, END, healthy);
    run
}

pub(super) fn floor() -> Indicator {
    Indicator::Slices(Sliced {
        judge: Judge::Rate {
            total: selector("requests_total"),
            bound: Bound::AtLeast(Quantity {
                value: Fraction::new(20, 1),
                unit: Unit::PerSecond,
            }),
        },
        slice: Span::from_mins(1),
        missing: MissingData::Hold,
    })
}

/// All events are good, and the bad ones are counted by a metric that does not exist.
fn another_family() -> Indicator {
    Indicator::Errors(Events::OfTotal {
        total: vec![selector("requests_total")],
        split: Split::Bad(vec![selector("failures_total")]),
    })
}

#[test]
fn a_group_of_the_past_has_the_slots_that_a_watcher_saw() {
    let indicators: [fn() -> Indicator; 3] = [requests, floor, another_family];
    for (number, indicator) in indicators.into_iter().enumerate() {
        let watcher = watcher(indicator(), and_whole());
        let own =
            r#" {route="/brief"} {route="/came"} {route="/gone"} {route="/list"} {route="/pay"}"#;
        assert_eq!(ids(&watcher), own, "{number}");
        let seen = slots(&watcher);
        for (chunk, restarts) in [
            (Span::from_hours(24), false),
            (Span::from_mins(40), false),
            (Span::from_mins(90), true),
        ] {
            let late = late(indicator(), and_whole(), chunk, restarts);
            let found = slots(&late);
            for (id, seen) in &seen {
                let found = found.get(id);
                let found = found.unwrap_or_else(|| panic!("{number} {chunk} {id} is not found"));
                let differ = seen
                    .iter()
                    .filter(|(end, slot)| found.get(*end) != Some(*slot));
                let differ: Vec<_> = differ
                    .map(|(end, slot)| (end, slot, found.get(end)))
                    .collect();
                assert!(
                    differ.is_empty(),
                    "{number} {chunk} {restarts} {id}: {differ:?}"
                );
                assert_eq!(seen.len(), found.len(), "{number} {chunk} {id}");
            }
        }
    }
}

#[test]
fn the_past_brings_no_more_groups_than_there_may_be() {
    let few = |most| Grouping { most, ..by_route() };
    // Of three places the present takes two, and the newest of the past the third.
    let mut run = late(requests(), few(4), Span::from_mins(40), false);
    assert_eq!(
        ids(&run),
        r#"{route="/brief"} {route="/came"} {route="/list"} {route="/pay"}"#
    );
    let count = run.status(r#"shop/it{route="/brief"}"#).groups.unwrap();
    assert_eq!((count.known, count.most, count.refused), (4, 4, 0));
    assert_eq!(
        run.state.groups.refused.len(),
        1,
        "it was refused, and is not there"
    );
    let whole = watcher(requests(), by_route());
    let brief = r#"shop/it{route="/brief"}"#;
    assert_eq!(slots(&run)[brief], slots(&whole)[brief]);
    // What was found is known from then on, and nothing of the past is read again.
    run.restart();
    run.ticks(&world(), END, END + 30, healthy);
    assert_eq!(run.last.as_ref().unwrap().slos.len(), 4);
    assert!(!run.dig(&world(), Span::from_hours(1)));
}
