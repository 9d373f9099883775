//! Thresholds that are no bucket boundary: noticed, not counted, and answered with the boundaries
//! that exist. Without this, a latency objective with a typo would find every request too slow.

use crate::domain::decimal::Decimal;
use crate::domain::indicator::Events;
use crate::domain::selector::Selector;
use crate::domain::slo::SourceName;
use crate::domain::time::Span;
use crate::series::batch::Fetch;

use super::state::State;

/// A question about a histogram, besides the ordinary reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Position of the objective's meter.
    pub meter: usize,
    /// Whom to ask.
    pub source: SourceName,
    /// What to ask: one series for each boundary, told apart by `le`.
    pub fetch: Fetch,
    /// The distance of evaluations.
    pub step: Span,
}

impl State {
    /// Whether the histogram of a latency objective is there, but not the bucket of its threshold.
    pub(super) fn lacks_bucket(&self, meter: usize) -> bool {
        self.histogram(meter).is_some() && !self.meters[meter].bad_series_ever_seen
    }

    /// The buckets that a meter counts, and its threshold.
    fn histogram(&self, meter: usize) -> Option<(&Selector, Decimal)> {
        match self.plan.meters[meter].slo.indicator.events()? {
            Events::Histogram { buckets, at_most } => Some((buckets, *at_most)),
            Events::OfTotal { .. } | Events::GoodAndBad { .. } => None,
        }
    }

    /// What to ask about histograms of which a bucket is missed and the boundaries are not known.
    pub fn questions(&self) -> Vec<Question> {
        let ask = |meter: usize| {
            let state = &self.meters[meter];
            let slo = &self.plan.meters[meter].slo;
            let (buckets, _) = self.histogram(meter)?;
            if !self.lacks_bucket(meter) || state.series.total == 0 || state.boundaries.is_some() {
                return None;
            }
            let step = self.settings.slot;
            let fetch = Fetch::Expression {
                text: format!("count by (le) ({})", Fetch::Samples(buckets.clone()).text()),
                step,
            };
            Some(Question {
                meter,
                source: slo.source.clone(),
                fetch,
                step,
            })
        };
        (0..self.meters.len()).filter_map(ask).collect()
    }

    pub(super) fn answer(&mut self, meter: usize, mut boundaries: Vec<String>) {
        boundaries.retain(|boundary| number(boundary).is_finite());
        boundaries.sort_by(|a, b| number(a).total_cmp(&number(b)));
        if let Some(state) = self.meters.get_mut(meter) {
            state.boundaries = Some(boundaries);
        }
    }

    /// Why a latency objective cannot be measured, if its threshold is no boundary.
    pub(super) fn no_bucket(&self, meter: usize) -> Option<String> {
        let state = &self.meters[meter];
        let (buckets, at_most) = self.histogram(meter)?;
        if !self.lacks_bucket(meter) || state.series.total == 0 {
            return None;
        }
        Some(sentence(
            &buckets.metric,
            at_most,
            state.boundaries.as_deref(),
        ))
    }
}

fn sentence(metric: &str, at_most: Decimal, boundaries: Option<&[String]>) -> String {
    let known = boundaries.map_or_else(
        || "set `atMost` to one of its boundaries".to_owned(),
        |boundaries| format!("set `atMost` to one of {}", boundaries.join(", ")),
    );
    format!("`{metric}` has no bucket that ends at {at_most}; {known}")
}

fn number(boundary: &str) -> f64 {
    boundary
        .trim_start_matches('+')
        .parse()
        .unwrap_or(f64::INFINITY)
}
