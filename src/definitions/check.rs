//! What only all documents together can tell: names, references, tiers against objectives.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, did_you_mean, write_one_of};
use crate::domain::group::{Group, Grouping};
use crate::domain::indicator::Indicator;
use crate::domain::route::{Receiver, Routing};
use crate::domain::slices::{Judge, Sliced};
use crate::domain::slo::{Catalog, Slo, SloId, SourceName};

use super::document::Found;
use super::grouping;
use super::node::{Faults, Located};
use super::policy::PolicyDraft;
use super::promise::PromiseDraft;
use super::reach;
use super::routing::RoutingDraft;
use super::service::{Draft, Service};
use super::written::{AllWritten, Written};
use super::{DEFAULT_POLICY, Options, codes, slices, tiers};

const NEVER_ALERTS: &str = "none";
const DEFAULT_SOURCE: &str = "default";

/// The catalog of all that was `found`, and where its objectives are written. Only complete when
/// there were no faults.
pub(super) fn catalog(
    mut found: Found,
    options: &Options,
    faults: &Faults,
) -> (Catalog, AllWritten) {
    let policies = by_name(take(&mut found.policies), "alert policies", faults);
    let receivers = by_name(take(&mut found.receivers), "receivers", faults);
    let routings = take(&mut found.routings);
    let context = Context {
        found: &found,
        policies: &policies,
        options,
        faults,
    };
    let slos = context.slos();
    let routing = context.routing(routings, &receivers, &slos);
    let mut catalog = Catalog {
        policies: present(policies, |draft| draft.policy),
        receivers: present(receivers, |receiver| receiver),
        routing,
        ..Catalog::default()
    };
    let mut all_written = AllWritten::new();
    for (slo, written) in slos {
        all_written.insert(slo.uid.clone(), written);
        catalog.slos.insert(slo.uid.clone(), Arc::new(slo));
    }
    (catalog, all_written)
}

type ByName<T> = BTreeMap<String, (Place, Option<T>)>;

fn by_name<T>(all: Vec<(Located<String>, Option<T>)>, what: &str, faults: &Faults) -> ByName<T> {
    let mut named: ByName<T> = BTreeMap::new();
    for (name, value) in all {
        if let Some((first, _)) = named.get(&name.value) {
            faults.add(twice(codes::DUPLICATE_NAME, what, &name, first));
            continue;
        }
        named.insert(name.value, (name.place, value));
    }
    named
}

fn present<T, U>(named: ByName<T>, of: impl Fn(T) -> U) -> BTreeMap<String, Arc<U>> {
    named
        .into_iter()
        .filter_map(|(name, (_, value))| Some((name, Arc::new(of(value?)))))
        .collect()
}

/// The fault of a name that was given to two of `what`.
pub(super) fn twice(
    code: &'static str,
    what: &str,
    name: &Located<String>,
    first: &Place,
) -> Diagnostic {
    Diagnostic::error(code, format!("two {what} have the name `{}`", name.value))
        .at(&name.place)
        .label("again here")
        .related(first, "first here")
        .help("give one of them another name")
}

/// The fault of a `name` that nothing has.
fn unknown<'a>(
    code: &'static str,
    what: &str,
    name: &Located<String>,
    known: impl Iterator<Item = &'a str> + Clone,
    otherwise: &str,
) -> Diagnostic {
    let listed: Vec<&str> = known.clone().collect();
    let help = did_you_mean(&name.value, known, || {
        if listed.is_empty() {
            otherwise.to_owned()
        } else {
            format!("{}, or {otherwise}", write_one_of(&listed))
        }
    });
    Diagnostic::error(code, format!("there is no {what} `{}`", name.value))
        .at(&name.place)
        .help(help)
}

#[derive(Clone, Copy)]
struct Context<'a> {
    found: &'a Found,
    policies: &'a ByName<PolicyDraft>,
    options: &'a Options,
    faults: &'a Faults,
}

impl Context<'_> {
    fn routing(
        &self,
        all: Vec<RoutingDraft>,
        receivers: &ByName<Receiver>,
        slos: &[(Slo, Written)],
    ) -> Routing {
        let mut all = all.into_iter();
        let Some(draft) = all.next() else {
            return self.routing_of_one(receivers);
        };
        for second in all {
            self.faults.add(
                Diagnostic::error(codes::DUPLICATE_NAME, "there are two routings")
                    .at(&second.place)
                    .label("again here")
                    .related(&draft.place, "first here")
                    .help("put all routes into one document, since their order matters"),
            );
        }
        for name in &draft.receivers {
            if !receivers.contains_key(&name.value) && !self.found.may_define(&name.value) {
                self.faults.add(unknown(
                    codes::UNKNOWN_RECEIVER,
                    "receiver",
                    name,
                    receivers.keys().map(String::as_str),
                    "define it as a document of kind Receiver",
                ));
            }
        }
        // What has a fault may be what they are meant for: that would be a second fault for one mistake.
        let slos = slos.iter().map(|(slo, _)| slo);
        let slos: Vec<&Slo> = slos
            .filter(|_| !self.found.objectives_are_missing)
            .collect();
        reach::judge(&draft, &slos, self.faults);
        draft.routing
    }

    /// Without routes the only receiver is told everything; without receivers nobody is told.
    fn routing_of_one(&self, receivers: &ByName<Receiver>) -> Routing {
        let mut names = receivers.iter();
        if let (Some((first, _)), Some((_, (place, _)))) = (names.next(), names.next())
            && !self.found.may_define("Routing")
        {
            let listed: Vec<&str> = receivers.keys().map(String::as_str).collect();
            let listed = listed.join(", ");
            self.faults.add(
                Diagnostic::error(
                    codes::NO_ROUTING,
                    format!("nothing says which of the receivers is told: {listed}"),
                )
                .at(place)
                .help(format!(
                    "write a document of kind Routing, with spec: {{default: {first}}}"
                )),
            );
        }
        Routing {
            default: receivers.keys().cloned().collect(),
            routes: Vec::new(),
        }
    }

    fn slos(&self) -> Vec<(Slo, Written)> {
        let mut names: BTreeMap<&str, &Place> = BTreeMap::new();
        let mut uids: BTreeMap<String, Place> = BTreeMap::new();
        let mut slos = Vec::new();
        self.doubt_sources();
        for service in &self.found.services {
            let mut is_double = false;
            if let Some(name) = &service.name {
                if let Some(first) = names.get(name.value.as_str()) {
                    self.faults
                        .add(twice(codes::DUPLICATE_NAME, "services", name, first));
                    is_double = true;
                } else {
                    names.insert(&name.value, &name.place);
                }
            }
            // The objectives of a service that is there twice would all be there twice.
            if !is_double {
                self.tell_doubles(service, &mut uids);
            }
            for draft in &service.drafts {
                slos.extend(self.slos_of(service, draft));
            }
        }
        slos
    }

    fn tell_doubles(&self, service: &Service, uids: &mut BTreeMap<String, Place>) {
        let mut names: BTreeMap<&str, &Place> = BTreeMap::new();
        for draft in &service.drafts {
            if let Some(name) = &draft.name {
                if let Some(first) = names.get(name.value.as_str()) {
                    let again = Located {
                        value: name.value.clone(),
                        place: draft.place_of(name).clone(),
                    };
                    self.faults.add(twice(
                        codes::DUPLICATE_NAME,
                        "objectives of this service",
                        &again,
                        first,
                    ));
                    continue;
                }
                names.insert(&name.value, draft.place_of(name));
            }
            let mut own: BTreeMap<String, Place> = BTreeMap::new();
            for uid in identities(service, draft) {
                let of_another = uids.get(&uid.value).map(|first| ("objectives", first));
                let of_a_target = own.get(&uid.value).map(|first| ("targets", first));
                if let Some((what, first)) = of_another.or(of_a_target) {
                    self.faults.add(
                        Diagnostic::error(
                            codes::DUPLICATE_UID,
                            format!("two {what} have the uid `{}`", uid.value),
                        )
                        .at(&uid.place)
                        .label("again here")
                        .related(first, "first here")
                        .help("give one of them another uid; history hangs on it"),
                    );
                } else {
                    own.insert(uid.value, uid.place);
                }
            }
            uids.extend(own);
        }
    }

    /// Where a template was used, its faults show both places.
    fn slos_of(&self, service: &Service, draft: &Draft) -> Vec<(Slo, Written)> {
        let Some(used_at) = &draft.used_at else {
            return self.promises(service, draft);
        };
        self.faults.beside(used_at, "used here", |faults| {
            Context { faults, ..*self }.promises(service, draft)
        })
    }

    fn promises(&self, service: &Service, draft: &Draft) -> Vec<(Slo, Written)> {
        let source = self.source(draft);
        self.judge_source(&source, draft);
        grouping::judge(draft, self.faults);
        let promises = draft.promises.iter();
        promises
            .filter_map(|promise| self.slo(service, draft, promise, &source))
            .collect()
    }

    fn slo(
        &self,
        service: &Service,
        draft: &Draft,
        promise: &PromiseDraft,
        source: &str,
    ) -> Option<(Slo, Written)> {
        slices::judge(promise, draft.indicator.as_ref(), self.faults);
        let policy = (promise.policy.value != NEVER_ALERTS).then(|| promise.policy.value.clone());
        if let Some(name) = &policy {
            self.judge_policy(name, promise, draft.indicator.as_ref());
        }
        let uid = SloId::new(draft.uid(service, promise)?.value);
        let objective = promise.objective.as_ref()?;
        let overrides = promise.overrides.iter().map(|it| it.value.clone());
        let grouping = draft.grouping.as_ref().map(|draft| Grouping {
            overrides: overrides.collect(),
            ..draft.grouping.clone()
        });
        let target = promise.target.as_ref();
        let slo = Slo {
            id: uid.clone(),
            uid,
            counted_as: SloId::new(draft.counted_as(service)?.value),
            group: Group::default(),
            grouping: grouping.map(Arc::new),
            service: service.name.as_ref()?.value.clone(),
            name: draft.name.as_ref()?.value.clone(),
            target: target.map(|target| target.value.clone()),
            labels: draft.labels.clone(),
            description: draft.description.clone(),
            owner: draft.owner.clone(),
            runbook: draft.runbook.clone(),
            source: SourceName::new(source),
            objective: objective.value,
            window: promise.window.as_ref()?.value.clone(),
            indicator: draft.indicator.as_ref()?.value.clone(),
            policy,
        };
        Some((slo, Written::of(draft, &objective.place)))
    }

    /// Without a configuration any source may be there: each that is named is told of, once.
    fn doubt_sources(&self) {
        if self.options.sources.is_some() {
            return;
        }
        let mut told = BTreeSet::from([DEFAULT_SOURCE]);
        let drafts = self.found.services.iter().flat_map(|it| &it.drafts);
        for source in drafts.filter_map(|draft| draft.source.as_ref()) {
            if told.insert(&source.value) {
                let message = format!(
                    "no configuration was read, so nobody knows whether there is a source `{}`",
                    source.value
                );
                self.faults.add(
                    Diagnostic::warning(codes::UNKNOWN_SOURCE, message)
                        .at(&source.place)
                        .help("name the daemon's configuration with `--config`"),
                );
            }
        }
    }

    /// The source of an objective: the one it names, else the only one there is, else `default`.
    fn source(&self, draft: &Draft) -> String {
        let Some(known) = &self.options.sources else {
            return draft
                .source
                .as_ref()
                .map_or(DEFAULT_SOURCE, |source| &source.value)
                .to_owned();
        };
        let source = match (&draft.source, known.as_slice()) {
            (Some(source), _) => source.clone(),
            (None, [only]) => return only.clone(),
            (None, _) => Located {
                value: DEFAULT_SOURCE.to_owned(),
                place: draft.service_place.clone(),
            },
        };
        if !known.contains(&source.value) {
            let names = known.iter().map(String::as_str);
            self.faults.add(unknown(
                codes::UNKNOWN_SOURCE,
                "source",
                &source,
                names,
                "add it under `sources` in the daemon's configuration",
            ));
        }
        source.value
    }

    /// A source that is scraped by the daemon itself evaluates no PromQL, and keeps no past.
    fn judge_source(&self, source: &str, draft: &Draft) {
        let Some(indicator) = &draft.indicator else {
            return;
        };
        if !self.options.scraped.iter().any(|scraped| scraped == source) {
            return;
        }
        let (why, help) = match &indicator.value {
            indicator if indicator.is_query() => (
                format!("the source `{source}` is scraped, and evaluates no PromQL"),
                "count its series by another indicator, or name a source that is a Prometheus",
            ),
            Indicator::Slices(Sliced {
                judge: Judge::Drop { .. },
                ..
            }) => (
                format!("the source `{source}` is scraped, and keeps no past to compare with"),
                "write atLeast or atMost, or name a source that is a Prometheus",
            ),
            Indicator::Errors(_)
            | Indicator::Latency(_)
            | Indicator::Slices(_)
            | Indicator::Query { .. } => return,
        };
        self.faults.add(
            Diagnostic::error(codes::UNFIT_SOURCE, why)
                .at(&indicator.place)
                .help(help),
        );
    }

    fn judge_policy(
        &self,
        name: &str,
        promise: &PromiseDraft,
        indicator: Option<&Located<Indicator>>,
    ) {
        let Some((_, policy)) = self.policies.get(name) else {
            if !self.found.may_define(name) {
                let known = self.policies.keys().map(String::as_str);
                // It stands in where no policy is defined.
                let built_in =
                    Some(DEFAULT_POLICY).filter(|it| self.policies.is_empty() && *it != name);
                let known = known.chain(built_in);
                self.faults.add(unknown(
                    codes::UNKNOWN_POLICY,
                    "alert policy",
                    &promise.policy,
                    known,
                    "define it as a document of kind AlertPolicy, or write alertPolicy: none",
                ));
            }
            return;
        };
        if let Some(policy) = policy {
            tiers::judge(policy, promise, indicator, self.faults);
        }
    }
}

/// The identities that an objective takes: those of its promises, and that of what it counts, which
/// one of them may have.
fn identities(service: &Service, draft: &Draft) -> Vec<Located<String>> {
    let promises = draft.promises.iter();
    let uids = promises.filter_map(|promise| draft.uid(service, promise));
    let mut all: Vec<Located<String>> = uids.collect();
    let counted_as = draft.counted_as(service);
    all.extend(counted_as.filter(|it| all.iter().all(|uid| uid.value != it.value)));
    all
}
