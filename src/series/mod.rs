//! From samples to events: what to fetch, which series belong to whom, increments, births and gaps.

pub mod batch;
pub mod cursor;
