//! The past of a family as its source sums it up.

use crate::domain::time::{Span, TimeRange};
use crate::series::batch::{Batch, Fetch};
use crate::series::plan::Family;
use crate::series::pushed::Form;

use super::Pushed;

/// How the past of a family is summed up.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Summing {
    pub(in crate::engine) form: Form,
    increases: Fetch,
    arrivals: Fetch,
    pieces: Vec<TimeRange>,
}

impl Summing {
    /// Over `range`, for a family with about so many series.
    pub(in crate::engine) fn of(
        planned: &Family,
        slot: Span,
        interval: Span,
        series: u64,
        range: TimeRange,
    ) -> Self {
        let pushed = Pushed::new(planned, slot, interval, series);
        let pieces = pushed.pieces(range);
        Self {
            form: pushed.form,
            increases: pushed.increases,
            arrivals: pushed.arrivals,
            pieces,
        }
    }

    /// What is asked: the increases of all pieces, then the arrivals of all.
    pub(in crate::engine) fn reads(&self) -> impl Iterator<Item = (&Fetch, TimeRange)> {
        let asked = [&self.increases, &self.arrivals].into_iter();
        asked.flat_map(|fetch| self.pieces.iter().map(move |range| (fetch, *range)))
    }

    /// The answers to what was asked, taken off the front of `batches`.
    pub(in crate::engine) fn answers<'b>(
        &self,
        batches: &mut &'b [Batch],
    ) -> (&'b [Batch], &'b [Batch]) {
        let pieces = self.pieces.len();
        let (increases, rest) = batches.split_at(pieces.min(batches.len()));
        let (arrivals, rest) = rest.split_at(pieces.min(rest.len()));
        *batches = rest;
        (increases, arrivals)
    }
}
