//! By what slices were judged in an explanation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::super::explanation::{Judged, JudgedValue, Rule};
use super::super::scalar::{Length, Time, finite};
use super::labels_of;

/// Slices, and the values by which they were judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgedView {
    /// The length of a slice.
    pub slice: Length,
    /// The value above which a group is bad.
    pub at_most: Option<f64>,
    /// The value below which a group is bad. Without either the value is the share that is bad.
    pub at_least: Option<f64>,
    /// Slices of which anything is known, oldest first.
    pub slices: Vec<SliceView>,
}

/// One slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SliceView {
    /// Its end, included.
    pub end: Time,
    /// The values of its groups.
    pub values: Vec<SliceValueView>,
}

/// The value of one group in a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SliceValueView {
    /// The labels of the group; empty where there is but one.
    pub group: BTreeMap<String, String>,
    /// What is compared with the threshold: events a second, the share of what is usual, the share
    /// of a limit, a gauge's value, seconds, or the expression's value.
    pub value: Option<f64>,
    /// Whether it is on the wrong side.
    pub bad: bool,
}

pub(super) fn judged_of(judged: &Judged) -> JudgedView {
    let (at_most, at_least) = match judged.rule {
        Rule::AtMost(most) => (Some(most), None),
        Rule::AtLeast(least) => (None, Some(least)),
        Rule::Share => (None, None),
    };
    let value = |it: &JudgedValue| SliceValueView {
        group: labels_of(&it.group),
        value: finite(it.value),
        bad: it.is_bad,
    };
    let slice = |values: &[JudgedValue]| {
        Some(SliceView {
            end: Time(values.first()?.end),
            values: values.iter().map(value).collect(),
        })
    };
    let slices = judged.values.chunk_by(|one, other| one.end == other.end);
    JudgedView {
        slice: Length(judged.slice),
        at_most,
        at_least,
        slices: slices.filter_map(slice).collect(),
    }
}
