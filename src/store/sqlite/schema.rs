//! The tables, and the steps from each version of them to the next.
//!
//! Times are whole milliseconds since the Unix epoch. What only we read is a record of JSON or a
//! chunk of bytes; what is searched for has columns.

use sqlx::{Connection as _, SqliteConnection};

use crate::ledger::chunk::Age;

/// Marks a file as ours (`PRAGMA application_id`): the letters `SLOB`.
pub(super) const APPLICATION: i64 = 0x534c_4f42;

/// Each entry leads from the version that is its index to the next one.
const STEPS: &[&str] = &[
    VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6, VERSION_7, VERSION_8,
];

const VERSION_1: &str = "
CREATE TABLE chunks (
    slo TEXT NOT NULL, lane INTEGER NOT NULL, start INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (slo, lane, start)
) STRICT;

CREATE TABLE lanes (
    slo TEXT NOT NULL, lane INTEGER NOT NULL,
    settled_to INTEGER NOT NULL,
    PRIMARY KEY (slo, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE families (
    source TEXT NOT NULL, metric TEXT NOT NULL,
    selector TEXT NOT NULL, settled_to INTEGER NOT NULL,
    PRIMARY KEY (source, metric)
) STRICT, WITHOUT ROWID;

-- Labels are JSON, [[name, value], …]. SQLite keeps a float that is not a number as NULL.
CREATE TABLE cursors (
    source TEXT NOT NULL, metric TEXT NOT NULL, labels TEXT NOT NULL,
    at INTEGER NOT NULL, value REAL, interval INTEGER NOT NULL,
    birth_at INTEGER, birth_value REAL,
    PRIMARY KEY (source, metric, labels),
    FOREIGN KEY (source, metric) REFERENCES families (source, metric) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (slo TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
    id TEXT PRIMARY KEY, slo TEXT NOT NULL,
    opened INTEGER NOT NULL, closed INTEGER,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_closed ON incidents (closed) WHERE closed IS NOT NULL;

CREATE TABLE episodes (
    source TEXT NOT NULL, outcome TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (source, outcome)
) STRICT, WITHOUT ROWID;

-- `at` and `closes` repeat what the notice says, to be searched for.
CREATE TABLE outbox (
    incident TEXT NOT NULL, receiver TEXT NOT NULL, sequence INTEGER NOT NULL,
    notice TEXT NOT NULL, at INTEGER NOT NULL, closes INTEGER NOT NULL,
    step INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    refused_at INTEGER, error TEXT, permanent INTEGER NOT NULL DEFAULT 0,
    delivered_at INTEGER,
    PRIMARY KEY (incident, receiver, sequence)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (incident, receiver, sequence) WHERE delivered_at IS NULL;
CREATE INDEX outbox_delivered ON outbox (receiver, incident, sequence) WHERE delivered_at IS NOT NULL;
CREATE INDEX outbox_closing ON outbox (incident, at) WHERE closes = 1;

CREATE TABLE memories (
    incident TEXT NOT NULL, receiver TEXT NOT NULL,
    memory TEXT NOT NULL,
    PRIMARY KEY (incident, receiver)
) STRICT, WITHOUT ROWID;
";

/// What is older than a few days is kept in chunks of a day, and recent chunks are those of an hour.
const VERSION_2: &str = "
CREATE TABLE days (
    slo TEXT NOT NULL, lane INTEGER NOT NULL, start INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (slo, lane, start)
) STRICT;
";

/// What deletes all that is kept of an instance.
pub(super) const OF_INSTANCE: [&str; 6] = [
    "DELETE FROM chunks WHERE slo = $1",
    "DELETE FROM days WHERE slo = $1",
    "DELETE FROM lanes WHERE slo = $1",
    "DELETE FROM seen WHERE slo = $1",
    "DELETE FROM versions WHERE slo = $1",
    "DELETE FROM alerts WHERE slo = $1",
];

/// What is said to the table that holds the chunks of one age.
pub(super) struct ChunkTable {
    /// All that start after a time.
    pub(super) select: &'static str,
    /// Those of a meter that start between two times.
    pub(super) past: &'static str,
    pub(super) insert: &'static str,
    /// What was kept before indicators were told apart becomes a meter's.
    pub(super) claim: &'static str,
    /// All that start at or before a time go.
    pub(super) forget: &'static str,
}

/// The table that holds the chunks of an age.
pub(super) const fn chunk_table(age: Age) -> ChunkTable {
    match age {
        Age::Recent => ChunkTable {
            select: "SELECT slo, indicator, lane, start, data FROM chunks WHERE start > $1",
            past: "SELECT lane, start, data FROM chunks \
                   WHERE slo = $1 AND indicator = $2 AND start > $3 AND start < $4",
            insert: "INSERT INTO chunks (slo, indicator, lane, start, data) ",
            claim: "UPDATE OR IGNORE chunks SET indicator = $1 WHERE slo = $2 AND indicator = 0",
            forget: "DELETE FROM chunks WHERE start <= $1",
        },
        Age::Old => ChunkTable {
            select: "SELECT slo, indicator, lane, start, data FROM days WHERE start > $1",
            past: "SELECT lane, start, data FROM days \
                   WHERE slo = $1 AND indicator = $2 AND start > $3 AND start < $4",
            insert: "INSERT INTO days (slo, indicator, lane, start, data) ",
            claim: "UPDATE OR IGNORE days SET indicator = $1 WHERE slo = $2 AND indicator = 0",
            forget: "DELETE FROM days WHERE start <= $1",
        },
    }
}

/// Stretches of the past that were counted, or are still to be.
const VERSION_3: &str = "
CREATE TABLE walks (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// The groups of objectives, as a record of each.
const VERSION_4: &str = "
CREATE TABLE known_groups (slo TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// What is counted is kept by indicator too (0: kept before that was so), and what was promised when.
const VERSION_5: &str = "
CREATE TABLE chunks_5 (
    slo TEXT NOT NULL, indicator INTEGER NOT NULL, lane INTEGER NOT NULL, start INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (slo, indicator, lane, start)
) STRICT;
INSERT INTO chunks_5 SELECT slo, 0, lane, start, data FROM chunks;
DROP TABLE chunks;
ALTER TABLE chunks_5 RENAME TO chunks;
CREATE INDEX chunks_start ON chunks (start);

CREATE TABLE days_5 (
    slo TEXT NOT NULL, indicator INTEGER NOT NULL, lane INTEGER NOT NULL, start INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (slo, indicator, lane, start)
) STRICT;
INSERT INTO days_5 SELECT slo, 0, lane, start, data FROM days;
DROP TABLE days;
ALTER TABLE days_5 RENAME TO days;
CREATE INDEX days_start ON days (start);

CREATE TABLE lanes_5 (
    slo TEXT NOT NULL, indicator INTEGER NOT NULL, lane INTEGER NOT NULL,
    settled_to INTEGER NOT NULL, covered_to INTEGER, reach INTEGER,
    PRIMARY KEY (slo, indicator, lane)
) STRICT, WITHOUT ROWID;
INSERT INTO lanes_5 SELECT slo, 0, lane, settled_to, settled_to, NULL FROM lanes;
DROP TABLE lanes;
ALTER TABLE lanes_5 RENAME TO lanes;

CREATE TABLE seen (
    slo TEXT NOT NULL, indicator INTEGER NOT NULL,
    PRIMARY KEY (slo, indicator)
) STRICT, WITHOUT ROWID;

CREATE TABLE versions (
    slo TEXT NOT NULL, since INTEGER NOT NULL,
    objective TEXT NOT NULL,
    PRIMARY KEY (slo, since)
) STRICT, WITHOUT ROWID;
";

/// Families that their source sums up, with the usual distance of their samples; and when counters of
/// a target last fell, which tells what series are worth that return.
const VERSION_6: &str = "
ALTER TABLE families ADD COLUMN summed_every INTEGER;
CREATE TABLE falls (
    source TEXT NOT NULL, metric TEXT NOT NULL, job TEXT NOT NULL, instance TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (source, metric, job, instance),
    FOREIGN KEY (source, metric) REFERENCES families (source, metric) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
";

/// Episodes of several kinds: how measurements end, of a source, or `refused`, of an objective.
const VERSION_7: &str = "
CREATE TABLE episodes_7 (
    kind TEXT NOT NULL, subject TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
INSERT INTO episodes_7 SELECT outcome, source, record FROM episodes;
DROP TABLE episodes;
ALTER TABLE episodes_7 RENAME TO episodes;
";

/// Of one source several episodes may be open, told one after another; of those that are alone in their
/// kind `opened` is 0.
const VERSION_8: &str = "
CREATE TABLE episodes_8 (
    kind TEXT NOT NULL, subject TEXT NOT NULL, opened INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (kind, subject, opened)
) STRICT, WITHOUT ROWID;
INSERT INTO episodes_8 SELECT kind, subject,
    CASE kind WHEN 'refused' THEN 0 ELSE json_extract(record, '$.opened') END, record FROM episodes;
DROP TABLE episodes;
ALTER TABLE episodes_8 RENAME TO episodes;
";

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nobody's yet.
    Empty,
    /// Ours, with the tables of this version.
    Ours(i64),
    /// Another program's.
    Foreign,
    /// Nobody can say: it is not whole.
    Damaged,
}

/// The version of the tables that this program reads and writes.
pub(super) fn version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Looks at a file without changing it.
pub(super) async fn look(connection: &mut SqliteConnection) -> Result<Found, sqlx::Error> {
    let application: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await?;
    if application == APPLICATION {
        // Reads every page, to find damage before it is built upon.
        let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&mut *connection)
            .await?;
        if verdict != "ok" {
            return Ok(Found::Damaged);
        }
        let version = "SELECT value FROM meta WHERE name = 'schema_version'";
        let version = sqlx::query_scalar(version).fetch_one(connection).await?;
        return Ok(Found::Ours(version));
    }
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(connection)
        .await?;
    Ok(if application == 0 && tables == 0 {
        Found::Empty
    } else {
        Found::Foreign
    })
}

/// Who the daemon is that has this store: a number that was drawn when it was first opened.
pub(super) async fn identity(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    sqlx::query("INSERT INTO meta VALUES ('identity', random()) ON CONFLICT (name) DO NOTHING")
        .execute(&mut *connection)
        .await?;
    let drawn: i64 = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'identity'")
        .fetch_one(connection)
        .await?;
    Ok(drawn.cast_unsigned())
}

/// Takes the tables from `version` to ours, all steps or none.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    version: i64,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if version == 0 {
        let meta = "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;";
        sqlx::raw_sql(meta).execute(&mut *transaction).await?;
        // A pragma takes no bound values; this is `APPLICATION`.
        let mark = "PRAGMA application_id = 0x534c4f42";
        sqlx::raw_sql(mark).execute(&mut *transaction).await?;
    }
    let done = usize::try_from(version).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        sqlx::raw_sql(*step).execute(&mut *transaction).await?;
    }
    sqlx::query("INSERT INTO meta VALUES ('schema_version', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(self::version())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
