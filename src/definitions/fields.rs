//! Reading the keys of a map, each fault told and none of them the last.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::diagnostic::{Diagnostic, Place, nearest, write_one_of};

use super::codes;
use super::node::{Entry, Faults, Located, Node, Value};

/// The keys of one map.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    what: &'static str,
    pub(super) place: &'a Place,
    entries: &'a [Entry],
    /// Keys that an unknown key was probably meant to be: they are not missing too.
    meant: Vec<&'static str>,
    has_unknown: bool,
    pub(super) faults: &'a Faults,
}

impl<'a> Fields<'a> {
    /// The keys of `node`, which is `what` ("an objective"); all that are not `known` are faults.
    pub(super) fn of(
        node: &'a Node,
        what: &'static str,
        known: &[&'static str],
        faults: &'a Faults,
    ) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            faults.add(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    format!("{what} is a map, and this is {}", node.kind()),
                )
                .at(&node.place)
                .help(has_the_keys(known)),
            );
            return None;
        };
        let mut fields = Self {
            what,
            place: &node.place,
            entries,
            meant: Vec::new(),
            has_unknown: false,
            faults,
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                fields.unknown(entry, known);
            }
        }
        Some(fields)
    }

    fn unknown(&mut self, entry: &Entry, known: &[&'static str]) {
        let key = &entry.key;
        self.has_unknown = true;
        let file_key = known.iter().find(|known| **known == format!("{key}File"));
        if let Some(file_key) = file_key {
            self.meant.push(file_key);
            self.faults.add(
                Diagnostic::error(
                    codes::SECRET,
                    format!("`{key}` is a secret and must not stand in this file"),
                )
                .at(&entry.place)
                .hiding(&entry.node.place)
                .help(format!(
                    "put it into a file of its own and write that file's path as `{file_key}`"
                )),
            );
            return;
        }
        let meant = elsewhere(entry, known).or_else(|| nearest(key, known.iter().copied()));
        self.meant.extend(meant);
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if is_rest_of_number(entry) => {
                "a comma parts keys here; write a point in numbers, as in 14.4".to_owned()
            }
            None => match self.without_value_above(entry) {
                Some(above) => {
                    format!("`{above}` above it has no value: indent what belongs to it")
                }
                None => has_the_keys(known),
            },
        };
        let sentence = format!("{} has no key `{key}`", self.what);
        let fault = Diagnostic::error(codes::UNKNOWN_KEY, sentence);
        self.faults.add(fault.at(&entry.place).help(help));
    }

    /// The last key above an entry that has no value.
    fn without_value_above(&self, entry: &Entry) -> Option<&str> {
        let above = self.entries.iter().take_while(|it| it.key != entry.key);
        let empty = above.filter(|it| matches!(it.node.value, Value::Null));
        empty.last().map(|it| it.key.as_str())
    }

    /// Whether `key` is there, or was probably meant by another.
    pub(super) fn has(&self, key: &str) -> bool {
        self.meant.contains(&key) || self.entries.iter().any(|entry| entry.key == key)
    }

    /// The entry of `key`; one without a value is a fault.
    pub(super) fn entry(&self, key: &str) -> Option<&'a Entry> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        if matches!(entry.node.value, Value::Null) {
            self.faults.add(
                Diagnostic::error(codes::EMPTY, format!("`{key}` has no value"))
                    .at(&entry.place)
                    .help("write one, or remove the key; a value that starts with # needs quotes"),
            );
            return None;
        }
        Some(entry)
    }

    /// The entry of the first of `keys` that is there, whatever it is.
    pub(super) fn first_of(&self, keys: &[&str]) -> Option<&'a Entry> {
        let is_meant = |entry: &&Entry| keys.contains(&entry.key.as_str());
        self.entries.iter().find(is_meant)
    }

    /// Where `key` stands, if it does.
    pub(super) fn place_of(&self, key: &str) -> Option<&'a Place> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.place)
    }

    /// The value of `key`.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The value of `key`, which must be there; `example` shows how it is written.
    pub(super) fn need(&self, key: &str, example: &str) -> Option<&'a Node> {
        if !self.has(key) {
            self.faults.add(
                Diagnostic::error(codes::MISSING_KEY, format!("{} needs `{key}`", self.what))
                    .at(self.place)
                    .help(format!("write {example}")),
            );
        }
        self.get(key)
    }

    /// The text of `key`, if it is there.
    pub(super) fn text(&self, key: &str) -> Option<Located<String>> {
        text(self.get(key)?, key, self.faults)
    }

    /// What `parse` makes of the text of `key`, if it is there.
    pub(super) fn parse<T, E: Display>(
        &self,
        key: &str,
        code: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Located<T>> {
        parse_node(self.get(key)?, key, code, self.faults, parse)
    }

    /// What `parse` makes of the text of `key`, which must be there.
    pub(super) fn need_parsed<T, E: Display>(
        &self,
        key: &str,
        example: &str,
        code: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Located<T>> {
        parse_node(self.need(key, example)?, key, code, self.faults, parse)
    }

    /// The items of the list `key`, if it is there; an empty one is a fault.
    pub(super) fn list(&self, key: &str) -> Option<&'a [Node]> {
        items(self.get(key)?, key, self.faults)
    }

    /// Names and texts of the map `key`; empty when it is not there.
    pub(super) fn texts(&self, key: &str) -> BTreeMap<String, Located<String>> {
        let Some(node) = self.get(key) else {
            return BTreeMap::new();
        };
        let Value::Map(entries) = &node.value else {
            self.faults
                .add(wrong_type(node, key, "a map of names and texts"));
            return BTreeMap::new();
        };
        entries
            .iter()
            .filter_map(|entry| {
                let text = text(&entry.node, &entry.key, self.faults)?;
                let place = entry.place.clone();
                Some((
                    entry.key.clone(),
                    Located {
                        value: text.value,
                        place,
                    },
                ))
            })
            .collect()
    }

    /// The one of `keys` that is there. None or several are faults; `what` says what is chosen.
    pub(super) fn one_of(&self, keys: &[&'static str], what: &str) -> Option<&'a Entry> {
        let present: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|entry| keys.contains(&entry.key.as_str()))
            .collect();
        match present.as_slice() {
            [] => {
                // Whoever wrote a key that does not exist has been told so.
                if !self.has_unknown {
                    self.faults.add(
                        Diagnostic::error(codes::CHOICE, format!("{} needs {what}", self.what))
                            .at(self.place)
                            .help(write_one_of(keys)),
                    );
                }
                None
            }
            [one] => self.entry(&one.key),
            [first, second, ..] => {
                self.faults.add(
                    Diagnostic::error(
                        codes::CHOICE,
                        format!("`{}` and `{}` exclude each other", first.key, second.key),
                    )
                    .at(&second.place)
                    .related(&first.place, "and this")
                    .help(format!("keep one of {}", keys.join(", "))),
                );
                None
            }
        }
    }
}

/// What Sloth, OpenSLO and Pyrra call our keys.
const ELSEWHERE: [(&str, &str); 4] = [
    ("target", "objective"),
    ("timeWindow", "window"),
    ("budgetingMethod", "budgeting"),
    ("timeSliceTarget", "sliceObjective"),
];

/// The one of the `known` keys that other tools call so. A list of `target` is rather one of `targets`.
fn elsewhere(entry: &Entry, known: &[&'static str]) -> Option<&'static str> {
    let is_list = matches!(entry.node.value, Value::List(_));
    let mut all = ELSEWHERE.iter().filter(|_| !is_list);
    let (_, ours) = all.find(|(theirs, _)| *theirs == entry.key)?;
    known.iter().copied().find(|known| known == ours)
}

/// Whether what looks like a key is what a comma has parted from a number, as in `{burn: 14,4}`.
fn is_rest_of_number(entry: &Entry) -> bool {
    let digits = entry.key.trim_end_matches('%');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && matches!(entry.node.value, Value::Null)
}

fn has_the_keys(known: &[&str]) -> String {
    match known {
        [only] => format!("it has the key {only}"),
        all => format!("it has the keys {}", all.join(", ")),
    }
}

/// `node` as the text of `key`.
pub(super) fn text(node: &Node, key: &str, faults: &Faults) -> Option<Located<String>> {
    let Value::Text(text) = &node.value else {
        faults.add(wrong_type(node, key, "a single value"));
        return None;
    };
    if text.text.trim().is_empty() {
        faults.add(
            Diagnostic::error(codes::EMPTY, format!("`{key}` is empty"))
                .at(&node.place)
                .help("write a value, or remove the key"),
        );
        return None;
    }
    Some(Located {
        value: text.text.trim().to_owned(),
        place: node.place.clone(),
    })
}

/// What `parse` makes of `node`, the value of `key`.
pub(super) fn parse_node<T, E: Display>(
    node: &Node,
    key: &str,
    code: &'static str,
    faults: &Faults,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Located<T>> {
    let text = text(node, key, faults)?;
    match parse(&text.value) {
        Ok(value) => Some(Located {
            value,
            place: text.place,
        }),
        Err(error) => {
            faults.add(Diagnostic::error(code, error.to_string()).at(&text.place));
            None
        }
    }
}

/// `node`, the value of `key`, as true or false; false after a fault.
pub(super) fn truth(node: &Node, key: &str, faults: &Faults) -> bool {
    match &node.value {
        Value::Text(text) if text.text == "true" => true,
        Value::Text(text) if text.text == "false" => false,
        _ => {
            faults.add(wrong_type(node, key, "true or false"));
            false
        }
    }
}

/// `node` as the list `key`.
pub(super) fn items<'a>(node: &'a Node, key: &str, faults: &Faults) -> Option<&'a [Node]> {
    match &node.value {
        Value::List(items) if items.is_empty() => {
            faults.add(
                Diagnostic::error(codes::EMPTY, format!("the list `{key}` is empty"))
                    .at(&node.place)
                    .help("write at least one item, or remove the key"),
            );
            None
        }
        Value::List(items) => Some(items),
        _ => {
            faults.add(wrong_type(node, key, "a list"));
            None
        }
    }
}

/// `node` as a single name or a list of names.
pub(super) fn names(node: &Node, key: &str, faults: &Faults) -> Vec<Located<String>> {
    match &node.value {
        Value::List(_) => items(node, key, faults)
            .into_iter()
            .flatten()
            .filter_map(|item| text(item, key, faults))
            .collect(),
        _ => text(node, key, faults).into_iter().collect(),
    }
}

/// The fault of `node`, the value of `key`, not being `due`.
pub(super) fn wrong_type(node: &Node, key: &str, due: &str) -> Diagnostic {
    let sentence = format!("`{key}` is {due}, and this is {}", node.kind());
    let fault = Diagnostic::error(codes::WRONG_TYPE, sentence).at(&node.place);
    match rather(node, key, due) {
        Some(help) => fault.help(help),
        None => fault,
    }
}

/// How `node` would be written as it was probably meant.
fn rather(node: &Node, key: &str, due: &str) -> Option<String> {
    match (&node.value, due) {
        (Value::Map(entries), "a single value") => {
            // Braces without a metric before them are read as a map: of conditions, none of which has a value.
            let is_condition = |entry: &Entry| {
                matches!(entry.node.value, Value::Null) && entry.key.contains(['=', '~'])
            };
            if entries.is_empty() || !entries.iter().all(is_condition) {
                return None;
            }
            let conditions: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            let conditions = conditions.join(",");
            Some(if key.to_lowercase().ends_with("where") {
                format!("put it into quotes, without braces: '{conditions}'")
            } else {
                format!(
                    "write the metric's name before the brace, as in http_requests_total{{{conditions}}}"
                )
            })
        }
        (Value::List(items), "a single value") => match items.as_slice() {
            [
                Node {
                    value: Value::Text(text),
                    ..
                },
            ] => Some(format!("write {key}: {}", text.text)),
            _ => Some("write one value, without brackets or dashes".to_owned()),
        },
        (Value::Text(text), "a list") if !text.text.contains(['\n', ',', '[', '{']) => {
            Some(format!("write {key}: [{}]", text.text))
        }
        (Value::Text(_) | Value::Map(_), "a list") => {
            Some("begin each item with `- `, on a line of its own".to_owned())
        }
        _ => None,
    }
}
