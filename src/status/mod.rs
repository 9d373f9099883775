//! What everything that shows something reads: the snapshot of a tick and its views.

pub mod board;
pub mod snapshot;
