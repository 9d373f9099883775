//! Defaults, file, environment and flags, laid over one another.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, nearest};

use super::keys::{CONFIG_VARIABLE, DEFAULT_SOURCE, DEFAULT_URL, Key, Shape, URL_VARIABLE, visit};
use super::origin::{Origin, SHAPE, UNKNOWN};

/// A setting's key, one part per level of the file.
pub(super) type KeyPath = Vec<String>;

/// A value as text, before anyone asked what it means. Without `Debug`, since it may be a secret.
#[derive(Clone)]
pub(super) enum Raw {
    One(String),
    Many(Vec<String>),
    Targets(Vec<RawTarget>),
}

/// A page to scrape, before anyone asked what its address means.
#[derive(Clone)]
pub(super) struct RawTarget {
    pub(super) url: Given,
    pub(super) labels: BTreeMap<String, Given>,
}

/// A value and where it came from.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) value: Raw,
    pub(super) origin: Origin,
}

/// What one place says.
pub(super) type Layer = BTreeMap<KeyPath, Given>;

const PREFIX: &str = "SLOBURN_";

/// What the environment says.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) layer: Layer,
    pub(super) faults: Vec<Diagnostic>,
    /// Variables with our prefix that are no settings.
    pub(super) unread: Vec<String>,
}

/// What the environment says; a variable that is set but empty says nothing.
pub(super) fn environment(variables: &BTreeMap<String, String>) -> Environment {
    let (mut layer, mut faults, mut unread) = (Layer::new(), Vec::new(), Vec::new());
    let mut known = vec![CONFIG_VARIABLE, URL_VARIABLE];
    visit(&[DEFAULT_SOURCE], |path, key| {
        known.push(key.variable);
        if let Some(text) = variables.get(key.variable).filter(|text| !text.is_empty()) {
            let path = path.iter().map(|&part| part.to_owned()).collect();
            if let Err(fault) = variable(&mut layer, path, key, text) {
                faults.push(*fault);
            }
        }
    });
    for name in variables
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
    {
        let Some(end) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if let Some(meant) = meant(end, &known) {
            let origin = Origin::Environment(name.clone());
            let fault = origin.fault(UNKNOWN, "this variable is not a setting");
            faults.push(fault.help(format!("did you mean {PREFIX}{meant}?")));
        } else if !is_of_kubernetes(end) {
            unread.push(name.clone());
        }
    }
    Environment {
        layer,
        faults,
        unread,
    }
}

/// The end of the variable that was meant by one that ends with `end`: one like it, or the first that
/// goes on where it ends, as `PROMETHEUS_URL` after `PROMETHEUS`.
fn meant<'a>(end: &str, known: &[&'a str]) -> Option<&'a str> {
    let mut ends = known.iter().filter_map(|name| name.strip_prefix(PREFIX));
    let goes_on = |known: &&str| {
        let rest = known.strip_prefix(end);
        rest.is_some_and(|rest| rest.starts_with('_'))
    };
    nearest(end, ends.clone()).or_else(|| ends.find(goes_on))
}

/// Whether Kubernetes sets such a variable for a service whose name begins as ours does:
/// `SLOBURN_SERVICE_HOST`, `SLOBURN_PORT`, `SLOBURN_PORT_9099_TCP_ADDR`.
fn is_of_kubernetes(end: &str) -> bool {
    let words: Vec<&str> = end.split('_').collect();
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_address = |pair: &[&str]| match pair {
        ["SERVICE", what] => matches!(*what, "HOST" | "PORT"),
        ["PORT", number] => is_number(number),
        _ => false,
    };
    words.last() == Some(&"PORT") || words.windows(2).any(is_address)
}

fn variable(
    layer: &mut Layer,
    path: KeyPath,
    key: &Key,
    text: &str,
) -> Result<(), Box<Diagnostic>> {
    let origin = Origin::Environment(key.variable.to_owned());
    let parts = || {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
    };
    match key.shape {
        Shape::Paths | Shape::Words => {
            let value = Raw::Many(parts().map(str::to_owned).collect());
            layer.insert(path, Given { value, origin });
        }
        Shape::Targets => {
            let target = |url: &str| RawTarget {
                url: Given {
                    value: Raw::One(url.to_owned()),
                    origin: origin.clone(),
                },
                labels: BTreeMap::new(),
            };
            let value = Raw::Targets(parts().map(target).collect());
            layer.insert(path, Given { value, origin });
        }
        Shape::Entries => {
            for part in parts() {
                let Some((name, value)) = part.split_once('=') else {
                    // The text may be a secret, so it is not repeated.
                    let message = format!("`{}` must be pairs", path.join("."));
                    let fault = origin.fault(SHAPE, message);
                    return Err(Box::new(fault.help("write name=value,name=value")));
                };
                let below = [&path[..], &[name.trim().to_owned()]].concat();
                let (value, origin) = (Raw::One(value.trim().to_owned()), origin.clone());
                layer.insert(below, Given { value, origin });
            }
        }
        _ => {
            let value = Raw::One(text.to_owned());
            layer.insert(path, Given { value, origin });
        }
    }
    Ok(())
}

/// Every setting in the order of printing, `None` where nobody said anything. Later layers win.
pub(super) struct Effective {
    pub(super) sources: Vec<String>,
    pub(super) values: Vec<(KeyPath, Option<Given>)>,
}

pub(super) fn lay(layers: Vec<Layer>) -> Effective {
    let mut given = Layer::new();
    for layer in layers {
        given.extend(layer);
    }
    let mut sources = source_names(&given);
    if sources.is_empty() {
        let url = ["sources", DEFAULT_SOURCE, "prometheus", "url"];
        given.insert(
            url.map(str::to_owned).to_vec(),
            by_default(Shape::One, DEFAULT_URL),
        );
        sources = source_names(&given);
    }
    let mut values = Vec::new();
    let names: Vec<&str> = sources.iter().map(String::as_str).collect();
    visit(&names, |path, key| {
        let path: KeyPath = path.iter().map(|&part| part.to_owned()).collect();
        if !is_of_its_kind(&given, &path) {
            return;
        }
        if matches!(key.shape, Shape::Entries) {
            let below = given.iter().filter(|(name, _)| name.starts_with(&path));
            values.extend(below.map(|(name, given)| (name.clone(), Some(given.clone()))));
            return;
        }
        let default = || key.default.map(|text| by_default(key.shape, text));
        let value = given.get(&path).cloned().or_else(default);
        values.push((path, value));
    });
    Effective { sources, values }
}

/// Whether a source's setting is one of its kind: of what it says, or of a Prometheus when it says nothing.
fn is_of_its_kind(given: &Layer, path: &[String]) -> bool {
    let [sources, name, kind, ..] = path else {
        return true;
    };
    let says = |kind: &str| {
        let below = [sources, name, kind];
        given.keys().any(|path| {
            path.iter()
                .zip(below)
                .filter(|(one, other)| *one == other)
                .count()
                == below.len()
        })
    };
    match kind.as_str() {
        "scrape" => says("scrape"),
        _ => says("prometheus") || !says("scrape"),
    }
}

fn by_default(shape: Shape, text: &str) -> Given {
    let value = match shape {
        Shape::Paths | Shape::Words => Raw::Many(vec![text.to_owned()]),
        _ => Raw::One(text.to_owned()),
    };
    Given {
        value,
        origin: Origin::Default,
    }
}

fn source_names(given: &Layer) -> Vec<String> {
    let mut names: Vec<String> = given
        .keys()
        .filter_map(|path| match &path[..] {
            [sources, name, ..] if sources == "sources" => Some(name.clone()),
            _ => None,
        })
        .collect();
    names.dedup();
    names
}
