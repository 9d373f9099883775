//! Queries: any PromQL, approximate.

use crate::diagnostic::Diagnostic;
use crate::domain::indicator::Indicator;
use crate::domain::indicator::Split;
use crate::domain::time::Span;
use crate::promql;

use super::super::Options;
use super::super::codes;
use super::super::fields::Fields;
use super::super::node::Faults;
use super::super::node::Node;
use super::super::values;

pub(super) fn query(node: &Node, options: &Options, faults: &Faults) -> Option<Indicator> {
    let fields = Fields::of(node, "`query`", &["total", "bad", "good", "window"], faults)?;
    let expression = |node: &Node, key: &str| {
        super::parsed(node, key, faults, |text| {
            promql::check_expression(text).map(|()| text.to_owned())
        })
    };
    let total = fields
        .need("total", "total: sum(increase(jobs_total[$window]))")
        .and_then(|node| expression(node, "total"));
    let entry = fields.one_of(&["bad", "good"], "to know which events are bad");
    let window = fields.parse("window", codes::DURATION, str::parse::<Span>);
    if let Some(window) = &window {
        values::on_grid(window, "window", options.tick, faults);
        let least = options.least_range();
        if window.value < least {
            faults.add(
                Diagnostic::warning(
                    codes::DURATION,
                    format!("a `window` of {} holds fewer than 4 samples", window.value),
                )
                .at(&window.place)
                .help(options.least_range_advice()),
            );
        }
    }
    let entry = entry?;
    let counted = expression(&entry.node, &entry.key)?.value;
    let split = if entry.key == "bad" {
        Split::Bad(counted)
    } else {
        Split::Good(counted)
    };
    Some(Indicator::Query {
        total: total?.value,
        split,
        window: window.map_or(Span::from_mins(5), |window| window.value),
    })
}
