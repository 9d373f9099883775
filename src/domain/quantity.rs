//! Thresholds with what they were written in, and on which side of them all is well.

use std::fmt;

use super::decimal::{Decimal, Fraction};
use super::time::Span;

/// On which side of a threshold all is well. Exactly at it, it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Bad when above.
    AtMost(Quantity),
    /// Bad when below.
    AtLeast(Quantity),
}

impl Bound {
    /// The threshold.
    pub const fn quantity(self) -> Quantity {
        match self {
            Self::AtMost(quantity) | Self::AtLeast(quantity) => quantity,
        }
    }
}

/// A threshold in base units: seconds, bytes, shares, events per second, or whatever a gauge shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantity {
    /// How many of the base unit.
    pub value: Fraction,
    /// What it was written in.
    pub unit: Unit,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |factor: Fraction| {
            let many = self.value.times(factor);
            (many.denominator() == 1).then(|| many.numerator())
        };
        match self.unit {
            Unit::Plain => write!(f, "{}", rounded(self.value)),
            Unit::Percent => write!(f, "{}%", rounded(self.value.times(Fraction::new(100, 1)))),
            Unit::Time => {
                let millis = whole(Fraction::new(1_000, 1)).and_then(|it| i64::try_from(it).ok());
                match millis {
                    Some(millis) => write!(f, "{}", Span::from_millis(millis)),
                    None => write!(f, "{}s", rounded(self.value)),
                }
            }
            Unit::Bytes => {
                let fits = |(size, _): &&(i128, &str)| {
                    whole(Fraction::new(1, *size)).is_some_and(|many| many != 0)
                };
                let (size, name) = SIZES.iter().find(fits).unwrap_or(&(1, "B"));
                write!(
                    f,
                    "{}{name}",
                    rounded(self.value.times(Fraction::new(1, *size)))
                )
            }
            Unit::PerSecond => {
                let units = [(1, "s"), (60, "m"), (3_600, "h")];
                let fits =
                    |(seconds, _): &&(i128, &str)| whole(Fraction::new(*seconds, 1)).is_some();
                let (seconds, name) = units.iter().find(fits).unwrap_or(&(1, "s"));
                let many = self.value.times(Fraction::new(*seconds, 1));
                write!(f, "{}/{name}", rounded(many))
            }
        }
    }
}

/// For display: without the noise of binary floats.
fn rounded(value: Fraction) -> f64 {
    (value.to_f64() * 1e9).round() / 1e9
}

/// Sizes of data in bytes, with their names; the first that fits is written.
pub const SIZES: [(i128, &str); 9] = [
    (1 << 40, "TiB"),
    (1 << 30, "GiB"),
    (1 << 20, "MiB"),
    (1 << 10, "KiB"),
    (1_000_000_000_000, "TB"),
    (1_000_000_000, "GB"),
    (1_000_000, "MB"),
    (1_000, "kB"),
    (1, "B"),
];

/// How a threshold is broken, for words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// By values above it.
    Above,
    /// By values below it.
    Below,
    /// By using more than this share of a limit.
    OverLimit,
    /// By being older.
    Older,
    /// By being further below what is usual.
    Dropped,
}

impl Breach {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Above,
        Self::Below,
        Self::OverLimit,
        Self::Older,
        Self::Dropped,
    ];

    /// The name under which it is kept.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::Below => "below",
            Self::OverLimit => "overLimit",
            Self::Older => "older",
            Self::Dropped => "dropped",
        }
    }
}

/// What a quantity was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A plain number.
    Plain,
    /// A percentage of one.
    Percent,
    /// A length of time; the base unit is the second.
    Time,
    /// An amount of data; the base unit is the byte.
    Bytes,
    /// Events per second.
    PerSecond,
}

/// What series of times count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
}

impl TimeUnit {
    /// How many of them a second has.
    pub const fn per_second(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Millis => 1_000.0,
        }
    }

    /// So many seconds in this unit.
    pub const fn of_seconds(self, seconds: Decimal) -> Decimal {
        match self {
            Self::Seconds => seconds,
            Self::Millis => seconds.shifted(3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_read_as_they_are_written() {
        let shown = |value: Fraction, unit| Quantity { value, unit }.to_string();
        let times = |n: i128, d: i128| Fraction::new(n, d);
        let cases = [
            shown(times(80, 1), Unit::Plain),
            shown(times(-5, 2), Unit::Plain),
            shown(times(9, 10), Unit::Percent),
            shown(times(1, 8), Unit::Percent),
            shown(times(3, 10), Unit::Time),
            shown(times(3_600, 1), Unit::Time),
            shown(times(1, 10_000), Unit::Time),
            shown(times(2 << 30, 1), Unit::Bytes),
            shown(times(500_000_000, 1), Unit::Bytes),
            shown(times(3 << 29, 1), Unit::Bytes),
            shown(times(0, 1), Unit::Bytes),
            shown(times(5, 1), Unit::PerSecond),
            shown(times(1, 2), Unit::PerSecond),
            shown(times(1, 60), Unit::PerSecond),
            shown(times(1, 3_600), Unit::PerSecond),
            shown(times(3, 10), Unit::PerSecond),
        ];
        insta::assert_snapshot!(cases.join(" "), @"80 -2.5 90% 12.5% 300ms 1h 0.0001s 2GiB 500MB 1536MiB 0B 5/s 30/m 1/m 1/h 18/m");
    }
}
