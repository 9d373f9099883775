//! A series of an answer with native histograms: read whole before the counters that it stands for are written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess};

use crate::series::batch::BatchWriter;

use super::super::histogram::{self, Bucket, Point, Thresholds};
use super::once;
use super::pair::{Number, time};
use super::series::ItemKey;

/// Writes a series of native histograms; one of plain numbers is left out.
pub(super) fn series<'de, A: MapAccess<'de>>(
    writer: &mut BatchWriter,
    thresholds: &Thresholds,
    mut map: A,
) -> Result<(), A::Error> {
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
        histogram::write(writer, &labels, points, thresholds);
    }
    Ok(())
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
