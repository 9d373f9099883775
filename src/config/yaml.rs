//! YAML as it was written: texts, lists and keys, each with its place. Only this names the parser's types.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Error, Location, MessageFormatter, Options, Spanned};

use crate::diagnostic::{Diagnostic, Place, YamlMistake, yaml_mistake};

use super::origin::SYNTAX;

/// A value and where it stands.
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Yaml,
}

/// What was written; numbers and truth values are texts as well.
pub(super) enum Yaml {
    Nothing,
    Scalar(String),
    List(Vec<Node>),
    /// In the order of the file; the same key may come twice.
    Map(Vec<(Key, Node)>),
}

/// A key and where it stands.
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) name: String,
}

/// What `text`, the content of `file`, says. Nothing at all is [`Yaml::Nothing`].
pub(super) fn parse(file: &Arc<Path>, text: &str) -> Result<Node, Box<Diagnostic>> {
    let place = |at: Location| {
        let start = at.span().byte_offset().unwrap_or(0);
        let end = start + at.span().byte_len().unwrap_or(0);
        let offset = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        Place::of(file, text, offset(start)..offset(end))
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options()) {
        Ok(root) => Ok(lower(root, &place)),
        Err(error) => Err(Box::new(match plain_mistake(&error, text) {
            Some(mistake) => {
                let at = Place::of(file, text, mistake.at..mistake.at);
                let fault = Diagnostic::error(SYNTAX, mistake.message);
                fault.at(&at).help(mistake.help)
            }
            None => Diagnostic::error(SYNTAX, sentence(&error))
                .at(&place(error.location().unwrap_or(Location::UNKNOWN))),
        })),
    }
}

/// The mistake in the syntax that led to an error, of which the error itself knows no place.
fn plain_mistake(error: &Error, text: &str) -> Option<YamlMistake> {
    let is_second = matches!(error, Error::MultipleDocuments { .. });
    yaml_mistake(text).filter(|it| !is_second && !it.is_too_deep)
}

/// Limits far above any honest file and far below what could hurt; a key that comes twice is told by us.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: 20_000, max_aliases: 200, max_depth: 32 },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    }
}

fn sentence(error: &Error) -> String {
    if let Error::MultipleDocuments { .. } = error {
        return "a second document begins here, but there is one configuration".to_owned();
    }
    let why = serde_saphyr::DefaultMessageFormatter.format_message(error);
    // Text of the file may stand in it, and nothing of that may steer a terminal.
    let why: String = why
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    format!("this cannot be read as YAML: {why}")
}

fn lower(raw: Spanned<Raw>, place: &impl Fn(Location) -> Place) -> Node {
    let value = match raw.value {
        Raw::Nothing => Yaml::Nothing,
        Raw::Scalar(text) => Yaml::Scalar(text),
        Raw::List(items) => Yaml::List(items.into_iter().map(|item| lower(item, place)).collect()),
        Raw::Map(entries) => {
            let entry = |(key, value): (Spanned<String>, Spanned<Raw>)| {
                let (place_of_key, name) = (place(key.referenced), key.value);
                let key = Key {
                    place: place_of_key,
                    name,
                };
                (key, lower(value, place))
            };
            Yaml::Map(entries.into_iter().map(entry).collect())
        }
    };
    Node {
        place: place(raw.referenced),
        value,
    }
}

enum Raw {
    Nothing,
    Scalar(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or keys with values")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
