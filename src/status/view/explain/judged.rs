//! By what slices were judged in an explanation, and what they count as.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::indicator::Indicator;
use crate::domain::quantity::{Quantity, Unit};
use crate::domain::slices::BadWhen;
use crate::domain::slot::Counts;

use super::super::super::explanation::{Explanation, Judged, JudgedSlice, JudgedValue, Rule};
use super::super::super::names::{JudgedBy, Missing, Verdict};
use super::super::scalar::{Count, Length, Time, finite};
use super::labels_of;

/// Slices, and what each was judged by and counts as.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgedView {
    /// The length of a slice; where the events of probes count as they are, that of a slot.
    pub slice: Length,
    /// What they are judged by.
    pub by: JudgedBy,
    /// The value above which a group is bad; where events or votes are judged, the share of them that may be bad.
    pub at_most: Option<f64>,
    /// The value below which a group is bad. Without either the value is the share that is bad.
    pub at_least: Option<f64>,
    /// The threshold as it was written, where it has a unit: `5/s`, `90%`, `10m`.
    pub threshold: Option<String>,
    /// How many values on the wrong side make a slice bad (of votes: a slot), where there may be several:
    /// so many, or a share of them as `10%`.
    pub bad_when: Option<String>,
    /// What a slice counts as of which the source holds nothing.
    pub missing_data: Missing,
    /// The slices of which anything is known or counted, oldest first.
    pub slices: Vec<SliceView>,
    /// How many others there are: too little is known of them, and they count as nothing.
    pub unknown: u64,
}

/// One slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SliceView {
    /// Its start, excluded.
    pub from: Time,
    /// Its end, included.
    pub end: Time,
    /// What it counts as.
    pub verdict: Verdict,
    /// Whether the source holds nothing of it, so that it counts as `missingData` says.
    pub missing: bool,
    /// What it adds to the bad.
    pub bad: Count,
    /// What it adds to the total.
    pub total: Count,
    /// By what it was judged: the value of each of its groups. Of samples only those of probers that
    /// had bad ones.
    pub values: Vec<SliceValueView>,
}

/// The value of one group in a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SliceValueView {
    /// The labels of the group; empty where there is but one.
    pub group: BTreeMap<String, String>,
    /// Bad events, the rate in events per second, or what is used, where `value` is a share of `whole`.
    pub part: Option<Count>,
    /// All events, the usual rate, or the limit.
    pub whole: Option<Count>,
    /// What is compared with the threshold: events a second, a share, a gauge's value, seconds, or what
    /// the query gave. Of a prober below 1 where it votes that something is wrong. `null` where it has no bound.
    pub value: Option<f64>,
    /// Whether it is on the wrong side.
    pub bad: bool,
}

pub(super) fn judged_of(it: &Explanation, judged: &Judged) -> JudgedView {
    let (at_most, at_least) = match judged.rule {
        Rule::AtMost(most) => (Some(most), None),
        Rule::AtLeast(least) => (None, Some(least)),
        Rule::Share => (None, None),
    };
    let threshold = match &it.slo.indicator {
        Indicator::Slices(sliced) => sliced.judge.threshold(),
        Indicator::Errors(_) | Indicator::Latency(_) | Indicator::Query { .. } => None,
    };
    let slice = |it: &JudgedSlice| slice_of(it, judged);
    JudgedView {
        slice: Length(judged.slice),
        by: judged.by,
        at_most,
        at_least,
        threshold: threshold.map(|it| it.to_string()),
        bad_when: judged.bad_when.map(|when| match when {
            BadWhen::Count(least) => least.to_string(),
            BadWhen::Share(value) => {
                let unit = Unit::Percent;
                Quantity { value, unit }.to_string()
            }
        }),
        missing_data: judged.missing.into(),
        slices: judged.slices.iter().map(slice).collect(),
        unknown: u64::try_from(judged.unknown).unwrap_or(u64::MAX),
    }
}

fn slice_of(it: &JudgedSlice, judged: &Judged) -> SliceView {
    let counts: Counts = it.counts.unwrap_or_default();
    let is_of_samples = judged.by == JudgedBy::Samples && judged.rule == Rule::Share;
    SliceView {
        from: Time(it.end - judged.slice),
        end: Time(it.end),
        verdict: Verdict::of(counts),
        missing: it.values.is_empty() && !is_of_samples,
        bad: Count(counts.bad),
        total: Count(counts.total),
        values: it.values.iter().map(value_of).collect(),
    }
}

fn value_of(it: &JudgedValue) -> SliceValueView {
    SliceValueView {
        group: labels_of(&it.group),
        part: it.part_of.map(|(part, _)| Count(part)),
        whole: it.part_of.map(|(_, whole)| Count(whole)),
        value: finite(it.value),
        bad: it.is_bad,
    }
}
