//! Makes scrape logs: processes that count events by chance, and scrapes that they answer or not.

use std::ops::Range;

use sloburn::domain::labels::{Labels, METRIC_NAME};

use super::log::{Answer, HOUR, Log, Role, SECOND, Target, Value};
use crate::support::dice::Dice;

/// When all logs begin: a multiple of every slot, block and chunk.
pub(super) const START: i64 = 1_767_225_600_000;

/// Processes that were there before anybody looked began then.
pub(super) const LONG_AGO: i64 = START - 100 * HOUR;

/// A log in the making.
pub(super) struct Maker {
    pub(super) dice: Dice,
    pub(super) log: Log,
    /// Scrapes are up to so much early or late.
    pub(super) jitter: i64,
    /// One sample in ten is given out up to so much later.
    pub(super) late: u64,
    /// Who is not scraped, and when; `None` is everybody.
    pub(super) holes: Vec<(Option<usize>, Range<i64>)>,
    lives: usize,
}

/// A process.
pub(super) struct Process {
    /// When it answers scrapes.
    pub(super) up: Range<i64>,
    pub(super) started: i64,
    pub(super) counters: Vec<Counter>,
}

/// A counter of a process.
#[derive(Clone)]
pub(super) struct Counter {
    pub(super) role: Role,
    /// Its labels besides `job` and `instance`.
    pub(super) labels: Vec<(&'static str, String)>,
    /// What it stands at before the first scrape.
    pub(super) value: u64,
    /// Whether it is shown before its first event.
    pub(super) eager: bool,
}

impl Counter {
    /// Good and bad requests; the bad ones are shown when there are some.
    pub(super) fn codes(value: u64) -> Vec<Self> {
        [(Role::Good, "200", true), (Role::Bad, "500", false)]
            .map(|(role, code, eager)| Self {
                role,
                labels: vec![
                    (METRIC_NAME, "http_requests_total".to_owned()),
                    ("code", code.to_owned()),
                ],
                value: if eager { value } else { 0 },
                eager,
            })
            .into()
    }

    /// The two buckets of a histogram that matter.
    pub(super) fn buckets() -> Vec<Self> {
        [(Role::Every, "+Inf"), (Role::Fast, "0.5")]
            .map(|(role, le)| Self {
                role,
                labels: vec![
                    (
                        METRIC_NAME,
                        "http_request_duration_seconds_bucket".to_owned(),
                    ),
                    ("le", le.to_owned()),
                ],
                value: 0,
                eager: true,
            })
            .into()
    }
}

impl Maker {
    pub(super) fn new(every: i64) -> Self {
        Self {
            dice: Dice::seeded(5),
            log: Log {
                every,
                targets: Vec::new(),
                blind: Vec::new(),
            },
            jitter: 0,
            late: 0,
            holes: Vec::new(),
            lives: 0,
        }
    }

    /// Another target.
    pub(super) fn target(&mut self) -> usize {
        let target = self.log.targets.len();
        self.log.targets.push(Target {
            instance: format!("10.0.0.{target}:80"),
            answers: Vec::new(),
        });
        target
    }

    /// Prometheus is away: it neither scrapes nor answers.
    pub(super) fn blind(&mut self, range: Range<i64>) {
        self.holes.push((None, range.clone()));
        self.log.blind.push(range);
    }

    /// When a target is scraped in a range; the first target on multiples of the interval.
    fn scrapes(&mut self, target: usize, range: &Range<i64>) -> Vec<i64> {
        let phase = 3_700 * i64::try_from(target).unwrap() % self.log.every;
        let first = (range.start - phase + self.log.every - 1).div_euclid(self.log.every);
        let grid = (first..).map(|turn| turn * self.log.every + phase);
        let grid: Vec<i64> = grid.take_while(|at| *at < range.end).collect();
        let jitter = self.jitter;
        let moved = grid.into_iter().map(|at| match jitter {
            0 => at,
            _ => {
                at + i64::try_from(self.dice.below(2 * jitter.unsigned_abs() + 1)).unwrap() - jitter
            }
        });
        moved.collect()
    }

    fn is_missed(&self, target: usize, at: i64) -> bool {
        let mut holes = self.holes.iter();
        holes.any(|(whom, range)| whom.is_none_or(|whom| whom == target) && range.contains(&at))
    }

    /// Lets a process live. `traffic` says how many events a counter saw since the scrape before, and `extra` which
    /// labels its series have besides.
    pub(super) fn run(
        &mut self,
        target: usize,
        process: Process,
        traffic: &mut dyn FnMut(&mut Dice, i64, &Counter) -> u64,
        extra: &dyn Fn(i64) -> Option<(&'static str, &'static str)>,
    ) {
        let life = self.lives;
        self.lives += 1;
        let Process {
            up,
            started,
            mut counters,
        } = process;
        for at in self.scrapes(target, &up) {
            for counter in &mut counters {
                counter.value += traffic(&mut self.dice, at, counter);
            }
            if self.is_missed(target, at) {
                continue;
            }
            let late = self.late > 0 && self.dice.below(10) == 0;
            let delay = if late {
                self.dice.below(self.late)
            } else {
                200
            };
            let instance = self.log.targets[target].instance.clone();
            let shown = counters.iter().enumerate();
            let shown = shown.filter(|(_, counter)| counter.eager || counter.value > 0);
            let values = shown.map(|(index, counter)| Value {
                counter: index,
                role: counter.role,
                labels: labels(counter, &instance, extra(at)),
                stood: counter.value,
            });
            let answer = Answer {
                at,
                seen: at + i64::try_from(delay).unwrap(),
                life,
                started,
                values: values.collect(),
            };
            self.log.targets[target].answers.push(answer);
        }
    }

    /// Lets a process that was always there live from the beginning to `end`, with up to so many events a scrape.
    pub(super) fn always(&mut self, end: i64, good: u64, bad: u64) -> usize {
        let target = self.target();
        let process = Process {
            up: START..end,
            started: LONG_AGO,
            counters: Counter::codes(1_000_000),
        };
        self.run(target, process, &mut by_chance(good, bad), &|_| None);
        target
    }
}

/// Up to so many good events a scrape, and one time in four up to so many bad ones.
pub(super) fn by_chance(good: u64, bad: u64) -> impl FnMut(&mut Dice, i64, &Counter) -> u64 {
    move |dice, _, counter| match counter.role {
        Role::Bad if dice.below(4) > 0 => 0,
        Role::Bad => dice.below(bad + 1),
        _ => dice.below(good + 1),
    }
}

fn labels(counter: &Counter, instance: &str, extra: Option<(&str, &str)>) -> Labels {
    let own = counter.labels.iter();
    let own = own.map(|(name, value)| (*name, value.as_str()));
    let all = own.chain([("job", "shop"), ("instance", instance)]);
    all.chain(extra).collect()
}

/// Each `every` from the start of `range` on.
pub(super) fn times(range: Range<i64>, every: i64) -> impl Iterator<Item = i64> {
    (0..)
        .map(move |turn| range.start + turn * every)
        .take_while(move |at| *at < range.end)
}

/// Whole seconds by chance.
pub(super) fn seconds(dice: &mut Dice, below: u64) -> i64 {
    i64::try_from(dice.below(below)).unwrap() * SECOND
}
