//! Charts as SVG from the server: the numbers are in titles and tables too, so that nothing hangs on
//! eyes, colour or script.

mod budget;
mod course;
mod frame;
mod gauge;
mod measured;
mod ratio;
mod sparkline;

pub(super) use budget::BudgetChart;
pub(super) use frame::Frame;
pub(super) use gauge::Gauge;
pub(super) use ratio::RatioChart;
pub(super) use sparkline::Sparkline;

/// The height of every path in its own units.
const HEIGHT: f64 = 100.0;

/// The width of every path in its own units.
const WIDTH: f64 = 1_000.0;

/// `share` (0..=1) as a coordinate up to `size`.
fn at(share: f64, size: f64) -> String {
    format!("{:.1}", share.clamp(0.0, 1.0) * size)
}

/// `share` (0..=1) in percent of what it is drawn in.
fn percent(share: f64) -> String {
    format!("{:.2}%", share.clamp(0.0, 1.0) * 100.0)
}
