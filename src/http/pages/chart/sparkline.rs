//! The budget's course over its window in the space of a word.

use askama::Template;

use crate::domain::time::TimeRange;
use crate::status::history::{Step, history, step_of};
use crate::status::snapshot::SloStatus;
use crate::status::words;

use super::course::line;

/// How many steps it has.
const STEPS: i64 = 48;

/// How often what is drawn is narrowed to what is covered; each time to a step, at most.
const NARROWED: usize = 3;

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
        let window = status.window.range;
        let course = |range: TimeRange| -> Vec<Step> {
            let step = step_of(range.length(), STEPS, status.ledger.slot());
            history(status, range, step).collect()
        };
        // Of a window that is hardly covered yet, only the covered end is drawn.
        let (mut range, mut steps) = (window, course(window));
        for _ in 0..NARROWED {
            let first = steps.iter().find(|step| step.remaining.is_some());
            let Some(first) = first.filter(|first| first.range.from > range.from) else {
                break;
            };
            range.from = first.range.from;
            steps = course(range);
        }
        let left = steps.iter().map(|step| step.remaining);
        let left: Vec<_> = left.map(|it| it.filter(|it| it.is_finite())).collect();
        let lowest = left.iter().flatten().copied().fold(0.0, f64::min);
        let high = 1.0 - lowest;
        let y = |left: f64| (left - lowest) / high;
        let length = range.length().as_secs_f64();
        let x = |at: usize| steps[at].range.to.since(range.from).as_secs_f64() / length;
        // At the start of what is drawn nothing was spent yet.
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
