//! An objective's numbers in words, where unknown, unbounded and nothing are told apart.

use std::time::Duration;

use crate::domain::time::Span;
use crate::status::view::scalar::Length;
use crate::status::view::slo::{BudgetUnit, BurnView, SloView, TierView};
use crate::status::words;

/// The labels of its group, as `cluster=eu1, route=/pay`; nothing without groups.
pub(super) fn group(slo: &SloView) -> String {
    let labels = slo.group.iter();
    let labels = labels.map(|(name, value)| format!("{name}={value}"));
    labels.collect::<Vec<_>>().join(", ")
}

/// What tells it from the other instances of its objective: its target, and its group.
pub(super) fn heading(slo: &SloView) -> String {
    let group = Some(group(slo)).filter(|it| !it.is_empty());
    let parts: Vec<String> = slo.target.clone().into_iter().chain(group).collect();
    parts.join(" · ")
}

/// How much of the budget is left.
pub(super) fn left(slo: &SloView) -> String {
    match slo.budget.remaining {
        Some(share) => share_left(share),
        // Under 100 % nothing may be bad, so that what is overspent has no bound.
        None if slo.window.bad.0 > 0.0 => share_left(f64::NEG_INFINITY),
        None => "unknown".to_owned(),
    }
}

/// A share of a budget that is left: in percent, or in a word where it is overspent without bound.
pub(super) fn share_left(share: f64) -> String {
    if share.is_finite() {
        signed_percent(share)
    } else {
        "overspent".to_owned()
    }
}

/// How much time a budget is of, where that is less than half of its window: it allows a share of what was counted
/// so far, so that an hour may spend it as if that were the whole window.
pub(super) fn counted_over(slo: &SloView) -> Option<String> {
    let window = &slo.window;
    let is_short = window.coverage > 0.0 && window.coverage < 0.5;
    let measured = window.to.0.since(window.from.0).as_secs_f64() * window.coverage;
    let measured = Duration::try_from_secs_f64(measured).ok()?;
    is_short.then(|| words::words(Span::from(measured)))
}

/// How fast a window burns; the API's `null` is unbounded where something was bad, else unknown.
pub(super) fn rate(burn: &BurnView) -> String {
    match burn.rate {
        Some(rate) => words::burn(rate),
        None if burn.bad.0 > 0.0 => words::burn(f64::INFINITY),
        None => "unknown".to_owned(),
    }
}

/// The tier that fires, or the first that would.
pub(super) fn nearest(slo: &SloView) -> Option<&TierView> {
    let mut tiers = slo.tiers.iter();
    let firing = tiers.find(|tier| tier.firing);
    firing.or(slo.tiers.iter().min_by_key(|tier| tier.short))
}

/// The paces of the two windows that matter most now, as `16.7× 1h`.
pub(super) fn burns(slo: &SloView) -> Vec<String> {
    let lengths: Vec<Length> = match nearest(slo) {
        Some(tier) => vec![tier.short, tier.long],
        None => slo.burn.keys().copied().take(2).collect(),
    };
    let pace = |length: &Length| {
        let burn = slo.burn.get(length)?;
        Some(format!("{} {}", rate(burn), words::window(length.0)))
    };
    lengths.iter().filter_map(pace).collect()
}

/// A covered share: never more than was measured, and never nothing where something was.
pub(super) fn coverage(share: f64) -> String {
    let tenths = (share * 1_000.0).floor();
    if share > 0.0 && tenths < 1.0 {
        "< 0.1 %".to_owned()
    } else {
        format!("{} %", tenths / 10.0)
    }
}

/// What a budget is made of, in the plural.
pub(super) const fn unit(slo: &SloView) -> &'static str {
    match slo.budget.unit {
        BudgetUnit::Events => "events",
        BudgetUnit::Slices => "slices",
    }
}

/// A share that somebody wrote, in percent: no digits that they did not write.
pub(super) fn written_percent(share: f64) -> String {
    // Without the noise of binary floats.
    format!("{} %", (share * 1e11).round() / 1e9).replace('-', "−")
}

/// A share in percent, with a minus as it is printed.
pub(super) fn signed_percent(share: f64) -> String {
    words::percent(share).replace('-', "−")
}
