//! What is asked for less often than the rest is not known to be well while nothing can be read of its source.

use std::sync::Arc;

use crate::domain::indicator::Indicator;
use crate::domain::measurement::Outcome;
use crate::domain::slices::{Judge, MissingData, Sliced};
use crate::domain::slo::{Catalog, SloId};
use crate::domain::time::Span;
use crate::engine::intake::Reading;

use super::{Run, World, at, catalog, healthy, requests, shop};

const RATIO: &str = "1 - avg_over_time(up[$window])";

/// Requests, which are asked for at each tick, beside a ratio of which only each fifth minute is.
fn beside_a_ratio() -> Catalog {
    let mut all = catalog(requests());
    let judge = Judge::Ratio {
        query: RATIO.into(),
        window: Span::from_mins(5),
    };
    let ratio = catalog(Indicator::Slices(Sliced {
        judge,
        slice: Span::from_mins(5),
        missing: MissingData::Hold,
    }));
    all.slos.extend(ratio.slos.into_values().map(|mut slo| {
        let own = Arc::make_mut(&mut slo);
        own.uid = SloId::new("shop/ratio");
        own.id = own.uid.clone();
        own.counted_as = own.uid.clone();
        own.name = "ratio".into();
        (slo.uid.clone(), slo)
    }));
    all
}

fn world() -> World {
    shop(7_200, 7_500, 2).with(&RATIO.replace("$window", "5m"), "a=b", |_| Some(0.01))
}

/// A tick after 1,200 s at which the ratio is not asked for.
fn between(run: &mut Run) -> i64 {
    let is_asked = |run: &Run, second: i64| {
        let mut wanted = run.state.wanted(at(second)).into_iter();
        wanted.any(|wanted| run.state.fetch(wanted).1.text().contains("avg_over_time"))
    };
    let mut last = 1_200;
    run.ticks(&world(), 0, last, healthy);
    while is_asked(run, last + 30) {
        run.ticks(&world(), last, last + 30, healthy);
        last += 30;
    }
    last
}

#[test]
fn a_source_that_cannot_be_read_is_not_read_for_all_of_its_objectives() {
    let failed = Reading::Failed("cannot reach it".into());
    let refused = Reading::Refused("it has a slip".into());
    for (reading, outcome) in [(failed, Outcome::Failed), (refused, Outcome::Measured)] {
        let mut run = Run::new(beside_a_ratio());
        let last = between(&mut run);
        let ratio = |run: &Run| run.status("shop/ratio").measurement.clone();
        assert_eq!(ratio(&run).outcome, Outcome::Measured);
        run.ticks(&world(), last, last + 30, |_| Some(reading.clone()));
        assert_eq!(run.status("shop/it").measurement.outcome, Outcome::Failed);
        assert_eq!(ratio(&run).outcome, outcome, "{reading:?}");
        let why = (outcome == Outcome::Failed).then(|| "cannot reach it".to_owned());
        assert_eq!(ratio(&run).reason, why);
        run.ticks(&world(), last + 30, last + 60, healthy);
        assert_eq!(ratio(&run).outcome, Outcome::Measured);
    }
}
