//! A store in memory that fails, and what is told meanwhile.

use crate::domain::incident::CloseReason;

use super::super::fixtures::{at, burn, key};
use super::super::memory::MemoryStore;
use super::*;

fn bridge() -> Bridge<MemoryStore> {
    Bridge::over(Arc::new(MemoryStore::default()))
}

/// A commit that tells each `(incident, receiver, sequence)`.
fn telling(rows: &[(&str, &str, u32, Change)]) -> Commit {
    let notice = |(incident, receiver, sequence, change): &(&str, &str, u32, Change)| {
        let notice = burn(incident, *sequence, *change, 1.0);
        (key(incident, receiver, *sequence), Arc::new(notice))
    };
    Commit {
        outbox: rows.iter().map(notice).collect(),
        ..Commit::default()
    }
}

fn shown(rows: &[OutboxRow]) -> String {
    let row = |row: &OutboxRow| {
        let memory = row.memory.as_deref().unwrap_or_default();
        let OutboxKey {
            incident,
            receiver,
            sequence,
        } = &row.key;
        format!("{incident} {receiver} {sequence}{memory}")
    };
    rows.iter().map(row).collect::<Vec<_>>().join(", ")
}

async fn due(store: &impl Store, now: i64) -> String {
    shown(&store.due(at(now)).await.unwrap())
}

async fn deliver(store: &impl Store, row: OutboxKey, memory: Option<&str>) {
    let attempt = Attempt::Accepted {
        at: at(50),
        memory: memory.map(str::to_owned),
        done: true,
    };
    store.record(&row, &attempt).await.unwrap();
}

#[tokio::test]
async fn what_a_failed_commit_was_to_tell_is_told_from_memory_and_once() {
    let bridge = bridge();
    let mut pending = telling(&[("x", "a", 1, Change::Opened), ("x", "b", 1, Change::Opened)]);
    bridge.store.fail_next_commits(2);
    bridge.commit(&pending).await.unwrap_err();
    assert_eq!(due(&bridge, 90).await, "x a 1, x b 1");
    deliver(&bridge, key("x", "a", 1), Some("!")).await;
    let refused = Attempt::Refused {
        at: at(50),
        next: at(500),
        error: "down".to_owned(),
        permanent: false,
    };
    bridge.record(&key("x", "b", 1), &refused).await.unwrap();
    assert_eq!(due(&bridge, 90).await, "");
    pending.merge(telling(&[
        ("x", "a", 2, Change::Reminded),
        ("x", "b", 2, Change::Reminded),
    ]));
    bridge.commit(&pending).await.unwrap_err();
    assert_eq!(due(&bridge, 90).await, "x a 2!");
    let waiting = bridge.backlog().await.unwrap();
    let waiting: Vec<_> = waiting
        .iter()
        .map(|it| (it.waiting, it.error.is_some()))
        .collect();
    assert_eq!(waiting, [(1, false), (2, true)]);

    bridge.commit(&pending).await.unwrap();
    assert!(bridge.waiting().is_empty());
    for store in [&*bridge.store, &bridge.store.survivors()] {
        assert_eq!(due(store, 90).await, "x a 2!");
        assert_eq!(due(store, 500).await, "x b 1, x a 2!");
    }
    deliver(&bridge, key("x", "a", 2), None).await;
    assert_eq!(due(&*bridge.store, 90).await, "");
}

#[tokio::test]
async fn what_the_store_holds_of_an_incident_comes_first_and_what_was_said_is_remembered() {
    let bridge = bridge();
    bridge
        .commit(&telling(&[("x", "a", 1, Change::Opened)]))
        .await
        .unwrap();
    deliver(&bridge, key("x", "a", 1), Some("!")).await;
    bridge
        .commit(&telling(&[("x", "a", 2, Change::Reminded)]))
        .await
        .unwrap();
    bridge.store.fail_next_commits(1);
    let failed = telling(&[
        ("x", "a", 3, Change::Reminded),
        ("y", "a", 1, Change::Opened),
    ]);
    bridge.commit(&failed).await.unwrap_err();
    assert_eq!(due(&bridge, 90).await, "y a 1, x a 2!");
    deliver(&bridge, key("x", "a", 2), None).await;
    assert_eq!(due(&bridge, 90).await, "y a 1, x a 3!");
}

#[tokio::test]
async fn who_is_to_be_told_again_is_told_what_was_told_from_memory() {
    let bridge = bridge();
    bridge
        .commit(&telling(&[("x", "a", 1, Change::Opened)]))
        .await
        .unwrap();
    deliver(&bridge, key("x", "a", 1), None).await;
    let closed = Change::Closed(CloseReason::Recovered);
    bridge.store.fail_next_commits(1);
    let failed = telling(&[("x", "a", 2, closed), ("y", "a", 1, Change::Opened)]);
    bridge.commit(&failed).await.unwrap_err();
    let told = async |closed_after| {
        let told = bridge.last_delivered("a", at(closed_after)).await;
        shown(&told.unwrap())
    };
    assert_eq!(told(0).await, "x a 1");
    deliver(&bridge, key("y", "a", 1), None).await;
    deliver(&bridge, key("x", "a", 2), None).await;
    assert_eq!(told(0).await, "x a 2, y a 1");
    assert_eq!(told(1_000_000).await, "y a 1");
}

#[tokio::test]
async fn a_row_that_is_told_while_it_is_committed_is_not_told_again() {
    let bridge = bridge();
    let pending = telling(&[("x", "a", 1, Change::Opened)]);
    bridge.store.fail_next_commits(1);
    bridge.commit(&pending).await.unwrap_err();
    // As a commit that has begun knows it.
    bridge.store.commit(&pending).await.unwrap();
    deliver(&bridge, key("x", "a", 1), None).await;
    let known = BTreeMap::from([(key("x", "a", 1), Progress::default())]);
    bridge.waiting().forget(&known);
    assert_eq!(due(&bridge, 90).await, "");
    bridge.commit(&Commit::default()).await.unwrap();
    assert!(bridge.waiting().is_empty());
    assert_eq!(due(&bridge, 90).await, "");
}
