//! What is to be explained, as it is typed: `checkout/availability/sla{cluster="eu1"}`.

use crate::diagnostic::did_you_mean;
use crate::domain::group::Group;
use crate::domain::selector::MatchOp;
use crate::domain::slo::Catalog;
use crate::promql;
use crate::status::explanation::Subject;

use super::super::status::some_of;
use super::NotExplained;

/// A promise, and which of its groups.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    /// `service/name`, `service/name/target`, or a uid.
    pub(super) promise: String,
    /// Empty for the whole.
    pub(super) group: Group,
}

impl Wanted {
    /// What `text` means.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (promise, group) = match text.split_once('{') {
            None => (text, Group::default()),
            Some((promise, labels)) => {
                let labels = labels
                    .strip_suffix('}')
                    .ok_or_else(|| format!("the brace in `{text}` is not closed"))?;
                (promise, group(labels)?)
            }
        };
        Ok(Self {
            promise: promise.to_owned(),
            group,
        })
    }

    /// Whether it is one of several instances that this names.
    pub(super) fn is_instance(&self) -> bool {
        !self.group.is_empty() || self.promise.matches('/').count() > 1
    }

    /// Whether a promise is the one that is meant, by name or by uid.
    pub(super) fn is_promise(&self, title: &str, uid: &str) -> bool {
        self.promise == title || self.promise == uid
    }

    /// What is meant among all that is defined.
    pub(super) fn among(&self, catalog: &Catalog) -> Result<Subject, NotExplained> {
        let mut slos = catalog.slos.values();
        let found = slos.find(|slo| self.is_promise(&slo.title(), slo.uid.as_str()));
        let Some(slo) = found else {
            let titles = catalog.slos.values().map(|slo| slo.title());
            return Err(self.unknown(&titles.collect::<Vec<_>>()));
        };
        Ok(Subject {
            group: self.group.clone(),
            ..Subject::whole(slo.uid.clone())
        })
    }

    /// What is said when it is none of `known`.
    pub(super) fn unknown(&self, known: &[String]) -> NotExplained {
        let slo = self.promise.clone();
        let of_it = format!("{slo}/");
        let targets = known.iter().filter(|name| name.starts_with(&of_it));
        let targets: Vec<String> = targets.map(|name| format!("`{name}`")).collect();
        let hint = if targets.is_empty() {
            let names = known.iter().map(String::as_str);
            did_you_mean(&slo, names, || some_of(known.to_vec()))
        } else {
            format!("it has several targets: write {}", targets.join(" or "))
        };
        NotExplained::NoSuch { slo, hint }
    }
}

/// The labels of a group.
fn group(text: &str) -> Result<Group, String> {
    let matchers = promql::parse_matchers(text).map_err(|error| error.to_string())?;
    if let Some(other) = matchers.iter().find(|it| it.op != MatchOp::Equal) {
        return Err(format!(
            "a group is one value of each label: write {}=\"VALUE\"",
            other.label
        ));
    }
    let pairs = matchers.into_iter().map(|it| (it.label, it.value));
    Ok(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_and_its_group_are_written_as_they_are_shown() {
        let read = |text: &str| match Wanted::read(text) {
            Ok(wanted) => format!(
                "{} of {{{}}}, one of several: {}",
                wanted.promise,
                wanted.group,
                wanted.is_instance()
            ),
            Err(told) => told,
        };
        let texts = [
            "checkout/availability",
            "checkout/availability/sla",
            r#"checkout/availability{route="/pay", cluster='eu1'}"#,
            r#"checkout/availability/sla{route="a}{b"}"#,
            "availability",
            r#"checkout/availability{route="/pay""#,
            r#"checkout/availability{route=~"/p.*"}"#,
            "checkout/availability{route}",
        ];
        let told = texts.map(|text| format!("{text}\n    {}", read(text)));
        insta::assert_snapshot!(told.join("\n"), @r#"
        checkout/availability
            checkout/availability of {}, one of several: false
        checkout/availability/sla
            checkout/availability/sla of {}, one of several: true
        checkout/availability{route="/pay", cluster='eu1'}
            checkout/availability of {cluster="eu1",route="/pay"}, one of several: true
        checkout/availability/sla{route="a}{b"}
            checkout/availability/sla of {route="a}{b"}, one of several: true
        availability
            availability of {}, one of several: false
        checkout/availability{route="/pay"
            the brace in `checkout/availability{route="/pay"` is not closed
        checkout/availability{route=~"/p.*"}
            a group is one value of each label: write route="VALUE"
        checkout/availability{route}
            after the label `route` one of =, !=, =~ and !~ is due
        "#);
    }
}
