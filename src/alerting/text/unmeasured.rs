//! What is said when objectives cannot be measured, and when they can be again.

use std::collections::BTreeSet;

use crate::domain::incident::{Change, CloseReason};
use crate::domain::notice::{Notice, UnmeasuredFacts};

use super::when::When;
use super::{Line, number};

/// How many objectives are named.
const NAMED: usize = 5;

const REMOVED: &str = "removed, or no longer to be told of by their policy";

pub(super) fn title(notice: &Notice, facts: &UnmeasuredFacts, when: &When<'_>) -> String {
    let blind = format!("{} of source {}", objectives(&facts.blind), facts.source);
    let since = when.zoned(notice.opened);
    match notice.change {
        Change::Closed(CloseReason::Removed) => {
            let closed = when.zoned(notice.at);
            format!("⚪ CLOSED {blind} · {REMOVED}, closed {closed}")
        }
        Change::Closed(_) => {
            let closed = when.zoned(notice.at);
            format!("🟢 MEASURING AGAIN {blind} · since {closed}")
        }
        Change::Reminded => format!(
            "🟠 STILL CANNOT MEASURE {blind} after {}; not known to be failing",
            number::words(notice.at.since(notice.opened))
        ),
        Change::Opened | Change::Rose { .. } | Change::Fell { .. } => {
            format!("🟠 CANNOT MEASURE {blind} since {since}; not known to be failing")
        }
    }
}

pub(super) fn lines(notice: &Notice, facts: &UnmeasuredFacts, when: &When<'_>) -> Vec<Line> {
    let cause = Line::of("Cause", cause(facts, when));
    if let Change::Closed(reason) = notice.change {
        let lasted = Line::of("Lasted", [when.range(notice.opened, notice.at)]);
        if reason == CloseReason::Removed {
            return vec![lasted, cause];
        }
        let next = "what was missed is being read; what burned meanwhile is told late";
        return vec![
            lasted,
            cause,
            Line::of("Held", held(facts)),
            Line::of("Next", [next.to_owned()]),
        ];
    }
    let blind = (!facts.blind.is_empty())
        .then(|| format!("no burn alert can fire: {}", listed(&facts.blind)));
    let next = "what is missed is read on return; what burned meanwhile is told late";
    vec![
        cause,
        Line::of("Blind", blind),
        Line::of("Held", held(facts)),
        Line::of("Next", [next.to_owned()]),
    ]
}

pub(super) fn history(notice: &Notice, facts: &UnmeasuredFacts, when: &When<'_>) -> String {
    let told = match notice.change {
        Change::Closed(CloseReason::Removed) => "closed",
        Change::Closed(_) => "measuring again",
        Change::Reminded => "still cannot measure",
        Change::Opened | Change::Rose { .. } | Change::Fell { .. } => "cannot measure",
    };
    let cause = cause(facts, when).join(" · ");
    format!("{} {told} · {cause}", when.zoned(notice.at))
}

/// `7 objectives`, or `1 objective (12 instances)` where groups are blind.
fn objectives(blind: &[String]) -> String {
    let promise = |id: &String| id.split('{').next().map(str::to_owned);
    let objectives: BTreeSet<String> = blind.iter().filter_map(promise).collect();
    let (count, instances) = (objectives.len(), blind.len());
    let plural = if count == 1 { "" } else { "s" };
    let instances = if instances == count {
        String::new()
    } else {
        format!(" ({instances} instances)")
    };
    format!("{count} objective{plural}{instances}")
}

fn cause(facts: &UnmeasuredFacts, when: &When<'_>) -> Vec<String> {
    let plural = if facts.failed_reads == 1 { "" } else { "s" };
    let reads = match facts.failed_reads {
        0 => String::new(),
        reads => format!(", {reads} read{plural} failed"),
    };
    let good = match facts.last_good {
        Some(at) => format!("last good read {}", when.to_the_second(at)),
        None => "no good read so far".to_owned(),
    };
    let reason = match facts.reason.as_str() {
        "" => "not known",
        reason => reason,
    };
    vec![format!("{reason}{reads}"), good]
}

fn listed(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMED).cloned().collect();
    if names.len() > NAMED {
        shown.push(format!("+{}", names.len() - NAMED));
    }
    shown.join(", ")
}

fn held(facts: &UnmeasuredFacts) -> Option<String> {
    let named: Vec<String> = facts
        .held
        .iter()
        .map(|(slo, severity, burn)| {
            let burn = burn.map_or_else(String::new, |burn| {
                format!(", {} when last read", number::burn(burn))
            });
            format!("{slo} ({severity}{burn})")
        })
        .collect();
    let verb = if named.len() == 1 {
        "incident stays"
    } else {
        "incidents stay"
    };
    (!named.is_empty()).then(|| format!("{} {verb} open: {}", named.len(), listed(&named)))
}
