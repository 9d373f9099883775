//! Objectives written once and used by many services: `ObjectiveTemplate` and `spec.use`.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place, did_you_mean, write_one_of};

use super::codes;
use super::fields::{Fields, items, text, wrong_type};
use super::node::{Entry, Faults, Located, Node, Value};
use super::placeholders;

/// More values than this are not made of the uses in one document.
const MOST_VALUES: usize = 50_000;

/// What is promised of an indicator: once, or several times.
const PROMISES: [&str; 2] = ["objective", "targets"];

/// Keys of which an objective has one: an override with one of them takes the place of the other.
pub(super) const INDICATORS: [&str; 6] = [
    "errors",
    "latency",
    "traffic",
    "saturation",
    "freshness",
    "query",
];

/// Objectives with placeholders, as far as they could be read.
#[derive(Debug)]
pub(super) struct Template {
    parameters: Vec<Parameter>,
    objectives: Vec<Node>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    default: Option<String>,
}

/// All templates by name, with the place of the name; the value is missing where it has faults.
pub(super) type Templates = BTreeMap<String, (Place, Option<Template>)>;

/// An objective that a use of a template made.
#[derive(Debug)]
pub(super) struct Made {
    /// What the template says, with the placeholders filled in and the overrides put over it.
    pub(super) objective: Node,
    /// Where the template was used.
    pub(super) used_at: Place,
}

/// Reads the `spec` of a template.
pub(super) fn template(spec: &Node, faults: &Faults) -> Option<Template> {
    let known = ["description", "params", "objectives"];
    let fields = Fields::of(spec, "the spec of a template", &known, faults)?;
    let parameters: Vec<Option<Parameter>> = fields
        .list("params")
        .into_iter()
        .flatten()
        .map(|node| parameter(node, faults))
        .collect();
    fields.need("objectives", "a list of objectives, as in a service")?;
    let objectives = fields.list("objectives")?.to_vec();
    Some(Template {
        parameters: parameters.into_iter().collect::<Option<_>>()?,
        objectives,
    })
}

/// A parameter: a name, or `{name, default, description}`.
fn parameter(node: &Node, faults: &Faults) -> Option<Parameter> {
    let name_of = |node: &Node| {
        let name = text(node, "a parameter", faults)?;
        if placeholders::is_name(&name.value) {
            return Some(name.value);
        }
        faults.add(
            Diagnostic::error(
                codes::NAME,
                format!("`{}` cannot be the name of a parameter", name.value),
            )
            .at(&name.place)
            .help("write letters, digits and underscores, as in job; `window` is taken"),
        );
        None
    };
    if matches!(node.value, Value::Text(_)) {
        return Some(Parameter {
            name: name_of(node)?,
            default: None,
        });
    }
    let known = ["name", "default", "description"];
    let fields = Fields::of(node, "a parameter", &known, faults)?;
    let name = fields.need("name", "name: job").and_then(name_of)?;
    let default = fields.text("default").map(|text| text.value);
    Some(Parameter { name, default })
}

/// What the list `use` of a service makes of the templates; `may_define` tells whether a template
/// of a name may stand in what could not be read.
pub(super) fn used(
    uses: &[Node],
    templates: &Templates,
    may_define: &dyn Fn(&str) -> bool,
    faults: &Faults,
) -> Vec<Made> {
    let (mut made, mut values) = (Vec::new(), 0);
    for node in uses {
        let objectives = use_of(node, templates, may_define, faults).unwrap_or_default();
        values += objectives.iter().map(Node::size).sum::<usize>();
        if values > MOST_VALUES {
            faults.add(
                Diagnostic::error(
                    codes::TOO_COMPLEX,
                    format!("the templates used up to here make more than {MOST_VALUES} values"),
                )
                .at(&node.place)
                .help("split the service into several documents"),
            );
            break;
        }
        made.extend(objectives.into_iter().map(|objective| Made {
            objective,
            used_at: node.place.clone(),
        }));
    }
    made
}

fn use_of(
    node: &Node,
    templates: &Templates,
    may_define: &dyn Fn(&str) -> bool,
    faults: &Faults,
) -> Option<Vec<Node>> {
    let known = ["template", "with", "overrides"];
    let fields = Fields::of(node, "a use of a template", &known, faults)?;
    fields.need("template", "template: the name of an ObjectiveTemplate")?;
    let name = fields.text("template")?;
    if fields
        .get("with")
        .is_some_and(|with| !matches!(with.value, Value::Map(_)))
    {
        fields.texts("with");
        return None;
    }
    let given = fields.texts("with");
    let Some((template_place, template)) = templates.get(&name.value) else {
        if !may_define(&name.value) {
            faults.add(unknown_template(&name, templates));
        }
        return None;
    };
    let template = template.as_ref()?;
    let with = arguments(&name, template, template_place, &given, faults)?;
    let mut objectives: Vec<Node> = faults.beside(&node.place, "used here", |faults| {
        let fill = |objective: &Node| placeholders::fill(objective, &with, faults);
        template.objectives.iter().map(fill).collect()
    });
    if let Some(overrides) = fields.get("overrides") {
        put_over(overrides, &name.value, &mut objectives, faults);
    }
    Some(objectives)
}

fn unknown_template(name: &Located<String>, templates: &Templates) -> Diagnostic {
    let known = templates.keys().map(String::as_str);
    let listed: Vec<&str> = known.clone().collect();
    let help = did_you_mean(&name.value, known, || {
        let define = "define it as a document of kind ObjectiveTemplate";
        if listed.is_empty() {
            return define.to_owned();
        }
        format!("{}, or {define}", write_one_of(&listed))
    });
    Diagnostic::error(
        codes::UNKNOWN_TEMPLATE,
        format!("there is no template `{}`", name.value),
    )
    .at(&name.place)
    .help(help)
}

/// The value of each parameter; `None` when one is missing.
fn arguments(
    name: &Located<String>,
    template: &Template,
    template_place: &Place,
    given: &BTreeMap<String, Located<String>>,
    faults: &Faults,
) -> Option<BTreeMap<String, String>> {
    let names: Vec<&str> = template
        .parameters
        .iter()
        .map(|parameter| &*parameter.name)
        .collect();
    for (key, value) in given {
        if !names.contains(&key.as_str()) {
            let help = did_you_mean(key, names.iter().copied(), || match names.as_slice() {
                [] => "it has no parameters".to_owned(),
                [only] => format!("it has the parameter {only}"),
                names => format!("it has the parameters {}", names.join(", ")),
            });
            faults.add(
                Diagnostic::error(
                    codes::PARAMETER,
                    format!("the template `{}` has no parameter `{key}`", name.value),
                )
                .at(&value.place)
                .related(template_place, "this template")
                .help(help),
            );
        }
    }
    let value = |parameter: &Parameter| {
        let given = given.get(&parameter.name).map(|given| &given.value);
        let value = given.or(parameter.default.as_ref())?;
        Some((parameter.name.clone(), value.clone()))
    };
    let missing: Vec<String> = template
        .parameters
        .iter()
        .filter(|parameter| value(parameter).is_none())
        .map(|parameter| format!("`{}`", parameter.name))
        .collect();
    if !missing.is_empty() {
        // Whoever misspelt one has been told so.
        if given.keys().all(|key| names.contains(&key.as_str())) {
            let missing = missing.join(", ");
            faults.add(
                Diagnostic::error(
                    codes::PARAMETER,
                    format!("the template `{}` needs {missing}", name.value),
                )
                .at(&name.place)
                .related(template_place, "this template")
                .help("write with: {name: value} beside `template`"),
            );
        }
        return None;
    }
    Some(template.parameters.iter().filter_map(value).collect())
}

/// Puts the keys of each override over those of the objective that it names.
fn put_over(overrides: &Node, template: &str, objectives: &mut [Node], faults: &Faults) {
    let Value::Map(entries) = &overrides.value else {
        faults.add(wrong_type(
            overrides,
            "overrides",
            "a map of objectives' names, each with the keys to replace",
        ));
        return;
    };
    let names: Vec<String> = objectives.iter().filter_map(name_of).collect();
    for entry in entries {
        let Some(index) = objectives
            .iter()
            .position(|objective| name_of(objective).as_ref() == Some(&entry.key))
        else {
            let names = || names.iter().map(String::as_str);
            let help = did_you_mean(&entry.key, names(), || {
                match names().collect::<Vec<_>>().as_slice() {
                    [only] => format!("it has the objective {only}"),
                    names => format!("it has the objectives {}", names.join(", ")),
                }
            });
            faults.add(
                Diagnostic::error(
                    codes::UNKNOWN_OBJECTIVE,
                    format!("the template `{template}` has no objective `{}`", entry.key),
                )
                .at(&entry.place)
                .help(help),
            );
            continue;
        };
        let (Value::Map(old), Value::Map(new)) = (&mut objectives[index].value, &entry.node.value)
        else {
            faults.add(wrong_type(
                &entry.node,
                &entry.key,
                "a map of the keys to replace",
            ));
            continue;
        };
        replace(old, new);
    }
}

fn replace(old: &mut Vec<Entry>, new: &[Entry]) {
    for one_of in [&INDICATORS[..], &PROMISES[..]] {
        let is_one = |entry: &Entry| one_of.contains(&entry.key.as_str());
        if new.iter().any(is_one) {
            old.retain(|entry| !is_one(entry));
        }
    }
    old.retain(|entry| new.iter().all(|new| new.key != entry.key));
    old.extend(new.iter().cloned());
}

fn name_of(objective: &Node) -> Option<String> {
    let Value::Map(entries) = &objective.value else {
        return None;
    };
    let entry = entries.iter().find(|entry| entry.key == "name")?;
    match &entry.node.value {
        Value::Text(text) => Some(text.text.trim().to_owned()),
        _ => None,
    }
}

/// The items of `use`, if it is there.
pub(super) fn uses<'a>(node: Option<&'a Node>, faults: &Faults) -> &'a [Node] {
    node.and_then(|node| items(node, "use", faults))
        .unwrap_or_default()
}
