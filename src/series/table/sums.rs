//! Taking in sums: what the source worked out is added up, as if each row were a series.

use super::super::batch::{Batch, Sample, SeriesId};
use super::super::cursor::{Cursor, Increase};
use super::super::pushed::{Arrived, Form};
use super::super::roll::Roll;
use super::{Counted, Gain, SeriesTable};
use crate::domain::time::TimeRange;

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
                if sample.value.is_finite() && sample.value >= 0.0 {
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
                // It shows that the row lives, and is kept nowhere.
                let cursor = Cursor {
                    interval: form.interval,
                    ..Cursor::at_first(Sample { at, value: 0.0 })
                };
                let newer = |old: &Option<Cursor>| old.is_none_or(|old| old.at < at);
                for cursors in [&mut self.settled, &mut self.head] {
                    if newer(&cursors[row]) {
                        cursors[row] = Some(cursor);
                    }
                }
            }
        }
        for (labels, increase) in arrived.increases {
            let row = labels.only(&roll.family().told_by);
            let row = self.row(roll, SeriesId::of(&row), (&row).into());
            self.gain(row, increase, &mut counted);
        }
        counted
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
