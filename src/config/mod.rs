//! The daemon's own settings: defaults, `sloburn.yaml`, environment and flags, and where each value came from.

mod file;
mod flags;
mod keys;
mod layers;
mod origin;
mod resolve;
mod scrape;
mod values;
mod yaml;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use secrecy::SecretString;
use url::Url;

use crate::diagnostic::{Diagnostic, Diagnostics, NotUtf8, utf8};
use crate::domain::selector::Matcher;

pub use flags::Flags;
pub use keys::URL_VARIABLE;
pub use origin::Origin;

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "sloburn.yaml";

/// Everything that is configured, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Files and folders with objectives.
    pub definitions: Vec<PathBuf>,
    /// Files and folders with policies, receivers and routes.
    pub alerts: Vec<PathBuf>,
    /// The grid on which everything is evaluated; whole milliseconds, longer than zero.
    pub tick: Duration,
    /// The grain in which events are kept; divides the tick.
    pub slot: Duration,
    /// Where samples come from, by name.
    pub sources: BTreeMap<String, Source>,
    /// The SQLite file.
    pub store: PathBuf,
    /// How long what was counted is kept there, by the hour; at least as long as windows need it.
    pub history: Duration,
    /// Where HTTP is served.
    pub listen: SocketAddr,
    /// How people reach it; for links in messages.
    pub external_url: Option<Url>,
    /// What is logged and how.
    pub log: Log,
    file: Option<PathBuf>,
    settings: Vec<Setting>,
    unread: Vec<String>,
    warnings: Diagnostics,
}

/// Where samples come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A Prometheus, or what speaks its query API.
    Prometheus(Box<Prometheus>),
    /// Pages that are scraped without one.
    Scrape(Scrape),
}

impl Config {
    /// Whether `source` scrapes pages, of which nothing is known but what was scraped since.
    pub fn is_scraped(&self, source: &str) -> bool {
        matches!(self.sources.get(source), Some(Source::Scrape(_)))
    }
}

impl Source {
    /// How often its targets are scraped, where somebody said so.
    pub const fn scrape_interval(&self) -> Option<Duration> {
        match self {
            Self::Prometheus(prometheus) => prometheus.scrape_interval,
            Self::Scrape(scrape) => Some(scrape.interval),
        }
    }
}

/// How pages are scraped.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// The pages; at least one, each address once.
    pub targets: Vec<Target>,
    /// How often; whole milliseconds, longer than zero.
    pub interval: Duration,
    /// How long one scrape may take; at most the interval.
    pub timeout: Duration,
    /// A tick is run when this much time has passed since its end, so that its scrapes are done.
    pub offset: Duration,
    /// After this time samples no longer change; a multiple of the tick, at least `offset`.
    pub settle: Duration,
    /// How long a page may be, in bytes, unpacked.
    pub max_body_bytes: u64,
}

/// One page, and the labels that its series get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its address.
    pub url: Url,
    /// Names and values that Prometheus would take.
    pub labels: BTreeMap<String, String>,
}

/// How one Prometheus is asked.
#[derive(Clone, Debug)]
pub struct Prometheus {
    /// Its address, with the path before `/api/v1` if there is one.
    pub url: Url,
    /// How long one answer may take; longer than zero.
    pub timeout: Duration,
    /// A file with the token that says who asks.
    pub bearer_token_file: Option<PathBuf>,
    /// A file with `user:password`, for who asks for those.
    pub basic_auth_file: Option<PathBuf>,
    /// Files for `https`.
    pub tls: Tls,
    /// What becomes of answers that may lack a part.
    pub partial: Partial,
    /// Sent with each request; names and values are valid for HTTP.
    pub headers: BTreeMap<String, SecretString>,
    /// A tick is run when this much time has passed since its end, so that its samples are there.
    pub offset: Duration,
    /// After this time samples no longer change; a multiple of the tick, at least `offset`.
    pub settle: Duration,
    /// Added to each selector.
    pub matchers: Vec<Matcher>,
    /// Parameters added to each request.
    pub params: BTreeMap<String, String>,
    /// Where people look at a query, which replaces `{query}`.
    pub link_url: Option<String>,
    /// How often it scrapes, where that should not be found out from its samples.
    pub scrape_interval: Option<Duration>,
    /// How many requests may run at once; from 1 to 1000.
    pub max_in_flight: usize,
    /// How long an answer may be, in bytes, unpacked.
    pub max_body_bytes: u64,
    /// How much of the time the past may be read, in percent: from 0, which is never, to 100.
    pub backfill_percent: u32,
    /// How many series one query may bring; from 1 to 10,000,000.
    pub series_per_query: usize,
    /// With more series than this a family is summed up by the server; from 1 to 10,000,000.
    pub push_down_above: usize,
    /// Series that differ by nothing but these labels are of replicas, and one.
    pub replica_labels: Vec<String>,
}

/// Files in PEM for TLS; certificate and key are both there or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authorities that are trusted, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate that says who asks.
    pub cert_file: Option<PathBuf>,
    /// Its private key.
    pub key_file: Option<PathBuf>,
}

/// What becomes of answers that come with warnings, so that a part of them may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partial {
    /// Nothing of them is counted, and alerts stay as they are.
    Hold,
    /// They count as whole.
    Accept,
}

impl Partial {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Hold, Self::Accept];

    /// As it is written in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Accept => "accept",
        }
    }
}

/// What is logged and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How much.
    pub level: Level,
    /// In which form.
    pub format: Format,
    /// Overrides the level for each module on its own, with `tracing`'s directives.
    pub filter: Option<String>,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What failed.
    Error,
    /// Also what may fail soon.
    Warn,
    /// Also what happened.
    Info,
    /// Also why.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// From little to much.
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    /// As it is written in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

impl Format {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Human, Self::Json];

    /// As it is written in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

/// One setting that is in force, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key, one part per level of the file.
    pub path: Vec<String>,
    /// What it is.
    pub value: Value,
    /// Who said so.
    pub origin: Origin,
}

/// A setting's value as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nobody set it, and it has no default.
    Unset,
    /// One value.
    Text(String),
    /// Several.
    List(Vec<String>),
    /// Several that consist of more than one value each.
    Objects(Vec<serde_json::Value>),
    /// There is one, but it looks like a secret.
    Secret,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file `{}`; check --config, SLOBURN_CONFIG and the file's permissions", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What it says, or what environment or flags say, is wrong. Without the lines of the file, which may hold secrets.
    #[error("the configuration has {}\n{}", .0.summary(), .0.render_lines().trim_end())]
    Faulty(Diagnostics),
}

impl ConfigError {
    fn not_utf8(path: &Path, why: NotUtf8) -> Self {
        let message = format!("`{}` {why}", path.display());
        let fault = Diagnostic::error(origin::SYNTAX, message).help(NotUtf8::HELP);
        Self::Faulty([fault].into_iter().collect())
    }
}

impl Config {
    /// Reads the file that flags or environment name, or `sloburn.yaml` in the working folder if there is one, and lays
    /// environment and flags over it.
    pub fn load(
        flags: &Flags,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let from_environment = environment
            .get(keys::CONFIG_VARIABLE)
            .filter(|text| !text.is_empty());
        let named = flags.config.clone().or(from_environment.map(PathBuf::from));
        let path = named.clone().unwrap_or(PathBuf::from(DEFAULT_FILE));
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => None,
            read => {
                let bytes = read.map_err(|source| ConfigError::Unreadable {
                    path: path.clone(),
                    source,
                })?;
                Some(utf8(bytes).map_err(|why| ConfigError::not_utf8(&path, why))?)
            }
        };
        let file = text.as_deref().map(|text| (&*path, text));
        Self::from_layers(file, environment, flags)
            .map_err(|faults| ConfigError::Faulty(faults.into_iter().collect()))
    }

    fn from_layers(
        file: Option<(&Path, &str)>,
        environment: &BTreeMap<String, String>,
        flags: &Flags,
    ) -> Result<Self, Vec<Diagnostic>> {
        let path = file.map(|(path, _)| path);
        let (file, mut faults) =
            file.map_or_else(Default::default, |(path, text)| file::read(path, text));
        let environment = layers::environment(environment);
        faults.extend(environment.faults);
        let effective = layers::lay(vec![file, environment.layer, flags.layer()]);
        let config = resolve::resolve(effective, faults)?;
        Ok(Self {
            file: path.map(Path::to_owned),
            unread: environment.unread,
            ..config
        })
    }

    /// The configuration file that was read.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Environment variables with the prefix of settings that are none, so that nothing reads them.
    pub fn unread_variables(&self) -> &[String] {
        &self.unread
    }

    /// What can be used and is probably not meant.
    pub const fn warnings(&self) -> &Diagnostics {
        &self.warnings
    }

    /// Whether anybody said what `key` is, so that not its default is in force.
    pub fn says(&self, key: &str) -> bool {
        let mut settings = self.settings.iter();
        settings.any(|setting| setting.path == [key] && setting.origin != Origin::Default)
    }

    /// Whether anybody said which sources there are: a file that names none has the usual one.
    pub fn says_sources(&self) -> bool {
        let is_said = |setting: &Setting| {
            setting.origin != Origin::Default
                && setting.path.first().is_some_and(|key| key == "sources")
        };
        self.file.is_some() || self.settings.iter().any(is_said)
    }

    /// Every setting in the order of the file, with its value and who said so; secrets are masked.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }
}

/// An address and a port to listen on, or what to write instead.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    values::address(text).map_err(|wrong| format!("it {}; {}", wrong.message, wrong.help))
}

/// Every environment variable with the setting that it sets, in the order of the file.
pub fn variables() -> Vec<(&'static str, String)> {
    let mut variables = vec![(keys::CONFIG_VARIABLE, "the configuration file".to_owned())];
    keys::visit(&[keys::DEFAULT_SOURCE], |path, key| {
        variables.push((key.variable, path.join(".")));
    });
    variables
}

#[cfg(test)]
mod tests;
