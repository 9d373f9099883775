//! A small world of counters and gauges in closed form, and an engine that looks at it tick by tick.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::domain::decimal::Fraction;
use crate::domain::group::Group;
use crate::domain::incident::Change;
use crate::domain::indicator::{Aggregate, Events, Indicator, Split};
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::notice::Facts;
use crate::domain::policy::{AlertPolicy, Hold, Severity, Tier, TierLimit, Unmeasured};
use crate::domain::punctuality::PassedOver;
use crate::domain::quantity::TimeUnit;
use crate::domain::route::Routing;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::slices::{BadWhen, Gauge, Grouped, Judge};
use crate::domain::slo::{Catalog, Slo, SloId, SourceName, Window};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::engine::intake::{Read, Reading};
use crate::engine::settings::{Settings, SourceSettings};
use crate::engine::state::State;
use crate::engine::step::{Input, Tick, step, take_past};
use crate::engine::walks::tests::cut;
use crate::ledger::chunk::{Chunk, ChunkKey};
use crate::series::batch::{Batch, Fetch, Sample};
use crate::series::plan::Plan;
use crate::source::Source;
use crate::source::error::SourceError;
use crate::status::snapshot::{SloStatus, Snapshot};
use crate::store::commit::{Commit, LaneKey, Recovered};

/// What a series shows at a second, as it is read up to another.
pub(in crate::engine) type Value = Box<dyn Fn(i64, i64) -> Option<f64>>;

/// Series in closed form, scraped every `scrape` seconds.
pub(in crate::engine) struct World {
    pub(in crate::engine) scrape: i64,
    pub(in crate::engine) series: Vec<(Labels, Value)>,
}

impl World {
    pub(in crate::engine) fn new(scrape: i64) -> Self {
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
    pub(in crate::engine) fn with_read(
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

pub(in crate::engine) fn at(second: i64) -> Timestamp {
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

/// A gauge whose series are one group.
pub(in crate::engine) fn alone(metric: &str) -> Grouped {
    Grouped {
        gauge: Gauge {
            series: selector(metric),
            aggregate: Aggregate::Max,
        },
        by: None,
    }
}

/// Whether something was done within the last 400 seconds.
pub(in crate::engine) fn fresh() -> Judge {
    Judge::Age {
        timestamp: alone("done"),
        unit: TimeUnit::Seconds,
        at_most: "400".parse().unwrap(),
        bad_when: BadWhen::ANY,
    }
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
    /// For the sake of the next tick.
    pub(in crate::engine) passed_over: PassedOver,
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
        ..Settings::default()
    }
}

impl Run {
    /// How long each tick took.
    pub(in crate::engine) const TOOK: Span = Span::from_secs(42);

    pub(in crate::engine) fn new(catalog: Catalog) -> Self {
        let plan = Arc::new(Plan::of(&catalog, TICK).unwrap());
        let state = State::new(settings(), &plan, Recovered::default());
        Self {
            catalog,
            state,
            kept: Commit::default(),
            told: Vec::new(),
            last: None,
            passed_over: PassedOver::default(),
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
                let read = |wanted: crate::engine::reads::Wanted| {
                    let (_, fetch, range) = self.state.fetch(wanted);
                    let batch = world.read(fetch, range);
                    Read {
                        wanted,
                        reading: fault(second).unwrap_or(Reading::Complete(batch)),
                    }
                };
                let input = Input {
                    reads: wanted.into_iter().map(read).collect(),
                    passed_over: self.passed_over,
                    took: Self::TOOK,
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
                        Facts::PassedOver(_) => "ticks ",
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
                    self.passed_over = PassedOver::default();
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
pub(in crate::engine) fn recovered(kept: Commit) -> Recovered {
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
