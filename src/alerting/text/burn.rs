//! What is said of a burning budget.

use crate::domain::incident::Change;
use crate::domain::notice::{
    BudgetFacts, BurnFacts, Notice, OriginFacts, SloFacts, TierFacts, WindowFacts,
};
use crate::domain::policy::Severity;
use crate::domain::time::Span;

use super::when::When;
use super::{Line, Part, number};

/// So many labels are named at most of which one value stands out, and of which none does.
const CLEAR: usize = 4;
const EVEN: usize = 2;

pub(super) fn lines(notice: &Notice, facts: &BurnFacts, when: &When<'_>) -> Vec<Line> {
    let promise = Line::of("Promise", promise(&facts.slo));
    let budget = Line::of("Budget", budget(facts));
    let since = Line::of("Since", since(facts, when));
    let origins = Line::of("Where", origins(&facts.origins));
    let speed = |label, order| Line::of(label, speed(notice.severity, facts, order));
    let links = links(facts);
    match notice.change {
        Change::Opened => vec![
            promise,
            speed("Speed", Order::ShortFirst),
            budget,
            since,
            origins,
            links,
        ],
        Change::Rose { .. } => {
            let why = speed("Why now", Order::LongFirst);
            vec![why, before(facts, when), budget, since, origins, links]
        }
        Change::Fell { .. } => {
            let now = speed("Now", Order::LongFirst);
            vec![now, before(facts, when), budget, since, origins, links]
        }
        Change::Reminded => {
            let speed = speed("Speed", Order::ShortFirst);
            vec![speed, budget, since, origins, links]
        }
        Change::Closed(_) => vec![
            Line::of("Lasted", lasted(notice, facts, when)),
            Line::of("Cost", cost(facts)),
            Line::of("Now", afterwards(facts)),
            links,
        ],
    }
}

/// The values that stand out, then the labels of which none does.
fn origins(origins: &[OriginFacts]) -> Vec<String> {
    let clear = origins.iter().filter_map(|origin| {
        let (value, share) = origin.value.as_ref()?;
        let percent = 100.0 * share;
        Some(format!("{}={value} {percent:.0} %", origin.label))
    });
    let even = origins.iter().filter(|origin| origin.value.is_none());
    let even = even.map(|origin| format!("{}s even ({})", origin.label, origin.values));
    clear.take(CLEAR).chain(even.take(EVEN)).collect()
}

pub(super) const fn unit(slo: &SloFacts) -> &'static str {
    if slo.slices { "slices" } else { "requests" }
}

/// The window of a promise: `30 d`, or `the month`.
fn window(slo: &SloFacts) -> String {
    match slo.calendar {
        None => number::words(slo.window),
        Some(period) => format!("the {}", period.name()),
    }
}

fn promise(slo: &SloFacts) -> Vec<String> {
    let promised = format!("{} % over {}", slo.objective.percent(), window(slo));
    let owner = slo.owner.as_ref().map(|owner| format!("owner {owner}"));
    slo.description
        .iter()
        .map(|words| words.trim().to_owned())
        .chain([promised])
        .chain(owner)
        .collect()
}

/// Which window is told first.
#[derive(Clone, Copy)]
enum Order {
    /// How fast it goes.
    ShortFirst,
    /// What made it matter.
    LongFirst,
}

/// The windows of the tier that decided, and its threshold beside the long one.
fn speed(severity: Severity, facts: &BurnFacts, order: Order) -> Vec<String> {
    let Some(tier) = deciding(facts, severity) else {
        return Vec::new();
    };
    let short = counted(&facts.slo, &tier.short, tier.threshold);
    let limit = match tier.bad {
        Some(bad) => format!("from {bad} bad"),
        None => format!("above {}", number::limit(tier.threshold)),
    };
    let long = format!(
        "{} ({}s {limit})",
        counted(&facts.slo, &tier.long, tier.threshold),
        tier.severity,
    );
    match order {
        Order::ShortFirst => vec![short, long],
        Order::LongFirst => vec![long, short],
    }
}

fn counted(slo: &SloFacts, window: &WindowFacts, threshold: f64) -> String {
    let Some(burn) = window.burn else {
        return format!("{}: no {}", number::window(window.length), unit(slo));
    };
    let (bad, total) = (window.counts.bad, window.counts.total);
    let slices = if slo.slices { " slices" } else { "" };
    format!(
        "{}: {} of {}{slices} = {}",
        number::window(window.length),
        number::count(bad),
        number::count(total),
        number::burn_beside(burn, threshold)
    )
}

pub(super) fn pace(window: &WindowFacts) -> Option<String> {
    let burn = window.burn?;
    Some(format!(
        "{} {}",
        number::window(window.length),
        number::burn(burn)
    ))
}

fn before(facts: &BurnFacts, when: &When<'_>) -> Line {
    let told = facts.before.map(|(severity, since)| {
        let pace = deciding(facts, severity)
            .filter(|tier| tier.firing && tier.severity == severity)
            .and_then(|tier| pace(&tier.long))
            .map_or_else(String::new, |pace| format!(" ({pace})"));
        format!("{severity} since {}{pace}", when.bare(since))
    });
    Line::of("Before", told)
}

fn budget(facts: &BurnFacts) -> Vec<String> {
    facts.budget.as_ref().map_or_else(Vec::new, |budget| {
        let empty = budget.empty_in.map(|(left, pace)| {
            format!(
                "empty in {} at the {} pace",
                number::words(left),
                number::window(pace)
            )
        });
        std::iter::once(remaining(budget)).chain(empty).collect()
    })
}

fn remaining(budget: &BudgetFacts) -> String {
    let before = budget.before.filter(|before| before.is_finite());
    if !budget.remaining.is_finite() {
        return "nothing may be bad, and something was".to_owned();
    }
    if budget.remaining >= 0.0 {
        let left = number::percent(budget.remaining);
        return match before.map(number::percent) {
            Some(before) => format!("{left} left (was {before})"),
            None => format!("{left} left"),
        };
    }
    let over = number::percent(-budget.remaining);
    match before {
        Some(before) if before < 0.0 => {
            let before = number::percent(-before);
            format!("overspent by {over} (before: by {before})")
        }
        Some(before) => {
            let before = number::percent(before);
            format!("overspent by {over} ({before} was left)")
        }
        None => format!("overspent by {over}"),
    }
}

fn since(facts: &BurnFacts, when: &When<'_>) -> Vec<String> {
    let onset = when.zoned(facts.onset);
    let course = number::direction(&facts.trend).map_or_else(String::new, |direction| {
        format!(", {direction} {}", number::sparkline(&facts.trend))
    });
    let share = facts.coverage.clamp(0.0, 1.0);
    let longest = facts.tiers.iter().map(|tier| tier.long.length).max();
    // Of the whole window another share may be covered, so it is said of which this is.
    let of = longest.filter(|_| share < 1.0);
    let of = of.map_or_else(String::new, |length| {
        format!(" of {}", number::window(length))
    });
    vec![
        format!("{onset}{course}"),
        format!("coverage {}{of}", number::percent(share)),
    ]
}

fn lasted(notice: &Notice, facts: &BurnFacts, when: &When<'_>) -> Vec<String> {
    let end = facts.stopped.unwrap_or(notice.at);
    let paged = facts.paged.map(|at| format!("paged {}", when.bare(at)));
    std::iter::once(when.range(facts.onset, end))
        .chain(paged)
        .collect()
}

pub(super) fn cost(facts: &BurnFacts) -> Option<String> {
    let slo = &facts.slo;
    let counted = format!(
        "{} of {} {}",
        number::count(facts.cost.bad),
        number::count(facts.cost.total),
        unit(slo)
    );
    let share = facts.budget.as_ref().and_then(|budget| budget.cost);
    let share = share.filter(|share| share.is_finite());
    let share = share.map_or_else(String::new, |share| {
        let share = number::percent(share);
        match slo.calendar {
            None => format!(" = {share} of the {} budget", number::words(slo.window)),
            Some(period) => format!(" = {share} of what the {} allows so far", period.name()),
        }
    });
    (facts.cost.total > 0.0).then(|| format!("{counted}{share}"))
}

fn afterwards(facts: &BurnFacts) -> Vec<String> {
    let left = facts.budget.as_ref().map(|budget| {
        let now = BudgetFacts {
            before: None,
            ..budget.clone()
        };
        remaining(&now)
    });
    let pace = shortest(facts).and_then(|tier| {
        let burn = tier.short.burn?;
        Some(format!(
            "{} burn {}",
            number::window(tier.short.length),
            number::burn(burn)
        ))
    });
    let firing: Vec<&str> = facts
        .tiers
        .iter()
        .filter(|tier| tier.firing)
        .map(|tier| tier.name.as_str())
        .collect();
    let firing = if firing.is_empty() {
        "no tier firing".to_owned()
    } else {
        format!("was firing: {}", firing.join(", "))
    };
    left.into_iter().chain(pace).chain([firing]).collect()
}

fn links(facts: &BurnFacts) -> Line {
    let link = |text, url: &Option<String>| {
        let url = url.clone()?;
        Some(Part::Link { text, url })
    };
    let parts = [
        link("Runbook", &facts.slo.runbook),
        link("Details", &facts.details),
        link("Graph", &facts.graph),
    ];
    Line {
        label: "Do",
        parts: parts.into_iter().flatten().collect(),
    }
}

/// The tier that explains this severity: the first one firing at it, one that burns before one that is only held,
/// else any firing, else the first at it.
pub(super) fn deciding(facts: &BurnFacts, severity: Severity) -> Option<&TierFacts> {
    let tiers = || facts.tiers.iter();
    let firing = || tiers().filter(|tier| tier.firing && tier.severity == severity);
    firing()
        .find(|tier| tier.held_until.is_none())
        .or_else(|| firing().next())
        .or_else(|| tiers().find(|tier| tier.firing))
        .or_else(|| tiers().find(|tier| tier.severity == severity))
}

/// The tier with the shortest window of all.
pub(super) fn shortest(facts: &BurnFacts) -> Option<&TierFacts> {
    let length = |tier: &&TierFacts| -> Span { tier.short.length };
    facts.tiers.iter().min_by_key(length)
}
