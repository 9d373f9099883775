//! Every shipped definition, evaluated by the engine over what the exporters really expose.

mod exposed;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sloburn::clock::Clock;
use sloburn::definitions::{self, Options};
use sloburn::domain::indicator::{Events, Indicator};
use sloburn::domain::measurement::Outcome;
use sloburn::domain::slices::Judge;
use sloburn::domain::slo::{Catalog, SourceName};
use sloburn::domain::time::{Span, Timestamp};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::status::board::Board;
use sloburn::status::snapshot::SloStatus;
use sloburn::store::memory::MemoryStore;
use tokio::sync::Notify;

use self::exposed::EXPOSED;
use self::world::World;

const TICK: Span = Span::from_secs(30);

/// Long enough that the longest slice has passed before the first tick that is looked at.
const WARM_UP: i64 = 10;

#[tokio::test]
async fn every_objective_is_measured_and_all_four_signals_are_in_use() {
    let mut signals = BTreeSet::new();
    let mut files = 0;
    for (path, text) in shipped() {
        let catalog = catalog(&path, text);
        assert!(
            !catalog.slos.is_empty(),
            "{} defines nothing",
            path.display()
        );
        signals.extend(catalog.slos.values().map(|slo| slo.signal().name()));
        assert_eq!(
            faults(catalog, 20).await,
            Vec::<String>::new(),
            "{}",
            path.display()
        );
        files += 1;
    }
    assert!(
        files >= 16,
        "a web service, a worker, a database, a workload on Kubernetes, and twelve examples"
    );
    assert_eq!(
        signals,
        BTreeSet::from(["errors", "latency", "saturation", "traffic"])
    );
}

/// The test before is worth nothing if it would not see a slip: each name in turn is spoiled.
#[tokio::test]
async fn a_metric_that_no_exporter_exposes_is_noticed() {
    let mut spoiled = 0;
    for (path, text) in shipped() {
        for metric in EXPOSED.iter().map(|exposed| exposed.metric) {
            let slip = text.replace(&format!("{metric}{{"), &format!("x_{metric}{{"));
            if slip == text {
                continue;
            }
            let faults = faults(catalog(&path, slip), 1).await;
            assert!(
                !faults.is_empty(),
                "{}: `x_{metric}` was taken for a metric",
                path.display()
            );
            spoiled += 1;
        }
    }
    assert!(spoiled >= 20, "only {spoiled} names were spoiled");
}

/// The files of `slo-definitions/` and of the examples in the documentation, and what they say.
fn shipped() -> Vec<(PathBuf, String)> {
    let folders = ["slo-definitions", "docs/examples"]
        .into_iter()
        .flat_map(|folder| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            fs::read_dir(folder).expect("the definitions are shipped")
        });
    let files = folders.map(|entry| entry.expect("a readable folder").path());
    let is_yaml = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "yaml");
    let mut files: Vec<PathBuf> = files.filter(is_yaml).collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable file");
        (path, text)
    };
    files.into_iter().map(read).collect()
}

/// One file of definitions together with the shipped policies, receivers and routes.
fn catalog(path: &Path, text: String) -> Catalog {
    let alerts = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts");
    let options = Options {
        tick: TICK,
        ..Options::default()
    };
    let mut sources = definitions::load(&[alerts], &options).sources;
    sources.push((path.to_owned(), text));
    let (catalog, diagnostics) = definitions::read(&sources, &options);
    assert!(diagnostics.is_empty(), "{}", diagnostics.render_lines());
    catalog.expect("a catalog without faults")
}

/// What is not as it should be at any of so many ticks.
async fn faults(catalog: Catalog, ticks: i64) -> Vec<String> {
    let catalog = Arc::new(catalog);
    let first = Timestamp::from_millis(1_900_000_000_000).floor_to(TICK);
    let (board, clock) = (
        Arc::new(Board::new(first)),
        Clock::simulated(first.to_jiff()),
    );
    let source = SourceName::new("default");
    let settings = Settings {
        tick: TICK,
        slot: TICK,
        sources: BTreeMap::from([(source.clone(), SourceSettings::default())]),
        ..Settings::default()
    };
    let parts = Parts {
        sources: BTreeMap::from([(source, Arc::new(World::new(first)))]),
        store: Arc::new(MemoryStore::default()),
        clock,
        board: Arc::clone(&board),
        wake: Arc::new(Notify::new()),
    };
    let mut engine = Engine::start(settings, Arc::clone(&catalog), parts)
        .await
        .expect("an engine");
    let mut faults = BTreeSet::new();
    let defined: BTreeSet<_> = catalog.slos.keys().cloned().collect();
    for number in 0..WARM_UP + ticks {
        let at = first + Span::from_millis(number * TICK.as_millis());
        engine.tick(at).await;
        if number >= WARM_UP {
            faults.extend(
                board
                    .read()
                    .snapshot
                    .slos
                    .iter()
                    .filter_map(|slo| fault(slo)),
            );
            let read = board.read();
            let shown: BTreeSet<_> = read.snapshot.slos.iter().map(|it| &it.slo.uid).collect();
            let without = defined.iter().filter(|uid| !shown.contains(uid));
            faults.extend(without.map(|uid| format!("{uid} has no instance")));
        }
    }
    faults.into_iter().collect()
}

fn fault(status: &SloStatus) -> Option<String> {
    let (id, measurement) = (&status.id, &status.measurement);
    if measurement.outcome != Outcome::Measured {
        return Some(format!(
            "{id} is {}: {:?}",
            measurement.outcome.name(),
            measurement.reason
        ));
    }
    if status.window.counts.total <= 0.0 {
        return Some(format!("{id} has counted nothing"));
    }
    // What is told to take missing samples as bad finds nothing good in a metric that does not exist.
    if status.window.counts.bad >= status.window.counts.total {
        return Some(format!("{id} has counted nothing good"));
    }
    // Of slices only those that are joined with a limit have two sides, and probes have one.
    let two_sided = match &status.slo.indicator {
        Indicator::Errors(Events::Probe(_)) => false,
        Indicator::Slices(sliced) => matches!(sliced.judge, Judge::Share { .. }),
        Indicator::Errors(_) | Indicator::Latency(_) | Indicator::Query { .. } => true,
    };
    (two_sided && !status.bad_series_ever_seen)
        .then(|| format!("{id} has never seen a series of what is bad or good, or of its limit"))
}
