//! The arithmetic from what was counted to the answer, as data: formula, numbers, result.

use std::collections::BTreeMap;

use crate::domain::budget::ErrorBudget;
use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Budgeting, Indicator};
use crate::domain::objective::BurnRate;
use crate::domain::policy::TierLimit;
use crate::domain::slot::Counts;

use super::super::super::explanation::{ExplainedTier, Explanation, Part};
use super::super::super::names::{JudgedBy, Named};
use super::super::scalar::{Count, finite};
use super::StepView;

/// The name of the sum of each part: `Σtotal`, and `Σbad2` where there is a second.
pub(super) fn symbols(parts: &[Part]) -> Vec<String> {
    let mut used: BTreeMap<&str, u32> = BTreeMap::new();
    let symbol = |part: &Part| {
        let name = part.role.name();
        let times = used.entry(name).or_default();
        *times += 1;
        match times {
            1 => format!("Σ{name}"),
            more => format!("Σ{name}{more}"),
        }
    };
    parts.iter().map(symbol).collect()
}

/// The events of a part.
pub(super) fn events(part: &Part) -> f64 {
    let events = part.series.iter().map(|series| series.events);
    // The sum of no floats at all is −0.
    events.fold(0.0, |sum, events| sum + events)
}

/// From the parts' sums to the ratio, and to what it does to the budget; nothing where none of it was
/// counted, since the sums are then those of samples that could not be used.
pub(super) fn answer(it: &Explanation, symbols: &[String]) -> Vec<StepView> {
    if !it.is_counted() {
        return Vec::new();
    }
    let counts = it.sum.counts;
    let allowance = it.slo.objective.allowance().to_f64();
    let mut steps = vec![
        counted("total", it, symbols, |counts| counts.total),
        counted("bad", it, symbols, |counts| counts.bad),
    ];
    let Some(ratio) = counts.error_ratio() else {
        return steps;
    };
    steps.push(step(
        "ratio",
        "bad / total",
        &[("bad", counts.bad), ("total", counts.total)],
        ratio,
    ));
    steps.push(step(
        "allowance",
        "1 − objective",
        &[("objective", it.slo.objective.ratio())],
        allowance,
    ));
    let burn = BurnRate::of(counts, it.slo.objective).map_or(0.0, BurnRate::get);
    steps.push(step(
        "burn",
        "ratio / allowance",
        &[("ratio", ratio), ("allowance", allowance)],
        burn,
    ));
    let budget = match it.versions.as_slice() {
        [] | [_] => ErrorBudget::of(counts, it.slo.objective),
        several => ErrorBudget::of_parts(several.iter().map(|it| (it.counts, it.objective))),
    };
    match (it.asked, budget) {
        (None, Some(budget)) => {
            steps.push(allowed(it, budget.allowed));
            steps.push(step(
                "spent",
                "bad / allowed",
                &[("bad", counts.bad), ("allowed", budget.allowed)],
                budget.spent(),
            ));
            steps.push(step(
                "remaining",
                "1 − spent",
                &[("spent", budget.spent())],
                budget.remaining(),
            ));
        }
        (Some(length), _) => {
            let (length, period) = (length.as_secs_f64(), it.period.as_secs_f64());
            steps.push(step(
                "budgetSpent",
                "burn × window / period",
                &[("burn", burn), ("window", length), ("period", period)],
                burn * length / period,
            ));
        }
        (None, None) => {}
    }
    steps
}

/// What the window allows: of what was counted under each version of the objective, its share.
fn allowed(it: &Explanation, allowed: f64) -> StepView {
    let several = it.versions.len() > 1;
    let current = [(it.sum.counts, it.slo.objective)];
    let versions = it.versions.iter().map(|it| (it.counts, it.objective));
    let versions: Vec<_> = if several {
        versions.collect()
    } else {
        current.to_vec()
    };
    let mut formula = Vec::new();
    let mut numbers = Vec::new();
    for (number, (counts, objective)) in (1..).zip(versions) {
        let name = |what: &str| {
            if several {
                format!("{what}{number}")
            } else {
                what.to_owned()
            }
        };
        let (total, allowance) = (name("total"), name("allowance"));
        formula.push(format!("{total} × {allowance}"));
        numbers.push((total, counts.total));
        numbers.push((allowance, objective.allowance().to_f64()));
    }
    let numbers: Vec<(&str, f64)> = numbers
        .iter()
        .map(|(name, it)| (name.as_str(), *it))
        .collect();
    step("allowed", &formula.join(" + "), &numbers, allowed)
}

/// How the total (or the bad) come from the parts.
fn counted(
    name: &str,
    it: &Explanation,
    symbols: &[String],
    of: impl Fn(Counts) -> f64,
) -> StepView {
    let result = of(it.sum.counts);
    if let Budgeting::Timeslices(_) = it.slo.budgeting() {
        let by = it.judged.as_ref().map(|judged| judged.by);
        let formula = match (name, by) {
            ("total", _) => "slices that were good or bad",
            (_, Some(JudgedBy::Ratio)) => "sum of the slices' error ratios",
            _ => "slices that were bad",
        };
        return step(name, formula, &[], result);
    }
    if let Indicator::Query { .. } = it.slo.indicator {
        return step(name, "sum of values × slot / $window", &[], result);
    }
    let mut formula = String::new();
    let mut numbers = Vec::new();
    for (part, symbol) in it.parts.iter().zip(symbols) {
        let weight = part.weight.map_or(0.0, &of);
        if weight == 0.0 {
            continue;
        }
        formula += match (formula.is_empty(), weight < 0.0) {
            (true, false) => "",
            (true, true) => "−",
            (false, false) => " + ",
            (false, true) => " − ",
        };
        formula += symbol;
        numbers.push((symbol.as_str(), events(part)));
    }
    if formula.is_empty() {
        "sum of the slots".clone_into(&mut formula);
    }
    let outside = of(it.outside);
    if outside != 0.0 {
        formula += " − outside";
        numbers.push(("outside", outside));
    }
    step(name, &formula, &numbers, result)
}

/// How a tier's threshold and limit come to be.
pub(super) fn tier(it: &Explanation, tier: &ExplainedTier) -> Vec<StepView> {
    let allowance = it.slo.objective.allowance().to_f64();
    let (Some(threshold), Some(limit)) = (
        tier.tier.burn(it.period).map(Fraction::to_f64),
        tier.tier.error_limit(it.slo.objective, it.period),
    ) else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    if let TierLimit::BudgetSpent(share) = tier.tier.limit {
        steps.push(step(
            "threshold",
            "budgetSpent × period / long",
            &[
                ("budgetSpent", share.to_f64()),
                ("period", it.period.as_secs_f64()),
                ("long", tier.tier.long.as_secs_f64()),
            ],
            threshold,
        ));
    }
    steps.push(step(
        "limit",
        "threshold × allowance",
        &[("threshold", threshold), ("allowance", allowance)],
        limit.to_f64(),
    ));
    steps
}

fn step(name: &str, formula: &str, numbers: &[(&str, f64)], result: f64) -> StepView {
    let numbers = numbers.iter();
    StepView {
        name: name.to_owned(),
        formula: formula.to_owned(),
        numbers: numbers
            .map(|(name, number)| ((*name).to_owned(), finite(*number).map(Count)))
            .collect(),
        result: finite(result).map(Count),
    }
}
