//! The engine's part of the log: incidents, and sources that fail or return, each change once.

use std::collections::BTreeMap;

use crate::domain::incident::{Change, Incident};
use crate::domain::slo::SourceName;
use crate::status::snapshot::{Backfill, SourceStatus};

/// What was logged last, so that the same is not logged each tick.
#[derive(Debug, Default)]
pub(super) struct Journal {
    failing: BTreeMap<SourceName, String>,
    /// Tenths of the past of each source that were told to be counted.
    counted: BTreeMap<SourceName, i64>,
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
            tracing::info!(%source, %reached, "counting the past of source `{source}`: {}0 % done, back to {reached}", tenths);
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
