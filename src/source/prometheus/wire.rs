//! The JSON of the query API, read in one pass that borrows what it can.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;
use crate::series::batch::{Sample, Series};

/// What every answer is wrapped in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    #[serde(borrow)]
    pub(super) data: Option<Data<'a>>,
    #[serde(borrow)]
    pub(super) error_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) error: Option<Text<'a>>,
    pub(super) warnings: Option<Vec<String>>,
    pub(super) infos: Option<Vec<String>>,
    /// VictoriaMetrics' way to say what others say with a warning.
    #[serde(default)]
    pub(super) is_partial: bool,
}

/// A result with its type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) result_type: Text<'a>,
    #[serde(borrow)]
    pub(super) result: Outcome<'a>,
}

/// Serde borrows a `Cow<str>` only when it is told to, which it cannot be inside of tuples.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A result before its type is known, which may come after it: a list of series, or a time and a text.
pub(super) enum Outcome<'a> {
    Series(Found),
    Single(Timestamp, Cow<'a, str>),
}

/// The series of a result.
#[derive(Default)]
pub(super) struct Found {
    pub(super) series: Vec<Series>,
    pub(super) histograms: usize,
}

impl Found {
    fn take(&mut self, item: Item) {
        if item.histogram.is_some() || item.histograms.is_some() {
            self.histograms += 1;
            return;
        }
        let mut samples: Vec<Sample> = item.values.into_iter().map(|point| point.0).collect();
        samples.extend(item.value.map(|point| point.0));
        self.series.push(Series {
            labels: item.metric.0,
            samples,
        });
    }
}

#[derive(Deserialize)]
struct Item {
    metric: Metric,
    #[serde(default)]
    values: Vec<Point>,
    value: Option<Point>,
    histogram: Option<IgnoredAny>,
    histograms: Option<IgnoredAny>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Outcome<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OutcomeVisitor)
    }
}

struct OutcomeVisitor;

impl<'de> Visitor<'de> for OutcomeVisitor {
    type Value = Outcome<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of series, or a time and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut found = Found::default();
        match seq.next_element()? {
            None => return Ok(Outcome::Series(found)),
            Some(First::Time(at)) => {
                let text: Text = seq.next_element()?.ok_or_else(|| missing("a value"))?;
                end(&mut seq)?;
                return Ok(Outcome::Single(at, text.0));
            }
            Some(First::Item(item)) => found.take(item),
        }
        while let Some(item) = seq.next_element()? {
            found.take(item);
        }
        Ok(Outcome::Series(found))
    }
}

enum First {
    Item(Item),
    Time(Timestamp),
}

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FirstVisitor)
    }
}

struct FirstVisitor;

impl<'de> Visitor<'de> for FirstVisitor {
    type Value = First;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a series or a time")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<First, A::Error> {
        Item::deserialize(MapAccessDeserializer::new(map)).map(First::Item)
    }

    fn visit_f64<E>(self, secs: f64) -> Result<First, E> {
        Ok(First::Time(time(secs)))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since the epoch are far below 2^53"
    )]
    fn visit_u64<E>(self, secs: u64) -> Result<First, E> {
        Ok(First::Time(time(secs as f64)))
    }
}

struct Metric(Labels);

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetricVisitor)
    }
}

struct MetricVisitor;

impl<'de> Visitor<'de> for MetricVisitor {
    type Value = Metric;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("label names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metric, A::Error> {
        let mut pairs = Vec::with_capacity(16);
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            pairs.push((name, value));
        }
        Ok(Metric(pairs.into_iter().collect()))
    }
}

/// `[seconds, "value"]`
struct Point(Sample);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(PointVisitor)
    }
}

struct PointVisitor;

impl<'de> Visitor<'de> for PointVisitor {
    type Value = Point;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a time and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Point, A::Error> {
        let secs = seq.next_element()?.ok_or_else(|| missing("a time"))?;
        let Number(value) = seq.next_element()?.ok_or_else(|| missing("a value"))?;
        end(&mut seq)?;
        Ok(Point(Sample {
            at: time(secs),
            value,
        }))
    }
}

/// A number as Prometheus writes it: a text, `NaN`, `+Inf` and `-Inf` among them.
struct Number(f64);

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
fn end<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    match seq.next_element::<IgnoredAny>()? {
        None => Ok(()),
        Some(_) => Err(A::Error::invalid_length(3, &"a time and a value")),
    }
}

fn missing<E: Error>(what: &'static str) -> E {
    E::invalid_length(0, &what)
}

/// Seconds as a float have a grain of a quarter microsecond in our days, so rounding finds the true millisecond.
#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and then lies outside of every range"
)]
fn time(secs: f64) -> Timestamp {
    Timestamp::from_millis((secs * 1_000.0).round() as i64)
}
