//! What is said when an objective finds more groups than it may have, and when it no longer does.

use crate::domain::incident::{Change, CloseReason};
use crate::domain::notice::{Notice, RefusedFacts};

use super::when::When;
use super::{Line, Part, number};

/// Values of labels may be long, and a name is only to tell one group from another.
const LONGEST_NAME: usize = 80;

const REMOVED: &str = "the objective, its groupBy or its policy was removed";

pub(super) fn title(notice: &Notice, facts: &RefusedFacts, when: &When<'_>) -> String {
    let slo = &facts.slo;
    match notice.change {
        Change::Closed(CloseReason::Removed) => {
            let closed = when.zoned(notice.at);
            format!("⚪ CLOSED groups of {slo} · {REMOVED}, closed {closed}")
        }
        Change::Closed(_) => {
            let closed = when.zoned(notice.at);
            format!("🟢 WATCHING ALL groups of {slo} · since {closed}")
        }
        Change::Opened | Change::Rose { .. } | Change::Fell { .. } | Change::Reminded => format!(
            "🟠 NOT WATCHED {} of {slo} since {}; not known to be failing",
            refused(facts),
            when.zoned(notice.opened)
        ),
    }
}

pub(super) fn lines(notice: &Notice, facts: &RefusedFacts, when: &When<'_>) -> Vec<Line> {
    let counted = [
        format!("{} watched", number::whole(facts.known)),
        format!("maxGroups {}", number::whole(facts.most)),
    ];
    if let Change::Closed(_) = notice.change {
        let missed = format!("{} when it was told", refused(facts));
        return vec![
            Line::of("Lasted", [when.range(notice.opened, notice.at)]),
            Line::of("Refused", [missed, named(facts)]),
            Line::of("Groups", counted),
        ];
    }
    let blind = if facts.has_whole {
        "no alert can fire for them; they count towards the whole"
    } else {
        "no alert can fire for them, and nothing counts them"
    };
    let fewer = if facts.by.len() > 1 {
        "group by fewer labels"
    } else {
        "group by a label with fewer values"
    };
    let mut next = Line::of(
        "Next",
        [format!("raise maxGroups, narrow the selector, or {fewer}")],
    );
    let details = facts.details.iter().map(|url| Part::Link {
        text: "Details",
        url: url.clone(),
    });
    next.parts.extend(details);
    let by = format!("grouped by {}", facts.by.join(", "));
    vec![
        Line::of("Cause", [by].into_iter().chain(counted)),
        Line::of("Refused", [named(facts)]),
        Line::of("Blind", [blind.to_owned()]),
        Line::of(
            "Held",
            ["groups that are watched, their budgets and their alerts".to_owned()],
        ),
        next,
    ]
}

pub(super) fn history(notice: &Notice, facts: &RefusedFacts, when: &When<'_>) -> String {
    let at = when.zoned(notice.at);
    let most = number::whole(facts.most);
    match notice.change {
        Change::Closed(CloseReason::Removed) => format!("{at} closed: {REMOVED}"),
        Change::Closed(_) => format!("{at} watching all groups"),
        Change::Opened | Change::Rose { .. } | Change::Fell { .. } | Change::Reminded => {
            format!("{at} not watched: {} · maxGroups {most}", refused(facts))
        }
    }
}

/// `497 groups`
fn refused(facts: &RefusedFacts) -> String {
    let plural = if facts.refused == 1 { "" } else { "s" };
    let least = if facts.more { "at least " } else { "" };
    format!("{least}{} group{plural}", number::whole(facts.refused))
}

/// Some of them, and how many others there are.
fn named(facts: &RefusedFacts) -> String {
    let mut shown: Vec<String> = facts.some.iter().map(|name| shortened(name)).collect();
    let named = u64::try_from(shown.len()).unwrap_or(u64::MAX);
    let others = facts.refused.saturating_sub(named);
    if others > 0 || facts.more {
        let more = if facts.more { " and more" } else { "" };
        shown.push(format!("+{}{more}", number::whole(others)));
    }
    shown.join(", ")
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let kept = name.chars().take(LONGEST_NAME - 1);
    kept.chain(['…']).collect()
}
