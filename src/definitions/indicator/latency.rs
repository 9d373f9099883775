//! Latency: events that took too long.

use crate::diagnostic::Diagnostic;
use crate::domain::indicator::Events;
use crate::domain::indicator::Indicator;
use crate::domain::selector::Selector;

use super::super::codes;
use super::super::fields::Fields;
use super::super::node::Faults;
use super::super::node::Located;
use super::super::node::Node;
use super::super::values;
use super::selector;

pub(super) fn latency(node: &Node, faults: &Faults) -> Option<Indicator> {
    let fields = Fields::of(node, "`latency`", &["histogram", "atMost", "unit"], faults)?;
    let example = "histogram: http_request_duration_seconds{job=\"api\"}";
    let histogram = fields
        .need("histogram", example)
        .and_then(|node| selector(node, "histogram", faults));
    let at_most = fields.need_parsed("atMost", "atMost: 300ms", codes::DURATION, values::seconds);
    let unit = fields.parse("unit", codes::WORD, |text| match text {
        "s" => Ok(1),
        "ms" => Ok(1_000),
        _ => Err(format!(
            "`{text}` is not a unit of histograms; write ms or s"
        )),
    });
    let histogram = histogram?;
    let buckets = buckets(&histogram, faults)?;
    let named_seconds = histogram.value.metric.ends_with("_seconds");
    if !named_seconds && !fields.has("unit") {
        faults.add(
            Diagnostic::error(
                codes::METRIC,
                format!("the unit of `{}` is unknown", histogram.value.metric),
            )
            .at(&histogram.place)
            .help("write unit: ms or unit: s; only names that end in _seconds tell their unit"),
        );
        return None;
    }
    let factor = unit.map_or(1, |unit| unit.value);
    if named_seconds && factor != 1 {
        faults.add(
            Diagnostic::error(
                codes::METRIC,
                "the name says seconds, and the unit milliseconds",
            )
            .at(&histogram.place)
            .help("remove `unit`"),
        );
        return None;
    }
    let at_most = at_most?.value;
    let at_most = if factor == 1 {
        at_most
    } else {
        at_most.shifted(3)
    };
    Some(Indicator::Latency(Events::Histogram { buckets, at_most }))
}

/// The selector of the buckets of `histogram`.
fn buckets(histogram: &Located<Selector>, faults: &Faults) -> Option<Selector> {
    let selector = &histogram.value;
    let suffix = ["_bucket", "_count", "_sum"]
        .into_iter()
        .find(|suffix| selector.metric.ends_with(suffix));
    if let Some(suffix) = suffix {
        faults.add(
            Diagnostic::error(
                codes::METRIC,
                format!("a histogram is named without `{suffix}`"),
            )
            .at(&histogram.place)
            .help(format!(
                "write {}",
                selector.metric.trim_end_matches(suffix)
            )),
        );
        return None;
    }
    if selector
        .matchers
        .iter()
        .any(|matcher| matcher.label == "le")
    {
        faults.add(
            Diagnostic::error(codes::METRIC, "`le` is chosen by `atMost`")
                .at(&histogram.place)
                .help("remove the condition on le"),
        );
        return None;
    }
    Some(Selector::new(
        format!("{}_bucket", selector.metric),
        selector.matchers.clone(),
    ))
}
