//! How far our clock is from the server's, as the `Date` of its answers tells: to a second at first, and closer with
//! each answer.

use std::sync::{Mutex, PoisonError};

use reqwest::header::{DATE, HeaderMap};

use crate::clock::Clock;
use crate::domain::time::{Span, Timestamp};
use crate::source::Skew;

/// `Date` is in whole seconds, rounded down.
const GRAIN: Span = Span::from_secs(1);

/// What is known of the server's clock. It is compared with how much time passes here, so that whoever sets our clock
/// changes nothing of it.
#[derive(Debug)]
pub(super) struct ServerClock {
    clock: Clock,
    /// What the server's clock showed when nothing had passed here: between these.
    began: Mutex<Option<(Timestamp, Timestamp)>>,
}

impl ServerClock {
    pub(super) const fn new(clock: Clock) -> Self {
        Self {
            clock,
            began: Mutex::new(None),
        }
    }

    /// The moment at which a question is sent.
    pub(super) fn asks(&self) -> Span {
        Span::from(self.clock.passed())
    }

    /// Takes in the head of the answer to a question that was sent at `asked`.
    pub(super) fn answers(&self, asked: Span, headers: &HeaderMap) {
        let answered = self.asks();
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let Some(date) = date.map(|date| Timestamp::from(date.timestamp())) else {
            return;
        };
        let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        *began = Some(closer(*began, (date - answered, date + GRAIN - asked)));
    }

    /// How far our clock is ahead of the server's now; nothing before it has answered.
    pub(super) fn skew(&self) -> Option<Skew> {
        let began = *self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let (earliest, latest) = began?;
        let ours = Timestamp::from(self.clock.now()) - self.asks();
        Some(Skew {
            least: ours.since(latest),
            most: ours.since(earliest),
        })
    }
}

/// What two answers say together. Where they contradict each other a clock was set, or has drifted: the newer one holds.
fn closer(
    known: Option<(Timestamp, Timestamp)>,
    (earliest, latest): (Timestamp, Timestamp),
) -> (Timestamp, Timestamp) {
    let both = known.map(|(from, to)| (from.max(earliest), to.min(latest)));
    let both = both.filter(|(from, to)| from <= to);
    both.unwrap_or((earliest, latest))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    fn dated(date: &str) -> HeaderMap {
        let date = HeaderValue::from_str(&format!("Sun, 01 Mar 2026 {date} GMT")).unwrap();
        HeaderMap::from_iter([(DATE, date)])
    }

    #[test]
    fn answers_tell_the_difference_of_the_clocks_ever_closer() {
        let (hand, clock) = Clock::driven(at("2026-03-01T12:00:00Z"));
        let server = ServerClock::new(clock);
        assert_eq!(server.skew(), None);
        // When it was asked and answered by our clock, its date, and the least and the most that we are ahead.
        for (asked, answered, date, least, most) in [
            ("12:00:00", "12:00:00", "12:00:00", -1_000, 0),
            ("12:00:01.900", "12:00:01.900", "12:00:01", -100, 0),
            ("12:00:02", "12:00:12", "12:00:05", -100, 0),
            ("12:01:00", "12:01:00", "12:00:20", 39_000, 40_000),
            ("12:01:00.600", "12:01:00.700", "12:00:20", 39_600, 40_000),
            ("12:01:01", "12:01:01", "no date", 39_600, 40_000),
            ("12:01:02", "12:01:02", "12:05:00", -239_000, -238_000),
        ] {
            hand.move_to(at(&format!("2026-03-01T{asked}Z")));
            let sent = server.asks();
            hand.move_to(at(&format!("2026-03-01T{answered}Z")));
            server.answers(sent, &dated(date));
            let [least, most] = [least, most].map(Span::from_millis);
            assert_eq!(server.skew(), Some(Skew { least, most }), "{asked}");
        }
        hand.set_to(at("2026-03-01T12:06:02Z"));
        let skew = server.skew().unwrap();
        assert_eq!(skew.most, Span::from_secs(62), "it was ours that was set");
    }
}
