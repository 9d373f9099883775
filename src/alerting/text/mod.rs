//! Notices in words: one neutral rendering that every receiver puts into its own form.
//!
//! What comes out is plain text. It may hold names that somebody else wrote, so that each receiver escapes it.

mod burn;
mod headline;
mod passed_over;
mod refused;
mod unmeasured;
mod when;

use jiff::tz::TimeZone;

use crate::domain::incident::Change;
use crate::domain::notice::{Facts, Notice};
use crate::domain::policy::Severity;
use crate::domain::time::{Span, Timestamp};
use crate::status::words as number;
use when::When;

/// A notice that is told this long after it was decided says so.
const LATE: Span = Span::from_mins(5);

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What happened to whom.
    pub title: String,
    /// What a person needs to know, in the order in which they need it.
    pub lines: Vec<Line>,
    /// Where it comes from: the tick that decided it, the incident and the transition's number.
    pub footer: String,
    /// The same as one line of the incident's history.
    pub history: String,
    /// Whether somebody is to be woken by it.
    pub aloud: bool,
}

/// One line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is about, in a word or two.
    pub label: &'static str,
    /// What there is to say, to be set apart by `·`.
    pub parts: Vec<Part>,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// Words that lead somewhere.
    Link {
        /// The words.
        text: &'static str,
        /// Where they lead.
        url: String,
    },
}

/// Puts `notice` into words for readers in `zone`; `now` is when it is told.
pub fn message(notice: &Notice, zone: &TimeZone, now: Timestamp) -> Message {
    let when = When::new(zone, notice.at);
    let (title, mut lines, history) = match &notice.facts {
        Facts::Burn(facts) => (
            headline::title(notice, facts, &when),
            burn::lines(notice, facts, &when),
            headline::history(notice, facts, &when),
        ),
        Facts::Unmeasured(facts) => (
            unmeasured::title(notice, facts, &when),
            unmeasured::lines(notice, facts, &when),
            unmeasured::history(notice, facts, &when),
        ),
        Facts::Refused(facts) => (
            refused::title(notice, facts, &when),
            refused::lines(notice, facts, &when),
            refused::history(notice, facts, &when),
        ),
        Facts::PassedOver(facts) => (
            passed_over::title(notice, facts, &when),
            passed_over::lines(notice, facts, &when),
            passed_over::history(notice, facts, &when),
        ),
        Facts::Removed { slo } => (
            headline::removed(slo, notice, &when),
            vec![Line::of("Open", [when.range(notice.opened, notice.at)])],
            format!("{} closed: no longer watched", when.zoned(notice.at)),
        ),
    };
    let delay = now.since(notice.at);
    if delay >= LATE {
        let parts = vec![
            format!("decided {}", when.zoned(notice.at)),
            format!("told {} later", number::words(delay)),
        ];
        lines.insert(0, Line::of("Late", parts));
    }
    lines.retain(|line| !line.parts.is_empty());
    let rings = match (notice.change, &notice.facts) {
        // What burns no more and is only held wakes nobody.
        (Change::Reminded, Facts::Burn(facts)) => facts.held_until(notice.severity).is_none(),
        (Change::Opened | Change::Rose { .. } | Change::Reminded, _) => true,
        (Change::Fell { .. } | Change::Closed(_), _) => false,
    };
    Message {
        title,
        lines,
        footer: format!(
            "tick {} · incident {} · {}",
            notice.at, notice.incident, notice.sequence
        ),
        history,
        aloud: rings && notice.severity == Severity::Page,
    }
}

impl Message {
    /// Title, lines and footer as plain text, the lines aligned.
    pub fn plain(&self) -> String {
        format!("{}\n{}\n{}", self.title, self.body(), self.footer)
    }

    /// The lines as plain text, aligned.
    pub fn body(&self) -> String {
        let lines = self.lines.iter().map(|line| {
            let parts: Vec<String> = line
                .parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Link { text, url } => format!("{text} {url}"),
                })
                .collect();
            format!("{:<8} {}", line.label, parts.join(" · "))
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Line {
    fn of(label: &'static str, parts: impl IntoIterator<Item = String>) -> Self {
        Self {
            label,
            parts: parts.into_iter().map(Part::Text).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
