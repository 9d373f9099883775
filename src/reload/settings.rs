//! The file of the daemon's own settings: it is read at the start alone, so whoever changes it has to be told.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// The file, what of it is in force, and what was last seen of it.
#[derive(Debug)]
pub(super) struct Settings {
    path: PathBuf,
    in_force: Option<u64>,
    seen: Option<u64>,
}

impl Settings {
    /// The file at `path`, as it is in force.
    pub(super) fn at(path: PathBuf) -> Self {
        let in_force = digest(&path);
        Self {
            path,
            in_force,
            seen: in_force,
        }
    }

    /// What is to be told of the file now that it has this digest: each change once.
    pub(super) fn look(&mut self, now: Option<u64>) -> Option<String> {
        // What cannot be read may be about to be replaced.
        let now = now?;
        if self.seen.replace(now) == Some(now) || self.in_force == Some(now) {
            return None;
        }
        Some(format!(
            "`{}` has changed since the start, and what it says is not in force; restart to use it",
            self.path.display()
        ))
    }

    /// Tells again of what was told: somebody asks.
    pub(super) fn forget(&mut self) {
        self.seen = self.in_force;
    }
}

/// Tells the contents of a file from others; they may hold secrets, and are not kept.
pub(super) fn digest(path: &Path) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    fs::read(path).ok()?.hash(&mut hasher);
    Some(hasher.finish())
}
