//! The plain log of all that was scraped: whole numbers, oldest first, series by series.

use std::collections::BTreeMap;

use sloburn::domain::labels::{Labels, METRIC_NAME};

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// The distance of scrapes.
pub(super) const SCRAPE: i64 = MINUTE;

/// Everything that was scraped.
#[derive(Debug, Default)]
pub(super) struct Log {
    metrics: BTreeMap<String, BTreeMap<String, Series>>,
}

/// What was scraped of one series.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) labels: Labels,
    pub(super) samples: Vec<(i64, i64)>,
}

impl Log {
    /// Adds the newest sample of a series; its labels as in `job=shop,code=200`.
    pub(super) fn add(&mut self, metric: &str, labels: &str, at: i64, value: i64) {
        let known = self.metrics.entry(metric.to_owned()).or_default();
        let series = known.entry(labels.to_owned()).or_insert_with(|| {
            let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
            Series {
                labels: pairs.chain([(METRIC_NAME, metric)]).collect(),
                samples: Vec::new(),
            }
        });
        let newest = series.samples.last();
        assert!(
            newest.is_none_or(|(last, _)| *last < at),
            "{metric}{{{labels}}}"
        );
        series.samples.push((at, value));
    }

    /// The series of a metric.
    pub(super) fn series(&self, metric: &str) -> impl Iterator<Item = &Series> {
        self.metrics
            .get(metric)
            .into_iter()
            .flat_map(BTreeMap::values)
    }
}

impl Series {
    /// The samples in `(from, to]`.
    pub(super) fn within(&self, from: i64, to: i64) -> &[(i64, i64)] {
        let first = self.samples.partition_point(|(at, _)| *at <= from);
        let behind = self.samples.partition_point(|(at, _)| *at <= to);
        &self.samples[first..behind.max(first)]
    }

    /// The newest sample before a time.
    pub(super) fn before(&self, time: i64) -> Option<(i64, i64)> {
        let behind = self.samples.partition_point(|(at, _)| *at < time);
        self.samples[..behind].last().copied()
    }

    /// The value of the newest sample at or before `end`, if it is no older than `valid`.
    pub(super) fn last(&self, end: i64, valid: i64) -> Option<i64> {
        let behind = self.samples.partition_point(|(at, _)| *at <= end);
        let (at, value) = self.samples[..behind].last()?;
        (end - at <= valid).then_some(*value)
    }
}
