//! The window slot by slot.

use crate::domain::time::Timestamp;
use crate::status::view::explain::{ExplanationView, SlotView};
use crate::status::view::scalar::Time;

use super::figures::{clock, number, number_of};

/// So many rows are shown.
const ROWS: usize = 12;

pub(super) fn slots_title(it: &ExplanationView) -> String {
    let plural = if it.slots.len() == 1 { "" } else { "s" };
    format!(
        "{} slot{plural}",
        number_of(u64::try_from(it.slots.len()).unwrap_or(u64::MAX))
    )
}

/// At most so many rows, each of some slots: when it was, and how much of it was bad.
pub(super) fn slots(it: &ExplanationView) -> Vec<String> {
    let units = units(it);
    let each = units.len().div_ceil(ROWS).max(1);
    let rows = units.chunks(each).filter_map(row);
    let rows: Vec<(Timestamp, f64, f64, bool)> = rows.collect();
    let most = rows.iter().map(|row| row.1).fold(0.0, f64::max);
    let line = |(end, bad, total, reconstructed): &(Timestamp, f64, f64, bool)| {
        let bar = if most > 0.0 { bad / most * 20.0 } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 20"
        )]
        let bar = "█".repeat(bar.ceil() as usize);
        let spread = if *reconstructed {
            "  partly spread over a gap"
        } else {
            ""
        };
        format!(
            "to {}  {:>8} of {:>10} bad  {bar}{spread}",
            clock(it, Time(*end)),
            number(*bad),
            number(*total)
        )
        .trim_end()
        .to_owned()
    };
    rows.iter().map(line).collect()
}

/// What is not parted: slots, or all those of a slice, which counts in the last of them.
fn units(it: &ExplanationView) -> Vec<&[SlotView]> {
    let slice = it.judged.as_ref().map(|judged| judged.slice.0);
    let unit = |slot: &SlotView| slice.map_or(slot.end.0, |slice| slot.end.0.ceil_to(slice));
    let units = it.slots.chunk_by(|one, next| unit(one) == unit(next));
    units.collect()
}

fn row(units: &[&[SlotView]]) -> Option<(Timestamp, f64, f64, bool)> {
    let slots = || units.iter().copied().flatten();
    let sum = |of: fn(&SlotView) -> f64| slots().map(of).sum::<f64>();
    Some((
        slots().next_back()?.end.0,
        sum(|slot| slot.bad.0),
        sum(|slot| slot.total.0),
        slots().any(|slot| slot.reconstructed),
    ))
}
