//! Sloburn watches service level objectives: exact error budgets, burn-rate alerts, status.

pub mod alerting;
pub mod app;
pub mod causes;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod definitions;
pub mod demo;
pub mod diagnostic;
pub mod domain;
pub mod engine;
pub mod http;
pub mod ledger;
pub mod promql;
pub mod reload;
pub mod series;
pub mod source;
pub mod status;
pub mod store;
pub mod telemetry;
