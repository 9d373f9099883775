//! `AlertPolicy`: tiers and how long things are held, reminded of and waited for.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place, did_you_mean};
use crate::domain::decimal::{Decimal, Fraction};
use crate::domain::indicator::Signal;
use crate::domain::policy::{AlertPolicy, Hold, Severity, Tier, TierLimit, Unmeasured};
use crate::domain::time::Span;

use super::fields::{Fields, parse_node};
use super::node::{Faults, Located, Node, Value};
use super::values;
use super::{Options, codes};

/// A policy and the places of its tiers, for what is checked against objectives.
#[derive(Debug)]
pub(super) struct PolicyDraft {
    pub(super) policy: AlertPolicy,
    pub(super) tiers: Vec<Place>,
}

const SPEC: [&str; 6] = [
    "tiers",
    "signalSeverity",
    "lowTraffic",
    "resolveAfter",
    "remind",
    "unmeasured",
];
const SIGNALS: [Signal; 4] = [
    Signal::Errors,
    Signal::Latency,
    Signal::Traffic,
    Signal::Saturation,
];

/// Reads the `spec` of the policy called `name`; what it does not say has its default.
pub(super) fn policy(
    name: &str,
    spec: &Node,
    options: &Options,
    faults: &Faults,
) -> Option<PolicyDraft> {
    let fields = Fields::of(spec, "the spec of an alert policy", &SPEC, faults)?;
    let items = fields
        .need(
            "tiers",
            "a list of tiers, each with name, severity, long, short and budgetSpent",
        )
        .and_then(|_| fields.list("tiers"));
    let tiers: Vec<Located<Tier>> = items
        .into_iter()
        .flatten()
        .filter_map(|item| tier(item, options, faults))
        .collect();
    tell_doubles(&tiers, faults);
    let policy = AlertPolicy {
        name: name.to_owned(),
        signal_severity: signal_severity(&fields),
        low_traffic: low_traffic(&fields),
        hold: hold(&fields),
        remind: remind(&fields),
        unmeasured: unmeasured(&fields),
        tiers: tiers.iter().map(|tier| tier.value.clone()).collect(),
    };
    let tiers = tiers.into_iter().map(|tier| tier.place).collect();
    Some(PolicyDraft { policy, tiers })
}

fn tier(node: &Node, options: &Options, faults: &Faults) -> Option<Located<Tier>> {
    let known = [
        "name",
        "severity",
        "long",
        "short",
        "budgetSpent",
        "burn",
        "bad",
    ];
    let fields = Fields::of(node, "a tier", &known, faults)?;
    let name = fields.need_parsed("name", "name: fast", codes::NAME, values::name);
    let severity = fields.need_parsed("severity", "severity: page", codes::WORD, severity_word);
    let span = |key: &str, example: &str| {
        let span = fields.need_parsed(key, example, codes::DURATION, str::parse::<Span>)?;
        values::on_grid(&span, key, options.tick, faults).then_some(span)
    };
    let (long, short) = (span("long", "long: 1h"), span("short", "short: 5m"));
    let limit = fields
        .one_of(&["budgetSpent", "burn", "bad"], "a limit")
        .and_then(|entry| {
            let key = entry.key.as_str();
            match key {
                "burn" => parse_node(&entry.node, key, codes::NUMBER, faults, values::positive)
                    .map(|burn| TierLimit::Burn(burn.value.fraction())),
                "bad" => parse_node(
                    &entry.node,
                    key,
                    codes::NUMBER,
                    faults,
                    values::number_of_bad,
                )
                .map(|bad| TierLimit::Bad(bad.value)),
                _ => parse_node(&entry.node, key, codes::NUMBER, faults, values::percent)
                    .map(|spent| TierLimit::BudgetSpent(values::share(spent.value))),
            }
        });
    let (name, long, short) = (name?, long?, short?);
    if !is_ordered(&long, &short, options, faults) {
        return None;
    }
    let tier = Tier {
        name: name.value,
        severity: severity?.value,
        long: long.value,
        short: short.value,
        limit: limit?,
    };
    let place = name.place;
    Some(Located { value: tier, place })
}

fn is_ordered(
    long: &Located<Span>,
    short: &Located<Span>,
    options: &Options,
    faults: &Faults,
) -> bool {
    let ordered = short.value < long.value;
    if !ordered {
        faults.add(
            Diagnostic::error(
                codes::TIER_ORDER,
                format!(
                    "the short window, {}, is not shorter than the long one, {}",
                    short.value, long.value
                ),
            )
            .at(&short.place)
            .related(&long.place, "the long one")
            .help("write a twelfth of the long window"),
        );
    } else if let Some((sentence, help)) = options.too_short("a short window", short.value) {
        let fault = Diagnostic::warning(codes::TIER_TOO_SHORT, sentence);
        faults.add(fault.at(&short.place).help(help));
    }
    ordered
}

fn tell_doubles(tiers: &[Located<Tier>], faults: &Faults) {
    for (index, tier) in tiers.iter().enumerate() {
        let earlier = tiers.iter().take(index);
        if let Some(first) = earlier
            .into_iter()
            .find(|it| it.value.name == tier.value.name)
        {
            faults.add(
                Diagnostic::error(
                    codes::DUPLICATE_NAME,
                    format!("two tiers have the name `{}`", tier.value.name),
                )
                .at(&tier.place)
                .related(&first.place, "first here")
                .help("give one of them another name"),
            );
        }
    }
}

/// `page` or `ticket`.
pub(super) fn severity_word(text: &str) -> Result<Severity, String> {
    match text {
        "page" => Ok(Severity::Page),
        "ticket" => Ok(Severity::Ticket),
        _ => Err(format!("`{text}` is not a severity; write page or ticket")),
    }
}

/// Causes do not page by default; users' pain does.
fn signal_severity(fields: &Fields<'_>) -> BTreeMap<Signal, Severity> {
    let mut found = BTreeMap::from([
        (Signal::Saturation, Severity::Ticket),
        (Signal::Traffic, Severity::Ticket),
    ]);
    let Some(node) = fields.get("signalSeverity") else {
        return found;
    };
    let known = SIGNALS.map(Signal::name);
    if let Some(inner) = Fields::of(node, "`signalSeverity`", &known, fields.faults) {
        for signal in SIGNALS {
            let severity = inner.parse(signal.name(), codes::WORD, severity_word);
            found.extend(severity.map(|severity| (signal, severity.value)));
        }
    }
    found
}

/// Whether `key` is there and says `off`, or what `read` makes of its map, or `default`.
fn unless_off<T>(
    fields: &Fields<'_>,
    key: &str,
    what: &'static str,
    known: &[&'static str],
    default: T,
    read: impl FnOnce(&Fields<'_>, T) -> T,
) -> Option<T> {
    let Some(node) = fields.get(key) else {
        return Some(default);
    };
    if let Value::Text(text) = &node.value {
        if text.text != "off" {
            fields.faults.add(
                Diagnostic::error(codes::WORD, format!("`{}` is unknown here", text.text))
                    .at(&node.place)
                    .help(did_you_mean(&text.text, ["off"], || {
                        format!("write off, or a map with {}", known.join(", "))
                    })),
            );
        }
        return None;
    }
    let inner = Fields::of(node, what, known, fields.faults)?;
    Some(read(&inner, default))
}

fn low_traffic(fields: &Fields<'_>) -> Option<f64> {
    let default = Decimal::new(999, 1);
    let known = ["confidence"];
    let confidence = unless_off(
        fields,
        "lowTraffic",
        "`lowTraffic`",
        &known,
        default,
        |inner, default| {
            let confidence = inner.need_parsed("confidence", "confidence: 99.9%", codes::NUMBER, |text| {
            let percent = values::percent(text)?;
            let (low, high) = (Fraction::new(50, 1), Fraction::new(100, 1));
            if percent.fraction() < low || percent.fraction() >= high {
                return Err(format!(
                    "a confidence of {text} is out of range; write one from 50% and below 100%"
                ));
            }
            Ok(percent)
        });
            confidence.map_or(default, |it| it.value)
        },
    )?;
    Some(Decimal::new(100, 0).minus(confidence).shifted(-2).to_f64())
}

fn hold(fields: &Fields<'_>) -> Hold {
    let mut hold = Hold {
        min: Span::from_mins(5),
        of_short: Fraction::new(1, 2),
    };
    let inner = fields
        .get("resolveAfter")
        .and_then(|node| Fields::of(node, "`resolveAfter`", &["min", "ofShort"], fields.faults));
    if let Some(inner) = inner {
        if let Some(min) = inner.parse("min", codes::DURATION, str::parse::<Span>) {
            hold.min = min.value;
        }
        if let Some(share) = inner.parse("ofShort", codes::NUMBER, values::percent) {
            hold.of_short = values::share(share.value);
        }
    }
    hold
}

fn remind(fields: &Fields<'_>) -> BTreeMap<Severity, Span> {
    let mut found = BTreeMap::from([
        (Severity::Page, Span::from_hours(1)),
        (Severity::Ticket, Span::from_hours(24)),
    ]);
    let known = [Severity::Page.name(), Severity::Ticket.name()];
    let inner = fields
        .get("remind")
        .and_then(|node| Fields::of(node, "`remind`", &known, fields.faults));
    if let Some(inner) = inner {
        for severity in [Severity::Page, Severity::Ticket] {
            let span = inner.parse(severity.name(), codes::DURATION, str::parse::<Span>);
            found.extend(span.map(|span| (severity, span.value)));
        }
    }
    found
}

fn unmeasured(fields: &Fields<'_>) -> Option<Unmeasured> {
    let default = Unmeasured {
        after: Span::from_mins(10),
        severity: Severity::Ticket,
    };
    let known = ["after", "severity"];
    unless_off(
        fields,
        "unmeasured",
        "`unmeasured`",
        &known,
        default,
        |inner, default| {
            let after = inner.parse("after", codes::DURATION, str::parse::<Span>);
            let severity = inner.parse("severity", codes::WORD, severity_word);
            Unmeasured {
                after: after.map_or(default.after, |it| it.value),
                severity: severity.map_or(default.severity, |it| it.value),
            }
        },
    )
}
