//! Faults of what the sources have, or have not, of what an objective names.

use crate::definitions::{Written, codes};
use crate::diagnostic::{Diagnostic, did_you_mean, nearest};
use crate::domain::indicator::Events;
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::slo::Slo;
use crate::promql::{conditions_text, selector_text};
use crate::status::names::{Named, Role};
use crate::status::survey::{Finding, Missing, Part, Several, Why};

use super::metric;

/// So many values of a label are listed.
const LISTED: usize = 8;

/// The keys under which the series of a role may be written.
pub(super) const fn keys(role: Role) -> &'static [&'static str] {
    match role {
        Role::Total | Role::Past => &["total"],
        Role::Bad => &["bad", "badWhere"],
        Role::Good => &["good", "goodWhere"],
        Role::Histogram => &["histogram"],
        Role::Probe => &["probe"],
        Role::Used => &["used"],
        Role::Limit => &["limit"],
        Role::Gauge => &["gauge"],
        Role::Quantile => &["quantile"],
        Role::Timestamp => &["timestamp"],
        Role::Value => &["value"],
        Role::Ratio => &["ratio"],
    }
}

/// The fault of a finding; `None` of one that is none after all: `was_bad` says whether bad series were
/// seen in the window, where that was counted.
pub(super) fn told(
    slo: &Slo,
    finding: &Finding,
    was_bad: Option<bool>,
    written: &Written,
) -> Option<Diagnostic> {
    Some(match finding {
        Finding::NoSeries(missing) => {
            let fault = Diagnostic::error(codes::NO_SERIES, nothing(missing));
            at(slo, fault.help(advice(missing)), missing.part, written)
        }
        Finding::LessSeries(missing) => {
            let message = format!("{}, so it counts nothing", nothing(missing));
            let fault = Diagnostic::warning(codes::NO_SERIES, message);
            at(slo, fault.help(advice(missing)), missing.part, written)
        }
        Finding::NoneBad(_) if was_bad == Some(true) => return None,
        Finding::NoneBad(missing) => {
            let when = match was_bad {
                Some(_) => format!("was bad in the whole window ({})", slo.window),
                None => "bad is there now".to_owned(),
            };
            let message = format!("nothing {when}: {}", nothing(missing));
            let help = format!(
                "if nothing failed, ignore this; otherwise {}",
                advice(missing)
            );
            let fault = Diagnostic::warning(codes::NEVER_BAD, message).help(help);
            at(slo, fault, missing.part, written)
        }
        Finding::NoBucket { threshold, lack } => {
            let fault = Diagnostic::error(codes::NO_BUCKET, &lack.sentence).help(&lack.advice);
            at_threshold(slo, fault, *threshold, written)
        }
        Finding::LessBuckets {
            threshold,
            at_most,
            without,
        } => {
            let message = format!(
                "{} of {} series of the histogram have no bucket that ends at {at_most}, so that all of their events are bad",
                without.count, without.of
            );
            let help = format!(
                "give them the same buckets as the others, or leave them out: {}",
                series(&without.example)
            );
            let fault = Diagnostic::error(codes::NO_BUCKET, message).help(help);
            at_threshold(slo, fault, *threshold, written)
        }
        Finding::Outside {
            part,
            series,
            same_metric,
        } => at(
            slo,
            outside(part.role, series, *same_metric),
            *part,
            written,
        ),
        Finding::Doubled {
            parts,
            selectors,
            series,
            apart,
        } => {
            let fault = doubled(parts, selectors, series, apart.as_ref());
            at(slo, fault, parts[1], written)
        }
        Finding::OtherKind { part, metric, kind } => at(
            slo,
            metric::other_kind(part.role, metric, *kind),
            *part,
            written,
        ),
        Finding::NoLabel { label, role, known } => {
            let side = role.name();
            let message = format!(
                "no series of `{side}` has the label `{label}`, by which groups are told apart"
            );
            let known = || known.iter().map(String::as_str);
            let help = did_you_mean(label, known(), || {
                let known: Vec<&str> = known().collect();
                match known.as_slice() {
                    [] => "they have no labels at all".to_owned(),
                    known => format!("they have {}", known.join(", ")),
                }
            });
            let fault = Diagnostic::warning(codes::NO_SUCH_LABEL, message).help(help);
            written.at_group_label(fault, label)
        }
    })
}

/// `fault`, where a part of the indicator is written.
fn at(slo: &Slo, fault: Diagnostic, part: Part, written: &Written) -> Diagnostic {
    let is_override = part.role == Role::Histogram && part.item < overrides(slo);
    let keys = if is_override {
        &["overrides"]
    } else {
        keys(part.role)
    };
    written.at_part(fault, keys, part.item)
}

/// `fault`, where a threshold of a histogram is written.
fn at_threshold(slo: &Slo, fault: Diagnostic, threshold: usize, written: &Written) -> Diagnostic {
    let is_override = threshold < overrides(slo);
    let key = if is_override { "overrides" } else { "atMost" };
    written.at_part(fault, &[key], threshold)
}

fn overrides(slo: &Slo) -> usize {
    let histogram = slo.indicator.events().and_then(Events::histogram);
    histogram.map_or(0, |it| it.overrides.len())
}

fn is_expression(missing: &Missing) -> bool {
    matches!(missing.why, Why::Expression { .. })
}

fn nothing(missing: &Missing) -> String {
    if is_expression(missing) {
        format!("`{}` gives no value", missing.text)
    } else {
        format!("no series match `{}`", missing.text)
    }
}

/// What to do about a selector that finds nothing.
fn advice(missing: &Missing) -> String {
    match &missing.why {
        Why::Unknown => "check its conditions, and what is scraped".to_owned(),
        Why::Expression {
            absent: Some(absent),
        }
        | Why::NoMetric(absent) => metric::absent(missing.part.role, &absent.metric, &absent.names),
        Why::Expression { absent: None } => "evaluate it in Prometheus, and correct it".to_owned(),
        Why::Summary {
            selector,
            quantiles,
        } => metric::summary(selector, quantiles),
        Why::OtherKind { metric, kind } => {
            let (why, help) = metric::of_kind(metric, *kind);
            format!("`{metric}` is a {}: {why}; {help}", kind.name())
        }
        Why::Narrowed { source, by } => format!(
            "there are some, but none of them has {}, which `sources.{source}.prometheus.matchers` adds to every selector",
            conditions_text(by)
        ),
        Why::Together => {
            "no condition alone excludes all there are, so two of them do: check each".to_owned()
        }
        Why::Excluded { condition, values } => {
            let known = values.iter().map(String::as_str);
            let is_value = condition.op == MatchOp::Equal;
            let meant = is_value.then(|| nearest(&condition.value, known)).flatten();
            let text = conditions_text(std::slice::from_ref(condition));
            match meant {
                Some(meant) => format!("without {text} there are some; did you mean `{meant}`?"),
                None => format!(
                    "without {text} there are some, {}",
                    having(&condition.label, values)
                ),
            }
        }
    }
}

/// `with job of api, web`
fn having(label: &str, values: &[String]) -> String {
    let named: Vec<&str> = values
        .iter()
        .map(String::as_str)
        .filter(|value| !value.is_empty())
        .collect();
    if named.is_empty() {
        return format!("none of which has the label {label}");
    }
    let shown = named.iter().take(LISTED).copied().collect::<Vec<_>>();
    let more = match named.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("with {label} of {}{more}", shown.join(", "))
}

fn outside(role: Role, outside: &Several, same_metric: bool) -> Diagnostic {
    let side = role.name();
    let Several { count, of, example } = outside;
    let example = series(example);
    if same_metric {
        let message = format!(
            "{count} of {of} series that `{side}` selects are none of `total`, such as {example}"
        );
        Diagnostic::error(codes::OUTSIDE, message).help(format!(
            "let `{side}` select a part of `total`, or write `{side}Where`, which always does"
        ))
    } else {
        let message = format!(
            "{count} of {of} series that `{side}` selects have no counterpart in `total`, such as {example}"
        );
        Diagnostic::warning(codes::OUTSIDE, message)
            .help("let both select the same targets: what is bad must be counted in the total, too")
    }
}

fn doubled(
    parts: &[Part; 2],
    selectors: &[Selector; 2],
    doubled: &Several,
    apart: Option<&(usize, Matcher)>,
) -> Diagnostic {
    let Several { count, of, example } = doubled;
    let texts = selectors.each_ref().map(selector_text);
    let [one, other] = &texts;
    let how = match parts.map(|part| part.role.name()) {
        [side, same] if side == same => format!("twice in `{side}`"),
        [side, also] => format!("as `{side}` and as `{also}`"),
    };
    let message = format!(
        "the events of {count} of {of} series count {how}: `{one}` and `{other}` both select {}",
        series(example)
    );
    let help = match apart {
        Some((position, condition)) => format!(
            "let them exclude each other: write {} into `{}`",
            conditions_text(std::slice::from_ref(condition)),
            texts[*position]
        ),
        None => {
            "remove one of the two: neither selects a series that the other does not".to_owned()
        }
    };
    Diagnostic::error(codes::DOUBLED, message).help(help)
}

/// A series as a selector shows it.
fn series(labels: &Labels) -> String {
    let others: Labels = labels.iter().filter(|it| it.0 != METRIC_NAME).collect();
    format!("{}{{{others}}}", labels.get(METRIC_NAME))
}
