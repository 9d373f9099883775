//! The engine over a stub: its ticks back to back on a time of their own, and what they cost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sloburn::clock::Clock;
use sloburn::definitions::{self, Options};
use sloburn::domain::measurement::Outcome;
use sloburn::domain::slo::{Catalog, SourceName};
use sloburn::domain::time::Timestamp;
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::source::prometheus::{PrometheusSettings, PrometheusSource};
use sloburn::status::board::Board;
use sloburn::store::sqlite::SqliteStore;
use tokio::sync::Notify;

use super::stub::{Served, Stub};
use super::world::{FAMILIES, SCRAPE, START, Size};

/// The policy that Sloburn ships.
const POLICY: &str = include_str!("../../alerts/default.yaml");

const RECEIVER: &str = "---
apiVersion: sloburn.dev/v1
kind: Receiver
metadata: {name: team}
spec: {webhook: {url: \"http://team.example\"}}
---
apiVersion: sloburn.dev/v1
kind: Routing
metadata: {name: main}
spec: {default: team}
";

/// A daemon without its loops: each tick is called for.
pub(crate) struct Daemon {
    engine: Engine<PrometheusSource, SqliteStore>,
    board: Arc<Board>,
    size: Size,
    stub: Stub,
    /// The newest tick.
    at: Timestamp,
    /// How long its start took, definitions included.
    pub(crate) started_in: Duration,
}

/// What one tick took and brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    /// From its first query to its commit on disk.
    pub(crate) took: Duration,
    /// What was asked and served.
    pub(crate) queries: u64,
    pub(crate) bytes: u64,
}

impl Daemon {
    pub(crate) async fn start(size: Size, folder: &Path) -> Self {
        let stub = Stub::start(size).unwrap();
        let started = Instant::now();
        let name = SourceName::new("default");
        let catalog = Arc::new(catalog(size));
        let source = PrometheusSettings::new(name.clone(), stub.url());
        let opened = SqliteStore::open(&folder.join("sloburn.db"), START).await;
        let board = Arc::new(Board::new(START));
        let parts = Parts {
            sources: BTreeMap::from([(
                name.clone(),
                Arc::new(PrometheusSource::new(source).unwrap()),
            )]),
            store: Arc::new(opened.unwrap().store),
            clock: Clock::simulated(START.to_jiff()),
            board: Arc::clone(&board),
            wake: Arc::new(Notify::new()),
        };
        let settings = Settings {
            tick: SCRAPE,
            slot: SCRAPE,
            sources: BTreeMap::from([(name, SourceSettings::default())]),
            external_url: Some("https://sloburn.example".to_owned()),
            ..Settings::default()
        };
        let engine = Engine::start(settings, catalog, parts).await.unwrap();
        Self {
            engine,
            board,
            size,
            stub,
            at: START,
            started_in: started.elapsed(),
        }
    }

    /// The next tick.
    pub(crate) async fn tick(&mut self) -> Tick {
        let before = self.served().await;
        self.at = self.at + SCRAPE;
        let started = Instant::now();
        self.engine.tick(self.at).await;
        let took = started.elapsed();
        let after = self.served().await;
        Tick {
            took,
            queries: after.queries - before.queries,
            bytes: after.bytes - before.bytes,
        }
    }

    pub(crate) async fn served(&self) -> Served {
        self.stub.served().await
    }

    /// Whether the ledger of every instance holds exactly what the stub has served.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let snapshot = self.board.read().snapshot;
        let (first, last) = self.served().await.scrapes.ok_or("nothing was served")?;
        if snapshot.slos.len() != self.size.instances {
            return Err(format!("{} instances are shown", snapshot.slos.len()));
        }
        if let Some(error) = &snapshot.engine.store_error {
            return Err(error.clone());
        }
        for status in &snapshot.slos {
            let id = status.id.as_str();
            let instance = instance(id).ok_or_else(|| format!("what is `{id}`?"))?;
            let (mut bad, mut total) = (0, 0);
            for series in self.size.of_instance(instance) {
                let events = self.size.value(series, last) - self.size.value(series, first);
                total += events;
                bad += if self.size.is_bad(series) { events } else { 0 };
            }
            #[expect(clippy::cast_precision_loss, reason = "they are far below 2^53")]
            let truth = (bad as f64, total as f64);
            let counts = status.window.counts;
            if (counts.bad, counts.total) != truth
                || status.measurement.outcome != Outcome::Measured
            {
                return Err(format!(
                    "{id} has {counts:?} ({:?}), and {truth:?} were served",
                    status.measurement
                ));
            }
        }
        Ok(())
    }
}

/// Position of the instance with this id, `service-0012/family-3`.
fn instance(id: &str) -> Option<usize> {
    let (service, family) = id.strip_prefix("service-")?.split_once("/family-")?;
    Some(service.parse::<usize>().ok()? * FAMILIES + family.parse::<usize>().ok()?)
}

fn catalog(size: Size) -> Catalog {
    let files = [
        ("default.yaml", POLICY.to_owned()),
        ("team.yaml", RECEIVER.to_owned()),
        ("services.yaml", size.definitions()),
    ];
    let files = files.map(|(name, text)| (PathBuf::from(name), text));
    let (catalog, diagnostics) = definitions::read(&files, &Options::default());
    catalog.unwrap_or_else(|| panic!("{diagnostics:?}"))
}
