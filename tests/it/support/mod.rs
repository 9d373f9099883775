//! What several tests need: servers and the like.

pub(crate) mod daemon;
pub(crate) mod exporter;
pub(crate) mod tools;
