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
    /// The condition that holds whenever this one does not.
    #[must_use]
    pub fn negated(&self) -> Self {
        let op = match self.op {
            MatchOp::Equal => MatchOp::NotEqual,
            MatchOp::NotEqual => MatchOp::Equal,
            MatchOp::Matches => MatchOp::NotMatches,
            MatchOp::NotMatches => MatchOp::Matches,
        };
        Self { op, ..self.clone() }
    }

    /// Whether no label can fulfil both, as far as that shows without a look into patterns.
    fn contradicts(&self, other: &Self) -> bool {
        let same = self.label == other.label;
        let differ = self.value != other.value;
        same && match (self.op, other.op) {
            (MatchOp::Equal, MatchOp::Equal) => differ,
            _ => *other == self.negated(),
        }
    }

    /// Whether this holds wherever `other` does, as far as that shows without a look into patterns.
    fn follows_from(&self, other: &Self) -> bool {
        let same = self.label == other.label;
        same && (self.op, other.op) == (MatchOp::NotEqual, MatchOp::Equal)
            && self.value != other.value
    }

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

    /// The series of this selector for which not all of `conditions` hold, as selectors of which no
    /// two have a series in common: those without the first condition, those with it and without
    /// the second, and so on.
    pub fn except(&self, conditions: &[Matcher]) -> Vec<Self> {
        let without = |(index, condition): (usize, &Matcher)| {
            let before = conditions.iter().take(index).cloned();
            self.narrowed(before.chain([condition.negated()]))
        };
        conditions.iter().enumerate().filter_map(without).collect()
    }

    /// This selector with more conditions, without those that say nothing new; `None` when two of
    /// them contradict each other.
    pub fn narrowed(&self, more: impl IntoIterator<Item = Matcher>) -> Option<Self> {
        let mut narrowed = self.refined(more);
        let all = narrowed.matchers.clone();
        if all
            .iter()
            .any(|one| all.iter().any(|other| one.contradicts(other)))
        {
            return None;
        }
        narrowed
            .matchers
            .retain(|one| !all.iter().any(|other| one.follows_from(other)));
        Some(narrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_have_no_series_in_common() {
        let matcher = |text: &str| {
            let (label, value) = text.split_once('=').unwrap();
            Matcher::equal(label, value)
        };
        let shown = |selectors: Vec<Selector>| {
            let one = |selector: Selector| {
                let matchers = selector.matchers.into_iter();
                let matchers = matchers.map(|it| {
                    let op = if it.op == MatchOp::Equal { "=" } else { "!=" };
                    format!("{}{op}{}", it.label, it.value)
                });
                matchers.collect::<Vec<_>>().join(",")
            };
            selectors
                .into_iter()
                .map(one)
                .collect::<Vec<_>>()
                .join(" | ")
        };
        for (has, conditions, expected) in [
            (&["job=a"][..], &["route=/x"][..], "job=a,route!=/x"),
            (
                &["job=a"],
                &["route=/x", "verb=GET"],
                "job=a,route!=/x | job=a,route=/x,verb!=GET",
            ),
            (&["route=/y"], &["route=/x"], "route=/y"),
            (&["route=/x"], &["route=/x"], ""),
            (
                &["route=/x"],
                &["route=/x", "verb=GET"],
                "route=/x,verb!=GET",
            ),
        ] {
            let selector = Selector::new("m", has.iter().map(|it| matcher(it)).collect());
            let conditions: Vec<Matcher> = conditions.iter().map(|it| matcher(it)).collect();
            assert_eq!(shown(selector.except(&conditions)), expected);
        }
    }
}
