//! What a burning budget is called: the title of a message, and its line in the incident's history.

use crate::domain::incident::{Change, CloseReason};
use crate::domain::indicator::Signal;
use crate::domain::notice::{BurnFacts, Notice};
use crate::domain::policy::Severity;
use crate::domain::quantity::Breach;
use crate::domain::slo::SloId;
use crate::domain::slot::Counts;

use super::burn::{cost, deciding, pace, shortest, unit};
use super::number;
use super::when::When;

pub(super) fn title(notice: &Notice, facts: &BurnFacts, when: &When<'_>) -> String {
    let subject = facts.slo.subject();
    let (mark, severity) = (mark(notice.severity), loud(notice.severity));
    match notice.change {
        Change::Opened => format!(
            "{mark} {severity} {subject}: {}",
            headline(facts, notice.severity)
        ),
        Change::Rose { from } => format!("{mark} ESCALATED {from} → {severity} {subject}"),
        Change::Fell { from } => {
            format!(
                "{mark} EASED {} → {} {subject}",
                loud(from),
                notice.severity
            )
        }
        Change::Reminded => {
            let since = match (notice.severity, facts.paged) {
                (Severity::Page, Some(paged)) => paged,
                _ => notice.opened,
            };
            let lasting = number::words(notice.at.since(since));
            match facts.held_until(notice.severity) {
                Some(until) => format!(
                    "{mark} HELD {severity} {subject} after {lasting}: not burning now, held until {}",
                    when.zoned(until)
                ),
                None => format!(
                    "{mark} STILL {severity} {subject} after {lasting}: {}",
                    headline(facts, notice.severity)
                ),
            }
        }
        Change::Closed(reason) => {
            let (how, closed) = ending(notice, facts, when);
            let outcome = match reason {
                CloseReason::Recovered => "✅ RESOLVED",
                CloseReason::NoTraffic | CloseReason::Removed => "⚪ CLOSED",
            };
            format!("{outcome} {subject} · {how}, {closed}")
        }
    }
}

/// The title when the objective of an open incident is gone.
pub(super) fn removed(slo: &SloId, notice: &Notice, when: &When<'_>) -> String {
    let closed = when.zoned(notice.at);
    format!("⚪ CLOSED {slo} · no longer watched, closed {closed}")
}

pub(super) fn history(notice: &Notice, facts: &BurnFacts, when: &When<'_>) -> String {
    let at = when.zoned(notice.at);
    let told = match notice.change {
        Change::Opened => format!(
            "{}: {}",
            loud(notice.severity),
            headline(facts, notice.severity)
        ),
        Change::Rose { from } => {
            format!(
                "{from} → {}: {}",
                loud(notice.severity),
                headline(facts, notice.severity)
            )
        }
        Change::Fell { from } => {
            format!(
                "{} → {}: {}",
                loud(from),
                notice.severity,
                headline(facts, notice.severity)
            )
        }
        Change::Reminded => {
            let held = facts.held_until(notice.severity);
            let word = held.map_or("still", |_| "held");
            format!(
                "{word} {}: {}",
                loud(notice.severity),
                headline(facts, notice.severity)
            )
        }
        Change::Closed(_) => format!("closed: {}", ending(notice, facts, when).0),
    };
    let speeds = match notice.change {
        Change::Closed(_) => cost(facts).into_iter().collect::<Vec<_>>(),
        _ => deciding(facts, notice.severity)
            .into_iter()
            .flat_map(|tier| [pace(&tier.short), pace(&tier.long)])
            .flatten()
            .collect(),
    };
    let parts: Vec<String> = std::iter::once(told).chain(speeds).collect();
    format!("{at} {}", parts.join(" · "))
}

/// How bad it is, in the words of the one who reads it: by what happens now or, where that is well and a longer window
/// still burns, by what happened in that.
fn headline(facts: &BurnFacts, severity: Severity) -> String {
    let slo = &facts.slo;
    let allowed = format!("{} % allowed", slo.objective.allowed_percent());
    let burns = |counts: Counts| counts.error_ratio() > Some(slo.objective.allowance().to_f64());
    let shortest = shortest(facts).map(|tier| tier.short.length);
    let deciding = deciding(facts, severity).map(|tier| &tier.short);
    let earlier = deciding.filter(|window| Some(window.length) > shortest);
    let earlier = earlier.filter(|window| !burns(facts.now) && burns(window.counts));
    let counts = earlier.map_or(facts.now, |window| window.counts);
    let length = earlier.map(|window| window.length).or(shortest);
    let last = length.map_or_else(String::new, |length| {
        format!(" the last {}", number::window(length))
    });
    let Some(share) = counts.error_ratio().map(number::percent) else {
        return format!("nothing measured in{last} ({allowed})");
    };
    let threshold = slo.threshold.as_deref().map(number::spaced);
    let broken = match (slo.breach, threshold) {
        (Some(breach), Some(limit)) => {
            let how = match breach {
                Breach::Above => format!("above {limit}"),
                Breach::Below => format!("below {limit}"),
                Breach::OverLimit => format!("over {limit} of its limit"),
                Breach::Older => format!("older than {limit}"),
                Breach::Dropped => format!("more than {limit} below what is usual"),
            };
            return format!("{how} for {share} of{last} ({allowed})");
        }
        (Some(_), None) | (None, _) if slo.slices => match earlier {
            None => "of slices are bad".to_owned(),
            Some(_) => "of slices were bad".to_owned(),
        },
        (_, threshold) => {
            let verb = match (slo.signal, earlier) {
                (Signal::Latency, None) => "take",
                (Signal::Latency, Some(_)) => "took",
                (Signal::Errors | Signal::Traffic | Signal::Saturation, None) => "fail",
                (Signal::Errors | Signal::Traffic | Signal::Saturation, Some(_)) => "failed",
            };
            let too_long = match (slo.signal, threshold) {
                (Signal::Latency, Some(limit)) => format!(" longer than {limit}"),
                (Signal::Latency, None) => " too long".to_owned(),
                (Signal::Errors | Signal::Traffic | Signal::Saturation, _) => String::new(),
            };
            format!("of {} {verb}{too_long}", unit(slo))
        }
    };
    let when = earlier.map_or_else(String::new, |_| format!(" in{last}"));
    format!("{share} {broken}{when} ({allowed})")
}

/// How it ended, and when it was closed.
fn ending(notice: &Notice, facts: &BurnFacts, when: &When<'_>) -> (String, String) {
    let closed = format!("closed {}", when.zoned(notice.at));
    match notice.change {
        Change::Closed(CloseReason::NoTraffic) => (
            format!("no {} any more", unit(&facts.slo)),
            format!("{closed}; not known to work"),
        ),
        Change::Closed(CloseReason::Removed) => {
            ("the objective or its policy was removed".to_owned(), closed)
        }
        _ => {
            let trouble = match (facts.slo.signal, facts.slo.breach) {
                (Signal::Errors, Some(_)) => "within its bounds",
                (Signal::Errors, None) => "errors stopped",
                (Signal::Latency, Some(Breach::Older)) => "fresh again",
                (Signal::Latency, _) => "fast again",
                (Signal::Traffic, Some(Breach::Above)) => "traffic went down",
                (Signal::Traffic, _) => "traffic came back",
                (Signal::Saturation, _) => "within its limit",
            };
            let stopped = facts
                .stopped
                .map(|stopped| format!(" {}", when.bare(stopped)));
            let trouble = format!("{trouble}{}", stopped.unwrap_or_default());
            (trouble, format!("{closed} after the hold"))
        }
    }
}

const fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "🔴",
        Severity::Ticket => "🟡",
    }
}

const fn loud(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "PAGE",
        Severity::Ticket => "TICKET",
    }
}
