//! Names of objectives as they are typed, and what is said of one that is none.

use std::collections::BTreeSet;

use crate::diagnostic::nearest;

/// So many names are listed.
const SHOWN: usize = 10;

/// Why a name does not say which objective is meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unclear {
    #[error("`{service}` is a service; write one of its objectives: {objectives}")]
    Service { service: String, objectives: String },
    #[error("`{objective}` has several targets; write one of them: {targets}")]
    Targets { objective: String, targets: String },
    #[error("no objective is named `{name}`; {hint}")]
    NoSuch { name: String, hint: String },
}

impl Unclear {
    /// What is said of `name`, which is none of the promises `known` (`service/name` or
    /// `service/name/target`).
    pub(super) fn objective(name: &str, known: &BTreeSet<String>) -> Self {
        let of_it = format!("{name}/");
        let below = known.iter().filter(|title| title.starts_with(&of_it));
        let below: BTreeSet<String> = below.cloned().collect();
        if below.is_empty() {
            return Self::no_such(name, known);
        }
        let (name, below) = (name.to_owned(), listed(&below));
        if name.contains('/') {
            Self::Targets {
                objective: name,
                targets: below,
            }
        } else {
            Self::Service {
                service: name,
                objectives: below,
            }
        }
    }

    /// What is said of `name`, which is neither one of the promises `known` nor a service of theirs.
    pub(super) fn service_or_objective(name: &str, known: &BTreeSet<String>) -> Self {
        let service = |title: &String| title.split('/').next().map(str::to_owned);
        let services = known.iter().filter_map(service);
        let objective = |title: &String| title.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
        let objectives = known.iter().map(objective);
        let names = services.chain(objectives).chain(known.iter().cloned());
        let names: BTreeSet<String> = names.collect();
        match nearest(name, names.iter().map(String::as_str)) {
            Some(meant) => Self::meant(name, meant),
            None => Self::no_such(name, known),
        }
    }

    fn no_such(name: &str, known: &BTreeSet<String>) -> Self {
        if let Some(meant) = nearest(name, known.iter().map(String::as_str)) {
            return Self::meant(name, meant);
        }
        Self::NoSuch {
            name: name.to_owned(),
            hint: there_are(known),
        }
    }

    fn meant(name: &str, meant: &str) -> Self {
        Self::NoSuch {
            name: name.to_owned(),
            hint: format!("did you mean `{meant}`?"),
        }
    }
}

/// A few of the names that there are, for someone who mistyped one.
pub(super) fn there_are(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "none is defined".to_owned();
    }
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("there {verb} {}", listed(names))
}

/// `a, b`, or `a, b … and 3 more`.
pub(super) fn listed(names: &BTreeSet<String>) -> String {
    let shown = names.iter().take(SHOWN).map(String::as_str);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(titles: &[&str]) -> BTreeSet<String> {
        titles.iter().map(|title| (*title).to_owned()).collect()
    }

    #[test]
    fn an_unclear_name_is_told_with_what_may_be_meant() {
        let shop = known(&[
            "cart/latency",
            "checkout/availability/sla",
            "checkout/availability/slo",
            "checkout/latency",
        ]);
        let many: BTreeSet<String> = (10..25)
            .map(|number| format!("shop/slo-{number}"))
            .collect();
        let objectives = [
            ("checkout", &shop),
            ("checkout/availability", &shop),
            ("checkout/availability/slx", &shop),
            ("shop", &many),
            ("other", &many),
        ];
        let told = objectives.map(|(name, known)| Unclear::objective(name, known).to_string());
        insta::assert_snapshot!(told.join("\n"), @r"
        `checkout` is a service; write one of its objectives: checkout/availability/sla, checkout/availability/slo, checkout/latency
        `checkout/availability` has several targets; write one of them: checkout/availability/sla, checkout/availability/slo
        no objective is named `checkout/availability/slx`; did you mean `checkout/availability/sla`?
        `shop` is a service; write one of its objectives: shop/slo-10, shop/slo-11, shop/slo-12, shop/slo-13, shop/slo-14, shop/slo-15, shop/slo-16, shop/slo-17, shop/slo-18, shop/slo-19 and 5 more
        no objective is named `other`; there are shop/slo-10, shop/slo-11, shop/slo-12, shop/slo-13, shop/slo-14, shop/slo-15, shop/slo-16, shop/slo-17, shop/slo-18, shop/slo-19 and 5 more
        ");
        let either = [
            ("chekout", &shop),
            ("checkout/latncy", &shop),
            ("checkout/availabilty", &shop),
            ("nothing/like-it", &shop),
            ("other", &known(&["cart/latency"])),
            ("other", &known(&[])),
        ];
        let told =
            either.map(|(name, known)| Unclear::service_or_objective(name, known).to_string());
        insta::assert_snapshot!(told.join("\n"), @r"
        no objective is named `chekout`; did you mean `checkout`?
        no objective is named `checkout/latncy`; did you mean `checkout/latency`?
        no objective is named `checkout/availabilty`; did you mean `checkout/availability`?
        no objective is named `nothing/like-it`; there are cart/latency, checkout/availability/sla, checkout/availability/slo, checkout/latency
        no objective is named `other`; there is cart/latency
        no objective is named `other`; none is defined
        ");
    }
}
