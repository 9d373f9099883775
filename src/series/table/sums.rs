//! Taking in sums: what the source worked out is added up, as if each row were a series. The rows show which series and
//! groups live, and are kept nowhere.

use super::super::batch::{Batch, Sample, SeriesId};
use super::super::cursor::{Cursor, Increase};
use super::super::pushed::{Arrived, Form};
use super::super::roll::Roll;
use super::{Counted, Gain, SeriesTable};
use crate::domain::labels::Labels;
use crate::domain::time::{Span, TimeRange, Timestamp};

impl SeriesTable {
    /// Adds what counters grew by in the steps that end in `range`, and what the series are worth that
    /// begin or return in it.
    pub fn add_up(
        &mut self,
        roll: Roll,
        increases: &Batch,
        range: TimeRange,
        form: Form,
        arrived: Arrived,
    ) -> Counted {
        let mut counted = Counted {
            ignored: arrived.ignored,
            ..Counted::default()
        };
        for series in increases.series() {
            let is_within = |sample: &&Sample| range.contains(sample.at);
            let mut newest = None;
            let row = self.row(roll, series.id, series.labels);
            for sample in series.samples.iter().filter(is_within) {
                newest = Some(sample.at);
                if sample.is_count() {
                    let increase = Increase {
                        from: sample.at - form.interval,
                        to: sample.at,
                        events: sample.value,
                        gap: false,
                        reset: false,
                        evidence: None,
                    };
                    self.gain(row, increase, &mut counted);
                }
            }
            if let Some(at) = newest {
                self.lives(row, at, form.interval);
            }
        }
        for (labels, increase) in arrived.increases {
            let row = self.row_of(roll, &labels);
            self.gain(row, increase, &mut counted);
            self.lives(row, increase.to, form.interval);
        }
        counted
    }

    /// The rows that sums have of the series that are known here.
    #[must_use]
    pub fn summed_up(&self, roll: Roll, form: Form) -> Self {
        let mut rows = Self::default();
        for (number, labels) in self.all_labels().enumerate() {
            if let Some(last) = self.head[number].or(self.settled[number]) {
                let row = rows.row_of(roll, labels);
                rows.lives(row, last.at, form.interval);
            }
        }
        rows
    }

    /// Takes note of rows that stood already `at` a time from which on sums are added up.
    pub fn stand(&mut self, roll: Roll, rows: &Batch, at: Timestamp, form: Form) {
        for series in rows.series() {
            let row = self.row(roll, series.id, series.labels);
            self.lives(row, at, form.interval);
        }
    }

    /// The row of the sums that hold a series.
    fn row_of(&mut self, roll: Roll, labels: &Labels) -> usize {
        let row = labels.only(&roll.family().told_by);
        self.row(roll, SeriesId::of(&row), (&row).into())
    }

    fn lives(&mut self, row: usize, at: Timestamp, interval: Span) {
        let cursor = Cursor {
            interval,
            ..Cursor::at_first(Sample { at, value: 0.0 })
        };
        let newer = |old: &Option<Cursor>| old.is_none_or(|old| old.at < at);
        for cursors in [&mut self.settled, &mut self.head] {
            if newer(&cursors[row]) {
                cursors[row] = Some(cursor);
            }
        }
    }

    fn gain(&self, row: usize, increase: Increase, counted: &mut Counted) {
        let edges = self.seen.edges_of(row).iter().copied();
        counted.gains.extend(edges.map(|edge| Gain {
            row,
            edge,
            increase,
        }));
    }
}
