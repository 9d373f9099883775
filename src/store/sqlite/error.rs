//! What the database says, as sentences for people: what could not be done, and what to do.

use std::io;
use std::path::Path;

use super::super::StoreError;
use super::super::record::Unreadable;

/// What is wrong, as far as it tells what to do. From SQLite's primary result codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Locked,
    Full,
    Disk,
    ReadOnly,
    CannotOpen,
    Damaged,
    Unreadable,
    Other,
}

impl Cause {
    pub(super) fn of(error: &sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = error else {
            return match error {
                sqlx::Error::Io(_) => Self::Disk,
                sqlx::Error::ColumnDecode { .. } => Self::Unreadable,
                _ => Self::Other,
            };
        };
        let code = database.code().and_then(|code| code.parse::<u32>().ok());
        Self::of_code(code.unwrap_or(0))
    }

    /// The low byte of an extended code is the primary one.
    const fn of_code(code: u32) -> Self {
        match code & 0xff {
            5 | 6 => Self::Locked,
            8 => Self::ReadOnly,
            10 => Self::Disk,
            11 | 26 => Self::Damaged,
            13 => Self::Full,
            14 => Self::CannotOpen,
            _ => Self::Other,
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Locked => {
                "another program holds a lock on it (an open `sqlite3`?); end that program"
            }
            Self::Full => "the disk is full; free some space",
            Self::Disk => "the disk reports an error; look at the system's log, and check the disk",
            Self::ReadOnly => {
                "it is read-only; make the file and its folder writable for this user, \
                 or choose another place with `--store`"
            }
            Self::CannotOpen => {
                "it cannot be opened; check that its folder is there and writable for this user, \
                 or choose another place with `--store`"
            }
            Self::Damaged => {
                "the file is damaged; restart this program: it sets the damaged file aside \
                 and begins a new one"
            }
            Self::Unreadable => {
                "a record in it means nothing to this version; run the version that wrote it, \
                 or move the file away to begin a new one"
            }
            Self::Other => "the database refuses it; its reason follows",
        }
    }
}

/// `cannot {operation} the store at …`, for what the database refuses.
pub(super) fn database(operation: &str, path: &Path, error: sqlx::Error) -> StoreError {
    let advice = Cause::of(&error).advice();
    sentence(operation, path, advice, Some(error.into()))
}

/// `cannot {operation} the store at …`, for what the file system refuses.
pub(super) fn file(operation: &str, path: &Path, error: io::Error) -> StoreError {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => {
            "its folder does not exist; create it, or choose another place with `--store`"
        }
        io::ErrorKind::NotADirectory => {
            "a file is where its folder should be; choose another place with `--store`"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "its folder is not writable for this user; change that, \
             or choose another place with `--store`"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Cause::Full.advice(),
        _ => "the file system refuses it; its reason follows",
    };
    sentence(operation, path, advice, Some(error.into()))
}

/// A record, named by `what`, that means nothing to this version.
pub(super) fn unreadable(what: String, error: Unreadable) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: what,
        source: error.into(),
    }
}

/// A record that cannot be written.
pub(super) fn unwritable(error: Unreadable) -> sqlx::Error {
    sqlx::Error::Encode(error.into())
}

/// `cannot {operation} the store at …: {advice}`.
pub(super) fn sentence(
    operation: &str,
    path: &Path,
    advice: &str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError {
        sentence: format!(
            "cannot {operation} the store at `{}`: {advice}",
            path.display()
        ),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_to_what_to_do() {
        let table: Vec<String> = [5, 261, 6, 8, 1032, 10, 778, 11, 267, 13, 14, 26, 1, 2067]
            .map(|code| format!("{code} {:?}", Cause::of_code(code)))
            .into();
        insta::assert_snapshot!(table.join(", "), @"5 Locked, 261 Locked, 6 Locked, 8 ReadOnly, 1032 ReadOnly, 10 Disk, 778 Disk, 11 Damaged, 267 Damaged, 13 Full, 14 CannotOpen, 26 Damaged, 1 Other, 2067 Other");
        let kinds = [
            io::ErrorKind::NotFound,
            io::ErrorKind::NotADirectory,
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::ReadOnlyFilesystem,
            io::ErrorKind::StorageFull,
            io::ErrorKind::Other,
        ];
        let sentences = kinds.map(|kind| file("open", Path::new("x.db"), kind.into()).to_string());
        insta::assert_snapshot!(sentences.join("\n"), @"
    cannot open the store at `x.db`: its folder does not exist; create it, or choose another place with `--store`
    cannot open the store at `x.db`: a file is where its folder should be; choose another place with `--store`
    cannot open the store at `x.db`: its folder is not writable for this user; change that, or choose another place with `--store`
    cannot open the store at `x.db`: its folder is not writable for this user; change that, or choose another place with `--store`
    cannot open the store at `x.db`: the disk is full; free some space
    cannot open the store at `x.db`: the file system refuses it; its reason follows
    ");
    }
}
