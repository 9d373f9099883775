//! What is asked of a source and what comes back: fetches, samples and batches.

use crate::domain::labels::Labels;
use crate::domain::selector::Selector;
use crate::domain::time::{Span, Timestamp};
use crate::promql::selector_text;

/// One thing to ask of a source for a range of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fetch {
    /// The raw samples of all series that match.
    Samples(Selector),
    /// A PromQL expression, evaluated at each multiple of `step` in the range.
    Expression {
        /// PromQL, complete.
        text: String,
        /// The distance of the evaluations; divides both ends of the range.
        step: Span,
    },
}

impl Fetch {
    /// What is asked, as PromQL.
    pub fn text(&self) -> String {
        match self {
            Self::Samples(selector) => selector_text(selector),
            Self::Expression { text, .. } => text.clone(),
        }
    }
}

/// One sample of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When it was scraped (or evaluated).
    pub at: Timestamp,
    /// Its value; may be NaN or infinite.
    pub value: f64,
}

/// The samples of one series within the range that was asked for, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What tells it apart, the metric's name included.
    pub labels: Labels,
    /// Oldest first, each time once.
    pub samples: Vec<Sample>,
}

/// The answer to one fetch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// In the order of the answer.
    pub series: Vec<Series>,
    /// What the source warned of: with any, a part of the data may be missing.
    pub warnings: Vec<String>,
    /// Series that hold native histograms where plain numbers are due; they are left out.
    pub histograms: usize,
}
