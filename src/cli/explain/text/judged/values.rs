//! Why a slice is what it is: its values beside their threshold.

use std::collections::BTreeSet;

use crate::status::names::{JudgedBy, Verdict};
use crate::status::view::explain::{JudgedView, SliceValueView, SliceView};
use crate::status::view::scalar::Count;
use crate::status::words;

use super::super::figures::{number, number_of, percent, percent_beside, seconds};
use super::super::parts::{common, labels};
use super::count;
use super::rule::{counts_slots, noun};

/// So many probers are named of a slice.
const PROBERS: usize = 3;

/// Why a slice is what it is.
pub(super) fn why(judged: &JudgedView, slice: &SliceView) -> String {
    if slice.missing {
        return "no data".to_owned();
    }
    if slice.verdict == Verdict::NoEvents {
        return "no events".to_owned();
    }
    let bad: Vec<&SliceValueView> = slice.values.iter().filter(|value| value.bad).collect();
    match judged.by {
        JudgedBy::Samples if counts_slots(judged) => format!(
            "{} of {} samples bad{}",
            number(slice.bad.0),
            number(slice.total.0),
            named(judged, &bad)
        ),
        JudgedBy::Votes if counts_slots(judged) => format!(
            "{} of {} probers bad{}",
            number_of(count(bad.len())),
            number_of(count(slice.values.len())),
            named(judged, &bad)
        ),
        _ => worst(judged, slice).map_or_else(String::new, |worst| {
            let several = of_several(judged.by, bad.len(), slice.values.len());
            several + &compared(judged, worst) + &whose(judged, worst)
        }),
    }
}

/// How many of the values of a slice are bad, where it has more than one.
fn of_several(by: JudgedBy, bad: usize, all: usize) -> String {
    if all < 2 {
        return String::new();
    }
    let which = match bad {
        0 => ", the closest",
        1 => "",
        _ => ", the worst",
    };
    format!(
        "{} of {} {}s bad{which}: ",
        number_of(count(bad)),
        number_of(count(all)),
        noun(by)
    )
}

/// The probers that found something wrong.
fn named(judged: &JudgedView, bad: &[&SliceValueView]) -> String {
    let shown = bad.iter().take(PROBERS);
    let names: String = shown.map(|it| whose(judged, it)).collect();
    match bad.len().saturating_sub(PROBERS) {
        0 => names,
        more => format!("{names}  … and {} more", number_of(count(more))),
    }
}

/// The value that lies furthest on the wrong side, or closest to it.
fn worst<'a>(judged: &JudgedView, slice: &'a SliceView) -> Option<&'a SliceValueView> {
    let value = |it: &&SliceValueView| it.value.unwrap_or(0.0);
    let values = slice.values.iter();
    if judged.at_least.is_some() {
        values.min_by(|one, other| value(one).total_cmp(&value(other)))
    } else {
        values.max_by(|one, other| value(one).total_cmp(&value(other)))
    }
}

/// A value beside its threshold.
fn compared(judged: &JudgedView, it: &SliceValueView) -> String {
    let (limit, [bad, good]) = match (judged.at_most, judged.at_least) {
        (Some(most), _) => (Some(most), [">", "≤"]),
        (None, least) => (least, ["<", "≥"]),
    };
    let sign = if it.bad { bad } else { good };
    let compared = match (it.value, limit) {
        (None, _) => return parts(judged.by, it),
        (Some(value), None) => percent(value),
        (Some(value), Some(limit)) => beside(judged.by, value, sign, limit),
    };
    if it.whole.is_some() {
        format!("{} = {compared}", parts(judged.by, it))
    } else {
        compared
    }
}

fn beside(by: JudgedBy, value: f64, sign: &str, limit: f64) -> String {
    let both = |text: fn(f64) -> String| format!("{} {sign} {}", text(value), text(limit));
    match by {
        JudgedBy::Rate => both(|rate| format!("{}/s", number(rate))),
        JudgedBy::Age => both(|age| words::window(seconds(age))),
        JudgedBy::Level | JudgedBy::Value => both(number),
        JudgedBy::Drop
        | JudgedBy::Events
        | JudgedBy::Samples
        | JudgedBy::Votes
        | JudgedBy::Share
        | JudgedBy::Ratio => {
            format!("{} {sign} {}", percent_beside(value, limit), percent(limit))
        }
    }
}

/// What a value is the quotient of.
fn parts(by: JudgedBy, it: &SliceValueView) -> String {
    let of = |count: Option<Count>| count.map_or_else(String::new, |it| number(it.0));
    let (part, whole) = (of(it.part), of(it.whole));
    match by {
        JudgedBy::Events => format!("{part} of {whole} events bad"),
        JudgedBy::Samples => format!("{part} of {whole} samples bad"),
        JudgedBy::Votes => format!("{part} of {whole} slots bad"),
        JudgedBy::Drop => format!("{part}/s of the usual {whole}/s"),
        _ => format!("{part} of {whole}"),
    }
}

/// The labels of a group, as far as they tell it from the others.
fn whose(judged: &JudgedView, it: &SliceValueView) -> String {
    let values = judged.slices.iter().flat_map(|slice| &slice.values);
    let groups: BTreeSet<_> = values.map(|value| &value.group).collect();
    let text = labels(&it.group, &common(groups));
    if text == "{}" {
        String::new()
    } else {
        format!("  {text}")
    }
}
