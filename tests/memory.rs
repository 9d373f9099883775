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
use sloburn::series::batch::Batch;
use sloburn::series::plan::Plan;
use sloburn::store::commit::{LaneKey, MeterKey, Recovered};

const INSTANCES: u32 = 1_000;
const SLOT: Span = Span::from_secs(30);

/// On the hour, when the most slots are fine.
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000 / 3_600_000 * 3_600_000);

fn catalog() -> Catalog {
    let mut text = String::from(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {name: shop}\nspec:\n  window: 30d\n  alertPolicy: none\n  objectives:\n",
    );
    for number in 0..INSTANCES {
        write!(
            text,
            "    - name: it{number}\n      objective: 99.9%\n      errors:\n        total: requests_total{{job=\"it{number}\"}}\n        badWhere: code=~\"5..\"\n"
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
fn month(instance: u32) -> Ledger {
    let mut ledger = Ledger::new(SLOT, 1);
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
        let counts = Counts {
            bad: f64::from(instance % 97 + number),
            total: f64::from(100_000 + instance * 100 + number),
        };
        let slot = Slot {
            counts,
            covered: width,
            reconstructed: false,
        };
        ledger.add_settled(0, end, &slot);
    }
    ledger
}

fn recovered(catalog: &Catalog) -> Recovered {
    let mut recovered = Recovered::default();
    for (instance, slo) in (0..).zip(catalog.slos.values()) {
        let meter = MeterKey {
            slo: slo.id.clone(),
            indicator: Fingerprint::of(&slo.indicator, &slo.source),
        };
        for ((lane, key), chunk) in month(instance).take_changed() {
            let meter = meter.clone();
            recovered
                .chunks
                .insert((LaneKey { meter, lane }, key), chunk);
        }
    }
    recovered
}

#[test]
fn an_objective_over_thirty_days_takes_at_most_64_kib() {
    let source = SourceSettings::default();
    let settings = Settings {
        tick: SLOT,
        slot: SLOT,
        sources: BTreeMap::from([(SourceName::new("default"), source)]),
        history: Span::from_days(400),
        external_url: None,
    };
    let mut held = None;
    let counted = allocation_counter::measure(|| {
        let catalog = catalog();
        let recovered = recovered(&catalog);
        let plan = Arc::new(Plan::of(&catalog, SLOT).unwrap());
        let mut state = State::new(settings, &plan, recovered);
        let reads = state.wanted(NOW).into_iter().map(|wanted| Read {
            wanted,
            reading: Reading::Complete(Batch::default()),
        });
        let input = Input {
            reads: reads.collect(),
            ..Input::default()
        };
        let tick = Tick {
            at: NOW,
            judge: true,
        };
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
        assert!((status.window.coverage - 1.0).abs() < 1e-9);
    }
    assert_eq!(shown.slos.len(), usize::try_from(INSTANCES).unwrap());
    let each = counted.bytes_current / i64::from(INSTANCES);
    assert!(each <= 64 * 1_024, "{each} bytes for each objective");
    assert!(
        each > 32 * 1_024,
        "{each} bytes: the slots were not counted"
    );
}
