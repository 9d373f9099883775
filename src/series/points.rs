//! Values of PromQL expressions as slots: approximate, since each value covers a window of its own.

use std::collections::BTreeMap;

use crate::domain::indicator::Split;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::Batch;
use super::slices::Slices;

/// The counts of each slot from an expression for all events and one for a part of them, both
/// counted over `window` and evaluated at the end of each slot. Every event is seen in
/// `window / slot` evaluations, so each contributes its `slot / window` share.
///
/// Where the total has a value and the part has none, the part is zero: what never failed has no
/// series. Where the total has none (or is not a number), the slot is unknown.
pub fn counts(
    total: &Batch,
    part: &Split<&Batch>,
    range: TimeRange,
    slot: Span,
    window: Span,
) -> Slices<Counts> {
    let share = slot.as_secs_f64() / window.as_secs_f64();
    let parts = sums(part.counted(), range);
    let count = |(at, total): (Timestamp, f64)| {
        let counted = parts.get(&at).copied().unwrap_or(0.0);
        let bad = match part {
            Split::Bad(_) => counted,
            Split::Good(_) => total - counted,
        };
        (at, Some(Counts { bad, total }.times(share)))
    };
    sums(total, range).into_iter().map(count).collect()
}

/// The finite values of all series of a batch, summed by time.
fn sums(batch: &Batch, range: TimeRange) -> BTreeMap<Timestamp, f64> {
    let mut sums = BTreeMap::new();
    for sample in batch.samples() {
        if range.contains(sample.at) && sample.value.is_finite() {
            *sums.entry(sample.at).or_insert(0.0) += sample.value;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::series::batch::Sample;

    #[test]
    fn values_are_spread_and_what_never_failed_is_zero() {
        let at = |second: i64| Timestamp::from_millis(second * 1_000);
        let batch = |values: &[(i64, f64)]| -> Batch {
            let sample = |(second, value): &(i64, f64)| Sample {
                at: at(*second),
                value: *value,
            };
            let samples = values.iter().map(sample).collect();
            [(Labels::default(), samples)].into_iter().collect()
        };
        let total = batch(&[(30, 100.0), (60, f64::NAN), (90, 50.0), (120, 1.0)]);
        let part = batch(&[(30, 10.0), (60, 10.0)]);
        let range = TimeRange {
            from: at(0),
            to: at(90),
        };
        let slots = |part: Split<&Batch>| {
            let slots = counts(
                &total,
                &part,
                range,
                Span::from_secs(30),
                Span::from_secs(300),
            );
            slots
                .iter()
                .filter_map(|(at, counts)| Some((at, (*counts)?)))
                .map(|(at, c)| format!("{}:{}/{}", at.as_millis() / 1_000, c.bad, c.total))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(slots(Split::Bad(&part)), "30:1/10 90:0/5");
        assert_eq!(slots(Split::Good(&part)), "30:9/10 90:5/5");
    }
}
