//! A document as a tree whose every value knows its place and the text it was written as.

use std::cell::RefCell;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Place, Severity};

/// All faults found so far. Reading goes on after each, so that all are told.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<Diagnostic>>);

impl Faults {
    pub(super) fn add(&self, fault: Diagnostic) {
        self.0.borrow_mut().push(fault);
    }

    /// What `read` makes, and whether no error was found in it.
    pub(super) fn judged<T>(&self, read: impl FnOnce() -> T) -> (T, bool) {
        let before = self.errors();
        let made = read();
        (made, self.errors() == before)
    }

    fn errors(&self) -> usize {
        let faults = self.0.borrow();
        let errors = faults.iter().filter(|it| it.severity == Severity::Error);
        errors.count()
    }

    /// What `read` makes, whose faults also show `place`: that of a use, while they stand in what is
    /// used. A fault that an earlier use has brought to light is not told again.
    pub(super) fn beside<T>(&self, place: &Place, what: &str, read: impl FnOnce(&Self) -> T) -> T {
        let inner = Self::default();
        let made = read(&inner);
        for fault in inner.into_vec() {
            let same = |known: &Diagnostic| {
                (&known.place, known.code, &known.message)
                    == (&fault.place, fault.code, &fault.message)
            };
            let is_told = self.0.borrow().iter().any(same);
            if !is_told {
                let stands_alone = fault.related.is_none() && fault.place.as_ref() != Some(place);
                self.add(if stands_alone {
                    fault.related(place, what)
                } else {
                    fault
                });
            }
        }
        made
    }

    pub(super) fn into_vec(self) -> Vec<Diagnostic> {
        self.0.into_inner()
    }
}

/// Something read from a file, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// One value of a document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What a value is. Numbers and booleans stay the text they were written as.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Text(Text),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A scalar.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: String,
    /// Where the file has exactly this text in one line, if it has: the byte offset and the column.
    pub(super) verbatim: Option<(usize, usize)>,
}

/// One key of a map and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: Node,
}

impl Node {
    /// What it is, in words.
    pub(super) const fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "empty",
            Value::Text(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// How many values it is made of.
    pub(super) fn size(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Text(_) => 0,
            Value::List(items) => items.iter().map(Self::size).sum(),
            Value::Map(entries) => entries.iter().map(|entry| entry.node.size()).sum(),
        }
    }

    /// The place of the bytes `range` of this text, as exactly as the file's spelling allows.
    pub(super) fn piece(&self, range: Option<Range<usize>>) -> Place {
        let whole = || self.place.clone();
        let (Value::Text(text), Some(range)) = (&self.value, range) else {
            return whole();
        };
        let (Some((start, column)), Some(before)) = (text.verbatim, text.text.get(..range.start))
        else {
            return whole();
        };
        Place {
            column: column + before.chars().count(),
            span: start + range.start..start + range.end,
            ..whole()
        }
    }
}
