//! What everything that shows something reads: the snapshot of a tick and its views.

pub mod address;
pub mod board;
pub mod explanation;
#[cfg(test)]
pub(crate) mod fixture;
pub mod freshness;
pub mod history;
pub mod names;
mod page;
pub mod query;
pub mod snapshot;
pub mod survey;
pub mod view;
pub mod words;
