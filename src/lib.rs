//! Sloburn watches service level objectives: exact error budgets, burn-rate alerts, status.

pub mod domain;
pub mod series;
