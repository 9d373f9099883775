//! What a start finds after commits.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::incident::AlertState;
use crate::domain::measurement::Outcome;
use crate::domain::slo::SloId;
use crate::domain::time::Timestamp;
use crate::ledger::chunk::Age;

use super::super::commit::{Commit, Forgotten, Recovered, WalkKey, WalkRecord};
use super::super::fixtures::{
    alert, at, chunk, cursor, episode, episode_key, everything, family, family_key, groups, id,
    incident, key, labels, lane, walk,
};
use super::super::{Attempt, Store};
use super::{due, telling};

over_both_stores! {
    a_new_store_is_empty
    what_was_committed_is_recovered
    the_same_commit_twice_changes_nothing
    a_newer_commit_wins_key_by_key
    a_merged_commit_is_as_good_as_two
    what_is_forgotten_or_dropped_is_gone
    nothing_is_kept_of_an_instance_that_was_dropped
    the_newest_closed_incidents_come_first
    many_rows_are_one_commit
}

/// What a start finds after `commit`.
fn expected(commit: Commit) -> Recovered {
    let closed = commit
        .incidents
        .into_values()
        .filter(|it| it.closed.is_some());
    let episodes = commit.episodes.into_iter();
    Recovered {
        chunks: commit.chunks,
        lanes: commit.lanes,
        families: commit.families,
        walks: commit.walks,
        groups: commit.groups,
        alerts: commit.alerts,
        closed: closed.collect(),
        episodes: episodes.filter_map(|(key, it)| Some((key, it?))).collect(),
    }
}

async fn a_new_store_is_empty(store: impl Store) {
    assert_eq!(store.recover().await.unwrap(), Recovered::default());
    store.commit(&Commit::default()).await.unwrap();
    assert_eq!(due(&store, i64::MAX / 1_000).await, "");
    assert_eq!(store.backlog().await.unwrap(), []);
    assert_eq!(store.last_delivered("a", at(0)).await.unwrap(), []);
    let accepted = Attempt::Accepted {
        at: at(1),
        memory: None,
        done: true,
    };
    let nobody = store.record(&key("x", "a", 1), &accepted).await;
    assert_eq!(
        nobody.unwrap_err().to_string(),
        "cannot record a delivery to `a`: notice 1 of incident x does not wait in the outbox"
    );
}

async fn what_was_committed_is_recovered(store: impl Store) {
    store.commit(&everything()).await.unwrap();
    assert_eq!(store.recover().await.unwrap(), expected(everything()));
    assert_eq!(due(&store, 90).await, "open a 1, open b 1");
    let rows = store.due(at(90)).await.unwrap();
    assert_eq!(rows[0].notice, *everything().outbox[&key("open", "a", 1)]);
}

async fn the_same_commit_twice_changes_nothing(store: impl Store) {
    store.commit(&everything()).await.unwrap();
    let once = (
        store.recover().await.unwrap(),
        store.due(at(90)).await.unwrap(),
    );
    store.commit(&everything()).await.unwrap();
    let twice = (
        store.recover().await.unwrap(),
        store.due(at(90)).await.unwrap(),
    );
    assert_eq!(once, twice);
    assert_eq!(store.backlog().await.unwrap()[0].waiting, 2);
}

fn slo_of_groups() -> SloId {
    SloId::new("checkout/availability")
}

/// What a tick after [`everything`] may decide: some keys again, some new.
fn newer() -> Commit {
    let slo = SloId::new("checkout/availability");
    let (start, longer) = chunk(3_600, 5);
    Commit {
        chunks: BTreeMap::from([((lane("checkout/availability", 1), start), longer)]),
        lanes: BTreeMap::from([(lane("checkout/availability", 0), at(3_750))]),
        families: BTreeMap::from([(
            family_key(),
            family(
                3_750,
                &[("500", cursor(3_740, 7.0)), ("503", cursor(3_741, 1.0))],
            ),
        )]),
        walks: BTreeMap::from([(
            WalkKey("first".into()),
            WalkRecord {
                reached: at(0),
                families: Vec::new(),
                ..walk()
            },
        )]),
        alerts: BTreeMap::from([(slo, AlertState::default())]),
        incidents: BTreeMap::from([(id("open"), incident("open", Some(at(3_750))))]),
        episodes: BTreeMap::from([
            (episode_key(Outcome::Failed), None),
            (episode_key(Outcome::NoData), Some(episode("empty"))),
        ]),
        outbox: telling(&[("open", "b", 2)]).outbox,
        groups: BTreeMap::from([(slo_of_groups(), groups(&["503"]))]),
        dropped: BTreeSet::new(),
        forgotten: BTreeMap::new(),
    }
}

fn both() -> Recovered {
    let mut merged = everything();
    merged.merge(newer());
    let mut expected = expected(merged);
    expected.alerts.clear();
    expected.closed = vec![
        incident("open", Some(at(3_750))),
        incident("closed", Some(at(99))),
    ];
    expected
}

async fn a_newer_commit_wins_key_by_key(store: impl Store) {
    store.commit(&everything()).await.unwrap();
    store.commit(&newer()).await.unwrap();
    let found = store.recover().await.unwrap();
    assert_eq!(found, both());
    assert_eq!(found.families[&family_key()].cursors.len(), 3);
    assert_eq!(found.families[&family_key()].settled_to, at(3_750));
    assert_eq!(found.episodes.len(), 1);
}

async fn a_merged_commit_is_as_good_as_two(store: impl Store) {
    let mut pending = everything();
    pending.merge(newer());
    store.commit(&pending).await.unwrap();
    assert_eq!(store.recover().await.unwrap(), both());
    assert_eq!(store.backlog().await.unwrap()[1].waiting, 2);
}

async fn what_is_forgotten_or_dropped_is_gone(store: impl Store) {
    store.commit(&everything()).await.unwrap();
    let left = async |recent, old| {
        let (recent, old) = (at(recent), at(old));
        let forgotten = [(lane("checkout/availability", 1), Forgotten { recent, old })];
        let forget = Commit {
            forgotten: forgotten.into(),
            ..Commit::default()
        };
        store.commit(&forget).await.unwrap();
        let left = store.recover().await.unwrap().chunks;
        let left = left.keys().map(|(_, key)| (key.age, key.start));
        left.collect::<Vec<_>>()
    };
    let (first, second) = ((Age::Recent, at(0)), (Age::Recent, at(3_600)));
    let day = (Age::Old, at(0));
    assert_eq!(left(3_599, 86_399).await, [first, second, day]);
    assert_eq!(left(3_600, 0).await, [second, day]);
    assert_eq!(left(0, 86_400).await, [second]);

    let mut record = family(3_720, &[("503", cursor(3_720, 1.0))]);
    record.dropped = BTreeSet::from([labels("200"), labels("404")]);
    let mut pending = Commit {
        families: BTreeMap::from([(family_key(), record)]),
        ..Commit::default()
    };
    let codes = |found: Recovered| {
        let cursors = found.families.into_values().next().unwrap().cursors;
        cursors
            .keys()
            .map(|it| it.get("code").to_owned())
            .collect::<Vec<_>>()
    };
    store.commit(&pending).await.unwrap();
    assert_eq!(codes(store.recover().await.unwrap()), ["500", "503"]);
    pending.merge(Commit {
        families: BTreeMap::from([(family_key(), family(3_750, &[("404", cursor(3_750, 1.0))]))]),
        ..Commit::default()
    });
    store.commit(&pending).await.unwrap();
    assert_eq!(
        codes(store.recover().await.unwrap()),
        ["404", "500", "503"],
        "it came back"
    );
}

async fn nothing_is_kept_of_an_instance_that_was_dropped(store: impl Store) {
    let gone = || Commit {
        dropped: BTreeSet::from([slo_of_groups()]),
        ..Commit::default()
    };
    let nothing = |found: &Recovered| {
        (found.chunks.len(), found.lanes.len(), found.alerts.len()) == (0, 0, 0)
    };
    store.commit(&everything()).await.unwrap();
    store.commit(&gone()).await.unwrap();
    let left = store.recover().await.unwrap();
    assert!(nothing(&left));
    assert_eq!(left.families.len(), 1, "its series may count for others");
    // It comes back before the commit that drops it was made.
    let mut pending = everything();
    pending.merge(gone());
    assert_eq!((pending.chunks.len(), pending.alerts.len()), (0, 0));
    pending.merge(newer());
    store.commit(&pending).await.unwrap();
    let left = store.recover().await.unwrap();
    assert_eq!((left.chunks, left.lanes), (newer().chunks, newer().lanes));
}

async fn the_newest_closed_incidents_come_first(store: impl Store) {
    let incidents = (0..250).map(|n| {
        let closed = (n % 5 != 0).then(|| at(n));
        (id(&n.to_string()), incident(&n.to_string(), closed))
    });
    let commit = Commit {
        incidents: incidents.collect(),
        ..Commit::default()
    };
    store.commit(&commit).await.unwrap();
    let closed = store.recover().await.unwrap().closed;
    assert_eq!(closed.len(), 200);
    assert_eq!(
        (closed[0].closed, closed[199].closed),
        (Some(at(249)), Some(at(1)))
    );
    assert!(closed.is_sorted_by(|a, b| a.closed > b.closed));
}

async fn many_rows_are_one_commit(store: impl Store) {
    let name = |n: i64| format!("service/{n:04}");
    let mut commit = Commit::default();
    let mut record = family(30, &[]);
    for n in 0..1_203 {
        let (start, chunk) = chunk(0, n % 4 + 1);
        commit.chunks.insert((lane(&name(n), 0), start), chunk);
        commit.lanes.insert(lane(&name(n), 1), at(n));
        commit
            .alerts
            .insert(SloId::new(name(n)), alert(incident(&name(n), None)));
        commit
            .incidents
            .insert(id(&name(n)), incident(&name(n), None));
        commit.outbox.extend(telling(&[(&name(n), "a", 1)]).outbox);
        record
            .cursors
            .insert(labels(&n.to_string()), cursor(n, 1.0));
    }
    commit.families.insert(family_key(), record);
    store.commit(&commit).await.unwrap();
    assert_eq!(
        store
            .due(Timestamp::from_millis(i64::MAX))
            .await
            .unwrap()
            .len(),
        1_203
    );
    assert_eq!(store.recover().await.unwrap(), expected(commit));
    let mut dropping = family(60, &[]);
    dropping.dropped = (0..1_203).map(|n| labels(&n.to_string())).collect();
    let families = BTreeMap::from([(family_key(), dropping)]);
    let commit = Commit {
        families,
        ..Commit::default()
    };
    store.commit(&commit).await.unwrap();
    assert!(
        store.recover().await.unwrap().families[&family_key()]
            .cursors
            .is_empty()
    );
}
