//! A store that is damaged, in use or locked.

use std::fs;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::support::inbox::Inbox;
use crate::support::lying_prometheus::LyingPrometheus;
use crate::support::shop::{
    assert_nothing_is_lost, daemon, logged, pages, plain, slo, until, webhook,
};

#[tokio::test]
async fn a_damaged_store_is_set_aside_and_the_daemon_runs() {
    let prometheus = LyingPrometheus::start().await.expect("a free port");
    let inbox = Inbox::start().await;
    let mut daemon = daemon(&prometheus, &webhook("hook", &inbox.url()), &[]);
    let damaged = [b"SQLite format 3\0".as_slice(), &[0xa5; 8_192]].concat();
    fs::write(daemon.folder().join("sloburn.db"), &damaged).expect("a file can be written");
    daemon.start().await;
    let status = until(&daemon, "/api/v1/status", "anything", |_| true).await;
    let notice = status["store"]["notice"].as_str().expect("a notice");
    insta::assert_snapshot!(plain(notice, &daemon), @r#"
the store was damaged and set aside as `sloburn.db.corrupt-TIME`; budgets begin anew, and what was told before may be told again
"#);
    assert!(daemon.log().contains(notice), "{}", daemon.log());
    let set_aside = fs::read_dir(daemon.folder())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let set_aside: Vec<_> = set_aside
        .filter(|path| path.to_string_lossy().contains(".corrupt-"))
        .collect();
    assert_eq!(set_aside.len(), 1, "{set_aside:?}");
    assert_eq!(
        fs::read(&set_aside[0]).expect("a file"),
        damaged,
        "it can still be looked at"
    );
    let paging = slo(&daemon, "a page", pages).await;
    assert_nothing_is_lost("damaged", &paging, &prometheus);
}

/// Longer than a commit waits for a lock, so that one fails.
#[tokio::test]
async fn a_commit_that_meets_a_lock_is_tried_again_and_nothing_is_lost() {
    let prometheus = LyingPrometheus::start().await.expect("a free port");
    let inbox = Inbox::start().await;
    let mut daemon = daemon(&prometheus, &webhook("hook", &inbox.url()), &[]);
    daemon.start().await;
    slo(&daemon, "a page", pages).await;
    let options = SqliteConnectOptions::new().filename(daemon.folder().join("sloburn.db"));
    let mut other = options.connect().await.expect("the store can be opened");
    let lock = other
        .begin_with("BEGIN IMMEDIATE")
        .await
        .expect("the store can be locked");
    let status = until(
        &daemon,
        "/api/v1/status",
        "that the store is locked",
        |status| !status["store"]["error"].is_null(),
    )
    .await;
    let error = status["store"]["error"].as_str().expect("a sentence");
    insta::assert_snapshot!(plain(error, &daemon), @r#"
cannot write to the store at `sloburn.db`: another program holds a lock on it (an open `sqlite3`?); end that program
"#);
    lock.rollback().await.expect("a lock can be let go");
    other.close().await.expect("a connection can be closed");
    until(&daemon, "/api/v1/status", "that it is not", |status| {
        status["store"]["error"].is_null()
    })
    .await;
    insta::assert_snapshot!(logged(&daemon, "the store ").join("\n"), @r#"
TIME ERROR cannot write to the store at `sloburn.db`: another program holds a lock on it (an open `sqlite3`?); end that program; the commit is tried again with the next tick, and alerts are told from memory meanwhile cause="error returned from database: (code: 5) database is locked"
TIME  INFO the store takes commits again; nothing was lost
"#);
    let mut after = slo(&daemon, "a page", pages).await;
    assert_nothing_is_lost("locked", &after, &prometheus);
    // What is on disk must be enough, too.
    daemon.kill();
    daemon.start().await;
    after = slo(&daemon, "a page", pages).await;
    assert_nothing_is_lost("killed", &after, &prometheus);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(inbox.types(), ["incident.opened"]);
}
