//! Families that are too large to be fetched: the source works out what their counters grew by and
//! sums it up by the labels that objectives tell apart. The same slots come out.
//!
//! At each step of a range query a series that has a sample in the step and one in the usual time
//! before adds the difference, or all of its value after a reset. A step is at most half as long as
//! the distance of samples, so that it holds one of a series at most and none is passed over. A
//! series with a sample in the step and none before it *arrives*: it begins, or it returns after a
//! gap. Only of the targets of those the raw samples are read, and what they are worth is found out
//! as for any series; so no lifetime is counted, and gaps are spread. Of a series that these show nothing of
//! before, its last value is asked for, for a series that was away for long is not born when it returns.

mod arrivals;
mod earlier;
mod strung;

#[cfg(test)]
mod tests;

use crate::domain::selector::Selector;
use crate::domain::time::Span;
use crate::promql::{label_text, selector_text};

pub use arrivals::{Arrived, Raw, arrived};
pub use earlier::earlier;
pub use strung::strung;

/// The usual distance of samples where nothing at all is known of it.
const UNKNOWN_INTERVAL: Span = Span::from_secs(30);

/// The times that increases are worked out at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Form {
    /// The distance of two; divides the slot.
    pub step: Span,
    /// The usual distance of samples.
    pub interval: Span,
}

impl Form {
    /// For slots of `slot` and a family with this usual interval (zero when unknown).
    pub fn of(slot: Span, interval: Span) -> Self {
        let interval = if interval == Span::ZERO {
            UNKNOWN_INTERVAL
        } else {
            interval
        };
        let (slot, usual) = (slot.as_millis(), interval.as_millis());
        let least = ((2 * slot + usual - 1) / usual).max(1);
        let divides = |parts: &i64| slot % parts == 0;
        // A range query has steps of whole seconds.
        let is_even = |parts: &i64| divides(parts) && slot / parts % 1_000 == 0;
        let parts = (least..=2 * least).find(is_even);
        let parts = parts.or_else(|| (least..=2 * least).find(divides));
        Self {
            step: Span::from_millis(slot / parts.unwrap_or(least)),
            interval,
        }
    }

    /// How long before a step the sample may lie on which an increase builds: two intervals are
    /// within it, three are a gap, as for cursors. The millisecond keeps its start off the grid, where
    /// versions of Prometheus differ.
    pub fn valid(self) -> Span {
        Span::from_millis(self.interval.as_millis() * 9 / 4 + 1)
    }
}

/// What a source is asked to work out about the counters of a family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sums {
    /// Which series.
    pub selector: Selector,
    /// When.
    pub form: Form,
    /// What.
    pub what: What,
}

/// What is worked out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// What the series grew by in each step, summed by these labels.
    Increases(Vec<String>),
    /// How many series of each target begin or return in each step.
    Arrivals,
    /// How many series there are at the end of the range, by these labels.
    Living(Vec<String>),
    /// The last value that each series had in so long a time before the end of the range.
    Last(Span),
    /// How many samples most series had in the [`CENSUS`] before the end of the range.
    Pace,
}

/// The time over which samples are counted to find out how often there is one.
pub const CENSUS: Span = Span::from_mins(10);

/// The labels by which targets are told apart.
pub const TARGET: [&str; 2] = ["job", "instance"];

impl Sums {
    /// Whether it is asked for at every step, rather than once at the end of the range.
    pub const fn has_steps(&self) -> bool {
        matches!(self.what, What::Increases(_) | What::Arrivals)
    }

    /// What is asked, as PromQL.
    pub fn text(&self) -> String {
        let selector = selector_text(&self.selector);
        let (step, valid) = (self.form.step.as_millis(), self.form.valid().as_millis());
        // What no counter shows is passed over, as by cursors.
        let now = format!("(last_over_time({selector}[{step}ms]) >= 0)");
        let before = format!("(last_over_time({selector}[{valid}ms] offset {step}ms) >= 0)");
        match &self.what {
            What::Increases(by) => format!(
                "sum by ({}) ((({now} - {before}) >= 0) or ({now} and {before}))",
                listed(by)
            ),
            What::Arrivals => {
                let by = listed(&TARGET.map(str::to_owned));
                format!("count by ({by}) ({now} unless {before})")
            }
            What::Living(by) => {
                format!(
                    "count by ({}) (last_over_time({selector}[{valid}ms]))",
                    listed(by)
                )
            }
            What::Last(kept) => format!("last_over_time({selector}[{}ms])", kept.as_millis()),
            What::Pace => format!(
                "quantile(0.5, count_over_time({selector}[{}ms]))",
                CENSUS.as_millis()
            ),
        }
    }
}

fn listed(labels: &[String]) -> String {
    let labels: Vec<String> = labels.iter().map(|label| label_text(label)).collect();
    labels.join(",")
}
