//! A policy's tiers against an objective and its window.

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::decimal::Fraction;
use crate::domain::indicator::Indicator;
use crate::domain::objective::Objective;
use crate::domain::policy::Tier;
use crate::domain::slo::Window;
use crate::domain::time::Span;

use super::codes;
use super::node::{Faults, Located};
use super::policy::PolicyDraft;
use super::promise::{PromiseDraft, objectives};
use super::slices::{are_too_few, slice};

/// The window that policies are usually made for.
const USUAL: Span = Span::from_days(30);

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
    let slice = slice(indicator);
    if let Some(window) = &promise.window {
        let fitting = too_long(name, tiers, window, faults);
        for objective in objectives(promise) {
            never_fires(name, &fitting, &objective, (&window.value, slice), faults);
        }
    }
    if let (Some(objective), Some(slice)) = (&promise.objective, slice)
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

/// Tells of tiers that cannot fire for an objective over a window, judged by slices if it is.
fn never_fires(
    policy: &str,
    tiers: &[Placed<'_>],
    objective: &Located<Objective>,
    (window, slice): (&Window, Option<Span>),
    faults: &Faults,
) {
    let needs_more_over = |tier: &Tier, window: Span| {
        let limit = tier.error_limit(objective.value, window);
        limit.is_some_and(|limit| limit >= Fraction::ONE)
    };
    let needs_more = |(tier, _): &&Placed<'_>| needs_more_over(tier, window.longest());
    let has_too_few = |(tier, _): &&Placed<'_>| are_too_few(tier, slice);
    let guarded = |it: &Placed<'_>| !needs_more(&it) && !has_too_few(&it);
    let is_guarded = tiers.iter().any(guarded);
    let tell = |never: Vec<&Placed<'_>>, why: &str, help: &str| {
        let Some((_, place)) = never.first() else {
            return;
        };
        let listed = listed(never.iter().copied());
        let sentence = format!("{listed} of the policy `{policy}` can never fire at {why}");
        // The others still guard the objective.
        let fault = if is_guarded {
            Diagnostic::warning(codes::TIER_NEVER_FIRES, sentence)
        } else {
            Diagnostic::error(codes::TIER_NEVER_FIRES, sentence)
        };
        let fault = fault.at(&objective.place).related(place, "this tier");
        faults.add(fault.help(help));
    };
    let out_of_reach: Vec<_> = tiers.iter().filter(needs_more).collect();
    let is_low = |(tier, _): &&Placed<'_>| needs_more_over(tier, USUAL);
    // The same share of a longer window's budget is more in an hour.
    let (over, help) = if out_of_reach.iter().any(is_low) {
        (
            String::new(),
            "use a policy with a lower burn or budgetSpent for objectives this low",
        )
    } else {
        (
            format!(" over {window}"),
            "use a policy with a lower budgetSpent for windows this long",
        )
    };
    let why = format!(
        "{}{over}: more than everything would have to fail",
        objective.value
    );
    tell(out_of_reach, &why, help);
    if let Some(slice) = slice {
        tell(
            tiers.iter().filter(has_too_few).collect(),
            &format!("slices of {slice}: its long window holds fewer than it counts to"),
            "write a shorter `slice`, or use a policy that counts to fewer bad slices, or has longer windows",
        );
    }
}

fn listed<'a>(tiers: impl IntoIterator<Item = &'a Placed<'a>>) -> String {
    let names: Vec<String> = tiers
        .into_iter()
        .map(|(tier, _)| format!("`{}`", tier.name))
        .collect();
    match names.as_slice() {
        [one] => format!("the tier {one}"),
        many => format!("the tiers {}", many.join(", ")),
    }
}
