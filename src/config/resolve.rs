//! From texts to a configuration: every value on its own, then those that must fit together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use humantime::format_duration;
use secrecy::SecretString;
use url::Url;

use crate::diagnostic::{Diagnostic, Diagnostics, is_in_the_clear};

use super::layers::{Effective, Given, KeyPath, Raw};
use super::origin::{IN_THE_CLEAR, MISFIT, MISSING, Origin};
use super::scrape;
use super::values::{self, Wrong, is_secret};
use super::{Config, Log, Prometheus, Setting, Source, Tls, Value};

/// What `settle` is when nobody says, before it is rounded up to whole ticks.
const SETTLE: Duration = Duration::from_mins(5);
const MOST_IN_FLIGHT: u64 = 1_000;
pub(super) const MOST_BODY_BYTES: u64 = 4 << 30;
const MOST_SERIES: u64 = 10_000_000;

/// The configuration that `effective` describes, or everything that is wrong with it after the `faults` of its shape.
pub(super) fn resolve(
    effective: Effective,
    faults: Vec<Diagnostic>,
) -> Result<Config, Vec<Diagnostic>> {
    let Effective { sources, values } = effective;
    let settings = values.iter().map(setting).collect();
    let given = values
        .into_iter()
        .filter_map(|(path, given)| Some((path, given?)))
        .collect();
    let mut resolver = Resolver {
        given,
        settings,
        well_shaped: faults.is_empty(),
        faults,
        warnings: Diagnostics::default(),
    };
    let config = resolver.config(&sources);
    match config {
        Some(config) if resolver.faults.is_empty() => Ok(Config {
            settings: resolver.settings,
            warnings: resolver.warnings,
            ..config
        }),
        _ => Err(resolver.faults),
    }
}

/// How a value is shown: what looks like a secret is not.
fn setting((path, given): &(KeyPath, Option<Given>)) -> Setting {
    let chosen = |name: &str| path.iter().rev().skip(1).any(|part| part == name);
    let masked =
        (chosen("headers") || chosen("params")) && path.last().is_some_and(|name| is_secret(name));
    Setting {
        path: path.clone(),
        value: match given.as_ref().map(|given| &given.value) {
            None => Value::Unset,
            Some(_) if masked => Value::Secret,
            Some(Raw::One(text)) => Value::Text(text.clone()),
            Some(Raw::Many(texts)) => Value::List(texts.clone()),
            Some(Raw::Targets(targets)) => {
                Value::Objects(targets.iter().map(scrape::shown).collect())
            }
        },
        origin: given
            .as_ref()
            .map_or(Origin::Default, |given| given.origin.clone()),
    }
}

pub(super) struct Resolver {
    pub(super) given: BTreeMap<KeyPath, Given>,
    settings: Vec<Setting>,
    pub(super) faults: Vec<Diagnostic>,
    /// Told when nothing is wrong.
    warnings: Diagnostics,
    /// What is missing may be what could not be read otherwise, and is told only when nothing else is wrong.
    pub(super) well_shaped: bool,
}

impl Resolver {
    fn config(&mut self, sources: &[String]) -> Option<Config> {
        let tick = self.read(&["tick"], values::some_duration);
        let slot = self.slot(&["slot"], tick);
        let (definitions, alerts) = (self.paths("definitions"), self.paths("alerts"));
        let mut resolved = BTreeMap::new();
        for name in sources {
            if let Some(source) = self.source(name, tick) {
                resolved.insert(name.clone(), source);
            }
        }
        let store = self.path(&["store", "sqlite"]);
        let history = self.read(&["store", "history"], values::history);
        let listen = self.read(&["listen"], values::address);
        let external_url = self.read(&["externalUrl"], values::url);
        let level = self.read(&["log", "level"], values::level);
        let format = self.read(&["log", "format"], values::format);
        let filter = self.read(&["log", "filter"], values::filter);
        Some(Config {
            definitions,
            alerts,
            tick: tick?,
            slot: slot?,
            sources: resolved,
            store: store?,
            history: history?,
            listen: listen?,
            external_url,
            log: Log {
                level: level?,
                format: format?,
                filter,
            },
            file: None,
            settings: Vec::new(),
            unread: Vec::new(),
            warnings: Diagnostics::default(),
        })
    }

    /// A source of one kind.
    fn source(&mut self, name: &str, tick: Option<Duration>) -> Option<Source> {
        let [prometheus, scrape] =
            ["prometheus", "scrape"].map(|kind| self.origin_below(&["sources", name, kind]));
        match (prometheus, scrape) {
            (Some(Origin::Flag(flag)), Some(scrape)) => {
                let message = format!("{flag} asks a Prometheus, and `sources.{name}` scrapes");
                let help = format!(
                    "leave out {flag}, or name the source that scrapes otherwise than `{name}`"
                );
                self.faults.push(scrape.fault(MISFIT, message).help(help));
                None
            }
            (Some(_), Some(scrape)) => {
                let message = format!("`sources.{name}` is a Prometheus and scrapes as well");
                let help = "keep one, or make two sources of it";
                self.faults.push(scrape.fault(MISFIT, message).help(help));
                None
            }
            (None, Some(origin)) => self.scrape(name, &origin, tick).map(Source::Scrape),
            (_, None) => {
                let prometheus = self.prometheus(name, tick)?;
                Some(Source::Prometheus(Box::new(prometheus)))
            }
        }
    }

    fn prometheus(&mut self, name: &str, tick: Option<Duration>) -> Option<Prometheus> {
        let key = |key| ["sources", name, "prometheus", key];
        let url = self.read(&key("url"), values::prometheus);
        if self.well_shaped && !self.has(&key("url")) {
            let origin = self
                .origin_below(&key("url")[..3])
                .unwrap_or(Origin::Default);
            let fault = origin.fault(
                MISSING,
                format!("`sources.{name}.prometheus.url` is missing"),
            );
            self.faults
                .push(fault.help("say where Prometheus is, as http://localhost:9090"));
        }
        let timeout = self.read(&key("timeout"), values::some_duration);
        let bearer_token_file = self.path(&key("bearerTokenFile"));
        let basic_auth_file = self.path(&key("basicAuthFile"));
        let tls = self.tls(name, url.as_ref());
        let partial = self.read(&key("partial"), values::partial);
        let headers = self.headers(&key("headers"));
        let offset = self.read(&key("offset"), values::lag);
        let settle = self.settle(&key("settle"), offset, tick);
        let matchers = self.read(&key("matchers"), values::matchers);
        let params = self.entries(&key("params"));
        let link_url = self.read(&key("linkUrl"), values::link);
        let scrape_interval = self.read(&key("scrapeInterval"), values::some_duration);
        let in_flight = self.read(&key("maxInFlight"), |text| {
            values::count(text, MOST_IN_FLIGHT)
        });
        let body = self.read(&key("maxBodyBytes"), |text| {
            values::count(text, MOST_BODY_BYTES)
        });
        let backfill = self.read(&key("backfill"), values::percent);
        let series = self.read(&key("seriesPerQuery"), |text| {
            values::count(text, MOST_SERIES)
        });
        let push_down = self.read(&key("pushDownAbove"), |text| {
            values::count(text, MOST_SERIES)
        });
        let replica_labels = self.words(&key("replicaLabels"));
        self.one_authorization(
            &key("headers"),
            &key("bearerTokenFile"),
            &key("basicAuthFile"),
        );
        if let Some(url) = url.as_ref().filter(|url| is_in_the_clear(url)) {
            self.warn_of_secrets_to(
                url,
                &key("headers"),
                &key("bearerTokenFile"),
                &key("basicAuthFile"),
            );
        }
        Some(Prometheus {
            url: url?,
            timeout: timeout?,
            bearer_token_file,
            basic_auth_file,
            tls,
            partial: partial?,
            headers,
            offset: offset?,
            settle: settle?,
            matchers: matchers.unwrap_or_default(),
            params,
            link_url,
            scrape_interval,
            max_in_flight: usize::try_from(in_flight?).ok()?,
            max_body_bytes: body?,
            backfill_percent: backfill?,
            series_per_query: usize::try_from(series?).ok()?,
            push_down_above: usize::try_from(push_down?).ok()?,
            replica_labels,
        })
    }

    /// A certificate is of no use without its key, and none of it without TLS.
    fn tls(&mut self, name: &str, url: Option<&Url>) -> Tls {
        let key = |key| ["sources", name, "prometheus", "tls", key];
        for (one, other) in [("certFile", "keyFile"), ("keyFile", "certFile")] {
            if self.has(&key(one)) && !self.has(&key(other)) {
                let wrong = Wrong {
                    code: MISFIT,
                    message: format!("is of no use without `{other}`"),
                    help: format!("name the file of the other one with `{other}`, or remove this"),
                };
                self.wrong(&key(one), wrong);
            }
        }
        if let (Some(origin), Some("http")) =
            (self.origin_below(&key("")[..4]), url.map(Url::scheme))
        {
            let fault = origin.fault(
                MISFIT,
                format!("`sources.{name}.prometheus.tls` is of no use with an address of http"),
            );
            self.faults
                .push(fault.help("write https:// in `url`, or remove `tls`"));
        }
        Tls {
            ca_file: self.path(&key("caFile")),
            cert_file: self.path(&key("certFile")),
            key_file: self.path(&key("keyFile")),
        }
    }

    /// Shows what is in force for a setting that nobody set.
    pub(super) fn show(&mut self, path: &[&str], value: Duration) {
        let shown = Value::Text(format_duration(value).to_string());
        let settings = self
            .settings
            .iter_mut()
            .filter(|setting| setting.path == path);
        settings.for_each(|setting| setting.value = shown.clone());
    }

    /// Slots divide the tick, so that windows end where slots do.
    fn slot(&mut self, path: &[&str], tick: Option<Duration>) -> Option<Duration> {
        let tick = tick?;
        if !self.has(path) {
            self.show(path, tick);
            return Some(tick);
        }
        let slot = self.read(path, values::some_duration)?;
        if tick.as_millis() % slot.as_millis() == 0 {
            return Some(slot);
        }
        let message = format!(
            "is {}, which does not divide the tick of {}",
            format_duration(slot),
            format_duration(tick)
        );
        let help = format!("write {}, or remove the line", format_duration(tick));
        self.wrong(
            path,
            Wrong {
                code: MISFIT,
                message,
                help,
            },
        );
        None
    }

    /// `settle` is a multiple of the tick, so that what is settled ends where a tick does; at most [`values::LATEST`], or
    /// one tick where that is longer.
    pub(super) fn settle(
        &mut self,
        path: &[&str],
        offset: Option<Duration>,
        tick: Option<Duration>,
    ) -> Option<Duration> {
        let (offset, tick) = (offset?, tick?);
        let whole = |at_least: Duration| {
            let ticks = at_least.as_millis().div_ceil(tick.as_millis());
            Some(tick.saturating_mul(u32::try_from(ticks).ok()?))
        };
        if !self.has(path) {
            let settle = whole(SETTLE.max(offset))?;
            self.show(path, settle);
            return Some(settle);
        }
        let settle = self.read(path, values::some_duration)?;
        let fits = whole(settle.max(offset))?;
        let ticks = values::LATEST.as_millis() / tick.as_millis();
        let most = tick.saturating_mul(u32::try_from(ticks.max(1)).ok()?);
        let (why, instead) = if settle < offset {
            let offset = format_duration(offset);
            (format!("shorter than `offset`, which is {offset}"), fits)
        } else if settle > most {
            let longest = format_duration(values::LATEST.max(tick));
            (format!("longer than {longest}"), most)
        } else if settle != fits {
            let tick = format_duration(tick);
            (format!("not a whole number of ticks of {tick}"), fits)
        } else {
            return Some(settle);
        };
        let help = format!("write {}", format_duration(instead));
        self.wrong(
            path,
            Wrong {
                code: MISFIT,
                message: format!("is {}, {why}", format_duration(settle)),
                help,
            },
        );
        None
    }

    fn headers(&mut self, path: &[&str]) -> BTreeMap<String, SecretString> {
        let mut headers = BTreeMap::new();
        for (name, text) in self.entries(path) {
            match values::header(&name, &text) {
                Ok(value) => _ = headers.insert(name, value),
                Err(wrong) => self.wrong(&[path, &[&name]].concat(), wrong),
            }
        }
        headers
    }

    /// Only one of a header, a token and a password may say who asks.
    fn one_authorization(&mut self, headers: &[&str], token: &[&str], password: &[&str]) {
        let is_it = |name: &String| name.eq_ignore_ascii_case("authorization");
        let header = self.entries(headers).into_keys().find(is_it);
        let header = header.as_ref().map(|name| [headers, &[name]].concat());
        let files = [token, password].into_iter().filter(|path| self.has(path));
        let all: Vec<Vec<&str>> = header.into_iter().chain(files.map(<[_]>::to_vec)).collect();
        if let [one, .., other] = &all[..] {
            let other = other.last().copied().unwrap_or_default();
            let message = format!("says who is asking, and so does `{other}`");
            let help = "remove one".to_owned();
            self.wrong(
                one,
                Wrong {
                    code: MISFIT,
                    message,
                    help,
                },
            );
        }
    }

    /// Where a secret goes in the clear it is one no longer.
    fn warn_of_secrets_to(
        &mut self,
        url: &Url,
        headers: &[&str],
        token: &[&str],
        password: &[&str],
    ) {
        let named: Vec<String> = self.entries(headers).into_keys().collect();
        let named = named.iter().filter(|name| is_secret(name));
        let headers = named.map(|name| [headers, &[name]].concat());
        let files = [token, password].map(<[_]>::to_vec);
        for path in headers.chain(files) {
            let Some(given) = self.given.get(&owned(&path)) else {
                continue;
            };
            let message = format!("`{}` goes to {url} in the clear", path.join("."));
            let help = "write https:// in `url`; `tls.caFile` names an authority of your own";
            let warning = given.origin.warning(IN_THE_CLEAR, message).help(help);
            self.warnings.extend([warning]);
        }
    }

    pub(super) fn read<T>(
        &mut self,
        path: &[&str],
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let text = self.text(path)?;
        parse(text.trim())
            .map_err(|wrong| self.wrong(path, wrong))
            .ok()
    }

    fn path(&mut self, path: &[&str]) -> Option<PathBuf> {
        self.text(path).map(PathBuf::from)
    }

    fn paths(&mut self, key: &str) -> Vec<PathBuf> {
        match self.given.get(&owned(&[key])).map(|given| &given.value) {
            Some(Raw::Many(texts)) => texts.iter().map(PathBuf::from).collect(),
            _ => Vec::new(),
        }
    }

    fn words(&self, path: &[&str]) -> Vec<String> {
        match self.given.get(&owned(path)).map(|given| &given.value) {
            Some(Raw::Many(words)) => words.clone(),
            _ => Vec::new(),
        }
    }

    fn text(&self, path: &[&str]) -> Option<String> {
        match &self.given.get(&owned(path))?.value {
            Raw::One(text) => Some(text.clone()),
            Raw::Many(_) | Raw::Targets(_) => None,
        }
    }

    fn entries(&self, path: &[&str]) -> BTreeMap<String, String> {
        let prefix = owned(path);
        let below = self
            .given
            .iter()
            .filter(|(path, _)| path.starts_with(&prefix));
        below
            .filter_map(|(path, given)| match &given.value {
                Raw::One(text) => Some((path.last()?.clone(), text.clone())),
                Raw::Many(_) | Raw::Targets(_) => None,
            })
            .collect()
    }

    pub(super) fn has(&self, path: &[&str]) -> bool {
        self.given.contains_key(&owned(path))
    }

    /// Where somebody first said anything about what lies below `path`.
    fn origin_below(&self, path: &[&str]) -> Option<Origin> {
        let prefix = owned(path);
        let said = self
            .given
            .iter()
            .find(|(path, given)| path.starts_with(&prefix) && given.origin != Origin::Default);
        said.map(|(_, given)| given.origin.clone())
    }

    pub(super) fn wrong(&mut self, path: &[&str], wrong: Wrong) {
        let origin = self
            .given
            .get(&owned(path))
            .map_or(Origin::Default, |given| given.origin.clone());
        let message = format!("`{}` {}", path.join("."), wrong.message);
        self.faults
            .push(origin.fault(wrong.code, message).help(wrong.help));
    }
}

pub(super) fn owned(path: &[&str]) -> KeyPath {
    path.iter().map(|&part| part.to_owned()).collect()
}
