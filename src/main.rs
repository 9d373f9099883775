//! The `sloburn` command.

fn main() {}
