//! What waits in the outbox, in which order, and what is remembered of deliveries.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::incident::{Change, CloseReason};

use super::super::commit::{Commit, Progress};
use super::super::fixtures::{at, id, incident, key, unmeasured};
use super::super::{Attempt, Backlog, OutboxRow, Store};
use super::{due, shown, telling};

over_all_stores! {
    later_rows_of_a_pair_wait_and_other_pairs_do_not
    a_refused_row_comes_back_when_it_is_due
    accepted_calls_advance_the_row_and_keep_the_memory
    a_permanent_refusal_keeps_the_row_and_its_error
    a_delivered_row_is_not_reset_by_its_commit
    the_last_delivered_rows_are_those_to_tell_again
    episodes_are_told_again_until_their_closing_notice
    a_commit_says_how_far_rows_are_that_were_told_before_it
}

fn accepted(secs: i64, memory: Option<&str>, done: bool) -> Attempt {
    Attempt::Accepted {
        at: at(secs),
        memory: memory.map(str::to_owned),
        done,
    }
}

fn refused(secs: i64, next: i64, error: &str, permanent: bool) -> Attempt {
    Attempt::Refused {
        at: at(secs),
        next: at(next),
        error: error.to_owned(),
        permanent,
    }
}

async fn later_rows_of_a_pair_wait_and_other_pairs_do_not(store: impl Store) {
    let rows = [
        ("x", "a", 2),
        ("x", "a", 1),
        ("x", "b", 1),
        ("y", "a", 1),
        ("x", "a", 3),
    ];
    store.commit(&telling(&rows)).await.unwrap();
    assert_eq!(due(&store, 90).await, "x a 1, x b 1, y a 1");
    store
        .record(&key("x", "a", 1), &refused(1, 500, "down", false))
        .await
        .unwrap();
    assert_eq!(due(&store, 90).await, "x b 1, y a 1");
    store
        .record(&key("x", "b", 1), &accepted(1, None, true))
        .await
        .unwrap();
    store
        .record(&key("y", "a", 1), &accepted(1, None, true))
        .await
        .unwrap();
    assert_eq!(due(&store, 90).await, "");
    store
        .record(&key("x", "a", 1), &accepted(1, None, true))
        .await
        .unwrap();
    assert_eq!(due(&store, 90).await, "x a 2");
    store
        .record(&key("x", "a", 2), &accepted(1, None, true))
        .await
        .unwrap();
    assert_eq!(due(&store, 90).await, "x a 3");
}

async fn a_refused_row_comes_back_when_it_is_due(store: impl Store) {
    store.commit(&telling(&[("x", "a", 1)])).await.unwrap();
    store
        .record(&key("x", "a", 1), &refused(40, 50, "down", false))
        .await
        .unwrap();
    store
        .record(&key("x", "a", 1), &refused(50, 70, "still down", false))
        .await
        .unwrap();
    assert_eq!(due(&store, 69).await, "");
    let row = store.due(at(70)).await.unwrap().remove(0);
    assert_eq!((row.step, row.attempts, row.delivered), (0, 2, None));
    let backlog = store.backlog().await.unwrap();
    assert_eq!(backlog[0].error, Some(("still down".to_owned(), false)));
}

async fn accepted_calls_advance_the_row_and_keep_the_memory(store: impl Store) {
    store
        .commit(&telling(&[("x", "a", 1), ("x", "a", 2), ("x", "b", 1)]))
        .await
        .unwrap();
    let first = key("x", "a", 1);
    store
        .record(&first, &refused(40, 50, "down", false))
        .await
        .unwrap();
    store
        .record(&first, &accepted(50, Some("{\"ts\":1}"), false))
        .await
        .unwrap();
    let rows = store.due(at(50)).await.unwrap();
    assert_eq!(shown(&rows), "x a 1, x b 1");
    assert_eq!((rows[0].step, rows[0].attempts), (1, 0));
    assert_eq!(rows[0].memory.as_deref(), Some("{\"ts\":1}"));
    assert_eq!(rows[1].memory, None, "each receiver has its own");
    assert_eq!(store.backlog().await.unwrap()[0].error, None);
    store
        .record(&first, &accepted(51, Some("{\"ts\":2}"), false))
        .await
        .unwrap();
    store
        .record(&first, &accepted(52, None, true))
        .await
        .unwrap();
    let rows = store.due(at(90)).await.unwrap();
    assert_eq!(shown(&rows), "x b 1, x a 2");
    assert_eq!(
        rows[1].memory.as_deref(),
        Some("{\"ts\":2}"),
        "the next row knows it"
    );
    let delivered = store.last_delivered("a", at(0)).await.unwrap();
    assert_eq!(
        (delivered[0].step, delivered[0].delivered),
        (3, Some(at(52)))
    );
    let again = store.record(&first, &accepted(53, None, true)).await;
    assert!(again.is_err(), "a delivered row does not wait");
}

async fn a_permanent_refusal_keeps_the_row_and_its_error(store: impl Store) {
    store
        .commit(&telling(&[("x", "a", 1), ("y", "a", 2), ("z", "b", 3)]))
        .await
        .unwrap();
    store
        .record(&key("x", "a", 1), &refused(40, 50, "no such channel", true))
        .await
        .unwrap();
    store
        .record(&key("y", "a", 2), &refused(39, 50, "down", false))
        .await
        .unwrap();
    let waits = |receiver: &str, waiting, oldest, error: Option<(&str, bool)>| Backlog {
        receiver: receiver.to_owned(),
        waiting,
        oldest: at(oldest),
        error: error.map(|(error, permanent)| (error.to_owned(), permanent)),
    };
    let expected = [
        waits("a", 2, 30, Some(("no such channel", true))),
        waits("b", 1, 90, None),
    ];
    assert_eq!(store.backlog().await.unwrap(), expected);
    assert_eq!(due(&store, 90).await, "x a 1, y a 2, z b 3");
}

async fn a_delivered_row_is_not_reset_by_its_commit(store: impl Store) {
    let commit = telling(&[("x", "a", 1)]);
    store.commit(&commit).await.unwrap();
    store
        .record(&key("x", "a", 1), &accepted(40, Some("m"), true))
        .await
        .unwrap();
    store.commit(&commit).await.unwrap();
    assert_eq!(due(&store, 90).await, "");
    assert_eq!(
        store.last_delivered("a", at(0)).await.unwrap()[0].delivered,
        Some(at(40))
    );
}

async fn the_last_delivered_rows_are_those_to_tell_again(store: impl Store) {
    let mut commit = telling(&[
        ("x", "a", 1),
        ("x", "a", 2),
        ("x", "a", 3),
        ("y", "a", 1),
        ("y", "b", 1),
        ("z", "a", 1),
    ]);
    commit.incidents = [("x", None), ("y", Some(at(1_000))), ("z", None)]
        .map(|(name, closed)| (id(name), incident(name, closed)))
        .into();
    store.commit(&commit).await.unwrap();
    for row in [
        key("x", "a", 1),
        key("x", "a", 2),
        key("y", "a", 1),
        key("y", "b", 1),
    ] {
        store
            .record(&row, &accepted(100, Some("m"), true))
            .await
            .unwrap();
    }
    let told = async |receiver: &str, closed_after| {
        let rows = store
            .last_delivered(receiver, at(closed_after))
            .await
            .unwrap();
        assert!(
            rows.iter()
                .all(|row| row.memory.is_some() && row.delivered.is_some())
        );
        shown(&rows)
    };
    assert_eq!(told("a", 999).await, "x a 2, y a 1");
    assert_eq!(told("a", 1_000).await, "x a 2");
    assert_eq!(told("b", 999).await, "y b 1");
}

async fn episodes_are_told_again_until_their_closing_notice(store: impl Store) {
    let tell = |sequence, change| Commit {
        outbox: BTreeMap::from([(
            key("blind", "a", sequence),
            Arc::new(unmeasured("blind", sequence, change)),
        )]),
        ..Commit::default()
    };
    store.commit(&tell(1, Change::Opened)).await.unwrap();
    store
        .record(&key("blind", "a", 1), &accepted(40, None, true))
        .await
        .unwrap();
    let far = at(1_000_000);
    assert_eq!(
        shown(&store.last_delivered("a", far).await.unwrap()),
        "blind a 1"
    );
    store
        .commit(&tell(2, Change::Closed(CloseReason::Recovered)))
        .await
        .unwrap();
    store
        .record(&key("blind", "a", 2), &accepted(70, None, true))
        .await
        .unwrap();
    assert_eq!(
        shown(&store.last_delivered("a", at(59)).await.unwrap()),
        "blind a 2"
    );
    assert_eq!(shown(&store.last_delivered("a", at(60)).await.unwrap()), "");
}

async fn a_commit_says_how_far_rows_are_that_were_told_before_it(store: impl Store) {
    let mut commit = telling(&[("x", "a", 1), ("x", "a", 2), ("y", "a", 1), ("z", "a", 1)]);
    let done = Progress {
        step: 1,
        delivered: Some(at(40)),
        memory: Some("m".to_owned()),
        ..Progress::default()
    };
    let refused = Progress {
        step: 1,
        attempts: 2,
        next: at(90),
        refusal: Some((at(50), "down".to_owned(), false)),
        ..Progress::default()
    };
    commit.deliveries = BTreeMap::from([
        (key("x", "a", 1), done),
        (key("y", "a", 1), refused),
        (key("nobody", "a", 1), Progress::default()),
    ]);
    // However often it is made, and whatever was told since.
    for again in [false, true] {
        store.commit(&commit).await.unwrap();
        assert_eq!(due(&store, 89).await, "z a 1, x a 2", "{again}");
        let rows = store.due(at(90)).await.unwrap();
        let seen = |row: &OutboxRow| (row.step, row.attempts, row.memory.clone());
        assert_eq!(shown(&rows), "y a 1, z a 1, x a 2");
        let seen: Vec<_> = rows.iter().map(seen).collect();
        assert_eq!(
            seen,
            [(1, 2, None), (0, 0, None), (0, 0, Some("m".to_owned()))]
        );
        let backlog = &store.backlog().await.unwrap()[0];
        assert_eq!(
            (backlog.waiting, &backlog.error),
            (3, &Some(("down".to_owned(), false)))
        );
    }
    store
        .record(&key("z", "a", 1), &accepted(60, None, true))
        .await
        .unwrap();
    let older = Progress {
        attempts: 1,
        ..Progress::default()
    };
    commit.deliveries = BTreeMap::from([(key("z", "a", 1), older)]);
    store.commit(&commit).await.unwrap();
    assert_eq!(due(&store, 90).await, "y a 1, x a 2");
}
