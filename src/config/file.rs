//! The configuration file: its values with their places, and everything that is wrong with its shape in one go.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, did_you_mean};

use super::keys::{self, ROOT, Shape};
use super::layers::{Given, KeyPath, Layer, Raw};
use super::origin::{Origin, SECRET, SHAPE, TWICE, UNKNOWN};
use super::yaml::{self, Key, Node, Yaml};

/// Values of the file at `path`, whose content is `text`, and what is wrong with its shape.
pub(super) fn read(path: &Path, text: &str) -> (Layer, Vec<Diagnostic>) {
    let mut reader = Reader {
        folder: path.parent().unwrap_or(Path::new("")),
        layer: Layer::new(),
        faults: Vec::new(),
    };
    match yaml::parse(&Arc::from(path), text) {
        // A file of nothing but comments says nothing, which is allowed.
        Ok(root) if matches!(root.value, Yaml::Nothing) => {}
        Ok(root) => reader.section(ROOT, &[], root),
        Err(fault) => reader.faults.push(*fault),
    }
    (reader.layer, reader.faults)
}

pub(super) struct Reader<'a> {
    folder: &'a Path,
    layer: Layer,
    faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    pub(super) fn fault(
        &mut self,
        code: &'static str,
        at: &Place,
        message: String,
        help: impl Into<String>,
    ) {
        self.faults
            .push(Diagnostic::error(code, message).at(at).help(help));
    }

    fn section(&mut self, keys: &'static [keys::Key], path: &[String], node: Node) {
        for (name, value) in self.entries(path, node) {
            let below = joined(path, &name.name);
            match keys.iter().find(|key| key.name == name.name) {
                Some(key) => self.value(key.shape, below, value),
                None => self.unknown(keys, path, &name),
            }
        }
    }

    /// The entries of a map, each key once.
    pub(super) fn entries(&mut self, path: &[String], node: Node) -> Vec<(Key, Node)> {
        let Yaml::Map(entries) = node.value else {
            let (what, help) = match path.join(".") {
                root if root.is_empty() => (
                    "the configuration".to_owned(),
                    "write lines as `tick: 30s`".to_owned(),
                ),
                section => (
                    format!("`{section}`"),
                    format!("write its `key: value` lines indented below `{section}:`"),
                ),
            };
            self.fault(
                SHAPE,
                &node.place,
                format!("{what} must hold keys and values"),
                help,
            );
            return Vec::new();
        };
        let mut first: BTreeMap<String, Place> = BTreeMap::new();
        let mut once = Vec::new();
        for (key, value) in entries {
            if let Some(earlier) = first.get(&key.name) {
                let message = format!("`{}` is set twice", joined(path, &key.name).join("."));
                let help = format!("it was set in line {} already; remove one", earlier.line);
                let fault = Diagnostic::error(TWICE, message).at(&key.place).help(help);
                self.faults.push(fault.related(earlier, "set here first"));
            } else {
                first.insert(key.name.clone(), key.place.clone());
                once.push((key, value));
            }
        }
        once
    }

    fn value(&mut self, shape: Shape, path: KeyPath, node: Node) {
        if matches!(node.value, Yaml::Nothing) {
            let message = format!("`{}` has no value", path.join("."));
            return self.fault(
                SHAPE,
                &node.place,
                message,
                "give it one, or remove the line",
            );
        }
        match shape {
            Shape::Section(keys) => self.section(keys, &path, node),
            Shape::Named(keys) => {
                for (name, value) in self.entries(&path, node) {
                    self.named(keys, &path, &name, value);
                }
            }
            Shape::Entries => {
                for (name, value) in self.entries(&path, node) {
                    self.scalar(joined(&path, &name.name), value, |text| text);
                }
            }
            Shape::Paths => {
                let folder = self.folder;
                self.list(path, node, "path", |text| relative_to(folder, text));
            }
            Shape::Words => self.list(path, node, "word", str::to_owned),
            Shape::Targets => self.targets(path, node),
            Shape::Path => {
                let folder = self.folder;
                self.scalar(path, node, |text| relative_to(folder, &text));
            }
            Shape::One => self.scalar(path, node, |text| text),
        }
    }

    /// One of several things that the user names; saying nothing about it is a mistake.
    fn named(&mut self, keys: &'static [keys::Key], path: &[String], name: &Key, node: Node) {
        if !is_name(&name.name) {
            let message = format!("`{}` cannot be a name", name.name.escape_debug());
            return self.fault(
                UNKNOWN,
                &name.place,
                message,
                "use letters, digits, `-` and `_`",
            );
        }
        let (path, at, before) = (
            joined(path, &name.name),
            node.place.clone(),
            self.faults.len(),
        );
        self.section(keys, &path, node);
        if before == self.faults.len() && !self.layer.keys().any(|key| key.starts_with(&path)) {
            let help = "write `prometheus: {url: http://…}` or `scrape: {targets: […]}` below it";
            self.fault(
                SHAPE,
                &at,
                format!("`{}` says nothing", path.join(".")),
                help,
            );
        }
    }

    fn scalar(&mut self, path: KeyPath, node: Node, change: impl FnOnce(String) -> String) {
        if let Yaml::Scalar(text) = node.value {
            return self.insert(path, node.place, Raw::One(change(text)));
        }
        let message = format!("`{}` must be one value", path.join("."));
        self.fault(
            SHAPE,
            &node.place,
            message,
            "write it on the same line, without brackets",
        );
    }

    fn list(&mut self, path: KeyPath, node: Node, what: &str, change: impl Fn(&str) -> String) {
        let key = path.join(".");
        let text_of = |item: Node| match item.value {
            Yaml::Scalar(text) => Some(change(&text)),
            _ => None,
        };
        let (texts, help) = match node.value {
            Yaml::List(items) => (
                items.into_iter().map(text_of).collect(),
                format!("each of them is one {what}"),
            ),
            Yaml::Scalar(text) => (None, format!("write `{key}: [{text}]`")),
            _ => (None, format!("write `{key}: [one, two]`")),
        };
        match texts {
            Some(texts) => self.insert(path, node.place, Raw::Many(texts)),
            None => self.fault(
                SHAPE,
                &node.place,
                format!("`{key}` must be a list of {what}s"),
                help,
            ),
        }
    }

    pub(super) fn insert(&mut self, path: KeyPath, place: Place, value: Raw) {
        let origin = Origin::File(place);
        self.layer.insert(path, Given { value, origin });
    }

    fn unknown(&mut self, keys: &'static [keys::Key], path: &[String], name: &Key) {
        let known = || keys.iter().map(|key| key.name);
        let written = joined(path, &name.name).join(".");
        let file = match name.name.as_str() {
            "bearerToken" | "token" => "bearerTokenFile",
            "basicAuth" | "password" => "basicAuthFile",
            _ => "",
        };
        if known().any(|key| key == file) {
            let message = format!("`{written}` would put a secret into this file");
            let help = format!("write it to a file of its own and name that with `{file}`");
            return self.fault(SECRET, &name.place, message, help);
        }
        let all = || format!("here may stand: {}", known().collect::<Vec<_>>().join(", "));
        let elsewhere = || elsewhere(path, &name.name).unwrap_or_else(all);
        let help = did_you_mean(&name.name, known(), elsewhere);
        self.fault(
            UNKNOWN,
            &name.place,
            format!("`{written}` is not a setting"),
            help,
        );
    }
}

/// Where a name belongs that stands at a place where it is none.
fn elsewhere(path: &[String], name: &str) -> Option<String> {
    if path.is_empty() && name == "apiVersion" {
        return Some(
            "a file of definitions or alerts is named with --definitions or --alerts".to_owned(),
        );
    }
    let source = path.get(1).filter(|_| path[0] == "sources");
    let source = source.map_or(keys::DEFAULT_SOURCE, String::as_str);
    let mut found = None;
    keys::visit(&[source], |known, _| {
        let at = known
            .iter()
            .position(|part| *part == name)
            .filter(|at| *at > 0);
        if let (Some(at), None) = (at, &found) {
            found = Some(format!("it belongs below `{}`", known[..at].join(".")));
        }
    });
    found
}

pub(super) fn joined(path: &[String], name: &str) -> KeyPath {
    [path, &[name.to_owned()]].concat()
}

fn relative_to(folder: &Path, text: &str) -> String {
    folder.join(text).to_string_lossy().into_owned()
}

fn is_name(text: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    !text.is_empty() && text.chars().all(allowed)
}
