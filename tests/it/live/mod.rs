//! The daemon against real servers in real time.

mod agree;
mod alerts;
mod counts;
mod days;
mod expected;
mod groups;
mod native;
mod world;
