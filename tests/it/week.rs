//! A simulated week: every tick is judged once, everybody is told everything in order, and nothing sleeps for real.

use std::time::{Duration, Instant};

use sloburn::domain::slot::Counts;
use sloburn::domain::time::Span;

use crate::sim::week::{self, LENGTH, START, TICK, Week};

#[tokio::test(start_paused = true)]
async fn a_week_with_an_outage_a_dead_receiver_and_a_kill() {
    let (real, simulated) = (real_time(), tokio::time::Instant::now());
    let week = week::play().await;
    let (real, simulated) = (real.elapsed(), simulated.elapsed());
    assert!(simulated + Duration::from_millis(1) >= LENGTH.to_std());
    assert!(real < simulated / 100, "{simulated:?} took {real:?}");

    every_tick_is_judged_once(&week);
    every_request_is_counted_once(&week);
    // By the closed forms, save for `chronic`: its long window holds only the day and a half that was seen, which would
    // make it 6870, and at that tick the guard still takes 0.25 % over the budget for chance.
    insta::assert_snapshot!(listed(&week.tiers), @r"
    2610 fast fires
    6510 slow fires
    6900 chronic fires
    10890 fast clears
    11190 fast is left
    12060 slow clears
    12960 slow is left
    31320 chronic clears
    42120 chronic is left
    ");
    insta::assert_snapshot!(listed(&week.team.lines()), @r"
    2610 1 opened page
    6210 2 reminded page
    9810 3 reminded page
    12960 4 fell ticket
    42120 5 recovered ticket
    ");
    assert_eq!(week.pager.lines(), week.team.lines());
    assert_eq!((week.pager.incidents(), week.team.incidents()), (1, 1));
    the_living_hear_at_once_and_the_dead_on_return(&week);
}

fn every_tick_is_judged_once(week: &Week) {
    let ticks = (0..20_160).map(|tick| START + Span::from_millis(TICK.as_millis() * tick));
    assert!(week.judged.iter().copied().eq(ticks));
}

/// The first tick reads ten minutes back, to when the shop was opened. The base of what it finds first comes from the
/// past, which is read beside the ticks.
fn every_request_is_counted_once(week: &Week) {
    let seconds = 604_800 - 30 + 600;
    let counts = Counts {
        bad: f64::from(3 * 3_600 * 200),
        total: f64::from(seconds) * 10_000.0,
    };
    assert_eq!(week.counts, counts);
}

fn the_living_hear_at_once_and_the_dead_on_return(week: &Week) {
    assert_eq!((week.team.late(), week.team.refused()), (vec![], 0));

    let back = 26 * 3_600;
    let late = week.pager.late();
    assert_eq!(late.len(), 3, "{late:?}");
    assert!(
        late.iter().all(|at| (back..=back + 300).contains(at)),
        "{late:?}"
    );
    // It is tried at least every 300 seconds, and every 150 on the average.
    let refused = week.pager.refused();
    assert!((280..1_200).contains(&refused), "{refused}");
}

fn listed<'a>(lines: impl IntoIterator<Item = &'a (i64, String)>) -> String {
    let lines = lines.into_iter().map(|(at, what)| format!("{at} {what}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokio's clock is paused, and this is to see that real time hardly passes"
)]
fn real_time() -> Instant {
    Instant::now()
}
