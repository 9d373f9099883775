//! How the window's budget was spent: from all of it at the left to what is left of it at the right.

use askama::Template;

use crate::status::words;

use super::course::{Scale, line};
use super::frame::Frame;
use super::{HEIGHT, WIDTH, at, percent};
use crate::http::pages::figures;

/// How much of the height a name takes.
const NAME: f64 = 0.07;

/// The chart of a window's budget.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/budget.svg.html")]
pub(in crate::http::pages) struct BudgetChart {
    frame: Frame,
    /// Tells the titles of several charts on a page apart.
    id: String,
    path: String,
    area: String,
    /// Heights from the top, with their names where there is room for one.
    grid: Vec<(String, Option<String>)>,
    /// Where nothing is left, in percent from the top.
    zero: String,
    /// What it comes to, in a sentence.
    sentence: String,
}

impl BudgetChart {
    /// Draws the budget over `frame`, which is the objective's window.
    pub(in crate::http::pages) fn new(frame: Frame, id: String) -> Self {
        let left: Vec<Option<f64>> = frame.steps.iter().map(|step| step.remaining).collect();
        let scale = Scale::of(left.iter().copied());
        let y = |left: f64| scale.height(left);
        let start = left.first().copied().flatten().map(|_| 1.0);
        let ends = frame.steps.iter().map(|step| frame.x(step.range.to));
        let points: Vec<(f64, Option<f64>)> = [(0.0, start)]
            .into_iter()
            .chain(ends.zip(left.iter().map(|left| left.map(y))))
            .collect();
        let is_unbounded = left.iter().flatten().any(|left| !left.is_finite());
        let last = left.iter().flatten().last();
        let sentence = sentence(&frame, last.copied());
        Self {
            path: line(points.iter().copied()),
            area: area(&points, y(0.0)),
            grid: grid(scale, is_unbounded),
            zero: percent(1.0 - y(0.0)),
            sentence,
            frame,
            id,
        }
    }

    /// The names of heights that have one.
    fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let named = self.grid.iter();
        named.filter_map(|(y, name)| Some((y.as_str(), name.as_deref()?)))
    }
}

/// The heights that have a line, from the top. A name that would be written over that of none left is left out.
fn grid(scale: Scale, is_unbounded: bool) -> Vec<(String, Option<String>)> {
    let line = |left: f64, name| (percent(1.0 - scale.height(left)), name);
    let written = |left| Some(figures::written_percent(left));
    if is_unbounded {
        return vec![line(1.0, written(1.0)), line(0.0, Some("overspent".into()))];
    }
    if scale.lowest >= 0.0 {
        let heights = [1.0, 0.75, 0.5, 0.25, 0.0];
        return heights.map(|left| line(left, written(left))).into();
    }
    let above = 1.0 - scale.height(0.0);
    // The uppermost name stands below its line, all others stand above theirs.
    let whole = (above >= 2.0 * NAME).then(|| figures::written_percent(1.0));
    let lowest = (1.0 - above >= NAME).then(|| figures::signed_percent(scale.lowest));
    vec![
        line(1.0, whole),
        line(0.0, written(0.0)),
        line(scale.lowest, lowest),
    ]
}

/// What the chart comes to.
fn sentence(frame: &Frame, last: Option<f64>) -> String {
    let length = words::words(frame.range.length());
    let Some(last) = last else {
        return format!("Nothing is known of the budget of these {length}.");
    };
    let left = if last.is_finite() {
        figures::signed_percent(last)
    } else {
        "overspent without bound".to_owned()
    };
    match &frame.since {
        Some(since) => {
            format!("{since} In what was measured the budget went from 100 % to {left}.")
        }
        None => format!("Over {length} the budget went from 100 % to {left}."),
    }
}

/// The space between the course and none left, piece by piece.
fn area(points: &[(f64, Option<f64>)], zero: f64) -> String {
    let zero = at(1.0 - zero, HEIGHT);
    let pieces = points.split(|(_, y)| y.is_none());
    let piece = |piece: &[(f64, Option<f64>)]| {
        let (first, last) = piece.first().zip(piece.last())?;
        let (from, to) = (at(first.0, WIDTH), at(last.0, WIDTH));
        let course = line(piece.iter().copied());
        let course = course.strip_prefix('M')?;
        Some(format!("M{from} {zero}L{course}L{to} {zero}Z"))
    };
    pieces.filter_map(piece).collect()
}
