//! The history is what its seed says, and the ledger holds what the closed form counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};
use crate::ledger::chunk::Chunk;
use crate::store::Store as _;

use super::pace::{Pace, USUAL};
use super::start::{Demo, Options};

type Chunks = BTreeMap<String, Vec<Arc<Chunk>>>;

/// A demo whose history of a day was played, and the chunks of its ledgers by objective.
async fn played(seed: u64) -> (Demo, Chunks) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        seed,
        pace: Pace::new(USUAL).unwrap(),
        history: Span::from_hours(12),
        now: Timestamp::from_millis(1_900_000_000_000),
    };
    let mut demo = Demo::start(&options).await.unwrap();
    demo.driver.history(|_| Ok(())).await.unwrap();
    let mut chunks = Chunks::new();
    for ((key, _), chunk) in demo.driver.store.recover().await.unwrap().chunks {
        chunks
            .entry(format!("{} {}", key.slo, key.lane))
            .or_default()
            .push(chunk);
    }
    (demo, chunks)
}

#[tokio::test]
async fn the_history_recomputes_from_its_seed_and_is_the_closed_form() {
    let ((demo, one), (_, same), (_, other)) = tokio::join!(played(7), played(7), played(8));
    assert_eq!(one, same, "the same seed makes another history");
    assert_ne!(one, other, "the seed makes no difference");

    let seer = demo.driver.gameday.seer();
    let mut compared = 0;
    for slo in [
        "checkout/availability",
        "web-shop/latency",
        "order-worker/refunds",
    ] {
        let snapshot = demo.shared.board.read().snapshot;
        let status = snapshot.slos.iter().find(|status| status.id == slo);
        let slo = Arc::clone(&status.unwrap().slo);
        let mut slots: BTreeMap<Timestamp, Counts> = BTreeMap::new();
        for (_, chunks) in one
            .iter()
            .filter(|(key, _)| key.starts_with(slo.uid.as_str()))
        {
            for (end, slot) in chunks.iter().flat_map(|chunk| chunk.slots()) {
                let sum = slots.entry(end).or_default();
                *sum = sum.plus(slot.counts);
            }
        }
        let ends: Vec<Timestamp> = slots.keys().copied().collect();
        for pair in ends.windows(2) {
            let own = seer.own_count(&slo.uid, (pair[0], pair[1])).unwrap();
            assert_eq!(slots[&pair[1]], own, "{} up to {}", slo.uid, pair[1]);
            compared += 1;
        }
    }
    assert!(compared > 1_000, "only {compared} slots were compared");
}
