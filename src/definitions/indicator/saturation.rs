//! Saturation: slices of time that are bad when something is too full.

use crate::domain::indicator::Aggregate;
use crate::domain::quantity::Bound;
use crate::domain::slices::{Judge, WithinSlice};

use super::super::codes;
use super::super::fields::Fields;
use super::super::node::{Faults, Node};
use super::super::values;
use super::bounds;
use super::bounds::senseless;

const USED: &str = "used: container_memory_working_set_bytes{container!=\"\"}";
const LIMIT: &str = "limit: kube_pod_container_resource_limits{resource=\"memory\"}";
const BY: &str = "by: [instance], the labels that both sides have in common";
const GAUGE: &str = "gauge: kafka_consumergroup_lag";

pub(super) fn saturation(node: &Node, faults: &Faults) -> Option<Judge> {
    let known = [
        "used",
        "limit",
        "gauge",
        "by",
        "atMost",
        "atLeast",
        "withinSlice",
        "badWhen",
    ];
    let fields = Fields::of(node, "`saturation`", &known, faults)?;
    let entry = fields.one_of(&["used", "gauge"], "to know what is looked at")?;
    if entry.key == "gauge" {
        level(&fields)
    } else {
        share(&fields)
    }
}

/// What is used of a limit.
fn share(fields: &Fields<'_>) -> Option<Judge> {
    senseless(fields, &["atLeast", "withinSlice"], "used");
    let gauge = |key: &str, example: &str, default| {
        let node = fields.need(key, example)?;
        Some(bounds::gauge(node, key, default, fields.faults)?.0.value)
    };
    let used = gauge("used", USED, Aggregate::Max);
    let limit = gauge("limit", LIMIT, Aggregate::Min);
    let by = fields.need("by", BY).and_then(|_| bounds::by(fields));
    let at_most = fields.need_parsed("atMost", "atMost: 90%", codes::NUMBER, values::percent);
    let bad_when = bounds::bad_when(fields);
    Some(Judge::Share {
        used: used?,
        limit: limit?,
        by: by?,
        at_most: values::share(at_most?.value),
        bad_when: bad_when?,
    })
}

/// A gauge against a threshold.
fn level(fields: &Fields<'_>) -> Option<Judge> {
    senseless(fields, &["limit"], "gauge");
    let bound = bounds::bound(fields, values::quantity);
    // Of several in a group the worst counts.
    let worst = match bound {
        Some(Bound::AtLeast(_)) => Aggregate::Min,
        Some(Bound::AtMost(_)) | None => Aggregate::Max,
    };
    let level = bounds::grouped(fields, ("gauge", GAUGE), worst);
    let within = fields.parse("withinSlice", codes::WORD, |text| match text {
        "last" => Ok(WithinSlice::Last),
        "max" => Ok(WithinSlice::Max),
        "min" => Ok(WithinSlice::Min),
        "avg" => Ok(WithinSlice::Avg),
        _ => Err(format!(
            "`{text}` is none of a slice's samples; write last, max, min or avg"
        )),
    });
    if fields.has("withinSlice") && within.is_none() {
        return None;
    }
    let bad_when = bounds::bad_when(fields);
    Some(Judge::Level {
        level: level?.value,
        bound: bound?,
        within: within.map(|within| within.value).unwrap_or_default(),
        bad_when: bad_when?,
    })
}
