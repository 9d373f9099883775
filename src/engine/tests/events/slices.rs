//! Slices that are good or bad by the share of their events.

use super::histograms::histogram;
use super::*;

fn timeslices(events: Events, good: (i128, i128)) -> Indicator {
    Indicator::Slices(Sliced {
        judge: Judge::Events {
            events,
            signal: Signal::Errors,
            good: Fraction::new(good.0, good.1),
        },
        slice: Span::from_mins(1),
        missing: MissingData::Hold,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// The slots of the oracle, a slice after the other. Not the first: its first sample has nothing
    /// before it.
    #[test]
    fn slices_of_events_are_judged_by_the_oracles_slots(log in log()) {
        for events in forms() {
            let run = through(&log, timeslices(events.clone(), (4, 5)));
            let mut slices = Slots::new();
            for (end, (bad, total)) in expected(&log, &events) {
                let slice = slices.entry(end.ceil_to(Span::from_mins(1))).or_default();
                *slice = (slice.0 + bad, slice.1 + total);
            }
            let measured = measured(&run);
            for (end, (bad, total)) in &slices {
                let Some(found) = measured.get(end).filter(|_| *total > 0.0) else { continue };
                let is_bad = f64::from(u8::from(5.0 * bad > *total));
                prop_assert_eq!(*found, (is_bad, 1.0), "{} {:?}", end, events);
            }
            let known = slices.keys().filter(|end| measured.contains_key(end)).count();
            prop_assert!(known * 10 >= slices.len() * 8, "{known} of {}", slices.len());
        }
    }
}

#[test]
fn slices_of_a_histogram_without_the_bucket_say_so() {
    let world = || {
        let counter = |pace: i64| move |second: i64| Some((second * pace) as f64);
        World::new(15)
            .with("seconds_bucket", "route=/pay,le=0.25", counter(99))
            .with("seconds_bucket", "route=/pay,le=+Inf", counter(100))
    };
    let mut run = Run::new(catalog(timeslices(Events::Histogram(histogram()), (4, 5))));
    run.ticks(&world(), 0, 570, healthy);
    assert_eq!(run.state.questions().len(), 1);
    let status = run.ticks(&world(), 570, 600, healthy);
    assert_eq!(status.window.counts.total, 0.0);
    insta::assert_snapshot!(status.measurement.reason.as_deref().unwrap(), @r#"`seconds_bucket{route!="/export"}` has no bucket that ends at 300ms; set `atMost` to one of its boundaries"#);
}
