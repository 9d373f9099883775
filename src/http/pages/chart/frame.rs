//! What the charts over time share: the axis, where nothing was measured, where incidents were, and
//! the words for each step.

use crate::domain::incident::Incident;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::status::history::Step;
use crate::status::snapshot::SloStatus;
use crate::status::words;

use super::super::figures;
use super::super::when::strftime;
use super::measured::{in_steps, measured};
use super::percent;

/// How many steps a chart has at most.
const STEPS: i64 = 120;

/// A part of a chart from left to right, in percent of its width.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::http::pages) struct Strip {
    pub(in crate::http::pages) x: String,
    pub(in crate::http::pages) width: String,
    /// What it stands for.
    pub(in crate::http::pages) title: String,
}

/// A name on the axis.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::http::pages) struct Tick {
    pub(in crate::http::pages) x: String,
    pub(in crate::http::pages) anchor: &'static str,
    pub(in crate::http::pages) text: String,
}

/// A range of time cut into steps, and what is drawn of it whatever the chart shows.
#[derive(Clone, Debug)]
pub(in crate::http::pages) struct Frame {
    pub(in crate::http::pages) range: TimeRange,
    pub(in crate::http::pages) steps: Vec<Step>,
    pub(in crate::http::pages) ticks: Vec<Tick>,
    /// Where nothing was measured.
    pub(in crate::http::pages) gaps: Vec<Strip>,
    /// Where incidents were open.
    pub(in crate::http::pages) bands: Vec<Strip>,
    /// The words for each step.
    pub(in crate::http::pages) points: Vec<Strip>,
    /// Since when anything was measured, and how much, where that is not all of the window.
    pub(in crate::http::pages) since: Option<String>,
}

impl Frame {
    /// `range` of `status` with the incidents among `incidents` that are its own.
    pub(in crate::http::pages) fn of<'a>(
        status: &SloStatus,
        range: TimeRange,
        incidents: impl IntoIterator<Item = &'a Incident>,
    ) -> Self {
        Self::drawn(status, range, in_steps(status, range, STEPS), incidents)
    }

    /// The window of `status` from its first measured time on.
    pub(in crate::http::pages) fn of_window<'a>(
        status: &SloStatus,
        incidents: impl IntoIterator<Item = &'a Incident>,
    ) -> Self {
        let (range, steps) = measured(status, STEPS);
        let begun = strftime(range.from, "%-d %b %H:%M UTC");
        let covered = figures::coverage(status.window.coverage);
        let is_part = range.from > status.window.range.from;
        Self {
            since: is_part.then(|| format!("Measured since {begun}, {covered} of the window.")),
            ..Self::drawn(status, range, steps, incidents)
        }
    }

    fn drawn<'a>(
        status: &SloStatus,
        range: TimeRange,
        steps: Vec<Step>,
        incidents: impl IntoIterator<Item = &'a Incident>,
    ) -> Self {
        let strip = |own: TimeRange, title| strip(range, own, title);
        let unknown = steps.iter().filter(|step| step.coverage <= 0.0);
        let gaps = joined(unknown.map(|step| step.range));
        let own = incidents.into_iter();
        let own = own.filter(|incident| incident.slo == status.slo.id);
        let bands = own.filter_map(|incident| {
            let open = TimeRange {
                from: incident.onset.max(range.from),
                to: incident.closed.unwrap_or(range.to).min(range.to),
            };
            let title = format!("Incident, at worst a {}", incident.peak);
            (open.from < open.to).then(|| strip(open, title))
        });
        Self {
            ticks: ticks(range),
            gaps: gaps
                .map(|gap| strip(gap, "Not measured".to_owned()))
                .collect(),
            bands: bands.collect(),
            points: steps
                .iter()
                .map(|step| strip(step.range, words_of(step)))
                .collect(),
            steps,
            range,
            since: None,
        }
    }

    /// Where `at` lies, 0 at the left and 1 at the right.
    pub(in crate::http::pages) fn x(&self, at: Timestamp) -> f64 {
        share(self.range, at)
    }
}

fn share(range: TimeRange, at: Timestamp) -> f64 {
    at.since(range.from).as_secs_f64() / range.length().as_secs_f64().max(1e-3)
}

fn strip(range: TimeRange, own: TimeRange, title: String) -> Strip {
    let (from, to) = (share(range, own.from), share(range, own.to));
    Strip {
        x: percent(from),
        // Thin enough to be exact, and thick enough to be seen.
        width: percent((to - from).max(0.002)),
        title,
    }
}

/// Ranges that touch become one.
fn joined(ranges: impl Iterator<Item = TimeRange>) -> impl Iterator<Item = TimeRange> {
    let mut all: Vec<TimeRange> = Vec::new();
    for range in ranges {
        match all.last_mut() {
            Some(last) if last.to == range.from => last.to = range.to,
            _ => all.push(range),
        }
    }
    all.into_iter()
}

/// Five names, the outer ones at the edges.
fn ticks(range: TimeRange) -> Vec<Tick> {
    let length = range.length();
    let format = if length >= Span::from_days(4) {
        "%-d %b"
    } else if length >= Span::from_hours(18) {
        "%-d %b %H:%M"
    } else if length >= Span::from_mins(20) {
        "%H:%M"
    } else {
        "%H:%M:%S"
    };
    let tick = |quarter: i64| Tick {
        x: format!("{}%", 25 * quarter),
        anchor: match quarter {
            0 => "start",
            4 => "end",
            _ => "middle",
        },
        text: strftime(
            range.from + Span::from_millis(length.as_millis() / 4 * quarter),
            format,
        ),
    };
    (0..=4).map(tick).collect()
}

/// What a step says: when, what was counted, and what was left.
fn words_of(step: &Step) -> String {
    let (from, to) = (step.range.from, step.range.to);
    let clock = if step.range.length() < Span::from_mins(1) {
        "%H:%M:%S"
    } else {
        "%H:%M"
    };
    let when = format!(
        "{}–{} UTC",
        strftime(from, &format!("%-d %b {clock}")),
        strftime(to, clock)
    );
    if step.coverage <= 0.0 {
        return format!("{when}: not measured");
    }
    let counts = step.counts;
    let counted = match counts.error_ratio() {
        None => "no events".to_owned(),
        Some(ratio) => format!(
            "{} bad of {} = {}",
            words::count(counts.bad.round()),
            words::count(counts.total.round()),
            words::percent(ratio)
        ),
    };
    let left = match step.remaining {
        None => String::new(),
        Some(left) if left.is_finite() => {
            format!("; {} of the budget left", figures::signed_percent(left))
        }
        Some(_) => "; the budget overspent".to_owned(),
    };
    let covered = if step.coverage < 0.999 {
        format!("; {} measured", figures::coverage(step.coverage))
    } else {
        String::new()
    };
    format!("{when}: {counted}{left}{covered}")
}
