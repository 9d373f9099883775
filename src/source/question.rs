//! A fetch in the words of Prometheus' query API: text and times, with which a person can ask the same.

use crate::domain::selector::Matcher;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::promql::selector_text;
use crate::series::batch::Fetch;
use crate::series::pushed::Sums;

/// One request to the query API.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// An instant query.
    Instant {
        /// PromQL.
        query: String,
        /// When it is evaluated.
        at: Timestamp,
    },
    /// A range query at whole seconds.
    Range {
        /// PromQL.
        query: String,
        /// The first evaluation.
        start: Timestamp,
        /// The last one.
        end: Timestamp,
        /// The distance of two.
        step: Span,
    },
}

impl Question {
    /// What to ask for `fetch` over `range`; nothing, when no sample can lie in it.
    ///
    /// `matchers` narrow every selector. They do not reach into expressions, which are complete as they are.
    pub(super) fn of(fetch: &Fetch, range: TimeRange, matchers: &[Matcher]) -> Option<Self> {
        match fetch {
            Fetch::Samples(selector) | Fetch::Histograms { selector, .. } => {
                let selector = selector_text(&selector.refined(matchers.iter().cloned()));
                let length = range.length();
                (length > Span::ZERO).then(|| Self::Instant {
                    query: format!("{selector}[{}ms]", length.as_millis()),
                    at: range.to,
                })
            }
            Fetch::Sums(sums) => {
                let narrowed = sums.selector.refined(matchers.iter().cloned());
                let narrowed = Sums {
                    selector: narrowed,
                    ..sums.clone()
                };
                if sums.has_steps() {
                    return Self::steps(&narrowed.text(), range, sums.form.step);
                }
                Some(Self::Instant {
                    query: narrowed.text(),
                    at: range.to,
                })
            }
            Fetch::Expression { text, step } => Self::steps(text, range, *step),
        }
    }

    /// An evaluation at each multiple of `step` in the range; nothing, when there is none.
    fn steps(text: &str, range: TimeRange, step: Span) -> Option<Self> {
        let start = range.from.floor_to(step) + step;
        let end = range.to.floor_to(step);
        (start <= end).then(|| Self::evaluations(text, start, end, step))
    }

    fn evaluations(text: &str, start: Timestamp, end: Timestamp, step: Span) -> Self {
        if step.as_millis() % 1_000 == 0 {
            return Self::Range {
                query: text.to_owned(),
                start,
                end,
                step,
            };
        }
        // The wrapper's range queries know whole seconds only. A subquery is evaluated at multiples of its step, too;
        // its range starts a millisecond early, so that `start` is in it where ranges are left-open and where they
        // are closed. The line break ends a comment that the text may end with.
        Self::Instant {
            query: format!(
                "({text}\n)[{}ms:{}ms]",
                end.since(start).as_millis() + 1,
                step.as_millis()
            ),
            at: end,
        }
    }
}

/// A time as the API reads it: seconds, to the millisecond.
pub(super) fn seconds(at: Timestamp) -> String {
    let millis = at.as_millis();
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03}", millis / 1_000, millis % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::selector::Selector;

    fn asked(fetch: &Fetch, from: i64, to: i64) -> String {
        let range = TimeRange {
            from: Timestamp::from_millis(from),
            to: Timestamp::from_millis(to),
        };
        match Question::of(fetch, range, &[Matcher::equal("env", "prod")]) {
            None => "nothing".to_owned(),
            Some(Question::Instant { query, at }) => format!("{query:?} at {}", seconds(at)),
            Some(Question::Range {
                query,
                start,
                end,
                step,
            }) => format!("{query:?} {} to {} by {step}", seconds(start), seconds(end)),
        }
    }

    #[test]
    fn samples_are_asked_to_the_millisecond() {
        let fetch = Fetch::Samples(Selector::new(
            "http_requests_total",
            vec![Matcher::equal("path", "a\"b\\c")],
        ));
        insta::assert_snapshot!(asked(&fetch, 1_700_000_000_000, 1_700_000_090_500), @r#""http_requests_total{env=\"prod\",path=\"a\\\"b\\\\c\"}[90500ms]" at 1700000090.500"#);
        insta::assert_snapshot!(asked(&fetch, 5_000, 5_000), @"nothing");
    }

    #[test]
    fn expressions_are_evaluated_at_the_multiples_within_the_range() {
        let every = |millis| Fetch::Expression {
            text: "sum(x)".to_owned(),
            step: Span::from_millis(millis),
        };
        insta::assert_snapshot!(asked(&every(30_000), 60_000, 150_000), @r#""sum(x)" 90.000 to 150.000 by 30s"#);
        insta::assert_snapshot!(asked(&every(30_000), 59_999, 149_999), @r#""sum(x)" 60.000 to 120.000 by 30s"#);
        insta::assert_snapshot!(asked(&every(30_000), 60_000, 89_999), @"nothing");
        insta::assert_snapshot!(asked(&every(500), 60_000, 61_000), @r#""(sum(x)\n)[501ms:500ms]" at 61.000"#);
    }
}
