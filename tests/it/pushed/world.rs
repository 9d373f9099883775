//! Counters of many targets as whole numbers, with restarts, births, deaths and gaps.

use std::collections::BTreeSet;

use sloburn::domain::labels::Labels;

use crate::support::dice::Dice;
use crate::support::remote_write::{STALE, Written};

/// The distance of scrapes, in milliseconds.
pub(super) const SCRAPE: i64 = 15_000;

const TARGETS: u64 = 24;
const CODES: [&str; 4] = ["200", "201", "404", "500"];

/// What happened, so that a test can say that it saw enough of it.
#[derive(Debug, Default)]
pub(super) struct Happened {
    pub(super) resets: usize,
    pub(super) births: usize,
    pub(super) gaps: usize,
    /// Routes that begin with their first series.
    pub(super) new_routes: usize,
}

/// Everything that was scraped in `(from, to]`, by time.
pub(super) fn made(seed: u64, from: i64, to: i64) -> (Vec<Written>, Happened) {
    let (mut dice, mut routes) = (Dice::seeded(seed), Dice::seeded(seed + 1));
    let mut happened = Happened::default();
    let mut written = Vec::new();
    for target in 0..TARGETS {
        let instance = format!("10.0.0.{target}:8080");
        // Every target is scraped at a time of its own.
        let phase = i64::try_from(dice.below(15_000)).unwrap();
        let outage = dice.below(3) == 0;
        let missing: BTreeSet<i64> = missing(&mut dice, from, to, outage);
        let restarts = dice.below(4);
        let restarts: BTreeSet<i64> = (0..restarts).map(|_| step(&mut dice, from, to)).collect();
        for (position, code) in CODES.into_iter().enumerate() {
            // The first series of a target is there from the start, others begin with their first event.
            let birth = if position == 0 || dice.below(2) == 0 {
                0
            } else {
                step(&mut dice, from, to)
            };
            let pace = 1 + dice.below(20);
            // Some series are the only ones of their route, and some have none.
            let route = match (position, routes.below(4)) {
                (0, _) | (_, 0) => "/list".to_owned(),
                (_, 1) => String::new(),
                (_, 2) => "/pay".to_owned(),
                (_, _) => format!("/{target}/{code}"),
            };
            let is_alone = route.matches('/').count() > 1;
            happened.new_routes += usize::from(is_alone && birth > 0);
            let labels: Labels = [
                ("__name__", "http_requests_total"),
                ("job", "api"),
                ("instance", &instance),
                ("code", code),
                ("route", &route),
            ]
            .into_iter()
            .collect();
            let mut samples: Vec<(i64, f64)> = Vec::new();
            let mut value = if birth == 0 { dice.below(10_000) } else { 0 };
            let mut was_there = false;
            for number in from / SCRAPE + 1..to / SCRAPE {
                let at = number * SCRAPE + phase;
                if restarts.contains(&number) {
                    value = 0;
                }
                value += dice.below(pace);
                let is_there = number >= birth && !missing.contains(&number);
                if is_there {
                    #[expect(clippy::cast_precision_loss, reason = "they are small")]
                    samples.push((at, value as f64));
                } else if was_there {
                    samples.push((at, STALE));
                }
                happened.gaps += usize::from(was_there && !is_there);
                happened.resets += usize::from(restarts.contains(&number) && is_there);
                happened.births += usize::from(number == birth);
                was_there = is_there;
            }
            written.push((labels, samples));
        }
    }
    (written, happened)
}

fn step(dice: &mut Dice, from: i64, to: i64) -> i64 {
    let scrapes = u64::try_from((to - from) / SCRAPE).unwrap();
    from / SCRAPE + i64::try_from(dice.below(scrapes)).unwrap()
}

/// Scrapes that fail: one at a time, and for some targets all over ten minutes.
fn missing(dice: &mut Dice, from: i64, to: i64, outage: bool) -> BTreeSet<i64> {
    let mut missing: BTreeSet<i64> = (0..3).map(|_| step(dice, from, to)).collect();
    if outage {
        let begin = step(dice, from, to);
        missing.extend(begin..begin + 40);
    }
    missing
}
