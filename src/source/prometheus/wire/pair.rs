//! The parts of a pair of time and value, as they stand in every answer.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Unexpected, Visitor};

use crate::domain::time::Timestamp;

/// A number as Prometheus writes it: a text, `NaN`, `+Inf` and `-Inf` among them.
pub(super) struct Number(pub(super) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        text.parse()
            .map(Number)
            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// A pair has two parts.
pub(super) fn end<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    match seq.next_element::<IgnoredAny>()? {
        None => Ok(()),
        Some(_) => Err(A::Error::invalid_length(3, &"a time and a value")),
    }
}

/// What is due and does not come.
pub(super) fn missing<E: Error>(what: &'static str) -> E {
    E::invalid_length(0, &what)
}

/// Seconds as a float have a grain of a quarter microsecond in our days, so rounding finds the true millisecond.
#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and then lies outside of every range"
)]
pub(super) fn time(secs: f64) -> Timestamp {
    Timestamp::from_millis((secs * 1_000.0).round() as i64)
}
