//! The JSON of the query API, read in one pass: labels and samples go straight into the batch, and nothing else is kept.

mod native;
mod pair;
mod series;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::domain::time::{TimeRange, Timestamp};
use crate::series::batch::{Batch, BatchWriter};

use super::histogram::Thresholds;

use self::pair::{end, missing, time};
use self::series::Item;

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
                    let Kept { range, thresholds } = self.0;
                    let writer = BatchWriter::new(range);
                    let results = Results { writer, thresholds };
                    once(&mut result, Some(map.next_value_seed(results)?))?;
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
struct Results<'t> {
    writer: BatchWriter,
    thresholds: &'t Thresholds,
}

impl Results<'_> {
    /// Writes the series that comes next.
    const fn next(&mut self) -> Item<'_> {
        Item {
            writer: &mut self.writer,
            thresholds: self.thresholds,
        }
    }
}

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
        if let Some(Some(at)) = seq.next_element_seed(First(self.next()))? {
            let text: Text = seq.next_element()?.ok_or_else(|| missing("a value"))?;
            end(&mut seq)?;
            return Ok(Outcome::Single(at, text.0));
        }
        while seq.next_element_seed(self.next())?.is_some() {}
        Ok(Outcome::Series(self.writer.finish()))
    }
}

/// The first of a result: a time, or a series that is written.
struct First<'w>(Item<'w>);

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
        self.0.visit_map(map).map(|()| None)
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

/// Fills a slot; `null` is as good as nothing. A key that comes twice makes an answer that nobody can be sure of.
fn once<T, E: Error>(slot: &mut Option<T>, value: Option<T>) -> Result<(), E> {
    if slot.is_some() && value.is_some() {
        return Err(E::custom("a key comes twice"));
    }
    *slot = slot.take().or(value);
    Ok(())
}
