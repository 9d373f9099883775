//! Queries: any PromQL, approximate.

use crate::diagnostic::Diagnostic;
use crate::domain::indicator::{Indicator, Split};
use crate::domain::slices::Judge;
use crate::domain::time::Span;
use crate::promql;

use super::super::fields::Fields;
use super::super::node::{Entry, Faults, Node};
use super::super::values;
use super::super::{Options, codes};
use super::bounds::senseless;
use super::{Slicing, bounds};

pub(super) fn query(
    node: &Node,
    slicing: Slicing,
    options: &Options,
    faults: &Faults,
) -> Option<Indicator> {
    let known = [
        "total", "bad", "good", "ratio", "value", "atMost", "atLeast", "badWhen", "window",
    ];
    let fields = Fields::of(node, "`query`", &known, faults)?;
    let forms = ["bad", "good", "ratio", "value"];
    let entry = fields.one_of(&forms, "to know what is bad");
    let window = window(&fields, options);
    let entry = entry?;
    match entry.key.as_str() {
        "ratio" => {
            senseless(&fields, &["total", "atMost", "atLeast", "badWhen"], "ratio");
            let query = expression(entry, faults, promql::check_value)?;
            Some(slicing.of(Judge::Ratio { query, window }))
        }
        "value" => {
            senseless(&fields, &["total"], "value");
            let query = expression(entry, faults, promql::check_value);
            let bound = bounds::bound(&fields, values::quantity);
            let bad_when = bounds::bad_when(&fields);
            Some(slicing.of(Judge::Value {
                query: query?,
                window,
                bound: bound?,
                bad_when: bad_when?,
            }))
        }
        _ => {
            senseless(&fields, &["atMost", "atLeast", "badWhen"], &entry.key);
            fields.need("total", "total: sum(increase(jobs_total[$window]))");
            let total = fields
                .entry("total")
                .and_then(|entry| expression(entry, faults, promql::check_expression));
            let counted = expression(entry, faults, promql::check_expression)?;
            let split = if entry.key == "bad" {
                Split::Bad(counted)
            } else {
                Split::Good(counted)
            };
            Some(Indicator::Query {
                total: total?,
                split,
                window,
            })
        }
    }
}

fn expression(
    entry: &Entry,
    faults: &Faults,
    check: impl FnOnce(&str) -> Result<(), promql::PromqlError>,
) -> Option<String> {
    let parse = |text: &str| check(text).map(|()| text.to_owned());
    Some(super::parsed(&entry.node, &entry.key, faults, parse)?.value)
}

/// What `$window` stands for.
fn window(fields: &Fields<'_>, options: &Options) -> Span {
    let Some(window) = fields.parse("window", codes::DURATION, str::parse::<Span>) else {
        return Span::from_mins(5).max(options.least_range());
    };
    values::on_grid(&window, "window", options.tick, fields.faults);
    if let Some((sentence, help)) = options.too_short("a `window`", window.value) {
        let fault = Diagnostic::warning(codes::DURATION, sentence);
        fields.faults.add(fault.at(&window.place).help(help));
    }
    window.value
}
