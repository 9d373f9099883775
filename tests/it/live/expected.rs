//! When tiers must fire and clear, from the known traffic alone: a slow look at every millisecond.

use sloburn::domain::time::{Span, Timestamp};

use crate::support::exporter::Change;

/// What a tier looks at: its two windows and the share of bad events above which it fires.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tier {
    pub(super) long: Span,
    pub(super) short: Span,
    pub(super) limit: f64,
}

/// Longer than anything that a test waits for.
const HORIZON: i64 = 120_000;

impl Tier {
    /// The first millisecond from `start` on at which both windows are above the limit.
    pub(super) fn fires(self, changes: &[Change], start: Timestamp) -> Timestamp {
        first(start, |at| self.burns(changes, at))
    }

    /// The first millisecond from `start` on at which they are no longer.
    pub(super) fn clears(self, changes: &[Change], start: Timestamp) -> Timestamp {
        first(start, |at| !self.burns(changes, at))
    }

    fn burns(self, changes: &[Change], at: Timestamp) -> bool {
        let mut windows = [self.long, self.short].into_iter();
        windows.all(|window| bad_share(changes, at - window, at) > self.limit)
    }
}

fn first(start: Timestamp, holds: impl Fn(Timestamp) -> bool) -> Timestamp {
    (0..HORIZON)
        .map(|millis| start + Span::from_millis(millis))
        .find(|at| holds(*at))
        .expect("it happens within two minutes")
}

/// The share of bad events among those within (`from`, `to`].
fn bad_share(changes: &[Change], from: Timestamp, to: Timestamp) -> f64 {
    let ends = changes.iter().skip(1).map(|next| next.at).chain([to]);
    let (mut bad, mut total) = (0.0, 0.0);
    for (change, end) in changes.iter().zip(ends) {
        let within = end.min(to).since(change.at.max(from)).as_secs_f64();
        let events = change.rate * within.max(0.0);
        total += events;
        bad += events * change.share;
    }
    bad / total
}

#[test]
fn a_step_of_errors_fires_and_clears_when_the_closed_forms_say() {
    let change = |second: i64, share| Change {
        at: Timestamp::from_millis(second * 1_000),
        rate: 1_000.0,
        share,
    };
    let changes = [
        change(0, 0.0),
        change(100, 0.01),
        change(160, 0.2),
        change(220, 0.0),
    ];
    let tier = |limit| Tier {
        long: Span::from_mins(1),
        short: Span::from_secs(10),
        limit,
    };
    let (ticket, page) = (tier(0.003), tier(0.0144));
    let start = |second: i64| Timestamp::from_millis(second * 1_000);
    // Long window × limit ÷ share; at the rise 1 % is in the window already; short window × (1 − limit ÷ share).
    for (at, second) in [
        (ticket.fires(&changes, start(100)), 118.0),
        (page.fires(&changes, start(160)), 160.0 + 60.0 * 0.44 / 19.0),
        (page.clears(&changes, start(220)), 229.28),
        (ticket.clears(&changes, start(220)), 229.85),
    ] {
        let off = at.since(start(0)).as_secs_f64() - second;
        assert!((-0.001..=0.002).contains(&off), "{second}: off by {off}");
    }
}
