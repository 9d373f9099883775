//! When a slice is bad, and when nothing is known of it, in words.

use crate::status::names::JudgedBy;
use crate::status::view::explain::JudgedView;
use crate::status::words;

use super::super::figures::{number, percent};

/// Whether what probers say counts as it is, slot by slot.
pub(super) fn counts_slots(judged: &JudgedView) -> bool {
    matches!(judged.by, JudgedBy::Samples | JudgedBy::Votes) && judged.at_most.is_none()
}

/// When a slice is bad.
pub(super) fn rule(judged: &JudgedView) -> String {
    let threshold = threshold(judged);
    let side = if judged.at_most.is_some() {
        "above"
    } else {
        "below"
    };
    let is_bad = match judged.by {
        JudgedBy::Rate => format!("the rate is {side} {threshold}"),
        JudgedBy::Drop => format!("the rate is more than {threshold} below the usual"),
        JudgedBy::Events => format!("more than {threshold} of its events are bad"),
        JudgedBy::Samples if counts_slots(judged) => {
            return "each sample an event, bad when below 1".to_owned();
        }
        JudgedBy::Samples => format!("more than {threshold} of its samples are below 1"),
        JudgedBy::Votes if counts_slots(judged) => {
            format!("{} below 1", several(judged, ["is", "are"]))
        }
        JudgedBy::Votes => format!(
            "more than {threshold} of its slots are, and a slot when {} below 1",
            several(judged, ["is", "are"])
        ),
        JudgedBy::Share if is_any(judged) => {
            format!("any group uses more than {threshold} of its limit")
        }
        JudgedBy::Share => format!(
            "{} more than {threshold} of their limits",
            several(judged, ["uses", "use"])
        ),
        JudgedBy::Level | JudgedBy::Value => {
            format!("{} {side} {threshold}", several(judged, ["is", "are"]))
        }
        JudgedBy::Age => format!(
            "{} more than {threshold} old",
            several(judged, ["is", "are"])
        ),
        JudgedBy::Ratio => return "each as bad as the query's error ratio says".to_owned(),
    };
    format!("bad when {is_bad}")
}

/// The threshold as it was written, and as the values below are where that is another unit.
fn threshold(judged: &JudgedView) -> String {
    let limit = judged.at_most.or(judged.at_least).unwrap_or_default();
    match (judged.by, &judged.threshold) {
        (JudgedBy::Rate, _) => format!("{}/s", number(limit)),
        (JudgedBy::Level | JudgedBy::Value, Some(written)) if *written != limit.to_string() => {
            format!("{} ({})", words::spaced(written), number(limit))
        }
        (_, Some(written)) => words::spaced(written),
        (_, None) => percent(limit),
    }
}

/// How many of the values make a slice bad: `any value is`, `2 or more values are`.
fn several(judged: &JudgedView, [one, many]: [&str; 2]) -> String {
    let noun = noun(judged.by);
    match judged.bad_when.as_deref() {
        _ if is_any(judged) => format!("any {noun} {one}"),
        Some(share) if share.ends_with('%') => {
            format!("{} or more of the {noun}s {many}", words::spaced(share))
        }
        least => format!("{} or more {noun}s {many}", least.unwrap_or_default()),
    }
}

fn is_any(judged: &JudgedView) -> bool {
    judged.bad_when.as_deref().is_none_or(|when| when == "1")
}

/// What the values of a slice are.
pub(super) const fn noun(by: JudgedBy) -> &'static str {
    match by {
        JudgedBy::Share => "group",
        JudgedBy::Age => "timestamp",
        JudgedBy::Samples | JudgedBy::Votes => "prober",
        JudgedBy::Rate
        | JudgedBy::Drop
        | JudgedBy::Events
        | JudgedBy::Level
        | JudgedBy::Value
        | JudgedBy::Ratio => "value",
    }
}

/// What is not known of a slice that counts as nothing.
pub(super) const fn unknown(by: JudgedBy) -> &'static str {
    match by {
        JudgedBy::Rate | JudgedBy::Events => "less than half of each lies between samples",
        JudgedBy::Drop => {
            "less than half of each lies between samples, or there is nothing earlier to compare with"
        }
        JudgedBy::Samples => "no samples",
        JudgedBy::Share => "no group with valid samples of what is used and of its limit",
        JudgedBy::Votes | JudgedBy::Level | JudgedBy::Age => "no valid samples",
        JudgedBy::Value | JudgedBy::Ratio => "the query gave no value",
    }
}
