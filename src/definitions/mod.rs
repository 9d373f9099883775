//! Definitions of objectives, alert policies, receivers and routes: YAML to the domain's catalog,
//! every fault told with its place.

mod built_in;
mod check;
pub mod codes;
mod document;
mod fields;
mod files;
mod grouping;
mod indicator;
mod node;
mod placeholders;
mod policy;
mod promise;
mod reach;
mod receiver;
mod routing;
mod service;
mod slices;
mod template;
mod tiers;
mod values;
mod window;
mod written;
mod yaml;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::domain::slo::Catalog;
use crate::domain::time::Span;

pub use files::{Look, Texts};
pub use written::{AllWritten, Written};

/// The policy of objectives that name none.
const DEFAULT_POLICY: &str = "default";

/// What definitions are judged by besides themselves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The sources of the daemon's configuration; `None` when it is not known, then any name will do.
    pub sources: Option<Vec<String>>,
    /// Those of them that the daemon scrapes itself: they evaluate no PromQL and keep no past.
    pub scraped: Vec<String>,
    /// The daemon's tick; windows and slices are multiples of it. Longer than zero.
    pub tick: Span,
    /// How far apart samples usually are.
    pub scrape: Span,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sources: None,
            scraped: Vec::new(),
            tick: Span::from_secs(30),
            scrape: Span::from_secs(30),
        }
    }
}

impl Options {
    /// A minute, or the next multiple of the tick.
    fn default_slice(&self) -> Span {
        let (minute, tick) = (Span::from_mins(1).as_millis(), self.tick.as_millis());
        Span::from_millis((minute + tick - 1) / tick * tick)
    }

    /// Why `length` of `what`, a range, is too short to be judged, and what to do; `None` when it is not.
    fn too_short(&self, what: &str, length: Span) -> Option<(String, String)> {
        let (least, tick, scrape) = (self.least_range(), self.tick, self.scrape);
        if length >= least {
            return None;
        }
        Some(if scrape > tick {
            (
                format!("{what} of {length} holds fewer than 4 samples if they are {scrape} apart"),
                format!(
                    "write at least {least}, or set the source's `scrapeInterval` if it scrapes more often"
                ),
            )
        } else {
            (
                format!("{what} of {length} is shorter than 4 ticks of {tick}"),
                format!(
                    "write at least {least}, or shorten the daemon's `tick` if the source is scraped more often"
                ),
            )
        })
    }

    /// The shortest range that holds enough samples to be judged.
    fn least_range(&self) -> Span {
        Span::from_millis(4 * self.tick.max(self.scrape).as_millis())
    }
}

/// What came of reading files.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Everything that is defined; only there when nothing is an error.
    pub catalog: Option<Catalog>,
    /// Where each objective is written; empty without a catalog.
    pub written: AllWritten,
    /// Whether no alert policy is defined, so that the built-in one is in the catalog.
    pub has_built_in_policy: bool,
    /// What is wrong, in order.
    pub diagnostics: Diagnostics,
    /// The files and their contents, for showing lines of them.
    pub sources: Vec<(PathBuf, String)>,
    /// Tells this set of files from another: [`Texts::revision`].
    pub revision: String,
}

/// Reads the files and (recursively) folders `paths`.
pub fn load(paths: &[PathBuf], options: &Options) -> Loaded {
    lower(Texts::read(paths), options)
}

/// Reads files whose contents are already there.
pub fn lower(texts: Texts, options: &Options) -> Loaded {
    let revision = texts.revision();
    let judged = judge(&texts.sources, texts.faults, options);
    let (catalog, written) = judged.made.unzip();
    Loaded {
        catalog,
        written: written.unwrap_or_default(),
        has_built_in_policy: judged.has_built_in_policy,
        diagnostics: judged.diagnostics,
        sources: texts.sources,
        revision,
    }
}

/// Reads texts that are in no file.
pub fn read(sources: &[(PathBuf, String)], options: &Options) -> (Option<Catalog>, Diagnostics) {
    let judged = judge(sources, Vec::new(), options);
    (judged.made.map(|(catalog, _)| catalog), judged.diagnostics)
}

struct Judged {
    made: Option<(Catalog, AllWritten)>,
    has_built_in_policy: bool,
    diagnostics: Diagnostics,
}

fn judge(sources: &[(PathBuf, String)], file_faults: Vec<Diagnostic>, options: &Options) -> Judged {
    let faults = node::Faults::default();
    let mut found = document::Found {
        files_are_missing: file_faults
            .iter()
            .any(|fault| fault.severity == Severity::Error),
        ..document::Found::default()
    };
    for fault in file_faults {
        faults.add(fault);
    }
    let mut roots = Vec::new();
    for (path, text) in sources {
        let file: Arc<Path> = Arc::from(path.as_path());
        let documents = yaml::documents(&file, text, &faults);
        found.unread.extend(documents.unread);
        roots.extend(documents.roots);
    }
    document::documents(&roots, options, &mut found, &faults);
    let has_built_in_policy = built_in::stand_in(&mut found, options, &faults);
    let made = check::catalog(found, options, &faults);
    let diagnostics: Diagnostics = faults.into_vec().into_iter().collect();
    Judged {
        made: Some(made).filter(|_| !diagnostics.has_errors()),
        has_built_in_policy,
        diagnostics,
    }
}
