//! A source that sums up what is too large to be fetched, in closed form: the same slots come out of sums and of samples,
//! and of one after the other.

mod grouped;
mod paced;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::slo::{Catalog, SourceName};
use crate::domain::slot::Slot;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Batch, Fetch, Sample};
use crate::series::plan::Plan;
use crate::series::pushed::{CENSUS, Sums, TARGET, What};
use crate::store::commit::{Commit, Recovered};

use super::{TICK, Value, World, at, catalog, recovered, requests, selector, settings};
use crate::engine::intake::{Read, Reading};
use crate::engine::reads::Wanted;
use crate::engine::settings::Settings;
use crate::engine::state::State;
use crate::engine::step::{Input, Tick, step, take_past};

const SCRAPE: i64 = 15;
const HOUR: i64 = 3_600;

/// With more series than this the family is summed up.
const MOST: usize = 4;

/// Six pods, of which two last for more than an hour. One is reset; one begins to fail, and does not for a while.
fn pods() -> World {
    let mut world = World::new(SCRAPE);
    for pod in 0..6 {
        let labels = format!("pod=p{pod},code=200");
        world = world.with("requests_total", &labels, move |second| {
            let since = if pod == 1 && second > 2_000 { 2_000 } else { 0 };
            (pod < 2 || second < HOUR).then(|| whole((second - since) * (pod + 1)))
        });
    }
    world.with("requests_total", "pod=p0,code=500", |second| {
        let is_there = (900..HOUR).contains(&second) && !(1_500..1_800).contains(&second);
        is_there.then(|| whole(second - 900))
    })
}

fn whole(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap())
}

/// What a Prometheus would answer.
fn read(world: &World, fetch: &Fetch, range: TimeRange) -> Batch {
    match fetch {
        Fetch::Sums(sums) => summed(world, sums, range),
        _ => world.read(fetch, range),
    }
}

fn summed(world: &World, sums: &Sums, range: TimeRange) -> Batch {
    let is_whole = sums.selector.matchers.is_empty();
    // Of a few series more than was asked for may come.
    assert!(is_whole || matches!(sums.what, What::Last(_)), "{sums:?}");
    let is_own = |labels: &Labels| labels.get(METRIC_NAME) == sums.selector.metric;
    let series = world.series.iter().filter(|(labels, _)| is_own(labels));
    let (step, valid) = (sums.form.step, sums.form.valid());
    let mut rows: BTreeMap<Labels, BTreeMap<Timestamp, f64>> = BTreeMap::new();
    let mut add = |labels: &Labels, by: &[String], at: Timestamp, value: f64| {
        let row = labels
            .iter()
            .filter(|(name, _)| by.iter().any(|by| by == name));
        let row = rows.entry(row.collect()).or_default();
        *row.entry(at).or_default() += value;
    };
    let steps = || {
        let first = (range.from.floor_to(step) + step).as_millis();
        let steps =
            (first..=range.to.as_millis()).step_by(usize::try_from(step.as_millis()).unwrap());
        steps.map(Timestamp::from_millis)
    };
    let mut paces = Vec::new();
    for (labels, value) in series {
        match &sums.what {
            What::Increases(by) => {
                for end in steps() {
                    let before = last(value, end - step, valid);
                    if let (Some(now), Some(before)) = (last(value, end, step), before) {
                        add(
                            labels,
                            by,
                            end,
                            if now >= before { now - before } else { now },
                        );
                    }
                }
            }
            What::Arrivals => {
                let by = TARGET.map(str::to_owned);
                for end in steps() {
                    let is_new = last(value, end - step, valid).is_none();
                    if is_new && last(value, end, step).is_some() {
                        add(labels, &by, end, 1.0);
                    }
                }
            }
            What::Living(by) => {
                if last(value, range.to, valid).is_some() {
                    add(labels, by, range.to, 1.0);
                }
            }
            What::Last(kept) => {
                let all: Vec<String> = labels.iter().map(|(name, _)| name.to_owned()).collect();
                if let Some(last) = last(value, range.to, *kept) {
                    add(labels, &all, range.to, last);
                }
            }
            What::Pace => {
                let scrapes = CENSUS.as_millis() / 1_000 / SCRAPE;
                let newest = range.to.as_millis() / 1_000 / SCRAPE * SCRAPE;
                let scraped = (0..scrapes).map(|back| newest - back * SCRAPE);
                let count = scraped
                    .filter(|second| value(*second, newest).is_some())
                    .count();
                paces.push(count);
            }
        }
    }
    paces.sort_unstable();
    if let Some(median) = paces.get(paces.len() / 2) {
        let row = rows.entry(Labels::default()).or_default();
        row.insert(range.to, whole(i64::try_from(*median).unwrap()));
    }
    let samples = |row: BTreeMap<Timestamp, f64>| -> Vec<Sample> {
        row.into_iter()
            .map(|(at, value)| Sample { at, value })
            .collect()
    };
    rows.into_iter()
        .map(|(labels, row)| (labels, samples(row)))
        .collect()
}

/// The newest value that was scraped in the time `back` before `end`.
fn last(value: &Value, end: Timestamp, back: Span) -> Option<f64> {
    let (from, to) = ((end - back).as_millis(), end.as_millis());
    let scrapes = (from.div_euclid(SCRAPE * 1_000) + 1..=to.div_euclid(SCRAPE * 1_000)).rev();
    let mut values = scrapes.map(|scrape| value(scrape * SCRAPE, to / 1_000));
    values.find_map(|value| value)
}

/// An engine without a shell, and everything that it committed.
struct Daemon {
    catalog: Catalog,
    state: State,
    kept: Commit,
    most: usize,
    /// Whether it judges: what is counted does not hang on that.
    judges: bool,
}

impl Daemon {
    /// One that has families of more than `most` series summed up.
    fn of(catalog: Catalog, most: usize) -> Self {
        let state = Self::begin(&catalog, most, Recovered::default());
        Self {
            catalog,
            state,
            kept: Commit::default(),
            most,
            judges: false,
        }
    }

    fn begin(catalog: &Catalog, most: usize, recovered: Recovered) -> State {
        let plan = Arc::new(Plan::of(catalog, TICK).unwrap());
        let mut settings: Settings = settings();
        for source in settings.sources.values_mut() {
            source.push_down_above = most;
        }
        State::new(settings, &plan, recovered)
    }

    /// What a kill −9 leaves, under other definitions if need be.
    fn restart(&mut self, catalog: Catalog) {
        self.catalog = catalog;
        self.state = Self::begin(&self.catalog, self.most, recovered(self.kept.clone()));
    }

    fn reload(&mut self, catalog: Catalog) {
        self.catalog = catalog;
        let plan = Arc::new(Plan::of(&self.catalog, TICK).unwrap());
        self.state.adopt(&plan);
    }

    fn is_summed(&self) -> bool {
        self.state.families[0].pushed.is_some()
    }

    fn answers(&self, world: &World, wanted: Vec<Wanted>) -> Vec<Read> {
        let answer = |wanted| {
            let (_, fetch, range) = self.state.fetch(wanted);
            let reading = Reading::Complete(read(world, fetch, range));
            Read { wanted, reading }
        };
        wanted.into_iter().map(answer).collect()
    }

    fn tick(&mut self, world: &World, second: i64) {
        self.state.leap(at(second));
        let wanted = self.state.wanted(at(second));
        let mut reads = self.answers(world, wanted);
        let mut asked = 0;
        while asked < reads.len() {
            let more = self.state.follow_up(&reads[asked..]);
            asked = reads.len();
            reads.extend(self.answers(world, more));
        }
        let tick = Tick {
            at: at(second),
            judge: self.judges,
        };
        let input = Input {
            reads,
            ..Input::default()
        };
        let effects = step(&mut self.state, tick, &input, &self.catalog);
        self.kept.merge(effects.commit);
    }

    /// Ticks in `(from, to]`, seconds; tells of each time at which it turned to sums or to samples.
    fn ticks(&mut self, world: &World, from: i64, to: i64) -> Vec<(i64, bool)> {
        let mut turns = Vec::new();
        for second in (from + 30..=to).step_by(30) {
            self.tick(world, second);
            let is_summed = self.is_summed();
            if turns.last().is_none_or(|(_, last)| *last != is_summed) {
                turns.push((second, is_summed));
            }
        }
        turns
    }

    /// Counts the past from a source that refuses samples of the whole family for more time than `longest`. How often it
    /// refused, and how many chunks it summed up.
    fn dig(&mut self, world: &World, longest: Span) -> (usize, usize) {
        let (mut refused, mut summed) = (0, 0);
        while let Some(mut dig) = self.state.next_dig(&SourceName::new("default")) {
            let is_too_much = |(fetch, range): (&Fetch, TimeRange)| {
                let whole = selector("requests_total");
                matches!(fetch, Fetch::Samples(it) if *it == whole) && range.length() > longest
            };
            if dig.reads().any(is_too_much) {
                refused += 1;
                assert!(self.state.shorten(dig.key()), "it turns to sums at last");
                continue;
            }
            summed += usize::from(
                dig.reads()
                    .any(|(fetch, _)| matches!(fetch, Fetch::Sums(_))),
            );
            let reads = dig.reads();
            let mut batches: Vec<Batch> = reads.map(|(it, range)| read(world, it, range)).collect();
            loop {
                let more = dig.follow_up(&batches);
                if more.is_empty() {
                    break;
                }
                batches.extend(more.iter().map(|(fetch, range)| read(world, fetch, *range)));
            }
            let effects = take_past(&mut self.state, dig.count(batches));
            self.kept.merge(effects.commit);
        }
        (refused, summed)
    }

    /// What every instance holds in each slot.
    fn slots(&self) -> Slots {
        let all = TimeRange {
            from: at(0),
            to: at(3 * HOUR),
        };
        let meters = self.state.plan.meters.iter().zip(&self.state.meters);
        let slots = meters.flat_map(|(meter, state)| {
            let id = meter.slo.id.to_string();
            let slots: Vec<_> = state.ledger.slots(all).collect();
            let slots = slots.into_iter();
            slots.map(move |(end, slot)| ((id.clone(), end), slot))
        });
        slots.collect()
    }
}

type Slots = BTreeMap<(String, Timestamp), Slot>;

/// One that fetches samples whatever there are.
fn watcher(world: &World, catalog: Catalog, to: i64) -> Daemon {
    let mut watcher = Daemon::of(catalog, usize::MAX);
    watcher.ticks(world, 0, to);
    watcher
}

#[test]
fn a_family_turns_to_sums_and_back_to_samples_and_loses_nothing() {
    let world = pods();
    let watcher = watcher(&world, catalog(requests()), 2 * HOUR);
    let mut daemon = Daemon::of(catalog(requests()), MOST);
    let turns = daemon.ticks(&world, 0, 2 * HOUR);
    let modes: Vec<bool> = turns.iter().map(|(_, is_summed)| *is_summed).collect();
    assert_eq!(modes, [false, true, false], "{turns:?}");
    // Found too large twice; and small twice, each time when a block of five minutes is settled.
    assert!(turns[1].0 <= 120, "{turns:?}");
    assert!((HOUR..=HOUR + 1_200).contains(&turns[2].0), "{turns:?}");
    assert_eq!(different(&daemon, &watcher), []);
}

/// The slots in which other things were counted.
fn different(one: &Daemon, other: &Daemon) -> Vec<(String, Timestamp)> {
    let (one, other) = (one.slots(), other.slots());
    let places: BTreeSet<_> = one.keys().chain(other.keys()).cloned().collect();
    let counted = |slots: &Slots, place: &(String, Timestamp)| {
        let slot = slots.get(place).copied().unwrap_or_default();
        (slot.counts, slot.reconstructed)
    };
    let differs = |place: &(String, Timestamp)| counted(&one, place) != counted(&other, place);
    places.into_iter().filter(differs).collect()
}

#[test]
fn the_past_is_summed_up_where_not_even_its_shortest_chunk_can_be_read() {
    let world = pods();
    let watcher = watcher(&world, catalog(requests()), 2 * HOUR);
    // Where live counting began, one block is read once more by samples, since sums tell of no pair across that time:
    // with its margins a quarter of an hour. Only where not even that can be read such pairs are lost.
    let seam = at(2 * HOUR - 600);
    for (longest, lost) in [(Span::from_mins(15), None), (Span::ZERO, Some(seam + TICK))] {
        let mut daemon = Daemon::of(catalog(requests()), MOST);
        daemon.ticks(&world, 2 * HOUR - 30, 2 * HOUR);
        let (refused, summed) = daemon.dig(&world, longest);
        assert!(refused > 1 && summed > 0, "{refused} {summed}");
        let lost: Vec<_> = lost
            .into_iter()
            .map(|end| ("shop/it".into(), end))
            .collect();
        assert_eq!(different(&daemon, &watcher), lost, "{longest}");
    }
}

/// Errors of four targets: three are away for longer than samples are looked back for, one begins. By the values before, and
/// when they are there again.
fn away() -> World {
    let mut world = World::new(SCRAPE);
    for (instance, before, after) in [
        ("a", Some(500.0), 500.0),
        ("b", Some(400.0), 440.0),
        ("c", Some(300.0), 7.0),
        ("d", None, 30.0),
    ] {
        let labels = |code| format!("instance={instance},code={code}");
        world = world.with("requests_total", &labels(200), |second| Some(whole(second)));
        world = world.with("requests_total", &labels(500), move |second| match second {
            ..=900 => before,
            901..BACK => None,
            _ => Some(after),
        });
    }
    world
}

/// When they are there again: at the end of a slot.
const BACK: i64 = 2 * HOUR + 60;

#[test]
fn a_series_that_was_away_for_hours_goes_on_where_it_stood() {
    let world = away();
    let end = 2 * HOUR + 1_200;
    let watcher = watcher(&world, catalog(requests()), end);
    let mut live = Daemon::of(catalog(requests()), MOST);
    live.ticks(&world, 0, end);
    assert!(live.is_summed());
    let mut past = Daemon::of(catalog(requests()), MOST);
    past.ticks(&world, end - 30, end);
    let (_, summed) = past.dig(&world, Span::ZERO);
    assert!(summed > 0);
    for (name, daemon) in [("samples", &watcher), ("live", &live), ("past", &past)] {
        let slots = daemon.slots();
        let bad: f64 = slots.values().map(|slot| slot.counts.bad).sum();
        // Nothing of the first, what the second counted meanwhile, what the third did since it began anew, and the fourth.
        assert_eq!(bad, 40.0 + 7.0 + 30.0, "{name}");
        // Those of the second alone are spread over the time before.
        let spread = slots.iter().filter(|((_, end), _)| *end < at(BACK));
        let spread: f64 = spread.map(|(_, slot)| slot.counts.bad).sum();
        assert!((39.0..=40.0).contains(&spread), "{name}: {spread}");
    }
}

#[test]
fn a_source_that_may_not_sum_up_is_asked_for_the_shortest_chunk_again() {
    let mut daemon = Daemon::of(catalog(requests()), usize::MAX);
    daemon.ticks(&pods(), 2 * HOUR - 30, 2 * HOUR);
    let source = SourceName::new("default");
    let key = daemon.state.next_dig(&source).unwrap().key().clone();
    let shortened = (0..100).take_while(|_| daemon.state.shorten(&key)).count();
    assert!((1..20).contains(&shortened), "{shortened}");
    let asked = daemon.state.next_dig(&source).unwrap();
    assert!(
        asked
            .reads()
            .all(|(fetch, _)| !matches!(fetch, Fetch::Sums(_)))
    );
}
