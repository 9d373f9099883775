//! How many objectives are in which state.

use serde::{Deserialize, Serialize};

use super::super::names::{Alert, Compliance, Measured};
use super::super::snapshot::SloStatus;

/// How many instances there are, and in which states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TallyView {
    /// All of them.
    pub total: u64,
    /// By how loud their open incident is.
    pub alert: AlertTally,
    /// By whether they keep their promise.
    pub compliance: ComplianceTally,
    /// By how their last measurement ended.
    pub outcome: OutcomeTally,
}

/// Counts by alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are the names of `Alert`")]
pub struct AlertTally {
    pub page: u64,
    pub ticket: u64,
    pub none: u64,
}

/// Counts by compliance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are the names of `Compliance`")]
pub struct ComplianceTally {
    pub breached: u64,
    pub met: u64,
    pub unknown: u64,
}

/// Counts by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are the names of `Measured`")]
pub struct OutcomeTally {
    pub measured: u64,
    pub no_traffic: u64,
    pub no_data: u64,
    pub partial: u64,
    pub failed: u64,
}

impl TallyView {
    /// Counts `slos`.
    pub fn of<'a>(slos: impl IntoIterator<Item = &'a SloStatus>) -> Self {
        let mut tally = Self::default();
        for slo in slos {
            tally.total += 1;
            *match Alert::from(slo.alert) {
                Alert::None => &mut tally.alert.none,
                Alert::Ticket => &mut tally.alert.ticket,
                Alert::Page => &mut tally.alert.page,
            } += 1;
            *match Compliance::of(slo) {
                Compliance::Met => &mut tally.compliance.met,
                Compliance::Unknown => &mut tally.compliance.unknown,
                Compliance::Breached => &mut tally.compliance.breached,
            } += 1;
            *match Measured::from(slo.measurement.outcome) {
                Measured::Measured => &mut tally.outcome.measured,
                Measured::NoTraffic => &mut tally.outcome.no_traffic,
                Measured::NoData => &mut tally.outcome.no_data,
                Measured::Partial => &mut tally.outcome.partial,
                Measured::Failed => &mut tally.outcome.failed,
            } += 1;
        }
        tally
    }
}
