//! What is to be explained, as it is typed: `checkout/availability/sla{cluster="eu1"}`.

use crate::cli::names::{Unclear, there_are};
use crate::domain::group::Group;
use crate::domain::selector::MatchOp;
use crate::domain::slo::Catalog;
use crate::promql;
use crate::status::explanation::Subject;
use crate::status::view::slo::SloView;

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

    /// Whether a promise is the one that is meant, by name or by uid.
    fn is_promise(&self, title: &str, uid: &str) -> bool {
        self.promise == title || self.promise == uid
    }

    /// The id of what is meant among the instances of one objective; `None` for the whole of an
    /// objective that shows its groups alone.
    pub(super) fn instance(&self, all: &[SloView]) -> Result<Option<String>, NotExplained> {
        let its = all
            .iter()
            .filter(|it| self.is_promise(&it.title(), &it.uid));
        let its: Vec<&SloView> = its.collect();
        if its.is_empty() {
            return Err(self.unknown(all.iter().map(SloView::title)));
        }
        let group = |it: &&&SloView| it.group.iter().collect::<Group>() == self.group;
        if let Some(found) = its.iter().find(group) {
            return Ok(Some(found.id.clone()));
        }
        let is_alone = all.iter().all(|it| it.uid == its[0].uid);
        if self.group.is_empty() && is_alone {
            return Ok(None);
        }
        let ids = its.iter().map(|it| it.id.clone());
        Err(NotExplained::NoGroup {
            slo: self.promise.clone(),
            group: self.group.clone(),
            hint: there_are(&ids.collect()),
        })
    }

    /// What is meant among all that is defined.
    pub(super) fn among(&self, catalog: &Catalog) -> Result<Subject, NotExplained> {
        let mut slos = catalog.slos.values();
        let found = slos.find(|slo| self.is_promise(&slo.title(), slo.uid.as_str()));
        let Some(slo) = found else {
            return Err(self.unknown(catalog.slos.values().map(|slo| slo.title())));
        };
        Ok(Subject {
            group: self.group.clone(),
            ..Subject::whole(slo.uid.clone())
        })
    }

    /// The instances of the objective that is meant, among those of all.
    pub(super) fn of_objective(&self, mut all: Vec<SloView>) -> Result<Vec<SloView>, NotExplained> {
        let found = all.iter().find(|it| self.is_promise(&it.title(), &it.uid));
        let Some(found) = found else {
            return Err(self.unknown(all.iter().map(SloView::title)));
        };
        let (service, name) = (found.service.clone(), found.name.clone());
        all.retain(|it| it.service == service && it.name == name);
        Ok(all)
    }

    /// What is said when it is none of `known`.
    fn unknown(&self, known: impl Iterator<Item = String>) -> NotExplained {
        Unclear::objective(&self.promise, &known.collect()).into()
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
    use std::sync::Arc;

    use super::*;
    use crate::domain::slo::{Slo, SloId};
    use crate::status::fixture;
    use crate::status::snapshot::SloStatus;

    #[test]
    fn a_promise_and_its_group_are_written_as_they_are_shown() {
        let read = |text: &str| match Wanted::read(text) {
            Ok(wanted) => format!("{} of {{{}}}", wanted.promise, wanted.group),
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
            checkout/availability of {}
        checkout/availability/sla
            checkout/availability/sla of {}
        checkout/availability{route="/pay", cluster='eu1'}
            checkout/availability of {cluster="eu1",route="/pay"}
        checkout/availability/sla{route="a}{b"}
            checkout/availability/sla of {route="a}{b"}
        availability
            availability of {}
        checkout/availability{route="/pay"
            the brace in `checkout/availability{route="/pay"` is not closed
        checkout/availability{route=~"/p.*"}
            a group is one value of each label: write route="VALUE"
        checkout/availability{route}
            after the label `route` one of =, !=, =~ and !~ is due
        "#);
    }

    /// Instances of one objective: of these targets and groups.
    fn instances(of: &[(Option<&str>, &str)]) -> Vec<SloView> {
        let status = fixture::snapshot().slos[0].clone();
        let view = |(target, route): &(Option<&str>, &str)| {
            let mut slo = Slo::clone(&status.slo);
            (slo.service, slo.name) = ("shop".to_owned(), "it".to_owned());
            slo.target = target.map(str::to_owned);
            slo.uid = SloId::new(slo.title());
            let route = Some(*route).filter(|route| !route.is_empty());
            let group: Group = route.into_iter().map(|route| ("route", route)).collect();
            SloView::of(&SloStatus {
                id: slo.uid.of_group(&group).to_string(),
                group,
                slo: Arc::new(slo),
                ..SloStatus::clone(&status)
            })
        };
        of.iter().map(view).collect()
    }

    #[test]
    fn an_instance_is_found_among_targets_and_groups() {
        let plain = instances(&[(None, "")]);
        let targets = instances(&[(Some("slo"), ""), (Some("sla"), "")]);
        let groups = instances(&[(None, "/a"), (None, "/b")]);
        let and_whole = instances(&[(None, ""), (None, "/a")]);
        let both = instances(&[(Some("slo"), "/a"), (Some("sla"), "/a")]);
        let cases = [
            ("shop/it", &plain),
            ("shop/it", &targets),
            ("shop/it/sla", &targets),
            ("shop/it/sal", &targets),
            ("shop/it", &groups),
            ("shop/it{route=\"/a\"}", &groups),
            ("shop/it{route=\"/c\"}", &groups),
            ("shop/it", &and_whole),
            ("shop/it/slo{route=\"/a\"}", &both),
            ("shop/it/slo", &both),
        ];
        let told = cases.map(|(text, all)| {
            let ids: Vec<&str> = all.iter().map(|it| it.id.as_str()).collect();
            let found = match Wanted::read(text).unwrap().instance(all) {
                Ok(id) => id.unwrap_or_else(|| "the whole".to_owned()),
                Err(told) => told.to_string(),
            };
            format!("{text} of {}\n    {found}", ids.join(" "))
        });
        insta::assert_snapshot!(told.join("\n"), @r#"
        shop/it of shop/it
            shop/it
        shop/it of shop/it/slo shop/it/sla
            `shop/it` has several targets; write one of them: shop/it/sla, shop/it/slo
        shop/it/sla of shop/it/slo shop/it/sla
            shop/it/sla
        shop/it/sal of shop/it/slo shop/it/sla
            no objective is named `shop/it/sal`; did you mean `shop/it/sla`?
        shop/it of shop/it{route="/a"} shop/it{route="/b"}
            the whole
        shop/it{route="/a"} of shop/it{route="/a"} shop/it{route="/b"}
            shop/it{route="/a"}
        shop/it{route="/c"} of shop/it{route="/a"} shop/it{route="/b"}
            nothing is known of `shop/it{route="/c"}`; there are shop/it{route="/a"}, shop/it{route="/b"}
        shop/it of shop/it shop/it{route="/a"}
            shop/it
        shop/it/slo{route="/a"} of shop/it/slo{route="/a"} shop/it/sla{route="/a"}
            shop/it/slo{route="/a"}
        shop/it/slo of shop/it/slo{route="/a"} shop/it/sla{route="/a"}
            nothing is known of all groups of `shop/it/slo` together; there is shop/it/slo{route="/a"}
        "#);
    }
}
