//! The engine's part of the log: incidents, and sources that fail or return, each change once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::incident::{Change, Incident};
use crate::domain::slo::SourceName;
use crate::domain::time::Span;
use crate::status::snapshot::{Backfill, ClockSkew, SourceStatus};
use crate::status::words::words;

/// So long nothing more is said of how far the past of a source is counted.
const BETWEEN: Duration = Duration::from_secs(15);

/// What was logged last, so that the same is not logged each tick.
#[derive(Debug, Default)]
pub(super) struct Journal {
    failing: BTreeMap<SourceName, String>,
    /// Tenths of the past of each source that were told to be counted, and when.
    counted: BTreeMap<SourceName, (i64, Duration)>,
    /// Sources whose clocks differ from ours.
    skewed: BTreeSet<SourceName>,
}

/// Logs what just happened to an incident.
pub(super) fn incident(incident: &Incident) {
    let Some(last) = incident.history.last() else {
        return;
    };
    let (slo, severity) = (&incident.slo, last.severity);
    let what = match last.change {
        Change::Opened => format!("opened as {severity}"),
        Change::Rose { from } => format!("rose from {from} to {severity}"),
        Change::Fell { from } => format!("fell from {from} to {severity}"),
        Change::Reminded => format!("goes on as {severity}"),
        Change::Closed(reason) => format!("closed: {}", reason.name()),
    };
    tracing::info!(%slo, incident = %incident.id, tick = %last.at, "incident of {slo} {what}");
}

impl Journal {
    /// Logs how much of a source's past is counted, `passed` after the start, and its end.
    pub(super) fn backfill(
        &mut self,
        source: &SourceName,
        backfill: Option<Backfill>,
        passed: Duration,
    ) {
        let Some(backfill) = backfill else {
            self.counted.remove(source);
            tracing::info!(%source, "the past of source `{source}` is counted");
            return;
        };
        if let Some(percent) = self.counted(source, backfill.share, passed) {
            let reached = backfill.reached;
            tracing::info!(%source, %reached, "counting the past of source `{source}`: {percent} % done, back to {reached}");
        }
    }

    /// The percent to tell of: each tenth once, and not more of them than a reader wants.
    #[expect(clippy::cast_possible_truncation, reason = "a share is at most 1")]
    fn counted(&mut self, source: &SourceName, share: f64, passed: Duration) -> Option<i64> {
        let tenths = (share * 10.0) as i64;
        if let Some((told, at)) = self.counted.get(source)
            && (*told == tenths || passed.saturating_sub(*at) < BETWEEN)
        {
            return None;
        }
        self.counted.insert(source.clone(), (tenths, passed));
        Some(tenths * 10)
    }

    /// Logs each source whose clock began to differ from ours, or agrees again.
    pub(super) fn clocks(&mut self, sources: &[SourceStatus]) {
        for source in sources {
            let name = &source.name;
            match source.skew {
                Some(ClockSkew { ahead, matters }) if matters => {
                    if !self.skewed.insert(name.clone()) {
                        continue;
                    }
                    if ahead > Span::ZERO {
                        tracing::warn!(source = %name, %ahead, "our clock is {} ahead of that of source `{name}`: ticks wait for it, up to its `settle`; set the clock that is wrong", words(ahead));
                    } else {
                        let behind = Span::ZERO - ahead;
                        tracing::warn!(source = %name, %behind, "our clock is {} behind that of source `{name}`: everything is noticed that much later; set the clock that is wrong", words(behind));
                    }
                }
                _ => {
                    if self.skewed.remove(name) {
                        tracing::info!(source = %name, "our clock and that of source `{name}` agree again");
                    }
                }
            }
        }
    }

    /// Logs each source that began to fail, fails otherwise than before, or can be read again.
    pub(super) fn sources(&mut self, sources: &[SourceStatus]) {
        for source in sources {
            let name = &source.name;
            match &source.error {
                Some(why) if self.failing.get(name) != Some(why) => {
                    tracing::warn!(source = %name, "{why}");
                    self.failing.insert(name.clone(), why.clone());
                }
                Some(_) => {}
                None => {
                    if self.failing.remove(name).is_some() {
                        tracing::info!(source = %name, "source `{name}` can be read again; what was missed is counted");
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a past of which a hundredth is counted each `millis`.
    fn told(millis: u64) -> Vec<i64> {
        let (mut journal, source) = (Journal::default(), SourceName::new("default"));
        let shares = (0..100_u32).map(|done| (f64::from(done) / 100.0, u64::from(done) * millis));
        let told = shares
            .map(|(share, passed)| journal.counted(&source, share, Duration::from_millis(passed)));
        told.flatten().collect()
    }

    #[test]
    fn a_short_past_is_not_told_in_tenths() {
        assert_eq!(told(80), [0]);
        assert_eq!(told(1_000), [0, 10, 30, 40, 60, 70, 90]);
        assert_eq!(told(5_000), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    }
}
