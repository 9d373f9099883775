//! Traffic: slices of time that are bad when too little is asked for, too much, or far less than usual.

use crate::diagnostic::Diagnostic;
use crate::domain::decimal::Fraction;
use crate::domain::quantity::{Bound, Quantity, Unit};
use crate::domain::selector::Selector;
use crate::domain::slices::Judge;
use crate::domain::time::Span;

use super::super::codes;
use super::super::fields::{Fields, parse_node};
use super::super::node::{Faults, Located, Node};
use super::super::values;
use super::TOTAL;
use super::bounds::senseless;
use super::selector;

/// Periods that a drop is compared with, in weeks, unless others are named.
const WEEKS: [i64; 3] = [1, 2, 3];

/// What a slice of length `slice` is judged by.
pub(super) fn traffic(node: &Node, slice: Span, faults: &Faults) -> Option<Judge> {
    let known = ["total", "atLeast", "atMost", "dropAtMost", "comparedTo"];
    let fields = Fields::of(node, "`traffic`", &known, faults)?;
    let total = fields
        .need("total", TOTAL)
        .and_then(|node| selector(node, "total", faults));
    let entry = fields.one_of(&["atLeast", "atMost", "dropAtMost"], "a threshold")?;
    if entry.key == "dropAtMost" {
        return drop(&fields, total, slice, &entry.node);
    }
    senseless(&fields, &["comparedTo"], &entry.key);
    let rate = parse_node(&entry.node, &entry.key, codes::NUMBER, faults, values::rate)?;
    let quantity = Quantity {
        value: rate.value,
        unit: Unit::PerSecond,
    };
    let bound = if entry.key == "atLeast" {
        Bound::AtLeast(quantity)
    } else {
        Bound::AtMost(quantity)
    };
    Some(Judge::Rate {
        total: total?.value,
        bound,
    })
}

fn drop(
    fields: &Fields<'_>,
    total: Option<Located<Selector>>,
    slice: Span,
    at_most: &Node,
) -> Option<Judge> {
    let faults = fields.faults;
    let drop = |text: &str| {
        let share = values::share(values::percent(text)?);
        if share >= Fraction::ONE {
            return Err(format!(
                "nothing drops by more than {text}; write a smaller share, as 40%"
            ));
        }
        Ok(share)
    };
    let at_most = parse_node(at_most, "dropAtMost", codes::NUMBER, faults, drop);
    let compared_to = if fields.has("comparedTo") {
        periods(fields, slice)
    } else {
        Some(WEEKS.map(|weeks| Span::from_days(7 * weeks)).to_vec())
    };
    Some(Judge::Drop {
        total: total?.value,
        at_most: at_most?.value,
        compared_to: compared_to?,
    })
}

/// How long ago the slices are that a drop is compared with.
fn periods(fields: &Fields<'_>, slice: Span) -> Option<Vec<Span>> {
    let faults = fields.faults;
    let mut periods: Vec<Located<Span>> = Vec::new();
    let mut is_whole = true;
    for item in fields.list("comparedTo")? {
        let parse = str::parse::<Span>;
        let Some(period) = parse_node(item, "comparedTo", codes::DURATION, faults, parse) else {
            is_whole = false;
            continue;
        };
        let earlier = periods.iter().find(|it| it.value == period.value);
        let fault = if let Some(earlier) = earlier {
            Some(
                Diagnostic::error(
                    codes::DUPLICATE_ITEM,
                    format!("`comparedTo` has {} twice", period.value),
                )
                .at(&period.place)
                .related(&earlier.place, "first here")
                .help("remove one of them"),
            )
        } else if period.value < slice {
            let sentence = format!(
                "a slice is {slice} long, and {} before it has hardly begun",
                period.value
            );
            Some(
                Diagnostic::error(codes::DURATION, sentence)
                    .at(&period.place)
                    .help("compare with a day or a week before, as 1w"),
            )
        } else {
            None
        };
        is_whole &= fault.is_none();
        if let Some(fault) = fault {
            faults.add(fault);
        }
        periods.push(period);
    }
    is_whole.then(|| periods.into_iter().map(|period| period.value).collect())
}
