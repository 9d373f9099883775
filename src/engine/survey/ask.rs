//! Asks a source why something was not found.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::indicator::{Events, Histogram, HistogramKind};
use crate::domain::selector::Selector;
use crate::domain::slo::{Slo, SourceName};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::engine::boundaries::{by_boundary, in_order, lack, native_instead, native_lack};
use crate::series::absent;
use crate::series::batch::Fetch;
use crate::series::boundary::LE;
use crate::source::Source;
use crate::status::survey::{Finding, Lack, Missing, Part, Why};
use crate::status::view::names::Role;

use super::judge::Found;

/// Of so many selectors it is asked why they find nothing: whoever has more begins with these.
const MOST_ASKED: usize = 30;

/// Who asks.
pub(super) struct Asker<'s, S> {
    sources: &'s BTreeMap<SourceName, Arc<S>>,
    at: Timestamp,
    /// Expressions are evaluated at multiples of this.
    step: Span,
    asked: usize,
}

impl<'s, S: Source> Asker<'s, S> {
    pub(super) const fn new(
        sources: &'s BTreeMap<SourceName, Arc<S>>,
        at: Timestamp,
        step: Span,
    ) -> Self {
        Self {
            sources,
            at,
            step,
            asked: 0,
        }
    }

    /// What was found, with all that the source knows of it.
    pub(super) async fn told(&mut self, slo: &Slo, found: Found) -> Option<Finding> {
        let histogram = slo.indicator.events().and_then(Events::histogram);
        Some(match found {
            Found::Told(finding) => finding,
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

    async fn missing(&mut self, slo: &Slo, part: Part, selector: &Selector) -> Missing {
        Missing {
            part,
            text: Fetch::Samples(selector.clone()).text(),
            why: self.why(&slo.source, selector).await,
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
        Finding::NoSeries(self.missing(slo, part, &histogram.series).await)
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
        match self.values(source, absent::any_of(metric), LE).await {
            None => return Why::Unknown,
            Some(found) if found.is_empty() => return Why::NoMetric(metric.clone()),
            Some(_) => {}
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
