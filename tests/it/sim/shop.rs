//! A source of samples in closed form: a shop with steady traffic, of which a share fails for a while.

use sloburn::domain::labels::{Labels, METRIC_NAME};
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::series::batch::{Batch, Fetch, Sample};
use sloburn::source::Source;
use sloburn::source::error::SourceError;

/// Requests a second.
const RATE: i64 = 10_000;

const SCRAPE: Span = Span::from_secs(15);

/// How far the first tick looks back: the shop opens so long before it, and has no past beyond.
const LOOK_BACK: Span = Span::from_mins(10);

/// A share of the requests fails in `[onset, onset + length)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) onset: Timestamp,
    pub(crate) length: Span,
    /// How many of 10,000 requests fail.
    pub(crate) failing: i64,
}

/// Two counters, scraped every 15 seconds: what was answered well, and what was not.
#[derive(Debug)]
pub(crate) struct Shop {
    opened: Timestamp,
    outage: Outage,
}

impl Shop {
    /// A shop that is as old as the first tick, at `start`, can see.
    pub(crate) fn new(start: Timestamp, outage: Outage) -> Self {
        Self::opened(start - LOOK_BACK, outage)
    }

    /// A shop that opens then.
    pub(crate) fn opened(opened: Timestamp, outage: Outage) -> Self {
        Self { opened, outage }
    }

    /// How many requests there are in so much time.
    pub(crate) fn requests(time: Span) -> i64 {
        RATE * time.as_millis() / 1_000
    }

    /// All requests up to `at`, and the failed ones among them: whole numbers.
    fn counters(&self, at: Timestamp) -> (i64, i64) {
        let Outage {
            onset,
            length,
            failing,
        } = self.outage;
        let outage = at.min(onset + length).since(onset).max(Span::ZERO);
        let failed = Self::requests(outage) * failing / 10_000;
        (Self::requests(at.since(self.opened)), failed)
    }
}

impl Source for Shop {
    async fn read(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        let Fetch::Samples(selector) = fetch else {
            panic!("nothing in these tests asks for `{}`", fetch.text());
        };
        if selector.metric == "process_start_time_seconds" {
            return Ok(Batch::default());
        }
        assert_eq!(selector.metric, "requests_total");
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let mut at = range.from.floor_to(SCRAPE) + SCRAPE;
        while at <= range.to {
            if at < self.opened {
                at = at + SCRAPE;
                continue;
            }
            let (all, failed) = self.counters(at);
            good.push(sample(at, all - failed));
            bad.push(sample(at, failed));
            at = at + SCRAPE;
        }
        let series = [("200", good), ("503", bad)];
        Ok(series
            .map(|(code, samples)| (labels(code), samples))
            .into_iter()
            .collect())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counters stay far below 2^53 in weeks"
)]
fn sample(at: Timestamp, value: i64) -> Sample {
    Sample {
        at,
        value: value as f64,
    }
}

fn labels(code: &str) -> Labels {
    let pairs = [
        (METRIC_NAME, "requests_total"),
        ("job", "shop"),
        ("instance", "shop-0:8080"),
        ("code", code),
    ];
    pairs.into_iter().collect()
}
