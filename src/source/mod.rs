//! Where samples come from: what every source offers, why one cannot be read, and the kinds there are.

pub mod error;
mod offload;
pub mod prometheus;
pub mod question;
pub mod scrape;

use std::future::{Future, ready};

use crate::domain::metric::MetricKind;
use crate::domain::selector::Matcher;
use crate::domain::time::{Span, TimeRange};
use crate::series::batch::{Batch, Fetch};

use self::error::SourceError;
use self::prometheus::PrometheusSource;
use self::question::Question;
use self::scrape::ScrapeSource;

/// Something that holds samples and can be asked for a range of them.
pub trait Source: Send + Sync + 'static {
    /// Reads what lies in `(from, to]`. An answer with no series is a good answer.
    ///
    /// Each read is bounded in time once it is its turn; how long it may wait for its turn is the caller's to bound,
    /// by dropping the future.
    fn read(
        &self,
        fetch: &Fetch,
        range: TimeRange,
    ) -> impl Future<Output = Result<Batch, SourceError>> + Send;

    /// Reads what lies in a long range that has passed, in whatever way is the cheapest for the
    /// source. Samples that only say that a series has ended may be among them: they are no numbers.
    fn read_past(
        &self,
        fetch: &Fetch,
        range: TimeRange,
    ) -> impl Future<Output = Result<Batch, SourceError>> + Send {
        self.read(fetch, range)
    }

    /// Whether it tells of times that have long passed.
    fn has_past(&self) -> bool {
        true
    }

    /// What is asked of it to read this, in words in which a person can ask the same; `None` where
    /// there are none.
    fn question(&self, fetch: &Fetch, range: TimeRange) -> Option<Question> {
        let _ = (fetch, range);
        None
    }

    /// What it adds to every selector that it is asked for; expressions are asked as they are.
    fn narrowed_by(&self) -> &[Matcher] {
        &[]
    }

    /// The names of the metrics that it has samples of, sorted, for whoever looks for one; none where it cannot tell.
    fn names(
        &self,
        within: TimeRange,
    ) -> impl Future<Output = Result<Vec<String>, SourceError>> + Send {
        let _ = within;
        ready(Ok(Vec::new()))
    }

    /// What the values of a metric are, where it knows.
    fn kind_of(
        &self,
        metric: &str,
    ) -> impl Future<Output = Result<Option<MetricKind>, SourceError>> + Send {
        let _ = metric;
        ready(Ok(None))
    }

    /// How far our clock is ahead of its own, where its answers tell: it knows no sample of a time that has not come
    /// there yet.
    fn skew(&self) -> Option<Skew> {
        None
    }
}

/// How far our clock is ahead of a source's, as far as that is known; negative where it is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// At the least.
    pub least: Span,
    /// At the most.
    pub most: Span,
}

impl Skew {
    /// By how much the clocks differ for certain: nothing where they may agree.
    pub fn certain(self) -> Span {
        Span::ZERO.clamp(self.least, self.most)
    }
}

/// A source of any kind, so that one configuration may mix them.
#[derive(Debug)]
pub enum AnySource {
    /// Asks a Prometheus.
    Prometheus(Box<PrometheusSource>),
    /// Scrapes pages.
    Scrape(Box<ScrapeSource>),
}

impl Source for AnySource {
    async fn read(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        match self {
            Self::Prometheus(source) => source.read(fetch, range).await,
            Self::Scrape(source) => source.read(fetch, range).await,
        }
    }

    async fn read_past(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        match self {
            Self::Prometheus(source) => source.read_past(fetch, range).await,
            Self::Scrape(source) => source.read_past(fetch, range).await,
        }
    }

    fn has_past(&self) -> bool {
        match self {
            Self::Prometheus(source) => source.has_past(),
            Self::Scrape(source) => source.has_past(),
        }
    }

    fn question(&self, fetch: &Fetch, range: TimeRange) -> Option<Question> {
        match self {
            Self::Prometheus(source) => source.question(fetch, range),
            Self::Scrape(source) => source.question(fetch, range),
        }
    }

    fn narrowed_by(&self) -> &[Matcher] {
        match self {
            Self::Prometheus(source) => source.narrowed_by(),
            Self::Scrape(source) => source.narrowed_by(),
        }
    }

    async fn names(&self, within: TimeRange) -> Result<Vec<String>, SourceError> {
        match self {
            Self::Prometheus(source) => source.names(within).await,
            Self::Scrape(source) => source.names(within).await,
        }
    }

    async fn kind_of(&self, metric: &str) -> Result<Option<MetricKind>, SourceError> {
        match self {
            Self::Prometheus(source) => source.kind_of(metric).await,
            Self::Scrape(source) => source.kind_of(metric).await,
        }
    }

    fn skew(&self) -> Option<Skew> {
        match self {
            Self::Prometheus(source) => source.skew(),
            Self::Scrape(source) => source.skew(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_may_agree_are_taken_to() {
        for (least, most, certain) in [(-1, 0, 0), (-3, 9, 0), (2, 3, 2), (-9, -5, -5)] {
            let [least, most] = [least, most].map(Span::from_secs);
            let skew = Skew { least, most };
            assert_eq!(skew.certain(), Span::from_secs(certain), "{skew:?}");
        }
    }
}
