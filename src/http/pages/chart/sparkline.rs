//! The budget's course over its window in the space of a word.

use askama::Template;

use crate::status::snapshot::SloStatus;
use crate::status::words;

use super::course::{Scale, line};
use super::measured::measured;
use crate::http::pages::figures;

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
        let (range, steps) = measured(status, STEPS);
        let left: Vec<Option<f64>> = steps.iter().map(|step| step.remaining).collect();
        let scale = Scale::of(left.iter().copied());
        let length = range.length().as_secs_f64();
        let x = |at: usize| steps[at].range.to.since(range.from).as_secs_f64() / length;
        // At the start of what is drawn nothing was spent yet.
        let start = left.first().copied().flatten().map(|_| 1.0);
        let points = left
            .iter()
            .enumerate()
            .map(|(at, left)| (x(at), left.map(|left| scale.height(left))));
        let last = left.iter().flatten().last();
        Self {
            path: line([(0.0, start)].into_iter().chain(points)),
            zero: (scale.lowest < 0.0).then(|| super::at(1.0 - scale.height(0.0), super::HEIGHT)),
            title: last.map(|last| {
                let left = figures::share_left(*last);
                format!("Budget over {}, now {left}", words::window(range.length()))
            }),
        }
    }
}
