//! Each step of the arithmetic, and what the tiers make of it.

use crate::status::names::Alert;
use crate::status::view::explain::{ComparedView, ExplanationView, StepView, TierStepsView};
use crate::status::words;

use super::figures::{number, number_of, percent, percent_beside, seconds};

/// `burn = ratio / allowance = 0.0167 / 0.001 = 16.7`, in columns.
pub(super) fn lines_of(steps: &[StepView]) -> Vec<String> {
    let widest = |cell: fn(&StepView) -> usize| steps.iter().map(cell).max().unwrap_or(0);
    let names = widest(|step| step.name.chars().count());
    let formulas = widest(|step| step.formula.chars().count());
    let line = |step: &StepView| {
        let (filled, result) = (filled(step), result(step));
        let filled = if filled == step.formula || filled == result {
            String::new()
        } else {
            format!("= {filled} ")
        };
        format!(
            "{:names$} = {:formulas$} {filled}= {result}",
            step.name, step.formula,
        )
    };
    steps.iter().map(line).collect()
}

/// The formula with its numbers in place of their names.
fn filled(step: &StepView) -> String {
    let number = |word: &str| match step.numbers.get(word) {
        Some(Some(value)) => quantity(word, value.0),
        Some(None) => "∞".to_owned(),
        None => word.to_owned(),
    };
    step.formula
        .split(' ')
        .map(|word| match word.strip_prefix('−') {
            Some(word) if !word.is_empty() => format!("−{}", number(word)),
            _ => number(word),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn result(step: &StepView) -> String {
    match step.result {
        // Of a budget of nothing, whatever is spent of it is without bound.
        None if step.name == "remaining" => "−∞".to_owned(),
        None => "∞".to_owned(),
        Some(result) if matches!(&*step.name, "burn" | "threshold") => {
            format!("{}×", number(result.0))
        }
        Some(result) => quantity(&step.name, result.0),
    }
}

/// A number as its kind is written.
fn quantity(name: &str, value: f64) -> String {
    match name {
        "window" | "period" | "long" => words::window(seconds(value)),
        "ratio" | "objective" | "limit" | "spent" | "remaining" | "budgetSpent" => percent(value),
        _ if name.starts_with("allowance") => percent(value),
        _ => number(value),
    }
}

pub(super) fn tiers(it: &ExplanationView) -> Vec<String> {
    if it.unwatched {
        return vec!["the whole is not watched (no `alsoWhole`); each group is".to_owned()];
    }
    let mut lines: Vec<String> = it.tiers.iter().flat_map(tier).collect();
    if !it.longer_tiers.is_empty() {
        let names = it.longer_tiers.iter();
        let names: Vec<String> = names
            .map(|(name, long)| format!("{name} ({})", words::window(long.0)))
            .collect();
        lines.push(format!(
            "not looked at, since their windows are longer: {}",
            names.join(", ")
        ));
    }
    lines
}

fn tier(tier: &TierStepsView) -> Vec<String> {
    let severity = match tier.severity {
        Alert::Page => "page",
        Alert::Ticket => "ticket",
        Alert::None => "silent",
    };
    let verdict = match (tier.burns, tier.held_back) {
        (true, None) => "BURNS",
        (true, Some(_)) => "HELD BACK",
        (false, _) => "quiet",
    };
    let mut lines = vec![format!(
        "{} ({severity}) {verdict}: {}",
        tier.name,
        condition(tier)
    )];
    lines.extend(lines_of(&tier.steps).iter().map(|line| format!("  {line}")));
    for window in [&tier.long, &tier.short] {
        lines.push(format!("  {}", compared(window, tier.limit)));
    }
    if let Some(held) = tier.held_back {
        lines.push(format!("  starts no alarm: {}", held.words()));
    }
    if let Some(guard) = tier.guard {
        lines.push(format!(
            "  low traffic: {} bad seen, {} needed to rule out chance: {}",
            number(guard.seen.0),
            number_of(guard.needed),
            if tier.guard_passed {
                "enough"
            } else {
                "too few"
            }
        ));
    }
    lines
}

/// When it fires.
fn condition(tier: &TierStepsView) -> String {
    let long = words::window(tier.long.length.0);
    let short = words::window(tier.short.length.0);
    if let Some(bad) = tier.bad {
        return format!("from {bad} bad in {long}, some of them in {short}");
    }
    let limit = words::limit(tier.threshold.unwrap_or(f64::INFINITY));
    format!("above {limit} in {long} and in {short}")
}

/// Where less of a window was measured it is said of how much it is.
const MEASURED: f64 = 0.9;

fn compared(window: &ComparedView, limit: Option<f64>) -> String {
    let length = words::window(window.length.0);
    let Some(limit) = limit else {
        let enough = if window.exceeds { "enough" } else { "too few" };
        return format!("{length:>4}: {} bad, {enough}", number(window.bad.0));
    };
    let Some(ratio) = window.ratio else {
        return format!("{length:>4}: nothing was counted, so nothing is exceeded");
    };
    let (sign, is) = if window.exceeds {
        (">", "above")
    } else {
        ("≤", "not above")
    };
    let covered = if window.coverage < MEASURED {
        format!(", {} of it measured", words::percent(window.coverage))
    } else {
        String::new()
    };
    format!(
        "{length:>4}: {} / {} = {} {sign} {}, {is} ({}){covered}",
        number(window.bad.0),
        number(window.total.0),
        percent_beside(ratio, limit),
        percent(limit),
        window.burn.map_or_else(|| "∞×".to_owned(), words::burn)
    )
}
