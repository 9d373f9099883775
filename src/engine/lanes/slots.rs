//! The slots of a lane without cursors by the answers to a tick's queries: what each judge sees of them, and what it says.

use std::collections::BTreeMap;

use crate::domain::indicator::Split;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::engine::intake::Answer;
use crate::series::batch::{Series, within};
use crate::series::buckets::Buckets;
use crate::series::cursor::validity;
use crate::series::plan::{
    FamilyIndex, GaugeRead, Judge, Lane, Read, SliceLane, TermRead, Towards,
};
use crate::series::points;
use crate::series::seen::Sorted;
use crate::series::slices::events::Counters;
use crate::series::slices::groups::{Gauges, Groups};
use crate::series::slices::noted::Noted;
use crate::series::slices::{
    Judged, NOTHING, Slices, age, drop, events, level, probe, rate, share, value,
};

/// How long after a slice's end the samples may be on their way that are needed to judge it. Gauges
/// were valid for a while before, and what a query gives is given at once.
pub(in crate::engine) fn lane_grace(lane: &Lane, interval: &dyn Fn(FamilyIndex) -> Span) -> Span {
    match lane {
        Lane::Counters { .. } | Lane::Points { .. } => Span::ZERO,
        Lane::Slices(slices) => match &slices.judge {
            Judge::Rate { total, .. } | Judge::Drop { total, .. } => {
                validity(interval(total.family))
            }
            Judge::Events { .. } | Judge::Probe { .. } => {
                let families = slices.judge.families().into_iter();
                let valid = families.map(|family| validity(interval(family)));
                valid.max().unwrap_or_default()
            }
            Judge::Share { .. }
            | Judge::Level { .. }
            | Judge::Age { .. }
            | Judge::Value { .. }
            | Judge::Ratio { .. } => Span::ZERO,
        },
    }
}

/// The slots of a lane without cursors in a range: all that were judged, or those that are known.
pub(in crate::engine) fn lane_slots(
    lane: &Lane,
    range: TimeRange,
    slot: Span,
    interval: &dyn Fn(FamilyIndex) -> Span,
    complete: &BTreeMap<FamilyIndex, Answer>,
    noted: &mut Noted,
) -> Slices<Judged> {
    match lane {
        Lane::Counters { .. } => Vec::new(),
        Lane::Slices(lane) => judged(lane, range, interval, complete, noted).unwrap_or_default(),
        Lane::Points {
            total,
            part,
            window,
        } => {
            let batch = |family: FamilyIndex| complete.get(&family).map(|it| it.batch);
            let (Some(all), Some(counted)) = (batch(*total), batch(*part.counted())) else {
                return Vec::new();
            };
            let part = match part {
                Split::Bad(_) => Split::Bad(counted),
                Split::Good(_) => Split::Good(counted),
            };
            points::counts(all, &part, range, slot, *window)
        }
    }
}

/// The slices of a lane; `None` while a family that it needs has no answer.
fn judged(
    lane: &SliceLane,
    range: TimeRange,
    interval: &dyn Fn(FamilyIndex) -> Span,
    complete: &BTreeMap<FamilyIndex, Answer>,
    noted: &mut Noted,
) -> Option<Slices<Judged>> {
    let seen = Seen {
        lane,
        range,
        interval,
        complete,
    };
    match &lane.judge {
        Judge::Drop { total, past, kept } => {
            let past = past.iter().map(|read| seen.rates(*read));
            let past = past.collect::<Option<Vec<_>>>()?;
            let slices = drop::below_usual(&seen.rates(*total)?, &past, *kept, noted);
            Some(compared(slices))
        }
        Judge::Events { terms, allowance } => {
            let buckets = seen.buckets(terms);
            let kinds = terms.iter().map(|term| {
                let sorted = seen.sorted(term.read)?;
                let series = sorted.series(term.read.selector);
                Some(Counters {
                    series: series.filter_map(|it| known(it, term, &buckets)).collect(),
                    weight: term.weight,
                    usual: interval(term.read.family),
                    scraped: sorted.first_scrapes(),
                })
            });
            let kinds = kinds.collect::<Option<Vec<_>>>()?;
            let (allowance, slice) = (*allowance, lane.slice);
            let slices = events::over_allowance(&kinds, allowance, slice, range, noted);
            Some(each(slices, Judged::As))
        }
        Judge::Probe {
            probers,
            quorum,
            slot,
            allowance,
        } => {
            let usual = interval(probers.family);
            let probers: Vec<Series> = seen.series(*probers)?.collect();
            let slices = match allowance {
                None => probe::counts(&probers, *quorum, *slot, range, usual, noted),
                Some(allowance) => {
                    let (widths, allowance) = ((*slot, lane.slice), *allowance);
                    probe::over_allowance(&probers, *quorum, widths, allowance, range, usual, noted)
                }
            };
            Some(each(slices, Judged::As))
        }
        Judge::Ratio { family } => {
            let values = seen.values(*family)?;
            Some(value::ratios(values, lane.slice, range, noted))
        }
        Judge::Value {
            family,
            limit,
            bad_when,
        } => {
            let values = seen.values(*family)?;
            let judge = (*limit, *bad_when);
            Some(value::beyond(values, judge, lane.slice, range, noted))
        }
        Judge::Level {
            gauge,
            of_events: true,
            ..
        } => {
            let quantiles = Groups::of(seen.gauges(gauge)?, None);
            let slices = seen.sides(noted)?.into_iter();
            let judge = |(end, is_bad): (Timestamp, Option<bool>)| {
                let idle = || quantiles.has_none(end).then_some(Judged::As(NOTHING));
                (end, is_bad.map(Judged::beyond).or_else(idle))
            };
            Some(slices.map(judge).collect())
        }
        Judge::Rate { .. } | Judge::Share { .. } | Judge::Level { .. } | Judge::Age { .. } => {
            Some(each(seen.sides(noted)?, Judged::beyond))
        }
    }
}

/// The samples of a series of which it is known which events are good: of a histogram those beside which it has the
/// bucket of the threshold.
fn known<'b>(series: Series<'b>, term: &TermRead, buckets: &Buckets<u16>) -> Option<Series<'b>> {
    let threshold = term.threshold.filter(|_| term.towards == Towards::Total);
    let Some(threshold) = threshold else {
        return Some(series);
    };
    let samples = within(series.samples, buckets.there(series.labels, threshold));
    (!samples.is_empty()).then_some(Series { samples, ..series })
}

/// What a lane sees of the answers.
struct Seen<'a, 'b> {
    lane: &'a SliceLane,
    range: TimeRange,
    interval: &'a dyn Fn(FamilyIndex) -> Span,
    complete: &'a BTreeMap<FamilyIndex, Answer<'b>>,
}

impl<'a, 'b> Seen<'a, 'b> {
    fn sorted(&self, read: Read) -> Option<&'a Sorted<'b>> {
        self.complete.get(&read.family)?.sorted.as_ref()
    }

    fn series(&self, read: Read) -> Option<impl Iterator<Item = Series<'b>>> {
        Some(self.sorted(read)?.series(read.selector))
    }

    /// When histograms had the buckets of the thresholds.
    fn buckets(&self, terms: &[TermRead]) -> Buckets<u16> {
        let mut buckets = Buckets::default();
        let parts = terms.iter().filter(|term| term.towards == Towards::Part);
        for (threshold, term) in parts.filter_map(|term| Some((term.threshold?, term))) {
            for series in self.series(term.read).into_iter().flatten() {
                buckets.note(series.labels, threshold, series.samples);
            }
        }
        buckets
    }

    fn values(&self, family: FamilyIndex) -> Option<impl Iterator<Item = Series<'b>>> {
        Some(self.complete.get(&family)?.batch.series())
    }

    fn rates(&self, read: Read) -> Option<Slices<f64>> {
        let counters: Vec<Series> = self.series(read)?.collect();
        let usual = (self.interval)(read.family);
        Some(rate::rates(&counters, self.lane.slice, self.range, usual))
    }

    fn gauges(&self, gauge: &GaugeRead) -> Option<Gauges<impl Iterator<Item = Series<'b>>>> {
        Some(Gauges {
            series: self.series(gauge.read)?,
            aggregate: gauge.aggregate,
            usual: (self.interval)(gauge.read.family),
        })
    }

    /// On which side of a threshold each slice is; of judges without one, nothing.
    fn sides(&self, noted: &mut Noted) -> Option<Slices<bool>> {
        let (slice, range) = (self.lane.slice, self.range);
        Some(match &self.lane.judge {
            Judge::Rate { total, limit } => rate::beyond(&self.rates(*total)?, *limit, noted),
            Judge::Share {
                used,
                limit,
                by,
                at_most,
                bad_when,
            } => {
                let judge = (*at_most, *bad_when);
                let (used, limit) = (self.gauges(used)?, self.gauges(limit)?);
                share::over_limit(used, limit, by, judge, slice, range, noted)
            }
            Judge::Level {
                gauge,
                by,
                limit,
                within,
                bad_when,
                ..
            } => {
                let groups = Groups::of(self.gauges(gauge)?, by.as_deref());
                let judge = (*within, *bad_when);
                level::beyond(&groups, *limit, judge, slice, range, noted)
            }
            Judge::Age {
                gauge,
                by,
                unit,
                at_most,
                bad_when,
            } => {
                let groups = Groups::of(self.gauges(gauge)?, by.as_deref());
                age::older(&groups, *unit, (*at_most, *bad_when), slice, range, noted)
            }
            Judge::Drop { .. }
            | Judge::Events { .. }
            | Judge::Probe { .. }
            | Judge::Value { .. }
            | Judge::Ratio { .. } => {
                return None;
            }
        })
    }
}

/// Slices that were compared with earlier ones, as far as there are any.
fn compared(slices: Slices<Option<bool>>) -> Slices<Judged> {
    each(slices, |is_bad| {
        is_bad.map_or(Judged::Incomparable, Judged::beyond)
    })
}

/// What is known of each slice, said in another way.
fn each<T, S>(slices: Slices<T>, said: impl Fn(T) -> S) -> Slices<S> {
    let slices = slices.into_iter();
    slices.map(|(end, known)| (end, known.map(&said))).collect()
}
