//! What a family knows of its series when others are selected of it: those that were selected before
//! go on, and all others are looked at for the first time.

use crate::domain::labels::Labels;
use crate::domain::time::{Span, Timestamp};
use crate::engine::state::FamilyState;
use crate::series::batch::Batch;
use crate::series::plan::Family;
use crate::series::selection::Selection;

impl FamilyState {
    /// By what its series were selected as far as they are settled, while `family` selects them.
    pub(in crate::engine) fn selected_by(&self, family: &Family) -> String {
        match &self.selected {
            Some(selected) => selected.text().to_owned(),
            None => Selection::text_of(family),
        }
    }

    /// Lets `family` select its series, which were selected by what is `kept` until now.
    pub(in crate::engine) fn select(&mut self, kept: &str, family: &Family) {
        let is_other = kept != Selection::text_of(family);
        self.selected = is_other.then(|| Selection::read(kept));
    }

    /// Up to when that is given what series begin with that nobody looked at before: to the end of the
    /// block behind `settled_to`, or of the first one in which anything is seen.
    pub(in crate::engine) fn given_to(
        &self,
        settled_to: Timestamp,
        grid: Span,
        read: &Batch,
    ) -> Timestamp {
        let mut first = None;
        if self.selected.is_some() && self.table.is_untouched() {
            let times = read.samples().iter().map(|sample| sample.at);
            first = times.filter(|at| *at > settled_to).min();
        }
        first.map_or(settled_to + grid, |first| first.ceil_to(grid))
    }

    /// Takes note that all that `family` selects was read up to the present. As long as nothing is
    /// settled of that, what was selected before can be counted on as well, should it come back.
    pub(in crate::engine) fn note_read(&mut self, family: &Family, has_settled: bool) {
        let before = self.selected.take().filter(|_| !has_settled);
        if let Some(before) = before {
            let both = before.and(&Selection::text_of(family));
            self.select(both.text(), family);
        }
    }

    /// Forgets where series stood that nobody selected for a while, and says which. What they did
    /// meanwhile is known from the past.
    pub(in crate::engine) fn forget_unselected(&mut self) -> Vec<Labels> {
        match &self.selected {
            // The rows of sums are no series.
            Some(selected) if self.pushed.is_none() => self.table.forget_unselected(selected),
            _ => Vec::new(),
        }
    }
}
