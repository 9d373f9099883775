//! What an objective promises and how its budget stands, in words with their numbers.

use crate::domain::indicator::{Events, Histogram, HistogramKind, Indicator, Split};
use crate::domain::objective::Objective;
use crate::domain::selector::Selector;
use crate::domain::slices::BadWhen;
use crate::domain::slo::Slo;
use crate::domain::time::{Span, TimeRange};
use crate::status::snapshot::SloStatus;
use crate::status::view::indicator::limits;
use crate::status::view::slo::{SloView, WindowView};
use crate::status::words;

use super::when::When;
use super::{figures, slices};

/// What is promised, in a sentence.
pub(super) fn promise(slo: &SloView) -> String {
    format!(
        "{} % of {} are good over {}.",
        slo.objective_percent,
        figures::unit(slo),
        period(&slo.window)
    )
}

/// The window in words: `30d`, or `the month (Europe/Berlin)`.
fn period(window: &WindowView) -> String {
    match &window.time_zone {
        None => window.length.clone(),
        Some(zone) => format!("the {} ({zone})", window.length),
    }
}

/// How much of the budget is left, in a few words.
pub(super) fn standing(slo: &SloView) -> String {
    let standing = match slo.budget.remaining {
        Some(left) if left < 0.0 => format!("Budget overspent by {}", words::percent(-left)),
        Some(left) => format!("{} of the budget is left", words::percent(left)),
        None if slo.window.bad.0 > 0.0 => "Budget overspent: nothing may be bad".to_owned(),
        None => "The budget is unknown".to_owned(),
    };
    match figures::counted_over(slo) {
        Some(time) => format!("{standing}, counted over {time} of {}", period(&slo.window)),
        None => standing,
    }
}

/// How bad is told from good, in a sentence.
pub(super) fn meaning(slo: &Slo) -> String {
    match &slo.indicator {
        Indicator::Errors(events) | Indicator::Latency(events) => meaning_of_events(events),
        Indicator::Slices(sliced) => slices::meaning(sliced),
        Indicator::Query { window, .. } => {
            format!(
                "Estimated from two queries over {window} each; the events themselves are not seen."
            )
        }
    }
}

/// How a bad event is told from a good one, in a sentence.
pub(super) fn meaning_of_events(events: &Events) -> String {
    match events {
        Events::OfTotal { split, .. } => {
            let (when, word, counted) = match split {
                Split::Bad(bad) => ("when", "bad", bad),
                Split::Good(good) => ("unless", "good", good),
            };
            format!("An event is bad {when} {} it.", matches(word, counted))
        }
        Events::GoodAndBad { bad, .. } => format!(
            "An event is bad when {} it; good and bad together are all events.",
            matches("bad", bad)
        ),
        Events::Histogram(histogram) => meaning_of_histogram(histogram),
        Events::Probe(probe) => match probe.quorum {
            None => "Each sample of the probe is an event, and bad when it is 0.".to_owned(),
            Some(quorum) => format!(
                "An event is a slot of time, and bad when {} say so by their last value.",
                voters(quorum)
            ),
        },
    }
}

fn meaning_of_histogram(histogram: &Histogram) -> String {
    let told = format!(
        "An event is bad when it took longer than {}.",
        limits(histogram)
    );
    match histogram.kind {
        HistogramKind::Classic => told,
        HistogramKind::Native => format!(
            "{told} Events in the same bucket as the threshold are interpolated, as Prometheus does it."
        ),
    }
}

/// How many probers make an event bad.
fn voters(quorum: BadWhen) -> String {
    match quorum {
        BadWhen::Count(1) => "any of the probers".to_owned(),
        BadWhen::Count(least) => format!("{least} or more of the probers"),
        BadWhen::Share(least) => format!(
            "{} or more of the probers",
            figures::written_percent(least.to_f64())
        ),
    }
}

/// `the bad selector matches`, or of several `a bad selector matches`.
fn matches(word: &str, selectors: &[Selector]) -> String {
    let article = if selectors.len() == 1 { "the" } else { "a" };
    format!("{article} {word} selector matches")
}

/// The budget's arithmetic, a sentence for each step of it.
pub(super) fn arithmetic(slo: &SloView, status: &SloStatus) -> Vec<String> {
    let (window, unit) = (&slo.window, figures::unit(slo));
    let (Some(ratio), Some(budget)) = (window.ratio, status.budget) else {
        return vec![format!(
            "Nothing was counted over {}, so that nothing is known of the budget.",
            period(window)
        )];
    };
    let allowance = status.slo.objective.allowance().to_f64();
    let most = words::count(if budget.allowed < 100.0 {
        budget.allowed
    } else {
        budget.allowed.floor()
    });
    let counted = format!(
        "{} bad of {} {unit} = {}.",
        words::count(window.bad.0),
        words::count(window.total.0),
        words::percent(ratio)
    );
    let parts = status.versions.parts(status.window.range);
    let allowed = if parts.len() > 1 {
        let part = |(range, objective): &(TimeRange, Objective)| {
            let total = status.ledger.sum(*range).counts.total;
            let share = figures::written_percent(objective.allowance().to_f64());
            format!("{share} of {} until {}", words::count(total), range.to)
        };
        let parts: Vec<String> = parts.iter().map(part).collect();
        format!(
            "The objective changed within the window. {} may be bad: {most} together.",
            parts.join(" and ")
        )
    } else {
        format!(
            "{} of them may be bad: {} × {} = {most}.",
            figures::written_percent(allowance),
            words::count(window.total.0),
            figures::written_percent(allowance),
        )
    };
    let spent = budget.spent();
    let left = if !spent.is_finite() {
        "Nothing may be bad, so that the budget is overspent without bound.".to_owned()
    } else if spent > 1.0 {
        format!(
            "{} of the budget is spent: {} more than there is.",
            words::percent(spent),
            words::percent(spent - 1.0)
        )
    } else {
        format!(
            "{} of the budget is spent, {} is left.",
            words::percent(spent),
            words::percent(1.0 - spent)
        )
    };
    let measured = format!(
        "{} of the window was measured.",
        figures::coverage(window.coverage)
    );
    let allowed = (budget.allowed > 0.0).then_some(allowed);
    let outlook = outlook(slo, status);
    [counted]
        .into_iter()
        .chain(allowed)
        .chain([left])
        .chain(outlook)
        .chain([measured])
        .collect()
}

/// When the budget was or will be empty.
fn outlook(slo: &SloView, status: &SloStatus) -> Option<String> {
    if let Some(emptied) = status.emptied_at {
        let at = When::short(emptied, status.measurement.at);
        return Some(format!("It was used up at {}.", at.text()));
    }
    let seconds = slo.budget.seconds_to_empty?.0;
    let left = Span::from(std::time::Duration::try_from_secs_f64(seconds).ok()?);
    let pace = status.burn.first().map(|burn| words::window(burn.length))?;
    Some(format!(
        "At the pace of the last {pace} it will be empty in {}.",
        words::words(left)
    ))
}
