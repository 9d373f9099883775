//! The budget's course over its window in the space of a word.

use askama::Template;

use crate::status::history::{history, step_of};
use crate::status::snapshot::SloStatus;
use crate::status::words;

use super::course::line;

/// How many steps it has.
const STEPS: i64 = 48;

/// A small course of the budget that is left, from all of it down to none, or to what is overspent.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/sparkline.svg.html")]
pub(in crate::http::pages) struct Sparkline {
    path: String,
    /// Where nothing is left, from the top, when the course goes below.
    zero: Option<String>,
    /// What it shows, in words; `None` when nothing is known.
    title: Option<String>,
}

impl Sparkline {
    /// The course of the window of `status`.
    pub(in crate::http::pages) fn of(status: &SloStatus) -> Self {
        let range = status.window.range;
        let step = step_of(range.length(), STEPS, status.ledger.slot());
        let steps: Vec<_> = history(status, range, step).collect();
        let left = steps.iter().map(|step| step.remaining);
        let left: Vec<_> = left.map(|it| it.filter(|it| it.is_finite())).collect();
        let lowest = left.iter().flatten().copied().fold(0.0, f64::min);
        let high = 1.0 - lowest;
        let y = |left: f64| (left - lowest) / high;
        let length = range.length().as_secs_f64();
        let x = |at: usize| steps[at].range.to.since(range.from).as_secs_f64() / length;
        // From the window's start on: nothing was spent of it yet.
        let start = left.first().copied().flatten().map(|_| 1.0);
        let points = left
            .iter()
            .enumerate()
            .map(|(at, left)| (x(at), left.map(y)));
        let last = left.iter().flatten().last();
        Self {
            path: line([(0.0, start)].into_iter().chain(points)),
            zero: (lowest < 0.0).then(|| super::at(1.0 - y(0.0), super::HEIGHT)),
            title: last.map(|last| {
                let left = words::percent(*last).replace('-', "−");
                format!("Budget over {}, now {left}", words::window(range.length()))
            }),
        }
    }
}
