//! The file: what survives, who may have it, and what is said when something is wrong with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use tempfile::TempDir;

use super::super::commit::{EpisodeKey, LaneKey, LaneRecord};
use super::super::fixtures::{at, episode, episode_key, everything, meter};
use super::*;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::measurement::Outcome;
use crate::ledger::chunk::Age;

/// 2026-01-02T03:04:05Z
const NOW: Timestamp = Timestamp::from_millis(1_767_323_045_000);

async fn open(path: &Path) -> Opened {
    open::open(path, NOW, Duration::from_millis(50))
        .await
        .unwrap()
}

async fn refusal(path: &Path) -> StoreError {
    match open::open(path, NOW, Duration::from_millis(50)).await {
        Ok(opened) => panic!("{opened:?}"),
        Err(error) => error,
    }
}

/// A folder with a store that holds [`everything`], closed.
async fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sloburn.db");
    let store = open(&path).await.store;
    store.commit(&everything()).await.unwrap();
    store.close().await.unwrap();
    (folder, path)
}

/// A sentence without the place of the test's folder.
fn shown(error: &StoreError, folder: &TempDir) -> String {
    error
        .to_string()
        .replace(&folder.path().display().to_string(), "DIR")
}

async fn execute(path: &Path, sql: &'static str) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = options.create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection
}

/// Overwrites all but the first `kept` bytes.
fn scribble(path: &Path, kept: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[kept..].fill(0xaa);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_commit_is_synced_to_the_log_before_it_returns() {
    let (_folder, path) = folder().await;
    let store = open(&path).await.store;
    let mut writer = store.writer.lock().await;
    let connection = writer.connection().await.unwrap();
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!((mode.as_str(), synchronous), ("wal", 2));
}

#[tokio::test]
async fn what_was_committed_survives_a_kill() {
    let (folder, path) = folder().await;
    let store = open(&path).await.store;
    let mut newer = everything();
    newer.chunks.clear();
    newer
        .lanes
        .values_mut()
        .for_each(|record| record.settled_to = at(9_999));
    store.commit(&newer).await.unwrap();
    let expected = store.recover(Timestamp::EARLIEST).await.unwrap();
    // A second commit is under way: its transaction is open.
    let mut writer = store.writer.lock().await;
    let connection = writer.connection().await.unwrap();
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::raw_sql("DELETE FROM lanes; DELETE FROM outbox")
        .execute(&mut *transaction)
        .await
        .unwrap();
    // What is in the files now is what a new process would find.
    let copy = folder.path().join("copy.db");
    for suffix in ["", "-wal"] {
        fs::copy(open::beside(&path, suffix), open::beside(&copy, suffix)).unwrap();
    }
    let survivor = open(&copy).await;
    assert_eq!(survivor.quarantined, None);
    assert_eq!(
        survivor.store.recover(Timestamp::EARLIEST).await.unwrap(),
        expected
    );
    assert_eq!(survivor.store.due(at(90)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_store_that_is_dropped_mid_way_opens_again() {
    let (_folder, path) = folder().await;
    let store = open(&path).await.store;
    let mut more = everything();
    more.lanes
        .values_mut()
        .for_each(|record| record.settled_to = at(9_999));
    let abandoned = tokio::time::timeout(Duration::from_micros(300), store.commit(&more)).await;
    drop(store);
    let store = open(&path).await.store;
    let found = store.recover(Timestamp::EARLIEST).await.unwrap().lanes;
    let whole = found == more.lanes || found == everything().lanes;
    assert!(
        whole && (abandoned.is_err() || found == more.lanes),
        "{found:?}"
    );
    store.commit(&more).await.unwrap();
    assert_eq!(
        store.recover(Timestamp::EARLIEST).await.unwrap().lanes,
        more.lanes
    );
}

#[tokio::test]
async fn a_commit_that_was_given_up_half_way_does_not_block_the_next() {
    let (_folder, path) = folder().await;
    let store = open(&path).await.store;
    for micros in [0, 100, 200, 400, 800, 1_600] {
        let commit = everything();
        let write = store.commit(&commit);
        let given_up = tokio::time::timeout(Duration::from_micros(micros), write).await;
        store.commit(&everything()).await.unwrap();
        drop(given_up);
    }
    assert_eq!(store.due(at(90)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_second_process_is_told_who_has_the_store() {
    let (folder, path) = folder().await;
    let first = open(&path).await.store;
    insta::assert_snapshot!(shown(&refusal(&path).await, &folder), @"the store at `DIR/sloburn.db` is in use by another process; stop it, or give this one its own with `--store`");
    first.commit(&everything()).await.unwrap();
    drop(first);
    open(&path).await;
}

#[tokio::test]
async fn a_lock_of_another_program_fails_the_commit_and_loses_nothing() {
    let (folder, path) = folder().await;
    let store = open(&path).await.store;
    let other = execute(&path, "BEGIN IMMEDIATE").await;
    let commit = everything();
    insta::assert_snapshot!(shown(&store.commit(&commit).await.unwrap_err(), &folder), @"cannot write to the store at `DIR/sloburn.db`: another program holds a lock on it (an open `sqlite3`?); end that program");
    let key = commit.outbox.keys().next().unwrap();
    let attempt = Attempt::Accepted {
        at: at(1),
        memory: None,
        done: true,
    };
    insta::assert_snapshot!(shown(&store.record(key, &attempt).await.unwrap_err(), &folder), @"cannot record a delivery in the store at `DIR/sloburn.db`: another program holds a lock on it (an open `sqlite3`?); end that program");
    assert_eq!(
        store.recover(Timestamp::EARLIEST).await.unwrap().lanes,
        commit.lanes,
        "reading goes on"
    );
    drop(other);
    store.record(key, &attempt).await.unwrap();
    store.commit(&commit).await.unwrap();
    assert_eq!(store.due(at(90)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_full_disk_fails_the_commit_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sloburn.db");
    let store = open(&path).await.store;
    let pages = async |sql: &'static str| {
        let mut writer = store.writer.lock().await;
        let connection = writer.connection().await.unwrap();
        sqlx::raw_sql(sql).execute(connection).await.unwrap();
    };
    pages("PRAGMA max_page_count = 1").await;
    let mut big = everything();
    for notice in big.outbox.values_mut() {
        std::sync::Arc::make_mut(notice)
            .labels
            .insert("text".to_owned(), "x".repeat(100_000));
    }
    let full = store.commit(&big).await.unwrap_err();
    insta::assert_snapshot!(shown(&full, &folder), @"cannot write to the store at `DIR/sloburn.db`: the disk is full; free some space");
    assert_eq!(
        store.recover(Timestamp::EARLIEST).await.unwrap(),
        Recovered::default(),
        "all or nothing"
    );
    pages("PRAGMA max_page_count = 1000000").await;
    store.commit(&big).await.unwrap();
    assert_eq!(store.due(at(90)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_a_new_one_begun() {
    for damage in ["lost header", "torn header", "torn pages", "cut off"] {
        let (folder, path) = folder().await;
        match damage {
            "lost header" => fs::write(&path, vec![0; 4_096 * 5]).unwrap(),
            "torn header" => scribble(&path, 50),
            "torn pages" => scribble(&path, 4_096 * 3),
            _ => fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_len(4_096 * 5)
                .unwrap(),
        }
        let before = fs::read(&path).unwrap();
        let opened = open(&path).await;
        let place = folder.path().join("sloburn.db.corrupt-20260102T030405Z");
        assert_eq!(opened.quarantined.as_ref(), Some(&place), "{damage}");
        assert_eq!(fs::read(&place).unwrap(), before, "{damage}");
        assert_eq!(
            opened.store.recover(Timestamp::EARLIEST).await.unwrap(),
            Recovered::default(),
            "{damage}"
        );
        opened.store.commit(&everything()).await.unwrap();
        opened.store.close().await.unwrap();
        drop(opened);
        let again = open(&path).await;
        assert_eq!(again.quarantined, None, "{damage}");
        assert_eq!(again.store.due(at(90)).await.unwrap().len(), 2, "{damage}");
    }
}

#[tokio::test]
async fn damage_that_shows_at_run_time_says_what_to_do() {
    let (folder, path) = folder().await;
    let opened = open(&path).await;
    scribble(&path, 4_096);
    let error = opened.store.recover(Timestamp::EARLIEST).await.unwrap_err();
    insta::assert_snapshot!(shown(&error, &folder), @"cannot read the store at `DIR/sloburn.db`: the file is damaged; restart this program: it sets the damaged file aside and begins a new one");
    drop(opened);
    assert!(open(&path).await.quarantined.is_some());
}

#[tokio::test]
async fn files_of_others_and_of_newer_versions_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("grafana.db");
    execute(&foreign, "CREATE TABLE dashboards (id INTEGER)")
        .await
        .close()
        .await
        .unwrap();
    let marked = folder.path().join("marked.db");
    execute(&marked, "PRAGMA application_id = 7")
        .await
        .close()
        .await
        .unwrap();
    let (newer_folder, newer) = self::folder().await;
    let raise = "UPDATE meta SET value = 9 WHERE name = 'schema_version'";
    execute(&newer, raise).await.close().await.unwrap();
    let text = folder.path().join("checkout.yaml");
    fs::write(&text, "definitions: [slo-definitions]\n".repeat(100)).unwrap();
    let mut told = Vec::new();
    for (path, folder) in [
        (&text, &folder),
        (&foreign, &folder),
        (&marked, &folder),
        (&newer, &newer_folder),
    ] {
        let before = fs::read(path).unwrap();
        told.push(shown(&refusal(path).await, folder));
        assert!(fs::read(path).unwrap() == before, "{}", path.display());
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    cannot open the store at `DIR/checkout.yaml`: the file is no database; choose another place with `--store`
    cannot open the store at `DIR/grafana.db`: the file is the database of another program; choose another place with `--store`
    cannot open the store at `DIR/marked.db`: the file is the database of another program; choose another place with `--store`
    cannot open the store at `DIR/sloburn.db`: it was written by a newer version of this program (tables 9, this one knows 8); run that version, or give this one its own store with `--store`
    ");
}

/// The tables as version 3 had them, with what is there now.
const BACK_TO_3: &str = "
DROP TABLE seen; DROP TABLE versions; DROP TABLE known_groups; DROP TABLE falls;
ALTER TABLE families DROP COLUMN summed_every;
CREATE TABLE chunks_3 (
    slo TEXT NOT NULL, lane INTEGER NOT NULL, start INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (slo, lane, start)
) STRICT;
INSERT INTO chunks_3 SELECT slo, lane, start, data FROM chunks;
DROP TABLE chunks; ALTER TABLE chunks_3 RENAME TO chunks;
CREATE TABLE days_3 (
    slo TEXT NOT NULL, lane INTEGER NOT NULL, start INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (slo, lane, start)
) STRICT;
INSERT INTO days_3 SELECT slo, lane, start, data FROM days;
DROP TABLE days; ALTER TABLE days_3 RENAME TO days;
CREATE TABLE lanes_3 (
    slo TEXT NOT NULL, lane INTEGER NOT NULL, settled_to INTEGER NOT NULL,
    PRIMARY KEY (slo, lane)
) STRICT, WITHOUT ROWID;
INSERT INTO lanes_3 SELECT slo, lane, settled_to FROM lanes;
DROP TABLE lanes; ALTER TABLE lanes_3 RENAME TO lanes;
CREATE TABLE episodes_3 (
    source TEXT NOT NULL, outcome TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (source, outcome)
) STRICT, WITHOUT ROWID;
INSERT INTO episodes_3 SELECT subject, kind, record FROM episodes WHERE kind NOT IN ('refused', 'passedOver');
DROP TABLE episodes; ALTER TABLE episodes_3 RENAME TO episodes;
UPDATE walks SET record = json_remove(record, '$.lanes[0].indicator', '$.behind');
UPDATE meta SET value = 3 WHERE name = 'schema_version';
";

#[tokio::test]
async fn stores_of_earlier_versions_are_taken_over_whole() {
    let first = "DROP TABLE days; DROP TABLE walks; UPDATE meta SET value = 1 WHERE name = 'schema_version'";
    for (back, ages) in [(&[BACK_TO_3][..], 2), (&[BACK_TO_3, first], 1)] {
        let (_folder, path) = folder().await;
        for step in back {
            execute(&path, step).await.close().await.unwrap();
        }
        let store = open(&path).await.store;
        let found = store.recover(Timestamp::EARLIEST).await.unwrap();
        // Nobody said by which indicator it was counted.
        let unknown = |lane: &LaneKey| LaneKey {
            meter: MeterKey {
                indicator: Fingerprint::UNKNOWN,
                ..lane.meter.clone()
            },
            lane: lane.lane,
        };
        let kept = everything().chunks.into_iter();
        let kept = kept.filter(|((_, key), _)| key.age == Age::Recent || ages == 2);
        let expected: BTreeMap<_, _> = kept
            .map(|((lane, key), chunk)| ((unknown(&lane), key), chunk))
            .collect();
        assert_eq!(found.chunks, expected);
        for (lane, record) in &everything().lanes {
            let settled_to = record.settled_to;
            let covered_to = Some(settled_to);
            let kept = LaneRecord {
                settled_to,
                covered_to,
                reach: None,
            };
            assert_eq!(found.lanes[&unknown(lane)], kept);
        }
        for walk in found.walks.values() {
            assert_eq!(walk.lanes, [unknown(&everything_walked())]);
            assert!(walk.behind.is_empty(), "earlier versions did not keep it");
        }
        let blind = episode_key(Outcome::Failed, 2);
        let episodes: Vec<&EpisodeKey> = found.episodes.keys().collect();
        assert_eq!(episodes, [&blind], "earlier versions knew no others");
        assert_eq!(found.episodes[&blind], episode("blind"));
        let meter = meter("checkout/availability");
        let claim = Commit {
            claims: [(meter.slo.clone(), meter.indicator)].into(),
            ..Commit::default()
        };
        store.commit(&claim).await.unwrap();
        store.commit(&everything()).await.unwrap();
        let found = store.recover(Timestamp::EARLIEST).await.unwrap();
        assert_eq!(found.chunks, everything().chunks);
        assert_eq!(found.lanes, everything().lanes);
    }
}

fn everything_walked() -> LaneKey {
    everything()
        .walks
        .into_values()
        .next()
        .unwrap()
        .lanes
        .remove(0)
}

#[tokio::test]
async fn a_place_that_cannot_be_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let mut told = Vec::new();
    for place in ["", "missing/sloburn.db", "file/sloburn.db"] {
        let path = folder.path().join(place);
        told.push(shown(&refusal(&path).await, &folder));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    cannot open the store at `DIR/`: it is a folder; name a file in it, such as `DIR/sloburn.db`
    cannot open the store at `DIR/missing/sloburn.db`: its folder does not exist; create it, or choose another place with `--store`
    cannot open the store at `DIR/file/sloburn.db`: a file is where its folder should be; choose another place with `--store`
    ");
}

#[tokio::test]
async fn a_record_that_means_nothing_is_named() {
    let (folder, path) = folder().await;
    let sql = "UPDATE alerts SET state = replace(state, 'page', 'loud')";
    execute(&path, sql).await.close().await.unwrap();
    let error = open(&path)
        .await
        .store
        .recover(Timestamp::EARLIEST)
        .await
        .unwrap_err();
    let cause = error.source.as_ref().unwrap().to_string();
    insta::assert_snapshot!(format!("{}\n{cause}", shown(&error, &folder)), @"
    cannot read the store at `DIR/sloburn.db`: a record in it means nothing to this version; run the version that wrote it, or move the file away to begin a new one
    error occurred while decoding column alert state of `checkout/availability`: the record holds `loud`, which is not known
    ");
}

#[tokio::test]
async fn after_an_error_of_the_disk_the_writer_connects_anew() {
    let (_folder, path) = folder().await;
    let store = open(&path).await.store;
    let mut writer = store.writer.lock().await;
    let failed: Result<(), _> = Err(sqlx::Error::RowNotFound);
    assert!(writer.after(failed).is_err() && writer.connection.is_some());
    let failed: Result<(), _> = Err(sqlx::Error::Io(io::ErrorKind::Other.into()));
    assert!(writer.after(failed).is_err() && writer.connection.is_none());
    writer.commit(&everything()).await.unwrap();
}
