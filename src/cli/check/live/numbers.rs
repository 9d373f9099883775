//! Faults that the numbers of an objective show.

use crate::definitions::{Written, codes};
use crate::diagnostic::Diagnostic;
use crate::domain::indicator::{Budgeting, Events, Indicator, Split};
use crate::domain::measurement::Outcome;
use crate::domain::slot::Counts;
use crate::domain::time::Span;
use crate::status::snapshot::SloStatus;

use super::super::counted;

/// With less of it measured, the traffic of a window cannot be told from its part.
const LEAST: Span = Span::from_hours(1);

/// So much may a sum of parts of events differ from whole ones.
const ROUNDING: f64 = 1e-9;

/// More bad (or good) events than events, of any instance: they are not a part of the total.
pub(super) fn beyond(statuses: &[&SloStatus], written: &Written) -> Option<Diagnostic> {
    let mut statuses = statuses.iter();
    statuses.find_map(|status| beyond_total(status, written))
}

fn beyond_total(status: &SloStatus, written: &Written) -> Option<Diagnostic> {
    let side = side(&status.slo.indicator)?;
    // How much of the window is there yet changes from minute to minute, so it is named as it is written.
    let whole = format!("in the window ({})", status.slo.window);
    let burns = status.burn.iter();
    let burns = burns.map(|burn| (format!("in the last {}", burn.length), burn.counts));
    let is_beyond = |(_, counts): &(String, Counts)| {
        let slack = counts.total.abs() * ROUNDING;
        counts.bad > counts.total + slack || counts.bad < -slack
    };
    let mut windows = std::iter::once((whole, status.window.counts)).chain(burns);
    let (when, Counts { bad, total }) = windows.find(is_beyond)?;
    let number = match side {
        "bad" => bad,
        _ => total - bad,
    };
    let message = format!(
        "{when} `{side}`{} counts {}, and `total` {}",
        whose(status),
        shown(number),
        shown(total)
    );
    let fault = Diagnostic::error(codes::OUTSIDE, message)
        .help("count the same events on both sides: what is bad or good must be in the total, too");
    Some(written.at_part(fault, &[side, "badWhere", "goodWhere", "histogram"], 0))
}

/// Which events are counted beside the total, where any are.
const fn side(indicator: &Indicator) -> Option<&'static str> {
    match indicator {
        Indicator::Errors(events) | Indicator::Latency(events) => match events {
            Events::OfTotal { split, .. } => Some(name(split)),
            Events::Histogram(_) => Some("good"),
            // All events are both together, or one by one.
            Events::GoodAndBad { .. } | Events::Probe(_) => None,
        },
        Indicator::Query { split, .. } => Some(name(split)),
        Indicator::Slices(_) => None,
    }
}

const fn name<T>(split: &Split<T>) -> &'static str {
    match split {
        Split::Bad(_) => "bad",
        Split::Good(_) => "good",
    }
}

/// An objective of which a whole window allows less than one bad event. How many slices one holds is
/// known without a look at the source.
pub(super) fn too_fine(statuses: &[&SloStatus], written: &Written) -> Option<Diagnostic> {
    let few = statuses
        .iter()
        .filter_map(|status| Some((status, allowed(status)?)));
    let mut few: Vec<_> = few.filter(|(_, (_, allowed))| *allowed < 1.0).collect();
    few.sort_by(|(_, (_, one)), (_, (_, other))| one.total_cmp(other));
    let (status, (total, allowed)) = few.first()?;
    let slo = &status.slo;
    let more = match few.len() - 1 {
        0 => String::new(),
        more => format!("; {} more are alike", counted(more, "group")),
    };
    let message = format!(
        "a window of {} holds about {} events{}, of which {} allows {} to be bad: the first bad event breaks the promise{more}",
        slo.window,
        shown(*total),
        whose(status),
        slo.objective,
        shown(*allowed),
    );
    let fault = Diagnostic::warning(codes::TOO_FINE, message).help(
        "write a longer window or a lower objective, and alert by a tier that counts, as bad: 3",
    );
    Some(written.at_objective(fault))
}

/// Which of the groups it is, where there are any.
fn whose(status: &SloStatus) -> String {
    if status.group.is_empty() {
        String::new()
    } else {
        format!(" of {{{}}}", status.group)
    }
}

/// How many events a whole window holds, by what was measured of it, and how many of them may be bad.
/// `None` where too little is known, nothing may be bad at all, or slices are judged.
fn allowed(status: &SloStatus) -> Option<(f64, f64)> {
    let (slo, window) = (&status.slo, &status.window);
    let measured = window.coverage * window.range.length().as_secs_f64();
    let period = slo.window.length(window.range.to).as_secs_f64();
    let allowance = slo.objective.allowance().to_f64();
    let is_known = measured >= LEAST.as_secs_f64().min(period);
    if !is_known || slo.budgeting() != Budgeting::Occurrences {
        return None;
    }
    let total = window.counts.total * period / measured;
    (total > 0.0 && allowance > 0.0).then_some((total, total * allowance))
}

/// Instances that are not measured, for a reason that nothing else tells.
pub(super) fn unmeasured(statuses: &[&SloStatus], written: &Written) -> Vec<Diagnostic> {
    let told = statuses.iter().filter_map(|status| {
        let measurement = &status.measurement;
        let is_known = matches!(measurement.outcome, Outcome::Measured | Outcome::NoTraffic);
        let reason = measurement.reason.as_ref().filter(|_| !is_known)?;
        let message = format!("nothing is measured now: {reason}");
        let fault = if measurement.impossible {
            Diagnostic::error(codes::OUTSIDE, message)
        } else {
            Diagnostic::warning(codes::UNMEASURED, message)
        };
        Some(written.at_part(fault, &[], 0))
    });
    told.collect()
}

/// A number of events: whole where it is large, with two digits that count where it is small.
fn shown(number: f64) -> String {
    match number.abs() {
        size if size.fract() == 0.0 || size >= 10.0 => format!("{number:.0}"),
        size if size >= 1.0 => format!("{number:.1}"),
        size if size >= 0.01 => format!("{number:.2}"),
        _ => "less than 0.01".to_owned(),
    }
}
