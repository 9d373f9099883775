//! Settings of a source that scrapes: a list of pages in the file, and what its values mean.

use std::collections::BTreeMap;
use std::time::Duration;

use humantime::format_duration;
use serde_json::json;

use crate::diagnostic::Place;

use super::file::{Reader, joined};
use super::layers::{Given, KeyPath, Raw, RawTarget};
use super::origin::{MISFIT, MISSING, Origin, SHAPE, UNKNOWN, VALUE};
use super::resolve::{MOST_BODY_BYTES, Resolver, owned};
use super::values::{self, Wrong};
use super::yaml::{Node, Yaml};
use super::{Scrape, Target};

/// What `timeout` is when nobody says, if the interval is not shorter.
const TIMEOUT: Duration = Duration::from_secs(10);

const EXAMPLE: &str =
    "write `targets: [{url: 'http://localhost:8080/metrics', labels: {job: checkout}}]`";

impl Reader<'_> {
    /// A list of pages.
    pub(super) fn targets(&mut self, path: KeyPath, node: Node) {
        let (key, place) = (path.join("."), node.place.clone());
        let Yaml::List(items) = node.value else {
            return self.fault(
                SHAPE,
                &place,
                format!("`{key}` must be a list of pages"),
                EXAMPLE,
            );
        };
        let targets = items
            .into_iter()
            .filter_map(|item| self.target(&path, item))
            .collect();
        self.insert(path, place, Raw::Targets(targets));
    }

    fn target(&mut self, path: &[String], node: Node) -> Option<RawTarget> {
        let place = node.place.clone();
        if !matches!(node.value, Yaml::Map(_)) {
            let message = format!("`{}` holds something that is no page", path.join("."));
            self.fault(SHAPE, &place, message, EXAMPLE);
            return None;
        }
        let (mut url, mut labels) = (None, BTreeMap::new());
        for (name, value) in self.entries(path, node) {
            let below = joined(path, &name.name);
            match name.name.as_str() {
                "url" => url = self.text(&below, value),
                "labels" => {
                    for (label, value) in self.entries(&below, value) {
                        if let Some(value) = self.text(&joined(&below, &label.name), value) {
                            labels.insert(label.name, value);
                        }
                    }
                }
                _ => {
                    let message = format!("`{}` is not a setting", below.join("."));
                    self.fault(UNKNOWN, &name.place, message, "here may stand: url, labels");
                }
            }
        }
        if url.is_none() {
            let message = format!("a page of `{}` has no `url`", path.join("."));
            self.fault(MISSING, &place, message, EXAMPLE);
        }
        Some(RawTarget { url: url?, labels })
    }

    fn text(&mut self, path: &[String], node: Node) -> Option<Given> {
        if let Yaml::Scalar(text) = node.value {
            return Some(given(text, node.place));
        }
        let message = format!("`{}` must be one value", path.join("."));
        self.fault(
            SHAPE,
            &node.place,
            message,
            "write it on the same line, without brackets",
        );
        None
    }
}

fn given(text: String, place: Place) -> Given {
    Given {
        value: Raw::One(text),
        origin: Origin::File(place),
    }
}

fn text(given: &Given) -> &str {
    match &given.value {
        Raw::One(text) => text,
        Raw::Many(_) | Raw::Targets(_) => "",
    }
}

/// A page as it is printed.
pub(super) fn shown(target: &RawTarget) -> serde_json::Value {
    let labels: BTreeMap<&str, &str> = target
        .labels
        .iter()
        .map(|(name, value)| (name.as_str(), text(value)))
        .collect();
    if labels.is_empty() {
        json!({"url": text(&target.url)})
    } else {
        json!({"url": text(&target.url), "labels": labels})
    }
}

impl Resolver {
    /// A source that scrapes; `origin` is where somebody first spoke of it.
    pub(super) fn scrape(
        &mut self,
        name: &str,
        origin: &Origin,
        tick: Option<Duration>,
    ) -> Option<Scrape> {
        let key = |key| ["sources", name, "scrape", key];
        let targets = self.pages(&key("targets"), origin);
        let interval = self.read(&key("interval"), values::some_duration);
        let timeout = self.scrape_timeout(&key("timeout"), interval);
        let offset = self.read(&key("offset"), values::lag);
        let settle = self.settle(&key("settle"), offset, tick);
        let body = self.read(&key("maxBodyBytes"), |text| {
            values::count(text, MOST_BODY_BYTES)
        });
        Some(Scrape {
            targets,
            interval: interval?,
            timeout: timeout?,
            offset: offset?,
            settle: settle?,
            max_body_bytes: body?,
        })
    }

    fn scrape_timeout(&mut self, path: &[&str], interval: Option<Duration>) -> Option<Duration> {
        let interval = interval?;
        if !self.has(path) {
            let timeout = TIMEOUT.min(interval);
            self.show(path, timeout);
            return Some(timeout);
        }
        let timeout = self.read(path, values::some_duration)?;
        if timeout <= interval {
            return Some(timeout);
        }
        let [timeout, interval] = [timeout, interval].map(|it| format_duration(it).to_string());
        self.wrong(
            path,
            Wrong {
                code: MISFIT,
                message: format!("is {timeout}, longer than the interval of {interval}"),
                help: format!("write at most {interval}"),
            },
        );
        None
    }

    fn pages(&mut self, path: &[&str], origin: &Origin) -> Vec<Target> {
        let raw = match self
            .given
            .get(&owned(path))
            .map(|given| given.value.clone())
        {
            Some(Raw::Targets(raw)) => raw,
            _ => Vec::new(),
        };
        if raw.is_empty() && self.well_shaped {
            let message = format!("`{}` names no page", path.join("."));
            self.faults
                .push(origin.fault(MISSING, message).help(EXAMPLE));
        }
        let mut targets: Vec<Target> = Vec::new();
        for raw in &raw {
            let key = path.join(".");
            let url = match values::url(text(&raw.url).trim()) {
                Ok(url) => url,
                Err(Wrong {
                    code,
                    message,
                    help,
                }) => {
                    let fault = raw.url.origin.fault(code, format!("`{key}.url` {message}"));
                    self.faults.push(fault.help(help));
                    continue;
                }
            };
            for (name, value) in raw.labels.iter().filter(|(name, _)| !is_label(name)) {
                let message = format!("`{}` cannot be the name of a label", name.escape_debug());
                let fault = value.origin.fault(VALUE, message);
                self.faults.push(fault.help(
                    "use letters, digits and `_`, with no digit and no `__` at its beginning",
                ));
            }
            let labels: BTreeMap<String, String> = raw
                .labels
                .iter()
                .map(|(name, value)| (name.clone(), text(value).to_owned()))
                .collect();
            let target = Target { url, labels };
            if targets.iter().any(|known| clash(known, &target)) {
                let message = format!("`{key}` has {} twice", target.url);
                let fault = raw.url.origin.fault(MISFIT, message);
                self.faults
                    .push(fault.help("remove one, or give them different labels"));
            }
            targets.push(target);
        }
        targets
    }
}

/// Whether the series of two targets could not be told apart.
fn clash(one: &Target, other: &Target) -> bool {
    one.url == other.url && one.labels == other.labels
}

fn is_label(name: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let digit = |char: char| char.is_ascii_digit();
    !name.is_empty()
        && !name.starts_with("__")
        && !name.starts_with(digit)
        && name.chars().all(allowed)
}
