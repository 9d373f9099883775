//! What a start finds after commits.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::AlertState;
use crate::domain::measurement::Outcome;
use crate::domain::slo::SloId;
use crate::domain::time::{TimeRange, Timestamp};
use crate::ledger::chunk::Age;

use super::super::commit::{Commit, EpisodeKey, LaneKey, MeterKey, Recovered, WalkKey, WalkRecord};
use super::super::fixtures::{
    alert, at, chunk, cursor, day, episode, episode_key, everything, family, family_key, groups,
    id, incident, key, labels, lane, meter, settled, versions, walk,
};
use super::super::{Attempt, Store};
use super::{due, telling};

over_all_stores! {
    a_new_store_is_empty
    what_was_committed_is_recovered
    the_same_commit_twice_changes_nothing
    a_newer_commit_wins_key_by_key
    a_merged_commit_is_as_good_as_two
    what_is_forgotten_or_dropped_is_gone
    nothing_is_kept_of_an_instance_that_was_dropped
    the_past_can_be_left_where_it_is_and_read_alone
    what_was_kept_before_indicators_were_told_apart_is_claimed_once
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
        seen: commit.seen,
        versions: commit.versions,
        families: commit.families,
        walks: commit.walks,
        groups: commit.groups,
        alerts: commit.alerts,
        closed: closed.collect(),
        episodes: episodes.filter_map(|(key, it)| Some((key, it?))).collect(),
    }
}

async fn a_new_store_is_empty(store: impl Store) {
    assert_eq!(
        store.recover(Timestamp::EARLIEST).await.unwrap(),
        Recovered::default()
    );
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
    assert_eq!(
        store.recover(Timestamp::EARLIEST).await.unwrap(),
        expected(everything())
    );
    assert_eq!(due(&store, 90).await, "open a 1, open b 1");
    let rows = store.due(at(90)).await.unwrap();
    assert_eq!(rows[0].notice, *everything().outbox[&key("open", "a", 1)]);
}

async fn the_same_commit_twice_changes_nothing(store: impl Store) {
    store.commit(&everything()).await.unwrap();
    let once = (
        store.recover(Timestamp::EARLIEST).await.unwrap(),
        store.due(at(90)).await.unwrap(),
    );
    store.commit(&everything()).await.unwrap();
    let twice = (
        store.recover(Timestamp::EARLIEST).await.unwrap(),
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
        lanes: BTreeMap::from([(lane("checkout/availability", 0), settled(3_750))]),
        claims: BTreeMap::new(),
        seen: BTreeSet::from([meter("cart/availability")]),
        versions: BTreeMap::from([(slo.clone(), versions(&[(7, "99%")]))]),
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
        alerts: BTreeMap::from([(slo.clone(), AlertState::default())]),
        incidents: BTreeMap::from([(id("open"), incident("open", Some(at(3_750))))]),
        episodes: BTreeMap::from([
            (episode_key(Outcome::Failed, 2), None),
            (episode_key(Outcome::NoData, 2), Some(episode("empty"))),
            (episode_key(Outcome::NoData, 7), Some(episode("later"))),
            (EpisodeKey::Refused(slo), None),
            (EpisodeKey::PassedOver, None),
        ]),
        outbox: telling(&[("open", "b", 2)]).outbox,
        deliveries: BTreeMap::new(),
        groups: BTreeMap::from([(slo_of_groups(), groups(&["503"]))]),
        dropped: BTreeSet::new(),
        grown: BTreeMap::new(),
        forgotten: None,
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
    let found = store.recover(Timestamp::EARLIEST).await.unwrap();
    assert_eq!(found, both());
    assert_eq!(found.families[&family_key()].cursors.len(), 3);
    assert_eq!(found.families[&family_key()].settled_to, at(3_750));
    assert_eq!(found.episodes.len(), 2, "of one source, one after another");
}

async fn a_merged_commit_is_as_good_as_two(store: impl Store) {
    let mut pending = everything();
    pending.merge(newer());
    store.commit(&pending).await.unwrap();
    assert_eq!(store.recover(Timestamp::EARLIEST).await.unwrap(), both());
    assert_eq!(store.backlog().await.unwrap()[1].waiting, 2);
}

async fn what_is_forgotten_or_dropped_is_gone(store: impl Store) {
    store.commit(&everything()).await.unwrap();
    let grown = |lane: LaneKey, (from, to): (i64, i64)| {
        let (from, to) = (at(from), at(to));
        Commit {
            grown: [(lane, TimeRange { from, to })].into(),
            ..Commit::default()
        }
    };
    let forgotten = |secs: i64| Commit {
        forgotten: Some(at(secs)),
        ..Commit::default()
    };
    let one = || lane("checkout/availability", 1);
    let (first, second) = ((Age::Recent, at(0)), (Age::Recent, at(3_600)));
    let day = (Age::Old, at(0));
    for (commit, expected) in [
        (grown(one(), (-7_200, 3_599)), &[first, second, day][..]),
        (grown(one(), (3_600, 7_199)), &[first, second, day]),
        (
            grown(lane("another/one", 1), (-7_200, 3_600)),
            &[first, second, day],
        ),
        (grown(one(), (3_599, 3_600)), &[second, day]),
        (forgotten(7_199), &[second, day]),
        (forgotten(7_200), &[day]),
        (forgotten(86_400), &[]),
    ] {
        store.commit(&commit).await.unwrap();
        let left = store.recover(Timestamp::EARLIEST).await.unwrap().chunks;
        let left: Vec<_> = left.keys().map(|(_, key)| (key.age, key.start)).collect();
        assert_eq!(left, expected, "{commit:?}");
    }

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
    assert_eq!(
        codes(store.recover(Timestamp::EARLIEST).await.unwrap()),
        ["500", "503"]
    );
    pending.merge(Commit {
        families: BTreeMap::from([(family_key(), family(3_750, &[("404", cursor(3_750, 1.0))]))]),
        ..Commit::default()
    });
    store.commit(&pending).await.unwrap();
    assert_eq!(
        codes(store.recover(Timestamp::EARLIEST).await.unwrap()),
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
    let left = store.recover(Timestamp::EARLIEST).await.unwrap();
    assert!(nothing(&left));
    assert_eq!(left.families.len(), 1, "its series may count for others");
    // It comes back before the commit that drops it was made.
    let mut pending = everything();
    pending.merge(gone());
    assert_eq!((pending.chunks.len(), pending.alerts.len()), (0, 0));
    pending.merge(newer());
    store.commit(&pending).await.unwrap();
    let left = store.recover(Timestamp::EARLIEST).await.unwrap();
    assert_eq!((left.chunks, left.lanes), (newer().chunks, newer().lanes));
}

async fn the_past_can_be_left_where_it_is_and_read_alone(store: impl Store) {
    let mut commit = everything();
    for slo in ["other/one", "checkout/availability2"] {
        let (start, chunk) = chunk(0, 7);
        commit.chunks.insert((lane(slo, 0), start), chunk);
    }
    store.commit(&commit).await.unwrap();
    let keys = |chunks: BTreeMap<_, _>| -> Vec<(LaneKey, _)> { chunks.into_keys().collect() };
    for (from, left) in [(0, 5), (3_599, 5), (3_600, 2), (7_200, 1), (86_400, 0)] {
        let found = store.recover(at(from)).await.unwrap();
        assert_eq!(keys(found.chunks).len(), left, "after {from}");
        assert_eq!(
            found.lanes, commit.lanes,
            "only chunks are left where they are"
        );
    }
    let (first, second) = ((Age::Recent, at(0)), (Age::Recent, at(3_600)));
    let whole = (Age::Old, at(0));
    for (from, to, expected) in [
        (0, 7_200, &[first, second, whole][..]),
        (0, 3_600, &[first, whole]),
        (3_600, 3_601, &[second, whole]),
        (7_200, 9_000, &[whole]),
        (86_400, 90_000, &[]),
    ] {
        let (from, to) = (at(from), at(to));
        let range = TimeRange { from, to };
        let found = store.past(&meter("checkout/availability"), range).await;
        let mut found = found.unwrap();
        found.sort_by_key(|(_, chunk)| chunk.key());
        assert!(found.iter().all(|(lane, _)| *lane == 1));
        let keys: Vec<_> = found
            .iter()
            .map(|(_, it)| (it.key().age, it.start()))
            .collect();
        assert_eq!(keys, expected, "{range:?}");
        for (lane, chunk) in found {
            let kept = &commit.chunks[&(self::lane("checkout/availability", lane), chunk.key())];
            assert_eq!(chunk, *kept);
        }
    }
}

async fn what_was_kept_before_indicators_were_told_apart_is_claimed_once(store: impl Store) {
    let before = |slo: &str, number| LaneKey {
        meter: MeterKey {
            indicator: Fingerprint::UNKNOWN,
            ..meter(slo)
        },
        lane: number,
    };
    let mut kept = Commit::default();
    for slo in ["a/one", "b/one"] {
        for (start, chunk) in [chunk(0, 7), day(3)] {
            kept.chunks.insert((before(slo, 0), start), chunk);
        }
        kept.lanes.insert(before(slo, 1), settled(60));
    }
    store.commit(&kept).await.unwrap();
    let mine = meter("a/one");
    let mut claim = Commit {
        claims: [(mine.slo.clone(), mine.indicator)].into(),
        ..Commit::default()
    };
    claim.lanes.insert(lane("a/one", 0), settled(90));
    for _ in 0..2 {
        store.commit(&claim).await.unwrap();
        let found = store.recover(Timestamp::EARLIEST).await.unwrap();
        let chunks = |meter: &MeterKey| {
            found
                .chunks
                .keys()
                .filter(|(it, _)| it.meter == *meter)
                .count()
        };
        let other = before("b/one", 0).meter;
        assert_eq!(
            [chunks(&mine), chunks(&other), found.chunks.len()],
            [2, 2, 4]
        );
        let lanes = |meter: &MeterKey| found.lanes.keys().filter(|it| it.meter == *meter).count();
        assert_eq!([lanes(&mine), lanes(&other)], [2, 1]);
    }
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
    let closed = store.recover(Timestamp::EARLIEST).await.unwrap().closed;
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
        commit.lanes.insert(lane(&name(n), 1), settled(n));
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
    assert_eq!(
        store.recover(Timestamp::EARLIEST).await.unwrap(),
        expected(commit)
    );
    let mut dropping = family(60, &[]);
    dropping.dropped = (0..1_203).map(|n| labels(&n.to_string())).collect();
    let families = BTreeMap::from([(family_key(), dropping)]);
    let commit = Commit {
        families,
        ..Commit::default()
    };
    store.commit(&commit).await.unwrap();
    assert!(
        store.recover(Timestamp::EARLIEST).await.unwrap().families[&family_key()]
            .cursors
            .is_empty()
    );
}
