//! Bad input of every kind to the real binary: what it makes of it, what it says, and that nothing is lost.

mod receivers;
mod reloads;
mod secrets;
mod sources;
mod starts;
mod stores;
