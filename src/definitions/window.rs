//! `window`: the period over which an objective holds.

use crate::diagnostic::{Diagnostic, did_you_mean, write_one_of};
use crate::domain::calendar::{Calendar, Period};
use crate::domain::slo::Window;
use crate::domain::time::{Span, SpanError};

use super::fields::Fields;
use super::node::{Faults, Located, Node, Value};
use super::values;
use super::{Options, codes};

/// A length of time, or a period of the calendar.
pub(super) fn window(fields: &Fields<'_>, options: &Options) -> Option<Located<Window>> {
    let node = fields.get("window")?;
    if matches!(node.value, Value::Map(_)) {
        return calendar(node, fields.faults);
    }
    let length = fields.parse("window", codes::DURATION, length)?;
    let fits = values::on_grid(&length, "window", options.tick, fields.faults);
    fits.then_some(Located {
        value: Window::Rolling(length.value),
        place: length.place,
    })
}

fn length(text: &str) -> Result<Span, String> {
    text.parse().map_err(|error: SpanError| {
        let is_period = |period: &Period| period.name() == text;
        match error {
            SpanError::Syntax(_) if Period::ALL.iter().any(is_period) => {
                format!("`{text}` is a period of the calendar; write window: {{calendar: {text}}}")
            }
            SpanError::Syntax(_) => {
                format!("`{text}` is no window; write it as 30d, or as {{calendar: month}}")
            }
            error => error.to_string(),
        }
    })
}

/// Whether a window that moves along is written as a map, as other tools do; that is told.
fn is_rolling(node: &Node, faults: &Faults) -> bool {
    let Value::Map(entries) = &node.value else {
        return false;
    };
    let mut lengths = entries
        .iter()
        .filter(|entry| matches!(entry.key.as_str(), "rolling" | "duration"));
    let Some(entry) = lengths.next() else {
        return false;
    };
    let length = match &entry.node.value {
        Value::Text(text) if text.text.parse::<Span>().is_ok() => &text.text,
        _ => "30d",
    };
    let sentence = format!("a window has no key `{}`", entry.key);
    let fault = Diagnostic::error(codes::UNKNOWN_KEY, sentence).at(&entry.place);
    faults.add(fault.help(format!("for a rolling window write window: {length}")));
    true
}

fn calendar(node: &Node, faults: &Faults) -> Option<Located<Window>> {
    if is_rolling(node, faults) {
        return None;
    }
    let fields = Fields::of(node, "a calendar window", &["calendar", "timeZone"], faults)?;
    let named = |text: &str| {
        let names = || Period::ALL.into_iter().map(Period::name);
        let found = Period::ALL.into_iter().find(|it| it.name() == text);
        found.ok_or_else(|| {
            let help = did_you_mean(text, names(), || write_one_of(&names().collect::<Vec<_>>()));
            format!("`{text}` is no period of the calendar; {help}")
        })
    };
    let period = fields.need_parsed("calendar", "calendar: month", codes::WORD, named);
    let zone = fields.parse("timeZone", codes::TIME_ZONE, values::time_zone);
    if fields.has("timeZone") && zone.is_none() {
        return None;
    }
    let zone = zone.map_or_else(|| "UTC".to_owned(), |zone| zone.value);
    Some(Located {
        value: Window::Calendar(Calendar::new(period?.value, &zone)?),
        place: node.place.clone(),
    })
}
