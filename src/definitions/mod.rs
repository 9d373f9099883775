//! Definitions of objectives, alert policies, receivers and routes: YAML to the domain's catalog,
//! every fault told with its place.

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

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::Severity;
use crate::domain::slo::Catalog;
use crate::domain::time::Span;

pub use files::{Look, Texts};
pub use written::{AllWritten, Written};

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

    /// What to do about a range that is too short.
    fn least_range_advice(&self) -> String {
        let least = self.least_range();
        if self.scrape > self.tick {
            let scrape = self.scrape;
            return format!(
                "write at least {least}, or set the source's `scrapeInterval` if it scrapes more often than every {scrape}"
            );
        }
        format!("write at least {least}")
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
    let (made, diagnostics) = judge(&texts.sources, texts.faults, options);
    let (catalog, written) = made.unzip();
    Loaded {
        catalog,
        written: written.unwrap_or_default(),
        diagnostics,
        sources: texts.sources,
        revision,
    }
}

/// Reads texts that are in no file.
pub fn read(sources: &[(PathBuf, String)], options: &Options) -> (Option<Catalog>, Diagnostics) {
    let (made, diagnostics) = judge(sources, Vec::new(), options);
    (made.map(|(catalog, _)| catalog), diagnostics)
}

fn judge(
    sources: &[(PathBuf, String)],
    file_faults: Vec<Diagnostic>,
    options: &Options,
) -> (Option<(Catalog, AllWritten)>, Diagnostics) {
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
    let made = check::catalog(found, options, &faults);
    let diagnostics: Diagnostics = faults.into_vec().into_iter().collect();
    let made = Some(made).filter(|_| !diagnostics.has_errors());
    (made, diagnostics)
}
