//! One chunk of the past as the source sums it up: what to ask besides, and what comes of the answers.

use crate::domain::time::TimeRange;
use crate::engine::counters::SERIES_KEPT;
use crate::engine::pushed::{Arriving, LOOKED_BACK, MANY, Summing, before};
use crate::series::batch::{Batch, Fetch, Series};
use crate::series::past::{Family, LooseEnds, Sums};
use crate::series::pushed::{Raw, arrived, earlier, strung};
use crate::series::starts::Starts;

use super::dig::{Dig, Dug};

/// So many series one query for the targets of series that begin or return brings at most, about.
const SERIES_PER_QUERY: usize = 20_000;

impl Dig {
    /// What to ask because of these answers: one more answer is due for each, behind them. To be asked again with
    /// those, until it is nothing.
    pub fn follow_up(&mut self, batches: &[Batch]) -> Vec<(Fetch, TimeRange)> {
        let asked = if self.raw.is_empty() {
            self.raw = self.arriving(batches);
            &self.raw
        } else if self.earlier.is_empty() {
            let raw = batches.len().saturating_sub(self.raw.len());
            self.earlier = self.before(batches.get(raw..).unwrap_or_default());
            &self.earlier
        } else {
            return Vec::new();
        };
        let asked = asked.iter();
        asked
            .map(|(_, fetch, range)| (fetch.clone(), *range))
            .collect()
    }

    /// The raw samples of targets whose series begin or return.
    fn arriving(&self, mut batches: &[Batch]) -> Vec<(usize, Fetch, TimeRange)> {
        let mut raw = Vec::new();
        for (place, summing) in self.summed.iter().flatten().enumerate() {
            let (_, arrivals) = summing.answers(&mut batches);
            let planned = &self.plan.families[self.families[place].0];
            let Fetch::Samples(selector) = &planned.fetch else {
                continue;
            };
            let Some(arriving) = Arriving::of(selector, arrivals.iter(), SERIES_PER_QUERY) else {
                continue;
            };
            let back = if arriving.series > MANY {
                self.chunk.margin
            } else {
                self.chunk.margin.max(LOOKED_BACK)
            };
            let range = TimeRange {
                from: arriving.first - back,
                to: self.chunk.read().to,
            };
            let fetches = arriving.fetches.into_iter();
            raw.extend(fetches.map(|fetch| (place, fetch, range)));
        }
        raw
    }

    /// Where the series stood before that the raw samples show nothing of at first.
    fn before(&self, raw: &[Batch]) -> Vec<(usize, Fetch, TimeRange)> {
        let mut asked = Vec::new();
        for ((place, _, range), samples) in self.raw.iter().zip(raw) {
            let fetch = &self.plan.families[self.families[*place].0].fetch;
            let form = self
                .summed
                .as_ref()
                .and_then(|it| Some(it.get(*place)?.form));
            if let (Fetch::Samples(selector), Some(form)) = (fetch, form) {
                let begins = range.from + form.valid();
                let sums = earlier(selector, samples, begins, (form, SERIES_KEPT)).into_iter();
                asked.extend(sums.map(|it| (*place, Fetch::Sums(it), before(*range))));
            }
        }
        asked
    }

    /// Makes slots of sums.
    pub(super) fn count_summed(mut self, summing: &[Summing], mut batches: &[Batch]) -> Dug {
        let mut dug = self.nothing(batches);
        let answers: Vec<_> = summing.iter().map(|it| it.answers(&mut batches)).collect();
        let starts = self.starts.and_then(|_| batches.split_first());
        let (starts, raw) = match starts {
            Some((batch, rest)) => {
                let mut starts = Starts::default();
                starts.note(batch, self.chunk.read());
                (Some(starts), rest)
            }
            None => (None, batches),
        };
        let (raw, before) = raw.split_at(self.raw.len().min(raw.len()));
        let told = (0..).zip(&answers).map(|(place, (increases, _))| {
            let from = self.raw.iter().filter(|(of, ..)| *of == place);
            let read = Raw {
                samples: joined(place, &self.raw, raw),
                from: from
                    .map(|(.., range)| range.from)
                    .min()
                    .unwrap_or(self.chunk.counted.from),
                earlier: joined(place, &self.earlier, before),
            };
            (strung(*increases), read)
        });
        let told: Vec<(Batch, Raw)> = told.collect();
        let counted = self.chunk.counted;
        let indices = self.families.iter().map(|(index, _)| *index);
        let shown = indices.zip(&told).flat_map(|(index, (increases, raw))| {
            let is_counted = |it: &Series| it.samples.iter().any(|it| counted.contains(it.at));
            let arriving = raw.samples.series().filter(is_counted);
            let series = increases.series().chain(arriving);
            series.map(move |series| (index, series.labels))
        });
        dug.found = self.find_groups(shown);
        dug.numbered = self.number(&dug.found);
        let mut sums = Sums::new(&self.lanes, counted, self.slot);
        for (place, (index, walked)) in self.families.iter().enumerate() {
            let family = Family {
                index: *index,
                roll: self.plan.roll(*index),
                interval: walked.interval,
                kept: SERIES_KEPT,
                starts: starts.as_ref(),
            };
            let ((increases, raw), form) = (&told[place], summing[place].form);
            let arrived = arrived(family.roll, raw, counted, form, starts.as_ref());
            let counted = family.count_sums(&self.chunk, increases, arrived, form, &mut sums);
            dug.ignored.extend(counted.ignored);
            dug.samples += u64::try_from(raw.samples.samples().len()).unwrap_or(u64::MAX);
            dug.ends.push((*index, Vec::new()));
            dug.loose.push(LooseEnds::new());
        }
        dug.gained = sums.into_gained().collect();
        dug
    }
}

/// The answers to what was asked of the family at `place`.
fn joined(place: usize, asked: &[(usize, Fetch, TimeRange)], answers: &[Batch]) -> Batch {
    let own = asked.iter().zip(answers);
    let own = own.filter(|((of, ..), _)| *of == place);
    Batch::joined(own.map(|(_, batch)| batch))
}
