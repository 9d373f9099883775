//! Thresholds that are no bucket boundary: noticed, not counted, and answered with the boundaries
//! that exist. Without this, a latency objective with a typo would find every request too slow.

use crate::domain::indicator::{Histogram, HistogramKind, Threshold};
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::quantity::TimeUnit;
use crate::domain::selector::Selector;
use crate::domain::slo::SourceName;
use crate::domain::time::Span;
use crate::series::batch::Fetch;
use crate::series::boundary::LE;
use crate::series::plan::{FamilyIndex, Lane, Towards};
use crate::series::terms::SidesSeen;
use crate::status::survey::Lack;

use super::state::{FamilyState, State};

/// What stands for a boundary where there are native histograms in place of classic ones.
const NATIVE: &str = "native";

/// Every so many reads it is asked anew whether there are histograms of another kind.
const ASKED_EVERY: u64 = 20;

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
    /// Whether the histogram of a latency objective is there, but no bucket of a threshold was ever seen.
    pub(super) fn lacks_bucket(&self, meter: usize) -> bool {
        let lacking = self.meters[meter].sides.lacking();
        lacking.is_some_and(|lacking| self.threshold(meter, lacking).is_some())
    }

    fn threshold(&self, meter: usize, number: usize) -> Option<(&Histogram, Threshold)> {
        let events = self.plan.meters[meter].slo.indicator.events()?;
        let histogram = events.histogram()?;
        let threshold = histogram.thresholds().into_iter().nth(number)?;
        Some((histogram, threshold))
    }

    /// The threshold of a meter whose histogram is there, but no bucket of it.
    fn lacking(&self, meter: usize) -> Option<(&Histogram, Threshold)> {
        let never_seen = self.meters[meter].sides.lacking();
        let lacking = never_seen.or_else(|| self.lacked_by_all(meter))?;
        self.threshold(meter, lacking)
    }

    /// The threshold of which no living histogram of a meter has the bucket, where some had it before.
    fn lacked_by_all(&self, meter: usize) -> Option<usize> {
        let mut lanes = self.plan.meters[meter].lanes.iter();
        lanes.find_map(|lane| {
            let Lane::Counters { family, .. } = lane else {
                return None;
            };
            let state = &self.families[*family];
            let has_any = state.living.contains_key(&(meter, Towards::Part));
            let lacking = state.lacking.get(&meter).filter(|_| !has_any)?;
            Some(usize::from(lacking.threshold))
        })
    }

    /// Why a latency objective is measured in parts only, if some of its histograms lack the bucket of a
    /// threshold.
    pub(super) fn lacks_in_part(&self, meter: usize, families: &[&FamilyState]) -> Option<String> {
        let lacking = families.iter().find_map(|it| it.lacking.get(&meter))?;
        let (histogram, threshold) = self.threshold(meter, lacking.threshold.into())?;
        let own = lacking.labels.iter();
        let own = own.filter(|(label, _)| ![METRIC_NAME, LE].contains(label));
        let own: Labels = own.collect();
        Some(format!(
            "a part is missing: `{}` of {{{own}}} has no bucket that ends at {}, so its events are not counted; let all of them have that bucket",
            histogram.series.metric,
            as_written(threshold.at_most.to_f64(), histogram.unit)
        ))
    }

    /// What to ask about histograms of which a bucket is missed and the boundaries are not known.
    pub fn questions(&self) -> Vec<Question> {
        let ask = |meter: usize| {
            if self.plan.meters[meter].group().is_some() {
                // It is asked about for all groups together.
                return None;
            }
            let state = &self.meters[meter];
            let known = state.boundaries.as_deref();
            let slo = &self.plan.meters[meter].slo;
            let step = self.settings.slot;
            let text = match self.lacking(meter) {
                Some((_, threshold)) if known.is_none_or(<[String]>::is_empty) => {
                    by_boundary(&threshold.selectors)
                }
                None if known.is_none() || self.asks_again(meter) => {
                    native_instead(self.absent_classic(meter)?)
                }
                _ => return None,
            };
            Some(Question {
                meter,
                source: slo.source.clone(),
                fetch: Fetch::Expression { text, step },
                step,
            })
        };
        (0..self.meters.len()).filter_map(ask).collect()
    }

    /// The histogram of a meter that was read, and of which no bucket was ever seen.
    fn absent_classic(&self, meter: usize) -> Option<&Histogram> {
        let planned = &self.plan.meters[meter];
        let histogram = planned.slo.indicator.events()?.histogram()?;
        let families = planned.lanes.iter().flat_map(Lane::families);
        let was_read = |family: FamilyIndex| self.families[family].head_to.is_some();
        let is_absent = self.meters[meter].sides == SidesSeen::default();
        let is_classic = histogram.kind == HistogramKind::Classic;
        (is_classic && is_absent && families.into_iter().all(was_read)).then_some(histogram)
    }

    /// Whether it is time to look again for what was not there.
    fn asks_again(&self, meter: usize) -> bool {
        let families = self.plan.meters[meter]
            .lanes
            .iter()
            .flat_map(Lane::families);
        let reads = families.map(|family| self.families[family].reads).min();
        reads.is_some_and(|reads| reads.is_multiple_of(ASKED_EVERY))
    }

    pub(super) fn answer(&mut self, meter: usize, boundaries: Vec<String>) {
        let boundaries = in_order(boundaries);
        if let Some(state) = self.meters.get_mut(meter) {
            state.boundaries = Some(boundaries);
        }
    }

    /// Why a latency objective cannot be measured, if its threshold is no boundary, or if its
    /// histogram is of another kind.
    pub(super) fn no_bucket(&self, meter: usize) -> Option<Lack> {
        // All groups are of one histogram.
        let whole = self.plan.whole_of(meter);
        let boundaries = self.meters[whole].boundaries.as_deref();
        if let Some((histogram, threshold)) = self.lacking(meter) {
            return Some(lack(histogram, &threshold, boundaries));
        }
        let histogram = self.absent_classic(meter)?;
        native_lack(histogram, boundaries?)
    }
}

/// Boundaries as they were answered, the lowest first.
pub(super) fn in_order(mut boundaries: Vec<String>) -> Vec<String> {
    boundaries.retain(|boundary| boundary == NATIVE || number(boundary).is_finite());
    boundaries.sort_by(|a, b| number(a).total_cmp(&number(b)));
    boundaries
}

/// That a histogram has no classic buckets, if that is what was answered.
pub(super) fn native_lack(histogram: &Histogram, answered: &[String]) -> Option<Lack> {
    let is_native = answered.iter().any(|it| it == NATIVE);
    is_native.then(|| Lack {
        sentence: format!(
            "`{}` has native histograms and no classic buckets",
            native_name(histogram)
        ),
        advice: "write `native: true` beside `histogram`".to_owned(),
    })
}

/// Asks for one series for each boundary of some buckets.
pub(super) fn by_boundary(buckets: &[Selector]) -> String {
    let texts = buckets.iter().map(selector_text);
    format!(
        "count by ({LE}) ({})",
        texts.collect::<Vec<_>>().join(" or ")
    )
}

/// Asks whether there are native histograms in place of the classic ones: then for one series.
pub(super) fn native_instead(histogram: &Histogram) -> String {
    let selector = Selector::new(native_name(histogram), histogram.series.matchers.clone());
    let count = format!("count(histogram_count({}))", selector_text(&selector));
    format!("label_replace({count}, \"{LE}\", \"{NATIVE}\", \"\", \"\")")
}

/// The name that a histogram has without its classic buckets.
pub(super) fn native_name(histogram: &Histogram) -> &str {
    let metric = &histogram.series.metric;
    metric.strip_suffix("_bucket").unwrap_or(metric)
}

fn selector_text(selector: &Selector) -> String {
    Fetch::Samples(selector.clone()).text()
}

/// That no bucket ends at a threshold, and where buckets do end, as far as that is known.
pub(super) fn lack(
    histogram: &Histogram,
    threshold: &Threshold,
    boundaries: Option<&[String]>,
) -> Lack {
    let known = boundaries.filter(|boundaries| !boundaries.is_empty());
    let written = |it: &String| as_written(number(it), histogram.unit);
    let known: Option<Vec<String>> = known.map(|known| known.iter().map(written).collect());
    let advice = match known.as_deref() {
        None => "set `atMost` to one of its boundaries".to_owned(),
        Some([only]) => format!("set `atMost` to {only}"),
        Some(all) => format!("set `atMost` to one of {}", all.join(", ")),
    };
    let series = match threshold.selectors.as_slice() {
        [one] if !histogram.overrides.is_empty() => selector_text(one),
        _ => histogram.series.metric.clone(),
    };
    Lack {
        sentence: format!(
            "`{series}` has no bucket that ends at {}",
            as_written(threshold.at_most.to_f64(), histogram.unit)
        ),
        advice,
    }
}

/// A boundary in the form in which `atMost` is written: `250ms` or `10s`; a part of a millisecond is a number of seconds.
#[expect(clippy::cast_possible_truncation, reason = "boundaries are times")]
pub(super) fn as_written(boundary: f64, unit: TimeUnit) -> String {
    let seconds = boundary / unit.per_second();
    let millis = seconds * 1_000.0;
    let whole = millis.round();
    if whole < 1.0 || (millis - whole).abs() > 1e-6 {
        return seconds.to_string();
    }
    if whole % 1_000.0 == 0.0 {
        return Span::from_millis(whole as i64).to_string();
    }
    format!("{whole}ms")
}

fn number(boundary: &str) -> f64 {
    boundary
        .trim_start_matches('+')
        .parse()
        .unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_told_as_thresholds_are_written() {
        let seconds = [0.0005, 0.0025, 0.005, 0.1, 0.3, 1.0, 2.5, 10.0, 90.0];
        let told = seconds
            .map(|it| as_written(it, TimeUnit::Seconds))
            .join(" ");
        assert_eq!(told, "0.0005 0.0025 5ms 100ms 300ms 1s 2500ms 10s 1m30s");
        let told = [0.5, 5.0, 250.0, 1_000.0].map(|it| as_written(it, TimeUnit::Millis));
        assert_eq!(told.join(" "), "0.0005 5ms 250ms 1s");
    }
}
