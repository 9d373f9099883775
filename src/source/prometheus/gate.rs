//! Who may ask, and when: few at once and fewer after a 429, nobody while the server wants a pause, and one alone
//! while the source fails.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::domain::time::Span;
use crate::source::error::Failure;

use super::answer::Refusal;
use super::circuit::{Circuit, Entry};
use super::crowd::Crowd;

/// Nobody may blind us for longer than this with one answer.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Lets reads through.
#[derive(Debug)]
pub(super) struct Gate {
    places: Semaphore,
    inner: Mutex<Inner>,
    /// Told when somebody who tried alone has come back.
    tried: Notify,
}

#[derive(Debug)]
struct Inner {
    pause: Option<Pause>,
    circuit: Circuit,
    crowd: Crowd,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Instant,
    length: Duration,
}

/// A read's place among those under way, given back when dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    gate: &'a Gate,
    /// `None` only if the semaphore were closed, which nobody does.
    permit: Option<SemaphorePermit<'a>>,
    /// Whether it tries alone, and nobody knows yet what comes of it.
    probes: bool,
    round: u64,
}

impl Gate {
    /// A gate for `places` reads at once.
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places),
            inner: Mutex::new(Inner {
                pause: None,
                circuit: Circuit::new(),
                crowd: Crowd::new(places),
            }),
            tried: Notify::new(),
        }
    }

    /// Waits for a place; fails at once while there is a pause, or while the source fails.
    pub(super) async fn enter(&self) -> Result<Place<'_>, Failure> {
        let mut place = Place {
            gate: self,
            permit: None,
            probes: false,
            round: 0,
        };
        loop {
            let tried = self.tried.notified();
            let entry = {
                let mut inner = self.lock();
                inner.check_pause()?;
                place.round = inner.crowd.round();
                if place.probes {
                    Entry::Probe
                } else {
                    inner.circuit.enter(Instant::now())
                }
            };
            match entry {
                Entry::Fail(failure) => return Err(failure),
                Entry::Wait => {
                    place.permit = None;
                    tried.await;
                }
                Entry::Go | Entry::Probe if place.permit.is_some() => {
                    place.probes |= entry == Entry::Probe;
                    return Ok(place);
                }
                Entry::Go | Entry::Probe => {
                    place.probes |= entry == Entry::Probe;
                    // Those before us may change what holds while we wait, so it is asked again.
                    place.permit = self.places.acquire().await.ok();
                    if place.permit.is_none() {
                        return Ok(place);
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn check_pause(&self) -> Result<(), Failure> {
        match self.pause {
            Some(pause) if Instant::now() < pause.until => Err(Failure::RateLimited {
                pause: Some(Span::from(pause.length)),
            }),
            _ => Ok(()),
        }
    }

    /// Lets nobody in for as long as the server asked, within reason; says how long that is.
    fn shut_for(&mut self, asked: Duration) -> Span {
        let length = asked.min(LONGEST_PAUSE);
        let until = Instant::now() + length;
        if self.pause.is_none_or(|pause| pause.until < until) {
            self.pause = Some(Pause { until, length });
        }
        Span::from(length)
    }
}

impl Place<'_> {
    /// Whether it tries alone, while the source fails.
    pub(super) const fn is_probe(&self) -> bool {
        self.probes
    }

    /// Notes that an answer came, good or not: the source is there.
    pub(super) fn answered(&mut self) {
        let mut inner = self.gate.lock();
        inner.circuit.answered();
        if inner.crowd.answered() {
            self.gate.places.add_permits(1);
        }
        drop(inner);
        self.tried();
    }

    /// Notes what a refusal says about the source; what is left is the failure of the read.
    pub(super) fn refused(&mut self, refusal: Refusal) -> Failure {
        let Refusal { failure, pause } = refusal;
        match failure {
            Failure::RateLimited { .. } => {
                let pause = self.too_many(pause);
                return Failure::RateLimited { pause };
            }
            _ if failure.is_of_the_source() => self.failed(&failure),
            _ if failure.is_an_answer() => self.answered(),
            // It may have been too much to ask, which says nothing about the source.
            _ => {}
        }
        failure
    }

    /// Notes that the source failed, whatever it was asked.
    fn failed(&mut self, failure: &Failure) {
        let (probes, now) = (self.probes, Instant::now());
        self.gate
            .lock()
            .circuit
            .failed(probes, failure, now, chance());
        self.tried();
    }

    /// Notes a 429; says for how long nothing is asked, if the server said so.
    fn too_many(&mut self, asked: Option<Duration>) -> Option<Span> {
        let mut inner = self.gate.lock();
        inner.circuit.answered();
        inner.crowd.too_many(self.round);
        let pause = asked.map(|asked| inner.shut_for(asked));
        drop(inner);
        self.tried();
        pause
    }

    fn tried(&mut self) {
        if std::mem::take(&mut self.probes) {
            self.gate.tried.notify_waiters();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut inner = self.gate.lock();
        if self.probes {
            inner.circuit.abandoned(Instant::now());
        }
        if let Some(permit) = self.permit.take()
            && inner.crowd.takes_back()
        {
            permit.forget();
        }
        drop(inner);
        self.tried();
    }
}

/// From 0 to 1. The hasher's random keys are chance enough to keep reads and daemons apart.
pub(super) fn chance() -> f64 {
    let number = RandomState::new().hash_one(()) % 1_024;
    f64::from(u16::try_from(number).unwrap_or_default()) / 1_024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Failure {
        Failure::Unreachable {
            reason: "connection refused".into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_as_long_as_asked_and_never_for_hours() {
        for (asked, held) in [(30, 30), (86_400, 300)] {
            let gate = Gate::new(1);
            let told = |asked| Some(Duration::from_secs(asked));
            let pause = gate.enter().await.unwrap().too_many(told(asked));
            assert_eq!(pause, Some(Span::from(Duration::from_secs(held))));
            gate.lock().shut_for(Duration::from_secs(1));
            let told = Failure::RateLimited { pause };
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
        let mut first = gate.enter().await.unwrap();
        let (second, ()) = tokio::join!(gate.enter(), async {
            tokio::task::yield_now().await;
            first.too_many(Some(Duration::from_secs(9)));
            drop(first);
        });
        assert!(matches!(second, Err(Failure::RateLimited { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn while_a_source_fails_one_tries_and_the_others_share_what_comes_of_it() {
        let gate = Gate::new(8);
        for _ in 0..3 {
            gate.enter().await.unwrap().failed(&refused());
        }
        assert_eq!(gate.enter().await.unwrap_err(), refused());
        for good in [false, true] {
            tokio::time::advance(Duration::from_mins(1)).await;
            let mut probe = gate.enter().await.unwrap();
            assert!(probe.is_probe());
            let (one, other, ()) = tokio::join!(gate.enter(), gate.enter(), async {
                tokio::task::yield_now().await;
                if good {
                    probe.answered();
                } else {
                    probe.failed(&refused());
                }
            });
            for shared in [one, other] {
                match shared {
                    Ok(place) => assert!(good && !place.is_probe()),
                    Err(failure) => assert!(!good && failure == refused()),
                }
            }
        }
        gate.enter().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_tries_and_is_called_off_leaves_it_to_the_next() {
        let gate = Gate::new(8);
        for _ in 0..3 {
            gate.enter().await.unwrap().failed(&refused());
        }
        tokio::time::advance(Duration::from_mins(1)).await;
        let probe = gate.enter().await.unwrap();
        let (next, ()) = tokio::join!(gate.enter(), async { drop(probe) });
        assert!(next.unwrap().is_probe());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_429_fewer_are_let_in_until_it_goes_well_again() {
        let gate = Gate::new(4);
        let mut crowd = Vec::new();
        for _ in 0..4 {
            crowd.push(gate.enter().await.unwrap());
        }
        for mut place in crowd {
            assert_eq!(place.too_many(None), None);
        }
        assert_eq!(gate.places.available_permits(), 2);
        for _ in 0..5 {
            gate.enter().await.unwrap().answered();
        }
        assert_eq!(gate.places.available_permits(), 4);
    }
}
