//! The step against a small world of counters and gauges in closed form.
#![expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "small whole numbers are exact"
)]

mod blind;
mod events;
mod falls;
mod long;
mod properties;
mod quiet;
mod slices;
mod sums;
mod targets;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::domain::calendar::{Calendar, Period};
use crate::domain::contributors::LabelShare;
use crate::domain::decimal::Fraction;
use crate::domain::group::Group;
use crate::domain::incident::Change;
use crate::domain::indicator::{Events, Histogram, HistogramKind, Indicator, Split};
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::measurement::Outcome;
use crate::domain::notice::Facts;
use crate::domain::policy::{AlertPolicy, Hold, Severity, Tier, TierLimit, Unmeasured};
use crate::domain::route::Routing;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::slices::TimeUnit;
use crate::domain::slo::{Catalog, Slo, SloId, SourceName, Window};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::ledger::chunk::{Chunk, ChunkKey};
use crate::series::batch::{Batch, Fetch, Sample};
use crate::series::plan::Plan;
use crate::source::Source;
use crate::source::error::SourceError;
use crate::status::snapshot::{SloStatus, Snapshot};
use crate::store::commit::{Commit, LaneKey, Recovered};

use super::intake::{Read, Reading};
use super::settings::{Settings, SourceSettings};
use super::state::State;
use super::step::{Input, Tick, step, take_past};
use super::walks::tests::cut;

/// What a series shows at a second, as it is read up to another.
type Value = Box<dyn Fn(i64, i64) -> Option<f64>>;

/// Series in closed form, scraped every `scrape` seconds.
pub(in crate::engine) struct World {
    scrape: i64,
    series: Vec<(Labels, Value)>,
}

impl World {
    pub(super) fn new(scrape: i64) -> Self {
        Self {
            scrape,
            series: Vec::new(),
        }
    }

    pub(in crate::engine) fn with(
        mut self,
        metric: &str,
        labels: &str,
        value: impl Fn(i64) -> Option<f64> + 'static,
    ) -> Self {
        let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
        let usual = [(METRIC_NAME, metric), ("job", "a"), ("instance", "i")];
        let labels = usual.into_iter().chain(pairs).collect();
        let value = move |second, _| value(second);
        self.series.push((labels, Box::new(value)));
        self
    }

    /// The same for a series that reads differently later on.
    fn with_read(
        mut self,
        metric: &str,
        labels: &str,
        value: impl Fn(i64, i64) -> Option<f64> + 'static,
    ) -> Self {
        self = self.with(metric, labels, |_| None);
        if let Some((_, last)) = self.series.last_mut() {
            *last = Box::new(value);
        }
        self
    }

    pub(in crate::engine) fn read(&self, fetch: &Fetch, range: TimeRange) -> Batch {
        let (metric, step) = match fetch {
            Fetch::Samples(selector) | Fetch::Histograms { selector, .. } => {
                (selector.metric.as_str(), self.scrape)
            }
            // What an expression gives is a series that has its name.
            Fetch::Expression { text, step } => (text.as_str(), step.as_millis() / 1_000),
            Fetch::Sums(_) => return Batch::default(),
        };
        // More than was asked for may come: the engine matches by itself.
        let wanted = |labels: &Labels| labels.get(METRIC_NAME) == metric;
        let grid = (range.from.as_millis() / 1_000).div_euclid(step) + 1
            ..=(range.to.as_millis() / 1_000).div_euclid(step);
        let samples = |value: &Value| -> Vec<Sample> {
            let seconds = grid.clone().map(|number| number * step);
            let sample = |second| {
                value(second, range.to.as_millis() / 1_000).map(|value| Sample {
                    at: at(second),
                    value,
                })
            };
            seconds.filter_map(sample).collect()
        };
        let series = self.series.iter().filter(|(labels, _)| wanted(labels));
        series
            .map(|(labels, value)| (labels.clone(), samples(value)))
            .collect()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

pub(in crate::engine) fn selector(metric: &str) -> Selector {
    Selector::new(metric, Vec::new())
}

pub(in crate::engine) fn requests() -> Indicator {
    let code = Matcher {
        label: "code".into(),
        op: MatchOp::Matches,
        value: "5..".into(),
    };
    let total = selector("requests_total");
    Indicator::Errors(Events::OfTotal {
        split: Split::Bad(vec![total.refined([code])]),
        total: vec![total],
    })
}

pub(in crate::engine) fn catalog(indicator: Indicator) -> Catalog {
    let tier = |name: &str, severity, burn| Tier {
        name: name.into(),
        severity,
        long: Span::from_mins(10),
        short: Span::from_mins(1),
        limit: TierLimit::Burn(Fraction::new(burn, 10)),
    };
    let policy = AlertPolicy {
        name: "test".into(),
        tiers: vec![
            tier("ticket", Severity::Ticket, 30),
            tier("page", Severity::Page, 144),
        ],
        signal_severity: BTreeMap::new(),
        low_traffic: None,
        hold: Hold {
            min: Span::from_mins(1),
            of_short: Fraction::new(1, 2),
        },
        remind: BTreeMap::new(),
        unmeasured: Some(Unmeasured {
            after: Span::from_mins(2),
            severity: Severity::Ticket,
        }),
    };
    let slo = Slo {
        uid: SloId::new("shop/it"),
        id: SloId::new("shop/it"),
        counted_as: SloId::new("shop/it"),
        group: Group::default(),
        grouping: None,
        service: "shop".into(),
        name: "it".into(),
        target: None,
        labels: BTreeMap::new(),
        description: None,
        owner: None,
        runbook: None,
        source: SourceName::new("default"),
        objective: "99%".parse().unwrap(),
        window: Window::Rolling(Span::from_days(1)),
        indicator,
        policy: Some("test".into()),
    };
    Catalog {
        slos: BTreeMap::from([(slo.uid.clone(), Arc::new(slo))]),
        policies: BTreeMap::from([("test".into(), Arc::new(policy))]),
        routing: Routing {
            default: vec!["team".into()],
            routes: Vec::new(),
        },
        ..Catalog::default()
    }
}

/// A source that holds nothing, and remembers how far back it was read.
pub(in crate::engine) struct Empty(Mutex<Timestamp>);

impl Empty {
    pub(in crate::engine) fn read_since(time: Timestamp) -> Self {
        Self(Mutex::new(time))
    }

    pub(in crate::engine) fn earliest(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl Source for Empty {
    async fn read(&self, _: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        let mut earliest = self.0.lock().unwrap();
        *earliest = range.from.min(*earliest);
        Ok(Batch::default())
    }
}

/// An engine without a shell, and everything that it committed.
pub(in crate::engine) struct Run {
    pub(in crate::engine) catalog: Catalog,
    pub(in crate::engine) state: State,
    pub(in crate::engine) kept: Commit,
    pub(in crate::engine) told: Vec<String>,
    pub(in crate::engine) last: Option<Snapshot>,
}

pub(in crate::engine) const TICK: Span = Span::from_secs(30);

/// Whoever was away for days and knows no past needs some passes to catch up.
const MOST_PASSES: u32 = 100;

pub(in crate::engine) fn settings() -> Settings {
    let source = SourceSettings {
        offset: Span::ZERO,
        ..SourceSettings::default()
    };
    let sources = BTreeMap::from([(SourceName::new("default"), source)]);
    Settings {
        tick: TICK,
        slot: TICK,
        sources,
        history: Span::from_days(400),
        external_url: None,
    }
}

impl Run {
    pub(in crate::engine) fn new(catalog: Catalog) -> Self {
        let plan = Arc::new(Plan::of(&catalog, TICK).unwrap());
        let state = State::new(settings(), &plan, Recovered::default());
        Self {
            catalog,
            state,
            kept: Commit::default(),
            told: Vec::new(),
            last: None,
        }
    }

    /// Ticks in `(from, to]`, seconds; `fault` may spoil the reads of a tick.
    pub(in crate::engine) fn ticks(
        &mut self,
        world: &World,
        from: i64,
        to: i64,
        fault: impl Fn(i64) -> Option<Reading>,
    ) -> &SloStatus {
        for second in (from + 30..=to).step_by(30) {
            for pass in 0.. {
                assert!(pass < MOST_PASSES, "the tick {second} does not end");
                let wanted = self.state.wanted(at(second));
                let judge = wanted.iter().all(|wanted| wanted.range.to == at(second));
                let read = |wanted: super::reads::Wanted| {
                    let (_, fetch, range) = self.state.fetch(wanted);
                    let batch = world.read(fetch, range);
                    Read {
                        wanted,
                        reading: fault(second).unwrap_or(Reading::Complete(batch)),
                    }
                };
                let input = Input {
                    reads: wanted.into_iter().map(read).collect(),
                    ..Input::default()
                };
                let effects = step(
                    &mut self.state,
                    Tick {
                        at: at(second),
                        judge,
                    },
                    &input,
                    &self.catalog,
                );
                for (key, notice) in &effects.commit.outbox {
                    let change = match notice.change {
                        Change::Opened => "opened",
                        Change::Rose { .. } => "rose",
                        Change::Fell { .. } => "fell",
                        Change::Reminded => "reminded",
                        Change::Closed(reason) => reason.name(),
                    };
                    let kind = match &notice.facts {
                        Facts::Unmeasured(_) => "blind ",
                        Facts::Refused(_) => "groups ",
                        Facts::Burn(_) | Facts::Removed { .. } => "",
                    };
                    self.told.push(format!(
                        "{second} {kind}{change} {} {}",
                        notice.severity, key.receiver
                    ));
                }
                self.kept.merge(effects.commit);
                self.last = effects.snapshot.or(self.last.take());
                if judge {
                    break;
                }
            }
        }
        &self.last.as_ref().unwrap().slos[0]
    }

    /// Reads the next chunk of the past, about that long; says whether there was one.
    pub(in crate::engine) fn dig(&mut self, world: &World, length: Span) -> bool {
        cut(&mut self.state, length);
        let Some(dig) = self.state.next_dig(&SourceName::new("default")) else {
            return false;
        };
        let reads = dig.reads();
        let answers = reads.map(|(fetch, range)| world.read(fetch, range));
        let answers = answers.collect();
        let dug = dig.count(answers);
        self.kept.merge(take_past(&mut self.state, dug).commit);
        true
    }

    /// What a kill −9 leaves: a new engine from what was committed.
    pub(in crate::engine) fn restart(&mut self) {
        let plan = Arc::new(Plan::of(&self.catalog, TICK).unwrap());
        self.state = State::new(settings(), &plan, recovered(self.kept.clone()));
    }
}

/// What is found in the store after a kill −9, when this was committed.
fn recovered(kept: Commit) -> Recovered {
    let episodes = kept.episodes.into_iter();
    Recovered {
        chunks: kept.chunks,
        lanes: kept.lanes,
        seen: kept.seen,
        versions: kept.versions,
        families: kept.families,
        walks: kept.walks,
        groups: kept.groups,
        alerts: kept.alerts,
        closed: Vec::new(),
        episodes: episodes
            .filter_map(|(key, episode)| Some((key, episode?)))
            .collect(),
    }
}

impl Run {
    pub(in crate::engine) fn reload(&mut self, catalog: Catalog) {
        self.catalog = catalog;
        let plan = Arc::new(Plan::of(&self.catalog, TICK).unwrap());
        self.state.adopt(&plan);
    }

    pub(in crate::engine) fn status(&self, uid: &str) -> &SloStatus {
        let slos = &self.last.as_ref().unwrap().slos;
        slos.iter().find(|slo| slo.id == uid).unwrap()
    }

    /// What is kept of one objective.
    pub(in crate::engine) fn slots(&self, uid: &str) -> BTreeMap<(LaneKey, ChunkKey), Arc<Chunk>> {
        let mut chunks = self.kept.chunks.clone();
        chunks.retain(|(key, _), _| key.meter.slo.as_str() == uid);
        chunks
    }
}

pub(in crate::engine) fn healthy(_: i64) -> Option<Reading> {
    None
}

/// A hundred requests a second; from `from` to `to` one in `one_in` fails.
pub(in crate::engine) fn shop(from: i64, to: i64, one_in: i64) -> World {
    let bad = move |second: i64| (second.clamp(from, to) - from) * 100 / one_in;
    World::new(15)
        .with("requests_total", "code=200", move |second| {
            Some((second * 100 - bad(second)) as f64)
        })
        .with("requests_total", "code=500", move |second| {
            Some(bad(second) as f64)
        })
}

#[test]
fn bad_events_are_told_by_the_labels_that_they_came_from() {
    let mut run = Run::new(catalog(requests()));
    let bad = |pace: i64| move |second: i64| Some(((second - 7_200).clamp(0, 300) * pace) as f64);
    let world = World::new(15)
        .with("requests_total", "code=200,route=/pay", |second| {
            Some((second * 100) as f64)
        })
        .with("requests_total", "code=503,route=/pay", bad(9))
        .with("requests_total", "code=500,route=/list", bad(1));
    let status = run.ticks(&world, 0, 7_500, healthy);
    let told = |(window, labels): &(Span, Vec<LabelShare>)| {
        let label = |it: &LabelShare| {
            let top = it.top.iter();
            let top = top.map(|top| format!("{} {}", top.value, top.bad));
            format!("{}: {}", it.label, top.collect::<Vec<_>>().join(", "))
        };
        let labels: Vec<String> = labels.iter().map(label).collect();
        format!("{window} {}", labels.join("; "))
    };
    let told: Vec<String> = status.contributors.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "5m code: 503 2700, 500 300; route: /pay 2700, /list 300",
            "1h code: 503 2700, 500 300; route: /pay 2700, /list 300",
        ]
    );
    let status = run.ticks(&world, 7_500, 9_000, healthy);
    let sums = status.contributors.iter().map(|(_, labels)| labels.len());
    assert_eq!(sums.collect::<Vec<_>>(), [0, 2], "the hour remembers, once");
    let hour = &status.contributors[1].1[0].top[0];
    assert_eq!((hour.bad, hour.share), (2_700.0, 0.9));
    let status = run.ticks(&world, 9_000, 11_400, healthy);
    assert!(
        status
            .contributors
            .iter()
            .all(|(_, labels)| labels.is_empty())
    );
}

#[test]
fn every_event_is_counted_once_and_an_incident_rises_falls_and_closes() {
    let mut run = Run::new(catalog(requests()));
    let world = shop(7_200, 7_500, 2);
    let status = run.ticks(&world, 0, 9_000, healthy);
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    assert_eq!(
        (status.window.counts.bad, status.window.counts.total),
        (15_000.0, 900_000.0)
    );
    assert_eq!(status.series.total, 2);
    assert!(status.budget.is_some_and(|budget| budget.remaining() < 0.0));
    assert_eq!(status.emptied_at, Some(at(7_350)));
    insta::assert_snapshot!(run.told.join("\n"), @r"
7260 opened ticket team
7380 rose page team
7620 recovered page team
");
}

#[test]
fn a_family_that_is_asked_for_in_several_queries_is_counted_as_one() {
    let world = shop(300, 600, 2);
    let mut whole = Run::new(catalog(requests()));
    whole.ticks(&world, 0, 900, healthy);
    let mut settings = settings();
    for source in settings.sources.values_mut() {
        source.series_per_query = 1;
    }
    let mut divided = Run::new(catalog(requests()));
    let plan = Arc::clone(&divided.state.plan);
    divided.state = State::new(settings, &plan, Recovered::default());
    divided.ticks(&world, 0, 900, healthy);
    let wanted = divided.state.wanted(at(9_030));
    let counters = |wanted: &&super::reads::Wanted| {
        let (_, fetch, _) = divided.state.fetch(**wanted);
        fetch.text().starts_with("requests_total")
    };
    // This world brings all series to each query: what came twice was counted once.
    assert!(wanted.iter().filter(counters).count() > 1, "{wanted:?}");
    assert_eq!(divided.told, whole.told);
    assert_eq!(divided.kept.chunks, whole.kept.chunks);
}

#[test]
fn a_restart_changes_nothing() {
    let world = shop(7_200, 7_500, 2);
    let mut whole = Run::new(catalog(requests()));
    whole.ticks(&world, 0, 9_000, healthy);
    for stops in [[7_230, 7_350], [7_500, 7_560], [3_000, 7_260]] {
        let mut broken = Run::new(catalog(requests()));
        let mut from = 0;
        for stop in stops {
            broken.ticks(&world, from, stop, healthy);
            broken.restart();
            from = stop;
        }
        broken.ticks(&world, from, 9_000, healthy);
        assert_eq!(broken.told, whole.told, "{stops:?}");
        assert_eq!(broken.kept.chunks, whole.kept.chunks, "{stops:?}");
        assert_eq!(broken.kept.families, whole.kept.families, "{stops:?}");
        assert_eq!(broken.kept.lanes, whole.kept.lanes, "{stops:?}");
    }
}

/// In 1970 Kathmandu was five and a half hours ahead, so that no edge of a week lies on a whole hour.
#[test]
fn a_calendar_week_begins_at_its_midnight_however_old_the_slots_grow() {
    const MIDNIGHT: i64 = 3 * 86_400 + 18 * 3_600 + 1_800;
    let week = Calendar::new(Period::Week, "Asia/Kathmandu").unwrap();
    let mut definitions = catalog(requests());
    for slo in definitions.slos.values_mut() {
        Arc::make_mut(slo).window = Window::Calendar(week.clone());
    }
    let mut run = Run::new(definitions);
    let world = shop(MIDNIGHT - 300, MIDNIGHT + 300, 2);
    run.ticks(&world, 0, 3_000, healthy);
    for (second, begun) in [
        (MIDNIGHT, MIDNIGHT - 7 * 86_400),
        (MIDNIGHT + 30, MIDNIGHT),
        (MIDNIGHT + 8 * 3_600, MIDNIGHT),
        (MIDNIGHT + 80 * 3_600, MIDNIGHT),
        (MIDNIGHT + 7 * 86_400, MIDNIGHT),
        (MIDNIGHT + 7 * 86_400 + 30, MIDNIGHT + 7 * 86_400),
    ] {
        let status = run.ticks(&world, second - 30, second, healthy);
        assert_eq!(status.window.range.from, at(begun), "{second}");
        let counted_from = begun.max(0);
        let bad = |second: i64| (second.clamp(MIDNIGHT - 300, MIDNIGHT + 300)) * 50;
        assert_eq!(
            (status.window.counts.bad, status.window.counts.total),
            (
                (bad(second) - bad(counted_from)) as f64,
                ((second - counted_from) * 100) as f64
            ),
            "{second}"
        );
    }
}

#[test]
fn a_long_stop_is_caught_up_with_in_pieces() {
    let world = shop(7_200, 7_500, 2);
    let mut run = Run::new(catalog(requests()));
    run.ticks(&world, 0, 3_000, healthy);
    run.restart();
    let status = run.ticks(&world, 30_000, 30_030, healthy);
    assert_eq!(status.window.counts.bad, 15_000.0);
    assert_eq!(status.window.counts.total, 3_003_000.0);
}

#[test]
fn only_a_measured_tick_changes_an_alert() {
    let world = shop(7_200, 7_500, 2);
    let failed = |from: i64| {
        move |second: i64| (second > from).then(|| Reading::Failed("cannot reach it".into()))
    };
    let partial = |from: i64| {
        move |second: i64| (second > from).then(|| Reading::Partial("a store is down".into()))
    };
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&world, 0, 9_000, failed(7_400));
    assert_eq!(status.measurement.outcome, Outcome::Failed);
    assert_eq!(
        status.measurement.reason.as_deref(),
        Some("cannot reach it")
    );
    assert_eq!(status.alert, Some(Severity::Page));
    insta::assert_snapshot!(run.told.join("\n"), @r"
7260 opened ticket team
7380 rose page team
7530 blind opened ticket team
");
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&world, 0, 7_800, partial(7_400));
    assert_eq!(
        (status.measurement.outcome, status.alert),
        (Outcome::Partial, Some(Severity::Page))
    );
    let status = run.ticks(&world, 7_800, 9_000, healthy);
    assert_eq!(
        (status.measurement.outcome, status.alert),
        (Outcome::Measured, None)
    );
    assert_eq!(status.window.counts.bad, 15_000.0);
}

#[test]
fn no_data_and_no_traffic_are_not_the_same() {
    let gone = shop(7_200, 7_500, 2);
    let gone = World {
        series: gone
            .series
            .into_iter()
            .map(|(labels, value)| (labels, until(7_400, value)))
            .collect(),
        scrape: 15,
    };
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&gone, 0, 12_000, healthy);
    assert_eq!(
        (status.measurement.outcome, status.alert),
        (Outcome::NoData, Some(Severity::Page))
    );
    insta::assert_snapshot!(status.measurement.reason.clone().unwrap_or_default(), @"`requests_total` has had no sample since 1970-01-01T02:03:15Z");
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&frozen(7_400), 0, 9_000, healthy);
    assert_eq!(
        (status.measurement.outcome, status.alert),
        (Outcome::NoTraffic, None)
    );
    insta::assert_snapshot!(run.told.join("\n"), @r"
7260 opened ticket team
7380 rose page team
8010 noTraffic page team
");
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&World::new(15), 0, 600, healthy);
    assert_eq!(status.measurement.outcome, Outcome::NoData);
    insta::assert_snapshot!(status.measurement.reason.clone().unwrap_or_default(), @"no series of `requests_total` match what shop/it selects; check its selectors");
}

fn until(end: i64, value: Value) -> Value {
    Box::new(move |second, read| {
        if second <= end {
            value(second, read)
        } else {
            None
        }
    })
}

/// The shop, whose counters stand still from `stop` on.
fn frozen(stop: i64) -> World {
    let world = shop(7_200, 7_500, 2);
    let still = |(labels, value): (Labels, Value)| -> (Labels, Value) {
        (
            labels,
            Box::new(move |second, read| value(second.min(stop), read)),
        )
    };
    World {
        series: world.series.into_iter().map(still).collect(),
        scrape: 15,
    }
}

#[test]
fn a_gap_is_reconstructed_and_starts_no_alarm() {
    let world = shop(7_200, 7_500, 2);
    let gap = |second: i64| (7_200..7_500).contains(&second);
    let with_gap = |(labels, value): (Labels, Value)| -> (Labels, Value) {
        (
            labels,
            Box::new(move |second, read| {
                if gap(second) {
                    None
                } else {
                    value(second, read)
                }
            }),
        )
    };
    let world = World {
        series: world.series.into_iter().map(with_gap).collect(),
        scrape: 15,
    };
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&world, 0, 7_530, healthy);
    assert_eq!(status.window.counts.bad, 15_000.0);
    assert!(status.reconstructed_share > 0.0);
    assert_eq!(status.alert, None);
}

#[test]
fn a_threshold_that_is_no_boundary_counts_nothing_and_says_so() {
    let latency = |at_most: &str| {
        Indicator::Latency(Events::Histogram(Histogram {
            kind: HistogramKind::Classic,
            series: selector("seconds_bucket"),
            unit: TimeUnit::Seconds,
            at_most: at_most.parse().unwrap(),
            overrides: Vec::new(),
        }))
    };
    let world = || {
        World::new(15)
            .with("seconds_bucket", "le=0.3", |second| {
                Some((second * 99) as f64)
            })
            .with("seconds_bucket", "le=+Inf", |second| {
                Some((second * 100) as f64)
            })
    };
    let mut run = Run::new(catalog(latency("0.3")));
    let status = run.ticks(&world(), 0, 600, healthy);
    assert_eq!(
        (status.window.counts.bad, status.window.counts.total),
        (600.0, 60_000.0)
    );
    let mut run = Run::new(catalog(latency("0.25")));
    run.ticks(&world(), 0, 570, healthy);
    assert_eq!(run.state.questions().len(), 1);
    run.state.answer(0, vec!["+Inf".into(), "0.3".into()]);
    let status = run.ticks(&world(), 570, 600, healthy);
    assert_eq!(status.measurement.outcome, Outcome::NoData);
    assert_eq!(status.window.counts.total, 0.0);
    insta::assert_snapshot!(status.measurement.reason.clone().unwrap_or_default(), @"`seconds_bucket` has no bucket that ends at 250ms; set `atMost` to 300ms");
}

/// One process that two replicas scrape, five seconds apart; the first is away from `away` on for 20 minutes.
fn pair(away: i64) -> World {
    let count = |second: i64| {
        if second < 6_000 {
            100 + second * 7
        } else {
            (second - 6_000) * 7
        }
    };
    let at_phase = |second: i64, phase: i64| second.rem_euclid(15) == phase;
    let (gone, back) = (away, away + 1_200);
    World::new(1)
        .with(
            "requests_total",
            "prometheus_replica=a,code=200",
            move |second| {
                let is_there = at_phase(second, 0) && !(gone..back).contains(&second);
                is_there.then(|| count(second) as f64)
            },
        )
        .with(
            "requests_total",
            "prometheus_replica=b,code=200",
            move |second| at_phase(second, 5).then(|| count(second) as f64),
        )
        .with(
            "requests_total",
            "prometheus_replica=a,code=500",
            move |second| {
                let is_there = at_phase(second, 0) && !(gone..back).contains(&second);
                is_there.then(|| (count(second) / 50) as f64)
            },
        )
        .with(
            "requests_total",
            "prometheus_replica=b,code=500",
            move |second| at_phase(second, 5).then(|| (count(second) / 50) as f64),
        )
}

#[test]
fn two_replicas_count_as_one_while_one_dies_and_returns() {
    let one = World::new(15)
        .with("requests_total", "code=200", |second| {
            Some(if second < 6_000 {
                100 + second * 7
            } else {
                (second - 6_000) * 7
            } as f64)
        })
        .with("requests_total", "code=500", |second| {
            let count = if second < 6_000 {
                100 + second * 7
            } else {
                (second - 6_000) * 7
            };
            Some((count / 50) as f64)
        });
    let count = |world: &World, labels: &[&str], restarted: bool| {
        let mut run = Run::new(catalog(requests()));
        let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
        let replicate = |run: &mut Run| {
            for source in run.state.settings.sources.values_mut() {
                source.replica_labels.clone_from(&labels);
            }
        };
        replicate(&mut run);
        run.ticks(world, 0, 4_500, healthy);
        if restarted {
            run.restart();
            replicate(&mut run);
        }
        run.ticks(world, 4_500, 9_000, healthy);
        let last = run.last.as_ref().unwrap();
        let twins = last.sources[0].twins;
        let slo = &last.slos[0];
        (slo.window.counts, slo.series.total, twins)
    };
    let (truth, series, _) = count(&one, &[], false);
    for away in [3_000, 5_700, 8_000] {
        for restarted in [false, true] {
            let labels = ["prometheus_replica"];
            let (counts, merged, twins) = count(&pair(away), &labels, restarted);
            // Where the first is away at the end, the other was scraped last, five seconds after it; and where it
            // was away at the reset, the other was scraped five seconds closer to that.
            let apart = counts.total - truth.total;
            let five_seconds = 7.0 * 5.0 * 51.0 / 50.0 + 1.0;
            let (least, most) = match away {
                5_700 => (0.0, five_seconds),
                8_000 => (-2.0 * five_seconds, 0.0),
                _ => (0.0, 0.0),
            };
            assert!(
                least <= apart && apart <= most,
                "{away}: {counts:?} {truth:?}"
            );
            assert_eq!((merged, twins), (series, None));
        }
    }
    let (doubled, _, twins) = count(&pair(3_000), &[], false);
    assert!(doubled.total > 1.7 * truth.total, "{doubled:?} {truth:?}");
    assert_eq!(twins, Some("prometheus_replica"), "and it is noticed");
}

#[test]
fn a_counter_that_fell_before_a_restart_is_remembered_behind_it() {
    // The second series is away while the process begins anew, and returns higher than it was.
    let world = || {
        World::new(15)
            .with("requests_total", "code=200", |second| {
                Some(if second < 3_000 {
                    second * 10
                } else {
                    (second - 3_000) * 10
                } as f64)
            })
            .with("requests_total", "code=500", |second| match second {
                ..2_700 => Some(50.0),
                4_200.. => Some((second - 4_200 + 80) as f64),
                _ => None,
            })
    };
    let bad = |restart: bool| {
        let mut run = Run::new(catalog(requests()));
        run.ticks(&world(), 0, 3_900, healthy);
        if restart {
            run.restart();
        }
        run.ticks(&world(), 3_900, 6_000, healthy).window.counts
    };
    let counts = bad(false);
    assert_eq!(
        counts.bad,
        f64::from(6_000 - 4_200 + 80),
        "all since it began anew"
    );
    assert_eq!(bad(true), counts);
}
