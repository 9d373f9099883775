//! The course of an objective as flat rows, for charts.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, TimeRange};

use super::super::history::{Step, burn, history};
use super::super::snapshot::SloStatus;
use super::scalar::{Count, Time, finite};

/// What was counted in one step of time, and how the budget stood at its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRow {
    /// The end of the step, included; it begins where the row before ends.
    pub at: Time,
    /// Bad events (or slices) counted in it.
    pub bad: Count,
    /// All of them.
    pub total: Count,
    /// bad / total; unknown without events.
    pub ratio: Option<f64>,
    /// The share of the present window's budget that was left then; negative once overspent,
    /// unknown outside of the window and where nothing was measured.
    pub budget_remaining: Option<f64>,
    /// How fast the budget burned in the hour before; unknown without events.
    pub burn1h: Option<f64>,
    /// The share of the step that was measured.
    pub coverage: f64,
}

impl HistoryRow {
    /// The rows of `range` in steps of `step`, which must be longer than zero; oldest first.
    pub fn all(status: &SloStatus, range: TimeRange, step: Span) -> Vec<Self> {
        let row = |step: Step| Self::of(status, &step);
        history(status, range, step).map(row).collect()
    }

    fn of(status: &SloStatus, step: &Step) -> Self {
        Self {
            at: Time(step.range.to),
            bad: Count(step.counts.bad),
            total: Count(step.counts.total),
            ratio: step.counts.error_ratio(),
            budget_remaining: step.remaining.and_then(finite),
            burn1h: burn(status, step.range.to).and_then(finite),
            coverage: step.coverage,
        }
    }

    /// Rows as CSV (RFC 4180) under their names; what is unknown is empty.
    pub fn csv(rows: &[Self]) -> String {
        let mut text = String::from("at,bad,total,ratio,budgetRemaining,burn1h,coverage\r\n");
        let known = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        for row in rows {
            let written = write!(
                text,
                "{},{},{},{},{},{},{}\r\n",
                row.at.0,
                row.bad.0,
                row.total.0,
                known(row.ratio),
                known(row.budget_remaining),
                known(row.burn1h),
                row.coverage
            );
            debug_assert!(written.is_ok(), "a string takes whatever is written");
        }
        text
    }
}
