//! Slices of time: what makes them bad, how many there were of each kind, and the newest that were bad.

mod rule;
mod values;

use crate::status::names::{JudgedBy, Missing, Named, Verdict};
use crate::status::view::explain::{ExplanationView, JudgedView, SliceView};
use crate::status::words;

use super::figures::{clock, number_of};
use super::section;

use rule::{counts_slots, rule, unknown};
use values::why;

/// So many slices are shown.
const ROWS: usize = 12;

/// So many where all are good.
const GOOD_ROWS: usize = 3;

pub(super) fn judged_text(it: &ExplanationView, judged: &JudgedView) -> String {
    let all = judged.unknown + count(judged.slices.len());
    let title = format!(
        "{} {}{} of {}, {}",
        number_of(all),
        if counts_slots(judged) {
            "slot"
        } else {
            "slice"
        },
        if all == 1 { "" } else { "s" },
        words::window(judged.slice.0),
        rule(judged)
    );
    let (shown, others) = shown(judged);
    let mut lines = vec![summary(judged)];
    lines.extend(shown.iter().map(|slice| row(it, judged, slice)));
    lines.extend(more(&others));
    section(&title, &lines)
}

/// How many are not shown, by kind.
fn more(others: &[&SliceView]) -> Option<String> {
    let kinds = [
        (Verdict::Bad, "bad"),
        (Verdict::Partly, "bad in part"),
        (Verdict::Good, "good"),
        (Verdict::NoEvents, "without events"),
    ];
    let of = |(verdict, what)| {
        let own = others.iter().filter(|it| it.verdict == verdict).count();
        (own > 0).then(|| format!("{} more {what}", number_of(count(own))))
    };
    let all: Vec<String> = kinds.into_iter().filter_map(of).collect();
    (!all.is_empty()).then(|| format!("… and {}", all.join(", ")))
}

/// How many slices there are of each kind, and what that meant.
fn summary(judged: &JudgedView) -> String {
    let missing = judged.slices.iter().filter(|slice| slice.missing).count();
    let of = |verdict: Verdict, what: &str| {
        let own = judged.slices.iter().filter(|it| it.verdict == verdict);
        let own = count(own.count());
        let without = if missing > 0 && missing_as(judged.missing_data) == Some(verdict) {
            format!(
                " ({} of them without data: missingData is {})",
                number_of(count(missing)),
                judged.missing_data.name()
            )
        } else {
            String::new()
        };
        (own > 0).then(|| format!("{} {what}{without}", number_of(own)))
    };
    let nothing = match judged.by {
        JudgedBy::Samples if counts_slots(judged) => "without a sample of its own",
        _ => "without events (neither good nor bad)",
    };
    let not_counted = number_of(judged.unknown);
    let not_counted = format!("{not_counted} not counted ({})", unknown(judged.by));
    let parts: Vec<String> = [
        of(Verdict::Bad, "bad"),
        of(Verdict::Partly, "bad in part"),
        of(Verdict::Good, "good"),
        of(Verdict::NoEvents, nothing),
        (judged.unknown > 0).then_some(not_counted),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

const fn missing_as(missing: Missing) -> Option<Verdict> {
    match missing {
        Missing::Hold => None,
        Missing::Good => Some(Verdict::Good),
        Missing::Bad => Some(Verdict::Bad),
    }
}

/// The newest slices that are bad at least in part, with those beside them (some of the newest where
/// all are good), and all others.
fn shown(judged: &JudgedView) -> (Vec<&SliceView>, Vec<&SliceView>) {
    let slices = &judged.slices;
    let is_bad = |place: Option<usize>| {
        let slice = place.and_then(|place| slices.get(place));
        slice.is_some_and(|slice| slice.bad.0 > 0.0)
    };
    let is_near = |place: usize| {
        let (before, after) = (place.checked_sub(1), place.checked_add(1));
        is_bad(Some(place)) || is_bad(before) || is_bad(after)
    };
    let newest = || (0..slices.len()).rev();
    let near: Vec<usize> = newest().filter(|place| is_near(*place)).collect();
    let (mut shown, most) = if near.is_empty() {
        (newest().collect(), GOOD_ROWS)
    } else {
        (near, ROWS)
    };
    shown.truncate(most);
    let others = newest().filter(|place| !shown.contains(place));
    let at = |place: usize| slices.get(place);
    let others = others.filter_map(at).collect();
    (shown.into_iter().filter_map(at).collect(), others)
}

fn row(it: &ExplanationView, judged: &JudgedView, slice: &SliceView) -> String {
    let verdict = match slice.verdict {
        Verdict::Good => "good",
        Verdict::Bad => "bad",
        Verdict::Partly => "partly",
        Verdict::NoEvents => "–",
    };
    format!(
        "{} – {}  {verdict:<6}  {}",
        clock(it, slice.from),
        clock(it, slice.end),
        why(judged, slice)
    )
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
