//! Series that two selectors of one objective match: their events count twice.

use std::collections::BTreeSet;

use crate::domain::labels::Labels;
use crate::domain::selector::{Matcher, Selector};
use crate::status::survey::{Finding, Several};

use super::judge::Looked;

/// Each two selectors that have series in common, of those whose events are added up.
pub(super) fn doubled(looked: &[Looked<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (position, one) in looked.iter().enumerate() {
        let others = looked.iter().skip(position + 1);
        found.extend(others.filter_map(|other| pair(one, other)));
    }
    found
}

fn pair((one, of_one): &Looked<'_>, (other, of_other): &Looked<'_>) -> Option<Finding> {
    if one.selector.metric != other.selector.metric {
        return None;
    }
    let known: BTreeSet<&Labels> = of_one.iter().copied().collect();
    let mut both = of_other.iter().filter(|labels| known.contains(*labels));
    let example = Labels::clone(both.next()?);
    let count = 1 + both.count();
    let own = [of_one.len() - count, of_other.len() - count];
    let selectors = [one.selector, other.selector];
    Some(Finding::Doubled {
        parts: [one.part, other.part],
        selectors: selectors.map(Selector::clone),
        series: Several {
            example,
            count,
            of: count + own[0] + own[1],
        },
        apart: apart(selectors, own),
    })
}

/// What keeps two selectors apart: a condition for the one that has more series of its `own`, since
/// those are what it is left with.
fn apart(selectors: [&Selector; 2], own: [usize; 2]) -> Option<(usize, Matcher)> {
    let narrowed = usize::from(own[1] >= own[0]);
    if own[narrowed] == 0 {
        return None;
    }
    let (narrow, other) = (selectors[narrowed], selectors[1 - narrowed]);
    let more = other.matchers.iter();
    let more: Vec<&Matcher> = more.filter(|it| !narrow.matchers.contains(it)).collect();
    // A label that both look at is what they are told apart by.
    let is_common = |it: &&&Matcher| narrow.matchers.iter().any(|own| own.label == it.label);
    let condition = more.iter().find(is_common).or(more.first())?;
    Some((narrowed, condition.negated()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::selector::MatchOp;

    fn selector(matchers: &[(&str, MatchOp, &str)]) -> Selector {
        let matcher = |(label, op, value): &(&str, MatchOp, &str)| Matcher {
            label: (*label).to_owned(),
            op: *op,
            value: (*value).to_owned(),
        };
        Selector::new("m", matchers.iter().map(matcher).collect())
    }

    #[test]
    fn the_selector_with_more_series_of_its_own_is_narrowed() {
        use MatchOp::{Equal, Matches, NotMatches};
        let (job, ok) = (("job", Equal, "a"), ("code", NotMatches, "4.."));
        let (five, failed) = (("code", Matches, "5.."), ("code", Equal, "500"));
        for (one, other, own, expected) in [
            (
                &[ok][..],
                &[five][..],
                [3, 0],
                Some((0, "code NotMatches 5..")),
            ),
            (
                &[five],
                &[job, failed],
                [2, 1],
                Some((0, "code NotEqual 500")),
            ),
            (&[failed], &[five], [0, 2], Some((1, "code NotEqual 500"))),
            (
                &[job, failed],
                &[job],
                [0, 9],
                Some((1, "code NotEqual 500")),
            ),
            (&[failed], &[five], [0, 0], None),
        ] {
            let (one, other) = (selector(one), selector(other));
            let told = apart([&one, &other], own);
            let told = told
                .map(|(position, it)| (position, format!("{} {:?} {}", it.label, it.op, it.value)));
            let told = told.as_ref().map(|(position, it)| (*position, it.as_str()));
            assert_eq!(told, expected, "{one:?} {other:?}");
        }
    }
}
