//! What the store is left with after long stops, removals and returns: all that was counted.

use super::*;
use crate::domain::slo::Catalog;
use crate::domain::slot::Counts;
use crate::domain::time::{TimeRange, Timestamp};
use crate::engine::past::needed_from;
use crate::ledger::chunk::Chunk;
use crate::series::plan::Plan;
use crate::store::Store;
use crate::store::memory::MemoryStore;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Up to here it is watched, until it is stopped for long.
const STOP: i64 = 3 * HOUR;

/// An engine whose commits go to a store, and that begins anew from there.
struct Kept {
    run: Run,
    world: World,
    store: MemoryStore,
}

/// How the days between are spent.
#[derive(Clone, Copy, Debug)]
enum Away {
    Stopped,
    Suspended,
    Undefined,
}

fn over(days: i64) -> Catalog {
    let mut catalog = catalog(requests());
    for slo in catalog.slos.values_mut() {
        Arc::make_mut(slo).window = Window::Rolling(Span::from_days(days));
    }
    catalog
}

impl Kept {
    fn new(catalog: Catalog) -> Self {
        Self {
            run: Run::new(catalog),
            world: shop(HOUR, 2 * HOUR, 2),
            store: MemoryStore::default(),
        }
    }

    /// Ticks in `(from, to]`, whatever was before, committed one after the other.
    async fn ticks(&mut self, from: i64, to: i64) {
        self.fetch(from + 30).await;
        self.run.state.leap(at(from + 30));
        for second in (from..to).step_by(30) {
            self.run.ticks(&self.world, second, second + 30, healthy);
            self.commit().await;
        }
    }

    async fn commit(&mut self) {
        let commit = std::mem::take(&mut self.run.kept);
        self.store.commit(&commit).await.unwrap();
    }

    async fn fetch(&mut self, second: i64) {
        for (meter, range) in self.run.state.past_missing(at(second)) {
            let chunks = self.store.past(&meter, range).await.unwrap();
            self.run.state.take_missing(&meter, range, chunks);
        }
    }

    async fn restart(&mut self, second: i64) {
        let plan = Arc::new(Plan::of(&self.run.catalog, TICK).unwrap());
        let from = needed_from(&self.run.catalog, at(second));
        let recovered = self.store.recover(from).await.unwrap();
        self.run.state = State::new(settings(), &plan, recovered);
        self.run.state.leave_before(from);
    }

    /// What the store has of the first hours.
    async fn stored(&self) -> Counts {
        let (from, to) = (at(0), at(STOP - HOUR));
        let everything = TimeRange {
            from: Timestamp::EARLIEST,
            to,
        };
        let key = &self.run.state.meters[0].key;
        let chunks = self.store.past(key, everything).await.unwrap();
        let slots = chunks.iter().flat_map(|(_, chunk)| Chunk::slots(chunk));
        let own = slots.filter(|(end, _)| TimeRange { from, to }.contains(*end));
        own.fold(Counts::default(), |sum, (_, slot)| sum.plus(slot.counts))
    }
}

#[tokio::test]
async fn what_was_counted_before_a_long_stop_is_kept_though_no_window_reaches_it() {
    for away in [Away::Stopped, Away::Suspended, Away::Undefined] {
        let mut kept = Kept::new(over(7));
        kept.ticks(0, STOP).await;
        let counted = kept.stored().await;
        assert_eq!(counted.bad, 180_000.0);
        let back = 10 * DAY;
        match away {
            Away::Stopped => kept.restart(back).await,
            Away::Suspended => {}
            Away::Undefined => {
                kept.run.state.adopt(&Arc::default());
                kept.run.reload(over(7));
            }
        }
        kept.ticks(back, back + HOUR).await;
        assert_eq!(kept.stored().await, counted, "{away:?}");
        // And a window that is made longer has it.
        kept.run.reload(over(30));
        kept.ticks(back + HOUR, back + HOUR + 60).await;
        let bad = kept.run.status("shop/it").window.counts.bad;
        assert_eq!(bad, counted.bad, "{away:?}");
    }
}
