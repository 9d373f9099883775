//! A policy's tiers against an objective and its window.

use crate::diagnostic::Diagnostic;
use crate::diagnostic::Place;
use crate::domain::decimal::Fraction;
use crate::domain::indicator::Budgeting;
use crate::domain::indicator::Indicator;
use crate::domain::objective::Objective;
use crate::domain::policy::Tier;
use crate::domain::slo::Window;
use crate::domain::time::Span;

use super::codes;
use super::node::Faults;
use super::node::Located;
use super::policy::PolicyDraft;
use super::promise::PromiseDraft;

/// Tells of tiers that look further back than the window, that can never fire, or that look at less
/// than one slice.
pub(super) fn judge(
    draft: &PolicyDraft,
    promise: &PromiseDraft,
    indicator: Option<&Located<Indicator>>,
    faults: &Faults,
) {
    let tiers: Vec<Placed<'_>> = draft.policy.tiers.iter().zip(&draft.tiers).collect();
    let name = &draft.policy.name;
    if let Some(window) = &promise.window {
        let fitting = too_long(name, tiers, window, faults);
        for objective in objectives(promise) {
            never_fires(name, &fitting, &objective, window.value.longest(), faults);
        }
    }
    let (Some(objective), Some(indicator)) = (&promise.objective, indicator) else {
        return;
    };
    if let Budgeting::Timeslices(slice) = indicator.value.budgeting()
        && let Some(shortest) = draft.policy.shortest_window()
        && shortest < slice
    {
        faults.add(
            Diagnostic::warning(
                codes::TIER_TOO_SHORT,
                format!("the policy `{name}` looks at {shortest}, and a slice is {slice} long"),
            )
            .at(&objective.place)
            .help("write a shorter `slice`, or use a policy with longer windows"),
        );
    }
}

type Placed<'a> = (&'a Tier, &'a Place);

/// All that is promised: in general, and of groups of which something else is.
fn objectives(promise: &PromiseDraft) -> impl Iterator<Item = Located<Objective>> {
    let of_groups = promise.overrides.iter().map(|it| Located {
        value: it.value.objective,
        place: it.place.clone(),
    });
    promise.objective.iter().cloned().chain(of_groups)
}

/// The tiers that are not too long for `window`.
fn too_long<'a>(
    policy: &str,
    tiers: Vec<Placed<'a>>,
    window: &Located<Window>,
    faults: &Faults,
) -> Vec<Placed<'a>> {
    let (long, fitting): (Vec<Placed<'_>>, Vec<Placed<'_>>) = tiers
        .into_iter()
        .partition(|(tier, _)| tier.long > window.value.shortest());
    if let Some((tier, place)) = long.iter().max_by_key(|(tier, _)| tier.long) {
        faults.add(
            Diagnostic::error(
                codes::TIER_TOO_LONG,
                format!(
                    "a window of {} is too short for {} of the policy `{policy}`, which looks back {}",
                    window.value,
                    listed(&long),
                    tier.long
                ),
            )
            .at(&window.place)
            .related(place, "this tier")
            .help("use a policy whose tiers fit into the window, or alertPolicy: none"),
        );
    }
    fitting
}

fn never_fires(
    policy: &str,
    tiers: &[Placed<'_>],
    objective: &Located<Objective>,
    window: Span,
    faults: &Faults,
) {
    let (never, others): (Vec<Placed<'_>>, Vec<Placed<'_>>) =
        tiers.iter().partition(|(tier, _)| {
            let limit = tier.error_limit(objective.value, window);
            limit.is_some_and(|limit| limit >= Fraction::ONE)
        });
    let Some((_, place)) = never.first() else {
        return;
    };
    let sentence = format!(
        "{} of the policy `{policy}` can never fire at {}: more than everything would have to fail",
        listed(&never),
        objective.value
    );
    // The others still guard the objective.
    let fault = if others.is_empty() {
        Diagnostic::error(codes::TIER_NEVER_FIRES, sentence)
    } else {
        Diagnostic::warning(codes::TIER_NEVER_FIRES, sentence)
    };
    faults.add(
        fault
            .at(&objective.place)
            .related(place, "this tier")
            .help("use a policy with a lower burn or budgetSpent for objectives this low"),
    );
}

fn listed(tiers: &[Placed<'_>]) -> String {
    let names: Vec<String> = tiers
        .iter()
        .map(|(tier, _)| format!("`{}`", tier.name))
        .collect();
    match names.as_slice() {
        [one] => format!("the tier {one}"),
        many => format!("the tiers {}", many.join(", ")),
    }
}
