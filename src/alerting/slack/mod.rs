//! Slack: by bot token (posts, edits and threads) or by incoming webhook (plain posts).

pub mod bot;
mod errors;
pub mod form;
pub mod webhook;
