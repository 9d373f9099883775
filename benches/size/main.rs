//! What ticks cost with up to 10,000 instances over 100,000 series: `cargo bench --bench size`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints real time, and fails where it fails"
)]

mod decode;
mod run;
mod stub;
mod usage;
mod world;

use std::env;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use self::run::Daemon;
use self::usage::Usage;
use self::world::Size;

const WARM_UP: usize = 10;
const TICKS: usize = 120;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    let numbers: Vec<usize> = arguments.iter().filter_map(|it| it.parse().ok()).collect();
    let size = |series: Option<&usize>| Size {
        instances: numbers[0],
        series: series.copied().unwrap_or(10),
    };
    match arguments.first().map(String::as_str) {
        Some("stub") => block_on(stub::serve(size(numbers.get(1)))).unwrap(),
        Some("run") => block_on(measure(size(None))),
        Some("decode") => tell_decoding(),
        _ => {
            let sizes = if numbers.is_empty() {
                vec![100, 1_000, 10_000]
            } else {
                numbers
            };
            sizes.into_iter().for_each(start);
            start_of(&["decode".to_owned()]);
        }
    }
}

/// Each size is a process of its own, so that none has the memory of another.
fn start(instances: usize) {
    start_of(&["run".to_owned(), instances.to_string()]);
}

fn start_of(arguments: &[String]) {
    let program = env::current_exe().unwrap();
    let ended = Command::new(program).args(arguments).status();
    assert!(ended.unwrap().success(), "{arguments:?} failed");
}

fn tell_decoding() {
    let (cpu, bytes) = decode::measure();
    println!(
        "an answer with 100,000 series of two samples, {} MiB",
        bytes >> 20
    );
    println!("  CPU to decode {cpu:>9.3} s");
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

async fn measure(size: Size) {
    let folder = TempDir::new().unwrap();
    let mut daemon = Daemon::start(size, folder.path()).await;
    println!("{} instances, {} series", size.instances, size.all_series());
    println!("  start         {:>9.3} s", daemon.started_in.as_secs_f64());
    let first = daemon.tick().await;
    println!("  first tick    {:>9.3} s", first.took.as_secs_f64());
    for _ in 1..WARM_UP {
        daemon.tick().await;
    }
    let (before, started) = (Usage::now(), Instant::now());
    let mut ticks = Vec::with_capacity(TICKS);
    for _ in 0..TICKS {
        ticks.push(daemon.tick().await);
    }
    let (after, elapsed) = (Usage::now(), started.elapsed());
    daemon.check().await.unwrap();
    let mut took: Vec<Duration> = ticks.iter().map(|tick| tick.took).collect();
    took.sort_unstable();
    let count = u32::try_from(TICKS).unwrap();
    let queries: u64 = ticks.iter().map(|tick| tick.queries).sum();
    let bytes: u64 = ticks.iter().map(|tick| tick.bytes).sum();
    let per_tick = |number: u64| number / u64::from(count);
    println!("  tick p50      {:>9.3} s", took[TICKS / 2].as_secs_f64());
    println!(
        "  tick p99      {:>9.3} s",
        took[TICKS * 99 / 100].as_secs_f64()
    );
    println!("  tick longest  {:>9.3} s", took[TICKS - 1].as_secs_f64());
    println!(
        "  CPU a tick    {:>9.3} s",
        (after.cpu.as_secs_f64() - before.cpu.as_secs_f64()) / f64::from(count)
    );
    println!("  queries a tick{:>9}", per_tick(queries));
    println!("  answers a tick{:>9} KiB", per_tick(bytes) >> 10);
    println!("  memory at peak{:>9} MiB", after.peak_bytes >> 20);
    println!("  all ticks     {:>9.3} s", elapsed.as_secs_f64());
    println!("  every ledger equals what was served");
}
