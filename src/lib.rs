//! Sloburn watches service level objectives: exact error budgets, burn-rate alerts, status.

pub mod domain;
pub mod ledger;
pub mod series;
pub mod status;
pub mod store;
