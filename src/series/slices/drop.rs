//! Slices of counters: bad when the rate is far below what it was at the same time in earlier periods.

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;

use super::Slices;
use super::noted::{Noted, Quotient};
use super::rate::is_below;

/// Whether the rate of each slice is below `kept` times the median of the rates of the same slice in
/// earlier periods. `past` are their rates, as if each had been measured now. A period of which
/// nothing is known is left out; where none is known there is nothing to compare with, which is
/// another matter than a rate that is not known.
pub fn below_usual(
    rates: &Slices<f64>,
    past: &[Slices<f64>],
    kept: f64,
    noted: &mut Noted,
) -> Slices<Option<bool>> {
    let judge = |(end, rate): &(Timestamp, Option<f64>)| {
        let usual = median(past.iter().filter_map(|period| rate_at(period, *end)));
        let judged = rate.map(|rate| {
            usual.map(|usual| {
                let share = Quotient {
                    part: rate,
                    whole: usual,
                };
                noted.part_of(*end, Labels::default, share, is_below(rate, usual * kept))
            })
        });
        (*end, judged)
    };
    rates.iter().map(judge).collect()
}

fn rate_at(rates: &Slices<f64>, end: Timestamp) -> Option<f64> {
    let index = rates.binary_search_by_key(&end, |(end, _)| *end).ok()?;
    rates.get(index)?.1
}

/// The middle of the values; of an even number, the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let upper = values.len() / 2;
    let lower = values.len().checked_sub(1)? / 2;
    Some(f64::midpoint(*values.get(lower)?, *values.get(upper)?))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::at;
    use super::*;

    /// Rates of slices of a minute, as text; `?` is unknown.
    fn rates(text: &str) -> Slices<f64> {
        let minutes = (1..).map(|minute| at(60 * minute));
        minutes
            .zip(text.split(' ').map(|rate| rate.parse().ok()))
            .collect()
    }

    #[test]
    fn a_drop_is_judged_against_the_median_of_what_is_known() {
        for (name, now, past, expected) in [
            ("far below all", "59 60 61", &["100 100 100"; 3][..], "#.."),
            (
                "one odd week does not matter",
                "61 59",
                &["100 100", "1000 1", "100 100"],
                ".#",
            ),
            (
                "two known: their mean",
                "89 91",
                &["100 100", "200 200"],
                "#.",
            ),
            ("one is enough", "59 61", &["? ?", "100 100", "? ?"], "#."),
            ("nothing known of the past", "59 61", &["? ?", "? ?"], "--"),
            ("nothing known now", "? 59", &["100 100"], "?#"),
            ("nothing then and nothing now", "0 0", &["0 0", "0 0"], ".."),
            ("all gone", "0", &["100"], "#"),
        ] {
            let past: Vec<Slices<f64>> = past.iter().map(|text| rates(text)).collect();
            let slices = below_usual(&rates(now), &past, 0.6, &mut Noted::default());
            let letter = |(_, judged): &(Timestamp, Option<Option<bool>>)| match judged {
                None => '?',
                Some(None) => '-',
                Some(Some(true)) => '#',
                Some(Some(false)) => '.',
            };
            let letters: String = slices.iter().map(letter).collect();
            assert_eq!(letters, expected, "{name}");
        }
    }
}
