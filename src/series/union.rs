//! One selector that fetches at least what several selectors of one metric want.

use std::collections::BTreeSet;

use crate::domain::selector::{MatchOp, Matcher, Selector};

/// The tightest selector that can be written with one matcher a label and still covers all of
/// `selectors`: what they share stays, positive matchers on the same label are joined by regex,
/// and everything else is dropped, to be matched locally.
///
/// All must select `metric`.
pub fn union(metric: &str, selectors: &[Selector]) -> Selector {
    let Some((first, others)) = selectors.split_first() else {
        return Selector::new(metric, Vec::new());
    };
    let mut matchers: Vec<Matcher> = first
        .matchers
        .iter()
        .filter(|matcher| others.iter().all(|other| other.matchers.contains(matcher)))
        .cloned()
        .collect();
    let shared: BTreeSet<&str> = matchers
        .iter()
        .filter(|matcher| is_positive(matcher))
        .map(|matcher| matcher.label.as_str())
        .collect();
    let joined: BTreeSet<&str> = first
        .matchers
        .iter()
        .filter(|matcher| is_positive(matcher) && !shared.contains(matcher.label.as_str()))
        .map(|matcher| matcher.label.as_str())
        .collect();
    let joined: Vec<Matcher> = joined
        .into_iter()
        .filter_map(|label| join(label, selectors))
        .collect();
    matchers.extend(joined);
    Selector::new(metric, matchers)
}

fn is_positive(matcher: &Matcher) -> bool {
    matches!(matcher.op, MatchOp::Equal | MatchOp::Matches)
}

/// One regex for all values that any selector allows for `label`; `None` when one allows all.
fn join(label: &str, selectors: &[Selector]) -> Option<Matcher> {
    let mut alternatives = BTreeSet::new();
    for selector in selectors {
        let matcher = selector
            .matchers
            .iter()
            .find(|matcher| matcher.label == label && is_positive(matcher))?;
        let pattern = match matcher.op {
            MatchOp::Equal => regex::escape(&matcher.value),
            _ => format!("(?:{})", matcher.value),
        };
        alternatives.insert(pattern);
    }
    let value = alternatives.into_iter().collect::<Vec<_>>().join("|");
    Some(Matcher {
        label: label.to_owned(),
        op: MatchOp::Matches,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(text: &str) -> Matcher {
        let op = [
            ("!~", MatchOp::NotMatches),
            ("=~", MatchOp::Matches),
            ("!=", MatchOp::NotEqual),
            ("=", MatchOp::Equal),
        ];
        let (sign, op) = op
            .into_iter()
            .find(|(sign, _)| text.contains(sign))
            .unwrap();
        let (label, value) = text.split_once(sign).unwrap();
        Matcher {
            label: label.into(),
            op,
            value: value.into(),
        }
    }

    #[test]
    fn the_union_keeps_what_is_shared_and_joins_what_differs() {
        for (selectors, expected) in [
            (
                &[&["job=api", "code!~4.."][..]][..],
                "code NotMatches 4.., job Equal api",
            ),
            (&[&["job=api"], &["job=api", "code=~5.."]], "job Equal api"),
            (&[&["job=api"], &["job=ca.rt"]], r"job Matches api|ca\.rt"),
            (&[&["job=api"], &["job=~c|d"]], "job Matches (?:c|d)|api"),
            (
                &[&["job=api", "env=prod"], &["job=cart"]],
                "job Matches api|cart",
            ),
            (
                &[&["job=api", "a!=1"], &["job=api", "a!=2"]],
                "job Equal api",
            ),
            (&[&["job=api"], &[]], ""),
            (&[], ""),
        ] {
            let selectors: Vec<Selector> = selectors
                .iter()
                .map(|matchers: &&[&str]| {
                    Selector::new("m", matchers.iter().map(|text| matcher(text)).collect())
                })
                .collect();
            let found = union("m", &selectors);
            let found: Vec<String> = found
                .matchers
                .iter()
                .map(|m| format!("{} {:?} {}", m.label, m.op, m.value))
                .collect();
            assert_eq!(found.join(", "), expected);
        }
    }
}
