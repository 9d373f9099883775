//! Values of PromQL expressions as slots: approximate, since each value covers a window of its own.

use std::collections::BTreeMap;

use crate::domain::indicator::Split;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::Batch;
use super::slices::{Impossible, Judged, Slices};

/// So much of the total is what is left of the arithmetic of floats.
const NOISE: f64 = 1e-9;

/// The counts of each slot from an expression for all events and one for a part of them, both
/// counted over `window` and evaluated at the end of each slot. Every event is seen in
/// `window / slot` evaluations, so each contributes its `slot / window` share.
///
/// Where the total has a value and the part has none, the part is zero: what never failed has no
/// series. Where the total has none the slot is unknown, and where the part is none of it nothing can
/// be said: taken as it is, it would make up for events that failed.
pub fn counts(
    total: &Batch,
    part: &Split<&Batch>,
    range: TimeRange,
    slot: Span,
    window: Span,
) -> Slices<Judged> {
    let share = slot.as_secs_f64() / window.as_secs_f64();
    let parts = sums(part.counted(), range);
    let judge = |(at, total): (Timestamp, f64)| {
        let counted = parts.get(&at).copied().unwrap_or(0.0);
        let judged = match bad(part, counted, total) {
            Some(bad) => Judged::As(Counts { bad, total }.times(share)),
            None => Judged::Impossible(Impossible::Part {
                part: counted,
                total,
            }),
        };
        (at, Some(judged))
    };
    sums(total, range).into_iter().map(judge).collect()
}

/// How many of the events were bad; `None` where what was counted is no part of them.
fn bad(part: &Split<&Batch>, counted: f64, total: f64) -> Option<f64> {
    let noise = total.abs() * NOISE;
    if !total.is_finite() || !(-noise..=total + noise).contains(&counted) {
        return None;
    }
    let bad = match part {
        Split::Bad(_) => counted,
        Split::Good(_) => total - counted,
    };
    Some(if bad <= noise { 0.0 } else { bad.min(total) })
}

/// The values of all series of a batch, summed by time.
fn sums(batch: &Batch, range: TimeRange) -> BTreeMap<Timestamp, f64> {
    let mut sums = BTreeMap::new();
    for sample in batch.samples() {
        if range.contains(sample.at) {
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

    const NAN: f64 = f64::NAN;
    const INFINITE: f64 = f64::INFINITY;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    /// One series with these values, every half minute; `None` where there is none.
    fn batch(values: &[Option<f64>]) -> Batch {
        let samples = (1..).zip(values).filter_map(|(slot, value)| {
            Some(Sample {
                at: at(30 * slot),
                value: (*value)?,
            })
        });
        [(Labels::default(), samples.collect())]
            .into_iter()
            .collect()
    }

    /// What is made of one value of each, for bad events and for good ones.
    fn judged(total: Option<f64>, part: Option<f64>) -> [String; 2] {
        let (total, part) = (batch(&[total]), batch(&[part]));
        let range = TimeRange {
            from: at(0),
            to: at(30),
        };
        [Split::Bad(&part), Split::Good(&part)].map(|part| {
            let slot = Span::from_secs(30);
            match counts(&total, &part, range, slot, slot)[..] {
                [] => "?".to_owned(),
                [(_, Some(Judged::As(Counts { bad, total })))] => format!("{bad}/{total}"),
                [(_, Some(Judged::Impossible(Impossible::Part { part, total })))] => {
                    format!("{part} of {total}")
                }
                ref other => format!("{other:?}"),
            }
        })
    }

    #[test]
    fn a_part_is_a_share_of_its_whole_or_impossible() {
        for (total, part, bad, good) in [
            (Some(100.0), Some(10.0), "10/100", "90/100"),
            (Some(50.0), None, "0/50", "50/50"),
            (None, Some(10.0), "?", "?"),
            (Some(0.0), Some(0.0), "0/0", "0/0"),
            (Some(0.0), None, "0/0", "0/0"),
            (Some(100.0), Some(100.0), "100/100", "0/100"),
            // Some steps of a float beyond it, or short of it.
            (Some(100.0), Some(100.000_000_01), "100/100", "0/100"),
            (Some(100.0), Some(99.999_999_99), "99.99999999/100", "0/100"),
            (Some(100.0), Some(-0.000_000_01), "0/100", "100/100"),
            (Some(100.0), Some(101.0), "101 of 100", "101 of 100"),
            (Some(100.0), Some(-1.0), "-1 of 100", "-1 of 100"),
            (Some(100.0), Some(NAN), "NaN of 100", "NaN of 100"),
            (Some(100.0), Some(INFINITE), "inf of 100", "inf of 100"),
            (Some(0.0), Some(1.0), "1 of 0", "1 of 0"),
            (Some(NAN), Some(10.0), "10 of NaN", "10 of NaN"),
            (Some(INFINITE), Some(10.0), "10 of inf", "10 of inf"),
            (Some(-5.0), None, "0 of -5", "0 of -5"),
        ] {
            assert_eq!(judged(total, part), [bad, good], "{part:?} of {total:?}");
        }
    }

    #[test]
    fn several_series_count_together_and_each_slot_has_its_share() {
        let (one, other) = (Some(60.0), Some(40.0));
        let all = [batch(&[one; 3]), batch(&[other; 3])];
        let all: Batch = all
            .iter()
            .flat_map(Batch::series)
            .zip(["a", "b"])
            .map(|(series, name)| {
                let labels: Labels = [("job", name)].into_iter().collect();
                (labels, series.samples.to_vec())
            })
            .collect();
        let range = TimeRange {
            from: at(0),
            to: at(60),
        };
        let none = batch(&[]);
        let slots = counts(
            &all,
            &Split::Bad(&none),
            range,
            Span::from_secs(30),
            Span::from_mins(1),
        );
        let all = Judged::As(Counts {
            bad: 0.0,
            total: 50.0,
        });
        assert_eq!(slots, [(at(30), Some(all)), (at(60), Some(all))]);
    }
}
