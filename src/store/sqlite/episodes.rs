//! Open alerts that are not about a budget: a row for each, under what it is about.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use crate::domain::slo::{SloId, SourceName};
use crate::domain::time::Timestamp;

use super::super::commit::{Commit, Episode, EpisodeKey};
use super::super::record::{Record, Unreadable};
use super::error::unreadable;
use super::read::{Connection, from_record};
use super::write::to_record;

/// The kind of those of groups that are refused; where measurements end, it is how they do.
const REFUSED: &str = "refused";

/// The kind of that of ticks that were passed over.
const PASSED_OVER: &str = "passedOver";

/// Kind, subject and when it was told, which is 0 for those that are alone in their kind.
type Columns = (String, String, i64);

fn columns(key: &EpisodeKey) -> Columns {
    match key {
        EpisodeKey::Unmeasured {
            source,
            outcome,
            opened,
        } => (outcome.to_json(), source.to_string(), opened.as_millis()),
        EpisodeKey::Refused(slo) => (REFUSED.to_owned(), slo.to_string(), 0),
        EpisodeKey::PassedOver => (PASSED_OVER.to_owned(), String::new(), 0),
    }
}

fn key((kind, subject, opened): Columns) -> Result<EpisodeKey, Unreadable> {
    Ok(match kind.as_str() {
        REFUSED => EpisodeKey::Refused(SloId::new(subject)),
        PASSED_OVER => EpisodeKey::PassedOver,
        _ => EpisodeKey::Unmeasured {
            source: SourceName::new(subject),
            outcome: Record::from_json(kind)?,
            opened: Timestamp::from_millis(opened),
        },
    })
}

pub(super) async fn write(
    connection: &mut SqliteConnection,
    commit: &Commit,
) -> Result<(), sqlx::Error> {
    for (key, episode) in &commit.episodes {
        let statement = match episode {
            None => {
                sqlx::query("DELETE FROM episodes WHERE kind = $1 AND subject = $2 AND opened = $3")
            }
            Some(_) => sqlx::query(
                "INSERT INTO episodes (kind, subject, opened, record) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (kind, subject, opened) DO UPDATE SET record = excluded.record",
            ),
        };
        let (kind, subject, opened) = columns(key);
        let statement = statement.bind(kind).bind(subject).bind(opened);
        let statement = match episode {
            None => statement,
            Some(episode) => statement.bind(to_record(episode)?),
        };
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn read(
    connection: &mut Connection,
) -> Result<BTreeMap<EpisodeKey, Episode>, sqlx::Error> {
    let rows: Vec<(String, String, i64, String)> =
        sqlx::query_as("SELECT kind, subject, opened, record FROM episodes")
            .fetch_all(connection)
            .await?;
    let episode = |(kind, subject, opened, record): (String, String, i64, String)| {
        let what = || format!("alert `{kind}` of `{subject}`");
        let episode = from_record(&record, what)?;
        let key = key((kind.clone(), subject.clone(), opened));
        Ok((key.map_err(|error| unreadable(what(), error))?, episode))
    };
    rows.into_iter().map(episode).collect()
}
