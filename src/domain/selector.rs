//! Selectors of Prometheus series, as parsed; `promql` reads and prints them and matches labels.

/// How a matcher compares a label's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, RE2, anchored at both ends.
    Matches,
    /// `!~`
    NotMatches,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matcher {
    /// The label's name; a missing label has the empty value.
    pub label: String,
    /// How the value is compared.
    pub op: MatchOp,
    /// A text, or a regular expression in RE2's syntax.
    pub value: String,
}

impl Matcher {
    /// `label="value"`
    pub fn equal(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            op: MatchOp::Equal,
            value: value.into(),
        }
    }
}

/// A selector with a metric's name: `metric{matchers}`. The name is not among the matchers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    /// The metric's name.
    pub metric: String,
    /// All must hold. Sorted and without repeats.
    pub matchers: Vec<Matcher>,
}

impl Selector {
    /// A selector of `metric`; sorts the matchers and drops repeats.
    pub fn new(metric: impl Into<String>, mut matchers: Vec<Matcher>) -> Self {
        matchers.sort();
        matchers.dedup();
        Self {
            metric: metric.into(),
            matchers,
        }
    }

    /// This selector with more conditions.
    #[must_use]
    pub fn refined(&self, more: impl IntoIterator<Item = Matcher>) -> Self {
        Self::new(
            self.metric.clone(),
            self.matchers.iter().cloned().chain(more).collect(),
        )
    }
}
