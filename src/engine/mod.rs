//! The engine: a pure step from reads to decisions, and the shell that waits, reads and commits.

pub mod adopt;
mod alerts;
mod answers;
mod blame;
pub mod boundaries;
mod clocks;
mod counters;
mod coverage;
mod digger;
mod doubled;
mod episodes;
pub mod explain;
mod facts;
mod graph;
mod groups;
pub mod intake;
mod journal;
mod judge;
mod lag;
mod lanes;
mod odd;
mod passes;
mod past;
mod picture;
mod promise;
mod pushed;
mod reading;
pub mod reads;
mod schedule;
pub mod settings;
pub mod shell;
pub mod state;
pub mod step;
mod story;
pub mod survey;
mod ticks;
mod unjudged;
mod unmeasured;
pub mod walks;
mod windows;

#[cfg(test)]
mod tests;
