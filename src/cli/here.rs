//! Working without a daemon: what says so, and which definitions are meant.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cli::Streams;
use crate::cli::files::{files, no_objectives};
use crate::config::{Config, Flags};
use crate::diagnostic::Diagnostics;
use crate::domain::slo::{Catalog, Slo, SourceName};

/// What says that no daemon is to be asked.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Without a daemon")]
pub(super) struct Source {
    /// Evaluate here, from this Prometheus, as http://localhost:9090: the url of the source `default`
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    prometheus: Option<String>,
    /// Evaluate here, from the sources of this configuration file
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    config: Option<PathBuf>,
    /// Files or folders with the objectives to evaluate; may be repeated
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    definitions: Vec<String>,
    /// Files or folders with alert policies; may be repeated
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    alerts: Vec<String>,
}

impl Source {
    /// Whether the objectives are to be evaluated here.
    pub(super) const fn is_given(&self) -> bool {
        let is_named = self.prometheus.is_some() || self.config.is_some();
        is_named || !self.definitions.is_empty() || !self.alerts.is_empty()
    }

    fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            prometheus: self.prometheus.clone(),
            definitions: self.definitions.clone(),
            alerts: self.alerts.clone(),
            ..Flags::default()
        }
    }

    /// The configuration, and what is defined; `None` when that is faulty, which is told.
    pub(super) fn load(
        &self,
        environment: &BTreeMap<String, String>,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<Option<(Config, Catalog)>> {
        let config = Config::load(&self.flags(), environment)?;
        let loaded = files(&config).load();
        let Some(catalog) = loaded.catalog else {
            let faults = &loaded.diagnostics;
            let text = faults.render_text(&loaded.sources, streams.paint);
            write!(streams.err, "{text}")?;
            writeln!(streams.err, "nothing was evaluated; mend the definitions")?;
            return Ok(None);
        };
        if catalog.slos.is_empty() {
            let fault: Diagnostics = [no_objectives(&config)].into_iter().collect();
            write!(streams.err, "{}", fault.render_text(&[], streams.paint))?;
            return Ok(None);
        }
        Ok(Some((config, catalog)))
    }
}

/// What was scraped is in the daemon's memory alone.
#[derive(Debug, thiserror::Error)]
#[error(
    "source `{source_name}` is scraped and remembers nothing here; ask the daemon (`--url`), which does"
)]
pub(super) struct Scraped {
    source_name: SourceName,
}

impl Scraped {
    /// Whether that is why nothing can be read of `slo` here.
    pub(super) fn of(config: &Config, slo: &Slo) -> Option<Self> {
        let source_name = slo.source.clone();
        config
            .is_scraped(source_name.as_str())
            .then_some(Self { source_name })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn each_flag_alone_says_that_no_daemon_is_asked() {
        #[derive(clap::Parser)]
        struct Asking {
            #[arg(long, default_value = "http://127.0.0.1:9099")]
            url: String,
            #[command(flatten)]
            source: Source,
        }
        let is_given = |flags: &[&str]| {
            let arguments = std::iter::once(&"sloburn").chain(flags);
            let asking = Asking::try_parse_from(arguments).unwrap();
            assert!(asking.url.starts_with("http"));
            asking.source.is_given()
        };
        assert!(!is_given(&[]));
        assert!(!is_given(&["--url=http://slo.example.com"]));
        for flag in [
            "--prometheus=x",
            "--config=x",
            "--definitions=x",
            "--alerts=x",
        ] {
            assert!(is_given(&[flag]), "{flag}");
        }
    }
}
