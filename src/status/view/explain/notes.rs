//! What happened to series in an explanation: resets, gaps, first values that counted or did not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::labels::Labels;
use crate::domain::time::{Span, Timestamp};

use super::super::super::explanation::{Explanation, Note, NoteKind};
use super::super::scalar::{Count, Time};
use super::labels_of;

/// What happened to a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteView {
    /// What: `reset`, `gap`, `birthCounted` or `birthIgnored`.
    pub kind: String,
    /// By which rule a first value was counted or not.
    pub rule: Option<String>,
    /// The same in words.
    pub why: String,
    /// Its labels.
    pub series: BTreeMap<String, String>,
    /// The older sample, or from where was counted instead.
    pub from: Time,
    /// The newer one.
    pub to: Time,
    /// The value from which was counted.
    pub before: Option<Count>,
    /// The value of the newer sample.
    pub after: Count,
    /// The events counted.
    pub events: Count,
    /// Over how many slots they are spread.
    pub slots: u64,
}

/// What happened to the series, each once: one may stand in several parts.
pub(super) fn notes_of(it: &Explanation) -> Vec<NoteView> {
    let mut seen: BTreeMap<(Timestamp, String, Timestamp, &str), NoteView> = BTreeMap::new();
    for series in it.parts.iter().flat_map(|part| &part.series) {
        for note in &series.notes {
            let view = note_of(&series.labels, note, it.slot);
            let key = (note.to, series.labels.to_string(), note.from, kind(note));
            seen.entry(key).or_insert(view);
        }
    }
    seen.into_values().collect()
}

const fn kind(note: &Note) -> &'static str {
    match note.kind {
        NoteKind::Reset => "reset",
        NoteKind::Gap => "gap",
        NoteKind::Counted(_) => "birthCounted",
        NoteKind::Ignored(_) => "birthIgnored",
    }
}

fn note_of(labels: &Labels, note: &Note, slot: Span) -> NoteView {
    let (rule, why) = match note.kind {
        NoteKind::Reset => (
            None,
            "the counter fell: it began anew at zero, and all of the newer value is new",
        ),
        NoteKind::Gap => (
            None,
            "nothing was scraped for more than 2.5 usual intervals",
        ),
        NoteKind::Counted(evidence) | NoteKind::Ignored(evidence) => {
            let is_counted = matches!(note.kind, NoteKind::Counted(_));
            (Some(evidence.name().to_owned()), why(evidence, is_counted))
        }
    };
    let first = (note.from + Span::from_millis(1)).ceil_to(slot);
    let spread = note.to.ceil_to(slot).since(first).as_millis() / slot.as_millis() + 1;
    NoteView {
        kind: kind(note).to_owned(),
        rule,
        why: why_of_gap(why.to_owned(), note),
        series: labels_of(labels),
        from: Time(note.from),
        to: Time(note.to),
        before: note.before.map(Count),
        after: Count(note.after),
        events: Count(note.events),
        slots: if note.gap {
            u64::try_from(spread).unwrap_or(1).max(1)
        } else {
            u64::from(note.before.is_some())
        },
    }
}

fn why_of_gap(why: String, note: &Note) -> String {
    match note.kind {
        NoteKind::Gap => why + ", so the events are spread over all slots between",
        _ if note.gap => why + "; the events are spread over all slots between",
        _ => why,
    }
}

/// Why a first value was counted, or not.
const fn why(evidence: Evidence, is_counted: bool) -> &'static str {
    match evidence {
        Evidence::Renamed => {
            "a series of the same target ended as this one began, with one label more or less: the same counter goes on"
        }
        Evidence::Anew => {
            "it returned after its target was scraped without it, or with a new process: it counts from zero"
        }
        Evidence::Absent => "its target was scraped before without it: it was at zero then",
        Evidence::Process => {
            "its process began since the scrape before, or was young: all that it counted is new"
        }
        Evidence::OlderProcess => {
            "its process is older than what is known of it: these may be the events of its whole life"
        }
        Evidence::Pace if is_counted => {
            "nothing but its pace shows when these happened, and at that they may be of one scrape"
        }
        Evidence::Pace => {
            "nothing shows when these happened, and at its pace they took more than ten scrapes"
        }
    }
}
