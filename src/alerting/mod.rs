//! Telling people: notices are put into words when they are sent, and a loop of its own delivers them.

pub mod alertmanager;
pub mod delivery;
mod http;
pub mod notifier;
pub mod notifiers;
pub mod slack;
pub mod text;
pub mod webhook;

#[cfg(test)]
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../../tests/it/support/fake_slack/mod.rs"]
mod fake_slack;
#[cfg(test)]
mod sample;
