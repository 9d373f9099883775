//! Saturation: slices of time that are bad when something is too full.

use crate::domain::indicator::Aggregate;
use crate::domain::indicator::Gauge;
use crate::domain::indicator::Indicator;
use crate::domain::time::Span;

use super::super::codes;
use super::super::fields::Fields;
use super::super::fields::text;
use super::super::node::Faults;
use super::super::node::Node;
use super::super::node::Value;
use super::super::values;
use super::selector;

pub(super) fn saturation(node: &Node, slice: Span, faults: &Faults) -> Option<Indicator> {
    let known = ["used", "limit", "by", "atMost"];
    let fields = Fields::of(node, "`saturation`", &known, faults)?;
    let used = fields
        .need(
            "used",
            "used: container_memory_working_set_bytes{container!=\"\"}",
        )
        .and_then(|node| gauge(node, "used", Aggregate::Max, faults));
    let limit = fields
        .need(
            "limit",
            "limit: kube_pod_container_resource_limits{resource=\"memory\"}",
        )
        .and_then(|node| gauge(node, "limit", Aggregate::Min, faults));
    let by: Option<Vec<String>> = fields
        .need(
            "by",
            "by: [instance], the labels that both sides have in common",
        )
        .and_then(|_| fields.list("by"))
        .map(|items| {
            let items = items.iter();
            items
                .filter_map(|item| text(item, "by", faults))
                .map(|it| it.value)
                .collect()
        });
    let at_most = fields.need_parsed("atMost", "atMost: 90%", codes::NUMBER, values::percent);
    Some(Indicator::Saturation {
        used: used?,
        limit: limit?,
        by: by?,
        at_most: values::share(at_most?.value),
        slice,
    })
}

fn gauge(node: &Node, key: &str, default: Aggregate, faults: &Faults) -> Option<Gauge> {
    if !matches!(node.value, Value::Map(_)) {
        let series = selector(node, key, faults)?.value;
        return Some(Gauge {
            series,
            aggregate: default,
        });
    }
    let fields = Fields::of(node, "a gauge", &["series", "aggregate"], faults)?;
    let series = fields
        .need("series", "series: pg_stat_activity_count{job=\"pg\"}")
        .and_then(|node| selector(node, "series", faults));
    let aggregate = fields.parse("aggregate", codes::WORD, |text| match text {
        "sum" => Ok(Aggregate::Sum),
        "max" => Ok(Aggregate::Max),
        "min" => Ok(Aggregate::Min),
        "avg" => Ok(Aggregate::Avg),
        _ => Err(format!(
            "`{text}` puts nothing together; write sum, max, min or avg"
        )),
    });
    Some(Gauge {
        series: series?.value,
        aggregate: aggregate.map_or(default, |it| it.value),
    })
}
