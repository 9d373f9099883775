//! From samples to events: what to fetch, which series belong to whom, increments, births and gaps.

pub mod absent;
pub mod batch;
pub mod births;
pub mod boundary;
pub mod buckets;
pub mod cursor;
mod draft;
pub mod fetches;
pub mod gaps;
pub mod groups;
pub mod index;
mod joined;
pub mod past;
pub mod plan;
pub mod points;
pub mod pushed;
pub mod replicas;
pub mod roll;
pub mod seen;
pub mod selection;
pub mod slices;
pub mod starts;
pub mod table;
pub mod terms;
pub mod trace;
pub mod union;
