//! A shop over three days: two clusters with an instance each, routes that come and go, a restart, and an outage.

use std::ops::Range;

use crate::support::dice::Dice;
use crate::support::past::scraped;
use crate::support::remote_write::Written;

use super::HOUR;
use super::truth::Counters;

pub(super) const SCRAPE: i64 = 30;
pub(super) const HOURS: i64 = 72;

/// Where requests end that took so long at most, in seconds, and how many of a hundred are about as quick.
const BUCKETS: [(&str, u64); 4] = [("0.1", 60), ("0.3", 35), ("1", 4), ("+Inf", 1)];

const REQUESTS: &str = "http_requests_total";
const DURATIONS: &str = "http_request_duration_seconds_bucket";

/// What was written, by metric.
pub(super) struct Shop {
    pub(super) requests: Vec<Written>,
    pub(super) durations: Vec<Written>,
    begin: i64,
}

/// An instance: its cluster, when it is scraped, since when its process runs, and when it cannot be scraped.
struct Instance {
    name: &'static str,
    cluster: &'static str,
    phase: i64,
    restarted: i64,
    away: Range<i64>,
}

/// A route, how busy it is, and from when to when it is there, in seconds before the end.
struct Route {
    name: &'static str,
    most: u64,
    from: i64,
    to: i64,
}

const fn route(name: &'static str, most: u64, from: i64, to: i64) -> Route {
    Route {
        name,
        most,
        from,
        to,
    }
}

const ROUTES: [Route; 5] = [
    route("/pay", 60, HOURS * HOUR, 0),
    // Often nothing at all happens.
    route("/export", 2, HOURS * HOUR, 0),
    route("/new", 40, 20 * HOUR - 600, 0),
    route("/old", 50, HOURS * HOUR, 30 * HOUR),
    route("/flash", 70, 50 * HOUR, 49 * HOUR),
];

impl Shop {
    /// The shop until `end`.
    pub(super) fn until(end: i64) -> Self {
        let mut dice = Dice::seeded(41);
        let mut shop = Self {
            requests: Vec::new(),
            durations: Vec::new(),
            begin: end - HOURS * HOUR,
        };
        let instances = [
            Instance {
                name: "api-0",
                cluster: "eu1",
                phase: 3,
                restarted: end - 13 * HOUR,
                away: 0..0,
            },
            Instance {
                name: "api-1",
                cluster: "us1",
                phase: 11,
                restarted: end,
                away: end - 9 * HOUR..end - 9 * HOUR + 2_400,
            },
        ];
        for instance in &instances {
            for route in &ROUTES {
                shop.write(instance, route, end, &mut dice);
            }
        }
        shop
    }

    fn write(&mut self, instance: &Instance, route: &Route, end: i64, dice: &mut Dice) {
        let there = end - route.from..=end - route.to;
        let seconds = self.begin + instance.phase..=end;
        let seconds: Vec<i64> = seconds.step_by(usize::try_from(SCRAPE).unwrap()).collect();
        let (mut codes, mut ends) = ([0_u32; 2], [0_u32; BUCKETS.len()]);
        let mut shown = Vec::new();
        let mut is_born = false;
        for second in &seconds {
            let is_up = !instance.away.contains(second);
            if (0..SCRAPE).contains(&(second - instance.restarted)) {
                (codes, ends) = Default::default();
            }
            if !there.contains(second) {
                shown.push(None);
                continue;
            }
            let mut requests = dice.below(route.most);
            let mut failed = dice.below(50).saturating_sub(46);
            if !is_born {
                // All that fails of a new route fails before it is first scraped.
                (requests, failed) = (requests + 1, 9);
            }
            is_born = true;
            for _ in 0..requests + failed {
                let mut place = dice.below(100);
                for ((_, share), count) in BUCKETS.iter().zip(&mut ends) {
                    if place < *share {
                        *count += 1;
                        break;
                    }
                    place -= share;
                }
            }
            codes[0] += u32::try_from(requests).unwrap();
            codes[1] += u32::try_from(failed).unwrap();
            shown.push(is_up.then_some((codes, ends)));
        }
        let place = |second: i64| usize::try_from((second - seconds[0]) / SCRAPE).unwrap();
        let labels = |metric, name, value| {
            [
                ("__name__", metric),
                ("job", "api"),
                ("instance", instance.name),
                ("cluster", instance.cluster),
                ("route", route.name),
                (name, value),
            ]
        };
        for (index, code) in ["200", "500"].into_iter().enumerate() {
            let value = |second| Some(f64::from(shown[place(second)]?.0[index]));
            let labels = labels(REQUESTS, "code", code);
            let series = scraped(&labels, seconds.iter().copied(), value);
            self.requests.push(series);
        }
        for (index, (le, _)) in BUCKETS.into_iter().enumerate() {
            let value = |second| {
                let ends = shown[place(second)]?.1;
                Some(f64::from(ends[..=index].iter().sum::<u32>()))
            };
            let labels = labels(DURATIONS, "le", le);
            let series = scraped(&labels, seconds.iter().copied(), value);
            self.durations.push(series);
        }
    }

    /// All of it, as it is written.
    pub(super) fn written(&self) -> Vec<Written> {
        [&self.requests[..], &self.durations].concat()
    }

    pub(super) fn requests(&self) -> Counters<'_> {
        self.counters(&self.requests)
    }

    pub(super) fn durations(&self) -> Counters<'_> {
        self.counters(&self.durations)
    }

    fn counters<'s>(&self, written: &'s [Written]) -> Counters<'s> {
        Counters {
            written,
            begin: self.begin,
            scrape: SCRAPE,
        }
    }
}
