//! The engine's part of the log: incidents, and sources that fail or return, each change once.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::incident::{Change, Incident};
use crate::domain::slo::SourceName;
use crate::domain::time::Span;
use crate::status::snapshot::{Backfill, ClockSkew, SourceStatus};
use crate::status::words::words;

/// What was logged last, so that the same is not logged each tick.
#[derive(Debug, Default)]
pub(super) struct Journal {
    failing: BTreeMap<SourceName, String>,
    /// Tenths of the past of each source that were told to be counted.
    counted: BTreeMap<SourceName, i64>,
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
    /// Logs each tenth of a source's past that was counted, and its end.
    #[expect(clippy::cast_possible_truncation, reason = "a share is at most 1")]
    pub(super) fn backfill(&mut self, source: &SourceName, backfill: Option<Backfill>) {
        let Some(Backfill { share, reached, .. }) = backfill else {
            self.counted.remove(source);
            tracing::info!(%source, "the past of source `{source}` is counted");
            return;
        };
        let tenths = (share * 10.0) as i64;
        if self.counted.insert(source.clone(), tenths) != Some(tenths) {
            tracing::info!(%source, %reached, "counting the past of source `{source}`: {} % done, back to {reached}", tenths * 10);
        }
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
