//! How much later than `offset` allows the samples of a source come, as ticks find out one after another, and how much
//! longer ticks wait because of it.

use std::collections::BTreeMap;

use crate::domain::slo::SourceName;
use crate::domain::time::{Span, Timestamp};
use crate::series::batch::Fetch;
use crate::series::plan::{FamilyIndex, Lane, MeterIndex};

use super::intake::Read;
use super::settings::Settings;
use super::state::State;

/// So many new samples in a row must come late before they are waited for.
const OBSERVED: usize = 3;

/// After so many ticks that lack nothing it is tried how it goes with a shorter wait; after twice as many when it went
/// badly, up to the last.
const CALM: (u32, u32) = (10, 640);

/// Alerts are not held up for longer than this, however long samples may be late.
const MOST: Span = Span::from_mins(5);

/// What is less is not waited for.
const LEAST: Span = Span::from_secs(1);

/// The newest of samples that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Newest<'s> {
    pub(super) source: &'s SourceName,
    /// The counters that make up a total, or all that was read of a family.
    pub(super) of: (FamilyIndex, Option<MeterIndex>),
    pub(super) at: Timestamp,
    /// Their usual distance; zero when unknown.
    pub(super) interval: Span,
}

/// The lags of all sources.
#[derive(Debug, Default)]
pub(super) struct Lags(BTreeMap<SourceName, Lag>);

#[derive(Debug)]
struct Lag {
    /// Ticks wait so much longer than the offset.
    waited: Span,
    seen: BTreeMap<(FamilyIndex, Option<MeterIndex>), Seen>,
    /// So many ticks in a row lacked nothing.
    calm: u32,
    /// So many are to lack nothing before less is tried.
    patience: u32,
    /// Less is being tried.
    tries: bool,
}

/// The newest sample, and what newest samples lacked to be as new as could be, the last few times that there was a
/// newer one.
#[derive(Debug)]
struct Seen {
    newest: Timestamp,
    lacked: Vec<Span>,
}

impl Lags {
    /// How much longer than its offset ticks wait for a source.
    pub(super) fn of(&self, source: &SourceName) -> Span {
        self.0.get(source).map_or(Span::ZERO, |lag| lag.waited)
    }

    /// Forgets whose samples were how new, since other definitions number them differently.
    pub(super) fn forget(&mut self) {
        for lag in self.0.values_mut() {
            lag.seen.clear();
        }
    }

    /// Takes in what the tick `at` found. Nothing is learned of what has no newer sample than before: it ended, or is
    /// scraped no more, and waiting would not help.
    pub(super) fn note(&mut self, at: Timestamp, settings: &Settings, newest: &[Newest<'_>]) {
        for (source, settings) in &settings.sources {
            let lag = self.0.entry(source.clone()).or_default();
            let own = newest.iter().filter(|newest| newest.source == source);
            let Some(by) = own.map(|newest| lag.see(at, newest)).max() else {
                continue;
            };
            // What is later than its settle time is lost.
            let most = Span::from_millis(settings.settle.as_millis() / 2).min(MOST);
            let before = lag.waited;
            lag.adapt(by, most);
            if lag.waited > before {
                tracing::info!(%source, wait = %lag.waited, "samples of source `{source}` come later than its `offset` allows: ticks wait {} longer for them", lag.waited);
            }
        }
    }
}

impl Default for Lag {
    fn default() -> Self {
        Self {
            waited: Span::ZERO,
            seen: BTreeMap::new(),
            calm: 0,
            patience: CALM.0,
            tries: false,
        }
    }
}

impl Lag {
    /// By how much samples are late for certain; zero when they are not.
    fn see(&mut self, at: Timestamp, newest: &Newest<'_>) -> Span {
        let seen = self.seen.entry(newest.of).or_insert_with(|| Seen {
            newest: newest.at,
            lacked: Vec::new(),
        });
        if newest.interval == Span::ZERO || newest.at <= seen.newest {
            return Span::ZERO;
        }
        seen.newest = newest.at;
        seen.lacked.push(at.since(newest.at) - newest.interval);
        let surplus = seen.lacked.len().saturating_sub(OBSERVED);
        seen.lacked.drain(..surplus);
        if seen.lacked.len() < OBSERVED {
            return Span::ZERO;
        }
        let least = seen.lacked.iter().copied().min().unwrap_or_default();
        // Scrapes are not that punctual.
        let is_late = least.as_millis() * 2 > newest.interval.as_millis();
        if is_late { least } else { Span::ZERO }
    }

    fn adapt(&mut self, late: Span, most: Span) {
        if late > Span::ZERO {
            let waited = (self.waited + late.max(LEAST)).min(most);
            if waited > self.waited {
                self.waited = waited;
                self.patience = if self.tries {
                    (self.patience * 2).min(CALM.1)
                } else {
                    CALM.0
                };
                self.seen.clear();
            }
            (self.calm, self.tries) = (0, false);
            return;
        }
        self.calm += 1;
        if self.calm >= self.patience && self.waited > Span::ZERO {
            let less = Span::from_millis(self.waited.as_millis() * 3 / 4);
            self.waited = if less < LEAST { Span::ZERO } else { less };
            (self.calm, self.tries) = (0, true);
            self.seen.clear();
        }
    }
}

impl State {
    /// How new what was read is.
    pub(super) fn newest(&self, reads: &[Read]) -> Vec<Newest<'_>> {
        let mut newest = Vec::new();
        for (family, state) in self.families.iter().enumerate() {
            if state.pushed.is_some() || state.failure.is_some() {
                continue;
            }
            let source = &self.plan.families[family].source;
            let totals = state.newest_totals.iter();
            newest.extend(totals.map(|(meter, (at, interval))| Newest {
                source,
                of: (family, Some(*meter)),
                at: *at,
                interval: *interval,
            }));
        }
        for read in reads {
            let family = read.wanted.family;
            let planned = &self.plan.families[family];
            let judges = self.plan.lanes_of(family).iter();
            let is_judged = judges
                .map(|lane| self.plan.lane(*lane))
                .any(|lane| matches!(lane, Lane::Slices(_)));
            let is_present =
                planned.ago == Span::ZERO && matches!(planned.fetch, Fetch::Samples(_));
            let Some(batch) = read.batch().filter(|_| is_judged && is_present) else {
                continue;
            };
            if let Some(at) = batch.samples().iter().map(|it| it.at).max() {
                newest.push(Newest {
                    source: &planned.source,
                    of: (family, None),
                    at,
                    interval: self.families[family].interval,
                });
            }
        }
        newest
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::SourceSettings;
    use super::*;

    const TICK: i64 = 30;

    fn settings() -> Settings {
        let source = SourceSettings::default();
        Settings {
            tick: Span::from_secs(TICK),
            slot: Span::from_secs(TICK),
            sources: BTreeMap::from([(SourceName::new("default"), source)]),
            ..Settings::default()
        }
    }

    /// Ticks of a source that is scraped every `interval` seconds, `phase` seconds behind the minute, and whose samples
    /// come `late` seconds behind the offset by the tick's number; a negative one says that there are no more. Says how
    /// long was waited after each tick.
    fn waits(interval: i64, phase: i64, ticks: i64, late: impl Fn(i64) -> i64) -> Vec<i64> {
        let (mut lags, settings) = (Lags::default(), settings());
        let source = SourceName::new("default");
        let mut newest = Timestamp::default();
        let wait = |tick: i64| {
            let at = 1_000_000_000 / TICK * TICK + tick * TICK;
            let late = late(tick);
            if late >= 0 {
                let waited = lags.of(&source).as_millis() / 1_000;
                let there = at.min(at + waited - late);
                let scraped = (there - phase).div_euclid(interval) * interval + phase;
                newest = newest.max(Timestamp::from_millis(scraped * 1_000));
            }
            let found = Newest {
                source: &source,
                of: (0, Some(0)),
                at: newest,
                interval: Span::from_secs(interval),
            };
            lags.note(Timestamp::from_millis(at * 1_000), &settings, &[found]);
            lags.of(&source).as_millis() / 1_000
        };
        (0..ticks).map(wait).collect()
    }

    #[test]
    fn samples_that_come_late_are_waited_for_as_long_as_they_are_late() {
        for (name, interval, phase, late, least, most) in [
            ("in time", 15, 3, 0, 0, 0),
            ("in time, and rarely", 300, 17, 0, 0, 0),
            ("a little late", 30, 1, 10, 0, 0),
            ("a minute late", 15, 3, 60, 53, 75),
            // What lacks no more than one sample is there.
            ("a minute late, at the tick", 30, 0, 60, 30, 60),
            ("too late to wait for", 15, 3, 400, 150, 150),
        ] {
            let waits = waits(interval, phase, 10, |_| late);
            let last = waits.last().copied().unwrap_or_default();
            assert!((least..=most).contains(&last), "{name}: {waits:?}");
            assert_eq!(
                waits[..3],
                [0, 0, 0],
                "{name}: one late sample is not enough"
            );
        }
    }

    #[test]
    fn what_ended_is_not_waited_for() {
        let waits = waits(15, 3, 60, |tick| if tick < 5 { 0 } else { -1 });
        assert_eq!(waits, [0; 60]);
    }

    #[test]
    fn less_is_tried_now_and_then_and_less_often_where_that_goes_badly() {
        let late = waits(15, 3, 3_000, |_| 60);
        let shorter = late.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!((5..=15).contains(&shorter), "{shorter} times");
        let enough = late.iter().filter(|wait| **wait >= 48).count();
        assert!(enough > 2_900, "{enough} of 3,000 ticks waited long enough");

        let over = waits(15, 3, 300, |tick| if tick < 10 { 60 } else { 0 });
        assert_eq!(over.last(), Some(&0), "{over:?}");
    }
}
