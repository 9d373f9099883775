//! How the window's budget was spent: from all of it at the left to what is left of it at the right.

use askama::Template;

use crate::status::words;

use super::course::line;
use super::frame::Frame;
use super::{HEIGHT, WIDTH, at, percent};
use crate::http::pages::figures;

/// The chart of a window's budget.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/budget.svg.html")]
pub(in crate::http::pages) struct BudgetChart {
    frame: Frame,
    /// Tells the titles of several charts on a page apart.
    id: String,
    path: String,
    area: String,
    /// Heights with their names, from the top.
    grid: Vec<(String, String)>,
    /// Where nothing is left, in percent from the top.
    zero: String,
    /// What it comes to, in a sentence.
    sentence: String,
}

impl BudgetChart {
    /// Draws the budget over `frame`, which is the objective's window.
    pub(in crate::http::pages) fn new(frame: Frame, id: String) -> Self {
        let left: Vec<Option<f64>> = frame
            .steps
            .iter()
            .map(|step| step.remaining.filter(|left| left.is_finite()))
            .collect();
        let lowest = left.iter().flatten().copied().fold(0.0, f64::min);
        let y = |left: f64| (left - lowest) / (1.0 - lowest);
        let start = left.first().copied().flatten().map(|_| 1.0);
        let ends = frame.steps.iter().map(|step| frame.x(step.range.to));
        let points: Vec<(f64, Option<f64>)> = [(0.0, start)]
            .into_iter()
            .chain(ends.zip(left.iter().map(|left| left.map(y))))
            .collect();
        let names = if lowest < 0.0 {
            vec![1.0, 0.0, lowest]
        } else {
            vec![1.0, 0.75, 0.5, 0.25, 0.0]
        };
        let name = |left: &f64| {
            let text = if *left < 0.0 {
                figures::signed_percent(*left)
            } else {
                figures::written_percent(*left)
            };
            (percent(1.0 - y(*left)), text)
        };
        let last = left.iter().flatten().last();
        let length = words::words(frame.range.length());
        Self {
            path: line(points.iter().copied()),
            area: area(&points, y(0.0)),
            grid: names.iter().map(name).collect(),
            zero: percent(1.0 - y(0.0)),
            sentence: last.map_or_else(
                || format!("Nothing is known of the budget of these {length}."),
                |last| {
                    let left = figures::signed_percent(*last);
                    format!("Over {length} the budget went from 100 % to {left}.")
                },
            ),
            frame,
            id,
        }
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
