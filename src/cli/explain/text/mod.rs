//! An explanation for a person at a terminal: the answer first, then where it comes from.

mod arithmetic;
mod figures;
mod judged;
mod parts;
mod slots;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::domain::group::Group;
use crate::domain::labels::METRIC_NAME;
use crate::domain::slo::{SloId, title};
use crate::status::names::Named;
use crate::status::view::explain::{ExplanationView, NoteView, QueryView, ReadView};
use crate::status::view::slo::BudgetUnit;
use crate::status::words;

use arithmetic::{lines_of, tiers};
use figures::{clock, number, number_of, percent, printable};
use judged::judged_text;
use parts::{labels, part_text};
use slots::{slots, slots_title};

/// So many of each list are shown.
const NOTES: usize = 12;
const READS: usize = 6;

/// The whole text.
pub(super) fn render(it: &ExplanationView) -> String {
    let mut text = headline(it);
    text += &section("Arithmetic", &arithmetic(it));
    text += &section("Tiers", &tiers(it));
    for part in &it.parts {
        text += &part_text(it, part);
    }
    text += &section("Of note", &notes(it));
    if let Some(judged) = &it.judged {
        text += &judged_text(it, judged);
    }
    if uncounted(it).is_none() {
        text += &section(&slots_title(it), &slots(it));
    }
    text += &section("Asked of the source", &reads(it));
    printable(&text)
}

/// Why there is no arithmetic; `None` where there is.
fn uncounted(it: &ExplanationView) -> Option<&str> {
    it.reason.as_deref().filter(|_| it.steps.is_empty())
}

fn arithmetic(it: &ExplanationView) -> Vec<String> {
    match uncounted(it) {
        Some(reason) => vec![format!("not counted, because {reason}")],
        None => lines_of(&it.steps),
    }
}

fn section(title: &str, lines: &[String]) -> String {
    let mut text = String::new();
    if !lines.is_empty() {
        // Writing to a string cannot fail.
        _ = writeln!(text, "\n{title}");
        for line in lines {
            _ = writeln!(text, "  {line}");
        }
    }
    text
}

fn headline(it: &ExplanationView) -> String {
    let unit = match it.unit {
        BudgetUnit::Events => "events",
        BudgetUnit::Slices => "slices",
    };
    let mut text = format!(
        "{}: {}% over {} ({}, source {})\n",
        subject(it),
        it.objective_percent,
        period(it),
        it.signal.name(),
        it.source
    );
    let window = it.asked.map_or_else(
        || {
            let whole = if is_calendar(it) { "part" } else { "window" };
            format!("The {whole} of {}", period(it))
        },
        |length| format!("The {} window", words::window(length.0)),
    );
    _ = writeln!(text, "{window} that ended at {}:\n", it.at.0);
    let answer = match it.ratio {
        Some(ratio) => format!(
            "{} of {} {unit} bad = {}",
            number(it.bad.0),
            number(it.total.0),
            percent(ratio)
        ),
        None => format!("no {unit} were counted"),
    };
    _ = writeln!(
        text,
        "  {answer}{}",
        if it.approximate { ", estimated" } else { "" }
    );
    _ = writeln!(
        text,
        "  from {} to {}, {} of it measured",
        it.from.0,
        it.to.0,
        percent(it.coverage)
    );
    if let (Some(reason), None) = (&it.reason, uncounted(it)) {
        _ = writeln!(text, "  not measured at its end: {reason}");
    }
    text
}

/// Whether the promise holds for a period of the calendar, which has a name.
fn is_calendar(it: &ExplanationView) -> bool {
    it.promised_over.starts_with(char::is_alphabetic)
}

/// The window of the promise: `30d`, or `the month`.
fn period(it: &ExplanationView) -> String {
    let article = if is_calendar(it) { "the " } else { "" };
    format!("{article}{}", it.promised_over)
}

/// What is explained, as people call it.
fn subject(it: &ExplanationView) -> String {
    let title = title(&it.service, &it.name, it.target.as_deref());
    let group: Group = it.group.iter().collect();
    SloId::new(title).of_group(&group).to_string()
}

fn notes(it: &ExplanationView) -> Vec<String> {
    let name = BTreeSet::from([METRIC_NAME.to_owned()]);
    let shown = it.notes.iter().take(NOTES);
    let mut lines: Vec<String> = shown.flat_map(|note| note_text(it, note, &name)).collect();
    if it.notes.len() > NOTES {
        lines.push(format!("… and {} more", it.notes.len() - NOTES));
    }
    lines
}

fn note_text(it: &ExplanationView, note: &NoteView, hidden: &BTreeSet<String>) -> [String; 2] {
    let (from, to) = (clock(it, note.from), clock(it, note.to));
    let after = number(note.after.0);
    let events = number(note.events.0);
    let before = note.before.map_or_else(String::new, |it| number(it.0));
    let what = match note.kind.as_str() {
        "reset" => format!("{to}  reset from {before} to {after}: {events} counted"),
        "gap" => format!(
            "{from} – {to}  gap: {events} events over {} slots",
            note.slots
        ),
        "birthCounted" => format!("{to}  first value {after}: {events} counted from {before}"),
        _ => format!("{to}  first value {after}: not counted"),
    };
    [
        format!("{what}  {}", labels(&note.series, hidden)),
        format!("    {}", note.why),
    ]
}

fn reads(it: &ExplanationView) -> Vec<String> {
    let mut newest: Vec<&ReadView> = it.reads.iter().collect();
    newest.sort_by_key(|read| std::cmp::Reverse(read.to));
    let shown = newest.iter().take(READS);
    let mut lines: Vec<String> = shown.map(|it| read(it)).collect();
    if it.reads.len() > READS {
        lines.push(format!("… and {} older ones", it.reads.len() - READS));
    }
    lines
}

fn read(read: &ReadView) -> String {
    let what = match &read.query {
        Some(query) => asked(query),
        None => format!("{} from {} to {}", read.family, read.from.0, read.to.0),
    };
    format!(
        "{what}: {} series, {} samples",
        number_of(read.series),
        number_of(read.samples)
    )
}

/// A query and when it is evaluated.
fn asked(query: &QueryView) -> String {
    match (query.start, query.step) {
        (Some(start), Some(step)) => format!(
            "{} from {} to {} every {}",
            query.text, start.0, query.at.0, step.0
        ),
        _ => format!("{} at {}", query.text, query.at.0),
    }
}
