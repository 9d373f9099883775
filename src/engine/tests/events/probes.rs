//! Probes, whose samples are the events.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn samples_of_probes_are_counted_by_their_times(
        values in vec(vec(prop::option::weighted(0.9, 0..2_u32), 100), 3),
    ) {
        let labels = ["prober=a", "prober=b", "prober=c"];
        let log: Log = labels.into_iter().zip(values).map(|(labels, values)| ("up", labels, values)).collect();
        let probe = |quorum| Indicator::Errors(Events::Probe(Probe {
            series: Selector::new("up", vec![]),
            quorum,
        }));
        let mut events = Slots::new();
        for (_, _, values) in &log {
            for (scrape, value) in values.iter().enumerate() {
                let Some(value) = *value else { continue };
                let at = at(i64::try_from(scrape * SCRAPE).unwrap());
                let slot = events.entry(at.ceil_to(TICK)).or_default();
                *slot = (slot.0 + f64::from(1 - value), slot.1 + 1.0);
            }
        }
        let counted = measured(&through(&log, probe(None)));
        let first = *counted.keys().next().unwrap();
        let last = *counted.keys().last().unwrap();
        events.retain(|end, _| (first..=last).contains(end));
        prop_assert_eq!(counted, events);

        // Who misses scrapes is asked about elsewhere: here all vote all the time.
        let steady: Log = log
            .into_iter()
            .map(|(metric, labels, values)| {
                let values = values.into_iter().map(|value| Some(value.unwrap_or(1)));
                (metric, labels, values.collect())
            })
            .collect();
        let voted = measured(&through(&steady, probe(Some(BadWhen::Count(2)))));
        for (end, (bad, total)) in voted {
            let index = usize::try_from(end.as_millis() / 1_000).unwrap() / SCRAPE;
            // The log ends a scrape before the last tick; its last values are valid then.
            let is_down = |values: &[Option<u32>]| values.get(index).or(values.last()) == Some(&Some(0));
            let down = steady.iter().filter(|(_, _, values)| is_down(values)).count();
            prop_assert_eq!((bad, total), (f64::from(u8::from(down >= 2)), 1.0), "{}", end);
        }
    }
}

/// A probe every minute fills every other slot; the time between is measured as well.
#[test]
fn probes_that_are_rarer_than_slots_cover_all_of_their_time() {
    let world = || {
        World::new(60).with("probe_success", "prober=a", |second| {
            Some(f64::from(u8::from(second % 600 != 0)))
        })
    };
    let probe = Events::Probe(Probe {
        series: Selector::new("probe_success", vec![]),
        quorum: None,
    });
    let mut run = Run::new(catalog(Indicator::Errors(probe)));
    for end in (30..=7_200).step_by(30) {
        let status = run.ticks(&world(), end - 30, end, healthy);
        let outcome = status.measurement.outcome;
        let is_good = outcome == Outcome::Measured || outcome == Outcome::NoTraffic;
        assert!(end < 900 || is_good, "{end} {outcome:?}");
    }
    let hour = TimeRange {
        from: at(3_600),
        to: at(7_200),
    };
    let sum = run.state.meters[0].ledger.sum(hour);
    assert_eq!((sum.counts.bad, sum.counts.total), (6.0, 60.0));
    assert!(sum.covered > 0.97, "{}", sum.covered);
}
