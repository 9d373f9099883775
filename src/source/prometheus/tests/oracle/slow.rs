//! The slow decoder: from the whole JSON to what it says.

use std::collections::BTreeMap;

use crate::domain::time::Timestamp;

use super::json::{Json, Other};
use super::{Outcome, RANGE, Samples};

fn point(json: &Json) -> Result<(i64, u64), Other> {
    let [Json::Number(seconds), Json::Text(value)] = json.list()? else {
        return Err(Other);
    };
    let value: f64 = value.parse().map_err(|_| Other)?;
    #[expect(clippy::cast_possible_truncation, reason = "so does the decoder")]
    let millis = (seconds * 1_000.0).round() as i64;
    Ok((
        millis,
        if value.is_nan() { f64::NAN } else { value }.to_bits(),
    ))
}

fn labels(metric: &Json) -> Result<BTreeMap<String, String>, Other> {
    let Json::Object(pairs) = metric else {
        return Err(Other);
    };
    let mut labels = BTreeMap::new();
    for (name, value) in pairs {
        labels.insert(name.clone(), value.text()?.to_owned());
    }
    labels.retain(|_, value| !value.is_empty());
    Ok(labels)
}

/// In range, sorted; of a time that comes twice the first value.
fn tidy(points: impl IntoIterator<Item = (i64, u64)>) -> Samples {
    let mut kept = BTreeMap::new();
    for (at, value) in points {
        if RANGE.contains(Timestamp::from_millis(at)) {
            kept.entry(at).or_insert(value);
        }
    }
    kept.into_iter().collect()
}

pub(super) fn outcome(answer: &Json) -> Result<Outcome, Other> {
    let status = answer.key("status")?.ok_or(Other)?.text()?;
    for field in ["error", "errorType"] {
        answer.some(field)?.map(Json::text).transpose()?;
    }
    let list = |key| {
        Ok(answer
            .some(key)?
            .map(Json::texts)
            .transpose()?
            .unwrap_or_default())
    };
    let (warnings, infos) = (list("warnings")?, list("infos")?);
    let is_partial = match answer.key("isPartial")? {
        None => false,
        Some(Json::Bool(partial)) => *partial,
        Some(_) => return Err(Other),
    };
    let data = answer.some("data")?;
    let read = data.map(result).transpose()?;
    if status == "error" {
        return Ok(Outcome::Refused);
    }
    let (Some(data), "success") = (data, status) else {
        return Err(Other);
    };
    let kind = data.key("resultType")?.ok_or(Other)?.text()?;
    let (series, histograms, single) = read.unwrap_or_default();
    let kind = match (kind, single) {
        ("matrix", None) => "matrix",
        ("vector", None) => "vector",
        ("scalar", Some(Some(_))) => "scalar",
        ("string", Some(_)) => return Ok(Outcome::WrongShape),
        _ => return Err(Other),
    };
    let series = match single.flatten() {
        Some(point) => vec![(BTreeMap::new(), tidy([point]))],
        None => series,
    };
    Ok(Outcome::Data {
        kind,
        series: series
            .into_iter()
            .filter(|(_, samples)| !samples.is_empty())
            .collect(),
        histograms,
        warnings: warnings.len() + usize::from(is_partial),
        infos,
    })
}

type Read = (
    Vec<(BTreeMap<String, String>, Samples)>,
    usize,
    Option<Option<(i64, u64)>>,
);

/// The series, the number of histograms, and a single point or text where it is one.
fn result(data: &Json) -> Result<Read, Other> {
    data.key("resultType")?.ok_or(Other)?.text()?;
    let items = data.key("result")?.ok_or(Other)?.list()?;
    if let Some(Json::Number(_)) = items.first() {
        let [_, Json::Text(_)] = items else {
            return Err(Other);
        };
        let single = point(&Json::List(items.to_vec()));
        return Ok((Vec::new(), 0, Some(single.ok())));
    }
    let (mut series, mut histograms) = (Vec::new(), 0);
    for item in items {
        let labels = labels(item.key("metric")?.ok_or(Other)?)?;
        let Json::Object(pairs) = item else {
            return Err(Other);
        };
        let mut points = Vec::new();
        item.key("values")?;
        item.some("value")?;
        for (name, value) in pairs {
            match (name.as_str(), value) {
                ("values", list) => {
                    let list = list.list()?.iter().map(point);
                    points.extend(list.collect::<Result<Vec<_>, _>>()?);
                }
                ("value", Json::Null) => {}
                ("value", single) => points.push(point(single)?),
                _ => {}
            }
        }
        let is_histogram = |(name, value): &(String, Json)| {
            matches!(name.as_str(), "histogram" | "histograms") && *value != Json::Null
        };
        if pairs.iter().any(is_histogram) {
            histograms += 1;
        } else {
            series.push((labels, tidy(points)));
        }
    }
    Ok((series, histograms, None))
}
