//! How long it takes to know the past: `cargo bench --bench backfill -- [--slos N] [--days N]`.
//!
//! A Prometheus is filled once, by remote write in the order of time, and kept below `target/`. Then one evaluation
//! reads the windows of all objectives, and every slot of them is compared with what was written.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark prints real time, and fails where it fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sloburn::clock::Clock;
use sloburn::domain::group::Group;
use sloburn::domain::indicator::{Events, Indicator, Split};
use sloburn::domain::labels::Labels;
use sloburn::domain::selector::{MatchOp, Matcher, Selector};
use sloburn::domain::slo::{Catalog, Slo, SloId, SourceName, Window};
use sloburn::domain::slot::Counts;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::source::prometheus::{PrometheusSettings, PrometheusSource};
use sloburn::status::board::Board;
use sloburn::store::Store as _;
use sloburn::store::memory::MemoryStore;
use tokio::sync::Notify;

use support::Server;

#[expect(dead_code, reason = "tests write the ends of series, too")]
#[path = "../tests/it/support/remote_write.rs"]
mod remote_write;
mod support;

/// The distance of scrapes, in seconds.
const SCRAPE: i64 = 30;
/// Series of each objective: five instances with two codes each.
const INSTANCES: i64 = 5;
const HOUR: i64 = 3_600;

struct Arguments {
    slos: i64,
    days: i64,
    rounds: usize,
}

impl Arguments {
    fn read() -> Self {
        let given: Vec<String> = std::env::args().collect();
        let number = |name: &str, default: i64| {
            let place = given.iter().position(|it| it == name);
            place.map_or(default, |place| given[place + 1].parse().unwrap())
        };
        Self {
            slos: number("--slos", 100),
            days: number("--days", 30),
            rounds: usize::try_from(number("--rounds", 3)).unwrap(),
        }
    }

    /// Where the filled Prometheus is kept.
    fn folder(&self) -> PathBuf {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        target.join(format!("bench-backfill-{}x{}d", self.slos, self.days))
    }
}

/// What the counter of a code shows `scrapes` after the beginning: whole numbers, and a reset every 1,000 scrapes.
fn value(slo: i64, instance: i64, code: &str, scrapes: i64) -> i64 {
    let since = scrapes % 1_000;
    match code {
        "500" => since / (7 + slo % 5 + instance),
        _ => since * (1 + slo % 9 + instance),
    }
}

/// What one scrape adds to the one before.
fn gain(slo: i64, instance: i64, code: &str, scrapes: i64) -> i64 {
    let now = value(slo, instance, code, scrapes);
    let before = value(slo, instance, code, scrapes - 1);
    if now >= before { now - before } else { now }
}

fn name(slo: i64) -> String {
    format!("svc-{slo:03}")
}

async fn fill(url: &str, arguments: &Arguments, begin: i64, end: i64) {
    let mut from = begin;
    while from < end {
        let to = (from + 6 * HOUR).min(end);
        let mut series = Vec::new();
        for slo in 0..arguments.slos {
            for instance in 0..INSTANCES {
                for code in ["200", "500"] {
                    let labels: Labels = [
                        ("__name__", "http_requests_total".to_owned()),
                        ("job", "bench".to_owned()),
                        ("service", name(slo)),
                        ("instance", format!("{}-{instance}", name(slo))),
                        ("code", code.to_owned()),
                    ]
                    .into_iter()
                    .collect();
                    let seconds = (from..to).step_by(usize::try_from(SCRAPE).unwrap());
                    let sample = |second: i64| {
                        let scrapes = (second - begin) / SCRAPE;
                        (second * 1_000, value(slo, instance, code, scrapes) as f64)
                    };
                    series.push((labels, seconds.map(sample).collect()));
                }
            }
        }
        remote_write::write(url, &series).await.unwrap();
        from = to;
    }
}

fn catalog(arguments: &Arguments) -> Catalog {
    let slo = |slo: i64| {
        let matcher = |label: &str, op, value: String| Matcher {
            label: label.to_owned(),
            op,
            value,
        };
        let job = matcher("job", MatchOp::Equal, "bench".to_owned());
        let service = matcher("service", MatchOp::Equal, name(slo));
        let total = Selector::new("http_requests_total", vec![job, service]);
        let failed = matcher("code", MatchOp::Matches, "5..".to_owned());
        let uid = SloId::new(format!("{}/availability", name(slo)));
        let slo = Slo {
            uid: uid.clone(),
            id: uid.clone(),
            counted_as: uid.clone(),
            group: Group::default(),
            grouping: None,
            service: name(slo),
            name: "availability".to_owned(),
            target: None,
            labels: BTreeMap::new(),
            description: None,
            owner: None,
            runbook: None,
            source: SourceName::new("default"),
            objective: "99.9%".parse().unwrap(),
            window: Window::Rolling(Span::from_days(arguments.days)),
            indicator: Indicator::Errors(Events::OfTotal {
                split: Split::Bad(vec![total.refined([failed])]),
                total: vec![total],
            }),
            policy: None,
        };
        (uid, Arc::new(slo))
    };
    Catalog {
        slos: (0..arguments.slos).map(slo).collect(),
        ..Catalog::default()
    }
}

/// Evaluates once; returns what the store was given.
async fn evaluate(url: &str, arguments: &Arguments, at: Timestamp) -> MemoryStore {
    let name = SourceName::new("default");
    let source = PrometheusSource::new(PrometheusSettings::new(name.clone(), url)).unwrap();
    let store = Arc::new(MemoryStore::default());
    let parts = Parts {
        sources: BTreeMap::from([(name.clone(), Arc::new(source))]),
        store: Arc::clone(&store),
        clock: Clock::System,
        board: Arc::new(Board::new(at)),
        wake: Arc::new(Notify::new()),
    };
    let settings = Settings {
        tick: Span::from_secs(SCRAPE),
        slot: Span::from_secs(SCRAPE),
        sources: BTreeMap::from([(name, SourceSettings::default())]),
        ..Settings::default()
    };
    let mut engine = Engine::start(settings, Arc::new(catalog(arguments)), parts)
        .await
        .unwrap();
    engine.evaluate(at, |_, _| {}).await.unwrap();
    store.survivors()
}

/// Compares every slot with what was written; returns how many there were.
async fn compare(store: &MemoryStore, arguments: &Arguments, begin: i64) -> usize {
    let mut slots: BTreeMap<(String, i64), Counts> = BTreeMap::new();
    for ((lane, _), chunk) in store.recover(Timestamp::EARLIEST).await.unwrap().chunks {
        for (end, slot) in chunk.slots() {
            slots.insert(
                (lane.meter.slo.to_string(), end.as_millis() / 1_000),
                slot.counts,
            );
        }
    }
    let mut compared = 0;
    for slo in 0..arguments.slos {
        let uid = format!("{}/availability", name(slo));
        let own = slots.range((uid.clone(), i64::MIN)..=(uid.clone(), i64::MAX));
        let mut before: Option<i64> = None;
        for ((_, end), counts) in own {
            if let Some(start) = before {
                let mut expected = (0, 0);
                for scrapes in (start - begin) / SCRAPE + 1..=(end - begin) / SCRAPE {
                    for instance in 0..INSTANCES {
                        let bad = gain(slo, instance, "500", scrapes);
                        expected.0 += bad;
                        expected.1 += bad + gain(slo, instance, "200", scrapes);
                    }
                }
                let expected = Counts {
                    bad: expected.0 as f64,
                    total: expected.1 as f64,
                };
                assert!(
                    *counts == expected,
                    "{uid} up to {end}: {counts:?}, not {expected:?}"
                );
                compared += 1;
            }
            before = Some(*end);
        }
    }
    compared
}

/// The CPU seconds that this process has used.
fn own_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::read();
    let folder = arguments.folder();
    let marker = folder.join("filled");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.yml"), "global: {}\n").unwrap();
    let server = Server::start(&folder).await;
    if !marker.exists() {
        let end = Clock::System.now().as_second() / 300 * 300;
        let begin = end - arguments.days * 24 * HOUR - 12 * HOUR;
        let started = Instant::now();
        fill(&server.url(), &arguments, begin, end).await;
        fs::write(&marker, format!("{begin} {end}")).unwrap();
        println!("filled in {:.0} s", started.elapsed().as_secs_f64());
    }
    let times = fs::read_to_string(&marker).unwrap();
    let (begin, end) = times.split_once(' ').unwrap();
    let (begin, end): (i64, i64) = (begin.parse().unwrap(), end.parse().unwrap());
    let at = Timestamp::from_millis((end - 60) * 1_000);
    println!(
        "{} objectives x {} series x {} d at {SCRAPE} s",
        arguments.slos,
        2 * INSTANCES,
        arguments.days
    );
    for round in 1..=arguments.rounds {
        let (started, own) = (Instant::now(), own_cpu());
        let theirs = server.metric("process_cpu_seconds_total").await;
        let store = evaluate(&server.url(), &arguments, at).await;
        let took = started.elapsed().as_secs_f64();
        let theirs = server.metric("process_cpu_seconds_total").await - theirs;
        let own = own_cpu() - own;
        let slots = compare(&store, &arguments, begin).await;
        assert!(slots > 0, "nothing was counted");
        println!(
            "round {round}: {took:.1} s, {theirs:.2} CPU s of Prometheus, {own:.2} of Sloburn; {slots} slots equal"
        );
    }
}
