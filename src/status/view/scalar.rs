//! Numbers, times and lengths as they are written in JSON.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::time::{Span, Timestamp};

/// The largest count up to which every whole number has its own float: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A count: whole numbers are written without a decimal point.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Deserialize)]
#[serde(transparent)]
pub struct Count(pub f64);

impl Count {
    /// A whole number.
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers that people write are far below 2^53"
    )]
    pub const fn of(number: u64) -> Self {
        Self(number as f64)
    }
}

impl Serialize for Count {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and within 2^53"
    )]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() <= EXACT {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// `value` where JSON can say it; `None` for infinities.
pub fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// A point in time, as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        Ok(Self(time.into()))
    }
}

/// A length of time in Prometheus' grammar: `5m`, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(pub Span);

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The grammar of definitions has no length of nothing; a status may show one.
        if text == "0s" {
            return Ok(Self(Span::ZERO));
        }
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_times_and_lengths_are_written_exactly_and_read_back() {
        for (count, text) in [
            (1204.0, "1204"),
            (0.0, "0"),
            (EXACT, "9007199254740992"),
            (0.5, "0.5"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(serde_json::to_string(&Count(count)).unwrap(), text);
            assert_eq!(serde_json::from_str::<Count>(text).unwrap(), Count(count));
        }
        for (millis, text) in [
            (1_767_225_600_000, "\"2026-01-01T00:00:00Z\""),
            (1_767_225_600_250, "\"2026-01-01T00:00:00.25Z\""),
        ] {
            let time = Time(Timestamp::from_millis(millis));
            assert_eq!(serde_json::to_string(&time).unwrap(), text);
            assert_eq!(serde_json::from_str::<Time>(text).unwrap(), time);
        }
        for (span, text) in [(Span::ZERO, "\"0s\""), (Span::from_hours(36), "\"1d12h\"")] {
            assert_eq!(serde_json::to_string(&Length(span)).unwrap(), text);
            assert_eq!(serde_json::from_str::<Length>(text).unwrap(), Length(span));
        }
        assert_eq!(finite(f64::NEG_INFINITY), None);
    }
}
