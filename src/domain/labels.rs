//! Label sets: the names and values by which Prometheus tells series apart.

use std::fmt;

/// A set of labels, sorted by name, each name once. The metric's name is the label `__name__`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";

impl Labels {
    /// The value of `name`; Prometheus treats a missing label as the empty string.
    pub fn get(&self, name: &str) -> &str {
        match self.0.binary_search_by(|(label, _)| (**label).cmp(name)) {
            Ok(index) => &self.0[index].1,
            Err(_) => "",
        }
    }

    /// All pairs, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Only the labels of these names.
    #[must_use]
    pub fn only(&self, names: &[String]) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(name, _)| names.iter().any(|wanted| **wanted == **name))
                .cloned()
                .collect(),
        )
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(N, V)> for Labels {
    /// Sorts by name; of a name that comes twice the last value stays. Empty values are left out.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let map: std::collections::BTreeMap<Box<str>, Box<str>> = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self(
            map.into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }
}

impl fmt::Display for Labels {
    /// `name="value",…` as in a selector's braces, with Prometheus' escapes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value:?}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
