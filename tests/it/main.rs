//! Tests of the whole, against worlds made for it: the daemon itself, or its parts put together as the daemon does.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test does; the exemption of tests covers `#[test]` only"
)]

mod backfill;
mod bad_input;
mod browser;
mod chart;
mod check;
mod demo;
mod explain;
mod faults;
mod forms;
mod golden;
mod histograms;
mod increments;
mod kill;
mod live;
mod oracle;
mod pushed;
mod remote_read;
mod scrape;
mod selectors;
mod shipped;
mod sim;
mod support;
mod week;
