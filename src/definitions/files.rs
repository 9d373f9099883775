//! Files and folders of definitions.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use crate::diagnostic::Diagnostic;

use super::codes;

/// The largest file that is read, in bytes.
pub(super) const MOST_BYTES: u64 = 1024 * 1024;

/// The texts of all files under `paths`, folders in the order of their names. Of folders only
/// `*.yaml` and `*.yml` are read, and nothing whose name starts with a dot: Kubernetes mounts
/// every file twice, once under such a name.
pub(super) fn texts(paths: &[PathBuf]) -> (Vec<(PathBuf, String)>, Vec<Diagnostic>) {
    let mut walk = Walk::default();
    for path in paths {
        if path.is_dir() {
            let before = (walk.texts.len(), walk.faults.len());
            let is_read = walk.folder(path);
            if is_read && before == (walk.texts.len(), walk.faults.len()) {
                walk.faults.push(
                    Diagnostic::warning(
                        codes::NOTHING_FOUND,
                        format!("the folder `{}` has no definitions", path.display()),
                    )
                    .help("their files end in .yaml or .yml"),
                );
            }
        } else {
            walk.file(path);
        }
    }
    (walk.texts, walk.faults)
}

#[derive(Default)]
struct Walk {
    texts: Vec<(PathBuf, String)>,
    faults: Vec<Diagnostic>,
    /// Links may lead to the same place twice, or in circles.
    seen: BTreeSet<PathBuf>,
}

impl Walk {
    /// Whether the folder could be read and was not read before.
    fn folder(&mut self, folder: &Path) -> bool {
        if !self.is_new(folder) {
            return false;
        }
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
            Err(error) => {
                self.unreadable(folder, &error.to_string());
                return false;
            }
        };
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                self.folder(&path);
            } else if path
                .extension()
                .is_some_and(|end| end == "yaml" || end == "yml")
            {
                self.file(&path);
            }
        }
        true
    }

    fn file(&mut self, path: &Path) {
        if !self.is_new(path) {
            return;
        }
        match read(path) {
            Ok(bytes) if bytes.len() as u64 > MOST_BYTES => self.faults.push(
                Diagnostic::error(
                    codes::TOO_LARGE,
                    format!("`{}` is larger than 1 MiB", path.display()),
                )
                .help("split it into several files"),
            ),
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => self.texts.push((path.to_owned(), text)),
                Err(_) => self.unreadable(path, "it is not text in UTF-8"),
            },
            Err(error) => self.unreadable(path, &error.to_string()),
        }
    }

    /// Whether this place was not seen yet; one that does not exist is new, so that it is told.
    fn is_new(&mut self, path: &Path) -> bool {
        match path.canonicalize() {
            Ok(real) => self.seen.insert(real),
            Err(_) => true,
        }
    }

    fn unreadable(&mut self, path: &Path, why: &str) {
        self.faults.push(
            Diagnostic::error(
                codes::UNREADABLE,
                format!("cannot read `{}`: {why}", path.display()),
            )
            .help("look at the path and the permissions"),
        );
    }
}

/// At most one byte more than is allowed.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
