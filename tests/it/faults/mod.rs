//! Each fault that a source may have, by its row in docs/faults.md: what is shown, that no alert changes by it,
//! what is told, how often the source is asked, and that nothing is lost when it is over.

mod answers;
mod calendars;
mod clocks;
mod connections;
mod files;
mod groups;
mod pace;
mod paused;
mod phases;
mod samples;
mod stores;
mod tls;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use regex::Regex;
use sloburn::alerting::text::{self, Message};
use sloburn::clock::Clock;
use sloburn::definitions::{self, Options};
use sloburn::domain::measurement::Outcome;
use sloburn::domain::slo::SourceName;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::engine::settings::{Partial, Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::source::prometheus::{PrometheusSettings, PrometheusSource};
use sloburn::status::board::Board;
use sloburn::status::snapshot::SloStatus;
use sloburn::store::memory::MemoryStore;
use sloburn::store::{Attempt, OutboxRow, Store as _};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::support::lying_prometheus::{Lie, LyingPrometheus};
use crate::support::shop::{DEFINITIONS, POLICY};

const SECOND: Span = Span::from_secs(1);
/// Long enough for the page of a service that fails every second request.
const WARM_UP: i64 = 40;
/// Longer than the grace before it is told that nothing can be measured.
const TICKS: i64 = 6;
/// Each tick reads the counters, and when their processes began.
const READS: usize = 12;
/// Long, since a busy machine of two cores may build something beside the tests.
const PATIENCE: Duration = Duration::from_mins(1);

const RECEIVER: &str = r#"
apiVersion: sloburn.dev/v1
kind: Receiver
metadata: {name: team}
spec: {webhook: {url: "http://team.example"}}
---
apiVersion: sloburn.dev/v1
kind: Routing
metadata: {name: main}
spec: {default: team}
"#;

/// How a daemon under test is set up.
struct Setup {
    source: Box<dyn Fn(PrometheusSettings) -> PrometheusSettings>,
    partial: Partial,
    definitions: String,
    clock: Clock,
    tick: Span,
    slot: Span,
}

impl Default for Setup {
    fn default() -> Self {
        Self::with(|settings| settings)
    }
}

impl Setup {
    fn with(source: impl Fn(PrometheusSettings) -> PrometheusSettings + 'static) -> Self {
        Self {
            source: Box::new(source),
            partial: Partial::Hold,
            definitions: DEFINITIONS.to_owned(),
            clock: Clock::System,
            tick: SECOND,
            slot: SECOND,
        }
    }

    fn defining(definitions: impl Into<String>) -> Self {
        Self {
            definitions: definitions.into(),
            ..Self::default()
        }
    }
}

/// The engine over a real connection, on times of its own: a tick comes when the test says so.
struct Scene {
    prometheus: LyingPrometheus,
    engine: Engine<PrometheusSource, MemoryStore>,
    store: Arc<MemoryStore>,
    board: Arc<Board>,
    tick: Span,
    at: Timestamp,
}

impl Scene {
    async fn start(setup: Setup) -> Self {
        let prometheus = LyingPrometheus::start().await.expect("a free port");
        let url = prometheus.url();
        Self::over(prometheus, &url, setup).await
    }

    async fn over(prometheus: LyingPrometheus, url: &str, setup: Setup) -> Self {
        let name = SourceName::new("default");
        let settings = PrometheusSettings {
            max_body_bytes: 1 << 20,
            clock: setup.clock.clone(),
            ..PrometheusSettings::new(name.clone(), url)
        };
        let source = PrometheusSource::new((setup.source)(settings)).expect("settings that work");
        let reading = SourceSettings {
            offset: Span::ZERO,
            settle: Span::from_secs(10),
            scrape_interval: Some(SECOND),
            partial: setup.partial,
            // What lies here cannot sum anything up.
            push_down_above: usize::MAX,
            ..SourceSettings::default()
        };
        let settings = Settings {
            tick: setup.tick,
            slot: setup.slot,
            sources: BTreeMap::from([(name.clone(), reading)]),
            ..Settings::default()
        };
        let options = Options {
            tick: setup.tick,
            scrape: SECOND,
            ..Options::default()
        };
        let files = [setup.definitions.as_str(), POLICY, RECEIVER].join("---\n");
        let files = [(PathBuf::from("shop.yaml"), files)];
        let (catalog, faults) = definitions::read(&files, &options);
        let catalog = catalog.unwrap_or_else(|| panic!("{}", faults.render_lines()));
        let at = prometheus.born().ceil_to(setup.tick);
        let store = Arc::new(MemoryStore::default());
        let board = Arc::new(Board::new(at));
        let parts = Parts {
            sources: BTreeMap::from([(name, Arc::new(source))]),
            store: Arc::clone(&store),
            clock: setup.clock,
            board: Arc::clone(&board),
            wake: Arc::new(Notify::new()),
        };
        let engine = Engine::start(settings, Arc::new(catalog), parts);
        Self {
            prometheus,
            engine: engine.await.expect("an engine"),
            store,
            board,
            tick: setup.tick,
            at,
        }
    }

    async fn ticks(&mut self, ticks: i64) -> Arc<SloStatus> {
        for _ in 0..ticks {
            self.at = self.at + self.tick;
            self.engine.tick(self.at).await;
        }
        Arc::clone(&self.shown()[0])
    }

    /// All instances as the last tick left them.
    fn shown(&self) -> Vec<Arc<SloStatus>> {
        self.board.read().snapshot.slos.clone()
    }

    /// Ticks until something was measured, however long the source is left alone.
    async fn until_measured(&mut self) -> Arc<SloStatus> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.ticks(1).await;
            if status.measurement.outcome == Outcome::Measured {
                return status;
            }
            let reason = status.measurement.reason.as_deref();
            assert!(Instant::now() < deadline, "never measured: {reason:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn titles(&self) -> Vec<String> {
        titles(&self.store, self.at).await
    }

    /// All messages that wait, in order.
    async fn messages(&self) -> Vec<Message> {
        messages(&self.store, self.at).await
    }

    /// Delivers all messages that wait, so that the next of each incident do, and gives their titles.
    async fn deliver(&self) -> Vec<String> {
        let titles = self.titles().await;
        deliver(&self.store, self.at).await;
        titles
    }

    /// How many seconds the service has lived through.
    fn second(&self) -> i64 {
        self.at.since(self.prometheus.born()).as_millis() / 1_000
    }

    /// A sentence without the server's port.
    fn plain(&self, sentence: &str) -> String {
        sentence.replace(&self.prometheus.url(), "http://prom:9090")
    }
}

/// Delivers all messages that wait.
async fn deliver(store: &MemoryStore, at: Timestamp) {
    let until = Timestamp::from_millis(i64::MAX);
    for row in store.due(until).await.expect("a store") {
        let accepted = Attempt::Accepted {
            at,
            memory: None,
            done: true,
        };
        let recorded = store.record(&row.key, &accepted).await;
        recorded.expect("a store");
    }
}

/// All messages that wait, in order.
async fn messages(store: &MemoryStore, at: Timestamp) -> Vec<Message> {
    let until = Timestamp::from_millis(i64::MAX);
    let mut rows = store.due(until).await.expect("a store");
    rows.sort_by_key(|row| row.notice.at);
    let message = |row: &OutboxRow| text::message(&row.notice, &TimeZone::UTC, at);
    rows.iter().map(message).collect()
}

/// Their titles, without times.
async fn titles(store: &MemoryStore, at: Timestamp) -> Vec<String> {
    let messages = messages(store, at).await.into_iter();
    messages.map(|it| timeless(&it.title)).collect()
}

/// A sentence without times.
fn timeless(sentence: &str) -> String {
    let times = Regex::new(r"(\d{4}-\d\d-\d\dT)?\d\d:\d\d(:\d\d)?Z?").expect("a pattern");
    times.replace_all(sentence, "TIME").into_owned()
}

/// What is shown and told of a fault that comes while a page is open.
struct Shown {
    outcome: &'static str,
    reason: String,
    told: String,
    asked: usize,
}

/// Has the engine page, lies to it for some ticks, and tells the truth again. The page must stay as it is, and
/// nothing may be lost.
async fn live_through(setup: Setup, lie: Lie) -> Shown {
    let mut scene = Scene::start(setup).await;
    let before = scene.ticks(WARM_UP).await;
    let incident = before.incident.clone().expect("a page");
    scene.prometheus.tell(lie).await;
    let during = scene.ticks(TICKS).await;
    let open = during.incident.as_ref().map(|it| (&it.id, it.severity));
    assert_eq!(open, Some((&incident.id, incident.severity)), "{lie:?}");
    let told = scene.titles().await.split_off(1).join("; ");
    let asked = scene.prometheus.asked(lie).len();

    scene.prometheus.tell(Lie::Truth).await;
    let after = scene.until_measured().await;
    let open = after.incident.as_ref().map(|it| &it.id);
    assert_eq!(open, Some(&incident.id), "{lie:?}");
    let counted = (after.window.counts.bad, after.window.counts.total);
    assert_eq!(counted, scene.prometheus.truth(scene.at), "{lie:?}");
    Shown {
        outcome: during.measurement.outcome.name(),
        reason: scene.plain(during.measurement.reason.as_deref().unwrap_or_default()),
        told,
        asked,
    }
}

impl Shown {
    /// All but the number of requests.
    fn words(&self) -> String {
        format!("{}: {}\ntold: {}", self.outcome, self.reason, self.told)
    }
}
