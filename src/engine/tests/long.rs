//! Slices of many hours, and samples that are late by hours: every one is counted, in ticks that end.

use std::cell::Cell;
use std::rc::Rc;

use super::*;
use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Aggregate, Signal};
use crate::domain::quantity::{Bound, Quantity, Unit};
use crate::domain::slices::{BadWhen, Gauge, Grouped, Judge, MissingData, Sliced, WithinSlice};
use crate::domain::slo::{Slo, SloId};
use crate::domain::slot::Counts;
use crate::domain::time::TimeRange;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The first tick.
const BEGIN: i64 = 10 * DAY + 17 * HOUR + 50 * MINUTE;

/// Requests by the end of a second: one a second, and half as many in every third hour.
fn total(second: i64) -> i64 {
    let (hours, rest) = (second.div_euclid(HOUR), second.rem_euclid(HOUR));
    let halved = hours.div_euclid(3) * HOUR + if hours.rem_euclid(3) == 2 { rest } else { 0 };
    second - halved / 2
}

/// Failures by the end of a second: one in twenty seconds, in some hours.
fn failed(second: i64) -> i64 {
    let fails = |hour: &i64| (hour * hour + hour).rem_euclid(11) == 2;
    let (hours, rest) = (second.div_euclid(HOUR), second.rem_euclid(HOUR));
    let whole = (0..hours).filter(fails).map(|_| HOUR / 20).sum::<i64>();
    whole + if fails(&hours) { rest / 20 } else { 0 }
}

/// A queue that is long for a minute now and then.
fn queue(second: i64) -> i64 {
    let minute = second.div_euclid(MINUTE);
    if minute.rem_euclid(421) == 7 {
        101
    } else {
        minute.rem_euclid(50)
    }
}

/// All of it, scraped every minute; of each sample it is asked whether it can be read already.
fn world(is_there: impl Fn(i64) -> bool + Clone + 'static) -> World {
    world_of(MINUTE, is_there)
}

/// All of it, scraped every so many seconds; of each sample it is asked whether it is there.
fn world_of(scrape: i64, is_there: impl Fn(i64) -> bool + Clone + 'static) -> World {
    let shown = move |value: fn(i64) -> i64| {
        let is_there = is_there.clone();
        move |second: i64| (second > 0 && is_there(second)).then(|| value(second) as f64)
    };
    let mut world =
        World::new(scrape)
            .with("queue", "", shown(queue))
            .with("room", "", shown(|_| 110));
    for replica in ["a", "b"] {
        let labels = |code: &str| format!("code={code},replica={replica}");
        world = world
            .with(
                "requests_total",
                &labels("200"),
                shown(|it| total(it) - failed(it)),
            )
            .with("requests_total", &labels("500"), shown(failed));
    }
    world
}

fn gauge(metric: &str) -> Gauge {
    Gauge {
        series: selector(metric),
        aggregate: Aggregate::Max,
    }
}

fn longest_queue() -> Judge {
    Judge::Level {
        level: Grouped {
            gauge: gauge("queue"),
            by: None,
        },
        bound: Bound::AtMost(Quantity {
            value: Fraction::new(100, 1),
            unit: Unit::Plain,
        }),
        within: WithinSlice::Max,
        bad_when: BadWhen::ANY,
    }
}

/// Whether what lies between two seconds is bad.
type IsBad = fn(i64, i64) -> bool;

/// Indicators that judge slices of so many seconds, and which slice is bad.
fn judged(slice: i64) -> Vec<(Indicator, IsBad)> {
    let Indicator::Errors(events) = requests() else {
        panic!("requests are counted");
    };
    let of = |judge| {
        Indicator::Slices(Sliced {
            judge,
            slice: Span::from_secs(slice),
            missing: MissingData::Hold,
        })
    };
    vec![
        (
            of(Judge::Events {
                events,
                signal: Signal::Errors,
                good: Fraction::new(99, 100),
            }),
            |from, to| (failed(to) - failed(from)) * 100 > total(to) - total(from),
        ),
        (
            of(Judge::Rate {
                total: selector("requests_total"),
                bound: Bound::AtLeast(Quantity {
                    value: Fraction::new(5, 6),
                    unit: Unit::PerSecond,
                }),
            }),
            |from, to| (total(to) - total(from)) * 6 < (to - from) * 5,
        ),
        (
            of(Judge::Share {
                used: gauge("queue"),
                limit: gauge("room"),
                by: Vec::new(),
                at_most: Fraction::new(40, 110),
                bad_when: BadWhen::ANY,
            }),
            |_, to| queue(to) > 40,
        ),
        (of(longest_queue()), |from, to| {
            (from / MINUTE + 1..=to / MINUTE).any(|it| queue(it * MINUTE) > 100)
        }),
    ]
}

/// An engine over a window of several days, which lets samples be late by so many seconds.
struct Watch {
    run: Run,
    settle: i64,
    backfill: u32,
}

impl Watch {
    fn new(indicator: Indicator, settle: i64, backfill: u32) -> Self {
        let mut catalog = catalog(indicator);
        for slo in catalog.slos.values_mut() {
            Arc::make_mut(slo).window = Window::Rolling(Span::from_days(3));
        }
        // Beside it there is one that reads a day of the queue at once.
        let mut day = Slo::clone(&catalog.slos[&SloId::new("shop/it")]);
        day.uid = SloId::new("z/day");
        (day.id, day.counted_as) = (day.uid.clone(), day.uid.clone());
        day.indicator = Indicator::Slices(Sliced {
            judge: longest_queue(),
            slice: Span::from_days(1),
            missing: MissingData::Hold,
        });
        catalog.slos.insert(day.uid.clone(), Arc::new(day));
        let run = Run::new(catalog);
        let mut own = Self {
            run,
            settle,
            backfill,
        };
        own.set();
        own
    }

    fn set(&mut self) {
        for source in self.run.state.settings.sources.values_mut() {
            source.settle = Span::from_secs(self.settle);
            source.backfill_percent = self.backfill;
            source.replica_labels = vec!["replica".to_owned()];
        }
    }

    fn restart(&mut self) {
        self.run.restart();
        self.set();
    }

    /// Ticks in `(from, to]`, whatever was before, and then all of the past that is missing.
    fn ticks(&mut self, world: &World, from: i64, to: i64) {
        self.run.state.leap(at(from + 30));
        self.run.ticks(world, from, to, healthy);
        while self.run.dig(world, Span::from_hours(6)) {}
    }

    fn slots(&self, from: i64, to: i64) -> Vec<(i64, Counts)> {
        let range = TimeRange {
            from: at(from),
            to: at(to),
        };
        let slots = self.run.state.meters[0].ledger.slots(range);
        let counts = slots.map(|(end, slot)| (end.as_millis() / 1_000, slot.counts));
        counts.filter(|(_, counts)| counts.total > 0.0).collect()
    }

    /// Compares the events in `(from, to]`, up to the end of each slot.
    fn compare_events(&self, from: i64, to: i64) {
        let mut sum = Counts::default();
        for (end, counts) in self.slots(from, to) {
            sum = sum.plus(counts);
            let expected = [failed, total].map(|count| (count(end) - count(from)) as f64);
            assert_eq!([sum.bad, sum.total], expected, "up to {end}");
        }
        assert!(sum.bad > 0.0 && sum.total > (to - from) as f64 / 2.0);
    }

    /// Compares all slices in `(from, to]`.
    fn compare_slices(&self, (from, to): (i64, i64), slice: i64, is_bad: IsBad) {
        let first = from.div_euclid(slice) + 1;
        let slices = (first..=to / slice).map(|number| {
            let end = number * slice;
            let bad = f64::from(u8::from(is_bad(end - slice, end)));
            (end, Counts { bad, total: 1.0 })
        });
        let slices: Vec<(i64, Counts)> = slices.collect();
        assert_eq!(self.slots(from, to), slices, "slices of {slice} s");
    }
}

#[test]
fn slices_of_many_hours_are_judged_by_all_of_their_samples() {
    for slice in [2 * HOUR, 6 * HOUR, DAY] {
        for (indicator, is_bad) in judged(slice) {
            for (settle, backfill) in [(300, 50), (2 * HOUR, 50), (300, 0)] {
                let world = world(|_| true);
                let mut watch = Watch::new(indicator.clone(), settle, backfill);
                let mut reached = BEGIN;
                // It is killed in the midst of a slice, is away for long, and for very long.
                for away in [30, 5 * HOUR, 40 * HOUR, 0] {
                    watch.ticks(&world, reached, reached + 30);
                    let missing = watch.run.state.missing(0, at(reached + 30));
                    assert_eq!(missing, None, "slices of {slice} s at {reached}");
                    watch.ticks(&world, reached + 30, reached + HOUR);
                    reached += HOUR + away;
                    watch.restart();
                }
                watch.ticks(&world, reached, reached + HOUR / 2);
                let before = if backfill == 0 { 0 } else { 10 * HOUR };
                watch.compare_slices((BEGIN - before, reached), slice, is_bad);
            }
        }
    }
}

/// Whoever reads the past anew knows as much of it as who was there.
#[test]
fn slices_of_the_past_are_judged_by_the_pace_of_scrapes_that_they_had() {
    for (pace, before) in [(15, MINUTE), (5, 15), (MINUTE, 15)] {
        for change in [BEGIN - 2 * HOUR, BEGIN - 2 * HOUR - 25 * MINUTE] {
            for (indicator, is_bad) in judged(5 * MINUTE) {
                let scrape = pace.min(before);
                let world = world_of(scrape, move |second| {
                    second % if second > change { pace } else { before } == 0
                });
                let mut watch = Watch::new(indicator.clone(), 300, 50);
                watch.run.ticks(&world, BEGIN, BEGIN + HOUR, healthy);
                while watch.run.dig(&world, Span::from_mins(100)) {}
                watch.compare_slices((change - 10 * HOUR, change), 5 * MINUTE, is_bad);
            }
        }
    }
}

#[test]
fn between_the_ends_of_slices_little_is_read() {
    let end = 11 * DAY;
    for slice in [MINUTE, 6 * HOUR, DAY] {
        for (indicator, _) in judged(slice) {
            let world = world(|_| true);
            let mut watch = Watch::new(indicator, 300, 50);
            let mut tick = end + 20 * MINUTE;
            watch.run.ticks(&world, end - 10 * MINUTE, tick, healthy);
            for _ in 0..20 {
                tick += 30;
                let wanted = watch.run.state.wanted(at(tick)).into_iter();
                let longest = wanted.map(|wanted| wanted.range.length()).max();
                assert!(longest <= Some(Span::from_mins(20)), "{slice} {longest:?}");
                watch.run.ticks(&world, tick - 30, tick, healthy);
            }
        }
    }
}

#[test]
fn samples_that_are_late_by_hours_are_counted_where_they_belong() {
    let slices = judged(5 * MINUTE).into_iter();
    let slices = slices.map(|(indicator, is_bad)| (indicator, Some(is_bad)));
    let indicators = || [(requests(), None)].into_iter().chain(slices.clone());
    for (settle, backfill) in [(HOUR, 50), (2 * HOUR + HOUR / 2, 0), (4 * HOUR, 50)] {
        for (indicator, is_bad) in indicators() {
            let late = BEGIN + HOUR..BEGIN + HOUR + 20 * MINUTE;
            let now = Rc::new(Cell::new(BEGIN));
            let (clock, hidden) = (Rc::clone(&now), late.clone());
            let world = world(move |second| {
                let is_late = hidden.contains(&second);
                let delay = if is_late { settle - 10 * MINUTE } else { 0 };
                second + delay <= clock.get()
            });
            let mut watch = Watch::new(indicator, settle, backfill);
            let mut tick = BEGIN;
            let end = late.end + settle + HOUR + 10 * MINUTE;
            while tick < end {
                tick += 30;
                if tick == late.end + HOUR {
                    watch.restart();
                }
                now.set(tick);
                watch.ticks(&world, tick - 30, tick);
                // Also when a block is settled, and all that is newer is counted once more.
                let settles = (tick - settle) % HOUR == 0;
                if tick < late.end + settle || !(settles || tick == end) {
                    continue;
                }
                let before = if backfill == 0 { 0 } else { DAY };
                let (from, to) = (BEGIN - before, tick - 10 * MINUTE);
                match is_bad {
                    Some(is_bad) => watch.compare_slices((from, to), 5 * MINUTE, is_bad),
                    None => watch.compare_events(from, to),
                }
            }
        }
    }
}
