//! Working without a daemon: what says so, which definitions are meant, and how far the past is read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cli::files::{files, no_objectives};
use crate::cli::{Progress, Streams};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::diagnostic::Diagnostics;
use crate::domain::slo::{Catalog, Slo, SourceName};
use crate::domain::time::{Span, Timestamp};
use crate::status::snapshot::Backfill;

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

/// Nothing is known of a time that has not come.
#[derive(Debug, thiserror::Error)]
#[error("`--at` lies in the future (now is {now})")]
pub(super) struct Future {
    now: Timestamp,
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

/// A time, or a length of time before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Time(Timestamp),
    Ago(Span),
}

impl At {
    /// Reads `2026-03-01T12:00:00Z` or `2h`, for which some write `-2h`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let length = text.trim().trim_end_matches("ago").trim_end();
        let length = length.strip_prefix('-').unwrap_or(length);
        if let Ok(ago) = length.parse() {
            return Ok(Self::Ago(ago));
        }
        let time = text.parse::<jiff::Timestamp>();
        time.map(|time| Self::Time(time.into()))
            .map_err(|_| "write a time as 2026-03-01T12:00:00Z, or how long ago as 2h".to_owned())
    }

    /// The time that is meant.
    pub(super) fn time(self) -> Result<Timestamp, Future> {
        self.as_of(Clock::System.now().into())
    }

    fn as_of(self, now: Timestamp) -> Result<Timestamp, Future> {
        match self {
            Self::Time(at) if at > now => Err(Future {
                now: now.floor_to(Span::from_secs(1)),
            }),
            Self::Time(at) => Ok(at),
            Self::Ago(ago) => Ok(now - ago),
        }
    }
}

/// How far the past was said to be read.
#[derive(Debug, Default)]
pub(super) struct Told {
    tenths: BTreeMap<String, i64>,
}

impl Told {
    /// One line for each tenth, or one line that changes where a person watches.
    #[expect(clippy::cast_possible_truncation, reason = "a share is at most 1")]
    pub(super) fn tell(
        &mut self,
        err: &mut dyn std::io::Write,
        progress: Progress,
        source: &str,
        backfill: Option<Backfill>,
    ) {
        let share = backfill.map_or(1.0, |backfill| backfill.share);
        let percent = (share * 100.0) as i64;
        // Whoever cannot be told is not: the result counts.
        let told = match progress {
            Progress::Lines => {
                if self.tenths.insert(source.to_owned(), percent / 10) == Some(percent / 10) {
                    return;
                }
                writeln!(err, "reading the past of source `{source}`: {percent} %")
            }
            Progress::Bar => {
                let full = usize::try_from(percent / 4).unwrap_or_default();
                let end = if backfill.is_none() { "\r\u{1b}[K" } else { "" };
                let bar = format!(
                    "{}{}",
                    "█".repeat(full),
                    "░".repeat(25_usize.saturating_sub(full))
                );
                write!(
                    err,
                    "\rreading the past of source `{source}` {bar} {percent:3} %{end}"
                )
                .and_then(|()| err.flush())
            }
        };
        drop(told);
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

    #[test]
    fn a_moment_is_a_time_or_so_long_ago() {
        let hours = |hours| Ok(At::Ago(Span::from_hours(hours)));
        assert_eq!(At::read("2h"), hours(2));
        assert_eq!(At::read("2h ago"), hours(2));
        assert_eq!(At::read("-2h"), hours(2));
        let time = Timestamp::from_millis(1_772_366_400_000);
        assert_eq!(At::read("2026-03-01T12:00:00Z"), Ok(At::Time(time)));
        assert!(At::read("yesterday").is_err());
    }

    #[test]
    fn a_moment_lies_before_now() {
        let now = Timestamp::from_millis(1_772_366_400_500);
        let told = |text: &str| match At::read(text).unwrap().as_of(now) {
            Ok(at) => at.to_string(),
            Err(error) => error.to_string(),
        };
        for (text, expected) in [
            ("2h", "2026-03-01T10:00:00.5Z"),
            ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
            (
                "2026-03-01T12:00:01Z",
                "`--at` lies in the future (now is 2026-03-01T12:00:00Z)",
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
