//! How many queries may be under way at once, and the pause that a server asked for.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::domain::time::Span;
use crate::source::error::Failure;

/// Nobody may blind us for longer than this with one answer.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Lets reads through, a few at a time, and none during a pause.
#[derive(Debug)]
pub(super) struct Gate {
    places: Semaphore,
    pause: Mutex<Option<Pause>>,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Instant,
    length: Duration,
}

/// A read's place among those under way, given back when dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// `None` only if the semaphore were closed, which nobody does.
    _permit: Option<SemaphorePermit<'a>>,
}

impl Gate {
    /// A gate for `places` reads at once.
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places),
            pause: Mutex::new(None),
        }
    }

    /// Waits for a place; fails at once while there is a pause.
    pub(super) async fn enter(&self) -> Result<Place<'_>, Failure> {
        self.check()?;
        let permit = self.places.acquire().await.ok();
        // Those before us may have been told to pause while we waited.
        self.check()?;
        Ok(Place { _permit: permit })
    }

    /// Lets nobody in for as long as the server asked, within reason; says how long that is.
    pub(super) fn shut_for(&self, asked: Duration) -> Span {
        let length = asked.min(LONGEST_PAUSE);
        let until = Instant::now() + length;
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if pause.is_none_or(|pause| pause.until < until) {
            *pause = Some(Pause { until, length });
        }
        Span::from(length)
    }

    fn check(&self) -> Result<(), Failure> {
        let pause = *self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        match pause {
            Some(pause) if Instant::now() < pause.until => Err(Failure::RateLimited {
                pause: Some(Span::from(pause.length)),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_as_long_as_asked_and_never_for_hours() {
        for (asked, held) in [(30, 30), (86_400, 300)] {
            let gate = Gate::new(1);
            let pause = gate.shut_for(Duration::from_secs(asked));
            assert_eq!(pause, Span::from(Duration::from_secs(held)));
            gate.shut_for(Duration::from_secs(1));
            let told = Failure::RateLimited { pause: Some(pause) };
            assert_eq!(gate.enter().await.unwrap_err(), told);
            tokio::time::advance(Duration::from_millis(held * 1_000 - 1)).await;
            assert_eq!(gate.enter().await.unwrap_err(), told);
            tokio::time::advance(Duration::from_millis(1)).await;
            gate.enter().await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_for_a_place_is_told_of_the_pause() {
        let gate = Gate::new(1);
        let first = gate.enter().await.unwrap();
        let (second, ()) = tokio::join!(gate.enter(), async {
            tokio::task::yield_now().await;
            gate.shut_for(Duration::from_secs(9));
            drop(first);
        });
        assert!(matches!(second, Err(Failure::RateLimited { .. })));
    }
}
