//! What a source sums up comes to the same slots as what is fetched from it: asked of a real Prometheus.

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use sloburn::clock::Clock;
use sloburn::definitions::{self, Options};
use sloburn::domain::slo::{Catalog, SourceName};
use sloburn::domain::slot::Slot;
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::source::prometheus::PrometheusSource;
use sloburn::status::board::Board;
use sloburn::status::snapshot::Snapshot;
use sloburn::store::memory::MemoryStore;
use tokio::sync::Notify;

use crate::support::past::{Past, recent, scraped};
use crate::support::remote_write::Written;

const TICK: i64 = 30_000;
const HOUR: i64 = 3_600_000;

const DEFINITIONS: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: api}
spec:
  window: 1d
  alertPolicy: none
  objectives:
    - name: availability
      objective: 99%
      errors: {total: 'http_requests_total{job="api",code!~"4.."}', badWhere: 'code=~"5.."'}
    - name: writes
      objective: 99%
      errors: {total: 'http_requests_total{job="api"}', bad: 'http_requests_total{job="api",code="201"}'}
    - name: routes
      errors: {total: 'http_requests_total{job="api"}', badWhere: 'code=~"5.."'}
      targets:
        - {name: slo, objective: 99%, overrides: [{where: 'route="/list"', objective: 95%}]}
        - {name: sla, objective: 90%, window: 2d}
      groupBy: [route]
      alsoWhole: true
      expect: {route: [/list, /never]}
"#;

/// What each instance holds in each slot.
type Slots = BTreeMap<(String, Timestamp), Slot>;

/// How one engine fares.
struct Daemon<'p> {
    engine: Engine<PrometheusSource, MemoryStore>,
    board: Arc<Board>,
    store: Arc<MemoryStore>,
    past: &'p Past,
    settings: SourceSettings,
    body: usize,
}

impl<'p> Daemon<'p> {
    async fn start(
        past: &'p Past,
        settings: SourceSettings,
        body: usize,
        store: MemoryStore,
    ) -> Self {
        let name = SourceName::new("default");
        let (board, store) = (
            Arc::new(Board::new(Timestamp::from_millis(0))),
            Arc::new(store),
        );
        let source = Arc::new(past.source_with(|it| it.max_body_bytes = body));
        let parts = Parts {
            sources: BTreeMap::from([(name.clone(), source)]),
            store: Arc::clone(&store),
            clock: Clock::System,
            board: Arc::clone(&board),
            wake: Arc::new(Notify::new()),
        };
        let all = Settings {
            tick: Span::from_millis(TICK),
            slot: Span::from_millis(TICK),
            sources: BTreeMap::from([(name, settings.clone())]),
            ..Settings::default()
        };
        Self {
            engine: Engine::start(all, catalog(), parts).await.unwrap(),
            board,
            store,
            past,
            settings,
            body,
        }
    }

    /// What a kill −9 leaves.
    async fn restart(self) -> Self {
        let store = self.store.survivors();
        Self::start(self.past, self.settings, self.body, store).await
    }

    async fn ticks(&mut self, from: i64, to: i64) {
        let mut at = from;
        while at <= to {
            self.engine.tick(Timestamp::from_millis(at)).await;
            at += TICK;
        }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.board.read().snapshot
    }

    fn slots(&self, range: TimeRange) -> Slots {
        let snapshot = self.snapshot();
        let slots = snapshot.slos.iter().flat_map(|slo| {
            let slots: Vec<_> = slo.ledger.slots(range).collect();
            let slots = slots.into_iter();
            slots.map(|(end, slot)| ((slo.id.clone(), end), slot))
        });
        slots.collect()
    }

    /// The instances that there are, in order.
    fn ids(&self) -> Vec<String> {
        let snapshot = self.snapshot();
        snapshot.slos.iter().map(|slo| slo.id.clone()).collect()
    }

    fn summed(&self) -> Vec<(String, u64)> {
        let source = &self.snapshot().sources[0];
        let summed = source.summed.iter();
        summed.map(|it| (it.metric.clone(), it.series)).collect()
    }
}

fn catalog() -> Arc<Catalog> {
    let texts = [(PathBuf::from("api.yaml"), DEFINITIONS.to_owned())];
    let (catalog, diagnostics) = definitions::read(&texts, &Options::default());
    Arc::new(catalog.unwrap_or_else(|| panic!("{diagnostics:?}")))
}

fn settings(push_down_above: usize) -> SourceSettings {
    SourceSettings {
        push_down_above,
        backfill_percent: 0,
        ..SourceSettings::default()
    }
}

/// Where two ledgers differ: in events, or in covered time by more than what one step may hide.
fn differences(one: &Slots, other: &Slots) -> String {
    let mut text = String::new();
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    for key in keys {
        let (one, other) = (
            one.get(key).copied().unwrap_or_default(),
            other.get(key).copied().unwrap_or_default(),
        );
        let apart = (one.covered.as_millis() - other.covered.as_millis()).abs();
        if one.counts != other.counts || one.reconstructed != other.reconstructed || apart > 15_000
        {
            writeln!(text, "{key:?}: {one:?} and {other:?}").unwrap();
        }
    }
    text
}

async fn hold_sums_against_samples(past_of: impl AsyncFnOnce(Vec<Written>) -> Option<Past>) {
    let end = recent(300) * 1_000;
    let begin = end - 3 * HOUR;
    let (written, happened) = world::made(7, begin - HOUR, end);
    let least = [happened.resets, happened.births, happened.gaps];
    assert!(least.iter().all(|count| *count >= 20), "{happened:?}");
    assert!(happened.new_routes >= 5, "{happened:?}");
    let Some(past) = past_of(written).await else {
        return;
    };

    let body = 128 << 20;
    let start = |above| Daemon::start(&past, settings(above), body, MemoryStore::default());
    let (mut fetched, mut summed) = (start(usize::MAX).await, start(10).await);
    let middle = begin + HOUR;
    for daemon in [&mut fetched, &mut summed] {
        daemon.ticks(begin, middle).await;
    }
    assert_eq!(fetched.summed(), []);
    assert_eq!(summed.summed()[0].0, "http_requests_total");
    let mut summed = summed.restart().await;
    for daemon in [&mut fetched, &mut summed] {
        daemon.ticks(middle + TICK, end).await;
    }
    assert_eq!(summed.summed().len(), 1, "a restart goes on with sums");
    let range = TimeRange {
        from: Timestamp::from_millis(begin - HOUR),
        to: Timestamp::from_millis(end - 300_000),
    };
    let (one, other) = (fetched.slots(range), summed.slots(range));
    assert!(one.len() > 600, "{}", one.len());
    assert_eq!(differences(&one, &other), "");
    assert_eq!(fetched.ids(), summed.ids());
    assert!(fetched.ids().len() > 2 * happened.new_routes);

    // Back to samples, where more of them are allowed: nothing is lost at the seam.
    let last = fetched.snapshot();
    let counts = |snapshot: &Snapshot| {
        let slos = snapshot.slos.iter();
        slos.map(|slo| (slo.series.total, slo.series.bad))
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(&last), counts(&summed.snapshot()));
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_sums_up_to_the_slots_that_its_samples_make() {
    hold_sums_against_samples(async |written| Past::of(&written).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_2_sums_up_to_the_slots_that_its_samples_make() {
    hold_sums_against_samples(async |written| Past::of_prometheus2(&written).await).await;
}

/// Requests of three targets, and failures of two of them. One has failures before and after two hours without that series,
/// five more; the other fails at that time for the first time.
fn away(begin: i64, end: i64) -> Vec<Written> {
    /// What a counter shows so many seconds after the series was back.
    type Shows = fn(i64) -> Option<f64>;
    let back = end - HOUR / 4;
    let values: [(&str, &str, Shows); 5] = [
        ("a", "200", |_| Some(10.0)),
        ("b", "200", |_| Some(20.0)),
        ("c", "200", |_| Some(30.0)),
        ("a", "500", |after| match after {
            ..-7_200 => Some(1_000.0),
            -7_200..0 => None,
            _ => Some(1_005.0),
        }),
        ("b", "500", |after| (after >= 0).then_some(70.0)),
    ];
    let written = values.map(|(instance, code, value)| {
        let name = ("__name__", "http_requests_total");
        let labels = [name, ("job", "api"), ("instance", instance), ("code", code)];
        let seconds = (begin / 1_000..end / 1_000).step_by(15);
        scraped(&labels, seconds, |second| value(second - back / 1_000))
    });
    written.into()
}

async fn hold_returns_against_samples(past_of: impl AsyncFnOnce(Vec<Written>) -> Option<Past>) {
    let end = recent(300) * 1_000;
    let begin = end - 3 * HOUR;
    let Some(past) = past_of(away(begin, end)).await else {
        return;
    };
    for above in [usize::MAX, 1] {
        let mut daemon =
            Daemon::start(&past, settings(above), 128 << 20, MemoryStore::default()).await;
        daemon.ticks(begin + 300_000, end).await;
        assert_eq!(daemon.summed().is_empty(), above > 1);
        let range = TimeRange {
            from: Timestamp::from_millis(begin),
            to: Timestamp::from_millis(end),
        };
        let slots = daemon.slots(range);
        let own = slots.iter().filter(|((id, _), _)| id == "api/availability");
        let bad: f64 = own.map(|(_, slot)| slot.counts.bad).sum();
        assert!((bad - 75.0).abs() < 1e-9, "above {above} series: {bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_that_was_away_for_hours_is_not_new_to_the_sums_of_prometheus() {
    hold_returns_against_samples(async |written| Past::of(&written).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_that_was_away_for_hours_is_not_new_to_the_sums_of_prometheus_2() {
    hold_returns_against_samples(async |written| Past::of_prometheus2(&written).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_is_asked_for_in_parts_and_nothing_is_lost() {
    let end = recent(300) * 1_000;
    let begin = end - HOUR;
    let (written, _) = world::made(11, begin - HOUR, end);
    let Some(past) = Past::of(&written).await else {
        return;
    };
    let start = |body| Daemon::start(&past, settings(100_000), body, MemoryStore::default());
    let (mut whole, mut parts) = (start(128 << 20).await, start(24 << 10).await);
    let failures = |daemon: &Daemon| daemon.snapshot().sources[0].failures;
    let middle = begin + HOUR / 2;
    parts.ticks(begin, middle).await;
    let first = failures(&parts);
    assert!((1..20).contains(&first), "{first}");
    parts.ticks(middle + TICK, end).await;
    // Answers that grow may have to be divided once more; a loop would fail at each of sixty ticks.
    let later = failures(&parts) - first;
    assert!(later < 5, "{later} more failed");
    assert_eq!(parts.snapshot().sources[0].error, None);
    whole.ticks(begin, end).await;
    assert_eq!(failures(&whole), 0);
    let range = TimeRange {
        from: Timestamp::from_millis(begin - HOUR),
        to: Timestamp::from_millis(end - 300_000),
    };
    assert_eq!(
        differences(&whole.slots(range), &parts.slots(range)),
        "",
        "what failed at first is made up for"
    );
}
