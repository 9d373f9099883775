//! What becomes of an incident, and what is said of it, where something changes in its midst: the
//! policy's tiers, or the period of the calendar.

use std::sync::Arc;

use crate::domain::calendar::{Calendar, Period};
use crate::domain::decimal::Fraction;
use crate::domain::incident::Change;
use crate::domain::indicator::Indicator;
use crate::domain::notice::{BurnFacts, Facts};
use crate::domain::policy::TierLimit;
use crate::domain::slices::{MissingData, Sliced};
use crate::domain::slo::{Catalog, Window};
use crate::domain::time::Span;
use crate::engine::intake::Reading;

use super::*;

/// The first Monday of 1970.
const MONDAY: i64 = 4 * 86_400;

fn week() -> Window {
    Window::Calendar(Calendar::new(Period::Week, "UTC").unwrap())
}

fn over(window: &Window) -> Catalog {
    let mut catalog = catalog(requests());
    for slo in catalog.slos.values_mut() {
        Arc::make_mut(slo).window = window.clone();
    }
    catalog
}

fn rename_tiers(catalog: &mut Catalog) {
    for policy in catalog.policies.values_mut() {
        for tier in &mut Arc::make_mut(policy).tiers {
            tier.name.insert_str(0, "new-");
        }
    }
}

/// The facts of the last notice of a kind.
fn facts(run: &Run, is_kind: fn(&Change) -> bool) -> BurnFacts {
    let notices = run.kept.outbox.values();
    let last = notices
        .filter(|it| is_kind(&it.change))
        .max_by_key(|it| it.at);
    match &last.unwrap().facts {
        Facts::Burn(facts) => (**facts).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tiers_that_are_renamed_while_nothing_is_known_close_nothing() {
    let mut run = Run::new(catalog(requests()));
    let world = shop(7_200, 7_500, 2);
    run.ticks(&world, 0, 7_410, healthy);
    run.told.clear();
    rename_tiers(&mut run.catalog);
    let failing = |_| Some(Reading::Failed("cannot reach it".into()));
    run.ticks(&world, 7_410, 7_800, failing);
    let open = &run.last.as_ref().unwrap().incidents;
    assert_eq!(open.iter().filter(|it| it.closed.is_none()).count(), 1);
    run.ticks(&world, 7_800, 9_000, healthy);
    insta::assert_snapshot!(run.told.join("\n"), @r"
    7560 blind opened ticket team
    7830 blind recovered ticket team
    7890 recovered page team
    ");
}

#[test]
fn an_incident_is_shared_for_as_long_as_nothing_happens_to_it() {
    let mut run = Run::new(catalog(requests()));
    let world = shop(7_200, 7_500, 2);
    let mut shared = |from: i64, to: i64| {
        let incident = run.ticks(&world, from, to, healthy).incident.clone();
        let listed = Arc::clone(&run.last.as_ref().unwrap().incidents[0]);
        let incident = incident.unwrap();
        assert!(Arc::ptr_eq(&incident, &listed));
        incident
    };
    let (ticket, page) = (shared(0, 7_290), shared(7_290, 7_410));
    assert_ne!(ticket.severity, page.severity);
    assert!(Arc::ptr_eq(&page, &shared(7_410, 7_440)));
}

#[test]
fn a_budget_is_empty_when_it_was_said_to_be() {
    let rolling = |minutes| Window::Rolling(Span::from_mins(minutes));
    let month = Window::Calendar(Calendar::new(Period::Month, "UTC").unwrap());
    for window in [rolling(60), rolling(75), rolling(1_440), month] {
        let mut run = Run::new(over(&window));
        // Ten times as many fail as are allowed.
        let world = shop(7_200, 1_000_000, 10);
        let left = run.ticks(&world, 3_600, 7_320, healthy).time_to_empty;
        let left = left.unwrap();
        let empty = 7_320 + left.as_millis() / 1_000;
        let before = empty / 30 * 30 - 30;
        let remaining = |run: &Run| run.status("shop/it").budget.unwrap().remaining();
        run.ticks(&world, 7_320, before, healthy);
        assert!(remaining(&run) > 0.0, "{window} at {before}");
        run.ticks(&world, before, before + 90, healthy);
        assert!(remaining(&run) <= 0.0, "{window} at {}", before + 90);
    }
}

#[test]
fn a_budget_that_the_period_outlives_is_not_said_to_be_empty_after_it() {
    let mut run = Run::new(over(&week()));
    // Twice as many fail as are allowed, an hour before the week is over.
    let world = shop(MONDAY - 3_600, MONDAY + 3_600, 50);
    let status = run.ticks(&world, MONDAY - 14_400, MONDAY - 3_000, healthy);
    assert!(status.budget.unwrap().remaining() > 0.5);
    assert_eq!(status.time_to_empty, None);
}

#[test]
fn a_period_s_budget_was_not_used_up_before_the_period() {
    let mut run = Run::new(over(&week()));
    let world = shop(MONDAY - 1_800, MONDAY + 1_800, 1);
    let emptied = |run: &mut Run, to: i64| {
        let status = run.ticks(&world, to - 30, to, healthy);
        (status.emptied_at, status.window.range.from)
    };
    run.ticks(&world, MONDAY - 3_600, MONDAY - 30, healthy);
    let (before, _) = emptied(&mut run, MONDAY);
    assert!(before < Some(at(MONDAY - 1_500)), "{before:?}");
    let (after, from) = emptied(&mut run, MONDAY + 30);
    assert_eq!((after, from), (Some(at(MONDAY + 30)), at(MONDAY)));
}

#[test]
fn what_was_left_of_the_period_before_is_not_told_of_this_one() {
    let mut run = Run::new(over(&week()));
    let world = shop(MONDAY - 600, MONDAY + 600, 2);
    run.ticks(&world, MONDAY - 3_600, MONDAY + 3_600, healthy);
    let opened = facts(&run, |change| matches!(change, Change::Opened));
    assert!(opened.budget.unwrap().before.is_some());
    let closed = facts(&run, |change| matches!(change, Change::Closed(_)));
    assert!(closed.onset < at(MONDAY));
    assert_eq!(closed.budget.unwrap().before, None);
}

#[test]
fn errors_begin_with_their_first_slice_though_slices_are_longer_than_short_windows() {
    let indicator = Indicator::Slices(Sliced {
        judge: fresh(),
        slice: Span::from_mins(10),
        missing: MissingData::Hold,
    });
    let mut catalog = catalog(indicator);
    for policy in catalog.policies.values_mut() {
        for tier in &mut Arc::make_mut(policy).tiers {
            (tier.long, tier.short) = (Span::from_hours(1), Span::from_mins(5));
            // From the second of six slices on.
            tier.limit = TierLimit::Burn(Fraction::new(20, 1));
        }
    }
    let mut run = Run::new(catalog);
    // Done every minute, and not any more after 7,200 s: the slice that ends at 7,800 s is the first that is bad.
    let world = World::new(15).with("done", "job=etl", |second| {
        let done = second.min(7_200) / 60 * 60;
        Some(f64::from(i32::try_from(done).unwrap()))
    });
    run.ticks(&world, 0, 9_000, healthy);
    let opened = facts(&run, |change| matches!(change, Change::Opened));
    assert_eq!(opened.onset, at(7_200));
}
