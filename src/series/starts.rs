//! When processes began: evidence for what the first value of a series is worth.

use std::collections::HashMap;

use crate::domain::labels::LabelsRef;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::{Batch, Sample, SeriesId};
use super::births::Target;
use super::seen::Seen;

/// The metric by which exporters tell when their process began, in seconds since the Unix epoch.
pub const METRIC: &str = "process_start_time_seconds";

/// Start times that are not further apart are the same: some exporters work them out anew each time.
const SAME: Span = Span::from_secs(2);

/// When the processes of targets began, for as long as their samples were read.
#[derive(Debug, Default)]
pub struct Starts {
    seen: Seen<()>,
    /// The processes that each series told of, oldest first.
    lives: Vec<Vec<Life>>,
    targets: HashMap<Target, Vec<usize>>,
}

/// A process, from its first sample to its last.
#[derive(Clone, Copy, Debug)]
struct Life {
    first: Timestamp,
    last: Timestamp,
    started: Timestamp,
}

impl Starts {
    /// Takes note of the samples in a range.
    pub fn note(&mut self, batch: &Batch, range: TimeRange) {
        for series in batch.series() {
            let row = self
                .seen
                .find(series.id, series.labels)
                .unwrap_or_else(|| self.insert(series.id, series.labels));
            let samples = series.samples.iter();
            for sample in samples.filter(|sample| range.contains(sample.at)) {
                if let Some(started) = start(sample) {
                    extend(&mut self.lives[row], sample.at, started);
                }
            }
        }
    }

    /// When the process began that answered the scrape of a target `at`, and when it was first seen;
    /// `None` when that scrape was not seen to tell. Of several processes behind one target the
    /// oldest is meant.
    pub fn of(&self, target: &Target, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let rows = self.targets.get(target)?.iter();
        let lives = rows.filter_map(|row| {
            let lives = self.lives.get(*row)?.iter();
            lives.rev().find(|life| life.first <= at && at <= life.last)
        });
        lives.map(|life| (life.started, life.first)).min()
    }

    /// Forgets processes that were not seen since `before`.
    pub fn forget(&mut self, before: Timestamp) {
        let is_old = |life: &Life| life.last < before;
        if !self.lives.iter().flatten().any(is_old) {
            return;
        }
        let old = std::mem::take(self);
        for ((id, labels), mut lives) in old.seen.series().zip(old.lives) {
            lives.retain(|life| !is_old(life));
            if !lives.is_empty() {
                let row = self.insert(id, labels.into());
                self.lives[row] = lives;
            }
        }
    }

    fn insert(&mut self, id: SeriesId, labels: LabelsRef) -> usize {
        let row = self.seen.insert(id, labels.to_labels(), []);
        if let Some(target) = Target::of(labels) {
            self.targets.entry(target).or_default().push(row);
        }
        self.lives.push(Vec::new());
        row
    }
}

/// The start time that a sample tells.
#[expect(
    clippy::cast_possible_truncation,
    reason = "times outside of i64 saturate, and are no starts of living processes"
)]
fn start(sample: &Sample) -> Option<Timestamp> {
    let millis = sample.value * 1_000.0;
    (millis.is_finite() && millis > 0.0).then(|| Timestamp::from_millis(millis.round() as i64))
}

/// Adds a sample, which may be older than others, to the life that it tells of.
fn extend(lives: &mut Vec<Life>, at: Timestamp, started: Timestamp) {
    let same = |life: &&mut Life| {
        let apart = life.started.since(started).as_millis().abs();
        apart <= SAME.as_millis()
    };
    if let Some(life) = lives.iter_mut().rev().find(same) {
        life.first = life.first.min(at);
        life.last = life.last.max(at);
    } else {
        let place = lives.partition_point(|life| life.first <= at);
        let (first, last) = (at, at);
        lives.insert(
            place,
            Life {
                first,
                last,
                started,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::{Labels, METRIC_NAME};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    /// Series as (pod, samples as `second:start`).
    fn batch(series: &[(&str, &str)]) -> Batch {
        let sample = |text: &str| {
            let (second, value) = text.split_once(':').unwrap();
            Sample {
                at: at(second.parse().unwrap()),
                value: value.parse().unwrap(),
            }
        };
        let series = series.iter().map(|(pod, samples)| {
            let pairs = [(METRIC_NAME, METRIC), ("job", "a"), ("instance", "i")];
            let labels = pairs.into_iter().chain([("pod", *pod)]).collect();
            (labels, samples.split(' ').map(sample).collect())
        });
        series.collect()
    }

    #[test]
    fn the_process_that_answered_a_scrape_is_found_by_its_time() {
        let mut starts = Starts::default();
        let labels: Labels = [("job", "a"), ("instance", "i")].into_iter().collect();
        let target = Target::of(&labels).unwrap();
        let of = |starts: &Starts, second| {
            let started = starts.of(&target, at(second));
            started.map(|(started, _)| started.as_millis() / 1_000)
        };
        starts.note(
            &batch(&[("", "100:1 115:2 130:120 145:120")]),
            TimeRange::ALL,
        );
        assert_eq!(of(&starts, 100), Some(1));
        assert_eq!(of(&starts, 115), Some(1), "worked out anew, a second off");
        assert_eq!(of(&starts, 130), Some(120));
        assert_eq!(of(&starts, 160), None, "not seen yet");
        assert_eq!(of(&starts, 122), None, "between two processes");

        let rest = TimeRange {
            from: at(145),
            to: at(160),
        };
        starts.note(&batch(&[("", "145:9 160:120 175:9")]), rest);
        assert_eq!(of(&starts, 160), Some(120));
        assert_eq!(of(&starts, 175), None, "outside of the range");

        starts.note(&batch(&[("b", "160:50")]), TimeRange::ALL);
        assert_eq!(of(&starts, 160), Some(50), "of two the oldest");
        starts.forget(at(130));
        assert_eq!((of(&starts, 100), of(&starts, 145)), (None, Some(120)));
        starts.forget(at(161));
        assert!(starts.seen.is_empty());
    }
}
