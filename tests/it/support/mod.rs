//! What several tests need: servers and the like.

pub(crate) mod tools;
