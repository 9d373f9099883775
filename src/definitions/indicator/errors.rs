//! Errors: events, some of which failed.

use crate::diagnostic::Diagnostic;
use crate::domain::indicator::{Events, Indicator, Probe, Split};
use crate::domain::selector::{Matcher, Selector};

use super::super::codes;
use super::super::fields::Fields;
use super::super::node::{Faults, Located, Node};
use super::TOTAL;
use super::bounds::{bad_when, senseless};
use super::{conditions, excluded, selector, selectors, values_of};

/// The keys of which one tells which of all events are bad.
const PARTS: [&str; 4] = ["badWhere", "goodWhere", "bad", "good"];

pub(super) fn errors(node: &Node, faults: &Faults) -> Option<Indicator> {
    let known = [
        "total",
        "badWhere",
        "goodWhere",
        "bad",
        "good",
        "probe",
        "badWhen",
    ];
    let fields = Fields::of(node, "`errors`", &known, faults)?;
    if fields.has("probe") {
        return probe(&fields).map(Indicator::Errors);
    }
    senseless(&fields, &["badWhen"], "counters");
    let both = fields.has("good") && fields.has("bad");
    let events = if both && !fields.has("total") {
        good_and_bad(&fields)
    } else {
        of_total(&fields)
    };
    events.map(Indicator::Errors)
}

/// Gauges that are 1 when something works and 0 when it does not.
fn probe(fields: &Fields<'_>) -> Option<Events> {
    for key in ["total", "badWhere", "goodWhere", "bad", "good"] {
        if let Some(entry) = fields.entry(key) {
            fields.faults.add(
                Diagnostic::error(
                    codes::CHOICE,
                    format!("`probe` and `{key}` exclude each other"),
                )
                .at(&entry.place)
                .help("the samples of a probe are all events, good when they are 1: remove it, or `probe`"),
            );
        }
    }
    let quorum = if fields.has("badWhen") {
        Some(bad_when(fields)?)
    } else {
        None
    };
    let series = selector(fields.get("probe")?, "probe", fields.faults)?;
    Some(Events::Probe(Probe {
        series: series.value,
        quorum,
    }))
}

/// Counters of good and of bad events; all events are both together.
fn good_and_bad(fields: &Fields<'_>) -> Option<Events> {
    for key in ["badWhere", "goodWhere"] {
        if let Some(entry) = fields.entry(key) {
            fields.faults.add(
                Diagnostic::error(
                    codes::CHOICE,
                    format!("`{key}` refines a `total`, and there is none"),
                )
                .at(&entry.place)
                .help("remove it, or write `total` in place of `good` or `bad`"),
            );
        }
    }
    let good = selectors(fields.get("good")?, "good", fields.faults);
    let bad = selectors(fields.get("bad")?, "bad", fields.faults);
    let (good, bad) = (good?, bad?);
    for one in &good {
        let same = bad.iter().find(|other| other.value == one.value);
        if let Some(same) = same {
            fields.faults.add(
                Diagnostic::error(codes::CHOICE, "the same series are good and bad")
                    .at(&same.place)
                    .related(&one.place, "good here")
                    .help("let each selector match one kind of events"),
            );
        }
    }
    Some(Events::GoodAndBad {
        good: values_of(good),
        bad: values_of(bad),
    })
}

/// Counters of all events, and what tells which of them are bad.
pub(super) fn of_total(fields: &Fields<'_>) -> Option<Events> {
    let faults = fields.faults;
    let total = fields
        .need("total", TOTAL)
        .and_then(|node| selectors(node, "total", faults));
    let entry = fields.one_of(&PARTS, "to know which events are bad")?;
    let key = entry.key.as_str();
    let counted = if key.ends_with("Where") {
        let matchers = conditions(&entry.node, key, faults)?;
        refined(total.as_ref()?, &matchers, key, faults)
    } else {
        values_of(selectors(&entry.node, key, faults)?)
    };
    let split = if key.starts_with("bad") {
        Split::Bad(counted)
    } else {
        Split::Good(counted)
    };
    Some(Events::OfTotal {
        total: values_of(total?),
        split,
    })
}

/// Each selector of the total under the conditions; tells of conditions that hold for none of them.
fn refined(
    total: &[Located<Selector>],
    matchers: &Located<Vec<Matcher>>,
    key: &str,
    faults: &Faults,
) -> Vec<Selector> {
    let excluding: Vec<_> = total
        .iter()
        .map(|it| (it, excluded(&it.value, &matchers.value)))
        .collect();
    if let Some((first, Some(_))) = excluding.first()
        && excluding.iter().all(|(_, fixed)| fixed.is_some())
    {
        for (total, fixed) in excluding
            .iter()
            .filter(|(total, _)| total.place == first.place)
        {
            let Some(fixed) = fixed else { continue };
            faults.add(
                Diagnostic::error(
                    codes::NEVER_MATCHES,
                    format!(
                        "`{key}` never matches, since `total` has only {}={:?}",
                        fixed.label, fixed.value
                    ),
                )
                .at(&matchers.place)
                .related(&total.place, "fixed here")
                .help(format!(
                    "remove {} from `total`, or compare another label",
                    fixed.label
                )),
            );
        }
    }
    let refined = total
        .iter()
        .map(|it| it.value.refined(matchers.value.clone()));
    refined.collect()
}
