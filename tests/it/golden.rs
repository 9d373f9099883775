//! The golden table: at which ticks the tiers of the shipped policy fire and clear, for outages of many sizes.
//!
//! Counters go in at the source, messages come out at the receiver, and every tick between is run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use sloburn::clock::Clock;
use sloburn::domain::policy::AlertPolicy;
use sloburn::domain::slo::Catalog;
use sloburn::domain::time::Span;
use sloburn::store::memory::MemoryStore;

use crate::oracle::{self, Course, Outage};
use crate::sim::{self, Daemon, ONSET, Shop, World};

/// A promise over a window: its period in seconds, and when its tiers fire and clear. A row is how many of 10,000
/// requests fail, for how many seconds, and which tier fires and clears at which second, for ticks of 15, 30 and 60
/// seconds. `-` is never.
struct Promise {
    window: &'static str,
    period: i64,
    table: &'static str,
}

/// The last four are exactly at a threshold, for longer than its window.
const ROLLING: Promise = Promise {
    window: "30d",
    period: 30 * 86_400,
    table: "
  100  14400  slow     12975 12990 13020  15120 15120 15120
  200   3600  fast      2595  2610  2640   3690  3690  3720
  200  14400  slow      6495  6510  6540  15660 15660 15660
  500   3600  fast      1050  1050  1080   3825  3840  3840
  500   3600  slow      2595  2610  2640   5190  5190  5220
 1000    600  fast       525   540   540    870   870   900
 1000   3600  fast       525   540   540   3870  3870  3900
 1000   3600  slow      1305  1320  1320   5295  5310  5340
 1500    600  fast       360   360   360    885   900   900
 5000    600  fast       105   120   120    900   900   900
 5000    600  slow       270   270   300   2385  2400  2400
10000     60  fast        60    60    60    360   360   360
10000     50  fast         -     -     -      -     -     -
10000     50  slow         -     -     -      -     -     -
10000     50  day          -     -     -      -     -     -
10000     50  chronic      -     -     -      -     -     -
10000   3600  fast        60    60    60   3900  3900  3900
10000   3600  slow       135   150   180   5400  5400  5400
  144   7200  fast         -     -     -      -     -     -
   60  25200  slow         -     -     -      -     -     -
   30  90000  day          -     -     -      -     -     -
   10 262800  chronic      -     -     -      -     -     -
",
};

/// March of 2026 has 743 hours in Berlin, so that fewer failures are a share of its budget than of the 744 of another,
/// and more than of 720: two percent of it are 14.86 times the pace in an hour.
const MONTH: Promise = Promise {
    window: "{calendar: month, timeZone: Europe/Berlin}",
    period: 743 * 3_600,
    table: "
  100  14400  slow     13380 13380 13380  15090 15090 15120
  200   3600  fast      2685  2700  2700   3690  3690  3720
  500   3600  fast      1080  1080  1080   3825  3840  3840
  500   3600  slow      2685  2700  2700   5190  5190  5220
 1000    600  fast       540   540   540    870   870   900
 1500    600  fast       360   360   360    885   900   900
10000   3600  fast        60    60    60   3900  3900  3900
10000   3600  slow       135   150   180   5400  5400  5400
10000     53  fast         -     -     -      -     -     -
  148   7200  fast         -     -     -      -     -     -
  149   7200  fast      3600  3600  3600   7215  7230  7260
",
};

/// All windows are full of health when an outage begins.
const PAST: Span = Span::from_hours(72);

#[tokio::test(start_paused = true)]
async fn every_cell_at_ticks_of_15_seconds() {
    check_column(0, 15).await;
}

#[tokio::test(start_paused = true)]
async fn every_cell_at_ticks_of_30_seconds() {
    check_column(1, 30).await;
}

#[tokio::test(start_paused = true)]
async fn every_cell_at_ticks_of_60_seconds() {
    check_column(2, 60).await;
}

/// Plays every outage of the tables once, and checks all that happens against the tables and against the oracle.
async fn check_column(column: usize, tick: i64) {
    let past = healthy_past(tick).await;
    let mut faults = String::new();
    for promise in [&ROLLING, &MONTH] {
        for (outage, rows) in rows(promise.table) {
            let (expected, end) = expected(promise, outage, tick);
            let world = world(promise, tick, outage, Clock::simulated(ONSET.to_jiff()));
            let met = play(&world, past.survivors(), end).await;
            let window = promise.window;
            if met != expected {
                writeln!(
                    faults,
                    "{window}, {outage:?}\n met {met:#?}\n not {expected:#?}"
                )
                .unwrap();
            }
            for Row { tier, cells } in rows {
                for (does, cell) in [("fires", cells[column]), ("clears", cells[3 + column])] {
                    let wanted = format!("{tier} {does}");
                    let found = met.tiers.iter().find(|(_, what)| *what == wanted);
                    let tick = found.map_or("-".to_owned(), |(at, _)| at.to_string());
                    if tick != cell {
                        writeln!(
                            faults,
                            "{window}, {outage:?}: {wanted} at {tick}, not {cell}"
                        )
                        .unwrap();
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// The past is the same before every outage and for every window, and so is run once, and each outage begins with a
/// restart. Here is none.
#[tokio::test(start_paused = true)]
async fn an_outage_is_the_same_without_a_restart() {
    let (tick, outage) = (
        60,
        Outage {
            failing: 1_000,
            length: 600,
        },
    );
    let (expected, end) = expected(&ROLLING, outage, tick);
    let clock = Clock::simulated((ONSET - PAST).to_jiff());
    let world = world(&ROLLING, tick, outage, clock);
    assert_eq!(play(&world, MemoryStore::default(), end).await, expected);
}

/// What the oracle says, and a time a while after its end, so that one event too many would be seen.
fn expected(promise: &Promise, outage: Outage, tick: i64) -> (Course, i64) {
    let course = oracle::follow(outage, promise.period, tick, outage.length + 12 * 3_600);
    let last = course.messages.last().map_or(0, |(at, _)| *at);
    (course, last.max(outage.length) + 600)
}

struct Row {
    tier: &'static str,
    /// Three ticks of firing, three of clearing.
    cells: Vec<&'static str>,
}

/// A table's rows by outage.
fn rows(table: &'static str) -> BTreeMap<Outage, Vec<Row>> {
    let mut rows: BTreeMap<Outage, Vec<Row>> = BTreeMap::new();
    for line in table.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [failing, length, tier, cells @ ..] = words.as_slice() else {
            panic!("{line}");
        };
        let (failing, length) = (failing.parse().unwrap(), length.parse().unwrap());
        let cells = cells.to_vec();
        rows.entry(Outage { failing, length })
            .or_default()
            .push(Row { tier, cells });
    }
    rows
}

fn world(promise: &Promise, tick: i64, outage: Outage, clock: Clock) -> World {
    let mut catalog = sim::catalog(promise.window, Span::from_secs(tick));
    plain(&mut catalog);
    World {
        clock,
        shop: Arc::new(Shop::new(
            ONSET - PAST,
            sim::Outage {
                onset: ONSET,
                length: Span::from_secs(outage.length),
                failing: outage.failing,
            },
        )),
        catalog: Arc::new(catalog),
        tick: Span::from_secs(tick),
        receivers: BTreeMap::from([("team", Arc::default()), ("pager", Arc::default())]),
    }
}

/// Without the guard, whose answer depends on the traffic, and without reminders.
fn plain(catalog: &mut Catalog) {
    let shipped = catalog.policies["default"].as_ref().clone();
    let policy = AlertPolicy {
        low_traffic: None,
        remind: BTreeMap::new(),
        ..shipped
    };
    catalog.policies.insert("default".into(), Arc::new(policy));
}

/// What 72 hours of health leave behind.
async fn healthy_past(tick: i64) -> MemoryStore {
    let none = Outage {
        failing: 0,
        length: 0,
    };
    let clock = Clock::simulated((ONSET - PAST).to_jiff());
    let world = world(&ROLLING, tick, none, clock);
    let mut daemon = Daemon::start(&world, MemoryStore::default()).await;
    daemon.run_until(ONSET - Span::from_millis(1)).await;
    assert_eq!(
        daemon.judged.len(),
        usize::try_from(PAST.as_millis() / 1_000 / tick).unwrap()
    );
    assert_eq!(daemon.store.lines(), BTreeSet::new());
    let left = daemon.store.survivors();
    daemon.stop().await;
    left
}

/// Plays an outage until `end`, on what an earlier life left behind.
async fn play(world: &World, left: MemoryStore, end: i64) -> Course {
    let mut daemon = Daemon::start(world, left).await;
    daemon.run_until(ONSET + Span::from_secs(end)).await;
    let tiers = daemon.store.lines();
    daemon.stop().await;
    let (pager, team) = (&world.receivers["pager"], &world.receivers["team"]);
    assert_eq!((pager.late(), team.late()), (vec![], vec![]));
    assert_eq!(pager.lines(), team.lines());
    let messages = team.lines();
    Course { tiers, messages }
}
