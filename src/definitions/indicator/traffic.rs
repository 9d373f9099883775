//! Traffic: slices of time that are bad when too little is asked for.

use crate::domain::indicator::Indicator;
use crate::domain::time::Span;

use super::super::codes;
use super::super::fields::Fields;
use super::super::node::Faults;
use super::super::node::Node;
use super::super::values;
use super::TOTAL;
use super::selector;

pub(super) fn traffic(node: &Node, slice: Span, faults: &Faults) -> Option<Indicator> {
    let fields = Fields::of(node, "`traffic`", &["total", "atLeast"], faults)?;
    let total = fields
        .need("total", TOTAL)
        .and_then(|node| selector(node, "total", faults));
    let at_least = fields.need_parsed("atLeast", "atLeast: 5/s", codes::NUMBER, values::rate);
    Some(Indicator::Traffic {
        total: total?.value,
        at_least: at_least?.value,
        slice,
    })
}
