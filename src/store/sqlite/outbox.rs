//! What waits to be delivered, and how deliveries went.

use sqlx::{Connection as _, SqliteConnection, SqlitePool};

use crate::domain::incident::IncidentId;
use crate::domain::time::Timestamp;

use super::super::commit::Progress;
use super::super::outbox::{Waiting, backlog};
use super::super::{Attempt, Backlog, OutboxKey, OutboxRow};
use super::read::from_record;

/// Incident, receiver, sequence, notice, step, attempts, memory, delivered.
type Row = (
    String,
    String,
    u32,
    String,
    u32,
    u32,
    Option<String>,
    Option<i64>,
);

fn row(row: Row) -> Result<OutboxRow, sqlx::Error> {
    let (incident, receiver, sequence, notice, step, attempts, memory, delivered) = row;
    let notice = from_record(&notice, || {
        format!("notice {sequence} of incident {incident} for `{receiver}`")
    })?;
    Ok(OutboxRow {
        key: OutboxKey {
            incident: IncidentId::from_text(incident),
            receiver,
            sequence,
        },
        notice,
        step,
        attempts,
        memory,
        delivered: delivered.map(Timestamp::from_millis),
    })
}

pub(super) async fn due(
    readers: &SqlitePool,
    now: Timestamp,
) -> Result<Vec<OutboxRow>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT o.incident, o.receiver, o.sequence, notice, step, attempts, memory, delivered_at
        FROM outbox o LEFT JOIN memories USING (incident, receiver)
        WHERE delivered_at IS NULL AND next_at <= $1 AND NOT EXISTS (
            SELECT 1 FROM outbox earlier
            WHERE earlier.incident = o.incident AND earlier.receiver = o.receiver
                AND earlier.delivered_at IS NULL AND earlier.sequence < o.sequence)
        ORDER BY at, o.incident, o.receiver, o.sequence",
    )
    .bind(now.as_millis())
    .fetch_all(readers)
    .await?;
    rows.into_iter().map(row).collect()
}

pub(super) async fn last_delivered(
    readers: &SqlitePool,
    receiver: &str,
    closed_after: Timestamp,
) -> Result<Vec<OutboxRow>, sqlx::Error> {
    // Episodes of not being able to measure are no incidents of their own: their closing notice
    // tells when they were closed.
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT o.incident, o.receiver, o.sequence, notice, step, attempts, memory, delivered_at
        FROM outbox o LEFT JOIN memories USING (incident, receiver)
        WHERE o.receiver = $1 AND delivered_at IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM outbox later
            WHERE later.incident = o.incident AND later.receiver = o.receiver
                AND later.delivered_at IS NOT NULL AND later.sequence > o.sequence)
        AND coalesce(
            (SELECT closed FROM incidents WHERE id = o.incident),
            (SELECT min(at) FROM outbox closing WHERE closing.incident = o.incident AND closes = 1),
            $2 + 1) > $2
        ORDER BY o.incident",
    )
    .bind(receiver)
    .bind(closed_after.as_millis())
    .fetch_all(readers)
    .await?;
    rows.into_iter().map(row).collect()
}

/// Whether there was a row that waits.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    key: &OutboxKey,
    attempt: &Attempt,
) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let statement = match attempt {
        Attempt::Accepted { at, done, .. } => sqlx::query(
            "UPDATE outbox SET step = step + 1, attempts = 0, next_at = $4,
                refused_at = NULL, error = NULL, permanent = 0, delivered_at = $5
            WHERE incident = $1 AND receiver = $2 AND sequence = $3 AND delivered_at IS NULL",
        )
        .bind(key.incident.as_str())
        .bind(&key.receiver)
        .bind(key.sequence)
        .bind(at.as_millis())
        .bind(done.then_some(at.as_millis())),
        Attempt::Refused {
            at,
            next,
            error,
            permanent,
        } => sqlx::query(
            "UPDATE outbox SET attempts = attempts + 1, next_at = $4,
                refused_at = $5, error = $6, permanent = $7
            WHERE incident = $1 AND receiver = $2 AND sequence = $3 AND delivered_at IS NULL",
        )
        .bind(key.incident.as_str())
        .bind(&key.receiver)
        .bind(key.sequence)
        .bind(next.as_millis())
        .bind(at.as_millis())
        .bind(error)
        .bind(permanent),
    };
    let found = statement.execute(&mut *transaction).await?.rows_affected() > 0;
    let memory = match attempt {
        Attempt::Accepted { memory, .. } => memory.as_deref(),
        Attempt::Refused { .. } => None,
    };
    if let Some(memory) = memory.filter(|_| found) {
        remember(&mut transaction, key, memory).await?;
    }
    transaction.commit().await?;
    Ok(found)
}

/// Takes over how far a row is, unless it is known to be delivered.
pub(super) async fn set(
    connection: &mut SqliteConnection,
    key: &OutboxKey,
    progress: &Progress,
) -> Result<(), sqlx::Error> {
    let (refused, error, permanent) = match &progress.refusal {
        Some((at, error, permanent)) => (Some(at.as_millis()), Some(error.as_str()), *permanent),
        None => (None, None, false),
    };
    let set = sqlx::query(
        "UPDATE outbox SET step = $4, attempts = $5, next_at = $6,
            refused_at = $7, error = $8, permanent = $9, delivered_at = $10
        WHERE incident = $1 AND receiver = $2 AND sequence = $3 AND delivered_at IS NULL",
    )
    .bind(key.incident.as_str())
    .bind(&key.receiver)
    .bind(key.sequence)
    .bind(progress.step)
    .bind(progress.attempts)
    .bind(progress.next.as_millis())
    .bind(refused)
    .bind(error)
    .bind(permanent)
    .bind(progress.delivered.map(Timestamp::as_millis));
    let found = set.execute(&mut *connection).await?.rows_affected() > 0;
    match &progress.memory {
        Some(memory) if found => remember(connection, key, memory).await,
        _ => Ok(()),
    }
}

/// Keeps what a receiver said of an incident.
async fn remember(
    connection: &mut SqliteConnection,
    key: &OutboxKey,
    memory: &str,
) -> Result<(), sqlx::Error> {
    let insert = sqlx::query(
        "INSERT INTO memories (incident, receiver, memory) VALUES ($1, $2, $3)
        ON CONFLICT (incident, receiver) DO UPDATE SET memory = excluded.memory",
    );
    let insert = insert.bind(key.incident.as_str()).bind(&key.receiver);
    insert.bind(memory).execute(&mut *connection).await?;
    Ok(())
}

/// Receiver, tick, when it was refused, why, and whether for good.
type WaitingRow = (String, i64, Option<i64>, Option<String>, bool);

pub(super) async fn waiting(readers: &SqlitePool) -> Result<Vec<Backlog>, sqlx::Error> {
    let rows: Vec<WaitingRow> = sqlx::query_as(
        "SELECT receiver, at, refused_at, error, permanent FROM outbox WHERE delivered_at IS NULL",
    )
    .fetch_all(readers)
    .await?;
    let waiting = rows
        .into_iter()
        .map(|(receiver, at, refused_at, error, permanent)| Waiting {
            receiver,
            at: Timestamp::from_millis(at),
            refusal: refused_at
                .zip(error)
                .map(|(at, error)| (Timestamp::from_millis(at), error, permanent)),
        });
    Ok(backlog(waiting))
}
