//! Events: what counters grew by at each sample, and what probes say.

use std::collections::BTreeMap;

use sloburn::domain::labels::METRIC_NAME;

use super::slices::decided;
use super::{Counts, SLOT, VALID, World};
use crate::forms::log::{MINUTE, Series};
use crate::forms::source::number;
use crate::forms::words::{Part, Pick, When};

/// What a sample of a counter adds to the one before it.
pub(super) struct Increase {
    pub(super) since: i64,
    pub(super) at: i64,
    pub(super) events: i64,
    pub(super) is_gap: bool,
}

impl<'a> World<'a> {
    /// The times at which a series' target was scraped, each with when the process began that answered.
    pub(super) fn scrapes(&self, series: &Series) -> Option<&'a Series> {
        let of = |it: &Series| {
            (
                it.labels.get("job").to_owned(),
                it.labels.get("instance").to_owned(),
            )
        };
        let mut starts = self.log.series("process_start_time_seconds");
        starts.find(|it| of(it) == of(series))
    }

    /// How much a counter grew at each sample. A new process began at zero; and so did a series that was not there
    /// when its target was scraped before. What was there when all began had counted already.
    pub(super) fn increases(&self, series: &Series) -> Vec<Increase> {
        let scrapes = self.scrapes(series).expect("a target");
        let (mut increases, mut before) = (Vec::new(), None);
        for (at, value) in &series.samples {
            let scraped = scrapes.before(*at).map(|(scrape, _)| scrape);
            let began = scrapes.last(*at, 0).expect("a process") * 1_000;
            let is_young = at - began < 5 * MINUTE;
            let found = match (before.replace((*at, *value)), scraped) {
                (_, None) if is_young => Some((began, 0)),
                (_, Some(scrape)) if is_young && began > scrape => Some(if at - scrape > VALID {
                    (began, 0)
                } else {
                    (scrape, 0)
                }),
                (Some((last, base)), Some(scrape)) if last == scrape => Some((last, base)),
                (_, Some(scrape)) => Some((scrape, 0)),
                (_, None) => None,
            };
            increases.extend(found.map(|(since, base)| Increase {
                since,
                at: *at,
                events: value - base,
                is_gap: at - since > VALID,
            }));
        }
        increases
    }

    pub(super) fn events(&self, total: &[Pick], part: &Part) -> Counts {
        let mut counts = Counts::default();
        // Where nobody was scraped for a while: bad events and all, by metric and the two ends of that time.
        let mut gaps: BTreeMap<(&str, i64, i64), (f64, f64)> = BTreeMap::new();
        for (series, bad, all) in self.weighed(total, part) {
            let metric = series.labels.get(METRIC_NAME);
            for increase in self.increases(series) {
                let events = number(increase.events);
                if increase.is_gap {
                    let key = (metric, increase.since, increase.at);
                    let gap = gaps.entry(key).or_default();
                    *gap = (gap.0 + bad * events, gap.1 + all * events);
                } else {
                    counts.add(increase.at, bad * events, all * events);
                }
            }
        }
        for ((_, since, at), (bad, total)) in gaps {
            let first = since + 1 + (-(since + 1)).rem_euclid(SLOT);
            let slots = (at + (-at).rem_euclid(SLOT) - first) / SLOT + 1;
            for index in 0..slots {
                // Whole events, if they are whole: bad and good ones each for themselves.
                let up_to = |events: f64, index: i64| {
                    let share = events * number(index) / number(slots);
                    if events.fract() == 0.0 {
                        share.floor()
                    } else {
                        share
                    }
                };
                let share = |events: f64| up_to(events, index + 1) - up_to(events, index);
                // A metric that only tells which are bad (or good) has no others.
                let all = if total == 0.0 {
                    0.0
                } else {
                    share(bad) + share(total - bad)
                };
                counts.add(first + index * SLOT, share(bad), all);
            }
        }
        counts
    }

    /// Each series with what one event of it adds to the bad ones and to all.
    pub(super) fn weighed(&self, total: &[Pick], part: &Part) -> Vec<(&'a Series, f64, f64)> {
        let mut all: Vec<_> = self
            .picked(total)
            .into_iter()
            .map(|(series, weight)| (series, weight, 0.0))
            .collect();
        for (_, bad, total) in &mut all {
            *total = *bad;
            *bad = if matches!(part, Part::Good(_)) {
                *bad
            } else {
                0.0
            };
        }
        let (sign, picks) = match part {
            Part::Bad(picks) => (1.0, picks),
            Part::Good(picks) => (-1.0, picks),
        };
        all.extend(
            self.picked(picks)
                .into_iter()
                .map(|(series, weight)| (series, sign * weight, 0.0)),
        );
        all
    }

    pub(super) fn samples(&self, probers: &[Pick], from: i64, to: i64) -> Counts {
        let mut counts = Counts::default();
        for (series, _) in self.picked(probers) {
            for (at, value) in series.within(from, to) {
                counts.add(*at, f64::from(u8::from(*value < 1)), 1.0);
            }
        }
        counts
    }

    pub(super) fn votes(&self, probers: &[Pick], when: When, from: i64, to: i64) -> Counts {
        let mut counts = Counts::default();
        let probers = self.picked(probers);
        let mut end = from + SLOT;
        while end <= to {
            let votes = probers
                .iter()
                .filter_map(|(series, _)| series.last(end, VALID));
            if let Some(bad) = decided(votes.map(|value| value < 1), when) {
                counts.add(end, bad, 1.0);
            }
            end += SLOT;
        }
        counts
    }

    pub(super) fn queried(
        &self,
        total: &[Pick],
        part: &Part,
        window: i64,
        from: i64,
        to: i64,
    ) -> Counts {
        let mut counts = Counts::default();
        let share = number(SLOT) / number(window);
        for (series, bad, all) in self.weighed(total, part) {
            let mut before = None;
            for (at, value) in &series.samples {
                let events = match before.replace(*value) {
                    None => continue,
                    Some(before) if *value < before => *value,
                    Some(before) => value - before,
                };
                // Every evaluation sees it that looks back over it.
                let mut end = at + (-at).rem_euclid(SLOT);
                while end - window < *at {
                    if (from..=to).contains(&end) {
                        counts.add(
                            end,
                            share * bad * number(events),
                            share * all * number(events),
                        );
                    }
                    end += SLOT;
                }
            }
        }
        counts
    }
}
