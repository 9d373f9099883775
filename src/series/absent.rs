//! What to ask of a source about a selector that finds no series.

use crate::domain::selector::{Matcher, Selector};
pub use crate::promql::metrics_of;
use crate::promql::{label_text, selector_text};

/// Asks whether there are any series of a metric.
pub fn any_of(metric: &str) -> String {
    count(&Selector::new(metric, Vec::new()))
}

/// Asks whether there are any series that a selector matches.
pub fn count(selector: &Selector) -> String {
    format!("count({})", selector_text(selector))
}

/// Asks for one series for each value of a condition's label, of those that fulfil all other conditions.
pub fn without(selector: &Selector, condition: &Matcher) -> String {
    let others = selector.matchers.iter().filter(|it| *it != condition);
    let others = Selector::new(selector.metric.as_str(), others.cloned().collect());
    by(&condition.label, &others)
}

/// Asks for one series for each value of a label of all series that a selector matches.
pub fn by(label: &str, selector: &Selector) -> String {
    let label = label_text(label);
    format!("count by ({label}) ({})", selector_text(selector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_written_as_prometheus_reads_them() {
        let condition = Matcher::equal("http.code", "500");
        let matchers = vec![Matcher::equal("job", "api"), condition.clone()];
        let selector = Selector::new("requests.total", matchers);
        assert_eq!(any_of("up"), "count(up)");
        assert_eq!(
            without(&selector, &condition),
            r#"count by ("http.code") ({"requests.total",job="api"})"#
        );
    }
}
