//! Slots over time: what was counted, kept for the whole window and beyond, and summed over windows.

pub mod chunk;
