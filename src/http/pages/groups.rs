//! The groups of an objective: which are shown whole, and the others by their numbers.

use crate::domain::budget::ErrorBudget;
use crate::status::address;
use crate::status::snapshot::SloStatus;
use crate::status::view::slo::SloView;
use crate::status::words;

use super::figures;
use super::sign::Sign;

/// So many instances are shown with their charts, which are most of a page.
const WHOLE: usize = 20;

/// One group in a table.
pub(super) struct GroupRow {
    pub(super) sign: Sign,
    pub(super) name: String,
    pub(super) href: String,
    pub(super) left: String,
    /// How much time that is of, where it is little.
    pub(super) over: Option<String>,
    pub(super) counts: String,
    pub(super) burns: Vec<String>,
    pub(super) outcome: Sign,
    pub(super) coverage: String,
}

impl GroupRow {
    pub(super) fn new(status: &SloStatus) -> Self {
        let slo = SloView::of(status);
        let window = &slo.window;
        let (bad, total) = (words::count(window.bad.0), words::count(window.total.0));
        Self {
            sign: Sign::of(&slo),
            name: figures::heading(&slo),
            href: address::of_instance(&status.slo),
            left: figures::left(&slo),
            over: figures::counted_over(&slo),
            counts: format!("{bad} of {total}"),
            burns: figures::burns(&slo),
            outcome: Sign::of_outcome(slo.measurement.outcome),
            coverage: figures::coverage(window.coverage),
        }
    }
}

/// What to know of groups of an objective that are not watched, if there are any.
pub(super) fn refused(status: &SloStatus) -> Option<String> {
    let count = status.groups.filter(|count| count.refused > 0)?;
    let (most, refused) = (number(count.most), number(count.refused));
    Some(format!(
        "{refused} more than the {most} that maxGroups allows are there. No alert can fire for them. Raise maxGroups, narrow the selector, or group by fewer labels or one with fewer values."
    ))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "groups are counted in thousands"
)]
fn number(groups: u64) -> String {
    words::count(groups as f64)
}

/// Which instances are shown with their charts, and which are not: all groups together first, then
/// those that need a look.
pub(super) fn split<'a, 's>(
    instances: &'a mut [&'s SloStatus],
) -> (&'a [&'s SloStatus], &'a [&'s SloStatus]) {
    let left = |status: &SloStatus| {
        let budget = status.budget.as_ref();
        budget.map_or(f64::INFINITY, ErrorBudget::remaining)
    };
    instances.sort_by(|one, other| {
        let whole = other.group.is_empty().cmp(&one.group.is_empty());
        let alert = other.alert.cmp(&one.alert);
        whole
            .then(alert)
            .then_with(|| left(one).total_cmp(&left(other)))
    });
    instances.split_at(WHOLE.min(instances.len()))
}
