//! What every store must do: each case runs over the one in memory, also behind a bridge, and the one on disk.

use std::sync::Arc;

use crate::domain::incident::Change;

use super::commit::Commit;
use super::fixtures::{at, burn, key};
use super::{OutboxRow, Store};

/// Makes three tests of each case: one for each store, and one for what carries over a store that fails.
macro_rules! over_all_stores {
    ($($case:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::store::memory::MemoryStore::default()).await;
            })*
        }

        mod bridge {
            $(#[tokio::test]
            async fn $case() {
                let store = crate::store::memory::MemoryStore::default();
                let store = crate::store::bridge::Bridge::over(std::sync::Arc::new(store));
                super::$case(store).await;
            })*
        }

        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("store.db");
                let opened = crate::store::sqlite::SqliteStore::open(&path, crate::store::fixtures::at(0)).await.unwrap();
                assert_eq!(opened.quarantined, None);
                super::$case(opened.store).await;
            })*
        }
    };
}

mod commits;
mod deliveries;

/// The rows that are due, as `incident receiver sequence`.
async fn due(store: &impl Store, now: i64) -> String {
    let rows = store.due(at(now)).await.unwrap();
    shown(&rows)
}

fn shown(rows: &[OutboxRow]) -> String {
    let row = |row: &OutboxRow| {
        assert_eq!(row.notice.sequence, row.key.sequence);
        format!(
            "{} {} {}",
            row.key.incident, row.key.receiver, row.key.sequence
        )
    };
    rows.iter().map(row).collect::<Vec<_>>().join(", ")
}

/// A commit that tells each `(incident, receiver, sequence)`.
fn telling(rows: &[(&str, &str, u32)]) -> Commit {
    let notice = |(incident, receiver, sequence): &(&str, &str, u32)| {
        let notice = burn(incident, *sequence, Change::Reminded, 1.0);
        (key(incident, receiver, *sequence), Arc::new(notice))
    };
    Commit {
        outbox: rows.iter().map(notice).collect(),
        ..Commit::default()
    }
}
