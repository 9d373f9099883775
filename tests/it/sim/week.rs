//! A week of ticks with an outage, a receiver that is dead for a day, and a daemon that is killed while an incident
//! is open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sloburn::clock::Clock;
use sloburn::domain::slot::Counts;
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::store::memory::MemoryStore;

use super::{Daemon, Inbox, ONSET, Outage, Shop, World};

pub(crate) const TICK: Span = Span::from_secs(30);
pub(crate) const LENGTH: Span = Span::from_days(7);

/// A day and a half before the outage.
pub(crate) const START: Timestamp = Timestamp::from_millis(ONSET.as_millis() - 36 * 3_600_000);

/// From two hours after the onset: an hour before the errors stop.
const DEAD: (Span, Span) = (Span::from_hours(2), Span::from_hours(26));

/// Killed after a tick, and back a little after the next one was due.
const KILLED: Span = Span::from_secs(5_420);
const BACK: Span = Span::from_secs(5_435);

/// What came of it.
#[derive(Debug)]
pub(crate) struct Week {
    /// The ticks that were judged, in their order.
    pub(crate) judged: Vec<Timestamp>,
    /// How tiers changed.
    pub(crate) tiers: BTreeSet<(i64, String)>,
    /// What the 30 days before the last tick hold.
    pub(crate) counts: Counts,
    pub(crate) team: Arc<Inbox>,
    pub(crate) pager: Arc<Inbox>,
}

/// Plays the week; needs tokio's clock to be paused.
pub(crate) async fn play() -> Week {
    let team = Arc::new(Inbox::default());
    let pager = Arc::new(Inbox::dead(TimeRange {
        from: ONSET + DEAD.0,
        to: ONSET + DEAD.1,
    }));
    let outage = Outage {
        onset: ONSET,
        length: Span::from_hours(3),
        failing: 200,
    };
    let world = World {
        clock: Clock::simulated(START.to_jiff()),
        shop: Arc::new(Shop::new(START, outage)),
        catalog: Arc::new(super::catalog("30d", TICK)),
        tick: TICK,
        receivers: BTreeMap::from([("team", Arc::clone(&team)), ("pager", Arc::clone(&pager))]),
    };
    let mut first = Daemon::start(&world, MemoryStore::default()).await;
    first.run_until(ONSET + KILLED).await;
    let (store, mut judged) = (Arc::clone(&first.store), std::mem::take(&mut first.judged));
    drop(first);
    world.clock.sleep_until((ONSET + BACK).to_jiff()).await;

    let mut second = Daemon::start(&world, store.survivors()).await;
    second
        .run_until(START + LENGTH - Span::from_millis(1))
        .await;
    judged.append(&mut second.judged);
    let mut tiers = store.lines();
    tiers.append(&mut second.store.lines());
    let counts = second.counts();
    second.stop().await;
    Week {
        judged,
        tiers,
        counts,
        team,
        pager,
    }
}
