//! Asks a source why something was not found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::indicator::{Events, Histogram, HistogramKind};
use crate::domain::metric::MetricKind;
use crate::domain::selector::Selector;
use crate::domain::slo::{Slo, SourceName};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::engine::boundaries::{
    by_boundary, in_order, lack, native_instead, native_lack, native_name,
};
use crate::series::absent;
use crate::series::batch::Fetch;
use crate::series::boundary::LE;
use crate::source::Source;
use crate::status::names::Role;
use crate::status::survey::{Absent, Finding, Lack, Missing, Part, Why};

use super::directory::Directory;
use super::judge::Found;
use super::parts::{Selected, Selectors, selectors};

/// The label by which a summary tells its quantiles apart.
const QUANTILE: &str = "quantile";

/// Of so many selectors it is asked why they find nothing: whoever has more begins with these.
const MOST_ASKED: usize = 30;

/// Who asks.
pub(super) struct Asker<'s, S> {
    sources: &'s BTreeMap<SourceName, Arc<S>>,
    at: Timestamp,
    /// Expressions are evaluated at multiples of this.
    step: Span,
    directory: Directory<'s, S>,
    asked: usize,
}

impl<'s, S: Source> Asker<'s, S> {
    /// Asks about what there is at the end of `within`.
    pub(super) const fn new(
        sources: &'s BTreeMap<SourceName, Arc<S>>,
        within: TimeRange,
        step: Span,
    ) -> Self {
        Self {
            sources,
            at: within.to,
            step,
            directory: Directory::new(sources, within),
            asked: 0,
        }
    }

    /// What was found, with all that the source knows of it.
    pub(super) async fn told(&mut self, slo: &Slo, found: Found) -> Option<Finding> {
        let histogram = slo.indicator.events().and_then(Events::histogram);
        Some(match found {
            Found::Told(finding) => self.with_absent(&slo.source, finding).await,
            Found::Missing {
                form,
                part,
                selector,
            } => form(self.missing(slo, part, &selector).await),
            Found::NoHistogram => self.no_histogram(slo, histogram?).await,
            Found::NoBucket { threshold } => Finding::NoBucket {
                threshold,
                lack: self.no_bucket(slo, histogram?, threshold).await?,
            },
        })
    }

    /// The same; an expression that gives nothing may name a metric that there is not.
    async fn with_absent(&mut self, source: &SourceName, mut finding: Finding) -> Finding {
        if let Some(missing) = finding.missing_mut()
            && let Why::Expression { absent } = &mut missing.why
        {
            let names = self.directory.names(source).await;
            let mut metrics = absent::metrics_of(&missing.text).into_iter();
            let metric = metrics.find(|metric| !names.is_empty() && !names.contains(metric));
            *absent = metric.map(|metric| Absent { metric, names });
        }
        finding
    }

    /// Metrics whose values are of another kind than those that an objective needs. Who finds none has said so.
    pub(super) async fn other_kinds(&mut self, slo: &Slo, known: &[Finding]) -> Vec<Finding> {
        let Selectors { totals, counted } = selectors(&slo.indicator);
        let mut found = Vec::new();
        let mut told = BTreeSet::new();
        for Selected { part, selector } in totals.into_iter().chain(counted) {
            let metric = &selector.metric;
            if known
                .iter()
                .any(|it| it.missing().is_some_and(|it| it.part == part))
            {
                continue;
            }
            let Some(kind) = self.directory.kind(&slo.source, metric).await else {
                continue;
            };
            if !fits(part.role, kind) && told.insert(metric) {
                let metric = metric.clone();
                found.push(Finding::OtherKind { part, metric, kind });
            }
        }
        found
    }

    async fn missing(&mut self, slo: &Slo, part: Part, selector: &Selector) -> Missing {
        let mut why = self.why(&slo.source, selector).await;
        if !matches!(why, Why::NoMetric(_) | Why::Unknown) {
            let metric = &selector.metric;
            let kind = self.directory.kind(&slo.source, metric).await;
            if let Some(kind @ MetricKind::Histogram) = kind.filter(|it| !fits(part.role, *it)) {
                let metric = metric.clone();
                why = Why::OtherKind { metric, kind };
            }
        }
        Missing {
            part,
            text: Fetch::Samples(selector.clone()).text(),
            why,
        }
    }

    /// Classic buckets may be missing since there are native histograms.
    async fn no_histogram(&mut self, slo: &Slo, histogram: &Histogram) -> Finding {
        let threshold = histogram.overrides.len();
        if histogram.kind == HistogramKind::Classic
            && let Some(answer) = self
                .values(&slo.source, native_instead(histogram), LE)
                .await
            && let Some(lack) = native_lack(histogram, &answer)
        {
            return Finding::NoBucket { threshold, lack };
        }
        let part = Part {
            role: Role::Histogram,
            item: threshold,
        };
        let mut missing = self.missing(slo, part, &histogram.series).await;
        if let Some(summary) = self.summary(&slo.source, histogram).await {
            missing.why = summary;
        }
        Finding::NoSeries(missing)
    }

    /// What has quantiles where buckets are looked for.
    async fn summary(&self, source: &SourceName, histogram: &Histogram) -> Option<Why> {
        let selector = Selector::new(native_name(histogram), histogram.series.matchers.clone());
        let by = self.sources.get(source)?.narrowed_by();
        let question = absent::by(QUANTILE, &selector.refined(by.iter().cloned()));
        let mut quantiles = self.values(source, question, QUANTILE).await?;
        quantiles.retain(|it| !it.is_empty());
        (!quantiles.is_empty()).then_some(Why::Summary {
            selector,
            quantiles,
        })
    }

    async fn no_bucket(&self, slo: &Slo, histogram: &Histogram, threshold: usize) -> Option<Lack> {
        let threshold = histogram.thresholds().into_iter().nth(threshold)?;
        let question = by_boundary(&threshold.selectors);
        let boundaries = self.values(&slo.source, question, LE).await.map(in_order);
        Some(lack(histogram, &threshold, boundaries.as_deref()))
    }

    /// Why a selector finds nothing, condition by condition.
    async fn why(&mut self, source: &SourceName, selector: &Selector) -> Why {
        if self.asked >= MOST_ASKED {
            return Why::Unknown;
        }
        self.asked += 1;
        let metric = &selector.metric;
        let some = self.values(source, absent::any_of(metric), LE).await;
        if some.as_ref().is_none_or(Vec::is_empty) {
            let names = self.directory.names(source).await;
            let is_absent = !names.is_empty() && !names.contains(metric);
            // Who evaluates nothing may know its names.
            if some.is_none() && !is_absent {
                return Why::Unknown;
            }
            let metric = metric.clone();
            return Why::NoMetric(Absent { metric, names });
        }
        let by = self.sources.get(source).map(|it| it.narrowed_by());
        let by = by.unwrap_or_default();
        if !by.is_empty() {
            match self.values(source, absent::count(selector), LE).await {
                None => return Why::Unknown,
                Some(found) if found.is_empty() => {}
                Some(_) => {
                    let (source, by) = (source.clone(), by.to_vec());
                    return Why::Narrowed { source, by };
                }
            }
        }
        let narrowed = selector.refined(by.iter().cloned());
        for condition in &selector.matchers {
            let question = absent::without(&narrowed, condition);
            let Some(values) = self.values(source, question, &condition.label).await else {
                return Why::Unknown;
            };
            if !values.is_empty() {
                let condition = condition.clone();
                return Why::Excluded { condition, values };
            }
        }
        Why::Together
    }

    /// The values of a label in an answer, sorted; `None` when there is no answer.
    async fn values(&self, source: &SourceName, text: String, label: &str) -> Option<Vec<String>> {
        let step = self.step;
        let range = TimeRange {
            from: self.at - step,
            to: self.at,
        };
        let fetch = Fetch::Expression { text, step };
        let batch = self.sources.get(source)?.read(&fetch, range).await.ok()?;
        let values = batch.series().map(|it| it.labels.get(label).to_owned());
        let mut values: Vec<String> = values.collect();
        values.sort();
        Some(values)
    }
}

/// Whether the values of a metric of this kind can stand for this.
const fn fits(role: Role, kind: MetricKind) -> bool {
    match role {
        Role::Total | Role::Past | Role::Bad | Role::Good => matches!(kind, MetricKind::Counter),
        Role::Used | Role::Limit | Role::Gauge | Role::Probe | Role::Timestamp => {
            !matches!(kind, MetricKind::Counter)
        }
        Role::Quantile => matches!(kind, MetricKind::Summary | MetricKind::Gauge),
        Role::Histogram | Role::Value | Role::Ratio => true,
    }
}
