//! What is promised of an indicator: `objective` and `window`, or `targets` in their place.

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::group::GroupOverride;
use crate::domain::objective::Objective;
use crate::domain::slo::Window;

use super::Options;
use super::check::twice;
use super::codes;
use super::fields::Fields;
use super::grouping::{GroupingDraft, overrides};
use super::node::Located;
use super::values;
use super::window::window;

/// A promise as far as it could be read; a part that is missing has been told as a fault.
#[derive(Debug)]
pub(super) struct PromiseDraft {
    /// Its name, where an objective has several.
    pub(super) target: Option<Located<String>>,
    /// An identity of its own, of a target.
    pub(super) uid: Option<Located<String>>,
    pub(super) objective: Option<Located<Objective>>,
    pub(super) window: Option<Located<Window>>,
    /// `none` never alerts.
    pub(super) policy: Located<String>,
    /// Other objectives for some groups.
    pub(super) overrides: Vec<Located<GroupOverride>>,
}

/// All that is promised: in general, and of groups of which something else is.
pub(super) fn objectives(promise: &PromiseDraft) -> impl Iterator<Item = Located<Objective>> {
    let of_groups = promise.overrides.iter().map(|it| Located {
        value: it.value.objective,
        place: it.place.clone(),
    });
    promise.objective.iter().cloned().chain(of_groups)
}

/// What holds where a promise says nothing.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) window: Option<Located<Window>>,
    /// Whether one is written, be it one that could not be read, which has been told.
    pub(super) has_window: bool,
    pub(super) policy: Located<String>,
    /// Where to tell that there is no window: told once for all that miss it.
    pub(super) missing_at: Place,
}

const TARGET: [&str; 6] = [
    "name",
    "objective",
    "window",
    "alertPolicy",
    "uid",
    "overrides",
];

/// The promises of an objective, in the order in which they are written.
pub(super) fn promises(
    fields: &Fields<'_>,
    common: &Defaults,
    grouping: Option<&GroupingDraft>,
    options: &Options,
) -> Vec<PromiseDraft> {
    if !fields.has("targets") {
        return vec![promise(fields, common, grouping, options)];
    }
    let in_each = [
        ("objective", "it stands in each of the targets"),
        (
            "overrides",
            "write them in the target whose objective they replace",
        ),
    ];
    for (key, help) in in_each {
        if let Some(place) = fields.place_of(key) {
            fields.faults.add(
                Diagnostic::error(
                    codes::CHOICE,
                    format!("`{key}` and `targets` exclude one another"),
                )
                .at(place)
                .help(help),
            );
        }
    }
    // What the objective says besides holds for the targets that say nothing themselves.
    let common = Defaults {
        window: if fields.has("window") {
            window(fields, options)
        } else {
            common.window.clone()
        },
        has_window: common.has_window || fields.has("window"),
        policy: fields
            .text("alertPolicy")
            .unwrap_or_else(|| common.policy.clone()),
        missing_at: common.missing_at.clone(),
    };
    let mut targets: Vec<PromiseDraft> = Vec::new();
    for node in fields.list("targets").unwrap_or_default() {
        let Some(own) = Fields::of(node, "a target", &TARGET, fields.faults) else {
            continue;
        };
        let name = own.need_parsed("name", "name: sla", codes::NAME, values::name);
        let others = targets.iter().filter_map(|other| other.target.as_ref());
        let first = name
            .as_ref()
            .and_then(|name| others.into_iter().find(|other| other.value == name.value));
        if let (Some(name), Some(first)) = (&name, first) {
            let what = "targets of this objective";
            let fault = twice(codes::DUPLICATE_NAME, what, name, &first.place);
            fields.faults.add(fault);
            continue;
        }
        let read = promise(&own, &common, grouping, options);
        // Without a name it cannot be told from the others.
        if name.is_some() {
            targets.push(PromiseDraft {
                target: name,
                uid: own.parse("uid", codes::NAME, values::identity),
                ..read
            });
        }
    }
    targets
}

/// What one promise says, of an objective or of a target.
fn promise(
    fields: &Fields<'_>,
    common: &Defaults,
    grouping: Option<&GroupingDraft>,
    options: &Options,
) -> PromiseDraft {
    PromiseDraft {
        target: None,
        uid: None,
        objective: fields.need_parsed(
            "objective",
            "objective: 99.9%",
            codes::OBJECTIVE,
            str::parse::<Objective>,
        ),
        window: own_window(fields, common, options),
        policy: fields
            .text("alertPolicy")
            .unwrap_or_else(|| common.policy.clone()),
        overrides: overrides(fields, grouping),
    }
}

fn own_window(
    fields: &Fields<'_>,
    common: &Defaults,
    options: &Options,
) -> Option<Located<Window>> {
    if fields.has("window") {
        return window(fields, options);
    }
    if !common.has_window {
        // Told once for all objectives of the service: that is where it was forgotten.
        fields.faults.add(
            Diagnostic::error(codes::MISSING_KEY, "the objectives need `window`")
                .at(&common.missing_at)
                .help("write window: 30d here, or in each of the objectives"),
        );
    }
    common.window.clone()
}
