//! What decoding costs: the answer of a large family, again and again.

use sloburn::domain::time::TimeRange;
use sloburn::source::prometheus;

use super::usage::Usage;
use super::world::{FAMILIES, SCRAPE, START, Size};

const SERIES: usize = 100_000;
const ROUNDS: u32 = 20;

/// CPU seconds for an answer with 100,000 series of two samples, and its size in bytes.
pub(crate) fn measure() -> (f64, usize) {
    let size = Size {
        instances: FAMILIES,
        series: SERIES,
    };
    let range = TimeRange {
        from: START,
        to: START + SCRAPE + SCRAPE,
    };
    let body = size.answer(0, range, |series, step| size.value(series, step));
    let before = Usage::now();
    for _ in 0..ROUNDS {
        let batch = prometheus::batch(&body, range).unwrap();
        assert_eq!((batch.len(), batch.samples().len()), (SERIES, 2 * SERIES));
    }
    let cpu = Usage::now().cpu.saturating_sub(before.cpu);
    (cpu.as_secs_f64() / f64::from(ROUNDS), body.len())
}
