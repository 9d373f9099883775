//! Opening the file: whose it is, whether it is whole, and that nobody else has it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::Mutex;

use crate::domain::time::Timestamp;

use super::super::StoreError;
use super::error::{self, Cause};
use super::schema::{self, Found};
use super::{Opened, SqliteStore, Writer};

/// How long a statement waits for a lock that another program holds.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that read.
const READERS: u32 = 3;

pub(super) async fn open(
    path: &Path,
    now: Timestamp,
    patience: Duration,
) -> Result<Opened, StoreError> {
    if path.is_dir() {
        let advice = format!(
            "it is a folder; name a file in it, such as `{}`",
            path.join("sloburn.db").display()
        );
        return Err(error::sentence("open", path, &advice, None));
    }
    if is_something_else(path) {
        return Err(error::sentence("open", path, NO_DATABASE, None));
    }
    let lock = lock(path)?;
    let options = options(path, patience);
    let found = look(&options)
        .await
        .map_err(|error| error::database("open", path, error))?;
    let (version, quarantined) = match found {
        Found::Empty => (0, None),
        Found::Ours(version) if version <= schema::version() => (version, None),
        Found::Damaged => (0, Some(set_aside(path, now)?)),
        Found::Ours(newer) => return Err(error::sentence("open", path, &too_new(newer), None)),
        Found::Foreign => return Err(error::sentence("open", path, FOREIGN, None)),
    };
    let store = connect(path, &options, version, lock).await;
    Ok(Opened {
        store: store.map_err(|error| error::database("open", path, error))?,
        quarantined,
    })
}

const NO_DATABASE: &str = "the file is no database; choose another place with `--store`";

const FOREIGN: &str =
    "the file is the database of another program; choose another place with `--store`";

fn too_new(version: i64) -> String {
    format!(
        "it was written by a newer version of this program (tables {version}, this one knows {}); \
         run that version, or give this one its own store with `--store`",
        schema::version()
    )
}

/// How every database of SQLite begins.
const BEGINNING: &[u8] = b"SQLite format 3\0";

/// Whether the file was never a database, and so is not ours to set aside. A disk that lost the
/// beginning of one leaves zeros.
fn is_something_else(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let mut begins = Vec::new();
    let length = u64::try_from(BEGINNING.len()).unwrap_or(u64::MAX);
    let read = file.take(length).read_to_end(&mut begins);
    let is_lost = begins.iter().all(|byte| *byte == 0);
    read.is_ok() && !is_lost && !BEGINNING.starts_with(&begins)
}

/// `path` with more at the end of its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// One process has the store, and keeps it for as long as the returned file is open.
fn lock(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, ".lock"))
        .map_err(|error| error::file("open", path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError {
            sentence: format!(
                "the store at `{}` is in use by another process; stop it, \
                 or give this one its own with `--store`",
                path.display()
            ),
            source: None,
        }),
        Err(TryLockError::Error(error)) => Err(error::file("lock", path, error)),
    }
}

fn options(path: &Path, patience: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(patience)
        .foreign_keys(true)
        .disable_statement_logging()
}

/// Whose file it is. Changes nothing in a file that is there.
async fn look(options: &SqliteConnectOptions) -> Result<Found, sqlx::Error> {
    let mut connection = options.clone().create_if_missing(true).connect().await?;
    let found = schema::look(&mut connection).await;
    let closed = connection.close().await;
    match found.and_then(|found| closed.map(|()| found)) {
        Err(error) if Cause::of(&error) == Cause::Damaged => Ok(Found::Damaged),
        other => other,
    }
}

/// Moves a damaged file away, and what belongs to it, so that it can still be looked at.
fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let at = now.to_jiff().strftime("%Y%m%dT%H%M%SZ");
    let place = beside(path, &format!(".corrupt-{at}"));
    for suffix in ["", "-wal", "-shm"] {
        let part = beside(path, suffix);
        if suffix.is_empty() || part.exists() {
            fs::rename(&part, beside(&place, suffix))
                .map_err(|error| error::file("set aside", path, error))?;
        }
    }
    Ok(place)
}

async fn connect(
    path: &Path,
    options: &SqliteConnectOptions,
    version: i64,
    lock: File,
) -> Result<SqliteStore, sqlx::Error> {
    let writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = writing.connect().await?;
    if version < schema::version() {
        schema::migrate(&mut connection, version).await?;
    }
    let identity = schema::identity(&mut connection).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_lazy_with(options.clone().pragma("query_only", "ON"));
    Ok(SqliteStore {
        path: path.to_owned(),
        identity,
        writer: Mutex::new(Writer {
            options: writing.create_if_missing(false),
            connection: Some(connection),
        }),
        readers,
        _lock: lock,
    })
}
