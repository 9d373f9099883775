//! Which of the instances of an objective is meant.

use crate::domain::selector::MatchOp;
use crate::promql;
use crate::status::snapshot::SloStatus;

use super::parameters::{Parameters, QueryError};

/// The id of one instance, if it was given; refuses every other parameter.
pub fn id(pairs: Vec<(String, String)>) -> Result<Option<String>, QueryError> {
    Ok(Parameters::read(pairs, &["id"])?.0.remove("id"))
}

/// Whether `id` is written as those of the instances of an objective are, `known` among them: a
/// promise, alone or with the labels of a group. Such an instance may have been there.
pub fn is_well_formed(id: &str, known: &[&SloStatus]) -> bool {
    known.iter().any(|status| {
        let group = id.strip_prefix(status.slo.uid.as_str());
        group.is_some_and(|group| group.is_empty() || is_group(group))
    })
}

/// Whether `text` is labels in braces, each with a value.
fn is_group(text: &str) -> bool {
    let labels = promql::parse_matchers(text);
    text.starts_with('{')
        && labels.is_ok_and(|labels| {
            !labels.is_empty() && labels.iter().all(|label| label.op == MatchOp::Equal)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::fixture;

    #[test]
    fn an_id_is_a_promise_and_the_labels_of_a_group() {
        let snapshot = fixture::snapshot();
        let known = snapshot.slos.iter().map(AsRef::as_ref);
        let known: Vec<&SloStatus> = known
            .filter(|status| status.slo.name == "availability" && status.slo.service == "mail")
            .collect();
        for (id, expected) in [
            ("mail/availability", true),
            (r#"mail/availability{route="/gone"}"#, true),
            (r#"mail/availability{note="a\nb",route="}{"}"#, true),
            (r#"mail/availability{cluster="eu1"}"#, true),
            ("mail/availability{}", false),
            (r#"mail/availability{route="/gone""#, false),
            (r#"mail/availability{route=~"/.*"}"#, false),
            (r#"mail/availabilityroute="/gone""#, false),
            (r#"mail/delivery{route="/gone"}"#, false),
            ("mail", false),
            ("", false),
        ] {
            assert_eq!(is_well_formed(id, &known), expected, "{id}");
        }
    }
}
