//! Which definitions the configuration means, and what they are judged by.

use std::path::Path;

use crate::config::{self, Config};
use crate::definitions::{Options, codes};
use crate::diagnostic::Diagnostic;
use crate::reload::Files;

/// The files that `config` names; where it names none, those at the usual places, if there are any.
pub(super) fn files(config: &Config) -> Files {
    let mut files = Files {
        paths: Vec::new(),
        usual: Vec::new(),
        options: options(config),
        settings: config.file().map(Path::to_owned),
    };
    for (key, named) in [
        ("definitions", &config.definitions),
        ("alerts", &config.alerts),
    ] {
        let known = if config.says(key) {
            &mut files.paths
        } else {
            &mut files.usual
        };
        known.extend_from_slice(named);
    }
    files
}

/// What definitions are judged by, in a daemon with this configuration.
pub(super) fn options(config: &Config) -> Options {
    let is_scraped = |source: &config::Source| matches!(source, config::Source::Scrape(_));
    let scraped = config.sources.iter().filter(|(_, it)| is_scraped(it));
    let hints = config
        .sources
        .values()
        .filter_map(config::Source::scrape_interval);
    let defaults = Options::default();
    Options {
        sources: Some(config.sources.keys().cloned().collect()),
        scraped: scraped.map(|(name, _)| name.clone()).collect(),
        tick: config.tick.into(),
        scrape: hints.max().map_or(defaults.scrape, Into::into),
    }
}

/// The fault of having nothing to watch.
pub(super) fn no_objectives(config: &Config) -> Diagnostic {
    let shown = |path: &Path| {
        let missing = if path.exists() { "" } else { " (not there)" };
        format!("`{}`{missing}", path.display())
    };
    let places: Vec<String> = config.definitions.iter().map(|path| shown(path)).collect();
    let message = format!("no objective is defined in {}", places.join(", "));
    Diagnostic::error(codes::NO_OBJECTIVES, message)
        .help("write one, or say where they are with `--definitions`")
}
