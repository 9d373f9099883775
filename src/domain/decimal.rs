//! Exact numbers: decimals as people write them, and the fractions that comparisons are made with.

use std::fmt;
use std::str::FromStr;

/// A decimal number as it was written: `99.95` is 9995 / 10², never a binary float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    digits: i64,
    scale: u32,
}

/// Why a text is not a decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a decimal number of at most 15 digits")]
pub struct DecimalError(pub String);

impl Decimal {
    /// `digits` / 10^`scale`, without trailing zeros.
    pub const fn new(digits: i64, scale: u32) -> Self {
        let (mut digits, mut scale) = (digits, scale);
        while scale > 0 && digits % 10 == 0 {
            digits /= 10;
            scale -= 1;
        }
        Self { digits, scale }
    }

    /// The same number as a fraction.
    pub fn fraction(self) -> Fraction {
        Fraction::new(self.digits.into(), 10_i128.pow(self.scale))
    }

    /// The nearest binary float, for display only.
    pub fn to_f64(self) -> f64 {
        self.fraction().to_f64()
    }

    /// The exact difference.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        let scale = if self.scale > other.scale {
            self.scale
        } else {
            other.scale
        };
        let left = self.digits * 10_i64.pow(scale - self.scale);
        let right = other.digits * 10_i64.pow(scale - other.scale);
        Self::new(left - right, scale)
    }

    /// This number times 10^`power`; a negative power divides.
    pub const fn shifted(self, power: i32) -> Self {
        if power <= 0 {
            return Self::new(self.digits, self.scale + power.unsigned_abs());
        }
        let (mut digits, mut scale, mut left) = (self.digits, self.scale, power);
        while left > 0 {
            if scale > 0 {
                scale -= 1;
            } else {
                digits *= 10;
            }
            left -= 1;
        }
        Self::new(digits, scale)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let error = || DecimalError(text.to_owned());
        let (sign, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
            return Err(error());
        }
        if unsigned.contains('.') && decimals.is_empty() || whole.len() + decimals.len() > 15 {
            return Err(error());
        }
        let digits: i64 = format!("{whole}{decimals}").parse().map_err(|_| error())?;
        let scale = u32::try_from(decimals.len()).map_err(|_| error())?;
        Ok(Self::new(sign * digits, scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        if self.scale == 0 {
            return write!(f, "{}", self.digits);
        }
        let power = 10_u64.pow(self.scale);
        let digits = self.digits.unsigned_abs();
        let width = self.scale as usize;
        write!(f, "{sign}{}.{:0width$}", digits / power, digits % power)
    }
}

/// An exact fraction in lowest terms with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fraction {
    numerator: i128,
    denominator: i128,
}

impl Fraction {
    /// One.
    pub const ONE: Self = Self {
        numerator: 1,
        denominator: 1,
    };

    /// `numerator` / `denominator` in lowest terms; a denominator of zero counts as one.
    pub const fn new(numerator: i128, denominator: i128) -> Self {
        if denominator == 0 {
            return Self {
                numerator,
                denominator: 1,
            };
        }
        let (mut a, mut b) = (numerator.unsigned_abs(), denominator.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = if denominator < 0 {
            -a.cast_signed()
        } else {
            a.cast_signed()
        };
        Self {
            numerator: numerator / divisor,
            denominator: denominator / divisor,
        }
    }

    /// What stands above the line.
    pub const fn numerator(self) -> i128 {
        self.numerator
    }

    /// What stands below the line; always positive.
    pub const fn denominator(self) -> i128 {
        self.denominator
    }

    /// The exact product.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        Self::new(
            self.numerator * other.numerator,
            self.denominator * other.denominator,
        )
    }

    /// The exact difference.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self::new(
            self.numerator * other.denominator - other.numerator * self.denominator,
            self.denominator * other.denominator,
        )
    }

    /// The nearest binary float.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the nearest float is what is asked for"
    )]
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.numerator * other.denominator).cmp(&(other.numerator * self.denominator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_and_printed_as_written() {
        for (text, printed) in [
            ("99.9", "99.9"),
            ("99.90", "99.9"),
            ("100", "100"),
            ("0.05", "0.05"),
            ("-1.5", "-1.5"),
        ] {
            assert_eq!(
                text.parse::<Decimal>().map(|d| d.to_string()),
                Ok(printed.to_owned())
            );
        }
        for text in ["", ".", "1.", ".5", "1e3", "NaN", "1,5", "1234567890123456"] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError(text.to_owned())));
        }
    }

    #[test]
    fn fractions_are_exact_where_binary_floats_are_not() {
        let percent = |text: &str| text.parse::<Decimal>().unwrap().shifted(-2).fraction();
        let allowance = Fraction::ONE.minus(percent("99.9"));
        assert_eq!(allowance, Fraction::new(1, 1_000));
        assert_eq!(
            Decimal::new(144, 1).fraction().times(allowance),
            Fraction::new(144, 10_000)
        );
        assert!(Fraction::new(1, 3) > Fraction::new(333, 1_000));
        assert_eq!(Decimal::new(144, 1).shifted(3), Decimal::new(14_400, 0));
    }
}
