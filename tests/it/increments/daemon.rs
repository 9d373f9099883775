//! The engine itself over a scrape log: plan, reads, both cursors, slots and commits, tick by tick, with crashes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::FutureExt as _;
use sloburn::definitions::{self, Options};
use sloburn::domain::labels::Labels;
use sloburn::domain::slo::{Catalog, SourceName};
use sloburn::domain::slot::{Counts, Slot};
use sloburn::domain::time::{Span, Timestamp};
use sloburn::engine::intake::{Read, Reading};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::state::State;
use sloburn::engine::step::{Input, Tick, step};
use sloburn::series::cursor::IgnoredBirth;
use sloburn::series::plan::Plan;
use sloburn::store::Store as _;
use sloburn::store::memory::MemoryStore;

use super::log::{HOUR, Log, MINUTE, SECOND, Samples};

pub(super) const TICK: i64 = 30 * SECOND;
const SETTLE: i64 = 5 * MINUTE;
const OFFSET: i64 = 15 * SECOND;

/// Slots that are younger are as wide as they were counted.
pub(super) const FINE: i64 = 5 * HOUR;

/// One tick in so many is judged, some time after the last samples were settled: every one would cost half of the time.
const JUDGED: i64 = 20;
const AFTER_SETTLING: i64 = 7;

const DEFINITIONS: &str = r"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 30d
  alertPolicy: none
  objectives:
    - {name: it, objective: 99.9%, INDICATOR}
";

/// What is measured.
pub(super) const ERRORS: &str =
    r#"errors: {total: 'http_requests_total{job="shop"}', badWhere: 'code="500"'}"#;
pub(super) const LATENCY: &str =
    r#"latency: {histogram: 'http_request_duration_seconds{job="shop"}', atMost: 500ms}"#;

/// What the engine made of a log.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// What was settled while slots were fine, by their ends.
    pub(super) slots: BTreeMap<i64, Slot>,
    /// What is kept at the end: of what is old, coarser slots.
    pub(super) kept: BTreeMap<i64, Slot>,
    /// Bad events and all of them up to a tick, as that tick showed them.
    pub(super) shown: BTreeMap<i64, Counts>,
    /// First values that were left out.
    pub(super) ignored: Vec<(Labels, IgnoredBirth)>,
    /// What was counted begins behind this.
    pub(super) from: i64,
    /// All is settled up to this.
    pub(super) to: i64,
}

/// How a log is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// Whether Prometheus knows when processes began.
    pub(super) starts: bool,
    /// The daemon is killed after so many ticks, again and again.
    pub(super) crashes: Option<i64>,
}

/// Counts a log from its tick `begin` until all is settled at `end`.
pub(super) fn count(log: &Log, indicator: &str, begin: i64, end: i64, way: Way) -> Counted {
    let samples = Samples::of(log, way.starts);
    let catalog = catalog(indicator);
    let store = MemoryStore::default();
    let mut state = start(&store, &catalog);
    let mut counted = Counted::default();
    for turn in 0..=(end - begin) / TICK {
        let at = begin + turn * TICK;
        if way.crashes.is_some_and(|every| turn % every == every - 1) {
            state = start(&store, &catalog);
        }
        tick(
            &mut state,
            log,
            &samples,
            at,
            &store,
            &catalog,
            &mut counted,
        );
    }
    let kept = now(store.recover(Timestamp::EARLIEST)).unwrap();
    for chunk in kept.chunks.values() {
        let slots = chunk.slots().map(|(end, slot)| (end.as_millis(), slot));
        counted.kept.extend(slots);
    }
    // The first read reaches back to the start of the block before the last that is settled.
    counted.from = (begin - SETTLE).div_euclid(SETTLE) * SETTLE - SETTLE;
    counted.to = (end - SETTLE).div_euclid(SETTLE) * SETTLE;
    counted
}

/// One tick, in as many passes as it takes to catch up.
fn tick(
    state: &mut State,
    log: &Log,
    samples: &Samples,
    at: i64,
    store: &MemoryStore,
    catalog: &Catalog,
    counted: &mut Counted,
) {
    let is_blind = log.blind.iter().any(|blind| blind.contains(&(at + OFFSET)));
    let time = Timestamp::from_millis(at);
    loop {
        let wanted = state.wanted(time);
        let is_behind = !is_blind && wanted.iter().any(|wanted| wanted.range.to < time);
        let reads = wanted.into_iter().map(|wanted| Read {
            wanted,
            reading: if is_blind {
                Reading::Failed("nobody answers".to_owned())
            } else {
                let (_, fetch, range) = state.fetch(wanted);
                Reading::Complete(samples.read(fetch, range, at + OFFSET))
            },
        });
        let input = Input {
            reads: reads.collect(),
            ..Input::default()
        };
        let judge = !is_behind && at / TICK % JUDGED == AFTER_SETTLING;
        let effects = step(state, Tick { at: time, judge }, &input, catalog);
        counted.ignored.extend(effects.ignored_births);
        if let Some(snapshot) = effects.snapshot {
            counted.shown.insert(at, snapshot.slos[0].window.counts);
        }
        for chunk in effects.commit.chunks.values() {
            let slots = chunk.slots().map(|(end, slot)| (end.as_millis(), slot));
            counted
                .slots
                .extend(slots.filter(|(end, _)| *end > at - FINE));
        }
        now(store.commit(&effects.commit)).unwrap();
        if !is_behind {
            return;
        }
    }
}

fn start(store: &MemoryStore, catalog: &Catalog) -> State {
    let plan = Arc::new(Plan::of(catalog, Span::from_millis(TICK)).unwrap());
    State::new(
        settings(),
        &plan,
        now(store.recover(Timestamp::EARLIEST)).unwrap(),
    )
}

/// A store in memory keeps nobody waiting.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("it is ready at once")
}

fn settings() -> Settings {
    let source = SourceSettings {
        offset: Span::from_millis(OFFSET),
        settle: Span::from_millis(SETTLE),
        ..SourceSettings::default()
    };
    Settings {
        tick: Span::from_millis(TICK),
        slot: Span::from_millis(TICK),
        sources: BTreeMap::from([(SourceName::new("default"), source)]),
        ..Settings::default()
    }
}

fn catalog(indicator: &str) -> Catalog {
    let text = DEFINITIONS.replace("INDICATOR", indicator);
    let options = Options {
        tick: Span::from_millis(TICK),
        ..Options::default()
    };
    let (catalog, diagnostics) = definitions::read(&[(PathBuf::from("shop.yaml"), text)], &options);
    catalog.unwrap_or_else(|| panic!("{diagnostics:?}"))
}
