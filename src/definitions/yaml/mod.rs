//! YAML to trees of nodes. Only this folder knows the parser.
//!
//! The parser's events are read directly, because a reader on top of serde stops at the first wrong
//! shape and forgets how a scalar was written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde_saphyr::granit_parser::{
    Event, Marker, Options, Parser, ScalarStyle, ScanError, Span, StrInput,
};

use crate::diagnostic::{Diagnostic, Place, explain_yaml};

use super::codes;
use super::node::{Entry, Faults, Node, Text, Value};

const MOST_NODES: usize = 20_000;
const MOST_ALIASES: usize = 200;
const MOST_LEVELS: usize = 32;

/// The documents of a file.
#[derive(Debug, Default)]
pub(super) struct Documents {
    pub(super) roots: Vec<Node>,
    /// The texts of documents that could not be read.
    pub(super) unread: Vec<String>,
}

/// The documents of `text`. What is wrong with one of them goes to `faults` and hides no other.
pub(super) fn documents(file: &Arc<Path>, text: &str, faults: &Faults) -> Documents {
    let mut found = Documents::default();
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut line = 1;
    for range in split(text) {
        let part = text.get(range.clone()).unwrap_or_default();
        let mut reader = Reader {
            file,
            text,
            part,
            offset: range.start,
            line,
            parser: Parser::new_from_str_with_options(part, options.clone()),
            anchors: BTreeMap::new(),
            nodes: 0,
            aliases: 0,
            faults,
        };
        match reader.documents() {
            Ok(roots) => found.roots.extend(roots),
            Err(Stop(fault)) => {
                found.unread.push(part.to_owned());
                faults.add(*fault);
            }
        }
        line += part.matches('\n').count();
    }
    found
}

/// The parts of `text` between lines that start with `---`, which always start a document. What
/// stands before the first and is no document itself, such as `%YAML`, stays with it.
fn split(text: &str) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    let mut at = 0;
    let mut has_content = false;
    for line in text.split_inclusive('\n') {
        let is_marker = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if is_marker && has_content {
            starts.push(at);
        }
        has_content |= !line.trim().is_empty() && !line.starts_with(['#', '%']);
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .collect()
}

/// The document cannot be read on.
struct Stop(Box<Diagnostic>);

type Step<T> = Result<T, Stop>;

struct Reader<'a> {
    file: &'a Arc<Path>,
    text: &'a str,
    part: &'a str,
    offset: usize,
    line: usize,
    parser: Parser<'a, StrInput<'a>>,
    /// The anchored nodes and how many nodes they hold.
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    aliases: usize,
    faults: &'a Faults,
}

impl<'a> Reader<'a> {
    fn documents(&mut self) -> Step<Vec<Node>> {
        let mut roots = Vec::new();
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(..)
                | Event::DocumentEnd => {}
                _ => {
                    let root = self.node(event, span, 1)?;
                    if !matches!(root.value, Value::Null) {
                        roots.push(root);
                    }
                }
            }
        }
        Ok(roots)
    }

    fn next(&mut self) -> Step<Option<(Event<'a>, Span)>> {
        self.parser
            .next_event()
            .transpose()
            .map_err(|error| self.syntax(&error))
    }

    fn need(&mut self) -> Step<(Event<'a>, Span)> {
        match self.next()? {
            Some(event) => Ok(event),
            None => Err(self.too_short()),
        }
    }

    fn too_short(&self) -> Stop {
        let end = self.offset + self.part.len();
        let place = Place::of(self.file, self.text, end..end);
        let fault = Diagnostic::error(codes::SYNTAX, "the document ends too early");
        Stop(Box::new(fault.at(&place)))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Step<Node> {
        let place = self.place(span);
        self.spend(1, depth, &place)?;
        let before = self.nodes;
        let (value, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, &place), anchor, tag)
            }
            Event::SequenceStart(_, anchor, tag) => (self.list(depth)?, anchor, tag),
            Event::MappingStart(_, anchor, tag) => (self.map(depth)?, anchor, tag),
            Event::Alias(anchor) => return self.alias(anchor, depth, &place),
            _ => {
                return Err(Stop(Box::new(
                    Diagnostic::error(codes::SYNTAX, "a value is due here").at(&place),
                )));
            }
        };
        if tag.is_some() {
            self.faults.add(
                Diagnostic::error(codes::SYNTAX, "tags have no meaning here")
                    .at(&place)
                    .help("remove the word that starts with `!`"),
            );
        }
        let place = match &value {
            // A block has no sign of its own: it is where its first part is.
            Value::Map(entries) if place.span.is_empty() => {
                entries.first().map_or(place, |entry| entry.place.clone())
            }
            Value::List(items) if place.span.is_empty() => {
                items.first().map_or(place, |item| item.place.clone())
            }
            _ => place,
        };
        let node = Node { place, value };
        if anchor != 0 {
            self.anchors
                .insert(anchor, (node.clone(), self.nodes - before + 1));
        }
        Ok(node)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, place: &Place) -> Value {
        if style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
            return Value::Null;
        }
        let source = self.text.get(place.span.clone()).unwrap_or_default();
        let quote = usize::from(source != text);
        let inner = source.get(quote..source.len().saturating_sub(quote));
        let is_verbatim = inner == Some(text) && !text.contains('\n');
        Value::Text(Text {
            text: text.to_owned(),
            verbatim: is_verbatim.then_some((place.span.start + quote, place.column + quote)),
        })
    }

    fn list(&mut self, depth: usize) -> Step<Value> {
        let mut items = Vec::new();
        loop {
            match self.need()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Step<Value> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.need()?;
            if event == Event::MappingEnd {
                break;
            }
            let is_merge =
                matches!(&event, Event::Scalar(key, ScalarStyle::Plain, ..) if key == "<<");
            let key = self.node(event, span, depth + 1)?;
            let (event, span) = self.need()?;
            let mut node = self.node(event, span, depth + 1)?;
            if matches!(node.value, Value::Null) && node.place.span.is_empty() {
                node.place = key.place.clone();
            }
            match key.value {
                _ if is_merge => merged.push(node),
                Value::Text(text) if depth == 1 && begins_anew(&entries, &text.text) => {
                    return Err(second_document(&entries[0], &key.place));
                }
                Value::Text(text) => self.insert(&mut entries, text.text, key.place, node),
                _ => self.faults.add(
                    Diagnostic::error(codes::WRONG_TYPE, "a key must be a single word")
                        .at(&key.place)
                        .help("quote it if it contains braces or brackets"),
                ),
            }
        }
        for node in merged {
            self.merge(&mut entries, node);
        }
        Ok(Value::Map(entries))
    }

    fn insert(&self, entries: &mut Vec<Entry>, key: String, place: Place, node: Node) {
        if let Some(first) = entries.iter().find(|entry| entry.key == key) {
            self.faults.add(
                Diagnostic::error(codes::DUPLICATE_KEY, format!("the key `{key}` comes twice"))
                    .at(&place)
                    .label("again here")
                    .related(&first.place, "first here")
                    .help("keep one of them"),
            );
            return;
        }
        entries.push(Entry { key, place, node });
    }

    /// `<<: *base`, or a list of such: adds the keys that are not there yet.
    fn merge(&self, entries: &mut Vec<Entry>, node: Node) {
        match node.value {
            Value::Map(more) => {
                for entry in more {
                    if entries.iter().all(|known| known.key != entry.key) {
                        entries.push(entry);
                    }
                }
            }
            Value::List(nodes) => {
                for node in nodes {
                    self.merge(entries, node);
                }
            }
            Value::Null | Value::Text(_) => self.faults.add(
                Diagnostic::error(codes::WRONG_TYPE, "only maps can be merged in by `<<`")
                    .at(&node.place)
                    .help("write an alias of a map, as in <<: *base"),
            ),
        }
    }

    fn alias(&mut self, anchor: usize, depth: usize, place: &Place) -> Step<Node> {
        self.aliases += 1;
        if self.aliases > MOST_ALIASES {
            return Err(too_complex(
                place,
                &format!("more than {MOST_ALIASES} aliases"),
            ));
        }
        let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
            return Err(Stop(Box::new(
                Diagnostic::error(codes::SYNTAX, "this alias stands inside of what it repeats")
                    .at(place),
            )));
        };
        self.spend(size, depth, place)?;
        Ok(node)
    }

    fn spend(&mut self, nodes: usize, depth: usize, place: &Place) -> Step<()> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            return Err(too_complex(
                place,
                &format!("more than {MOST_NODES} values"),
            ));
        }
        if depth > MOST_LEVELS {
            return Err(too_complex(
                place,
                &format!("more than {MOST_LEVELS} levels"),
            ));
        }
        Ok(())
    }

    fn place(&self, span: Span) -> Place {
        let start = self.at(span.start);
        let end = self.at(span.end).max(start);
        Place {
            file: Arc::clone(self.file),
            line: self.line + span.start.line().saturating_sub(1),
            column: span.start.col() + 1,
            span: start..end,
        }
    }

    fn at(&self, marker: Marker) -> usize {
        let bytes = marker.byte_offset().unwrap_or(self.part.len());
        self.offset + bytes.min(self.part.len())
    }

    fn syntax(&self, error: &ScanError) -> Stop {
        let mistake = explain_yaml(error, self.part);
        let code = if mistake.is_too_deep {
            codes::TOO_COMPLEX
        } else {
            codes::SYNTAX
        };
        let start = self.offset + mistake.at;
        let place = Place::of(self.file, self.text, start..start);
        let fault = Diagnostic::error(code, mistake.message).help(mistake.help);
        Stop(Box::new(fault.at(&place)))
    }
}

/// Whether a document has as its next key the one that it began with, one that every document has.
fn begins_anew(entries: &[Entry], key: &str) -> bool {
    let is_header = matches!(key, "apiVersion" | "kind");
    is_header && entries.len() > 1 && entries[0].key == key
}

/// Two documents with nothing between them.
fn second_document(first: &Entry, place: &Place) -> Stop {
    let fault = Diagnostic::error(codes::DUPLICATE_KEY, "a second document begins here")
        .at(place)
        .related(&first.place, "the first one")
        .help("write --- on a line of its own before it");
    Stop(Box::new(fault))
}

fn too_complex(place: &Place, what: &str) -> Stop {
    Stop(Box::new(
        Diagnostic::error(codes::TOO_COMPLEX, format!("the document has {what}"))
            .at(place)
            .help("split it into several documents, with --- between them"),
    ))
}
