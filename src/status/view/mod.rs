//! The shapes in which a snapshot is shown, shared by the API, the pages and the command line.
//!
//! Times are RFC 3339, ratios 0..1, lengths of time as in Prometheus (`5m`), keys and names
//! camelCase. What is not known is `null`, never 0. JSON has no infinity: under an objective of
//! 100 % a burn rate or a spent share that has no bound is `null` too, and then `bad` is above 0.

pub mod configuration;
pub mod episode;
pub mod explain;
pub mod history;
pub mod incident;
pub mod indicator;
pub mod list;
pub mod scalar;
pub mod service;
pub mod slo;
pub mod summary;
pub mod tally;
