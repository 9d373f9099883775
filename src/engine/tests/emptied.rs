//! When a budget was used up, for who learns of the past only later.

use super::{Run, World, at, catalog, healthy, requests};
use crate::domain::time::Span;

/// A hundred requests a second; half of them fail from 3,000 s to 3,300 s, and again from 7,300 s to 7,600 s.
fn twice() -> World {
    let bad = |second: i64| {
        let within = |from: i64| (second.clamp(from, from + 300) - from) * 50;
        within(3_000) + within(7_300)
    };
    let shown = |count: i64| i32::try_from(count).ok().map(f64::from);
    World::new(15)
        .with("requests_total", "code=200", move |second| {
            shown(second * 100 - bad(second))
        })
        .with("requests_total", "code=500", move |second| {
            shown(bad(second))
        })
}

#[test]
fn a_past_that_is_counted_later_may_have_used_a_budget_up_earlier() {
    let mut run = Run::new(catalog(requests()));
    let status = run.ticks(&twice(), 7_200, 7_800, healthy);
    assert_eq!(status.emptied_at, Some(at(7_320)));
    while run.dig(&twice(), Span::from_hours(1)) {}
    // One in a hundred of 783,000 may fail: as many did 157 seconds after the first began.
    let status = run.ticks(&twice(), 7_800, 7_830, healthy);
    assert_eq!(status.window.counts.bad, 30_000.0);
    assert_eq!(status.emptied_at, Some(at(3_180)));
}
