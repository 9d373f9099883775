//! Tests of the whole: everything but `cli` and `app`, put together as the daemon does, against worlds made for it.

mod bad_input;
mod kill;
mod live;
mod shipped;
mod support;
