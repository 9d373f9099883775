//! The classes of behaviour that counting must stand: how each is made, and how often it shows what it is about.

use std::collections::BTreeSet;

use sloburn::domain::labels::METRIC_NAME;

use super::daemon::{ERRORS, LATENCY};
use super::log::{HOUR, Log, MINUTE, Role, SECOND};
use super::maker::{Counter, LONG_AGO, Maker, Process, START, by_chance, seconds, times};
use crate::support::dice::Dice;

/// Until then nothing happens but traffic; the daemon starts before.
pub(super) const CALM: i64 = START + 30 * MINUTE;
pub(super) const BEGIN: i64 = START + 20 * MINUTE;

const SCRAPE: i64 = 15 * SECOND;

/// A class with its log.
pub(super) struct Class {
    pub(super) name: &'static str,
    pub(super) indicator: &'static str,
    pub(super) log: Log,
    /// The end of the log.
    pub(super) end: i64,
    /// How often it shows what it is about.
    pub(super) events: usize,
    /// Whether its slots are known before they are coarse: not where gaps are so long that they reach back further.
    pub(super) is_fine: bool,
    /// Whether each tick can know all that happened before: not where samples come late, or tell of what was long ago.
    pub(super) is_prompt: bool,
    /// Whether the time between two scrapes counts as measured in it throughout: not where series come and go alone.
    pub(super) covers: bool,
    /// What it loses while nobody knows when processes began.
    pub(super) loses: Loses,
}

/// What a class loses while nobody knows when processes began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loses {
    Nothing,
    /// First values, and exactly those that are listed.
    Births,
}

/// All classes.
pub(super) fn all() -> Vec<Class> {
    vec![
        steady(),
        bursty(),
        lowtraffic(),
        resets("resets", 0),
        births(),
        churn(),
        missed(),
        out10prom(),
        out10tgt(),
        blind("out2h", 2 * HOUR, 20 * MINUTE, 5),
        jitter(),
        hist(),
        crashloop(),
        scrape60(),
        relabel(),
        longrun(),
        resets("jitresets", 3 * SECOND),
        batchborn(),
        Class {
            is_fine: false,
            ..blind("gap6h", 6 * HOUR, 30 * MINUTE, 5)
        },
        promrestart(),
        late(),
    ]
}

impl Class {
    fn of(name: &'static str, maker: Maker, end: i64, count: fn(&Log) -> usize) -> Self {
        Self {
            name,
            indicator: ERRORS,
            end,
            events: count(&maker.log),
            log: maker.log,
            is_fine: true,
            is_prompt: ["steady", "bursty", "births", "relabel", "jitter"].contains(&name),
            covers: true,
            loses: Loses::Nothing,
        }
    }
}

fn steady() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 2 * HOUR);
    for _ in 0..4 {
        maker.always(end, 4_000, 40);
    }
    Class::of("steady", maker, end, answers)
}

/// Every six minutes one minute with fifty times the traffic, of which a fifth fails.
fn bursty() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 3 * HOUR);
    let burst = |at: i64| at > CALM && at % (6 * MINUTE) < MINUTE;
    let mut traffic = |dice: &mut Dice, at: i64, counter: &Counter| {
        let most = if burst(at) { 50_000 } else { 1_000 };
        match counter.role {
            Role::Bad if burst(at) => dice.below(most / 4),
            Role::Bad => 0,
            _ => dice.below(most),
        }
    };
    for _ in 0..2 {
        old(&mut maker, START..end, Counter::codes(7), &mut traffic);
    }
    Class::of("bursty", maker, end, |log| {
        let answers = log.targets[0].answers.windows(2);
        let stood = |values: &[super::log::Value]| values[0].stood;
        answers
            .filter(|pair| stood(&pair[1].values) - stood(&pair[0].values) > 1_000)
            .count()
            / 4
    })
}

/// An event in ten minutes; series are not there before their first.
fn lowtraffic() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 4 * HOUR);
    let mut traffic =
        |dice: &mut Dice, at: i64, _: &Counter| u64::from(at > CALM && dice.below(40) == 0);
    for _ in 0..3 {
        let mut counters = Counter::codes(0);
        for counter in &mut counters {
            counter.eager = false;
        }
        old(&mut maker, START..end, counters, &mut traffic);
    }
    Class {
        covers: false,
        ..Class::of("lowtraffic", maker, end, increments)
    }
}

/// Restarts, up to 20 seconds down each, under the same labels.
fn resets(name: &'static str, jitter: i64) -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 3 * HOUR);
    maker.jitter = jitter;
    for _ in 0..3 {
        restarting(&mut maker, end, 15 * MINUTE);
    }
    Class::of(name, maker, end, restarts)
}

fn crashloop() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + HOUR);
    for _ in 0..2 {
        restarting(&mut maker, end, 138 * SECOND);
    }
    Class::of("crashloop", maker, end, restarts)
}

/// A target whose process is started anew every so often.
fn restarting(maker: &mut Maker, end: i64, every: i64) {
    let target = maker.target();
    let (mut from, mut started, mut value) = (START, LONG_AGO, 1_000_000);
    while from < end {
        let to = (from.max(CALM) + every + seconds(&mut maker.dice, 20)).min(end);
        let process = Process {
            up: from..to,
            started,
            counters: Counter::codes(value),
        };
        maker.run(target, process, &mut by_chance(40, 3), &|_| None);
        from = to + seconds(&mut maker.dice, 20);
        (started, value) = (from, 0);
    }
}

/// Sixty handlers of each process are seen when they are first used.
fn births() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 2 * HOUR);
    for _ in 0..2 {
        let mut counters = Counter::codes(1_000);
        for handler in 0..60 {
            let [good, _] = &counters[..2] else {
                unreachable!("two codes")
            };
            let mut counter = good.clone();
            (counter.eager, counter.value) = (false, 0);
            counter.labels.push(("handler", format!("/{handler}")));
            counters.push(counter);
        }
        let mut traffic = |dice: &mut Dice, at: i64, counter: &Counter| {
            let rare = counter.labels.len() > 2 && (at < CALM || dice.below(200) > 0);
            if rare { 0 } else { dice.below(300) }
        };
        old(&mut maker, START..end, counters, &mut traffic);
    }
    Class::of("births", maker, end, born)
}

/// Pods that are replaced by others under other names.
fn churn() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 3 * HOUR);
    for pod in 0..4 {
        let (mut from, mut started, mut value) = (START, LONG_AGO, 1_000_000);
        while from < end {
            let to = (from.max(CALM) + 18 * MINUTE + pod * MINUTE).min(end);
            let target = maker.target();
            let process = Process {
                up: from..to,
                started,
                counters: Counter::codes(value),
            };
            maker.run(target, process, &mut by_chance(200, 60), &|_| None);
            from = to + seconds(&mut maker.dice, 20);
            (started, value) = (from, 0);
        }
    }
    Class {
        loses: Loses::Births,
        ..Class::of("churn", maker, end, born)
    }
}

/// One scrape in fifty fails, and up to two after it.
fn missed() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 3 * HOUR);
    for target in 0..3 {
        for at in times(START..end, SCRAPE) {
            if maker.dice.below(50) == 0 {
                let run = i64::try_from(1 + maker.dice.below(3)).unwrap();
                let hole = at..at + run * SCRAPE;
                maker.holes.push((Some(target), hole));
            }
        }
    }
    for _ in 0..3 {
        maker.always(end, 400, 20);
    }
    Class::of("missed", maker, end, |log| holes(log, 1))
}

fn out10prom() -> Class {
    blind("out10prom", 10 * MINUTE, 20 * MINUTE, 6)
}

/// Prometheus is away for so long, so often, with some time between.
fn blind(name: &'static str, away: i64, between: i64, often: i64) -> Class {
    let mut maker = Maker::new(SCRAPE);
    let end = CALM + often * (away + between);
    for from in times(CALM..end, away + between) {
        maker.blind(from + between..from + between + away);
    }
    let end = end + between;
    for _ in 0..4 {
        maker.always(end, 4_000, 40);
    }
    Class::of(name, maker, end, |log| holes(log, 39))
}

/// Each target alone is away.
fn out10tgt() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 4 * HOUR);
    for target in 0..4 {
        let first = CALM + 7 * MINUTE * i64::try_from(target).unwrap();
        for from in times(first..end - 10 * MINUTE, 40 * MINUTE) {
            maker.holes.push((Some(target), from..from + 10 * MINUTE));
        }
    }
    for _ in 0..4 {
        maker.always(end, 4_000, 40);
    }
    Class::of("out10tgt", maker, end, |log| holes(log, 39))
}

fn jitter() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 2 * HOUR);
    maker.jitter = 3 * SECOND;
    for _ in 0..3 {
        maker.always(end, 400, 20);
    }
    Class::of("jitter", maker, end, |log| {
        let answers = log.targets[0].answers.iter();
        answers.filter(|answer| answer.at % SCRAPE != 0).count()
    })
}

/// Bad is what is not in a bucket; and now and then nobody is scraped for ten minutes.
fn hist() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 4 * HOUR);
    for from in times(CALM..end - 20 * MINUTE, 20 * MINUTE) {
        maker.holes.push((None, from..from + 10 * MINUTE));
    }
    for _ in 0..2 {
        let mut every = 0;
        let mut traffic = |dice: &mut Dice, _: i64, counter: &Counter| {
            if counter.role == Role::Every {
                every = dice.below(20);
                return every;
            }
            every - dice.below(every / 4 + 1)
        };
        old(&mut maker, START..end, Counter::buckets(), &mut traffic);
    }
    Class {
        indicator: LATENCY,
        ..Class::of("hist", maker, end, |log| holes(log, 39))
    }
}

fn scrape60() -> Class {
    let (mut maker, end) = (Maker::new(MINUTE), CALM + 3 * HOUR);
    for _ in 0..3 {
        maker.always(end, 4_000, 40);
    }
    Class::of("scrape60", maker, end, answers)
}

/// A label comes to series that live on, and goes again.
fn relabel() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 3 * HOUR);
    for target in 0..3 {
        let process = Process {
            up: START..end,
            started: LONG_AGO,
            counters: Counter::codes(1_000_000),
        };
        assert_eq!(maker.target(), target);
        let shift = 5 * MINUTE * i64::try_from(target).unwrap();
        let is_zoned = |at: i64| at > CALM && (at + shift) / (17 * MINUTE) % 2 == 0;
        let extra = |at| is_zoned(at).then_some(("zone", "a"));
        maker.run(target, process, &mut by_chance(400, 20), &extra);
    }
    Class::of("relabel", maker, end, |log| {
        let answers = log
            .targets
            .iter()
            .flat_map(|target| target.answers.windows(2));
        let zone = |answer: &super::log::Answer| answer.values[0].labels.get("zone").len();
        answers
            .filter(|pair| zone(&pair[0]) != zone(&pair[1]))
            .count()
    })
}

/// Processes that have lived long are scraped for the first time.
fn longrun() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 2 * HOUR);
    maker.always(end, 400, 20);
    for late in 1..=24 {
        let target = maker.target();
        let mut counters = Counter::codes(1_000_000);
        for counter in &mut counters {
            counter.value = 30_000;
        }
        let process = Process {
            up: CALM + late * 4 * MINUTE..end,
            started: LONG_AGO,
            counters,
        };
        maker.run(target, process, &mut by_chance(400, 20), &|_| None);
    }
    Class::of("longrun", maker, end, born)
}

/// Jobs that do all their work at once and then stay for a while.
fn batchborn() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 3 * HOUR);
    maker.always(end, 40, 4);
    for from in times(CALM + MINUTE..end - 10 * MINUTE, 6 * MINUTE) {
        let target = maker.target();
        let from = from + seconds(&mut maker.dice, 60);
        let process = Process {
            up: from..from + 6 * MINUTE,
            started: from,
            counters: Counter::codes(0),
        };
        let mut traffic = |dice: &mut Dice, at: i64, counter: &Counter| match counter.role {
            _ if at > from + SCRAPE => 0,
            Role::Bad => dice.below(12),
            _ => dice.below(5_000),
        };
        maker.run(target, process, &mut traffic, &|_| None);
    }
    Class {
        loses: Loses::Births,
        ..Class::of("batchborn", maker, end, born)
    }
}

/// Prometheus is started anew: half a minute to a minute without samples.
fn promrestart() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 4 * HOUR);
    for from in times(CALM..end, 9 * MINUTE) {
        let from = from + seconds(&mut maker.dice, 60);
        let away = 30 * SECOND + seconds(&mut maker.dice, 45);
        maker.blind(from..from + away);
    }
    for _ in 0..3 {
        maker.always(end, 400, 20);
    }
    Class::of("promrestart", maker, end, |log| log.blind.len())
}

/// One sample in ten is given out up to four minutes late, and behind newer ones; and processes are started anew.
fn late() -> Class {
    let (mut maker, end) = (Maker::new(SCRAPE), CALM + 2 * HOUR);
    maker.late = (4 * MINUTE).unsigned_abs();
    for _ in 0..3 {
        restarting(&mut maker, end, 15 * MINUTE);
    }
    Class::of("late", maker, end, |log| {
        let answers = log
            .targets
            .iter()
            .flat_map(|target| target.answers.windows(2));
        answers.filter(|pair| pair[0].seen > pair[1].seen).count()
    })
}

/// A target that was always there.
fn old(
    maker: &mut Maker,
    up: std::ops::Range<i64>,
    counters: Vec<Counter>,
    traffic: &mut dyn FnMut(&mut Dice, i64, &Counter) -> u64,
) {
    let target = maker.target();
    let process = Process {
        up,
        started: LONG_AGO,
        counters,
    };
    maker.run(target, process, traffic, &|_| None);
}

fn answers(log: &Log) -> usize {
    log.targets.iter().map(|target| target.answers.len()).sum()
}

/// How often another process answers than the time before.
fn restarts(log: &Log) -> usize {
    let answers = log
        .targets
        .iter()
        .flat_map(|target| target.answers.windows(2));
    answers.filter(|pair| pair[0].life != pair[1].life).count()
}

/// How often a target misses at least so many scrapes in a row.
fn holes(log: &Log, least: i64) -> usize {
    let answers = log
        .targets
        .iter()
        .flat_map(|target| target.answers.windows(2));
    let missed = |pair: &&[super::log::Answer]| (pair[1].at - pair[0].at) / log.every - 1;
    answers.filter(|pair| missed(pair) >= least).count()
}

/// How many series appear after the calm.
fn born(log: &Log) -> usize {
    let mut known = BTreeSet::new();
    let mut born = 0;
    let mut answers: Vec<_> = log
        .targets
        .iter()
        .flat_map(|target| &target.answers)
        .collect();
    answers.sort_by_key(|answer| answer.at);
    for answer in answers {
        for value in &answer.values {
            assert!(!value.labels.get(METRIC_NAME).is_empty());
            born += usize::from(known.insert(value.labels.clone()) && answer.at > CALM);
        }
    }
    born
}

/// How often a counter moves.
fn increments(log: &Log) -> usize {
    let answers = log
        .targets
        .iter()
        .flat_map(|target| target.answers.windows(2));
    let sum =
        |answer: &super::log::Answer| answer.values.iter().map(|value| value.stood).sum::<u64>();
    answers.filter(|pair| sum(&pair[0]) < sum(&pair[1])).count()
}
