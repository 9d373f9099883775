//! A store that takes no commits for a while, as on a full disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use sloburn::clock::Clock;
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::store::Store as _;
use sloburn::store::memory::MemoryStore;

use crate::sim::{self, Daemon, Inbox, ONSET, Outage, Shop, World};

const TICK: Span = Span::from_secs(30);

/// When nobody is there to be paged.
const DEAD: TimeRange = TimeRange {
    from: Timestamp::from_millis(ONSET.as_millis() + 60_000),
    to: Timestamp::from_millis(ONSET.as_millis() + 300_000),
};

/// Plays ten minutes in which every second request fails. From their beginning on so many commits fail; three hours
/// later, when all is committed, the daemon is killed and started again.
async fn play(failing: u32) -> [Arc<Inbox>; 2] {
    let (team, pager) = (Arc::new(Inbox::default()), Arc::new(Inbox::dead(DEAD)));
    let outage = Outage {
        onset: ONSET,
        length: Span::from_mins(10),
        failing: 5_000,
    };
    let start = ONSET - Span::from_hours(1);
    let world = World {
        clock: Clock::simulated(start.to_jiff()),
        shop: Arc::new(Shop::new(start, outage)),
        catalog: Arc::new(sim::catalog("30d", TICK)),
        tick: TICK,
        receivers: BTreeMap::from([("team", Arc::clone(&team)), ("pager", Arc::clone(&pager))]),
    };
    let mut daemon = Daemon::start(&world, MemoryStore::default()).await;
    daemon.run_until(ONSET).await;
    daemon.store.fail_next_commits(failing);
    daemon.sleep_until(ONSET + Span::from_mins(90)).await;
    assert_eq!(daemon.store_error().is_some(), failing > 0);
    daemon.sleep_until(ONSET + Span::from_secs(10_810)).await;
    assert_eq!(daemon.store_error(), None);
    let left = daemon.store.survivors();
    drop(daemon);
    let waiting = left.due(Timestamp::from_millis(i64::MAX)).await.unwrap();
    assert!(waiting.is_empty(), "{waiting:?}");
    let mut daemon = Daemon::start(&world, left).await;
    daemon.sleep_until(ONSET + Span::from_hours(4)).await;
    daemon.stop().await;
    [team, pager]
}

#[tokio::test(start_paused = true)]
async fn row_59_alerts_are_told_from_memory_while_the_disk_is_full_and_not_again_when_it_is_not() {
    let [team, pager] = play(240).await;
    let lines = team.lines();
    let listed = lines.iter().map(|(at, told)| format!("{at} {told}"));
    insta::assert_snapshot!(listed.collect::<Vec<_>>().join("\n"), @r"
    30 1 opened ticket
    60 2 rose page
    3300 3 fell ticket
    ");
    assert!(team.late().is_empty(), "{:?}", team.late());
    assert_eq!(pager.lines(), lines);
    // The oracle is a store that never fails.
    let [undisturbed, unpaged] = play(0).await;
    assert_eq!(lines, undisturbed.lines());
    assert_eq!(pager.late(), unpaged.late());
}
