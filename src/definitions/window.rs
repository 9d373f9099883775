//! `window`: the period over which an objective holds.

use crate::diagnostic::did_you_mean;
use crate::domain::calendar::Calendar;
use crate::domain::calendar::Period;
use crate::domain::slo::Window;
use crate::domain::time::Span;

use super::Options;
use super::codes;
use super::fields::Fields;
use super::node::Faults;
use super::node::Located;
use super::node::Node;
use super::node::Value;
use super::values;

/// A length of time, or a period of the calendar.
pub(super) fn window(fields: &Fields<'_>, options: &Options) -> Option<Located<Window>> {
    let node = fields.get("window")?;
    if matches!(node.value, Value::Map(_)) {
        return calendar(node, fields.faults);
    }
    let length = fields.parse("window", codes::DURATION, str::parse::<Span>)?;
    let fits = values::on_grid(&length, "window", options.tick, fields.faults);
    fits.then_some(Located {
        value: Window::Rolling(length.value),
        place: length.place,
    })
}

fn calendar(node: &Node, faults: &Faults) -> Option<Located<Window>> {
    let fields = Fields::of(node, "a calendar window", &["calendar", "timeZone"], faults)?;
    let named = |text: &str| {
        let names = || Period::ALL.into_iter().map(Period::name);
        let found = Period::ALL.into_iter().find(|it| it.name() == text);
        found.ok_or_else(|| {
            let help = did_you_mean(text, names(), || {
                format!("write one of {}", names().collect::<Vec<_>>().join(", "))
            });
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
