//! Files and folders of definitions.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use sha2::{Digest as _, Sha256};

use crate::diagnostic::{Diagnostic, NotUtf8, utf8};

use super::codes;

/// The largest file that is read, in bytes.
pub(super) const MOST_BYTES: u64 = 1024 * 1024;

/// Files as they were read, and what was wrong with reading them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// The files and their contents, folders in the order of their names.
    pub sources: Vec<(PathBuf, String)>,
    /// Files and folders that could not be read.
    pub(super) faults: Vec<Diagnostic>,
}

impl Texts {
    /// Reads the files under `paths`. Of folders only `*.yaml` and `*.yml` are read, and nothing
    /// whose name starts with a dot: Kubernetes mounts every file twice, once under such a name.
    pub fn read(paths: &[PathBuf]) -> Self {
        let mut walk = Walk::of(paths);
        let mut sources = Vec::new();
        for path in walk.files {
            match text(&path) {
                Ok(text) => sources.push((path, text)),
                Err(fault) => walk.faults.push(*fault),
            }
        }
        Self {
            sources,
            faults: walk.faults,
        }
    }

    /// Tells one set of files from another: sixteen hexadecimal digits of a hash of all names and
    /// contents, and of what could not be read.
    pub fn revision(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update(bytes.len().to_le_bytes());
            hash.update(bytes);
        };
        for (path, text) in &self.sources {
            add(path.as_os_str().as_encoded_bytes());
            add(text.as_bytes());
        }
        for fault in &self.faults {
            add(fault.message.as_bytes());
        }
        let digits = hash.finalize().into_iter().take(8);
        let number = digits.fold(0, |number: u64, byte| (number << 8) | u64::from(byte));
        format!("{number:016x}")
    }
}

/// What the files under some paths look like from outside, through all links: when it is the same,
/// they are most likely the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look(Vec<(PathBuf, Option<Stamp>)>);

/// Device and inode, size, and the times of the last changes of contents and of anything, in seconds
/// and nanoseconds.
type Stamp = ([u64; 3], [i64; 4]);

impl Look {
    /// Looks at all files that [`Texts::read`] would read.
    pub fn at(paths: &[PathBuf]) -> Self {
        let walk = Walk::of(paths);
        let stamp = |path: &Path| {
            let seen = fs::metadata(path).ok()?;
            Some((
                [seen.dev(), seen.ino(), seen.size()],
                [
                    seen.mtime(),
                    seen.mtime_nsec(),
                    seen.ctime(),
                    seen.ctime_nsec(),
                ],
            ))
        };
        let mut stamps: Vec<_> = walk
            .files
            .into_iter()
            .map(|path| {
                let stamp = stamp(&path);
                (path, stamp)
            })
            .collect();
        // A folder that cannot be read any more is a change too.
        stamps.extend(
            walk.faults
                .into_iter()
                .map(|fault| (fault.message.into(), None)),
        );
        Self(stamps)
    }
}

#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    faults: Vec<Diagnostic>,
    /// Links may lead to the same place twice, or in circles.
    seen: BTreeSet<PathBuf>,
}

impl Walk {
    /// All files under `paths`, each once.
    fn of(paths: &[PathBuf]) -> Self {
        let mut walk = Self::default();
        for path in paths {
            if path.is_dir() {
                let before = (walk.files.len(), walk.faults.len());
                let is_read = walk.folder(path);
                if is_read && before == (walk.files.len(), walk.faults.len()) {
                    walk.faults.push(
                        Diagnostic::warning(
                            codes::NOTHING_FOUND,
                            format!("the folder `{}` has no definitions", path.display()),
                        )
                        .help("their files end in .yaml or .yml"),
                    );
                }
            } else if walk.is_new(path) {
                walk.files.push(path.clone());
            }
        }
        walk
    }

    /// Whether the folder could be read and was not read before.
    fn folder(&mut self, folder: &Path) -> bool {
        if !self.is_new(folder) {
            return false;
        }
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
            Err(error) => {
                self.faults.push(unreadable(folder, &error));
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
                && self.is_new(&path)
            {
                self.files.push(path);
            }
        }
        true
    }

    /// Whether this place was not seen yet; one that does not exist is new, so that it is told.
    fn is_new(&mut self, path: &Path) -> bool {
        match path.canonicalize() {
            Ok(real) => self.seen.insert(real),
            Err(_) => true,
        }
    }
}

fn text(path: &Path) -> Result<String, Box<Diagnostic>> {
    let bytes = read(path).map_err(|error| Box::new(unreadable(path, &error)))?;
    if bytes.len() as u64 > MOST_BYTES {
        let large = format!("`{}` is larger than 1 MiB", path.display());
        let fault = Diagnostic::error(codes::TOO_LARGE, large).help("split it into several files");
        return Err(Box::new(fault));
    }
    utf8(bytes).map_err(|why| {
        let message = format!("`{}` {why}", path.display());
        Box::new(Diagnostic::error(codes::UNREADABLE, message).help(NotUtf8::HELP))
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("cannot read `{}`: {error}", path.display());
    Diagnostic::error(codes::UNREADABLE, message).help(match error.kind() {
        io::ErrorKind::NotFound => "look at the path",
        io::ErrorKind::PermissionDenied => "look at the permissions",
        _ => "look at the path and the permissions",
    })
}

/// At most one byte more than is allowed.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
