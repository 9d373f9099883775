//! `ServiceObjectives` to drafts of objectives: everything of a service that can be read alone.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Budgeting, Indicator};
use crate::domain::route::OWN_LABELS;
use crate::domain::slices::MissingData;
use crate::domain::time::Span;

use super::fields::Fields;
use super::grouping::{GroupingDraft, grouping};
use super::indicator;
use super::indicator::Slicing;
use super::node::{Faults, Located, Node};
use super::promise::{Defaults, PromiseDraft, promises};
use super::template::{INDICATORS, Made, uses};
use super::values;
use super::window::window;
use super::written::Parts;
use super::{DEFAULT_POLICY, Options, codes};

/// A service and its objectives.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: Option<Located<String>>,
    pub(super) drafts: Vec<Draft>,
}

/// An objective as far as it could be read; a part that is missing has been told as a fault.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: Option<Located<String>>,
    pub(super) uid: Option<Located<String>>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) description: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) runbook: Option<String>,
    /// `None`: whichever source there is.
    pub(super) source: Option<Located<String>>,
    /// Where to show that none is named.
    pub(super) service_place: Place,
    /// One, or one for each of its targets.
    pub(super) promises: Vec<PromiseDraft>,
    pub(super) indicator: Option<Located<Indicator>>,
    pub(super) grouping: Option<GroupingDraft>,
    /// Where the parts of the indicator stand.
    pub(super) parts: Parts,
    /// Where the template was used that it came from.
    pub(super) used_at: Option<Place>,
}

impl Draft {
    /// Where to show `written`, which may stand in a template: then where that was used.
    pub(super) fn place_of<'a>(&'a self, written: &'a Located<String>) -> &'a Place {
        self.used_at.as_ref().unwrap_or(&written.place)
    }

    /// The identity of what is counted: as written, or `service/name`.
    pub(super) fn counted_as(&self, service: &Service) -> Option<Located<String>> {
        let (value, written) = match (&self.uid, &self.name) {
            (Some(uid), _) => (uid.value.clone(), uid),
            (None, name) => {
                let (service, name) = (service.name.as_ref()?, name.as_ref()?);
                (format!("{}/{}", service.value, name.value), name)
            }
        };
        let place = self.place_of(written).clone();
        Some(Located { value, place })
    }

    /// The identity of a promise: as written, or what is counted, with the target's name.
    pub(super) fn uid(&self, service: &Service, promise: &PromiseDraft) -> Option<Located<String>> {
        let counted_as = self.counted_as(service)?;
        let (value, written) = match (&promise.uid, &promise.target) {
            (Some(uid), _) => (uid.value.clone(), uid),
            (None, Some(target)) => (format!("{}/{}", counted_as.value, target.value), target),
            (None, None) => return Some(counted_as),
        };
        let place = self.place_of(written).clone();
        Some(Located { value, place })
    }
}

const SPEC: [&str; 9] = [
    "description",
    "owner",
    "runbook",
    "source",
    "window",
    "alertPolicy",
    "slice",
    "objectives",
    "use",
];
const OBJECTIVE: [&str; 26] = [
    "name",
    "objective",
    "targets",
    "errors",
    "latency",
    "traffic",
    "saturation",
    "freshness",
    "query",
    "window",
    "alertPolicy",
    "labels",
    "description",
    "owner",
    "runbook",
    "uid",
    "slice",
    "budgeting",
    "sliceObjective",
    "missingData",
    "source",
    "groupBy",
    "alsoWhole",
    "maxGroups",
    "overrides",
    "expect",
];
/// What the service says for all of its objectives.
struct Common {
    labels: BTreeMap<String, String>,
    description: Option<String>,
    owner: Option<String>,
    runbook: Option<String>,
    source: Option<Located<String>>,
    /// Where the service's name is.
    place: Place,
    promise: Defaults,
    /// The length of slices, for objectives that judge any.
    slice: Option<Span>,
}

/// Reads the `spec` of a service called `name` whose metadata is `metadata`; `used` makes
/// objectives of the templates that it uses.
pub(super) fn service(
    name: Option<Located<String>>,
    metadata: &Fields<'_>,
    spec: &Node,
    used: &dyn Fn(&[Node]) -> Vec<Made>,
    options: &Options,
    faults: &Faults,
) -> Service {
    let Some(spec) = Fields::of(spec, "the spec of a service", &SPEC, faults) else {
        let drafts = Vec::new();
        return Service { name, drafts };
    };
    let default_place = name
        .as_ref()
        .map_or(metadata.place, |name| &name.place)
        .clone();
    let common = Common {
        labels: labels(metadata),
        description: plain(&spec, "description"),
        owner: plain(&spec, "owner"),
        runbook: plain(&spec, "runbook"),
        source: spec.text("source"),
        promise: Defaults {
            window: window(&spec, options),
            has_window: spec.has("window"),
            policy: spec.text("alertPolicy").unwrap_or(Located {
                value: DEFAULT_POLICY.to_owned(),
                place: default_place.clone(),
            }),
            missing_at: spec.place.clone(),
        },
        place: default_place,
        slice: slice(&spec, options).map(|slice| slice.value),
    };
    if !spec.has("use") {
        spec.need(
            "objectives",
            "a list of objectives, each with name, objective and an indicator",
        );
    }
    let own = spec.list("objectives").unwrap_or_default();
    let mut drafts: Vec<Draft> = own
        .iter()
        .filter_map(|node| draft(node, &common, options, faults))
        .collect();
    for made in used(uses(spec.get("use"), faults)) {
        drafts.extend(faults.beside(&made.used_at, "used here", |faults| {
            let draft = draft(&made.objective, &common, options, faults)?;
            let used_at = Some(made.used_at.clone());
            Some(Draft { used_at, ..draft })
        }));
    }
    Service { name, drafts }
}

fn draft(node: &Node, common: &Common, options: &Options, faults: &Faults) -> Option<Draft> {
    let fields = Fields::of(node, "an objective", &OBJECTIVE, faults)?;
    let name = fields.need_parsed("name", "name: availability", codes::NAME, values::name);
    let grouping = grouping(&fields);
    let promises = promises(&fields, &common.promise, grouping.as_ref(), options);
    let mut all_labels = common.labels.clone();
    all_labels.extend(labels(&fields));
    Some(Draft {
        uid: fields.parse("uid", codes::NAME, values::identity),
        labels: all_labels,
        description: plain(&fields, "description").or_else(|| common.description.clone()),
        owner: plain(&fields, "owner").or_else(|| common.owner.clone()),
        runbook: plain(&fields, "runbook").or_else(|| common.runbook.clone()),
        source: fields.text("source").or_else(|| common.source.clone()),
        service_place: common.place.clone(),
        promises,
        indicator: read_indicator(&fields, common, options),
        grouping,
        parts: Parts::of(&fields),
        used_at: None,
        name,
    })
}

/// The longest slice: all samples of one are read at once.
const LONGEST_SLICE: Span = Span::from_days(1);

/// The length of a slice.
fn slice(fields: &Fields<'_>, options: &Options) -> Option<Located<Span>> {
    let slice = fields.parse("slice", codes::DURATION, str::parse::<Span>)?;
    if slice.value > LONGEST_SLICE {
        let sentence = format!("`slice` of {} is longer than {LONGEST_SLICE}", slice.value);
        fields.faults.add(
            Diagnostic::error(codes::DURATION, sentence)
                .at(&slice.place)
                .help("write at most 1d; `window` says over which time slices are added up"),
        );
    }
    values::on_grid(&slice, "slice", options.tick, fields.faults);
    Some(slice)
}

fn read_indicator(
    fields: &Fields<'_>,
    common: &Common,
    options: &Options,
) -> Option<Located<Indicator>> {
    let entry = fields.one_of(&INDICATORS, "an indicator");
    let slice = slice(fields, options);
    let missing = fields.parse("missingData", codes::WORD, |text| match text {
        "hold" => Ok(MissingData::Hold),
        "good" => Ok(MissingData::Good),
        "bad" => Ok(MissingData::Bad),
        _ => Err(format!(
            "`{text}` is nothing that a slice without data can be; write hold, good or bad"
        )),
    });
    let budgeting = budgeting(fields);
    let entry = entry?;
    let slicing = Slicing {
        good: budgeting.good,
        slice: slice
            .as_ref()
            .map(|slice| slice.value)
            .or(common.slice)
            .unwrap_or_else(|| options.default_slice()),
        missing: missing
            .as_ref()
            .map_or(MissingData::Hold, |missing| missing.value),
    };
    let indicator = indicator::indicator(entry, slicing, options, fields.faults);
    let counts_events = match &indicator {
        Some(indicator) => indicator.budgeting() == Budgeting::Occurrences,
        None => entry.key == "errors",
    };
    budgeting.check(fields, indicator.as_ref(), counts_events);
    let slice = slice.map(|slice| ("slice", slice.place));
    let missing = missing.map(|missing| ("missingData", missing.place));
    for (key, place) in [slice, missing].into_iter().flatten() {
        if counts_events {
            let sentence = format!("`{key}` has no meaning where `{}` counts events", entry.key);
            fields.faults.add(
                Diagnostic::error(codes::UNKNOWN_KEY, sentence)
                    .at(&place)
                    .help("remove it, or write budgeting: timeslices with a sliceObjective; slices of time are also judged by traffic, saturation, freshness, a latency's quantile, and a query's ratio or value"),
            );
        }
    }
    Some(Located {
        value: indicator?,
        place: entry.place.clone(),
    })
}

/// What is said of how the budget is made up.
struct Said {
    slices: Option<Located<bool>>,
    /// The share of a slice's events that must be good.
    good: Option<Fraction>,
}

fn budgeting(fields: &Fields<'_>) -> Said {
    let slices = fields.parse("budgeting", codes::WORD, |text| match text {
        "timeslices" => Ok(true),
        "occurrences" => Ok(false),
        _ => Err(format!(
            "`{text}` is no way to budget; write occurrences or timeslices"
        )),
    });
    let good = fields.parse("sliceObjective", codes::NUMBER, values::percent);
    let is_sliced = slices.as_ref().is_some_and(|it| it.value);
    Said {
        slices,
        good: good
            .filter(|_| is_sliced)
            .map(|good| values::share(good.value)),
    }
}

impl Said {
    /// Tells of what does not fit the indicator.
    fn check(&self, fields: &Fields<'_>, indicator: Option<&Indicator>, counts_events: bool) {
        let tell = |place: &Place, sentence: &str, help: &str| {
            let fault = Diagnostic::error(codes::CHOICE, sentence.to_owned());
            fields.faults.add(fault.at(place).help(help.to_owned()));
        };
        let is_sliced = self.slices.as_ref().is_some_and(|it| it.value);
        let by_share = indicator.is_some_and(|it| it.events().is_some());
        if let Some(said) = &self.slices {
            if said.value && counts_events && !fields.has("sliceObjective") {
                tell(
                    &said.place,
                    "`budgeting: timeslices` needs `sliceObjective`",
                    "write sliceObjective: 95%, the share of a slice's events that must be good",
                );
            } else if !said.value && indicator.is_some() && !counts_events {
                tell(
                    &said.place,
                    "this indicator judges slices of time, and counts no events",
                    "remove `budgeting`",
                );
            }
        }
        if let Some(place) = fields.place_of("sliceObjective")
            && indicator.is_some()
            && !(is_sliced && by_share)
        {
            tell(
                place,
                "`sliceObjective` is for events that are judged by slices of time",
                if counts_events {
                    "write budgeting: timeslices beside it, or remove it"
                } else {
                    "remove it: this indicator says itself when a slice is bad"
                },
            );
        }
    }
}

fn plain(fields: &Fields<'_>, key: &str) -> Option<String> {
    fields.text(key).map(|text| text.value)
}

fn labels(fields: &Fields<'_>) -> BTreeMap<String, String> {
    let labels = fields.texts("labels");
    for (name, label) in &labels {
        let word = name
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_');
        let sentence = if OWN_LABELS.contains(&name.as_str()) {
            format!("the label `{name}` is set by Sloburn itself; give yours another name")
        } else if !word
            || name.starts_with(|first: char| first.is_ascii_digit())
            || name.starts_with("__")
            || name.is_empty()
        {
            format!(
                "`{name}` is not a label's name; write letters, digits and underscores, as in team"
            )
        } else {
            continue;
        };
        fields
            .faults
            .add(Diagnostic::error(codes::NAME, sentence).at(&label.place));
    }
    labels
        .into_iter()
        .map(|(name, label)| (name, label.value))
        .collect()
}
