//! Points in time and lengths of time in whole milliseconds, the grain of Prometheus' samples.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

/// A point in time: whole milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before everything that is ever counted; spans can still be taken off it.
    pub const EARLIEST: Self = Self(i64::MIN / 2);

    /// The time that lies `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The newest multiple of `grain` at or before this time; `grain` must be longer than zero.
    pub const fn floor_to(self, grain: Span) -> Self {
        Self(self.0.div_euclid(grain.0) * grain.0)
    }

    /// The oldest multiple of `grain` at or after this time; `grain` must be longer than zero.
    pub const fn ceil_to(self, grain: Span) -> Self {
        Self(-(-self.0).div_euclid(grain.0) * grain.0)
    }

    /// How long ago `earlier` was; negative when `earlier` lies in the future.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0 - earlier.0)
    }

    /// The same point in time as a `jiff` value, for calendars and printing.
    pub fn to_jiff(self) -> jiff::Timestamp {
        // Saturates outside of the years −9999 to 9999, which no sample reaches.
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(value: jiff::Timestamp) -> Self {
        Self(value.as_millisecond())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, rhs: Span) -> Self {
        Self(self.0 + rhs.0)
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, rhs: Span) -> Self {
        Self(self.0 - rhs.0)
    }
}

/// A length of time in whole milliseconds.
///
/// Written and read in Prometheus' grammar: units `y w d h m s ms` from large to small, whole
/// numbers, `1h30m`. A year is 365 days and a week 7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A length of `millis` milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A length of `secs` seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000)
    }

    /// A length of `minutes` minutes.
    pub const fn from_mins(minutes: i64) -> Self {
        Self(minutes * 60_000)
    }

    /// A length of `hours` hours.
    pub const fn from_hours(hours: i64) -> Self {
        Self(hours * 3_600_000)
    }

    /// A length of `days` days of 24 hours.
    pub const fn from_days(days: i64) -> Self {
        Self(days * 86_400_000)
    }

    /// Whole milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds, with their fraction.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a span of 2^53 ms is 285,000 years"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// This length as a `std` duration; zero when negative.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }

    /// This length times `factor`, rounded down to a millisecond.
    pub fn scaled(self, factor: super::decimal::Fraction) -> Self {
        let scaled = i128::from(self.0) * factor.numerator() / factor.denominator();
        Self(i64::try_from(scaled).unwrap_or(i64::MAX))
    }
}

impl From<std::time::Duration> for Span {
    fn from(value: std::time::Duration) -> Self {
        Self(i64::try_from(value.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0 + rhs.0)
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self(self.0 - rhs.0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let mut rest = self.0.abs();
        for (unit, millis) in UNITS {
            // Years and weeks only when nothing is left over, as Prometheus prints them: 30d, not 4w2d.
            let whole = match unit {
                "y" | "w" if rest % millis != 0 => 0,
                _ => rest / millis,
            };
            if whole > 0 {
                write!(f, "{whole}{unit}")?;
                rest -= whole * millis;
            }
        }
        Ok(())
    }
}

/// Why a text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// `1M`: months differ in length.
    #[error("`{0}`: a month has no fixed length; write 30d")]
    Month(String),
    /// `30`: of what?
    #[error("`{0}` has no unit; write {0}s, {0}m, {0}h or {0}d")]
    Unit(String),
    /// Not in the grammar at all.
    #[error("`{0}` is not a length of time; write it as {example}", example = without_blanks(.0))]
    Syntax(String),
    /// Units must go from large to small, each at most once.
    #[error("`{0}`: units go from large to small, each once, as in 1h30m")]
    Order(String),
    /// Zero or too long to be kept in milliseconds.
    #[error("`{0}` is out of range: longer than zero and at most 100y")]
    Range(String),
}

/// A text without its blanks, where that is a length of time; examples otherwise.
fn without_blanks(text: &str) -> String {
    let dense: String = text.split_whitespace().collect();
    if dense != text && dense.parse::<Span>().is_ok() {
        dense
    } else {
        "30d, 1h30m or 500ms".to_owned()
    }
}

impl SpanError {
    /// Whether `M` is one of the units of a text. Other grammars take it for months, and who writes it for minutes.
    pub fn names_months(text: &str) -> bool {
        let mut units = text.split(|char: char| !char.is_alphabetic());
        units.any(|unit| unit == "M")
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let syntax = || SpanError::Syntax(text.to_owned());
        let mut rest = text;
        let mut total: i64 = 0;
        let mut last_unit = 0;
        if rest.is_empty() {
            return Err(syntax());
        }
        if rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SpanError::Unit(text.to_owned()));
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at_checked(digits).ok_or_else(syntax)?;
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at_checked(letters).ok_or_else(syntax)?;
            if number.is_empty() || unit.is_empty() {
                return Err(syntax());
            }
            if unit == "M" {
                return Err(SpanError::Month(text.to_owned()));
            }
            let index = UNITS
                .iter()
                .position(|(name, _)| *name == unit)
                .ok_or_else(syntax)?;
            if index < last_unit {
                return Err(SpanError::Order(text.to_owned()));
            }
            last_unit = index + 1;
            total = number
                .parse::<i64>()
                .ok()
                .and_then(|number| number.checked_mul(UNITS[index].1))
                .and_then(|millis| total.checked_add(millis))
                .filter(|total| *total <= 100 * UNITS[0].1)
                .ok_or_else(|| SpanError::Range(text.to_owned()))?;
            rest = tail;
        }
        if total == 0 {
            Err(SpanError::Range(text.to_owned()))
        } else {
            Ok(Self(total))
        }
    }
}

/// A left-open range of time, `(from, to]`, as Prometheus' ranges are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// Excluded start.
    pub from: Timestamp,
    /// Included end.
    pub to: Timestamp,
}

impl TimeRange {
    /// All time.
    pub const ALL: Self = Self {
        from: Timestamp(i64::MIN),
        to: Timestamp(i64::MAX),
    };

    /// The shortest range that holds both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }

    /// How long the range is.
    pub const fn length(self) -> Span {
        self.to.since(self.from)
    }

    /// Whether `at` lies in `(from, to]`.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from < at && at <= self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_follow_prometheus_grammar() {
        for (text, millis) in [
            ("30d", 30 * 86_400_000),
            ("4w", 28 * 86_400_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1y", 365 * 86_400_000),
            ("1m5s", 65_000),
        ] {
            assert_eq!(text.parse(), Ok(Span(millis)), "{text}");
        }
        for (text, error) in [
            ("1M", SpanError::Month("1M".into())),
            ("", SpanError::Syntax(String::new())),
            ("5", SpanError::Unit("5".into())),
            ("1.5h", SpanError::Syntax("1.5h".into())),
            ("h", SpanError::Syntax("h".into())),
            ("30m1h", SpanError::Order("30m1h".into())),
            ("1h1h", SpanError::Order("1h1h".into())),
            ("0s", SpanError::Range("0s".into())),
            (
                "99999999999999999999s",
                SpanError::Range("99999999999999999999s".into()),
            ),
            ("é", SpanError::Syntax("é".into())),
        ] {
            assert_eq!(text.parse::<Span>(), Err(error), "{text}");
        }
    }

    #[test]
    fn spans_print_as_people_write_them() {
        for (millis, text) in [
            (30 * 86_400_000, "30d"),
            (28 * 86_400_000, "4w"),
            (5_400_000, "1h30m"),
            (300_000, "5m"),
            (72 * 3_600_000, "3d"),
            (0, "0s"),
            (1_500, "1s500ms"),
        ] {
            assert_eq!(Span(millis).to_string(), text);
        }
    }

    #[test]
    fn times_align_to_a_grid_on_both_sides_of_the_epoch() {
        let grain = Span::from_secs(30);
        for (millis, floor, ceil) in [
            (61_000, 60_000, 90_000),
            (60_000, 60_000, 60_000),
            (-1, -30_000, 0),
        ] {
            assert_eq!(Timestamp(millis).floor_to(grain), Timestamp(floor));
            assert_eq!(Timestamp(millis).ceil_to(grain), Timestamp(ceil));
        }
    }
}
