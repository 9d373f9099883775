//! Which share was bad in each step of time, beside the share that may be.

use askama::Template;

use crate::status::words;

use super::frame::{Frame, Strip};
use super::percent;
use crate::http::pages::figures;

/// The chart of bad shares.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/ratio.svg.html")]
pub(in crate::http::pages) struct RatioChart {
    frame: Frame,
    /// Tells the titles of several charts on a page apart.
    id: String,
    bars: Vec<Bar>,
    /// The allowed share: its height in percent from the top, and its name.
    allowed: (String, String),
    /// The name of the top, where something reaches it.
    top: Option<String>,
    /// What it comes to, in a sentence.
    sentence: String,
}

/// The bad share of one step.
#[derive(Clone, Debug)]
struct Bar {
    strip: Strip,
    y: String,
    height: String,
    class: &'static str,
}

impl RatioChart {
    /// Draws the bad shares over `frame`, of which `allowance` (0..1) may be bad.
    pub(in crate::http::pages) fn new(frame: Frame, id: String, allowance: f64) -> Self {
        let ratios = frame.steps.iter().map(|step| step.counts.error_ratio());
        let ratios: Vec<Option<f64>> = ratios.collect();
        let worst = ratios.iter().flatten().copied().fold(0.0, f64::max);
        let top = worst.max(allowance * 1.25).max(1e-9);
        let drawn = frame.points.iter().zip(&ratios);
        let bars = drawn.filter_map(|(strip, ratio)| {
            let ratio = ratio.filter(|ratio| *ratio > 0.0)?;
            let share = (ratio / top).max(0.01);
            Some(Bar {
                strip: strip.clone(),
                y: percent(1.0 - share),
                height: percent(share),
                class: if ratio > allowance { "over" } else { "under" },
            })
        });
        Self {
            bars: bars.collect(),
            allowed: (
                percent(1.0 - allowance / top),
                format!("allowed {}", figures::written_percent(allowance)),
            ),
            top: (worst >= top).then(|| words::percent(top)),
            sentence: if ratios.iter().all(Option::is_none) {
                "Nothing was counted.".to_owned()
            } else {
                let worst = words::percent_beside(worst, allowance);
                let allowed = figures::written_percent(allowance);
                format!("At worst {worst} was bad; {allowed} is allowed on the whole.")
            },
            frame,
            id,
        }
    }
}
