//! Slices: each is looked at by itself, with the samples that lie in it or are still valid at its end.

use std::collections::{BTreeMap, BTreeSet};

use super::events::Increase;
use super::{VALID, World};
use crate::forms::log::{MINUTE, SCRAPE, Series};
use crate::forms::source::number;
use crate::forms::words::{Bound, Fold, Judge, Pick, Picks, Truth, When, Within};

/// What is known of a slice.
pub(super) enum Slice {
    /// How bad it is, from 0 to 1.
    Judged(f64),
    /// It was measured, and there is nothing to judge it by.
    Nothing,
    /// Too little was measured.
    Empty,
}

impl<'a> World<'a> {
    pub(super) fn judged(&self, judge: &Judge, from: i64, to: i64) -> Slice {
        let threshold = |values: Vec<f64>, bound: Bound, when: When| {
            let beyond = values.into_iter().map(|value| match bound {
                Bound::AtMost(most) => value > most,
                Bound::AtLeast(least) => value < least,
            });
            decided(beyond, when).map_or(Slice::Empty, Slice::Judged)
        };
        match judge {
            Judge::Share { of, allowed } => self.share(of, *allowed, from, to),
            Judge::Rate { total, bound } => {
                let rate = self.rate(total, from, to);
                threshold(rate.into_iter().collect(), *bound, When::Any)
            }
            Judge::Drop { total, left, ago } => {
                let Some(rate) = self.rate(total, from, to) else {
                    return Slice::Empty;
                };
                let before = ago
                    .iter()
                    .filter_map(|ago| self.rate(total, from - ago, to - ago));
                let mut before: Vec<f64> = before.collect();
                before.sort_by(f64::total_cmp);
                let Some(upper) = before.get(before.len() / 2) else {
                    return Slice::Nothing;
                };
                let usual = f64::midpoint(*upper, before[(before.len() - 1) / 2]);
                Slice::Judged(f64::from(u8::from(rate * 1_000.0 < usual * left)))
            }
            Judge::Used {
                used,
                limit,
                by,
                allowed,
                when,
            } => {
                let limits = self.values(limit, by, to);
                let both = self.values(used, by, to).into_iter();
                let both = both.filter_map(|(group, used)| Some((used, *limits.get(&group)?)));
                let shares = both.map(|(used, limit)| used * 1_000.0 - limit * allowed);
                threshold(shares.collect(), Bound::AtMost(0.0), *when)
            }
            Judge::Level {
                gauge,
                by,
                within,
                bound,
                when,
            } => {
                let values = match by {
                    None => self
                        .picked(gauge)
                        .into_iter()
                        .filter_map(|(series, _)| value(series, *within, from, to))
                        .collect(),
                    Some((by, fold)) => {
                        let groups = self.grouped(gauge, by);
                        let of = |series: &Vec<&Series>| {
                            let values =
                                series.iter().filter_map(|it| value(it, *within, from, to));
                            folded(values, *fold)
                        };
                        groups.values().filter_map(of).collect()
                    }
                };
                threshold(values, *bound, *when)
            }
            Judge::Age { gauge, by, most } => {
                let series = self
                    .picked(gauge)
                    .into_iter()
                    .map(|(series, _)| vec![series]);
                let groups: Vec<Vec<&Series>> = match by {
                    Some(by) => self.grouped(gauge, by).into_values().collect(),
                    None => series.collect(),
                };
                let newest = groups
                    .iter()
                    .filter_map(|group| group.iter().filter_map(|it| it.last(to, VALID)).max());
                let ages = newest.map(|done| number(to / 1_000 - done));
                threshold(ages.collect(), Bound::AtMost(number(*most)), When::Any)
            }
            Judge::Ratio { values, divided_by } => {
                let values = self
                    .picked(values)
                    .into_iter()
                    .filter_map(|(series, _)| value(series, Within::Instant, from, to));
                let values: Vec<f64> = values
                    .map(|value| value / divided_by)
                    .filter(|it| (0.0..=1.0).contains(it))
                    .collect();
                if values.is_empty() {
                    return Slice::Empty;
                }
                let count: f64 = values.iter().map(|_| 1.0).sum();
                Slice::Judged(values.iter().sum::<f64>() / count)
            }
        }
    }

    /// A slice by the events that lie in it.
    fn share(&self, of: &Truth, allowed: f64, from: i64, to: i64) -> Slice {
        let (bad, total) = match of {
            Truth::Events { total, part } => {
                let (mut sum, mut covered) = ((0.0, 0.0), BTreeSet::new());
                for (series, bad, all) in self.weighed(total, part) {
                    for increase in self.shown(series, from, to) {
                        let events = number(increase.events);
                        sum = (sum.0 + bad * events, sum.1 + all * events);
                        if all > 0.0 && increase.since < increase.at {
                            covered.insert((increase.since, increase.at));
                        }
                    }
                }
                if length(&covered) * 2 < to - from {
                    return Slice::Empty;
                }
                sum
            }
            Truth::Probes { probers, quorum } => {
                let slots = match quorum {
                    None => self.samples(probers, from, to),
                    Some(when) => self.votes(probers, *when, from, to),
                };
                let sum = slots.sum(from, to);
                if sum.1 == 0.0 {
                    return Slice::Empty;
                }
                sum
            }
            Truth::Queried { .. } | Truth::Slices { .. } => panic!("no events"),
        };
        if total <= 0.0 {
            return Slice::Nothing;
        }
        Slice::Judged(f64::from(u8::from(bad * 1_000.0 > total * allowed + 1e-6)))
    }

    /// What a counter shows within a slice: not over gaps; a first value where its target was scraped before without it.
    fn shown(&self, series: &Series, from: i64, to: i64) -> Vec<Increase> {
        let first = series.samples.partition_point(|(at, _)| *at <= from);
        let mut shown = Vec::new();
        for index in first..series.samples.partition_point(|(at, _)| *at <= to) {
            let (at, value) = series.samples[index];
            let before = index.checked_sub(1).map(|before| series.samples[before]);
            if let Some((since, base)) = before.filter(|(last, _)| at - last <= VALID) {
                let events = if value < base { value } else { value - base };
                shown.push(Increase {
                    since,
                    at,
                    events,
                    is_gap: false,
                });
                continue;
            }
            let scrapes = self.scrapes(series).expect("a target");
            if scrapes.last(at - 1, VALID).is_some() {
                shown.push(Increase {
                    since: at,
                    at,
                    events: value,
                    is_gap: false,
                });
            }
        }
        shown
    }

    /// Events per second, by the time that is covered.
    fn rate(&self, total: &[Pick], from: i64, to: i64) -> Option<f64> {
        let (mut own, mut all) = (Vec::new(), BTreeSet::new());
        for (series, _) in self.picked(total) {
            let shown = self
                .shown(series, from, to)
                .into_iter()
                .filter(|it| it.since < it.at);
            let (mut events, mut covered) = (0, 0);
            for increase in shown {
                (events, covered) = (
                    events + increase.events,
                    covered + increase.at - increase.since,
                );
                all.insert((increase.since, increase.at));
            }
            own.push((events, covered));
        }
        let known = length(&all);
        if known * 2 < to - from {
            return None;
        }
        let of = |(events, covered): (i64, i64)| {
            // Who was not there all of the time counts for a part of it.
            let over = if covered + SCRAPE >= known {
                covered
            } else {
                known
            };
            number(events) * 1_000.0 / number(over)
        };
        Some(
            own.into_iter()
                .filter(|(_, covered)| *covered > 0)
                .map(of)
                .sum(),
        )
    }

    fn grouped(&self, picks: &[Pick], by: &[&str]) -> BTreeMap<Vec<String>, Vec<&'a Series>> {
        let mut groups: BTreeMap<Vec<String>, Vec<&Series>> = BTreeMap::new();
        for (series, _) in self.picked(picks) {
            let key = by.iter().map(|label| series.labels.get(label).to_owned());
            groups.entry(key.collect()).or_default().push(series);
        }
        groups
    }

    /// The last valid values of groups.
    fn values(
        &self,
        (picks, fold): &(Picks, Fold),
        by: &[&str],
        end: i64,
    ) -> BTreeMap<Vec<String>, f64> {
        let groups = self.grouped(picks, by).into_iter();
        let of = |series: &[&Series]| {
            folded(
                series
                    .iter()
                    .filter_map(|it| it.last(end, VALID))
                    .map(number),
                *fold,
            )
        };
        groups
            .filter_map(|(key, series)| Some((key, of(&series)?)))
            .collect()
    }
}

/// The value of a gauge for a slice.
fn value(series: &Series, within: Within, from: i64, to: i64) -> Option<f64> {
    let own: Vec<f64> = series
        .within(from, to)
        .iter()
        .map(|(_, value)| number(*value))
        .collect();
    let last = || series.last(to, VALID).map(number);
    match within {
        Within::Last => last(),
        Within::Instant => series.last(to, 5 * MINUTE).map(number),
        Within::Max => folded(own.into_iter(), Fold::Max).or_else(last),
        Within::Min => folded(own.into_iter(), Fold::Min).or_else(last),
        Within::Avg if own.is_empty() => last(),
        Within::Avg => {
            let count: f64 = own.iter().map(|_| 1.0).sum();
            Some(own.iter().sum::<f64>() / count)
        }
    }
}

fn folded(values: impl Iterator<Item = f64>, fold: Fold) -> Option<f64> {
    values.reduce(|one, other| match fold {
        Fold::Sum => one + other,
        Fold::Max => one.max(other),
        Fold::Min => one.min(other),
    })
}

/// Whether something is bad, by those of whom something is known.
pub(super) fn decided(votes: impl Iterator<Item = bool>, when: When) -> Option<f64> {
    let votes: Vec<bool> = votes.collect();
    let bad = votes.iter().filter(|is_bad| **is_bad).count();
    let is_bad = match when {
        When::Any => bad >= 1,
        When::Count(count) => bad >= count,
        When::Share(percent) => bad > 0 && bad * 100 >= percent * votes.len(),
    };
    (!votes.is_empty()).then_some(f64::from(u8::from(is_bad)))
}

/// How much time ranges cover together.
fn length(ranges: &BTreeSet<(i64, i64)>) -> i64 {
    let (mut length, mut reached) = (0, i64::MIN);
    for (from, to) in ranges {
        length += (to - from.max(&reached)).max(0);
        reached = reached.max(*to);
    }
    length
}
