//! Pairs of Prometheus that scrape the same targets: series that are alike but for a label of the pair
//! are one, and of each moment one replica tells.
//!
//! Which one does not depend on what was read before: the first by its labels that had a sample of
//! late. So the same samples come out however time is cut into reads. All replicas count the same
//! process, so that what lies between the last sample of one and the next of another is their difference.

use std::collections::HashMap;

use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::batch::{Batch, BatchWriter, Sample, Series};

/// Labels by which replicas are usually told apart.
const USUAL: [&str; 3] = ["prometheus_replica", "__replica__", "replica"];

/// So many series are looked at for replicas that nobody told of.
const LOOKED_AT: usize = 2_000;

/// One series for all that differ by nothing but `labels`; `interval` is their usual distance of samples.
pub fn merged(batch: &Batch, labels: &[String], interval: Span) -> Batch {
    let mut order: Vec<Vec<Series>> = Vec::new();
    let mut places: HashMap<Labels, usize> = HashMap::new();
    for series in batch.series() {
        let place = *places
            .entry(without(&series, labels))
            .or_insert(order.len());
        if place == order.len() {
            order.push(Vec::new());
        }
        order[place].push(series);
    }
    let mut all: Vec<(Labels, usize)> = places.into_iter().collect();
    all.sort_by_key(|(_, place)| *place);
    let mut writer = BatchWriter::new(TimeRange::ALL);
    for (own, place) in all {
        let replicas = &mut order[place];
        replicas.sort_by_cached_key(|series| series.labels.to_labels());
        let samples = match replicas.as_slice() {
            [only] => only.samples.to_vec(),
            several => told(several, interval),
        };
        writer.series((&own).into(), samples);
    }
    let mut merged = writer.finish();
    merged.warnings.clone_from(&batch.warnings);
    merged.histograms = batch.histograms;
    merged
}

fn without(series: &Series, labels: &[String]) -> Labels {
    let own = series.labels.iter();
    let kept = own.filter(|(name, _)| !labels.iter().any(|label| label == name));
    kept.collect()
}

/// What is known of a replica while its samples are gone through.
#[derive(Clone, Copy, Debug, Default)]
struct Replica {
    last: Option<Sample>,
    /// Whether it fell since anything was told.
    fell: bool,
}

/// The samples that are told of, each by the first replica that was not silent then.
fn told(replicas: &[Series], interval: Span) -> Vec<Sample> {
    let silence = Span::from_millis(interval.as_millis() * 3 / 2);
    let patience = Span::from_millis(interval.as_millis() * 2);
    let samples = (0..).zip(replicas).flat_map(|(replica, series)| {
        let samples = series.samples.iter();
        samples.map(move |sample| (replica, *sample))
    });
    let mut samples: Vec<(usize, Sample)> = samples.collect();
    samples.sort_by_key(|(replica, sample)| (sample.at, *replica));
    let mut known = vec![Replica::default(); replicas.len()];
    let mut told: Vec<(usize, Sample)> = Vec::new();
    for (replica, sample) in samples {
        let own = &mut known[replica];
        let before = own.last.replace(sample);
        own.fell |= before.is_some_and(|before| sample.value < before.value);
        let fell = own.fell;
        let is_alive = |other: &Replica| {
            let last = other.last.map(|last| last.at);
            last.is_some_and(|last| sample.at.since(last) < silence)
        };
        if known.iter().take(replica).any(is_alive) {
            continue;
        }
        if let Some((by, last)) = told.last() {
            // Its clock is behind the other's: what it shows was told already.
            let is_behind = *by != replica && sample.value < last.value && !fell;
            if sample.at == last.at || (is_behind && sample.at.since(last.at) <= patience) {
                continue;
            }
        }
        told.push((replica, sample));
        for replica in &mut known {
            replica.fell = false;
        }
    }
    told.into_iter().map(|(_, sample)| sample).collect()
}

/// A label by which replicas are usually told apart, and by nothing but which series of the batch
/// differ: who did not say so may count everything twice.
pub fn suspected(batch: &Batch) -> Option<&'static str> {
    let mut seen: HashMap<Labels, Timestamp> = HashMap::new();
    for label in USUAL {
        seen.clear();
        let labels = [label.to_owned()];
        let looked_at = batch.series().take(LOOKED_AT);
        for series in looked_at.filter(|series| !series.labels.get(label).is_empty()) {
            let last = series.samples.last().map(|last| last.at);
            let twin = seen.insert(without(&series, &labels), last.unwrap_or_default());
            if twin.is_some() && !series.labels.get(METRIC_NAME).is_empty() {
                return Some(label);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [&str; 3] = [METRIC_NAME, "job", "prometheus_replica"];

    /// Replicas as `second:value` samples; what is told, and by which labels.
    fn told(replicas: &[&str]) -> String {
        let series = (0..).zip(replicas).map(|(number, samples)| {
            let replica = format!("r{number}");
            let labels: Labels = LABELS
                .into_iter()
                .zip(["requests_total", "api", replica.as_str()])
                .collect();
            let sample = |text: &str| {
                let (second, value) = text.split_once(':').unwrap();
                Sample {
                    at: Timestamp::from_millis(second.parse::<i64>().unwrap() * 1_000),
                    value: value.parse().unwrap(),
                }
            };
            (labels, samples.split(' ').map(sample).collect())
        });
        let batch: Batch = series.collect();
        let labels = ["prometheus_replica".to_owned()];
        let merged = merged(&batch, &labels, Span::from_secs(15));
        assert_eq!(merged.len(), 1);
        let series = merged.get(0).unwrap();
        assert_eq!(series.labels.get("prometheus_replica"), "");
        assert_eq!(series.labels.get("job"), "api");
        let samples = series
            .samples
            .iter()
            .map(|it| format!("{}:{}", it.at.as_millis() / 1_000, it.value));
        samples.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_first_replica_that_is_not_silent_tells() {
        for (replicas, expected) in [
            (&["0:1 15:2 30:3", "7:1 22:2 37:4"][..], "0:1 15:2 30:3"),
            // The first dies and returns.
            (
                &[
                    "0:10 15:20 90:70 105:80",
                    "7:15 22:25 37:35 52:45 67:55 82:65 97:75",
                ],
                "0:10 15:20 52:45 67:55 82:65 90:70 105:80",
            ),
            // The second's clock is behind: what it shows is not a reset.
            (
                &["0:100 15:200", "10:90 25:185 40:195 55:300 70:400"],
                "0:100 15:200 55:300 70:400",
            ),
            // The process began anew while the first was silent already.
            (
                &["0:100 15:200", "7:150 22:5 37:15 52:25"],
                "0:100 15:200 52:25",
            ),
            // One that begins later.
            (
                &["60:5 75:6", "0:1 15:2 30:3 45:4 60:5"],
                "0:1 15:2 30:3 45:4 60:5 75:6",
            ),
        ] {
            assert_eq!(told(replicas), expected, "{replicas:?}");
        }
    }

    #[test]
    fn replicas_that_nobody_told_of_are_suspected() {
        let batch = |pairs: &[(&str, &str)]| -> Batch {
            let series = pairs.iter().map(|(label, value)| {
                let labels: Labels = [(METRIC_NAME, "up"), (label, value)].into_iter().collect();
                let (at, value) = (Timestamp::from_millis(1), 1.0);
                (labels, vec![Sample { at, value }])
            });
            series.collect()
        };
        for (pairs, expected) in [
            (&[("replica", "a"), ("replica", "b")][..], Some("replica")),
            (
                &[("prometheus_replica", "a"), ("prometheus_replica", "b")],
                Some("prometheus_replica"),
            ),
            (&[("pod", "a"), ("pod", "b")], None),
            (&[("replica", "a"), ("pod", "b")], None),
        ] {
            assert_eq!(suspected(&batch(pairs)), expected, "{pairs:?}");
        }
    }
}
