//! Filling in what a template leaves open: `$name` and `${name}` in its values.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, did_you_mean};

use super::codes;
use super::node::{Entry, Faults, Node, Text, Value};

/// Filled in by the daemon itself, in `query`.
const WINDOW: &str = "window";

/// Whether a parameter may be called `text`.
pub(super) fn is_name(text: &str) -> bool {
    text != WINDOW && name_at(text) == text.len() && !text.is_empty()
}

/// `node` with the values of `with` in place of its placeholders. Keys are left as they are.
pub(super) fn fill(node: &Node, with: &BTreeMap<String, String>, faults: &Faults) -> Node {
    let value = match &node.value {
        Value::Null => Value::Null,
        Value::Text(text) => Value::Text(fill_text(node, text, with, faults)),
        Value::List(items) => Value::List(items.iter().map(|it| fill(it, with, faults)).collect()),
        Value::Map(entries) => {
            let entry = |entry: &Entry| Entry {
                node: fill(&entry.node, with, faults),
                ..entry.clone()
            };
            Value::Map(entries.iter().map(entry).collect())
        }
    };
    Node {
        place: node.place.clone(),
        value,
    }
}

fn fill_text(node: &Node, text: &Text, with: &BTreeMap<String, String>, faults: &Faults) -> Text {
    let (mut filled, mut rest) = (String::new(), text.text.as_str());
    let mut is_filled = false;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        let (name, length) = placeholder(after);
        let (whole, behind) = after.split_at_checked(length).unwrap_or((after, ""));
        if let Some(value) = with.get(name) {
            filled.push_str(value);
            is_filled = true;
        } else {
            // A lone `$` is the end of a regular expression.
            if !name.is_empty() && name != WINDOW {
                faults.add(unknown(node, name, with));
            }
            filled.push('$');
            filled.push_str(whole);
        }
        rest = behind;
    }
    if !is_filled {
        return text.clone();
    }
    filled.push_str(rest);
    Text {
        text: filled,
        // The file has another text at this place.
        verbatim: None,
    }
}

fn unknown(node: &Node, name: &str, with: &BTreeMap<String, String>) -> Diagnostic {
    let names = || with.keys().map(String::as_str);
    let help = did_you_mean(name, names(), || {
        let names: Vec<&str> = names().collect();
        if names.is_empty() {
            return "list it under the template's `params`".to_owned();
        }
        format!(
            "list it under the template's `params`, which are {}",
            names.join(", ")
        )
    });
    Diagnostic::error(
        codes::PARAMETER,
        format!("`${name}` is no parameter of the template"),
    )
    .at(&node.place)
    .help(help)
}

/// The name that `after`, what follows a `$`, starts with, and the length of all that belongs to it.
fn placeholder(after: &str) -> (&str, usize) {
    if let Some(braced) = after.strip_prefix('{')
        && let Some((name, _)) = braced.split_once('}')
        && name_at(name) == name.len()
    {
        return (name, name.len() + 2);
    }
    let length = name_at(after);
    (after.get(..length).unwrap_or_default(), length)
}

/// How long the name is that `text` starts with.
fn name_at(text: &str) -> usize {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return 0;
    }
    text.find(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .unwrap_or(text.len())
}
