//! Counting a batch: every series from its cursor on, and what begins or returns by what is known around it.

use std::collections::HashSet;

use crate::domain::evidence::Evidence;
use crate::domain::labels::Labels;
use crate::domain::time::{Span, TimeRange, Timestamp};

use super::super::batch::{Batch, Sample, within};
use super::super::births::{Surroundings, Target, Verdict};
use super::super::cursor::{Cursor, IgnoredBirth, Increase, usual_distance, validity};
use super::super::roll::Roll;
use super::{Counted, Falls, Gain, Layer, Past, SeriesTable};

impl SeriesTable {
    /// Counts the samples of a batch that lie in `range` and are newer than the cursors of `layer`.
    pub fn count(
        &mut self,
        roll: Roll,
        batch: &Batch,
        range: TimeRange,
        layer: Layer,
        past: Past,
    ) -> Counted {
        let mut counted = Counted::default();
        let mut rows = std::mem::take(&mut self.scratch.rows);
        rows.clear();
        for series in batch.series() {
            rows.push(self.row(roll, series.id, series.labels));
        }
        if roll.family().is_interpolated() {
            self.read_again(batch, &rows, range, layer);
        }
        let unclear = self.unclear_births(roll, &rows, layer);
        let falls = std::mem::take(self.falls(layer));
        let mut around = match past {
            Past::Unread => None,
            Past::Read { of, starts } => {
                let mut around = Surroundings::new(&falls, starts).of(of);
                self.look_around(batch, &rows, range, layer, &mut around);
                Some(around)
            }
        };
        let mut fell = Falls::default();
        for (row, series) in rows.iter().zip(batch.series()) {
            let samples = within(series.samples, range);
            if samples.is_empty() || self.seen.edges_of(*row).is_empty() {
                continue;
            }
            counted.moved.push(*row);
            self.walk(
                *row,
                samples,
                layer,
                around.as_mut(),
                &mut counted,
                &mut fell,
            );
        }
        if roll.family().has_thresholds() {
            self.leave_out_lacking(batch, &rows, &unclear, &mut counted);
        }
        *self.falls(layer) = falls;
        if layer == Layer::Settled {
            let new = fell.iter().map(|(target, at)| (target.clone(), *at));
            self.new_falls.extend(new);
        }
        self.falls(layer).extend(fell);
        self.scratch.rows = rows;
        if layer == Layer::Settled {
            self.conclude_births(range.to, &mut counted);
        }
        counted
    }

    /// Moves the cursor of a series over its samples.
    fn walk(
        &mut self,
        row: usize,
        samples: &[Sample],
        layer: Layer,
        mut around: Option<&mut Surroundings>,
        counted: &mut Counted,
        fell: &mut Falls,
    ) {
        let mut cursor = self.cursors(layer)[row];
        let mut increases = std::mem::take(&mut self.scratch.increases);
        increases.clear();
        let Some(labels) = self.seen.labels(row) else {
            return;
        };
        let restarts = around.as_mut().map(|around| around.restarts(labels));
        let restarts = restarts.unwrap_or_default();
        let mut odd = None;
        for (index, sample) in samples.iter().enumerate() {
            if !is_new(cursor.as_ref(), sample) {
                odd = Some(*sample).filter(|it| !it.is_count()).or(odd);
                continue;
            }
            let verdict = match &mut around {
                Some(around)
                    if arrives(cursor.as_ref(), sample) || restarts.contains(&sample.at) =>
                {
                    around.judge(labels, cursor.as_ref(), *sample)
                }
                None if cursor.is_none() => Verdict::Given,
                _ => Verdict::Continues,
            };
            if cursor.is_some_and(|own| sample.value < own.value) {
                note_fall(fell, labels, sample.at);
            }
            let (next, ignored) = moved(cursor, &samples[index..], verdict, &mut increases);
            if verdict == Verdict::Given {
                // What was there before is known to the settled layer too, or it would be born there later.
                let settled = &mut self.settled[row];
                *settled = settled.or(next);
            }
            cursor = next;
            let ignored = ignored.map(|birth| (labels.clone(), birth));
            counted.ignored.extend(ignored);
        }
        for increase in &increases {
            let edges = self.seen.edges_of(row).iter().copied();
            let increase = *increase;
            counted.gains.extend(edges.map(|edge| Gain {
                row,
                edge,
                increase,
            }));
        }
        counted.odd.extend(odd.map(|sample| (row, sample)));
        self.cursors(layer)[row] = cursor;
        self.scratch.increases = increases;
    }

    /// Judges the first values of series that ended before they had a second.
    fn conclude_births(&mut self, to: Timestamp, counted: &mut Counted) {
        for row in 0..self.len() {
            let Some(mut cursor) = self.settled[row] else {
                continue;
            };
            if cursor.birth.is_none() || to.since(cursor.at) <= validity(cursor.interval) {
                continue;
            }
            let mut increases = Vec::new();
            let ignored = cursor.conclude(0.0, &mut increases);
            let labels = self.seen.labels(row).cloned();
            counted.ignored.extend(labels.zip(ignored));
            self.settled[row] = Some(cursor);
            counted.moved.push(row);
            for increase in increases {
                let edges = self.seen.edges_of(row).iter().copied();
                counted.gains.extend(edges.map(|edge| Gain {
                    row,
                    edge,
                    increase,
                }));
            }
        }
    }

    /// Collects what is known of the targets whose series begin in a batch, or return.
    fn look_around(
        &mut self,
        batch: &Batch,
        rows: &[usize],
        range: TimeRange,
        layer: Layer,
        around: &mut Surroundings,
    ) {
        let mut targets = HashSet::new();
        let mut has_newborn = false;
        for (row, series) in rows.iter().zip(batch.series()) {
            let samples = within(series.samples, range);
            let own = self.cursors(layer)[*row];
            let is_given = |first: &Cursor| around.gives(series.labels, first.at);
            let cursor = own.or_else(|| given(samples).filter(is_given));
            if !self.seen.edges_of(*row).is_empty() && is_eventful(cursor, samples) {
                has_newborn |= cursor.is_none();
                targets.extend(Target::of(series.labels));
            }
        }
        if targets.is_empty() {
            return;
        }
        let mut samples: Vec<&[Sample]> = vec![&[]; self.len()];
        for (row, series) in rows.iter().zip(batch.series()) {
            samples[*row] = within(series.samples, range);
        }
        for target in &targets {
            for row in self.targets.get(target).into_iter().flatten() {
                let before = match layer {
                    Layer::Settled => self.settled[*row],
                    Layer::Head => self.head[*row],
                };
                let Some(labels) = self.seen.labels(*row) else {
                    continue;
                };
                if before.is_some() || !samples[*row].is_empty() {
                    around.note(labels, before, samples[*row]);
                }
            }
        }
        if has_newborn {
            let known = self.cursors(layer).iter().flatten();
            let mut intervals: Vec<Span> = known.clone().map(|cursor| cursor.interval).collect();
            intervals.sort_unstable();
            let usual = intervals.get(intervals.len() / 2).copied();
            let scrapes = known.map(|cursor| cursor.at);
            let within = samples.into_iter().flatten().map(|sample| sample.at);
            around.note_scrapes(scrapes.chain(within).collect(), usual.unwrap_or_default());
        }
    }
}

/// The cursor after the first of `samples`, what it adds, and the first value that it leaves out.
fn moved(
    cursor: Option<Cursor>,
    samples: &[Sample],
    verdict: Verdict,
    out: &mut Vec<Increase>,
) -> (Option<Cursor>, Option<IgnoredBirth>) {
    let Some(sample) = samples.first().copied() else {
        return (cursor, None);
    };
    match (cursor, verdict) {
        (own, Verdict::From(base, evidence)) => {
            let ignored = own.and_then(|mut own| own.conclude(0.0, out));
            let (next, increase) = Cursor::after(base, Some(evidence), sample);
            out.push(increase);
            let interval = own.map_or(next.interval, |own| own.interval);
            (Some(Cursor { interval, ..next }), ignored)
        }
        (Some(mut own), _) => {
            let ignored = own.advance(sample, out);
            (Some(own), ignored)
        }
        (None, verdict) => {
            let first = match verdict {
                Verdict::Unclear => Cursor::at_birth(sample),
                _ => Cursor::at_first(sample),
            };
            let interval = usual_distance(samples);
            let Sample { at, value } = sample;
            let ignored = (verdict == Verdict::Lifetime).then_some(IgnoredBirth {
                at,
                value,
                evidence: Evidence::OlderProcess,
            });
            (Some(Cursor { interval, ..first }), ignored)
        }
    }
}

/// A cursor at the first of `samples` that can be counted, taken as given.
fn given(samples: &[Sample]) -> Option<Cursor> {
    let first = samples.iter().position(|sample| is_new(None, sample))?;
    moved(None, samples.get(first..)?, Verdict::Given, &mut Vec::new()).0
}

fn note_fall(fell: &mut Falls, labels: &Labels, at: Timestamp) {
    if let Some(target) = Target::of(labels) {
        let last = fell.entry(target).or_insert(at);
        *last = (*last).max(at);
    }
}

/// Whether a sample is to be counted: newer than the cursor, and a count.
fn is_new(cursor: Option<&Cursor>, sample: &Sample) -> bool {
    sample.is_count() && cursor.is_none_or(|cursor| sample.at > cursor.at)
}

/// Whether a series begins with a new sample, or may return with it.
fn arrives(cursor: Option<&Cursor>, sample: &Sample) -> bool {
    cursor.is_none_or(|cursor| cursor.misses_scrapes(sample.at))
}

/// Whether a series begins, may return, or falls.
fn is_eventful(mut cursor: Option<Cursor>, samples: &[Sample]) -> bool {
    for sample in samples {
        if !is_new(cursor.as_ref(), sample) {
            continue;
        }
        match &mut cursor {
            Some(cursor) if !arrives(Some(cursor), sample) && sample.value >= cursor.value => {
                (cursor.at, cursor.value) = (sample.at, sample.value);
            }
            _ => return true,
        }
    }
    false
}
