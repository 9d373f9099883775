//! How long a simulated week takes: `cargo bench --bench week`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints real time, and fails where it fails"
)]

use std::time::Instant;

#[expect(dead_code, reason = "tests look at more of it")]
#[path = "../tests/it/sim/mod.rs"]
mod sim;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let started = Instant::now();
    let week = runtime.block_on(sim::week::play());
    let took = started.elapsed().as_secs_f64();
    let ticks = u32::try_from(week.judged.len()).unwrap();
    let pace = f64::from(ticks) / took;
    println!("a week of {ticks} ticks took {took:.2} s: {pace:.0} ticks a second");
}
