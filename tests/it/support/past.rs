//! A past in closed form, to be written into a Prometheus.

use sloburn::domain::labels::Labels;

use super::remote_write::{STALE, Written};

/// The distance of scrapes, in seconds.
pub(crate) const SCRAPE: i64 = 15;
/// How many milliseconds scrapes are behind the whole second.
pub(crate) const BEHIND: i64 = 250;
/// In seconds.
pub(crate) const HOUR: i64 = 3_600;

/// How far the past reaches back.
const LENGTH: i64 = 30 * HOUR;

/// The value of a series by the seconds before the end; `None` where it was not there.
pub(crate) type Course = fn(i64) -> Option<i64>;

/// A metric, the labels of one of its series, and how that goes.
pub(crate) type Made = (
    &'static str,
    &'static [(&'static str, &'static str)],
    Course,
);

/// The samples of all series of one target up to the second `end`.
pub(crate) fn written(series: &[Made], end: i64) -> Vec<Written> {
    let series = series.iter().map(|(name, more, course)| {
        let own = [("__name__", *name), ("job", "api"), ("instance", "api-0")];
        let labels: Labels = own.into_iter().chain(more.iter().copied()).collect();
        let mut samples = Vec::new();
        let mut was_there = false;
        for second in (end - LENGTH..=end).step_by(usize::try_from(SCRAPE).unwrap_or(1)) {
            let value = course(end - second).and_then(|value| i32::try_from(value).ok());
            let at = second * 1_000 + BEHIND;
            match value {
                Some(value) => samples.push((at, f64::from(value))),
                None if was_there => samples.push((at, STALE)),
                None => {}
            }
            was_there = value.is_some();
        }
        (labels, samples)
    });
    series.collect()
}
