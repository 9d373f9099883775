//! Latency by a gauge of a time, such as a quantile of a summary: slices that are bad when it is too long.

use crate::domain::slices::Judge;

use super::super::codes;
use super::super::fields::Fields;
use super::super::node::{Faults, Located, Node, Value};
use super::super::values;
use super::{bounds, selector};

/// Whether a latency is told by a gauge, and not by events.
pub(super) fn is_quantile(node: &Node) -> bool {
    let Value::Map(entries) = &node.value else {
        return false;
    };
    entries.iter().any(|entry| entry.key == "quantile")
}

pub(super) fn quantile(node: &Node, faults: &Faults) -> Option<Judge> {
    let known = ["quantile", "histogram", "atMost", "unit", "badWhen"];
    let fields = Fields::of(node, "`latency`", &known, faults)?;
    let entry = fields.one_of(&["quantile", "histogram"], "to know how long things take")?;
    let quantile = selector(&entry.node, "quantile", faults);
    let at_most = fields.need_parsed("atMost", "atMost: 300ms", codes::DURATION, values::seconds);
    let bad_when = bounds::bad_when(&fields);
    let quantile = quantile?;
    let series = Located {
        value: &quantile.value,
        place: quantile.place.clone(),
    };
    let unit = bounds::time_unit(&fields, &series);
    Some(Judge::Quantile {
        at_most: at_most?.value,
        unit: unit?,
        bad_when: bad_when?,
        quantile: quantile.value,
    })
}
