//! Series that begin or return: what they are worth, from the raw samples of their targets.

use std::collections::{BTreeSet, HashMap};

use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::time::{TimeRange, Timestamp};
use crate::series::batch::{Batch, Sample};
use crate::series::cursor::{Cursor, IgnoredBirth, Increase};
use crate::series::roll::Roll;
use crate::series::starts::Starts;
use crate::series::table::{Counted, Layer, Past, SeriesTable};

use super::Form;

/// What is read of the targets of series that begin or return.
#[derive(Debug, Default)]
pub struct Raw {
    /// Their samples, which reach back to before the series arrive and show how each goes on.
    pub samples: Batch,
    /// Where the samples begin.
    pub from: Timestamp,
    /// The last values before that of series which the samples show later only.
    pub earlier: Batch,
}

/// What series that begin or return are worth.
#[derive(Debug, Default)]
pub struct Arrived {
    /// What each adds that the sums of the source lack, with its labels.
    pub increases: Vec<(Labels, Increase)>,
    /// First values that were not counted.
    pub ignored: Vec<(Labels, IgnoredBirth)>,
}

/// Counts the arrivals in `range`.
pub fn arrived(
    roll: Roll,
    read: &Raw,
    range: TimeRange,
    form: Form,
    starts: Option<&Starts>,
) -> Arrived {
    let (mut arrived, raw) = (Arrived::default(), &read.samples);
    if raw.is_empty() {
        return arrived;
    }
    let mut table = SeriesTable::default();
    let before = TimeRange {
        from: Timestamp::from_millis(i64::MIN / 2),
        to: range.from,
    };
    table.count(roll, raw, before, Layer::Settled, Past::Unread);
    let samples: HashMap<Labels, &[Sample]> = raw
        .series()
        .map(|series| (series.labels.to_labels(), series.samples))
        .collect();
    for (labels, value) in last_values(roll, &read.earlier) {
        // When it was there last is not known, only that it was before the raw samples.
        let last = Sample {
            at: read.from,
            value,
        };
        if samples.contains_key(&labels) {
            let interval = form.interval;
            let cursor = Cursor {
                interval,
                ..Cursor::at_first(last)
            };
            table.learn(roll, &labels, cursor);
        }
    }
    // What follows on a first value tells what that is worth.
    let behind = TimeRange {
        to: range.to + form.valid(),
        ..range
    };
    let Counted { gains, ignored, .. } =
        table.count(roll, raw, behind, Layer::Settled, Past::read(starts));
    let mut told: BTreeSet<(usize, Timestamp, Timestamp)> = BTreeSet::new();
    for gain in gains {
        let Increase { from, to, .. } = gain.increase;
        let Some(labels) = table.labels(gain.row) else {
            continue;
        };
        // One for each role, and the labels say which roles there are.
        if range.contains(to)
            && told.insert((gain.row, from, to))
            && arrives(samples.get(labels).copied().unwrap_or_default(), to, form)
        {
            arrived.increases.push((labels.clone(), gain.increase));
        }
    }
    let within = |(_, birth): &(Labels, IgnoredBirth)| range.contains(birth.at);
    arrived.ignored = ignored.into_iter().filter(within).collect();
    arrived
}

/// The last value of each series, which some sources tell without the metric's name.
fn last_values<'b>(roll: Roll<'b>, earlier: &'b Batch) -> impl Iterator<Item = (Labels, f64)> {
    let name = roll.family().metric();
    earlier.series().filter_map(move |series| {
        let labels = series.labels.to_labels();
        let others = labels.iter().filter(|(label, _)| *label != METRIC_NAME);
        let labels = others.chain([(METRIC_NAME, name)]).collect();
        Some((labels, series.samples.last()?.value))
    })
}

/// Whether the step that ends at or behind `at` finds no sample on which it could build.
fn arrives(samples: &[Sample], at: Timestamp, form: Form) -> bool {
    let seen_to = at.ceil_to(form.step) - form.step;
    let seen_from = seen_to - form.valid();
    let is_base =
        |sample: &Sample| sample.at > seen_from && sample.at <= seen_to && sample.is_count();
    !samples.iter().any(is_base)
}
