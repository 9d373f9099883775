//! What a tick costs that can be counted rather than timed: queries, bytes and allocations, at 100 and 1,000 instances.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test does; the exemption of tests covers `#[test]` only"
)]

#[path = "../benches/size/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use allocation_counter::measure;
use sloburn::definitions::{self, Options};
use sloburn::domain::slo::{Catalog, SourceName};
use sloburn::domain::time::{Span, Timestamp};
use sloburn::engine::intake::{Read, Reading};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::state::State;
use sloburn::engine::step::{Input, Tick, step};
use sloburn::series::batch::{Batch, Fetch};
use sloburn::series::plan::Plan;
use sloburn::source::prometheus;
use sloburn::store::commit::Recovered;

use world::{FAMILIES, SCRAPE, START, Size, family};

/// The first tick reads two blocks, the ticks after that settle nothing until the next block ends.
const WARM_UP: i64 = 11;

/// What one tick took, of which nothing was settled.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    queries: u64,
    bytes: u64,
    /// Allocations while answers are decoded.
    decoding: u64,
    /// Allocations while they are counted and judged, and while the status of all instances is made.
    counting: u64,
}

fn catalog(size: Size) -> Catalog {
    let files = [
        (
            "default.yaml",
            include_str!("../alerts/default.yaml").to_owned(),
        ),
        ("services.yaml", size.definitions()),
    ];
    let files = files.map(|(name, text)| (PathBuf::from(name), text));
    let (catalog, diagnostics) = definitions::read(&files, &Options::default());
    catalog.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

fn start(catalog: &Catalog) -> State {
    let name = SourceName::new("default");
    // Metrics settle in turn, one at each of the first ten ticks of a block of twenty.
    let source = SourceSettings {
        settle: Span::from_mins(10),
        ..SourceSettings::default()
    };
    let settings = Settings {
        tick: SCRAPE,
        slot: SCRAPE,
        sources: BTreeMap::from([(name, source)]),
        ..Settings::default()
    };
    let plan = Arc::new(Plan::of(catalog, SCRAPE).unwrap());
    State::new(settings, &plan, Recovered::default())
}

/// One tick of the engine over answers that are rendered beforehand.
fn tick(state: &mut State, catalog: &Catalog, size: Size, at: Timestamp) -> Cost {
    let mut cost = Cost::default();
    let mut reads = Vec::new();
    for wanted in state.wanted(at) {
        let (_, fetch, range) = state.fetch(wanted);
        let body = match fetch {
            Fetch::Samples(selector) => {
                let family = family(&selector.metric);
                // A fifth of the counters show failures, and these stand still.
                let value =
                    |series, step| size.value(series, if size.is_bad(series) { 0 } else { step });
                family.map(|family| size.answer(family, range, value))
            }
            Fetch::Histograms { .. } | Fetch::Expression { .. } | Fetch::Sums(_) => None,
        };
        cost.queries += 1;
        let mut batch = Batch::default();
        if let Some(body) = body {
            cost.bytes += u64::try_from(body.len()).unwrap();
            let decoding = measure(|| batch = prometheus::batch(&body, range).unwrap());
            cost.decoding += decoding.count_total;
        }
        reads.push(Read {
            wanted,
            reading: Reading::Complete(batch),
        });
    }
    let input = Input {
        reads,
        ..Input::default()
    };
    let turn = Tick { at, judge: true };
    let mut shown = 0;
    let counting = measure(|| {
        let effects = step(state, turn, &input, catalog);
        shown = effects.snapshot.map_or(0, |snapshot| snapshot.slos.len());
    });
    assert_eq!(shown, size.instances);
    cost.counting = counting.count_total;
    cost
}

/// What an ordinary tick costs once every series is known.
fn cost(instances: usize, series: usize) -> Cost {
    let size = Size { instances, series };
    let catalog = catalog(size);
    let mut state = start(&catalog);
    for turn in 1..=WARM_UP {
        let at = START + Span::from_millis(SCRAPE.as_millis() * turn);
        tick(&mut state, &catalog, size, at);
    }
    let last = SCRAPE.as_millis() * (WARM_UP + 1);
    let at = START + Span::from_millis(last);
    tick(&mut state, &catalog, size, at)
}

#[test]
fn a_tick_is_a_query_a_metric_some_bytes_a_series_and_no_allocation_for_a_known_one() {
    for (instances, more) in [(100, 4), (1_000, 2)] {
        let size = Size {
            instances,
            series: 10,
        };
        assert_eq!(size.of_instance(0).count(), size.series);
        let series = u64::try_from(size.all_series()).unwrap();
        let (few, many) = (cost(instances, 10), cost(instances, 10 * more));
        // One a family, and one for the starts of processes.
        let families = u64::try_from(FAMILIES).unwrap();
        assert_eq!((few.queries, many.queries), (families + 1, families + 1));
        assert!(few.bytes <= 300 * series, "{few:?}");
        // Buffers of a family, and of what covers an instance's time, double now and then.
        let doublings = more.ilog2() + 1;
        let most = u64::from(doublings) * (6 * families + u64::try_from(instances).unwrap());
        let added = (many.decoding + many.counting) - (few.decoding + few.counting);
        assert!(
            added <= most,
            "{instances} instances: {few:?}, with {more} times as many series {many:?}"
        );
        assert!(most < series * (u64::try_from(more).unwrap() - 1) / 2);
    }
}
