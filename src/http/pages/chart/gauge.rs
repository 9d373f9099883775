//! A burn rate beside the threshold above which its tier fires.

use askama::Template;

use super::percent;

/// Where the threshold stands: a third of the bar is left for what exceeds it.
const THRESHOLD: f64 = 2.0 / 3.0;

/// A bar from no burn to half as much again as the threshold, at most.
#[derive(Clone, Debug, PartialEq, Template)]
#[template(
    source = r#"<svg class="gauge" aria-hidden="true"><rect class="ground" width="100%" height="100%"/><rect class="{{ class }}" width="{{ width }}" height="100%"/><line class="threshold" x1="66.67%" x2="66.67%" y1="0" y2="100%"/></svg>"#,
    ext = "html"
)]
pub(in crate::http::pages) struct Gauge {
    width: String,
    class: &'static str,
}

impl Gauge {
    /// `rate` (0 and up, maybe infinite) beside `threshold`.
    pub(in crate::http::pages) fn new(rate: f64, threshold: f64) -> Self {
        let share = rate / threshold * THRESHOLD;
        Self {
            width: percent(if share.is_nan() { 0.0 } else { share }),
            class: if rate > threshold { "over" } else { "under" },
        }
    }
}
