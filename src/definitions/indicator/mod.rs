//! Indicators: errors, latency, traffic, saturation, freshness and queries, a file each.

mod bounds;
mod errors;
mod freshness;
mod latency;
mod quantile;
mod query;
mod saturation;
mod traffic;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::decimal::Fraction;
use crate::domain::indicator::Indicator;
use crate::domain::labels::Labels;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::slices::{Judge, MissingData, Sliced};
use crate::domain::time::Span;
use crate::promql;
use crate::promql::{CompiledMatchers, PromqlError};

use super::fields::{items, text};
use super::node::{Entry, Faults, Located, Node, Value};
use super::{Options, codes};

const TOTAL: &str = "total: http_requests_total{job=\"api\"}";

/// What the objective says of its slices, where its indicator judges any.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slicing {
    /// The length of a slice.
    pub(super) slice: Span,
    /// What an empty one is.
    pub(super) missing: MissingData,
    /// The share of a slice's events that must be good, where events are judged by slices.
    pub(super) good: Option<Fraction>,
}

impl Slicing {
    const fn of(self, judge: Judge) -> Indicator {
        Indicator::Slices(Sliced {
            judge,
            slice: self.slice,
            missing: self.missing,
        })
    }
}

impl Slicing {
    /// Events as they are, or slices judged by their share.
    fn of_events(self, indicator: Indicator) -> Indicator {
        let signal = indicator.signal();
        match (indicator, self.good) {
            (Indicator::Errors(events) | Indicator::Latency(events), Some(good)) => {
                self.of(Judge::Events {
                    events,
                    signal,
                    good,
                })
            }
            (indicator, _) => indicator,
        }
    }
}

/// The indicator of `entry`.
pub(super) fn indicator(
    entry: &Entry,
    slicing: Slicing,
    options: &Options,
    faults: &Faults,
) -> Option<Indicator> {
    let judged = |judge: Option<Judge>| Some(slicing.of(judge?));
    let events = |indicator: Option<Indicator>| Some(slicing.of_events(indicator?));
    match entry.key.as_str() {
        "errors" => events(errors::errors(&entry.node, faults)),
        "latency" if quantile::is_quantile(&entry.node) => {
            judged(quantile::quantile(&entry.node, faults))
        }
        "latency" => events(latency::latency(&entry.node, faults)),
        "traffic" => judged(traffic::traffic(&entry.node, slicing.slice, faults)),
        "saturation" => judged(saturation::saturation(&entry.node, faults)),
        "freshness" => judged(freshness::freshness(&entry.node, faults)),
        _ => query::query(&entry.node, slicing, options, faults),
    }
}

/// The condition of `selector` that fixes a label to a value which `matchers` exclude.
fn excluded<'a>(selector: &'a Selector, matchers: &[Matcher]) -> Option<&'a Matcher> {
    selector.matchers.iter().find(|fixed| {
        let labels: Labels = [(fixed.label.as_str(), fixed.value.as_str())]
            .into_iter()
            .collect();
        let excludes = |matcher: &&Matcher| {
            matcher.label == fixed.label
                && CompiledMatchers::new(std::slice::from_ref(*matcher))
                    .is_ok_and(|compiled| !compiled.matches(&labels))
        };
        fixed.op == MatchOp::Equal && matchers.iter().any(|matcher| excludes(&matcher))
    })
}

/// `node` as a selector or a list of selectors, whose events are added up. A selector that comes
/// twice would count everything twice.
fn selectors(node: &Node, key: &str, faults: &Faults) -> Option<Vec<Located<Selector>>> {
    if !matches!(node.value, Value::List(_)) {
        return Some(vec![selector(node, key, faults)?]);
    }
    let read = |item: &Node| selector(item, key, faults);
    let found: Vec<Option<Located<Selector>>> =
        items(node, key, faults)?.iter().map(read).collect();
    let found: Vec<Located<Selector>> = found.into_iter().collect::<Option<_>>()?;
    for (index, later) in found.iter().enumerate() {
        let earlier = found.iter().take(index);
        if let Some(earlier) = earlier.into_iter().find(|it| it.value == later.value) {
            faults.add(
                Diagnostic::error(
                    codes::DUPLICATE_ITEM,
                    format!("`{key}` has this selector twice"),
                )
                .at(&later.place)
                .related(&earlier.place, "first here")
                .help("remove one of them, or its events count twice"),
            );
        }
    }
    Some(found)
}

fn values_of<T>(located: Vec<Located<T>>) -> Vec<T> {
    located.into_iter().map(|it| it.value).collect()
}

fn selector(node: &Node, key: &str, faults: &Faults) -> Option<Located<Selector>> {
    let selector = parsed(node, key, faults, promql::parse_selector)?;
    warn_of_patterns(&selector.value.matchers, key, &selector.place, faults);
    Some(selector)
}

/// The conditions of a selector, alone.
pub(super) fn conditions(node: &Node, key: &str, faults: &Faults) -> Option<Located<Vec<Matcher>>> {
    let conditions = parsed(node, key, faults, promql::parse_matchers)?;
    warn_of_patterns(&conditions.value, key, &conditions.place, faults);
    Some(conditions)
}

/// What nobody writes but in a regular expression.
const PATTERNS: [&str; 5] = ["..", ".*", ".+", "|", "[0-9]"];

/// A forgotten `~` makes a condition that no value fits, and an objective that never fails.
fn warn_of_patterns(matchers: &[Matcher], key: &str, place: &Place, faults: &Faults) {
    let is_pattern = |value: &str| PATTERNS.iter().any(|part| value.contains(part));
    for Matcher { label, op, value } in matchers {
        let (op, meant) = match op {
            MatchOp::Equal if is_pattern(value) => ("=", "=~"),
            MatchOp::NotEqual if is_pattern(value) => ("!=", "!~"),
            _ => continue,
        };
        let sentence = format!("`{key}`: {label}{op}{value:?} is compared letter by letter");
        let help = format!("write {label}{meant}{value:?} if it is a pattern");
        faults.add(
            Diagnostic::warning(codes::PATTERN, sentence)
                .at(place)
                .help(help),
        );
    }
}

/// What `parse` makes of `node`; a fault is shown at the very letters that cause it.
pub(super) fn parsed<T>(
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
