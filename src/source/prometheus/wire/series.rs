//! A series of an answer with plain numbers: labels and samples are written as they come.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::series::batch::{BatchWriter, Sample};

use super::super::histogram::Thresholds;
use super::native;
use super::pair::{Number, end, missing, time};
use super::{Text, once};

/// Writes one series.
pub(super) struct Item<'w> {
    pub(super) writer: &'w mut BatchWriter,
    /// If there are any, the series is one of native histograms; one of plain numbers is left out then.
    pub(super) thresholds: &'w Thresholds,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
pub(super) enum ItemKey {
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
        if !self.thresholds.is_empty() {
            return native::series(self.writer, self.thresholds, map);
        }
        let writer = self.writer;
        let (mut metric, mut values, mut value) = (None, None, None);
        let mut histograms = None;
        while let Some(key) = map.next_key()? {
            match key {
                ItemKey::Metric => {
                    once(&mut metric, Some(map.next_value_seed(Metric(writer))?))?;
                }
                ItemKey::Values => {
                    once(&mut values, Some(map.next_value_seed(Points(writer))?))?;
                }
                ItemKey::Value => {
                    once(
                        &mut value,
                        map.next_value::<Option<Plain>>()?
                            .map(|point| writer.sample(point.0)),
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
            Some(_) => writer.drop_histogram(),
            None => writer.end_series(),
        }
        Ok(())
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
