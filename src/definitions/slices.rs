//! What is judged by slices: whether there are enough of them for what is promised, and for a policy's tiers.

use crate::diagnostic::Diagnostic;
use crate::domain::decimal::Fraction;
use crate::domain::indicator::{Budgeting, Indicator};
use crate::domain::policy::Tier;
use crate::domain::time::Span;

use super::codes;
use super::node::{Faults, Located};
use super::promise::{PromiseDraft, objectives};

/// How long the slices are by which an indicator is judged, if it is.
pub(super) fn slice(indicator: Option<&Located<Indicator>>) -> Option<Span> {
    match indicator?.value.budgeting() {
        Budgeting::Timeslices(slice) => Some(slice),
        Budgeting::Occurrences => None,
    }
}

/// Tells of an objective of which a whole window allows less than one bad slice.
pub(super) fn judge(
    promise: &PromiseDraft,
    indicator: Option<&Located<Indicator>>,
    faults: &Faults,
) {
    let (Some(window), Some(slice)) = (&promise.window, slice(indicator)) else {
        return;
    };
    let length = window.value.shortest();
    let slices = Fraction::new(length.as_millis().into(), slice.as_millis().into());
    for objective in objectives(promise) {
        let allowance = objective.value.allowance();
        if allowance > Fraction::new(0, 1) && slices.times(allowance) < Fraction::ONE {
            let message = format!(
                "a window of {} holds {} slices of {slice}, and {} allows less than one of them to be bad: the first bad slice breaks the promise",
                window.value,
                most(length, slice),
                objective.value
            );
            faults.add(
                Diagnostic::warning(codes::TOO_FINE, message)
                    .at(&objective.place)
                    .help("write a longer window, a shorter `slice`, or a lower objective"),
            );
        }
    }
}

/// Whether a tier counts to more bad slices than its long window can hold.
pub(super) fn are_too_few(tier: &Tier, slice: Option<Span>) -> bool {
    let most = slice.map(|slice| most(tier.long, slice));
    tier.bad().zip(most).is_some_and(|(bad, most)| bad > most)
}

/// How many slices end in a length of time, at most.
fn most(length: Span, slice: Span) -> u64 {
    let (length, slice) = (length.as_millis(), slice.as_millis().max(1));
    u64::try_from((length + slice - 1) / slice).unwrap_or_default()
}
