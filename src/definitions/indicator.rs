//! Indicators: errors, latency, traffic, saturation and queries.

use crate::diagnostic::Diagnostic;
use crate::domain::indicator::Aggregate;
use crate::domain::indicator::Gauge;
use crate::domain::indicator::Indicator;
use crate::domain::indicator::Split;
use crate::domain::labels::Labels;
use crate::domain::selector::MatchOp;
use crate::domain::selector::Matcher;
use crate::domain::selector::Selector;
use crate::domain::time::Span;
use crate::promql;
use crate::promql::CompiledMatchers;
use crate::promql::PromqlError;

use super::Options;
use super::codes;
use super::fields::Fields;
use super::fields::text;
use super::node::Entry;
use super::node::Faults;
use super::node::Located;
use super::node::Node;
use super::node::Value;
use super::values;

const TOTAL: &str = "total: http_requests_total{job=\"api\"}";

/// The indicator of `entry`; traffic and saturation judge slices of length `slice`.
pub(super) fn indicator(
    entry: &Entry,
    slice: Span,
    options: &Options,
    faults: &Faults,
) -> Option<Indicator> {
    match entry.key.as_str() {
        "errors" => errors(&entry.node, faults),
        "latency" => latency(&entry.node, faults),
        "traffic" => traffic(&entry.node, slice, faults),
        "saturation" => saturation(&entry.node, slice, faults),
        _ => query(&entry.node, options, faults),
    }
}

fn errors(node: &Node, faults: &Faults) -> Option<Indicator> {
    let choices = ["badWhere", "goodWhere", "bad", "good"];
    let known = ["total", "badWhere", "goodWhere", "bad", "good"];
    let fields = Fields::of(node, "`errors`", &known, faults)?;
    let total = fields
        .need("total", TOTAL)
        .and_then(|node| selector(node, "total", faults));
    let entry = fields.one_of(&choices, "to know which events are bad")?;
    let key = entry.key.as_str();
    let counted = if key.ends_with("Where") {
        let matchers = promql(&entry.node, key, faults, promql::parse_matchers)?;
        never_matches(total.as_ref()?, &matchers, key, faults);
        total.as_ref()?.value.refined(matchers.value)
    } else {
        selector(&entry.node, key, faults)?.value
    };
    let split = if key.starts_with("bad") {
        Split::Bad(counted)
    } else {
        Split::Good(counted)
    };
    let total = total?.value;
    Some(Indicator::Errors { total, split })
}

/// Tells of a condition on a label that the total fixes to another value.
fn never_matches(
    total: &Located<Selector>,
    matchers: &Located<Vec<Matcher>>,
    key: &str,
    faults: &Faults,
) {
    for fixed in total
        .value
        .matchers
        .iter()
        .filter(|it| it.op == MatchOp::Equal)
    {
        let labels: Labels = [(fixed.label.as_str(), fixed.value.as_str())]
            .into_iter()
            .collect();
        let excluded = matchers.value.iter().any(|matcher| {
            matcher.label == fixed.label
                && CompiledMatchers::new(std::slice::from_ref(matcher))
                    .is_ok_and(|compiled| !compiled.matches(&labels))
        });
        if excluded {
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
}

fn latency(node: &Node, faults: &Faults) -> Option<Indicator> {
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
    Some(Indicator::Latency { buckets, at_most })
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

fn traffic(node: &Node, slice: Span, faults: &Faults) -> Option<Indicator> {
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

fn saturation(node: &Node, slice: Span, faults: &Faults) -> Option<Indicator> {
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

fn query(node: &Node, options: &Options, faults: &Faults) -> Option<Indicator> {
    let fields = Fields::of(node, "`query`", &["total", "bad", "good", "window"], faults)?;
    let expression = |node: &Node, key: &str| {
        promql(node, key, faults, |text| {
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

fn selector(node: &Node, key: &str, faults: &Faults) -> Option<Located<Selector>> {
    promql(node, key, faults, promql::parse_selector)
}

/// What `parse` makes of `node`; a fault is shown at the very letters that cause it.
fn promql<T>(
    node: &Node,
    key: &str,
    faults: &Faults,
    parse: impl FnOnce(&str) -> Result<T, PromqlError>,
) -> Option<Located<T>> {
    let Value::Text(source) = &node.value else {
        return text(node, key, faults).and(None);
    };
    match parse(&source.text) {
        Ok(value) => Some(Located {
            value,
            place: node.place.clone(),
        }),
        Err(error) => {
            let place = node.piece(error.range());
            faults.add(Diagnostic::error(codes::PROMQL, format!("`{key}`: {error}")).at(&place));
            None
        }
    }
}
