//! What the store is left with after long stops, removals and returns: all that was counted.

use super::*;
use crate::domain::slo::{Catalog, Slo, SloId};
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
    /// Whether the source fails.
    fails: bool,
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

/// The same beside one with a short window, which stays.
fn beside(days: i64) -> Catalog {
    let mut both = over(days);
    let mut other = Slo::clone(&both.slos[&SloId::new("shop/it")]);
    other.uid = SloId::new("z/stays");
    (other.id, other.counted_as) = (other.uid.clone(), other.uid.clone());
    other.window = Window::Rolling(Span::from_days(1));
    both.slos.insert(other.uid.clone(), Arc::new(other));
    both
}

fn without_it() -> Catalog {
    let mut one = beside(1);
    one.slos.remove(&SloId::new("shop/it"));
    one
}

impl Kept {
    fn new(catalog: Catalog) -> Self {
        Self {
            run: Run::new(catalog),
            world: shop(HOUR, 2 * HOUR, 2),
            store: MemoryStore::default(),
            fails: false,
        }
    }

    /// Ticks in `(from, to]`, whatever was before, committed one after the other.
    async fn ticks(&mut self, from: i64, to: i64) {
        self.fetch(from + 30).await;
        self.run.state.leap(at(from + 30));
        for second in (from..to).step_by(30) {
            let fails = self.fails;
            let fault = |_| fails.then(|| Reading::Failed("cannot reach it".into()));
            self.run.ticks(&self.world, second, second + 30, fault);
            self.commit().await;
        }
    }

    async fn commit(&mut self) {
        let commit = std::mem::take(&mut self.run.kept);
        self.store.commit(&commit).await.unwrap();
    }

    /// Counts all of the past that is missing.
    async fn dig(&mut self) {
        while self.run.dig(&self.world, Span::from_hours(24)) {
            self.commit().await;
        }
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

/// History is shorter than its window, and what it counted is forgotten while nobody defines it.
#[tokio::test]
async fn what_was_forgotten_of_an_objective_while_it_was_away_is_counted_again() {
    const BEGIN: i64 = 100 * DAY;
    for (restarts, fails) in [(false, false), (true, false), (true, true)] {
        let mut kept = Kept::new(beside(20));
        kept.world.scrape = 60;
        let history = Span::from_days(5);
        kept.run.state.settings.history = history;
        kept.ticks(BEGIN, BEGIN + 60).await;
        kept.dig().await;
        kept.run.reload(without_it());
        let back = BEGIN + DAY + HOUR;
        kept.ticks(back, back + 60).await;
        kept.dig().await;
        if restarts {
            kept.restart(back + 60).await;
            kept.run.state.settings.history = history;
        }
        kept.run.reload(beside(20));
        kept.fails = fails;
        kept.ticks(back + 60, back + 90).await;
        kept.fails = false;
        kept.ticks(back + 90, back + 150).await;
        kept.dig().await;
        kept.ticks(back + 150, back + 180).await;
        let window = kept.run.status("shop/it").window;
        let length = window.range.to.since(window.range.from).as_secs_f64();
        assert_eq!(window.counts.total, length * 100.0, "{restarts} {fails}");
    }
}
