//! Documents by their kind: the header that all have, then what each kind says.

use crate::diagnostic::{Diagnostic, did_you_mean, write_one_of};
use crate::domain::route::Receiver;

use super::Options;
use super::check::twice;
use super::codes;
use super::fields::{Fields, parse_node};
use super::node::{Entry, Faults, Located, Node, Value};
use super::policy::{PolicyDraft, policy};
use super::receiver::receiver;
use super::routing::{RoutingDraft, routing};
use super::service::{Service, service};
use super::template;
use super::template::{Template, Templates};
use super::values;

const API_VERSION: &str = "sloburn.dev/v1";
const SERVICE: &str = "ServiceObjectives";
const TEMPLATE: &str = "ObjectiveTemplate";
const KINDS: [&str; 5] = [SERVICE, TEMPLATE, "AlertPolicy", "Receiver", "Routing"];

/// Everything that was read from all documents. A name is known even where its document has faults.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) templates: Templates,
    pub(super) services: Vec<Service>,
    pub(super) policies: Vec<(Located<String>, Option<PolicyDraft>)>,
    pub(super) receivers: Vec<(Located<String>, Option<Receiver>)>,
    pub(super) routings: Vec<RoutingDraft>,
    /// What could not be read: the texts of documents, and names of documents of unknown kinds.
    pub(super) unread: Vec<String>,
    /// Whether whole files could not be read.
    pub(super) files_are_missing: bool,
    /// Whether objectives have errors, or may stand in what could not be read.
    pub(super) objectives_are_missing: bool,
}

impl Found {
    /// Whether something called `name` may be defined in what could not be read. Whoever refers to
    /// it is then not told that it does not exist: that would be a second fault for one mistake.
    pub(super) fn may_define(&self, name: &str) -> bool {
        self.files_are_missing || self.unread.iter().any(|text| text.contains(name))
    }
}

impl Found {
    fn add_template(&mut self, name: Located<String>, template: Option<Template>, faults: &Faults) {
        if let Some((first, _)) = self.templates.get(&name.value) {
            faults.add(twice(codes::DUPLICATE_NAME, "templates", &name, first));
            return;
        }
        self.templates.insert(name.value, (name.place, template));
    }
}

/// Reads documents into `found`: templates first, wherever they stand, since services use them.
pub(super) fn documents(roots: &[Node], options: &Options, found: &mut Found, faults: &Faults) {
    let mut of_kinds: Vec<(String, &Node)> = Vec::with_capacity(roots.len());
    for root in roots {
        if let Some(kind) = kind(root, faults) {
            of_kinds.push((kind, root));
        } else {
            found.unread.extend(metadata_name(root));
            found.objectives_are_missing = true;
        }
    }
    let (templates, others): (Vec<_>, Vec<_>) =
        of_kinds.into_iter().partition(|(kind, _)| kind == TEMPLATE);
    for (kind, root) in templates.into_iter().chain(others) {
        let ((), is_sound) = faults.judged(|| document(&kind, root, options, found, faults));
        let has_objectives = kind == TEMPLATE || kind == SERVICE;
        found.objectives_are_missing |= has_objectives && !is_sound;
    }
    found.objectives_are_missing |= found.files_are_missing || !found.unread.is_empty();
}

fn document(kind: &str, root: &Node, options: &Options, found: &mut Found, faults: &Faults) {
    let known = ["apiVersion", "kind", "metadata", "spec"];
    let Some(fields) = Fields::of(root, "a document", &known, faults) else {
        return;
    };
    let keys: &[&str] = match kind {
        SERVICE => &["name", "labels"],
        _ => &["name"],
    };
    let metadata = fields
        .need("metadata", "metadata: {name: …}")
        .and_then(|node| Fields::of(node, "`metadata`", keys, faults));
    let name = metadata
        .as_ref()
        .and_then(|it| it.need_parsed("name", "name: checkout", codes::NAME, values::name));
    let Some(spec) = fields.need("spec", "spec: with what the document is about") else {
        return;
    };
    match (kind, metadata, name) {
        (SERVICE, Some(metadata), name) => {
            let used = |uses: &[Node]| {
                let may_define = |name: &str| found.may_define(name);
                template::used(uses, &found.templates, &may_define, faults)
            };
            let service = service(name, &metadata, spec, &used, options, faults);
            found.services.push(service);
        }
        (TEMPLATE, _, name) => {
            let template = template::template(spec, faults);
            if let Some(name) = name {
                found.add_template(name, template, faults);
            }
        }
        ("AlertPolicy", _, name) => {
            let text = name.as_ref().map_or("", |name| &name.value);
            let policy = policy(text, spec, options, faults);
            found.policies.extend(name.map(|name| (name, policy)));
        }
        ("Receiver", _, name) => {
            let text = name.as_ref().map_or("", |name| &name.value);
            let receiver = receiver(text, spec, faults);
            found.receivers.extend(name.map(|name| (name, receiver)));
        }
        ("Routing", _, name) => {
            let place = name.map_or_else(|| root.place.clone(), |name| name.place);
            found.routings.extend(routing(spec, &place, faults));
        }
        _ => {}
    }
}

/// The kind of the document, when it is one of ours.
fn kind(root: &Node, faults: &Faults) -> Option<String> {
    let help = || {
        format!(
            "start it with apiVersion: {API_VERSION} and kind: one of {}",
            KINDS.join(", ")
        )
    };
    let is_header = |entry: &Entry| matches!(entry.key.as_str(), "kind" | "apiVersion");
    let is_ours = matches!(&root.value, Value::Map(entries) if entries.iter().any(is_header));
    if !is_ours {
        faults.add(
            Diagnostic::error(codes::UNKNOWN_KIND, "the document does not say what it is")
                .at(&root.place)
                .help(help()),
        );
        return None;
    }
    // Read apart from the other keys, which belong to a kind that may be unknown.
    let quiet = Faults::default();
    let header = Fields::of(
        root,
        "a document",
        &["apiVersion", "kind", "metadata", "spec"],
        &quiet,
    )?;
    let refused = |text: &str, key: &str, known: &[&'static str]| {
        format!(
            "`{text}` is no {key} that is known; {}",
            did_you_mean(text, known.iter().copied(), || write_one_of(known))
        )
    };
    let one_of = |key: &str, known: &'static [&'static str]| {
        let node = header.get(key)?;
        parse_node(node, key, codes::UNKNOWN_KIND, faults, |text| {
            if known.contains(&text) {
                Ok(text.to_owned())
            } else {
                Err(refused(text, key, known))
            }
        })
    };
    for key in ["apiVersion", "kind"] {
        if header.get(key).is_none() {
            faults.add(
                Diagnostic::error(codes::MISSING_KEY, format!("a document needs `{key}`"))
                    .at(&root.place)
                    .help(help()),
            );
        }
    }
    let version = one_of("apiVersion", &[API_VERSION]);
    let kind = one_of("kind", &KINDS)?;
    version.map(|_| kind.value)
}

/// The name in a document whose kind is unknown.
fn metadata_name(root: &Node) -> Option<String> {
    let value = |node: &Node, key: &str| match &node.value {
        Value::Map(entries) => entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.node.clone()),
        _ => None,
    };
    match value(&value(root, "metadata")?, "name")?.value {
        Value::Text(text) => Some(text.text),
        _ => None,
    }
}
