//! When a family is left to its source to sum up, divided, or fetched again.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::time::Span;
use crate::engine::state::{State, family_key};
use crate::series::batch::{Batch, Series};
use crate::series::fetches::{CENSUS_LABEL, Census};
use crate::series::plan::FamilyIndex;
use crate::series::pushed::CENSUS;
use crate::series::seen::Sorter;
use crate::series::table::SeriesTable;
use crate::store::commit::Commit;

use super::{Pushed, Summed, count};

/// So often in a row a family must be found too large, or small again.
const PATIENCE: u32 = 2;

impl State {
    /// Divides the queries that were refused as too much, or leaves the family to the source to sum up.
    pub(in crate::engine) fn divide(
        &mut self,
        family: FamilyIndex,
        refused: &BTreeSet<usize>,
        counted: &BTreeMap<usize, &Batch>,
        pace: Option<&Batch>,
        are_sums: bool,
        commit: &mut Commit,
    ) {
        if let Some(pushed) = &mut self.families[family].pushed {
            if !are_sums {
                pushed.is_blind = true;
            } else if pushed.shorten() {
                let planned = &self.plan.families[family];
                tracing::info!(source = %planned.source, family = planned.name(),
                    "a query for `{}` was too much; it is asked for less time at once", planned.name());
            }
            return;
        }
        let planned = &self.plan.families[family];
        let settings = self.settings.sources.get(&planned.source);
        let most = settings.map_or(usize::MAX, |source| source.series_per_query);
        let above = settings.map_or(usize::MAX, |source| source.push_down_above);
        let census: BTreeMap<usize, Census> = refused
            .iter()
            .map(|part| {
                let rows = counted.get(part).into_iter().flat_map(|it| it.series());
                let row = |series: Series| {
                    let value = series.labels.get(CENSUS_LABEL).to_owned();
                    (value, count(series.samples))
                };
                (*part, rows.map(row).collect())
            })
            .collect();
        let series: usize = census.values().flatten().map(|(_, series)| series).sum();
        let may_push_down = self.may_push_down(family);
        let state = &mut self.families[family];
        state.census.clear();
        state.pace = None;
        if let Some(interval) = pace.and_then(interval) {
            state.interval = interval;
        }
        let divided = state.fetches.divided(&census, most);
        let is_over = series > above && may_push_down;
        match divided {
            Some(fetches) if !is_over => {
                let (before, now) = (state.fetches.queries().len(), fetches.queries().len());
                tracing::info!(source = %planned.source, family = planned.name(),
                    "the answer for `{}` was too large; asks in {now} queries instead of {before} from the next tick on", planned.name());
                state.fetches = fetches;
            }
            _ => self.push_down(family, series, commit),
        }
    }

    /// From now on the source sums a family up, where it may.
    pub(in crate::engine) fn push_down(
        &mut self,
        family: FamilyIndex,
        series: usize,
        commit: &mut Commit,
    ) {
        let planned = &self.plan.families[family];
        let may = self.may_push_down(family);
        let state = &mut self.families[family];
        if !may {
            return;
        }
        tracing::info!(source = %planned.source, family = planned.name(), series,
            "`{}` is too large to be fetched; from the next tick on its source sums it up", planned.name());
        let table = std::mem::take(&mut state.table);
        let series = u64::try_from(series).unwrap_or(u64::MAX);
        let pushed = Pushed::new(planned, self.settings.slot, state.interval, series);
        state.table = table.summed_up(self.plan.roll(family), pushed.form);
        state.pushed = Some(Box::new(pushed));
        state.sorter = Sorter::default();
        state.too_large = 0;
        state.fetches = planned.fetches.clone();
        if state.settled_to.is_some() {
            let mut record = state.record(planned, &[]);
            record.dropped = table.all_labels().cloned().collect();
            let kept = commit.families.entry(family_key(planned)).or_default();
            kept.merge(record);
        }
    }

    fn may_push_down(&self, family: FamilyIndex) -> bool {
        let planned = &self.plan.families[family];
        self.settings.may_sum_up(&planned.source)
            && planned.may_be_summed()
            && self.families[family].pushed.is_none()
    }

    /// Notes how large a family is that was fetched.
    pub(in crate::engine) fn note_size(
        &mut self,
        family: FamilyIndex,
        series: usize,
        commit: &mut Commit,
    ) {
        let planned = &self.plan.families[family];
        let settings = self.settings.sources.get(&planned.source);
        let above = settings.map_or(usize::MAX, |source| source.push_down_above);
        let state = &mut self.families[family];
        state.too_large = if series > above {
            state.too_large + 1
        } else {
            0
        };
        if state.too_large >= PATIENCE {
            self.push_down(family, series, commit);
        }
    }

    /// Notes what was summed up of a family, and goes back to fetching it once it is far below the limit.
    pub(in crate::engine) fn note_summed(
        &mut self,
        family: FamilyIndex,
        increases: &Batch,
        summed: &Summed,
    ) {
        let planned = &self.plan.families[family];
        let settings = self.settings.sources.get(&planned.source);
        let above = settings.map_or(usize::MAX, |source| source.push_down_above);
        let state = &mut self.families[family];
        let Some(pushed) = &mut state.pushed else {
            return;
        };
        let newest = increases.samples().iter().map(|sample| sample.at).max();
        pushed.newest = pushed.newest.max(newest);
        pushed.raw.clear();
        pushed.earlier.clear();
        let Some(living) = &summed.living else { return };
        let series: usize = living.series().map(|row| count(row.samples)).sum();
        pushed.series = u64::try_from(series).unwrap_or(u64::MAX);
        // Half of what turns to sums is what turns back, or a family at the limit would change with every pod.
        pushed.small = if series <= above / 2 {
            pushed.small + 1
        } else {
            0
        };
        if let Some(interval) = pushed.note_pace(summed.pace) {
            tracing::info!(source = %planned.source, family = planned.name(), %interval,
                "`{}` has a sample every {interval} now; it is summed up at that pace from the next tick on", planned.name());
            let anew = Pushed::new(planned, self.settings.slot, interval, pushed.series);
            **pushed = Pushed {
                newest: pushed.newest,
                small: pushed.small,
                ..anew
            };
            (state.interval, state.head_to) = (interval, None);
        }
        if pushed.small >= PATIENCE {
            tracing::info!(source = %planned.source, family = planned.name(), series,
                "`{}` is small enough again; its samples are fetched from the next tick on", planned.name());
            state.pushed = None;
            state.table = SeriesTable::default();
            (state.unprimed, state.head_to) = (true, None);
        }
    }
}

/// The usual distance of samples by how many there are.
pub(in crate::engine) fn interval(pace: &Batch) -> Option<Span> {
    let samples = pace.samples().last()?.value;
    let millis = CENSUS.as_secs_f64() * 1_000.0 / samples;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is below the census' time"
    )]
    (samples >= 1.0).then(|| Span::from_millis((millis.round() as i64).max(1_000)))
}
