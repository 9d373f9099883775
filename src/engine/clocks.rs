//! How far our clock is ahead of the sources', and what follows from it for ticks: none asks for a time that has not come
//! at its source yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::slo::SourceName;
use crate::domain::time::{Span, Timestamp};
use crate::source::{Skew, Source};
use crate::status::snapshot::{ClockSkew, Snapshot};
use crate::status::words::words;

use super::lag::Lags;
use super::settings::Settings;

/// What the clocks show at one moment, ours and those of the sources that tell.
#[derive(Debug)]
pub(super) struct Clocks {
    now: Timestamp,
    skews: BTreeMap<SourceName, Skew>,
}

impl Clocks {
    pub(super) fn of<S: Source>(
        sources: &BTreeMap<SourceName, Arc<S>>,
        now: impl Into<Timestamp>,
    ) -> Self {
        let told = sources.iter();
        let skews = told.filter_map(|(name, source)| Some((name.clone(), source.skew()?)));
        Self {
            now: now.into(),
            skews: skews.collect(),
        }
    }

    /// Up to when the samples of all sources can be read by who waits for its phase. A source whose samples come late is waited for, and one whose
    /// clock is behind ours; not one whose clock is hopelessly behind the `last` tick.
    pub(super) fn readable(
        &self,
        settings: &Settings,
        lags: &Lags,
        last: Option<Timestamp>,
    ) -> Timestamp {
        let sources = settings.sources.iter();
        let readable = sources.map(|(name, source)| {
            let ahead = self.skews.get(name).filter(|skew| {
                let waited_for = last.is_none_or(|last| !self.outruns(last, **skew, source.settle));
                waited_for && skew.certain() > Span::ZERO && matters(settings, **skew)
            });
            self.now - source.offset - lags.of(name) - ahead.map_or(Span::ZERO, |skew| skew.most)
        });
        readable.min().unwrap_or(self.now) - settings.phase
    }

    /// Why nothing can be used that `source` answers at the tick `at`, where that has not come there yet by more than
    /// its samples may be late: what has not happened would be settled.
    pub(super) fn outrun(
        &self,
        settings: &Settings,
        source: &SourceName,
        at: Timestamp,
    ) -> Option<String> {
        let skew = *self.skews.get(source)?;
        let settle = settings.sources.get(source)?.settle;
        let outrun = matters(settings, skew) && self.outruns(at, skew, settle);
        outrun.then(|| {
            let ahead = words(skew.certain());
            format!("our clock is {ahead} ahead of that of source `{source}`, more than its `settle` ({settle}), and nothing that was read is used: it has no samples of this time yet; set the clock that is wrong")
        })
    }

    fn outruns(&self, at: Timestamp, skew: Skew, settle: Span) -> bool {
        at > self.now - skew.certain() + settle
    }

    /// Adds to the picture of a tick what the clocks say.
    pub(super) fn show(&self, settings: &Settings, lags: &Lags, snapshot: &mut Snapshot) {
        snapshot.offset = self.now.since(self.readable(settings, lags, snapshot.at));
        for source in &mut snapshot.sources {
            source.lag = lags.of(&source.name);
            source.skew = self.skews.get(&source.name).map(|skew| ClockSkew {
                ahead: skew.certain(),
                matters: matters(settings, *skew),
            });
        }
    }
}

/// What is less than half a tick does no harm.
fn matters(settings: &Settings, skew: Skew) -> bool {
    skew.certain().as_millis().abs() * 2 > settings.tick.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::SourceSettings;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    /// Two sources, `near` and `far`, each with a settle time of 5 minutes, and `far`'s clock as `skew` says.
    fn clocks(skew: Option<(i64, i64)>) -> (Clocks, Settings) {
        let name = SourceName::new;
        let skew = skew.map(|(least, most)| {
            let [least, most] = [least, most].map(Span::from_secs);
            (name("far"), Skew { least, most })
        });
        let source = |offset| SourceSettings {
            offset: Span::from_secs(offset),
            ..SourceSettings::default()
        };
        let clocks = Clocks {
            now: at(10_000),
            skews: skew.into_iter().collect(),
        };
        let settings = Settings {
            tick: Span::from_secs(30),
            slot: Span::from_secs(30),
            sources: BTreeMap::from([(name("near"), source(15)), (name("far"), source(10))]),
            ..Settings::default()
        };
        (clocks, settings)
    }

    #[test]
    fn a_source_whose_clock_is_behind_is_waited_for_unless_that_is_hopeless() {
        // The difference at the least and at the most, the last tick, up to when can be read, whether it is outrun.
        for (skew, last, readable, outrun) in [
            (None, Some(9_960), 9_985, false),
            (Some((0, 0)), Some(9_960), 9_985, false),
            (Some((15, 16)), Some(9_960), 9_985, false),
            (Some((16, 17)), Some(9_960), 9_973, false),
            (Some((300, 301)), None, 9_689, false),
            (Some((3_600, 3_601)), Some(6_360), 6_389, false),
            (Some((3_600, 3_601)), Some(6_700), 6_389, false),
            (Some((3_600, 3_601)), Some(6_701), 9_985, true),
            (Some((3_600, 3_601)), Some(9_960), 9_985, true),
            (Some((-3_600, -3_599)), Some(9_960), 9_985, false),
        ] {
            let (clocks, settings) = clocks(skew);
            let shown = clocks.readable(&settings, &Lags::default(), last.map(at));
            assert_eq!(shown, at(readable), "{skew:?} {last:?}");
            let asked = last.map(at).unwrap_or_default();
            let told = clocks.outrun(&settings, &SourceName::new("far"), asked);
            assert_eq!(told.is_some(), outrun, "{skew:?} {last:?}");
        }
        let (clocks, settings) = clocks(Some((3_665, 3_700)));
        let told = clocks.outrun(&settings, &SourceName::new("far"), at(9_960));
        insta::assert_snapshot!(told.unwrap(), @"our clock is 1 h 1 min ahead of that of source `far`, more than its `settle` (5m), and nothing that was read is used: it has no samples of this time yet; set the clock that is wrong");
    }
}
