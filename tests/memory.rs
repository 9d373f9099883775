//! What an objective takes of memory, counted allocation by allocation: its window of thirty days, its
//! place in the engine, and what readers are shown of it.
#![expect(
    clippy::unwrap_used,
    reason = "what is not as expected ends the test where it is"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use sloburn::definitions::{self, Options};
use sloburn::domain::fingerprint::Fingerprint;
use sloburn::domain::slo::{Catalog, SourceName};
use sloburn::domain::slot::{Counts, Slot};
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::engine::intake::{Read, Reading};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::state::State;
use sloburn::engine::step::{Input, Tick, step};
use sloburn::ledger::Ledger;
use sloburn::ledger::chunk::Chunk;
use sloburn::series::batch::Batch;
use sloburn::series::plan::Plan;
use sloburn::store::commit::{LaneKey, MeterKey, Recovered};

const SLOT: Span = Span::from_secs(30);

/// On the hour, when the most slots are fine.
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000 / 3_600_000 * 3_600_000);

/// A kind of objective, and the lanes that its indicator has.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    errors: &'static str,
    /// What each lane counts of an event in a slot, by how many are bad and how many there are.
    lanes: &'static [fn(f64, f64) -> Counts],
    /// How much of each slot was measured, by its end and width.
    covered: fn(Timestamp, Span) -> Span,
    /// So many are counted.
    instances: u32,
    /// What each may take, in KiB.
    most: i64,
}

const fn counts(bad: f64, total: f64) -> Counts {
    Counts { bad, total }
}

const TWO_METRICS: &str =
    "{total: 'requests_total{job=\"JOB\"}', bad: 'failures_total{job=\"JOB\"}'}";

const BAD_APART: &[fn(f64, f64) -> Counts] =
    &[|_, total| counts(0.0, total), |bad, _| counts(bad, 0.0)];

/// Ten minutes in the midst of each day were not.
fn with_a_gap_every_day(end: Timestamp, width: Span) -> Span {
    let (from, to) = (Span::from_hours(12), Span::from_mins(12 * 60 + 10));
    let start = end - width;
    let day = start.floor_to(Span::from_days(1));
    let missing = end.min(day + to).since(start.max(day + from));
    width - missing.max(Span::ZERO)
}

const KINDS: &[Kind] = &[
    Kind {
        name: "bad and all of one metric",
        errors: "{total: 'requests_total{job=\"JOB\"}', badWhere: 'code=~\"5..\"'}",
        lanes: &[counts],
        covered: |_, width| width,
        instances: 1_000,
        most: 48,
    },
    Kind {
        name: "bad and all of one metric, with gaps everywhere",
        errors: "{total: 'requests_total{job=\"JOB\"}', badWhere: 'code=~\"5..\"'}",
        lanes: &[counts],
        covered: |_, width| width - Span::from_secs(1),
        instances: 100,
        most: 64,
    },
    Kind {
        name: "bad of a metric of its own",
        errors: TWO_METRICS,
        lanes: BAD_APART,
        covered: |_, width| width,
        instances: 1_000,
        most: 64,
    },
    Kind {
        name: "bad of a metric of its own, with a gap every day",
        errors: TWO_METRICS,
        lanes: BAD_APART,
        covered: with_a_gap_every_day,
        instances: 100,
        most: 62,
    },
    Kind {
        name: "bad of a metric of its own, with the same gap in each slot",
        errors: TWO_METRICS,
        lanes: BAD_APART,
        covered: |_, width| width - Span::from_secs(1),
        instances: 100,
        most: 64,
    },
    Kind {
        name: "bad of a metric of its own, with gaps everywhere, no two alike",
        errors: TWO_METRICS,
        lanes: BAD_APART,
        covered: |end, width| width - Span::from_millis(end.as_millis() / 30_000 % 9_973),
        instances: 100,
        most: 100,
    },
    Kind {
        name: "good of a metric of its own",
        errors: "{total: 'requests_total{job=\"JOB\"}', good: 'answers_total{job=\"JOB\"}'}",
        lanes: &[
            |_, total| counts(total, total),
            |bad, total| counts(bad - total, 0.0),
        ],
        covered: |_, width| width,
        instances: 100,
        most: 64,
    },
];

fn catalog(kind: &Kind) -> Catalog {
    let mut text = String::from(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {name: shop}\nspec:\n  window: 30d\n  alertPolicy: none\n  objectives:\n",
    );
    for number in 0..kind.instances {
        let errors = kind.errors.replace("JOB", &format!("it{number}"));
        write!(
            text,
            "    - name: it{number}\n      objective: 99.9%\n      errors: {errors}\n"
        )
        .unwrap();
    }
    let options = Options {
        tick: SLOT,
        ..Options::default()
    };
    let (catalog, diagnostics) = definitions::read(&[(PathBuf::from("shop.yaml"), text)], &options);
    catalog.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

/// All slots that an objective has of the time that is held in memory, no two of them alike.
fn month(kind: &Kind, instance: u32) -> Ledger {
    let mut ledger = Ledger::new(SLOT, u16::try_from(kind.lanes.len()).unwrap());
    ledger.grow_old(NOW);
    // As long as a day that is partly within the window is held.
    let mut end = NOW - Span::from_days(31) - Span::from_hours(6);
    let mut number = 0;
    while end < NOW {
        let age = NOW.since(end);
        let width = if age > Span::from_hours(73) {
            Span::from_hours(1)
        } else if age > Span::from_hours(7) {
            Span::from_mins(5)
        } else {
            SLOT
        };
        end = end + width;
        number += 1;
        let bad = f64::from(instance % 97 + number);
        let total = f64::from(100_000 + instance * 100 + number);
        for (lane, counts) in (0..).zip(kind.lanes) {
            let slot = Slot {
                counts: counts(bad, total),
                covered: (kind.covered)(end, width),
                reconstructed: false,
            };
            ledger.add_settled(lane, end, &slot);
        }
    }
    ledger
}

fn recovered(kind: &Kind, catalog: &Catalog) -> Recovered {
    let mut recovered = Recovered::default();
    for (instance, slo) in (0..).zip(catalog.slos.values()) {
        let meter = MeterKey {
            slo: slo.id.clone(),
            indicator: Fingerprint::of(&slo.indicator, &slo.source),
        };
        for ((lane, key), chunk) in month(kind, instance).take_changed() {
            let meter = meter.clone();
            recovered
                .chunks
                .insert((LaneKey { meter, lane }, key), chunk);
        }
    }
    recovered
}

/// What each of many objectives of a kind takes, in bytes.
fn each(kind: &Kind) -> i64 {
    let source = SourceSettings::default();
    let settings = Settings {
        tick: SLOT,
        slot: SLOT,
        sources: BTreeMap::from([(SourceName::new("default"), source)]),
        ..Settings::default()
    };
    let mut held = None;
    let counted = allocation_counter::measure(|| {
        let catalog = catalog(kind);
        let recovered = recovered(kind, &catalog);
        let plan = Arc::new(Plan::of(&catalog, SLOT).unwrap());
        let mut state = State::new(settings, &plan, recovered);
        // After the hour, when all have grown old by it and both metrics have settled a block.
        let at = NOW + Span::from_mins(5) + SLOT;
        let reads = state.wanted(at).into_iter().map(|wanted| Read {
            wanted,
            reading: Reading::Complete(Batch::default()),
        });
        let input = Input {
            reads: reads.collect(),
            ..Input::default()
        };
        let tick = Tick { at, judge: true };
        let shown = step(&mut state, tick, &input, &catalog).snapshot.unwrap();
        held = Some((catalog, plan, state, shown));
    });
    let (.., shown) = held.as_ref().unwrap();
    let all = TimeRange {
        from: NOW - Span::from_days(30),
        to: NOW,
    };
    for status in &shown.slos {
        let slots = status.ledger.slots(all).count();
        assert!(slots > 2_000, "{slots} slots of {}", status.id);
        assert!(status.window.coverage > 0.98, "{}", status.window.coverage);
    }
    assert_eq!(shown.slos.len(), usize::try_from(kind.instances).unwrap());
    counted.bytes_current / i64::from(kind.instances)
}

#[test]
fn an_objective_over_thirty_days_takes_at_most_64_kib() {
    for kind in KINDS {
        let (name, each) = (kind.name, each(kind));
        let most = kind.most * 1_024;
        assert!(each <= most, "{name}: {each} bytes for each objective");
        assert!(
            each > 24 * 1_024,
            "{name}: {each} bytes: the slots were not counted"
        );
    }
}

/// A month of slots, each measured in two parts, as samples come.
fn lived(lanes: &[fn(f64, f64) -> Counts]) -> Ledger {
    let mut ledger = Ledger::new(SLOT, u16::try_from(lanes.len()).unwrap());
    let mut end = NOW - Span::from_days(30);
    while end < NOW {
        end = end + SLOT;
        for (lane, counts) in (0..).zip(lanes) {
            let half = Slot {
                counts: counts(1.0, 1_000.0),
                covered: Span::from_secs(15),
                reconstructed: false,
            };
            ledger.add_settled(lane, end, &half);
            ledger.add_settled(lane, end, &half);
        }
        if ledger.grow_old(end).is_some() {
            ledger.take_changed();
        }
    }
    ledger.take_changed();
    ledger
}

#[test]
fn a_month_that_was_lived_through_takes_no_more_than_one_that_is_read_back() {
    for kind in KINDS {
        let (mut ledger, mut other) = (None, None);
        let lived = allocation_counter::measure(|| ledger = Some(lived(kind.lanes)));
        let ledger = ledger.unwrap();
        let read = allocation_counter::measure(|| {
            let mut again = Ledger::new(SLOT, u16::try_from(kind.lanes.len()).unwrap());
            for (lane, chunk) in ledger.chunks() {
                again.restore(lane, Arc::new(Chunk::clone(chunk)));
            }
            other = Some(again);
        });
        let (lived, read) = (lived.bytes_current, read.bytes_current);
        // The newest hour may still grow.
        assert!(
            lived <= read + 4 * 1_024,
            "{}: {lived} and {read} bytes",
            kind.name
        );
        assert!(read > 16 * 1_024, "{}: {read} bytes", kind.name);
        drop(other);
    }
}
