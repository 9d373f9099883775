//! What slices of time are judged by, as far as several indicators share it: thresholds, groups, units.

use crate::diagnostic::Diagnostic;
use crate::domain::indicator::Aggregate;
use crate::domain::quantity::{Bound, Quantity, TimeUnit};
use crate::domain::selector::Selector;
use crate::domain::slices::{BadWhen, Gauge, Grouped};

use super::super::codes;
use super::super::fields::{Fields, parse_node, text};
use super::super::node::{Faults, Located, Node, Value};
use super::super::values;
use super::selector;

/// The threshold of `atMost` or `atLeast`, of which there is exactly one.
pub(super) fn bound(
    fields: &Fields<'_>,
    parse: impl FnOnce(&str) -> Result<Quantity, String>,
) -> Option<Bound> {
    let entry = fields.one_of(&["atMost", "atLeast"], "a threshold")?;
    let quantity = parse_node(&entry.node, &entry.key, codes::NUMBER, fields.faults, parse)?;
    Some(if entry.key == "atMost" {
        Bound::AtMost(quantity.value)
    } else {
        Bound::AtLeast(quantity.value)
    })
}

/// How many groups make a slice bad: `any`, `{share: 10%}` or `{count: 2}`; any unless it is said.
pub(super) fn bad_when(fields: &Fields<'_>) -> Option<BadWhen> {
    if !fields.has("badWhen") {
        return Some(BadWhen::ANY);
    }
    let node = fields.get("badWhen")?;
    if !matches!(node.value, Value::Map(_)) {
        let any = |text: &str| match text {
            "any" => Ok(BadWhen::ANY),
            _ => Err(format!(
                "`{text}` is no number of groups; write any, {{count: 2}} or {{share: 10%}}"
            )),
        };
        return Some(parse_node(node, "badWhen", codes::WORD, fields.faults, any)?.value);
    }
    let keys = ["count", "share"];
    let inner = Fields::of(node, "`badWhen`", &keys, fields.faults)?;
    let entry = inner.one_of(&keys, "to know how many groups make a slice bad")?;
    let parse = |text: &str| match entry.key.as_str() {
        "count" => match text.parse() {
            Ok(count) if count > 0 => Ok(BadWhen::Count(count)),
            _ => Err(format!("`{text}` is not a number of groups; write it as 2")),
        },
        _ => Ok(BadWhen::Share(values::share(values::percent(text)?))),
    };
    let found = parse_node(&entry.node, &entry.key, codes::NUMBER, fields.faults, parse)?;
    Some(found.value)
}

/// The labels `by` which groups are told apart, if they are.
pub(super) fn by(fields: &Fields<'_>) -> Option<Vec<String>> {
    let items = fields.list("by")?.iter();
    let labels = items.filter_map(|item| text(item, "by", fields.faults));
    Some(labels.map(|it| it.value).collect())
}

/// A gauge: a selector, or `{series, aggregate}`. Says whether the aggregate was written.
pub(super) fn gauge(
    node: &Node,
    key: &str,
    default: Aggregate,
    faults: &Faults,
) -> Option<(Located<Gauge>, bool)> {
    if !matches!(node.value, Value::Map(_)) {
        let series = selector(node, key, faults)?;
        let gauge = Gauge {
            series: series.value,
            aggregate: default,
        };
        return Some((located(gauge, series.place), false));
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
    let series = series?;
    let gauge = Gauge {
        series: series.value,
        aggregate: aggregate.as_ref().map_or(default, |it| it.value),
    };
    Some((located(gauge, series.place), aggregate.is_some()))
}

/// The gauge `key` in the groups of `by`. Without `by` each series is judged by itself; one that is
/// aggregated is one group then.
pub(super) fn grouped(
    fields: &Fields<'_>,
    (key, example): (&str, &str),
    default: Aggregate,
) -> Option<Located<Grouped>> {
    let node = fields.need(key, example)?;
    let (gauge, is_aggregated) = gauge(node, key, default, fields.faults)?;
    let by = if fields.has("by") {
        Some(by(fields)?)
    } else {
        is_aggregated.then(Vec::new)
    };
    let Located { value, place } = gauge;
    Some(located(Grouped { gauge: value, by }, place))
}

const fn located<T>(value: T, place: crate::diagnostic::Place) -> Located<T> {
    Located { value, place }
}

/// What `series` count in: seconds where their name says so, else what `unit` says.
pub(super) fn time_unit(fields: &Fields<'_>, series: &Located<&Selector>) -> Option<TimeUnit> {
    let unit = fields.parse("unit", codes::WORD, |text| match text {
        "s" => Ok(TimeUnit::Seconds),
        "ms" => Ok(TimeUnit::Millis),
        _ => Err(format!("`{text}` is not a unit of time; write ms or s")),
    });
    let metric = &series.value.metric;
    let tell = |sentence: String, help: &str| {
        let fault = Diagnostic::error(codes::METRIC, sentence);
        fields.faults.add(fault.at(&series.place).help(help));
    };
    match (metric.ends_with("_seconds"), unit.map(|unit| unit.value)) {
        (true, Some(TimeUnit::Millis)) => {
            let sentence = "the name says seconds, and the unit milliseconds";
            tell(sentence.to_owned(), "remove `unit`");
            None
        }
        (true, _) => Some(TimeUnit::Seconds),
        (false, Some(unit)) => Some(unit),
        (false, None) => {
            if !fields.has("unit") {
                tell(
                    format!("the unit of `{metric}` is unknown"),
                    "write unit: ms or unit: s; only names that end in _seconds tell their unit",
                );
            }
            None
        }
    }
}

/// Tells of keys that mean nothing beside `beside`.
pub(super) fn senseless(fields: &Fields<'_>, keys: &[&str], beside: &str) {
    for key in keys {
        if let Some(place) = fields.place_of(key) {
            fields.faults.add(
                Diagnostic::error(
                    codes::UNKNOWN_KEY,
                    format!("`{key}` has no meaning beside `{beside}`"),
                )
                .at(place)
                .help("remove it"),
            );
        }
    }
}
