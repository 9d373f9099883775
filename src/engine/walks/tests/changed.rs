//! Definitions that change while the past is walked through: what one of them no longer needs, another one does.

use super::*;
use crate::domain::calendar::{Calendar, Period};
use crate::domain::slo::Window;

/// `shop/it` counts requests; beside it `z/drop` compares their rate with that of some hours before.
fn beside_a_drop(hours: &[i64]) -> Catalog {
    let drop = Indicator::Slices(Sliced {
        judge: Judge::Drop {
            total: selector("requests_total"),
            at_most: Fraction::new(1, 10),
            compared_to: hours.iter().copied().map(Span::from_hours).collect(),
        },
        slice: Span::from_mins(1),
        missing: MissingData::Bad,
    });
    beside(|_| {}, "z/drop", drop)
}

/// Without one of the two.
fn without(uid: &str) -> Catalog {
    let mut catalog = beside_a_drop(&[1, 2]);
    catalog.slos.remove(&SloId::new(uid));
    catalog
}

/// A daemon that begins late with both, and has counted a part of their past.
fn in_the_midst() -> Daemon {
    let mut daemon = Daemon::with(beside_a_drop(&[1, 2]));
    daemon.tick(11 * HOUR);
    assert!(daemon.dig(Span::from_hours(1)));
    assert_eq!(daemon.state.walks.len(), 1, "they walk together");
    daemon
}

#[test]
fn a_walk_goes_on_for_those_that_are_still_defined() {
    let mut watcher = Daemon::with(beside_a_drop(&[1, 2]));
    watcher.ticks(30, 12 * HOUR);
    for how in [GoOver::Reload, GoOver::Restart] {
        for (changed, uid) in [
            (without("z/drop"), "shop/it"),
            (without("shop/it"), "z/drop"),
            (beside_a_drop(&[1, 3]), "shop/it"),
        ] {
            let mut daemon = in_the_midst();
            daemon.go_over(how, changed);
            daemon.tick(11 * HOUR + 30);
            daemon.digs();
            daemon.ticks(11 * HOUR + 60, 12 * HOUR);
            let found = difference_of(uid, &daemon, &watcher);
            assert_eq!(found, Vec::<String>::new(), "{how:?} {uid}");
        }
    }
}

#[test]
fn one_that_returns_walks_on_from_where_it_was() {
    let mut watcher = Daemon::with(beside_a_drop(&[1, 2]));
    watcher.ticks(30, 12 * HOUR);
    for how in [GoOver::Reload, GoOver::Restart] {
        for removed in ["z/drop", "shop/it"] {
            let mut daemon = in_the_midst();
            daemon.go_over(how, without(removed));
            daemon.tick(11 * HOUR + 30);
            // The other one counts all of its past meanwhile, or nothing of it.
            if removed == "z/drop" {
                daemon.digs();
            }
            daemon.ticks(11 * HOUR + 60, 11 * HOUR + 1_800);
            daemon.go_over(how, beside_a_drop(&[1, 2]));
            daemon.tick(11 * HOUR + 1_830);
            daemon.digs();
            daemon.ticks(11 * HOUR + 1_860, 12 * HOUR);
            for uid in ["shop/it", "z/drop"] {
                let found = difference_of(uid, &daemon, &watcher);
                assert_eq!(found, Vec::<String>::new(), "{how:?} {removed} {uid}");
            }
            daemon.restart();
            daemon.tick(12 * HOUR + 30);
            assert_eq!(daemon.digs(), 0, "{how:?} {removed}");
        }
    }
}

#[test]
fn the_past_reaches_as_far_back_as_the_longest_of_window_and_tiers() {
    let long = |hours: i64| {
        let mut catalog = catalog(requests());
        let slo = catalog.slos.get_mut(&SloId::new("shop/it")).unwrap();
        let month = Calendar::new(Period::Month, "UTC").unwrap();
        Arc::make_mut(slo).window = Window::Calendar(month);
        let policy = catalog.policies.get_mut("test").unwrap();
        for tier in &mut Arc::make_mut(policy).tiers {
            tier.long = Span::from_hours(hours);
        }
        catalog
    };
    let began = |daemon: &Daemon| daemon.slots_of("shop/it").into_keys().next();
    // The period has just begun.
    let mut daemon = Daemon::with(long(6));
    daemon.tick(FEBRUARY + 1_200);
    daemon.digs();
    let begins = |hours| Some(at(FEBRUARY + 1_500 - hours * HOUR));
    assert!(began(&daemon) <= begins(6), "{:?}", began(&daemon));
    daemon.go_over(GoOver::Reload, long(9));
    daemon.tick(FEBRUARY + 1_230);
    daemon.digs();
    assert!(began(&daemon) <= begins(9), "{:?}", began(&daemon));
}

/// When the second month of 1970 begins.
const FEBRUARY: i64 = 31 * 24 * HOUR;

#[test]
fn whoever_may_not_read_the_past_waits_for_it_no_longer() {
    let mut daemon = in_the_midst();
    for source in daemon.state.settings.sources.values_mut() {
        source.backfill_percent = 0;
    }
    let plan = Arc::clone(&daemon.state.plan);
    daemon.state.adopt(&plan);
    assert_eq!(daemon.state.behind().count(), 0);
    assert!(!daemon.dig(Span::from_hours(1)));
    // It is read once that is allowed again.
    daemon.restart();
    assert_eq!(daemon.state.behind().count(), 1);
}
