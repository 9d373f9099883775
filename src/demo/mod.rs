//! The demo: four simulated services, a month of history, and a game day; nothing else is needed.

pub mod api;
pub mod catalog;
pub mod drive;
pub mod gameday;
pub mod inbox;
pub mod pace;
mod pages;
pub mod predict;
pub mod report;
pub mod samples;
pub mod start;
pub mod world;

#[cfg(test)]
mod tests;
