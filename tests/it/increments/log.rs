//! What exporters answered at which scrape, in whole numbers: the truth, and the samples that a source makes of it.

use std::collections::BTreeMap;
use std::ops::Range;

use sloburn::domain::labels::{Labels, METRIC_NAME};
use sloburn::domain::time::{TimeRange, Timestamp};
use sloburn::series::batch::{Batch, Fetch, Sample};

pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;

const STARTS: &str = "process_start_time_seconds";

/// What the exporters of one class answered.
#[derive(Debug)]
pub(super) struct Log {
    /// The distance of scrapes.
    pub(super) every: i64,
    pub(super) targets: Vec<Target>,
    /// When Prometheus cannot be asked.
    pub(super) blind: Vec<Range<i64>>,
}

/// Who is scraped under one `job` and `instance`.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) instance: String,
    /// Oldest first.
    pub(super) answers: Vec<Answer>,
}

/// A scrape that was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) at: i64,
    /// From when on Prometheus gives its samples out.
    pub(super) seen: i64,
    /// Which process answered.
    pub(super) life: usize,
    /// When that began.
    pub(super) started: i64,
    pub(super) values: Vec<Value>,
}

/// A counter of a process at a scrape.
#[derive(Debug)]
pub(super) struct Value {
    /// Which of the process' counters, whatever its labels were.
    pub(super) counter: usize,
    pub(super) role: Role,
    pub(super) labels: Labels,
    /// What it stood at.
    pub(super) stood: u64,
}

/// What an event of a counter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Good.
    Good,
    /// Bad.
    Bad,
    /// Good or bad: the bucket that holds everything.
    Every,
    /// Good, and in the bucket of everything as well.
    Fast,
}

/// Samples as Prometheus has them, by metric and series.
#[derive(Debug, Default)]
pub(super) struct Samples {
    metrics: BTreeMap<String, BTreeMap<Labels, Vec<Stored>>>,
}

#[derive(Clone, Copy, Debug)]
struct Stored {
    at: i64,
    seen: i64,
    value: f64,
}

impl Samples {
    /// The samples of a log, with or without the start times of its processes.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counters and times stay far below 2^53"
    )]
    pub(super) fn of(log: &Log, starts: bool) -> Self {
        let mut samples = Self::default();
        for target in &log.targets {
            for answer in &target.answers {
                for value in &answer.values {
                    samples.store(&value.labels, answer, value.stood as f64);
                }
                if starts {
                    let pairs = [(METRIC_NAME, STARTS), ("job", "shop")];
                    let instance = ("instance", &*target.instance);
                    let labels = pairs.into_iter().chain([instance]).collect();
                    samples.store(&labels, answer, answer.started as f64 / SECOND as f64);
                }
            }
        }
        samples
    }

    fn store(&mut self, labels: &Labels, answer: &Answer, value: f64) {
        let metric = self
            .metrics
            .entry(labels.get(METRIC_NAME).to_owned())
            .or_default();
        let Answer { at, seen, .. } = *answer;
        let stored = Stored { at, seen, value };
        metric.entry(labels.clone()).or_default().push(stored);
    }

    /// What is answered `now` about a range. As an old Prometheus does, it gives the sample at the open end too.
    pub(super) fn read(&self, fetch: &Fetch, range: TimeRange, now: i64) -> Batch {
        let Fetch::Samples(selector) = fetch else {
            panic!("nothing here asks for `{}`", fetch.text());
        };
        let (from, to) = (range.from.as_millis(), range.to.as_millis());
        let series = self.metrics.get(&selector.metric).into_iter().flatten();
        series
            .map(|(labels, stored)| {
                let first = stored.partition_point(|stored| stored.at < from);
                let within = stored[first..].iter().take_while(|stored| stored.at <= to);
                let seen = within.filter(|stored| stored.seen <= now);
                let samples = seen.map(|stored| Sample {
                    at: Timestamp::from_millis(stored.at),
                    value: stored.value,
                });
                (labels.clone(), samples.collect())
            })
            .filter(|(_, samples): &(Labels, Vec<Sample>)| !samples.is_empty())
            .collect()
    }
}
