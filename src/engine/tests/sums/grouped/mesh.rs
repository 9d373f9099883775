//! A small mesh: routes at a few instances, in closed form, and what was really counted of each.

use std::collections::BTreeMap;

use crate::domain::slot::Counts;
use crate::domain::time::Timestamp;
use crate::series::cursor::spread;

use super::super::super::{TICK, World, at};
use super::super::{HOUR, SCRAPE, whole};

/// Before this series are only found, and behind it they are counted.
pub(super) const BEGIN: i64 = 600;
pub(super) const END: i64 = HOUR + 2_700;

type Course = fn(i64) -> Option<i64>;

/// What two codes of a route show at an instance, by the second.
type Route = (&'static str, &'static str, Course, Course);

const NEVER: Course = |_| None;

/// In the first hour three instances; one begins anew, and one is not scraped for five minutes. Routes that begin with
/// their first request, are there for a minute, go away and return higher or lower, and a route without a name.
const ROUTES: [Route; 11] = [
    ("i0", "/list", |s| Some(s * 9), |s| Some(s / 50)),
    ("i0", "", |s| hour(s, s * 2), |s| hour(s, s / 30)),
    (
        "i1",
        "/list",
        |s| hour(s, anew(s) * 7),
        |s| hour(s, anew(s) / 20),
    ),
    ("i1", "/pay", |s| hour(s, anew(s) * 3), |s| hour(s, anew(s))),
    ("i2", "/pay", |s| hour(s, s * 5), |s| born(s, 1_500, 3)),
    ("i2", "/list", |s| hour(s, s * 4), NEVER),
    ("i0", "/new", |s| born(s, 1_230, 7), |s| born(s, 1_800, 1)),
    (
        "i1",
        "/brief",
        |s| (2_700..2_760).contains(&s).then(|| s - 2_690),
        NEVER,
    ),
    ("i2", "/back", |s| away(s, s * 2), |s| away(s, s)),
    (
        "i0",
        "/lower",
        |s| away(s, if s < 2_000 { s } else { s - 2_000 }),
        NEVER,
    ),
    (
        "i0",
        "/late",
        |s| (s >= HOUR + 1_800).then(|| s - HOUR - 1_785),
        NEVER,
    ),
];

/// The second instance begins anew in the midst.
fn anew(second: i64) -> i64 {
    if second > 2_000 {
        second - 2_000
    } else {
        second
    }
}

fn hour(second: i64, value: i64) -> Option<i64> {
    (second < HOUR).then_some(value)
}

fn born(second: i64, birth: i64, first: i64) -> Option<i64> {
    (birth..HOUR)
        .contains(&second)
        .then(|| second - birth + first)
}

fn away(second: i64, value: i64) -> Option<i64> {
    hour(second, value).filter(|_| !(1_800..2_400).contains(&second))
}

pub(super) fn mesh() -> World {
    let mut world = World::new(SCRAPE);
    for (instance, route, good, bad) in ROUTES {
        let is_scraped = move |second: i64| instance != "i2" || !(3_000..3_300).contains(&second);
        for (code, course) in [("200", good), ("500", bad)] {
            let labels = format!("instance={instance},route={route},code={code}");
            world = world.with("requests_total", &labels, move |second| {
                course(second).filter(|_| is_scraped(second)).map(whole)
            });
        }
    }
    world
}

/// What was counted in a slot, and whether that was spread over it.
pub(super) type Happened = BTreeMap<(String, Timestamp), (Counts, bool)>;

/// What each route counted, one scrape after another.
pub(super) fn truth(world: &World) -> Happened {
    let mut slots = Happened::new();
    let mut gaps: BTreeMap<(String, i64, i64), Counts> = BTreeMap::new();
    let add = |slots: &mut Happened, route: &str, end, counts, spread| {
        let (sum, is_spread) = slots.entry((route.to_owned(), end)).or_default();
        *sum = sum.plus(counts);
        *is_spread |= spread;
    };
    for (labels, value) in &world.series {
        let is_bad = labels.get("code") == "500";
        let mut last: Option<(i64, f64)> = None;
        for second in (0..=END).step_by(usize::try_from(SCRAPE).unwrap()) {
            let Some(now) = value(second, END) else {
                continue;
            };
            let before = last.replace((second, now));
            let events = match before {
                None if second == 0 => continue,
                // The instance was scraped before, or it would not be known when this happened.
                None => now,
                Some((_, before)) if now < before => now,
                Some((_, before)) => now - before,
            };
            let bad = if is_bad { events } else { 0.0 };
            let counts = Counts { bad, total: events };
            let route = labels.get("route").to_owned();
            match before {
                Some((since, value)) if 2 * (second - since) > 5 * SCRAPE && now >= value => {
                    let gap = gaps.entry((route, since, second)).or_default();
                    *gap = gap.plus(counts);
                }
                _ => add(&mut slots, &route, at(second).ceil_to(TICK), counts, false),
            }
        }
    }
    for ((route, from, to), counts) in gaps {
        let shares = |events| spread(at(from), at(to), events, TICK);
        let good = shares(counts.total - counts.bad);
        for ((end, bad), (_, good)) in shares(counts.bad).zip(good) {
            let total = bad + good;
            add(&mut slots, &route, end, Counts { bad, total }, true);
        }
    }
    slots
}
