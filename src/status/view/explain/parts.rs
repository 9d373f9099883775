//! What was counted in an explanation, selector by selector, series by series.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

use super::super::super::explanation::{CountedSeries, Part};
use super::super::super::names::Role;
use super::super::scalar::Count;
use super::{QueryView, labels_of, query_of, steps};

/// The series of one selector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartView {
    /// The name of their sum in the steps; `null` where slices are judged by their values.
    pub symbol: Option<String>,
    /// What they stand for.
    pub role: Role,
    /// The selector, or the expression.
    pub selector: String,
    /// What one event adds to the total, and to the bad; `null` where slices are judged.
    pub weight: Option<WeightView>,
    /// Brings exactly the samples below; `null` of a source that is not asked in PromQL, and of an
    /// expression with more points than Prometheus gives at once.
    pub query: Option<QueryView>,
    /// The events of all series.
    pub events: Option<Count>,
    /// The series that match, those with the most events first.
    pub series: Vec<SeriesView>,
}

/// What one event of a series adds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightView {
    /// To the bad.
    pub bad: Count,
    /// To the total.
    pub total: Count,
}

/// One series of a selector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeriesView {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The events counted of it; `null` where slices are judged by its values.
    pub events: Option<Count>,
    /// Its samples as `[seconds since 1970, value]`: those in the window, and before it as many as
    /// any series of the selector needs for its first difference.
    pub samples: Vec<(f64, SampleValue)>,
}

/// A sample's value: a number, or `"NaN"`, `"+Inf"`, `"-Inf"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SampleValue {
    /// A number.
    Number(Count),
    /// What JSON has no number for.
    Name(String),
}

pub(super) fn part_of(part: &Part, symbol: &str) -> PartView {
    let counts = part.weight.is_some();
    let mut series: Vec<&CountedSeries> = part.series.iter().collect();
    series.sort_by(|one, other| other.events.total_cmp(&one.events));
    PartView {
        symbol: counts.then(|| symbol.to_owned()),
        role: part.role,
        selector: part.selector.clone(),
        weight: part.weight.map(|weight| WeightView {
            bad: Count(weight.bad),
            total: Count(weight.total),
        }),
        query: part.query.as_ref().map(query_of),
        events: counts.then(|| Count(steps::events(part))),
        series: series
            .into_iter()
            .map(|series| SeriesView {
                labels: labels_of(&series.labels),
                events: counts.then_some(Count(series.events)),
                samples: series.samples.iter().map(sample_of).collect(),
            })
            .collect(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of any date are far below 2^53"
)]
fn sample_of((at, value): &(Timestamp, f64)) -> (f64, SampleValue) {
    let seconds = at.as_millis() as f64 / 1_000.0;
    let value = match value {
        number if number.is_finite() => SampleValue::Number(Count(*number)),
        infinite if *infinite > 0.0 => SampleValue::Name("+Inf".to_owned()),
        infinite if *infinite < 0.0 => SampleValue::Name("-Inf".to_owned()),
        _ => SampleValue::Name("NaN".to_owned()),
    };
    (seconds, value)
}
