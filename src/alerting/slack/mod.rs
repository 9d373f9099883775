//! Slack: by bot token (posts, edits and threads) or by incoming webhook (plain posts).

pub mod bot;
mod errors;
mod form;
pub mod webhook;
