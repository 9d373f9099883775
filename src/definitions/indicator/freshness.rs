//! Freshness: slices of time that are bad when something was last done too long ago.

use crate::domain::indicator::Aggregate;
use crate::domain::slices::Judge;

use super::super::codes;
use super::super::fields::Fields;
use super::super::node::{Faults, Located, Node};
use super::super::values;
use super::bounds;

const TIMESTAMP: &str = "timestamp: etl_last_success_timestamp_seconds{job=\"etl\"}";

pub(super) fn freshness(node: &Node, faults: &Faults) -> Option<Judge> {
    let known = ["timestamp", "by", "atMost", "unit", "badWhen"];
    let fields = Fields::of(node, "`freshness`", &known, faults)?;
    // Of several in a group the one that was done last counts: any of them did the work.
    let timestamp = bounds::grouped(&fields, ("timestamp", TIMESTAMP), Aggregate::Max);
    let at_most = fields.need_parsed("atMost", "atMost: 1h", codes::DURATION, values::seconds);
    let bad_when = bounds::bad_when(&fields);
    let timestamp = timestamp?;
    let series = Located {
        value: &timestamp.value.gauge.series,
        place: timestamp.place.clone(),
    };
    let unit = bounds::time_unit(&fields, &series);
    Some(Judge::Age {
        unit: unit?,
        at_most: at_most?.value,
        bad_when: bad_when?,
        timestamp: timestamp.value,
    })
}
