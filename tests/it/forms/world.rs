//! The simulated truth: processes that count and gauges that move, scraped every minute for two weeks in which
//! processes begin, restart and end, series are born, and scrapes are missed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::log::{DAY, HOUR, Log, MINUTE, SCRAPE};
use crate::support::dice::Dice;

/// A time of the year 2026 in UTC, in October or November.
pub(super) const fn utc(month: i64, day: i64, hour: i64, minute: i64, second: i64) -> i64 {
    let october = 1_790_812_800_000;
    let days = (month - 10) * 31 + day - 1;
    october + days * DAY + hour * HOUR + minute * MINUTE + second * 1_000
}

/// From when to when.
type Times = (i64, i64);

/// When the first scrape is, and when the last.
pub(super) const BEGIN: i64 = utc(10, 22, 0, 0, 0);
pub(super) const END: i64 = utc(11, 4, 16, 0, 0);

/// When nobody was scraped: in the past, and while the daemon looked on.
const BLIND: [Times; 2] = [
    (utc(10, 30, 4, 0, 0), utc(10, 30, 4, 31, 0)),
    (utc(11, 2, 9, 30, 0), utc(11, 2, 9, 53, 0)),
];

/// When what the gauges tell of was not there to be scraped.
const ABSENT: [Times; 3] = [
    (utc(10, 26, 11, 12, 0), utc(10, 26, 13, 48, 0)),
    (utc(10, 30, 0, 40, 0), utc(10, 30, 1, 26, 0)),
    (utc(11, 2, 10, 10, 0), utc(11, 2, 10, 57, 0)),
];

/// Under one address: when its scrapes are within a minute, who answers from when to when, and whether it misses some.
struct Target {
    instance: &'static str,
    phase: i64,
    lives: &'static [Times],
    holes: &'static [Times],
    /// One scrape in so many is missed.
    misses: Option<u64>,
}

const TARGETS: [Target; 3] = [
    // Was always there; restarts in the past, and while the daemon looks on.
    Target {
        instance: "a",
        phase: 7_123,
        lives: &[
            (utc(10, 1, 0, 0, 0), utc(10, 27, 13, 17, 20)),
            (utc(10, 27, 13, 17, 31), utc(11, 2, 11, 5, 30)),
            (utc(11, 2, 11, 5, 41), END),
        ],
        holes: &[],
        misses: None,
    },
    // Misses scrapes; restarts while the daemon is away.
    Target {
        instance: "b",
        phase: 22_456,
        lives: &[
            (utc(10, 1, 0, 0, 0), utc(11, 3, 13, 30, 0)),
            (utc(11, 3, 13, 30, 50), END),
        ],
        holes: &[
            (utc(10, 29, 9, 0, 0), utc(10, 29, 9, 12, 0)),
            (utc(11, 2, 12, 10, 0), utc(11, 2, 12, 21, 0)),
        ],
        misses: Some(200),
    },
    // Comes and goes.
    Target {
        instance: "c",
        phase: 41_789,
        lives: &[
            (utc(10, 26, 10, 0, 10), utc(10, 28, 9, 0, 0)),
            (utc(11, 2, 6, 10, 0), END),
        ],
        holes: &[],
        misses: None,
    },
];

/// How many events come between two scrapes.
#[derive(Clone, Copy)]
enum Pace {
    /// By chance, so many on the average.
    Steady(u64),
    /// None mostly; so many on the average in hours of trouble.
    Failing(u64),
    /// A burst now and then.
    Rare,
    /// The same each time, but in hours in which there are more, fewer or none.
    Exactly(u64),
    /// By chance, from a time on.
    Since(i64, u64),
    /// From a time on as by chance, and many at once before: what is born shows more than one.
    Burst(i64, u64),
}

#[rustfmt::skip]
const STREAMS: [(&str, Pace); 15] = [
    ("paid", Pace::Steady(60)), ("declined", Pace::Steady(4)), ("crashed", Pace::Failing(9)), ("refused", Pace::Rare),
    ("exported", Pace::Steady(11)), ("lost", Pace::Failing(3)),
    ("new", Pace::Since(utc(11, 2, 5, 25, 0), 7)), ("new failed", Pace::Burst(utc(11, 2, 5, 20, 0), 90)),
    ("fast", Pace::Steady(50)), ("slow", Pace::Failing(12)), ("never", Pace::Failing(2)),
    ("done", Pace::Steady(40)), ("undone", Pace::Failing(5)), ("odd", Pace::Rare),
    ("orders", Pace::Exactly(150)),
];

/// Metric, labels, and the streams that it counts. What a process never saw it does not show, but for the series here
/// whose first stream is steady.
#[rustfmt::skip]
const COUNTERS: [(&str, &str, &[&str]); 32] = [
    ("http_requests_total", "route=/pay,code=200", &["paid"]),
    ("http_requests_total", "route=/pay,code=402", &["declined"]),
    ("http_requests_total", "route=/pay,code=500", &["crashed"]),
    ("http_requests_total", "route=/pay,code=503", &["refused"]),
    ("http_requests_total", "route=/export,code=200", &["exported"]),
    ("http_requests_total", "route=/export,code=500", &["lost"]),
    ("http_requests_total", "route=/new,code=200", &["new"]),
    ("http_requests_total", "route=/new,code=500", &["new failed"]),
    ("http_failures_total", "kind=crash", &["crashed"]),
    ("http_failures_total", "kind=refusal", &["refused"]),
    ("http_failures_total", "kind=loss", &["lost"]),
    ("http_failures_total", "kind=new", &["new failed"]),
    ("http_successes_total", "", &["paid", "declined", "exported", "new"]),
    ("grpc_server_handled_total", "grpc_code=OK", &["done"]),
    ("grpc_server_handled_total", "grpc_code=Internal", &["undone"]),
    ("grpc_server_handled_total", "grpc_code=Unavailable", &["odd"]),
    ("http_request_duration_seconds_bucket", "route=/pay,le=0.1", &["fast"]),
    ("http_request_duration_seconds_bucket", "route=/pay,le=0.3", &["fast", "paid"]),
    ("http_request_duration_seconds_bucket", "route=/pay,le=10", &["fast", "paid", "slow"]),
    ("http_request_duration_seconds_bucket", "route=/pay,le=+Inf", &["fast", "paid", "slow", "never"]),
    ("http_request_duration_seconds_bucket", "route=/export,le=0.1", &["exported"]),
    ("http_request_duration_seconds_bucket", "route=/export,le=0.3", &["exported", "done"]),
    ("http_request_duration_seconds_bucket", "route=/export,le=10", &["exported", "done", "undone"]),
    ("http_request_duration_seconds_bucket", "route=/export,le=+Inf", &["exported", "done", "undone", "lost"]),
    ("http_timed_requests_total", "speed=fast", &["fast"]),
    ("http_timed_requests_total", "speed=slow", &["slow"]),
    // Native: the bucket n ends at 2^n.
    ("rpc_duration_seconds", "bucket=-3", &["fast"]),
    ("rpc_duration_seconds", "bucket=-2", &["paid"]),
    ("rpc_duration_seconds", "bucket=-1", &["exported", "slow"]),
    ("jobs_total", "result=ok", &["done"]),
    ("jobs_total", "result=error", &["undone"]),
    ("orders_total", "", &["orders"]),
];

/// What a gauge shows.
#[derive(Clone, Copy)]
enum Course {
    /// By chance below the first number; above the second one time in ten, and for hours now and then.
    Peaks(i64, i64),
    /// One, but zero as often as that.
    Works,
    /// When something was last done, which is every half hour: at 1970 while it is in trouble for a long time.
    Done,
    /// Always the same.
    Stays(i64),
}

#[rustfmt::skip]
const GAUGES: [(&str, &str, Course); 24] = [
    ("probe_success", "prober=x", Course::Works), ("probe_success", "prober=y", Course::Works),
    ("probe_success", "prober=z", Course::Works),
    ("memory_used_bytes", "pod=p0,container=app", Course::Peaks(80, 91)), ("memory_used_bytes", "pod=p1,container=app", Course::Peaks(80, 91)),
    ("memory_used_bytes", "pod=p2,container=app", Course::Peaks(160, 182)), ("memory_used_bytes", "pod=p3,container=app", Course::Peaks(80, 91)),
    ("memory_limit_bytes", "pod=p0", Course::Stays(100)), ("memory_limit_bytes", "pod=p1", Course::Stays(100)),
    ("memory_limit_bytes", "pod=p2", Course::Stays(200)),
    ("connections", "db=main,state=active", Course::Peaks(40, 70)), ("connections", "db=main,state=idle", Course::Peaks(40, 45)),
    ("connections", "db=spare,state=active", Course::Peaks(40, 70)),
    ("connections_max", "db=main", Course::Stays(100)), ("connections_max", "db=spare", Course::Stays(75)),
    ("queue_lag", "partition=0", Course::Peaks(50, 101)), ("queue_lag", "partition=1", Course::Peaks(50, 101)),
    ("queue_lag", "partition=2", Course::Peaks(50, 101)), ("queue_lag", "partition=3", Course::Peaks(100, 101)),
    ("render_milliseconds", "quantile=0.99", Course::Peaks(300, 301)),
    ("last_success_timestamp_seconds", "table=orders", Course::Done), ("last_success_timestamp_seconds", "table=users", Course::Done),
    ("temperature_celsius", "room=north", Course::Peaks(24, 31)), ("temperature_celsius", "room=south", Course::Peaks(24, 31)),
];

/// In permille: what a query divides.
const SHARE: (&str, Course) = ("failing_permille", Course::Peaks(20, 300));

/// All that was scraped; the same each time.
pub(super) fn log() -> Log {
    let mut dice = Dice::seeded(7);
    let mut log = Log::default();
    for target in &TARGETS {
        processes(&mut log, &mut dice, target);
    }
    let share = (SHARE.0, "", SHARE.1);
    for (index, (metric, labels, course)) in (0..).zip(GAUGES.into_iter().chain([share])) {
        let mut at = BEGIN + (index * 5_431 + 1_000) % SCRAPE;
        while at <= END {
            if !lies_in(at, &BLIND) && !lies_in(at, &ABSENT) {
                let value = course.value(&mut dice, at, index);
                log.add(metric, labels, at, value);
            }
            at += SCRAPE;
        }
    }
    log
}

/// The counters of all processes of a target, and when these began.
fn processes(log: &mut Log, dice: &mut Dice, target: &Target) {
    let mut shown: BTreeMap<usize, u64> = BTreeMap::new();
    for (from, to) in target.lives {
        let up = *from..*to;
        let (mut counts, mut begun) = (BTreeMap::<&str, u64>::new(), BTreeSet::new());
        // Who was always there has counted before.
        if up.start < BEGIN {
            counts.extend(STREAMS.map(|(stream, _)| (stream, 10_000 + dice.below(1_000))));
            counts.extend(["refused", "new", "new failed", "odd"].map(|rare| (rare, 0)));
        }
        for at in scrapes(target, &up) {
            for (stream, pace) in STREAMS {
                *counts.entry(stream).or_default() += pace.events(dice, at);
            }
            let misses = target.misses.is_some_and(|one_in| dice.below(one_in) == 0);
            if misses || lies_in(at, &BLIND) || lies_in(at, target.holes) {
                continue;
            }
            for (counter, (metric, labels, streams)) in COUNTERS.iter().enumerate() {
                let value: u64 = streams.iter().map(|stream| counts[stream]).sum();
                if value == 0 && !streams.contains(&"paid") {
                    continue;
                }
                let before = shown.insert(counter, value);
                // Else it would depend on more than its own samples whether another process counts.
                assert!(
                    !begun.insert(counter) || before.is_none_or(|it| value < it),
                    "{labels}"
                );
                let labels = format!("job=shop,instance={},{labels}", target.instance);
                log.add(metric, &labels, at, i64::try_from(value).unwrap());
            }
            let labels = format!("job=shop,instance={}", target.instance);
            log.add("process_start_time_seconds", &labels, at, up.start / 1_000);
        }
    }
}

/// When a target is scraped while a process is up.
fn scrapes(target: &Target, up: &Range<i64>) -> impl Iterator<Item = i64> {
    let (begin, end) = (up.start.max(BEGIN), up.end.min(END));
    let first = begin + (target.phase - begin).rem_euclid(SCRAPE);
    (0..)
        .map(move |turn| first + turn * SCRAPE)
        .take_while(move |at| *at < end)
}

fn lies_in(at: i64, ranges: &[Times]) -> bool {
    ranges.iter().any(|(from, to)| (*from..*to).contains(&at))
}

impl Pace {
    fn events(self, dice: &mut Dice, at: i64) -> u64 {
        let hour = at / HOUR;
        match self {
            Self::Steady(usual) => dice.below(2 * usual + 1),
            Self::Failing(trouble) if hour % 29 == 3 => dice.below(2 * trouble + 1),
            Self::Failing(_) => u64::from(dice.below(4) == 0),
            Self::Rare if dice.below(300) == 0 => 60 + dice.below(40),
            Self::Exactly(_) if hour % 31 == 7 => 0,
            Self::Exactly(usual) if hour % 17 == 5 => usual * 2,
            Self::Exactly(usual) if hour % 13 == 4 => usual / 2 + dice.below(usual / 2),
            Self::Exactly(usual) => usual,
            Self::Since(when, usual) if at >= when => dice.below(2 * usual + 1),
            Self::Burst(when, many) if (when..when + SCRAPE).contains(&at) => many,
            Self::Burst(when, _) if at >= when => dice.below(2),
            Self::Rare | Self::Since(..) | Self::Burst(..) => 0,
        }
    }
}

impl Course {
    fn value(self, dice: &mut Dice, at: i64, salt: i64) -> i64 {
        let is_troubled = (at / HOUR + 5 * salt) % 23 == 0;
        let by_chance = |dice: &mut Dice, below: i64| {
            i64::try_from(dice.below(below.unsigned_abs() + 1)).unwrap()
        };
        match self {
            Self::Peaks(_, high) if is_troubled || dice.below(10) == 0 => high + by_chance(dice, 8),
            Self::Peaks(low, _) => by_chance(dice, low),
            Self::Works => i64::from(!is_troubled && dice.below(12) > 0),
            Self::Done if (at / HOUR + salt) % 97 < 2 => 0,
            Self::Done if (at / HOUR + salt) % 41 < 4 => {
                (at - (at / HOUR + salt) % 41 * HOUR - at % HOUR) / 1_000
            }
            Self::Done => (at - at % (30 * MINUTE)) / 1_000,
            Self::Stays(value) => value,
        }
    }
}
