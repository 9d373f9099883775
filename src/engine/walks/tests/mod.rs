//! Whoever begins late, or was away, ends with the slots of one who watched all along.

mod changed;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Events, Indicator, Split};
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::quantity::{Bound, Quantity, Unit};
use crate::domain::slices::{Judge, MissingData, Sliced};
use crate::domain::slo::{Catalog, Slo, SloId, SourceName};
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::engine::intake::{Read, Reading};
use crate::engine::state::{MeterState, State};
use crate::engine::step::{Input, Tick, step, take_past};
use crate::engine::tests::{catalog, requests, selector, settings};
use crate::engine::walks::dig::Dug;
use crate::series::batch::{Batch, Fetch, Sample};
use crate::series::plan::Plan;
use crate::store::commit::{Commit, Recovered};

const TICK: Span = Span::from_secs(30);
const HOUR: i64 = 3_600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

/// Counters that are scraped every 15 seconds: `200` is reset at 5 h; nothing is scraped for 40
/// minutes from 7 h; `500` is born at 2 h and is away from 6 h to 8 h.
fn read(fetch: &Fetch, range: TimeRange) -> Batch {
    if !fetch.text().starts_with("requests_total") {
        return Batch::default();
    }
    let labels = |code: &str| -> Labels {
        let pairs = [
            (METRIC_NAME, "requests_total"),
            ("job", "a"),
            ("instance", "i"),
            ("code", code),
        ];
        pairs.into_iter().collect()
    };
    let samples = |value: &dyn Fn(i64) -> Option<i64>| {
        let seconds = (range.from.as_millis().div_euclid(15_000) + 1) * 15
            ..=range.to.as_millis().div_euclid(1_000);
        let scraped = |second: &i64| !(7 * HOUR..7 * HOUR + 2_400).contains(second) && *second > 0;
        let sample = |second: i64| {
            let value = f64::from(i32::try_from(value(second)?).unwrap());
            let at = at(second);
            Some(Sample { at, value })
        };
        seconds
            .step_by(15)
            .filter(scraped)
            .filter_map(sample)
            .collect::<Vec<_>>()
    };
    let ok = samples(&|second| {
        Some(if second < 5 * HOUR {
            second
        } else {
            second - 5 * HOUR
        })
    });
    let bad = samples(&|second| {
        let away = second < 2 * HOUR || (6 * HOUR..8 * HOUR).contains(&second);
        (!away).then_some(3 + (second - 2 * HOUR) / 60)
    });
    [(labels("200"), ok), (labels("500"), bad)]
        .into_iter()
        .filter(|(_, samples)| !samples.is_empty())
        .collect()
}

/// Under what other conditions a daemon goes over to other definitions.
#[derive(Clone, Copy, Debug)]
enum GoOver {
    Reload,
    Restart,
}

/// Lets the next chunk of every walk be about this long.
pub(in crate::engine) fn cut(state: &mut State, length: Span) {
    for walk in state.walks.values_mut() {
        walk.length = length;
    }
}

struct Daemon {
    catalog: Catalog,
    state: State,
    kept: Commit,
}

impl Daemon {
    fn new() -> Self {
        Self::of(requests())
    }

    fn of(indicator: Indicator) -> Self {
        Self::with(catalog(indicator))
    }

    fn with(catalog: Catalog) -> Self {
        let plan = Arc::new(Plan::of(&catalog, TICK).unwrap());
        let state = State::new(settings(), &plan, Recovered::default());
        Self {
            catalog,
            state,
            kept: Commit::default(),
        }
    }

    /// What a kill −9 leaves.
    fn restart(&mut self) {
        let kept = self.kept.clone();
        let recovered = Recovered {
            chunks: kept.chunks,
            lanes: kept.lanes,
            families: kept.families,
            walks: kept.walks,
            seen: kept.seen,
            versions: kept.versions,
            ..Recovered::default()
        };
        let plan = Arc::new(Plan::of(&self.catalog, TICK).unwrap());
        self.state = State::new(settings(), &plan, recovered);
    }

    fn go_over(&mut self, how: GoOver, catalog: Catalog) {
        self.catalog = catalog;
        match how {
            GoOver::Restart => self.restart(),
            GoOver::Reload => {
                let plan = Arc::new(Plan::of(&self.catalog, TICK).unwrap());
                self.state.adopt(&plan);
            }
        }
    }

    fn tick(&mut self, second: i64) {
        self.state.leap(at(second));
        let answer = |wanted: super::super::reads::Wanted| Read {
            wanted,
            reading: {
                let (_, fetch, range) = self.state.fetch(wanted);
                Reading::Complete(read(fetch, range))
            },
        };
        let reads: Vec<Read> = self
            .state
            .wanted(at(second))
            .into_iter()
            .map(answer)
            .collect();
        assert!(
            reads.iter().all(|read| read.wanted.range.to == at(second)),
            "a tick is one read"
        );
        let input = Input {
            reads,
            ..Input::default()
        };
        let tick = Tick {
            at: at(second),
            judge: true,
        };
        self.kept
            .merge(step(&mut self.state, tick, &input, &self.catalog).commit);
    }

    fn ticks(&mut self, from: i64, to: i64) {
        for second in (from..=to).step_by(30) {
            self.tick(second);
        }
    }

    /// The next chunk of the past, if there is one.
    fn dug(&mut self, length: Span) -> Option<Dug> {
        cut(&mut self.state, length);
        let dig = self.state.next_dig(&SourceName::new("default"))?;
        let answers: Vec<Batch> = dig
            .reads()
            .map(|(fetch, range)| read(fetch, range))
            .collect();
        Some(dig.count(answers))
    }

    fn take(&mut self, dug: Dug) {
        self.kept.merge(take_past(&mut self.state, dug).commit);
    }

    /// One chunk of the past; says whether there was one. What is not kept is lost with a restart.
    fn dig(&mut self, length: Span) -> bool {
        let Some(dug) = self.dug(length) else {
            return false;
        };
        self.take(dug);
        true
    }

    fn digs(&mut self) -> usize {
        let mut digs = 0;
        while self.dig(Span::from_hours(2)) {
            digs += 1;
        }
        digs
    }

    /// Lives until `seen`, if that is said, and again from `back` on; stopped after each chunk of the past, it looks on to
    /// the end. Says how many chunks there were.
    fn comes_back(&mut self, seen: Option<i64>, back: i64, length: Span) -> i64 {
        if let Some(seen) = seen {
            self.ticks(30, seen);
            while self.dig(length) {}
            self.restart();
        }
        self.tick(back);
        let mut chunks = 0;
        while self.dig(length) {
            chunks += 1;
            self.restart();
            self.tick(back + 30 * chunks);
        }
        self.ticks(back + 30 * (chunks + 1), 12 * HOUR);
        chunks
    }

    fn slots(&self) -> BTreeMap<Timestamp, Slot> {
        self.slots_of("shop/it")
    }

    fn slots_of(&self, uid: &str) -> BTreeMap<Timestamp, Slot> {
        let is_it = |meter: &&MeterState| meter.key.slo.as_str() == uid;
        let meter = self.state.meters.iter().find(is_it).unwrap();
        let all = TimeRange {
            from: at(0),
            to: at(100 * 24 * HOUR),
        };
        meter.ledger.slots(all).collect()
    }
}

fn difference(one: &Daemon, other: &Daemon) -> Vec<String> {
    difference_of("shop/it", one, other)
}

fn difference_of(uid: &str, one: &Daemon, other: &Daemon) -> Vec<String> {
    let (one, other) = (one.slots_of(uid), other.slots_of(uid));
    let ends = one
        .keys()
        .chain(other.keys())
        .collect::<std::collections::BTreeSet<_>>();
    ends.into_iter()
        .filter(|end| one.get(*end) != other.get(*end))
        .map(|end| format!("{end}: {:?} and {:?}", one.get(end), other.get(end)))
        .collect()
}

#[test]
fn who_begins_late_or_was_away_ends_with_the_slots_of_one_who_watched() {
    let mut watcher = Daemon::new();
    watcher.ticks(30, 12 * HOUR);
    assert!(watcher.slots().len() > 700, "{}", watcher.slots().len());
    for (name, seen, back, length) in [
        (
            "late, in short chunks",
            None,
            11 * HOUR,
            Span::from_mins(40),
        ),
        ("late, at once", None, 11 * HOUR, Span::from_hours(24)),
        (
            "late, in the midst of an outage",
            None,
            7 * HOUR + 1_200,
            Span::from_hours(1),
        ),
        ("away for hours", Some(HOUR), 9 * HOUR, Span::from_hours(2)),
        (
            "away over the outage",
            Some(7 * HOUR - 30),
            10 * HOUR,
            Span::from_mins(30),
        ),
    ] {
        let mut daemon = Daemon::new();
        let chunks = daemon.comes_back(seen, back, length);
        assert_eq!(
            difference(&daemon, &watcher),
            Vec::<String>::new(),
            "{name}"
        );
        assert!(chunks > 0, "{name}");
    }
}

#[test]
fn a_walk_that_is_done_is_not_begun_again() {
    let mut daemon = Daemon::new();
    daemon.tick(11 * HOUR);
    let source = SourceName::new("default");
    let progress = |daemon: &Daemon| daemon.state.backfill(&source).map(|it| it.share);
    assert_eq!(progress(&daemon), Some(0.0));
    assert!(daemon.dig(Span::from_hours(12)));
    assert!(progress(&daemon).is_some_and(|share| share > 0.3 && share < 1.0));
    while daemon.dig(Span::from_hours(24)) {}
    assert_eq!(progress(&daemon), None);
    daemon.restart();
    daemon.tick(11 * HOUR + 30);
    assert!(!daemon.dig(Span::from_hours(24)));
}

#[test]
fn a_chunk_that_was_not_kept_is_counted_again_and_once() {
    let (mut daemon, mut other) = (Daemon::new(), Daemon::new());
    daemon.tick(11 * HOUR);
    other.tick(11 * HOUR);
    let kept = daemon.kept.clone();
    assert!(daemon.dig(Span::from_hours(3)));
    daemon.kept = kept;
    daemon.restart();
    daemon.tick(11 * HOUR + 30);
    other.tick(11 * HOUR + 30);
    while daemon.dig(Span::from_hours(5)) {}
    while other.dig(Span::from_hours(1)) {}
    assert_eq!(difference(&daemon, &other), Vec::<String>::new());
}

/// As where a task is taken for lost, and the same is begun anew beside it.
#[test]
fn a_chunk_that_comes_twice_is_counted_once() {
    let (mut daemon, mut other) = (Daemon::new(), Daemon::new());
    daemon.tick(11 * HOUR);
    other.tick(11 * HOUR);
    let length = Span::from_hours(3);
    while let (Some(first), Some(second)) = (daemon.dug(length), daemon.dug(length)) {
        daemon.take(first);
        daemon.take(second);
    }
    while other.dig(length) {}
    assert_eq!(difference(&daemon, &other), Vec::<String>::new());
}

#[test]
fn what_was_missing_is_the_same_for_who_begins_late() {
    let sliced = |judge| {
        Indicator::Slices(Sliced {
            judge,
            slice: Span::from_mins(1),
            missing: MissingData::Bad,
        })
    };
    let total = selector("requests_total");
    let floor = || {
        sliced(Judge::Rate {
            total: total.clone(),
            bound: Bound::AtLeast(Quantity {
                value: Fraction::new(9, 10),
                unit: Unit::PerSecond,
            }),
        })
    };
    let drop = || {
        sliced(Judge::Drop {
            total: total.clone(),
            at_most: Fraction::new(1, 10),
            compared_to: [1, 2].map(Span::from_hours).to_vec(),
        })
    };
    let indicators: [&dyn Fn() -> Indicator; 2] = [&floor, &drop];
    for (number, indicator) in indicators.into_iter().enumerate() {
        let mut watcher = Daemon::of(indicator());
        watcher.ticks(30, 12 * HOUR);
        let counted = |daemon: &Daemon| {
            let slots = daemon.slots().into_values();
            slots.fold(Counts::default(), |sum, slot| sum.plus(slot.counts))
        };
        let all = counted(&watcher);
        assert!(all.total >= 590.0 && all.bad >= 38.0, "{number} {all:?}");
        for (seen, back, length) in [
            (None, 11 * HOUR, Span::from_mins(40)),
            (None, 11 * HOUR, Span::from_hours(24)),
            (None, 7 * HOUR + 1_200, Span::from_hours(1)),
            (Some(7 * HOUR + 300), 10 * HOUR, Span::from_mins(30)),
        ] {
            let mut daemon = Daemon::of(indicator());
            let chunks = daemon.comes_back(seen, back, length);
            let different = difference(&daemon, &watcher);
            assert_eq!(
                different,
                Vec::<String>::new(),
                "{number} {seen:?} {back} {length}"
            );
            assert!(chunks > 0);
        }
    }
}

/// What `shop/it` is, beside an objective that reads the same family all the time.
fn beside_the_same(change: impl FnOnce(&mut Slo)) -> Catalog {
    beside(change, "z/same", requests())
}

/// What `shop/it` is, beside another objective.
fn beside(change: impl FnOnce(&mut Slo), uid: &str, indicator: Indicator) -> Catalog {
    let mut catalog = catalog(requests());
    let slo = Slo::clone(&catalog.slos[&SloId::new("shop/it")]);
    let uid = SloId::new(uid);
    let other = Slo {
        id: uid.clone(),
        uid: uid.clone(),
        counted_as: uid.clone(),
        name: "other".to_owned(),
        policy: None,
        indicator,
        ..slo.clone()
    };
    catalog.slos.insert(uid, Arc::new(other));
    let mut slo = slo;
    change(&mut slo);
    catalog.slos.insert(slo.uid.clone(), Arc::new(slo));
    catalog
}

/// All requests are bad: another indicator over the same series.
fn another() -> Indicator {
    Indicator::Errors(Events::OfTotal {
        total: vec![selector("requests_total")],
        split: Split::Bad(vec![selector("requests_total")]),
    })
}

#[test]
fn an_objective_that_returns_has_its_past_and_what_it_missed() {
    let mut watcher = Daemon::with(beside_the_same(|_| {}));
    watcher.ticks(30, 12 * HOUR);
    let removed = || {
        let mut catalog = beside_the_same(|_| {});
        catalog.slos.remove(&SloId::new("shop/it"));
        catalog
    };
    let other_indicator = || beside_the_same(|slo| slo.indicator = another());
    for how in [GoOver::Reload, GoOver::Restart] {
        for (name, meanwhile) in [("removed", removed()), ("another", other_indicator())] {
            let mut daemon = Daemon::with(beside_the_same(|_| {}));
            daemon.ticks(30, 3 * HOUR);
            daemon.digs();
            daemon.go_over(how, meanwhile);
            daemon.ticks(3 * HOUR + 30, 9 * HOUR);
            if name == "another" {
                daemon.digs();
                let own: Vec<_> = daemon.slots().into_values().collect();
                assert!(
                    own.iter().all(|slot| slot.counts.bad >= slot.counts.total),
                    "{how:?}: what another indicator counted is no part of it"
                );
                let total = |slots: &mut dyn Iterator<Item = Slot>| {
                    slots.map(|slot| slot.counts.total).sum::<f64>()
                };
                let whole = total(&mut watcher.slots().range(..=at(9 * HOUR)).map(|it| *it.1));
                assert!(
                    (total(&mut own.into_iter()) - whole).abs() < 1e-9,
                    "{how:?}"
                );
            }
            daemon.go_over(how, beside_the_same(|_| {}));
            daemon.tick(9 * HOUR + 30);
            assert!(
                daemon.digs() > 0,
                "{how:?} {name}: what was missed is walked through"
            );
            daemon.ticks(9 * HOUR + 60, 12 * HOUR);
            let found = difference(&daemon, &watcher);
            assert_eq!(found, Vec::<String>::new(), "{how:?} {name}");
            assert_eq!(daemon.digs(), 0);
        }
    }
}

#[test]
fn one_that_returns_while_its_source_is_away_has_what_it_missed() {
    let mut watcher = Daemon::with(beside_the_same(|_| {}));
    watcher.ticks(30, 12 * HOUR);
    let mut removed = beside_the_same(|_| {});
    removed.slos.remove(&SloId::new("shop/it"));
    for how in [GoOver::Reload, GoOver::Restart] {
        let mut daemon = Daemon::with(beside_the_same(|_| {}));
        daemon.ticks(30, 3 * HOUR);
        daemon.digs();
        daemon.go_over(how, removed.clone());
        daemon.ticks(3 * HOUR + 30, 4 * HOUR);
        // Nothing can be read for hours.
        daemon.state.leap(at(9 * HOUR));
        daemon.go_over(how, beside_the_same(|_| {}));
        daemon.tick(9 * HOUR + 30);
        daemon.digs();
        daemon.ticks(9 * HOUR + 60, 12 * HOUR);
        for uid in ["shop/it", "z/same"] {
            let found = difference_of(uid, &daemon, &watcher);
            assert_eq!(found, Vec::<String>::new(), "{how:?} {uid}");
        }
    }
}
