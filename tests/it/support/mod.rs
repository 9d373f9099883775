//! What several tests need: servers and the like.

use std::io::{self, Write as _};

pub(crate) mod cluster;
pub(crate) mod daemon;
pub(crate) mod dice;
pub(crate) mod exporter;
#[allow(
    dead_code,
    reason = "the library's own tests use it too, and each uses a part"
)]
pub(crate) mod fake_slack;
pub(crate) mod hook;
pub(crate) mod inbox;
pub(crate) mod lying_prometheus;
pub(crate) mod native;
pub(crate) mod past;
#[allow(dead_code, reason = "benches use it too, and each user a part")]
pub(crate) mod remote_write;
pub(crate) mod shop;
pub(crate) mod static_binary;
pub(crate) mod tools;

/// Writes a line that is seen also when the test succeeds: the test harness would hide what `println!` writes.
pub(crate) fn print(line: &str) {
    writeln!(io::stderr(), "{line}").expect("standard error can be written");
}
