//! Everything that was committed, for a start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::SqlitePool;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{AlertState, Incident};
use crate::domain::labels::Labels;
use crate::domain::slo::{SloId, SourceName};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::domain::versions::{Version, Versions};
use crate::ledger::chunk::{Age, Chunk, ChunkKey};
use crate::series::births::Target;
use crate::series::cursor::Cursor;

use super::super::chunk_codec;
use super::super::commit::{
    FamilyKey, FamilyRecord, GroupRecord, LaneKey, LaneRecord, MeterKey, Recovered, WalkKey,
    WalkRecord,
};
use super::super::record::{self, Record};
use super::super::{CLOSED_KEPT, PastChunks};
use super::episodes;
use super::error::unreadable;
use super::schema::chunk_table;

pub(super) async fn recover(pool: &SqlitePool, from: Timestamp) -> Result<Recovered, sqlx::Error> {
    // One transaction sees one state, whatever is committed meanwhile.
    let mut transaction = pool.begin().await?;
    let connection = &mut *transaction;
    Ok(Recovered {
        chunks: chunks(connection, from).await?,
        lanes: lanes(connection).await?,
        seen: seen(connection).await?,
        versions: versions(connection).await?,
        families: families(connection).await?,
        walks: walks(connection).await?,
        groups: groups(connection).await?,
        alerts: alerts(connection).await?,
        closed: closed(connection).await?,
        episodes: episodes::read(connection).await?,
    })
}

/// The value of a record; `what` names it when it cannot be read.
pub(super) fn from_record<T: Record>(
    text: &str,
    what: impl FnOnce() -> String,
) -> Result<T, sqlx::Error> {
    record::read(text).map_err(|error| unreadable(what(), error))
}

pub(super) type Connection = sqlx::SqliteConnection;

async fn chunks(
    connection: &mut Connection,
    from: Timestamp,
) -> Result<BTreeMap<(LaneKey, ChunkKey), Arc<Chunk>>, sqlx::Error> {
    let mut chunks = BTreeMap::new();
    for age in [Age::Old, Age::Recent] {
        let rows: Vec<(String, i64, u16, i64, Vec<u8>)> = sqlx::query_as(chunk_table(age).select)
            .bind(last_start(age, from))
            .fetch_all(&mut *connection)
            .await?;
        for (slo, indicator, lane, start, data) in rows {
            let meter = meter(slo, indicator);
            let (key, chunk) = chunk(&meter.slo, age, start, &data)?;
            chunks.insert((LaneKey { meter, lane }, key), chunk);
        }
    }
    Ok(chunks)
}

/// The chunks of one meter that reach into a range, old ones first.
pub(super) async fn past(
    pool: &SqlitePool,
    meter: &MeterKey,
    range: TimeRange,
) -> Result<PastChunks, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let mut chunks = Vec::new();
    for age in [Age::Old, Age::Recent] {
        let rows: Vec<(u16, i64, Vec<u8>)> = sqlx::query_as(chunk_table(age).past)
            .bind(meter.slo.as_str())
            .bind(meter.indicator.bits().cast_signed())
            .bind(last_start(age, range.from))
            .bind(range.to.as_millis())
            .fetch_all(&mut *transaction)
            .await?;
        for (lane, start, data) in rows {
            chunks.push((lane, chunk(&meter.slo, age, start, &data)?.1));
        }
    }
    Ok(chunks)
}

/// Chunks that start at or before this end at or before `from`.
fn last_start(age: Age, from: Timestamp) -> i64 {
    (from - age.length()).as_millis()
}

fn chunk(
    slo: &SloId,
    age: Age,
    start: i64,
    data: &[u8],
) -> Result<(ChunkKey, Arc<Chunk>), sqlx::Error> {
    let start = Timestamp::from_millis(start);
    let key = ChunkKey { age, start };
    let chunk = chunk_codec::decode(key, data)
        .map_err(|error| unreadable(format!("slots of `{slo}` after {start}"), error))?;
    Ok((key, Arc::new(chunk)))
}

fn meter(slo: String, indicator: i64) -> MeterKey {
    MeterKey {
        slo: SloId::new(slo),
        indicator: Fingerprint::from_bits(indicator.cast_unsigned()),
    }
}

type LaneRow = (String, i64, u16, i64, Option<i64>, Option<i64>);

async fn lanes(connection: &mut Connection) -> Result<BTreeMap<LaneKey, LaneRecord>, sqlx::Error> {
    let rows: Vec<LaneRow> =
        sqlx::query_as("SELECT slo, indicator, lane, settled_to, covered_to, reach FROM lanes")
            .fetch_all(connection)
            .await?;
    let lane = |(slo, indicator, lane, settled_to, covered_to, reach): LaneRow| {
        let meter = meter(slo, indicator);
        let record = LaneRecord {
            settled_to: Timestamp::from_millis(settled_to),
            covered_to: covered_to.map(Timestamp::from_millis),
            reach: reach.map(Timestamp::from_millis),
        };
        (LaneKey { meter, lane }, record)
    };
    Ok(rows.into_iter().map(lane).collect())
}

async fn seen(connection: &mut Connection) -> Result<BTreeSet<MeterKey>, sqlx::Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT slo, indicator FROM seen")
        .fetch_all(connection)
        .await?;
    let key = |(slo, indicator)| meter(slo, indicator);
    Ok(rows.into_iter().map(key).collect())
}

async fn versions(connection: &mut Connection) -> Result<BTreeMap<SloId, Versions>, sqlx::Error> {
    let rows: Vec<(String, i64, String)> =
        sqlx::query_as("SELECT slo, since, objective FROM versions")
            .fetch_all(connection)
            .await?;
    let mut lists: BTreeMap<SloId, Vec<Version>> = BTreeMap::new();
    for (slo, since, objective) in rows {
        let objective = Record::from_json(objective)
            .map_err(|error| unreadable(format!("what `{slo}` promised"), error))?;
        let from = Timestamp::from_millis(since);
        let list = lists.entry(SloId::new(slo)).or_default();
        list.push(Version { from, objective });
    }
    let versions = |(slo, list)| (slo, Versions::new(list));
    Ok(lists.into_iter().map(versions).collect())
}

type CursorRow = (
    String,
    String,
    String,
    i64,
    Option<f64>,
    i64,
    Option<i64>,
    Option<f64>,
);

async fn families(
    connection: &mut Connection,
) -> Result<BTreeMap<FamilyKey, FamilyRecord>, sqlx::Error> {
    let key = |source: String, metric| FamilyKey {
        source: SourceName::new(source),
        metric,
    };
    let rows: Vec<(String, String, String, i64, Option<i64>)> =
        sqlx::query_as("SELECT source, metric, selector, settled_to, summed_every FROM families")
            .fetch_all(&mut *connection)
            .await?;
    let mut families = BTreeMap::new();
    for (source, metric, selection, settled_to, summed_every) in rows {
        let family = FamilyRecord {
            selection,
            settled_to: Timestamp::from_millis(settled_to),
            summed_every: summed_every.map(Span::from_millis),
            ..FamilyRecord::default()
        };
        families.insert(key(source, metric), family);
    }
    let rows: Vec<(String, String, String, String, i64)> =
        sqlx::query_as("SELECT source, metric, job, instance, at FROM falls")
            .fetch_all(&mut *connection)
            .await?;
    for (source, metric, job, instance, at) in rows {
        if let Some(family) = families.get_mut(&key(source, metric)) {
            let target = Target::new(&job, &instance);
            family.falls.insert(target, Timestamp::from_millis(at));
        }
    }
    let rows: Vec<CursorRow> = sqlx::query_as(
        "SELECT source, metric, labels, at, value, interval, birth_at, birth_value FROM cursors",
    )
    .fetch_all(connection)
    .await?;
    for (source, metric, labels, at, value, interval, birth_at, birth_value) in rows {
        let labels: Labels = from_record(&labels, || format!("labels of `{metric}`"))?;
        let number = |kept: Option<f64>| kept.unwrap_or(f64::NAN);
        let cursor = Cursor {
            at: Timestamp::from_millis(at),
            value: number(value),
            interval: Span::from_millis(interval),
            birth: birth_at.map(|at| (Timestamp::from_millis(at), number(birth_value))),
        };
        if let Some(family) = families.get_mut(&key(source, metric)) {
            family.cursors.insert(labels, cursor);
        }
    }
    Ok(families)
}

async fn walks(connection: &mut Connection) -> Result<BTreeMap<WalkKey, WalkRecord>, sqlx::Error> {
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT id, record FROM walks")
        .fetch_all(connection)
        .await?;
    let walk = |(id, record): (String, String)| {
        let walk = from_record(&record, || format!("the past after `{id}`"))?;
        Ok((WalkKey(id), walk))
    };
    rows.into_iter().map(walk).collect()
}

async fn groups(connection: &mut Connection) -> Result<BTreeMap<SloId, GroupRecord>, sqlx::Error> {
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT slo, record FROM known_groups")
        .fetch_all(connection)
        .await?;
    let groups = |(slo, record): (String, String)| {
        let groups = from_record(&record, || format!("groups of `{slo}`"))?;
        Ok((SloId::new(slo), groups))
    };
    rows.into_iter().map(groups).collect()
}

async fn alerts(connection: &mut Connection) -> Result<BTreeMap<SloId, AlertState>, sqlx::Error> {
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT slo, state FROM alerts")
        .fetch_all(connection)
        .await?;
    let alert = |(slo, state): (String, String)| {
        let state = from_record(&state, || format!("alert state of `{slo}`"))?;
        Ok((SloId::new(slo), state))
    };
    rows.into_iter().map(alert).collect()
}

async fn closed(connection: &mut Connection) -> Result<Vec<Incident>, sqlx::Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, record FROM incidents WHERE closed IS NOT NULL ORDER BY closed DESC, id LIMIT $1",
    )
    .bind(i64::try_from(CLOSED_KEPT).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|(id, record)| from_record(record, || format!("incident {id}")))
        .collect()
}
