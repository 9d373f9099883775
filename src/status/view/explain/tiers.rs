//! Tiers in an explanation: what their windows say beside their limits.

use serde::{Deserialize, Serialize};

use crate::domain::decimal::Fraction;
use crate::domain::objective::BurnRate;
use crate::domain::time::Span;
use crate::ledger::WindowSum;

use super::super::super::explanation::{ExplainedTier, Explanation};
use super::super::super::names::Alert;
use super::super::scalar::{Count, Length, finite};
use super::super::slo::{GuardView, HeldBackView};
use super::{StepView, steps};

/// One tier, and what its windows say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TierStepsView {
    /// Its name.
    pub name: String,
    /// How loud it is for this objective.
    pub severity: Alert,
    /// The burn rate above which it fires; where it counts, at which, or `null` while its long window is empty.
    pub threshold: Option<f64>,
    /// The bad events in the long window from which it fires, where it counts.
    #[serde(default)]
    pub bad: Option<u64>,
    /// The error ratio above which it fires; `null` where it counts.
    pub limit: Option<f64>,
    /// How threshold and limit come to be.
    pub steps: Vec<StepView>,
    /// The window that says that it matters.
    pub long: ComparedView,
    /// The window that says that it goes on.
    pub short: ComparedView,
    /// The low-traffic guard, where it applies.
    pub guard: Option<GuardView>,
    /// Whether failures in the long window are too many for chance; `true` without a guard.
    pub guard_passed: bool,
    /// Whether it burns: both windows are above the limit (or hold enough bad events), and the guard is passed.
    pub burns: bool,
    /// Why it starts no alarm although it burns; `null` where it does, or does not burn.
    #[serde(default)]
    pub held_back: Option<HeldBackView>,
}

/// One window of a tier beside its limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparedView {
    /// Its length.
    pub length: Length,
    /// Bad events counted.
    pub bad: Count,
    /// All of them.
    pub total: Count,
    /// bad / total; unknown without events.
    pub ratio: Option<f64>,
    /// How many times faster than allowed the budget is spent; unknown without events.
    pub burn: Option<f64>,
    /// The share of its time that was measured.
    pub coverage: f64,
    /// Whether bad / total > limit, compared exactly.
    pub exceeds: bool,
}

pub(super) fn tier_of(it: &Explanation, tier: &ExplainedTier) -> TierStepsView {
    let objective = it.slo.objective;
    let limit = tier.tier.error_limit(objective, it.period);
    let compared = |length: Span, sum: &WindowSum, is_enough: bool| ComparedView {
        length: Length(length),
        bad: Count(sum.counts.bad),
        total: Count(sum.counts.total),
        ratio: sum.counts.error_ratio(),
        burn: BurnRate::of(sum.counts, objective).and_then(|burn| finite(burn.get())),
        coverage: sum.covered,
        exceeds: limit.map_or(is_enough, |limit| sum.counts.exceeds(limit)),
    };
    let (all, still) = (tier.long.counts, tier.short.counts);
    let enough = tier
        .tier
        .bad()
        .is_some_and(|bad| Count::of(bad).0 <= all.bad);
    let long = compared(tier.tier.long, &tier.long, enough);
    let short = compared(tier.tier.short, &tier.short, still.bad > 0.0);
    let guard_passed = tier.guard.is_none_or(|guard| guard.is_passed());
    TierStepsView {
        name: tier.tier.name.clone(),
        severity: Some(tier.severity).into(),
        threshold: finite(tier.tier.threshold(objective, it.period, tier.long.counts)),
        bad: tier.tier.bad(),
        limit: limit.map(Fraction::to_f64),
        steps: steps::tier(it, tier),
        long,
        short,
        guard: tier.guard.map(|guard| GuardView {
            seen: Count(guard.seen),
            needed: guard.needed(),
        }),
        guard_passed,
        burns: long.exceeds && short.exceeds && guard_passed,
        held_back: tier.held_back.map(HeldBackView::from),
    }
}
