//! Tiers whose windows are above, and which start no alarm: not all that they hold is known for sure.

use super::*;
use crate::domain::policy::HeldBack;
use crate::domain::slo::Catalog;
use crate::status::snapshot::SloStatus;

/// The catalog of `requests`, its tiers with other windows.
fn tiers(long: Span, short: Span) -> Catalog {
    let mut catalog = catalog(requests());
    let policy = catalog.policies.get_mut("test").unwrap();
    for tier in &mut Arc::make_mut(policy).tiers {
        (tier.long, tier.short) = (long, short);
    }
    catalog
}

/// The alert, and what holds the ticket's tier back.
fn told(status: &SloStatus) -> (Option<Severity>, Option<HeldBack>) {
    (status.alert, status.tiers[0].held_back)
}

/// Nothing is scraped for a while: what fails meanwhile starts nothing, and what fails afterwards does, while the
/// gap is still in the short window.
#[test]
fn what_goes_on_after_a_gap_is_not_held_back() {
    let world = |fails_to: i64| {
        let world = shop(7_200, fails_to, 2);
        let with_gap = |(labels, value): (Labels, Value)| -> (Labels, Value) {
            let seen = move |second, read| {
                let is_gap = (7_200..7_320).contains(&second);
                value(second, read).filter(|_| !is_gap)
            };
            (labels, Box::new(seen))
        };
        World {
            series: world.series.into_iter().map(with_gap).collect(),
            scrape: 15,
        }
    };
    for (fails_to, alert, held) in [
        (7_320, None, Some(HeldBack::Spread)),
        (9_000, Some(Severity::Page), None),
    ] {
        let mut run = Run::new(tiers(Span::from_mins(10), Span::from_mins(5)));
        let status = run.ticks(&world(fails_to), 0, 7_440, healthy);
        assert_eq!(told(status), (alert, held), "{fails_to}");
    }
}

/// Of an hour eight minutes are read: a few failures in the last of them are much of these, and little of the hour.
#[test]
fn a_window_that_is_not_read_yet_starts_an_alarm_only_whatever_the_rest_holds() {
    const NOW: i64 = 100 * 3_600;
    for (one_in, first, then) in [
        (10, (None, Some(HeldBack::Unread)), (None, None)),
        (
            1,
            (Some(Severity::Ticket), None),
            (Some(Severity::Ticket), None),
        ),
    ] {
        let world = shop(NOW - 240, NOW + 600, one_in);
        let mut run = Run::new(tiers(Span::from_hours(1), Span::from_mins(1)));
        assert_eq!(
            told(run.ticks(&world, NOW - 30, NOW, healthy)),
            first,
            "1 in {one_in}"
        );
        while run.dig(&world, Span::from_hours(6)) {}
        assert_eq!(
            told(run.ticks(&world, NOW, NOW + 30, healthy)),
            then,
            "1 in {one_in}"
        );
    }
}
