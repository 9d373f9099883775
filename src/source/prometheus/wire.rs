//! The JSON of the query API, read in one pass: labels and samples go straight into the batch, and nothing else is kept.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use crate::domain::time::{TimeRange, Timestamp};
use crate::series::batch::{Batch, BatchWriter, Sample};

use super::histogram::{self, Bucket, Point, Thresholds};

/// What every answer is wrapped in.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    pub(super) status: Option<Text<'a>>,
    pub(super) data: Option<Data<'a>>,
    pub(super) error_type: Option<Text<'a>>,
    pub(super) error: Option<Text<'a>>,
    pub(super) warnings: Vec<String>,
    pub(super) infos: Vec<String>,
    /// VictoriaMetrics' way to say what others say with a warning.
    pub(super) is_partial: bool,
}

/// A result with its type.
pub(super) struct Data<'a> {
    pub(super) result_type: Text<'a>,
    pub(super) result: Outcome<'a>,
}

/// Serde borrows a `Cow<str>` only when it is told to, which it cannot be inside of tuples.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A result before its type is known, which may come after it: a list of series, or a time and a text.
pub(super) enum Outcome<'a> {
    Series(Batch),
    Single(Timestamp, Cow<'a, str>),
}

impl<'a> Envelope<'a> {
    /// Reads an answer and keeps the samples in `range`; of native histograms what lies at or below
    /// `thresholds`, if there are any.
    pub(super) fn read(
        body: &'a [u8],
        range: TimeRange,
        thresholds: &Thresholds,
    ) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let envelope = deserializer.deserialize_map(EnvelopeVisitor(Kept { range, thresholds }))?;
        deserializer.end()?;
        Ok(envelope)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum EnvelopeKey {
    Status,
    Data,
    ErrorType,
    Error,
    Warnings,
    Infos,
    IsPartial,
    #[serde(other)]
    Other,
}

/// What is kept of an answer.
#[derive(Clone, Copy)]
struct Kept<'t> {
    range: TimeRange,
    thresholds: &'t Thresholds,
}

struct EnvelopeVisitor<'t>(Kept<'t>);

impl<'de> Visitor<'de> for EnvelopeVisitor<'_> {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
        let mut found = Envelope::default();
        let (mut warnings, mut infos, mut partial, mut data) = (None, None, None, None);
        while let Some(key) = map.next_key()? {
            match key {
                EnvelopeKey::Status => once(&mut found.status, Some(map.next_value()?))?,
                EnvelopeKey::Data => once(&mut data, map.next_value_seed(DataSeed(self.0))?)?,
                EnvelopeKey::ErrorType => once(&mut found.error_type, map.next_value()?)?,
                EnvelopeKey::Error => once(&mut found.error, map.next_value()?)?,
                EnvelopeKey::Warnings => once(&mut warnings, map.next_value()?)?,
                EnvelopeKey::Infos => once(&mut infos, map.next_value()?)?,
                EnvelopeKey::IsPartial => once(&mut partial, Some(map.next_value()?))?,
                EnvelopeKey::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if found.status.is_none() {
            return Err(A::Error::missing_field("status"));
        }
        Ok(Envelope {
            data,
            warnings: warnings.unwrap_or_default(),
            infos: infos.unwrap_or_default(),
            is_partial: partial.unwrap_or_default(),
            ..found
        })
    }
}

/// Fills a slot; `null` is as good as nothing. A key that comes twice makes an answer that nobody can be sure of.
fn once<T, E: Error>(slot: &mut Option<T>, value: Option<T>) -> Result<(), E> {
    if slot.is_some() && value.is_some() {
        return Err(E::custom("a key comes twice"));
    }
    *slot = slot.take().or(value);
    Ok(())
}

struct DataSeed<'t>(Kept<'t>);

impl<'de> DeserializeSeed<'de> for DataSeed<'_> {
    type Value = Option<Data<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum DataKey {
    ResultType,
    Result,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for DataSeed<'_> {
    type Value = Option<Data<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a result with its type")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut result_type, mut result) = (None, None);
        while let Some(key) = map.next_key()? {
            match key {
                DataKey::ResultType => once(&mut result_type, Some(map.next_value()?))?,
                DataKey::Result => {
                    let series = Results(BatchWriter::new(self.0.range), self.0.thresholds);
                    once(&mut result, Some(map.next_value_seed(series)?))?;
                }
                DataKey::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Some(Data {
            result_type: result_type.ok_or_else(|| A::Error::missing_field("resultType"))?,
            result: result.ok_or_else(|| A::Error::missing_field("result"))?,
        }))
    }
}

/// Writes all series of a result.
struct Results<'t>(BatchWriter, &'t Thresholds);

impl<'de> DeserializeSeed<'de> for Results<'_> {
    type Value = Outcome<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Results<'_> {
    type Value = Outcome<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of series, or a time and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self::Value, A::Error> {
        if let Some(Some(at)) = seq.next_element_seed(First(&mut self.0, self.1))? {
            let text: Text = seq.next_element()?.ok_or_else(|| missing("a value"))?;
            end(&mut seq)?;
            return Ok(Outcome::Single(at, text.0));
        }
        while seq.next_element_seed(Item(&mut self.0, self.1))?.is_some() {}
        Ok(Outcome::Series(self.0.finish()))
    }
}

/// The first of a result: a time, or a series that is written.
struct First<'w>(&'w mut BatchWriter, &'w Thresholds);

impl<'de> DeserializeSeed<'de> for First<'_> {
    type Value = Option<Timestamp>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for First<'_> {
    type Value = Option<Timestamp>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a series or a time")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Item(self.0, self.1).visit_map(map).map(|()| None)
    }

    fn visit_f64<E>(self, secs: f64) -> Result<Self::Value, E> {
        Ok(Some(time(secs)))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since the epoch are far below 2^53"
    )]
    fn visit_u64<E>(self, secs: u64) -> Result<Self::Value, E> {
        Ok(Some(time(secs as f64)))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds before the epoch are far above -2^53"
    )]
    fn visit_i64<E>(self, secs: i64) -> Result<Self::Value, E> {
        Ok(Some(time(secs as f64)))
    }
}

/// Writes one series.
struct Item<'w>(&'w mut BatchWriter, &'w Thresholds);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum ItemKey {
    Metric,
    Values,
    Value,
    Histogram,
    Histograms,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a series")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if !self.1.is_empty() {
            return self.histogram(map);
        }
        let (mut metric, mut values, mut value) = (None, None, None);
        let mut histograms = None;
        while let Some(key) = map.next_key()? {
            match key {
                ItemKey::Metric => {
                    once(&mut metric, Some(map.next_value_seed(Metric(self.0))?))?;
                }
                ItemKey::Values => {
                    once(&mut values, Some(map.next_value_seed(Points(self.0))?))?;
                }
                ItemKey::Value => {
                    once(
                        &mut value,
                        map.next_value::<Option<Plain>>()?
                            .map(|point| self.0.sample(point.0)),
                    )?;
                }
                ItemKey::Histogram | ItemKey::Histograms => {
                    let found: Option<IgnoredAny> = map.next_value()?;
                    histograms = histograms.or(found);
                }
                ItemKey::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        metric.ok_or_else(|| A::Error::missing_field("metric"))?;
        match histograms {
            Some(_) => self.0.drop_histogram(),
            None => self.0.end_series(),
        }
        Ok(())
    }
}

impl Item<'_> {
    /// Writes a series of native histograms; one of plain numbers is left out.
    fn histogram<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut metric, mut several, mut single) = (None, None, None);
        while let Some(key) = map.next_key()? {
            match key {
                ItemKey::Metric => once(&mut metric, Some(map.next_value::<Pairs>()?))?,
                ItemKey::Histograms => once(&mut several, map.next_value::<Option<Vec<_>>>()?)?,
                ItemKey::Histogram => once(&mut single, map.next_value::<Option<_>>()?)?,
                ItemKey::Values | ItemKey::Value | ItemKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let Pairs(labels) = metric.ok_or_else(|| A::Error::missing_field("metric"))?;
        let points = several.unwrap_or_default().into_iter().chain(single);
        let points: Vec<Point> = points.map(|HistogramPoint(point)| point).collect();
        if !points.is_empty() {
            histogram::write(self.0, &labels, points, self.1);
        }
        Ok(())
    }
}

/// Labels before it is known what is written of them.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(Self(pairs.into_iter().collect()))
    }
}

/// `[seconds, {"count": "3", "sum": "2", "buckets": [[rule, "lower", "upper", "count"], …]}]`
struct HistogramPoint(Point);

#[derive(Deserialize)]
struct HistogramBody {
    count: Number,
    #[serde(default)]
    buckets: Vec<(IgnoredAny, Number, Number, Number)>,
}

impl<'de> Deserialize<'de> for HistogramPoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (secs, body) = <(f64, HistogramBody)>::deserialize(deserializer)?;
        let bucket = |(_, lower, upper, count): (IgnoredAny, Number, Number, Number)| Bucket {
            lower: lower.0,
            upper: upper.0,
            count: count.0,
        };
        Ok(Self(Point {
            at: time(secs),
            count: body.count.0,
            buckets: body.buckets.into_iter().map(bucket).collect(),
        }))
    }
}

/// Writes the labels of a series.
struct Metric<'w>(&'w mut BatchWriter);

impl<'de> DeserializeSeed<'de> for Metric<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metric<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("label names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            self.0.label(&name, &value);
        }
        Ok(())
    }
}

/// Writes the samples of a series.
struct Points<'w>(&'w mut BatchWriter);

impl<'de> DeserializeSeed<'de> for Points<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Points<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(Plain(sample)) = seq.next_element()? {
            self.0.sample(sample);
        }
        Ok(())
    }
}

/// `[seconds, "value"]`
struct Plain(Sample);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(PointVisitor)
    }
}

struct PointVisitor;

impl<'de> Visitor<'de> for PointVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a time and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Plain, A::Error> {
        let secs = seq.next_element()?.ok_or_else(|| missing("a time"))?;
        let Number(value) = seq.next_element()?.ok_or_else(|| missing("a value"))?;
        end(&mut seq)?;
        Ok(Plain(Sample {
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
