//! One commit as one transaction of few statements, each with many rows.

use sqlx::query_builder::Separated;
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection};

use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{AlertState, Change};
use crate::domain::slo::SloId;
use crate::domain::time::{Span, Timestamp};
use crate::ledger::chunk::Age;
use crate::series::cursor::Cursor;

use super::super::chunk_codec;
use super::super::commit::{Commit, FamilyKey, FamilyRecord, LaneKey, LaneRecord, MeterKey};
use super::super::record::{self, Record};
use super::episodes;
use super::error::unwritable;
use super::outbox::set;
use super::schema::{OF_INSTANCE, chunk_table};

/// Rows of one statement; SQLite takes at most 32,766 values.
const ROWS: usize = 500;

/// How long it is remembered when a counter fell: longer than any series is without a sample.
const FALLS_KEPT: Span = Span::from_days(4);

type Row<'a> = Separated<'a, Sqlite, &'static str>;

/// Writes all of a commit or nothing, and returns once it is on disk.
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    commit: &Commit,
) -> Result<(), sqlx::Error> {
    // Taken at once: a transaction that begins by reading may find the file locked when it writes.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    dropped(&mut transaction, commit).await?;
    chunks(&mut transaction, commit).await?;
    lanes(&mut transaction, commit).await?;
    seen(&mut transaction, commit).await?;
    versions(&mut transaction, commit).await?;
    families(&mut transaction, commit).await?;
    walks(&mut transaction, commit).await?;
    groups(&mut transaction, commit).await?;
    alerts(&mut transaction, commit).await?;
    incidents(&mut transaction, commit).await?;
    episodes::write(&mut transaction, commit).await?;
    outbox(&mut transaction, commit).await?;
    for (key, progress) in &commit.deliveries {
        set(&mut transaction, key, progress).await?;
    }
    transaction.commit().await
}

/// `{head} VALUES (…), (…) {tail}`, with as many statements as the rows need.
async fn insert<T: Sync>(
    connection: &mut SqliteConnection,
    head: &'static str,
    rows: &[T],
    tail: &'static str,
    bind: fn(Row<'_>, &T),
) -> Result<(), sqlx::Error> {
    for rows in rows.chunks(ROWS) {
        let mut builder = QueryBuilder::<Sqlite>::new(head);
        builder.push_values(rows, bind);
        builder.push(tail);
        // Statements of every length would drive the ones that come again out of the cache.
        let statement = builder.build().persistent(false);
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) fn to_record<T: Record>(value: &T) -> Result<String, sqlx::Error> {
    record::write(value).map_err(unwritable)
}

/// What is kept of instances that are gone goes before anything else is written.
async fn dropped(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    for slo in &commit.dropped {
        for delete in OF_INSTANCE {
            let delete = sqlx::query(delete).bind(slo.as_str());
            delete.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn chunks(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    for age in [Age::Recent, Age::Old] {
        let table = chunk_table(age);
        for (slo, indicator) in &commit.claims {
            claim(connection, table.claim, slo, *indicator).await?;
        }
        let rows: Vec<(&LaneKey, Timestamp, Vec<u8>)> = commit
            .chunks
            .iter()
            .filter(|((_, key), _)| key.age == age)
            .map(|((lane, key), chunk)| (lane, key.start, chunk_codec::encode(chunk)))
            .collect();
        insert(
            connection,
            table.insert,
            &rows,
            " ON CONFLICT (slo, indicator, lane, start) DO UPDATE SET data = excluded.data",
            |mut row, (lane, start, data)| {
                row.push_bind(lane.meter.slo.as_str())
                    .push_bind(lane.meter.indicator.bits().cast_signed())
                    .push_bind(lane.lane)
                    .push_bind(start.as_millis())
                    .push_bind(data.as_slice());
            },
        )
        .await?;
        if let Some(time) = commit.forgotten {
            sqlx::query(table.forget)
                .bind((time - age.length()).as_millis())
                .execute(&mut *connection)
                .await?;
        }
    }
    for (lane, grown) in &commit.grown {
        sqlx::query(
            "DELETE FROM chunks WHERE slo = $1 AND indicator = $2 AND lane = $3 AND start > $4 AND start <= $5",
        )
        .bind(lane.meter.slo.as_str())
        .bind(lane.meter.indicator.bits().cast_signed())
        .bind(lane.lane)
        .bind((grown.from - Age::Recent.length()).as_millis())
        .bind((grown.to - Age::Recent.length()).as_millis())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn claim(
    connection: &mut SqliteConnection,
    statement: &'static str,
    slo: &SloId,
    indicator: Fingerprint,
) -> Result<(), sqlx::Error> {
    sqlx::query(statement)
        .bind(indicator.bits().cast_signed())
        .bind(slo.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn lanes(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    for (slo, indicator) in &commit.claims {
        let statement =
            "UPDATE OR IGNORE lanes SET indicator = $1 WHERE slo = $2 AND indicator = 0";
        claim(connection, statement, slo, *indicator).await?;
    }
    let rows: Vec<(&LaneKey, &LaneRecord)> = commit.lanes.iter().collect();
    insert(
        connection,
        "INSERT INTO lanes (slo, indicator, lane, settled_to, covered_to, reach) ",
        &rows,
        " ON CONFLICT (slo, indicator, lane) DO UPDATE \
         SET settled_to = excluded.settled_to, covered_to = excluded.covered_to, \
         reach = excluded.reach",
        |mut row, (lane, record)| {
            row.push_bind(lane.meter.slo.as_str())
                .push_bind(lane.meter.indicator.bits().cast_signed())
                .push_bind(lane.lane)
                .push_bind(record.settled_to.as_millis())
                .push_bind(record.covered_to.map(Timestamp::as_millis))
                .push_bind(record.reach.map(Timestamp::as_millis));
        },
    )
    .await
}

async fn seen(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    let rows: Vec<&MeterKey> = commit.seen.iter().collect();
    insert(
        connection,
        "INSERT INTO seen (slo, indicator) ",
        &rows,
        " ON CONFLICT (slo, indicator) DO NOTHING",
        |mut row, meter| {
            row.push_bind(meter.slo.as_str())
                .push_bind(meter.indicator.bits().cast_signed());
        },
    )
    .await
}

/// All versions of an objective take the place of those that were kept.
async fn versions(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    let mut rows: Vec<(&SloId, Timestamp, String)> = Vec::new();
    for (slo, versions) in &commit.versions {
        sqlx::query("DELETE FROM versions WHERE slo = $1")
            .bind(slo.as_str())
            .execute(&mut *connection)
            .await?;
        for version in versions.all() {
            rows.push((slo, version.from, version.objective.to_json()));
        }
    }
    insert(
        connection,
        "INSERT INTO versions (slo, since, objective) ",
        &rows,
        "",
        |mut row, (slo, since, objective)| {
            row.push_bind(slo.as_str())
                .push_bind(since.as_millis())
                .push_bind(objective.as_str());
        },
    )
    .await
}

async fn families(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    let rows: Vec<(&FamilyKey, &FamilyRecord)> = commit.families.iter().collect();
    insert(
        connection,
        "INSERT INTO families (source, metric, selector, settled_to, summed_every) ",
        &rows,
        " ON CONFLICT (source, metric) DO UPDATE \
         SET selector = excluded.selector, settled_to = excluded.settled_to, summed_every = excluded.summed_every",
        |mut row, (key, family)| {
            row.push_bind(key.source.as_str())
                .push_bind(key.metric.as_str())
                .push_bind(family.selection.as_str())
                .push_bind(family.settled_to.as_millis())
                .push_bind(family.summed_every.map(Span::as_millis));
        },
    )
    .await?;
    falls(connection, &rows).await?;
    let (mut dropped, mut kept) = (Vec::new(), Vec::new());
    for (key, family) in rows {
        for labels in &family.dropped {
            dropped.push((key, to_record(labels)?));
        }
        for (labels, cursor) in &family.cursors {
            kept.push((key, to_record(labels)?, cursor));
        }
    }
    insert(
        connection,
        "DELETE FROM cursors WHERE (source, metric, labels) IN (",
        &dropped,
        ")",
        |mut row, (key, labels)| {
            row.push_bind(key.source.as_str())
                .push_bind(key.metric.as_str())
                .push_bind(labels.as_str());
        },
    )
    .await?;
    cursors(connection, &kept).await
}

async fn falls(
    connection: &mut SqliteConnection,
    families: &[(&FamilyKey, &FamilyRecord)],
) -> Result<(), sqlx::Error> {
    let falls = families.iter().flat_map(|(key, family)| {
        let falls = family.falls.iter();
        falls.map(|(target, at)| (*key, target, *at))
    });
    insert(
        connection,
        "INSERT INTO falls (source, metric, job, instance, at) ",
        &falls.collect::<Vec<_>>(),
        " ON CONFLICT (source, metric, job, instance) DO UPDATE SET at = excluded.at",
        |mut row, (key, target, at)| {
            row.push_bind(key.source.as_str())
                .push_bind(key.metric.as_str())
                .push_bind(target.job())
                .push_bind(target.instance())
                .push_bind(at.as_millis());
        },
    )
    .await?;
    for (key, family) in families.iter().filter(|(_, it)| !it.falls.is_empty()) {
        sqlx::query("DELETE FROM falls WHERE source = $1 AND metric = $2 AND at < $3")
            .bind(key.source.as_str())
            .bind(key.metric.as_str())
            .bind((family.settled_to - FALLS_KEPT).as_millis())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn cursors(
    connection: &mut SqliteConnection,
    rows: &[(&FamilyKey, String, &Cursor)],
) -> Result<(), sqlx::Error> {
    insert(
        connection,
        "INSERT INTO cursors (source, metric, labels, at, value, interval, birth_at, birth_value) ",
        rows,
        " ON CONFLICT (source, metric, labels) DO UPDATE SET at = excluded.at, \
         value = excluded.value, interval = excluded.interval, \
         birth_at = excluded.birth_at, birth_value = excluded.birth_value",
        |mut row, (key, labels, cursor)| {
            row.push_bind(key.source.as_str())
                .push_bind(key.metric.as_str())
                .push_bind(labels.as_str())
                .push_bind(cursor.at.as_millis())
                .push_bind(cursor.value)
                .push_bind(cursor.interval.as_millis())
                .push_bind(cursor.birth.map(|(at, _)| at.as_millis()))
                .push_bind(cursor.birth.map(|(_, value)| value));
        },
    )
    .await
}

async fn walks(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    let mut rows = Vec::new();
    for (key, walk) in &commit.walks {
        rows.push((key, to_record(walk)?));
    }
    insert(
        connection,
        "INSERT INTO walks (id, record) ",
        &rows,
        " ON CONFLICT (id) DO UPDATE SET record = excluded.record",
        |mut row, (key, record)| {
            row.push_bind(key.0.as_str()).push_bind(record.as_str());
        },
    )
    .await
}

async fn groups(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    let mut rows = Vec::new();
    for (slo, groups) in &commit.groups {
        rows.push((slo, to_record(groups)?));
    }
    insert(
        connection,
        "INSERT INTO known_groups (slo, record) ",
        &rows,
        " ON CONFLICT (slo) DO UPDATE SET record = excluded.record",
        |mut row, (slo, record)| {
            row.push_bind(slo.as_str()).push_bind(record.as_str());
        },
    )
    .await
}

async fn alerts(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    let quiet = AlertState::default();
    let mut rows: Vec<(&SloId, String)> = Vec::new();
    for (slo, state) in &commit.alerts {
        if *state == quiet {
            sqlx::query("DELETE FROM alerts WHERE slo = $1")
                .bind(slo.as_str())
                .execute(&mut *connection)
                .await?;
        } else {
            rows.push((slo, to_record(state)?));
        }
    }
    insert(
        connection,
        "INSERT INTO alerts (slo, state) ",
        &rows,
        " ON CONFLICT (slo) DO UPDATE SET state = excluded.state",
        |mut row, (slo, state)| {
            row.push_bind(slo.as_str()).push_bind(state.as_str());
        },
    )
    .await
}

async fn incidents(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    let mut rows = Vec::new();
    for incident in commit.incidents.values() {
        rows.push((incident, to_record(incident)?));
    }
    insert(
        connection,
        "INSERT INTO incidents (id, slo, opened, closed, record) ",
        &rows,
        " ON CONFLICT (id) DO UPDATE SET closed = excluded.closed, record = excluded.record",
        |mut row, (incident, record)| {
            row.push_bind(incident.id.as_str())
                .push_bind(incident.slo.as_str())
                .push_bind(incident.opened.as_millis())
                .push_bind(incident.closed.map(Timestamp::as_millis))
                .push_bind(record.as_str());
        },
    )
    .await
}

/// A row that is there already stays as it is: it may have been delivered since.
async fn outbox(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    let mut rows = Vec::new();
    for (key, notice) in &commit.outbox {
        rows.push((key, notice, to_record(&**notice)?));
    }
    insert(
        connection,
        "INSERT INTO outbox (incident, receiver, sequence, notice, at, closes) ",
        &rows,
        " ON CONFLICT (incident, receiver, sequence) DO NOTHING",
        |mut row, (key, notice, record)| {
            row.push_bind(key.incident.as_str())
                .push_bind(key.receiver.as_str())
                .push_bind(key.sequence)
                .push_bind(record.as_str())
                .push_bind(notice.at.as_millis())
                .push_bind(matches!(notice.change, Change::Closed(_)));
        },
    )
    .await
}
