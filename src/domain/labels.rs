//! Label sets: the names and values by which Prometheus tells series apart.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";

/// Stands behind every name and every value. No UTF-8 text contains it.
const END: u8 = 0xFF;

/// A set of labels, sorted by name, each name once. The metric's name is the label `__name__`.
///
/// It is one run of bytes, so that sets are hashed and compared as a whole; clones share it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(Arc<[u8]>);

/// A set of labels in somebody else's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LabelsRef<'a>(&'a [u8]);

impl Labels {
    /// The value of `name`; Prometheus treats a missing label as the empty string.
    pub fn get(&self, name: &str) -> &str {
        LabelsRef(&self.0).get(name)
    }

    /// All pairs, sorted by name.
    pub fn iter(&self) -> Pairs<'_> {
        LabelsRef(&self.0).iter()
    }

    /// Only the labels of these names.
    #[must_use]
    pub fn only(&self, names: &[String]) -> Self {
        LabelsRef(&self.0).only(names)
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> LabelsRef<'a> {
    /// The set that a [`Draft`] left in `bytes`.
    pub const fn in_buffer(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The value of `name`; Prometheus treats a missing label as the empty string.
    pub fn get(self, name: &str) -> &'a str {
        self.iter()
            .find(|(label, _)| *label == name)
            .map_or("", |(_, value)| value)
    }

    /// All pairs, sorted by name.
    pub const fn iter(self) -> Pairs<'a> {
        Pairs { rest: self.0 }
    }

    /// Only the labels of these names.
    pub fn only(self, names: &[String]) -> Labels {
        let wanted = |(name, _): &(&str, &str)| names.iter().any(|wanted| wanted == name);
        self.iter().filter(wanted).collect()
    }

    /// The same set in a buffer of its own.
    pub fn to_labels(self) -> Labels {
        Labels(self.0.into())
    }
}

impl<'a> From<&'a Labels> for LabelsRef<'a> {
    fn from(labels: &'a Labels) -> Self {
        Self(&labels.0)
    }
}

impl PartialEq<LabelsRef<'_>> for Labels {
    fn eq(&self, other: &LabelsRef<'_>) -> bool {
        *self.0 == *other.0
    }
}

/// The pairs of a set of labels.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Pairs<'a> {
    fn text(&mut self) -> Option<&'a str> {
        let end = self.rest.iter().position(|byte| *byte == END)?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..).unwrap_or_default();
        std::str::from_utf8(text).ok()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.text()?, self.text()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let texts = self.rest.split(|byte| *byte == END).skip(1).count();
        (texts / 2, Some(texts / 2))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a str, &'a str);
    type IntoIter = Pairs<'a>;

    fn into_iter(self) -> Pairs<'a> {
        self.iter()
    }
}

/// A set of labels in the making, at the end of a buffer that may hold others before it.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    start: usize,
    last_name: (usize, usize),
    is_sorted: bool,
}

impl Draft {
    /// The empty set behind all that `buffer` holds.
    pub const fn behind(buffer: &[u8]) -> Self {
        let start = buffer.len();
        Self {
            start,
            last_name: (start, start),
            is_sorted: true,
        }
    }

    /// Adds a label. Of a name that comes twice the last value stays; empty values are left out.
    pub fn push(&mut self, buffer: &mut Vec<u8>, name: &str, value: &str) {
        let start = buffer.len();
        let last = buffer.get(self.last_name.0..self.last_name.1);
        if start > self.start && last >= Some(name.as_bytes()) {
            self.is_sorted = false;
        }
        if value.is_empty() && self.is_sorted {
            return;
        }
        buffer.extend_from_slice(name.as_bytes());
        self.last_name = (start, buffer.len());
        buffer.push(END);
        buffer.extend_from_slice(value.as_bytes());
        buffer.push(END);
    }

    /// Puts the set in order: from its start to its end, `buffer` holds a [`LabelsRef`].
    pub fn finish(self, buffer: &mut Vec<u8>) {
        if self.is_sorted {
            return;
        }
        let messy = buffer.split_off(self.start);
        let pairs: BTreeMap<&str, &str> = LabelsRef(&messy).iter().collect();
        let mut sorted = Self::behind(buffer);
        for (name, value) in pairs {
            sorted.push(buffer, name, value);
        }
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Labels {
    /// Sorts by name; of a name that comes twice the last value stays. Empty values are left out.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut buffer = Vec::new();
        let mut draft = Draft::behind(&buffer);
        for (name, value) in pairs {
            draft.push(&mut buffer, name.as_ref(), value.as_ref());
        }
        draft.finish(&mut buffer);
        Self(buffer.into())
    }
}

impl Ord for Labels {
    /// By the pairs, one after another, as texts are compared.
    fn cmp(&self, other: &Self) -> Ordering {
        const PIECE: usize = 16;
        // Series of one metric begin alike, so what is the same is passed over in pieces.
        let pieces = self.0.chunks_exact(PIECE).zip(other.0.chunks_exact(PIECE));
        let same = PIECE * pieces.take_while(|(one, other)| one == other).count();
        // A text that ends is less than one that goes on: the end comes before all bytes.
        let (one, other) = (self.0.iter().skip(same), other.0.iter().skip(same));
        let order = |byte: &u8| byte.wrapping_add(1);
        one.map(order).cmp(other.map(order))
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LabelsRef(&self.0).fmt(f)
    }
}

impl fmt::Display for LabelsRef<'_> {
    /// `name="value",…` as in a selector's braces, with Prometheus' escapes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value:?}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl fmt::Debug for LabelsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn a_missing_label_is_empty_and_an_empty_one_is_missing() {
        let labels: Labels = [("job", "api"), ("code", ""), ("__name__", "up")]
            .into_iter()
            .collect();
        assert_eq!(labels.get("job"), "api");
        assert_eq!(labels.get("code"), "");
        assert_eq!(labels.iter().len(), 2);
        assert_eq!(labels.to_string(), r#"__name__="up",job="api""#);
        assert_eq!(labels.only(&["job".into()]).to_string(), r#"job="api""#);
    }

    type Map = BTreeMap<String, String>;

    fn map(pairs: &[(String, String)]) -> Map {
        let mut map: Map = pairs.iter().cloned().collect();
        map.retain(|_, value| !value.is_empty());
        map
    }

    proptest! {
        #[test]
        fn a_set_of_labels_is_a_map_without_empty_values(
            one in vec(("[a-c\u{0}é]{0,2}", "[xy\u{0}é]{0,2}"), 0..6),
            other in vec(("[a-c\u{0}é]{0,2}", "[xy\u{0}é]{0,2}"), 0..6),
        ) {
            let (first, second): (Labels, Labels) = (one.iter().cloned().collect(), other.iter().cloned().collect());
            let (one, other) = (map(&one), map(&other));
            prop_assert!(first.iter().eq(one.iter().map(|(name, value)| (&**name, &**value))));
            prop_assert_eq!(first.iter().len(), one.len());
            prop_assert_eq!(first.cmp(&second), one.cmp(&other));
            prop_assert_eq!(first == second, one == other);
            for name in other.keys() {
                prop_assert_eq!(first.get(name), one.get(name).map_or("", |value| value));
            }
        }
    }
}
