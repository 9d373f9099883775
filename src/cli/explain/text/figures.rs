//! Numbers, shares and times as a person reads them.

use crate::domain::time::{Span, Timestamp};
use crate::status::view::explain::{ExplanationView, SampleValue};
use crate::status::view::scalar::Time;
use crate::status::words;

/// A time, without its date where that is the day of the window's end.
pub(super) fn clock(it: &ExplanationView, time: Time) -> String {
    let (text, end) = (time.0.to_string(), it.at.0.to_string());
    let day = end.split('T').next().unwrap_or_default();
    match text.split_once('T') {
        Some((date, clock)) if date == day => clock.trim_end_matches('Z').to_owned(),
        _ => text,
    }
}

pub(super) fn clock_of(it: &ExplanationView, at: f64) -> String {
    let time = Timestamp::from_millis(0) + seconds(at);
    clock(it, Time(time))
}

pub(super) fn value(value: &SampleValue) -> String {
    match value {
        SampleValue::Number(count) => number(count.0),
        SampleValue::Name(name) => name.clone(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "lengths of windows, which were whole milliseconds"
)]
pub(super) fn seconds(value: f64) -> Span {
    Span::from_millis((value * 1_000.0).round() as i64)
}

/// Whole numbers with their thousands apart; others with six significant digits at most.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return words::count(value);
    }
    let digits = if value.abs() >= 1.0 {
        let whole = format!("{:.0}", value.abs()).len();
        6_usize.saturating_sub(whole)
    } else {
        let zeros = (0..12_i32)
            .find(|power| value.abs() * 10_f64.powi(*power) >= 1.0)
            .unwrap_or(12);
        usize::try_from(zeros).unwrap_or(12) + 4
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "lengths of lists")]
pub(super) fn number_of(count: u64) -> String {
    words::count(count as f64)
}

pub(super) fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// With as many digits as it takes to see on which side of the limit it is.
pub(super) fn percent_beside(share: f64, limit: f64) -> String {
    let (short, limit_text) = (percent(share), percent(limit));
    if short == limit_text && share.total_cmp(&limit).is_ne() {
        format!("{} %", share * 100.0)
    } else {
        short
    }
}

pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// What a source's labels and messages hold must not reach the terminal as commands.
pub(super) fn printable(text: &str) -> String {
    let safe = |letter: char| {
        if letter.is_control() && letter != '\n' {
            '\u{fffd}'
        } else {
            letter
        }
    };
    text.chars().map(safe).collect()
}
