//! What is said when the daemon passes over too many ticks, and when it keeps pace again.

use crate::domain::incident::{Change, CloseReason};
use crate::domain::notice::{Notice, PassedOverFacts};

use super::when::When;
use super::{Line, Part, number};

const REMOVED: &str = "no policy wants to be told of what is not measured any more";

pub(super) fn title(notice: &Notice, facts: &PassedOverFacts, when: &When<'_>) -> String {
    match notice.change {
        Change::Closed(CloseReason::Removed) => {
            let closed = when.zoned(notice.at);
            format!("⚪ CLOSED ticks that Sloburn passed over · {REMOVED}, closed {closed}")
        }
        Change::Closed(_) => {
            let closed = when.zoned(notice.at);
            format!("🟢 ON TIME AGAIN Sloburn keeps pace · since {closed}")
        }
        Change::Opened | Change::Rose { .. } | Change::Fell { .. } | Change::Reminded => format!(
            "🟠 RUNNING LATE Sloburn passed over {} since {}; alerts may come late",
            number::passed_over(facts),
            when.zoned(notice.opened)
        ),
    }
}

pub(super) fn lines(notice: &Notice, facts: &PassedOverFacts, when: &When<'_>) -> Vec<Line> {
    let cause = Line::of("Cause", number::why_passed_over(facts));
    if let Change::Closed(_) = notice.change {
        let missed = format!("{} when it was told", number::passed_over(facts));
        return vec![
            Line::of("Lasted", [when.range(notice.opened, notice.at)]),
            Line::of("Missed", [missed]),
            cause,
        ];
    }
    let slow = "look at the load of the sources; raise maxInFlight, make tick longer, or give Sloburn more CPU";
    let asleep =
        "see whether its container is throttled, and whether its machine sleeps or is paused";
    let advice = [(facts.ticks.slow, slow), (facts.ticks.asleep, asleep)];
    let advice = advice.into_iter().filter(|(count, _)| *count > 0);
    let mut next = Line::of("Next", advice.map(|(_, advice)| advice.to_owned()));
    let details = facts.details.iter().map(|url| Part::Link {
        text: "Details",
        url: url.clone(),
    });
    next.parts.extend(details);
    let lost = "nothing: what was passed over is read and counted with the next tick";
    vec![
        cause,
        Line::of(
            "Alerts",
            ["come as late as the next tick that is run".to_owned()],
        ),
        Line::of("Lost", [lost.to_owned()]),
        next,
    ]
}

pub(super) fn history(notice: &Notice, facts: &PassedOverFacts, when: &When<'_>) -> String {
    let at = when.zoned(notice.at);
    match notice.change {
        Change::Closed(CloseReason::Removed) => format!("{at} closed: {REMOVED}"),
        Change::Closed(_) => format!("{at} on time again"),
        Change::Opened | Change::Rose { .. } | Change::Fell { .. } | Change::Reminded => {
            format!(
                "{at} running late: {} passed over",
                number::passed_over(facts)
            )
        }
    }
}
