//! What is promised, and how fast the promise is being broken.

use std::fmt;
use std::str::FromStr;

use super::decimal::{Decimal, Fraction};
use super::slot::Counts;

/// The share of good events (or good slices) promised: over 0 % and up to 100 %, an exact decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Objective {
    percent: Decimal,
}

/// Why a text is not an objective.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectiveError {
    /// Not a number.
    #[error("`{0}` is not a percentage; write it as 99.9%")]
    Syntax(String),
    /// A share where a percentage is due.
    #[error("an objective of {given} is below 1 %; did you mean {meant}%?")]
    Share {
        /// As written.
        given: String,
        /// The same share in percent.
        meant: Decimal,
    },
    /// Zero or less.
    #[error("an objective of {0}% promises nothing; write one over 0% and up to 100%")]
    Nothing(Decimal),
    /// More than everything.
    #[error("an objective of {0}% promises more than everything; write one over 0% and up to 100%")]
    TooMuch(Decimal),
}

impl Objective {
    /// The promise in percent, as written.
    pub const fn percent(self) -> Decimal {
        self.percent
    }

    /// The promise as a share, 0..1, for display.
    pub fn ratio(self) -> f64 {
        self.percent.shifted(-2).to_f64()
    }

    /// The percentage of bad events that the promise allows: `0.1` for 99.9 %, exact.
    pub const fn allowed_percent(self) -> Decimal {
        Decimal::new(100, 0).minus(self.percent)
    }

    /// The share of bad events that the promise allows: 1 − objective, exact.
    pub fn allowance(self) -> Fraction {
        Fraction::ONE.minus(self.percent.shifted(-2).fraction())
    }
}

impl FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Self, ObjectiveError> {
        let text = text.trim();
        let number = text.strip_suffix('%').map_or(text, str::trim_end);
        let percent: Decimal = number
            .parse()
            .map_err(|_| ObjectiveError::Syntax(text.to_owned()))?;
        let value = percent.fraction();
        if value <= Fraction::new(0, 1) {
            return Err(ObjectiveError::Nothing(percent));
        }
        if value > Fraction::new(100, 1) {
            return Err(ObjectiveError::TooMuch(percent));
        }
        if value < Fraction::ONE && !text.ends_with('%') {
            return Err(ObjectiveError::Share {
                given: text.to_owned(),
                meant: percent.shifted(2),
            });
        }
        Ok(Self { percent })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent)
    }
}

/// How many times faster than allowed the budget is being spent: error ratio / (1 − objective).
///
/// Infinite when anything at all is bad under an objective of 100 %.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct BurnRate(f64);

impl BurnRate {
    /// The burn rate of these counts; `None` without events.
    pub fn of(counts: Counts, objective: Objective) -> Option<Self> {
        counts.error_ratio()?;
        let allowed = objective.allowance();
        // 0/0 under a promise of 100 %: nothing bad burns nothing.
        if counts.bad == 0.0 {
            return Some(Self(0.0));
        }
        let (above, below) = (
            Fraction::new(allowed.denominator(), 1),
            Fraction::new(allowed.numerator(), 1),
        );
        Some(Self(
            counts.bad * above.to_f64() / (counts.total * below.to_f64()),
        ))
    }

    /// As a plain number, at least 0.
    pub const fn get(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_percentages_of_more_than_nothing() {
        for (text, printed) in [
            ("99.9%", "99.9%"),
            ("99.9", "99.9%"),
            (" 99.90 % ", "99.9%"),
            ("100%", "100%"),
            ("0.5%", "0.5%"),
        ] {
            assert_eq!(
                text.parse::<Objective>().map(|o| o.to_string()),
                Ok(printed.to_owned()),
                "{text}"
            );
        }
        for (text, sentence) in [
            (
                "0.999",
                "an objective of 0.999 is below 1 %; did you mean 99.9%?",
            ),
            (
                "0%",
                "an objective of 0% promises nothing; write one over 0% and up to 100%",
            ),
            (
                "-1",
                "an objective of -1% promises nothing; write one over 0% and up to 100%",
            ),
            (
                "100.5",
                "an objective of 100.5% promises more than everything; write one over 0% and up to 100%",
            ),
            ("high", "`high` is not a percentage; write it as 99.9%"),
        ] {
            assert_eq!(
                text.parse::<Objective>().map_err(|e| e.to_string()),
                Err(sentence.to_owned())
            );
        }
    }

    #[test]
    fn burn_is_the_error_ratio_over_the_allowance() {
        let objective: Objective = "99.9%".parse().unwrap();
        let burn = |bad, total| BurnRate::of(Counts { bad, total }, objective).map(BurnRate::get);
        assert_eq!(burn(0.0, 0.0), None);
        assert_eq!(burn(0.0, 10.0), Some(0.0));
        assert_eq!(burn(144.0, 10_000.0), Some(14.4));
        let perfect: Objective = "100".parse().unwrap();
        assert_eq!(
            BurnRate::of(
                Counts {
                    bad: 1.0,
                    total: 9.0
                },
                perfect
            )
            .map(BurnRate::get),
            Some(f64::INFINITY)
        );
        assert_eq!(
            BurnRate::of(
                Counts {
                    bad: 0.0,
                    total: 9.0
                },
                perfect
            )
            .map(BurnRate::get),
            Some(0.0)
        );
    }
}
