//! How old a snapshot is: an engine that no longer ticks must not look healthy.

use crate::domain::time::{Span, Timestamp};

use super::snapshot::Snapshot;

/// How many ticks may be missed before what is shown counts as stale.
const MISSED: i64 = 3;

/// How old a snapshot is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The snapshot's tick; `None` before the first one.
    pub at: Option<Timestamp>,
    /// How long ago that was.
    pub age: Option<Span>,
    /// Whether more than three ticks are missing, or there was none yet.
    pub stale: bool,
}

impl Freshness {
    /// How old `snapshot` is at `now`. A tick is run `offset` after its own time, so that much age
    /// is no delay. One of a time that is still to come says as little as an old one: the clock was
    /// set back, and no tick is run before it gets there again.
    pub fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        let age = snapshot.at.map(|at| now.since(at));
        let limit = Span::from_millis(snapshot.tick.as_millis().saturating_mul(MISSED));
        Self {
            at: snapshot.at,
            age,
            stale: age.is_none_or(|age| {
                age - snapshot.offset > limit || age - snapshot.offset < Span::ZERO - limit
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_three_missed_ticks_are_stale_and_so_is_nothing_at_all() {
        let at = Timestamp::from_millis(1_000_000);
        let snapshot = Snapshot {
            at: Some(at),
            tick: Span::from_secs(30),
            offset: Span::from_secs(15),
            ..Snapshot::default()
        };
        for (age, stale) in [
            (0, false),
            (105_000, false),
            (105_001, true),
            (-5, false),
            (-75_000, false),
            (-75_001, true),
        ] {
            let now = at + Span::from_millis(age);
            let expected = Freshness {
                at: Some(at),
                age: Some(Span::from_millis(age)),
                stale,
            };
            assert_eq!(Freshness::of(&snapshot, now), expected, "{age}");
        }
        let nothing = Freshness::of(&Snapshot::default(), at);
        assert!(nothing.stale && nothing.age.is_none());
    }
}
