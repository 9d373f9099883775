//! The demo's pace: how many times faster than ours its clock runs.

use std::fmt;
use std::time::Duration;

use crate::domain::time::Span;

/// How many times faster than a person's the demo's clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace(u32);

impl Pace {
    /// Thirty days are an hour.
    pub const USUAL: Self = Self(720);

    /// Between 1 and 100,000 times.
    pub const fn new(times: u32) -> Option<Self> {
        if times == 0 || times > 100_000 {
            return None;
        }
        Some(Self(times))
    }

    /// How many times.
    pub const fn times(self) -> u32 {
        self.0
    }

    /// How much passes on the demo's clock while a person waits.
    pub fn on_the_clock(self, waited: Duration) -> Span {
        Span::from(waited * self.0)
    }

    /// How long a person waits for so much on the demo's clock.
    pub fn waited(self, span: Span) -> Duration {
        span.to_std() / self.0
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A person's wait in words: to the tenth of a second below a minute.
pub fn words(waited: Duration) -> String {
    let tenths = (waited.as_millis() + 50) / 100;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = (tenths + 5) / 10;
    match (seconds / 60, seconds % 60) {
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_our_minutes_are_a_day() {
        let pace = Pace::USUAL;
        assert_eq!(
            pace.on_the_clock(Duration::from_mins(2)),
            Span::from_days(1)
        );
        assert_eq!(pace.waited(Span::from_days(30)), Duration::from_hours(1));
        assert_eq!((Pace::new(0), Pace::new(100_001)), (None, None));
        for (millis, told) in [
            (40, "0.0 s"),
            (850, "0.9 s"),
            (59_900, "59.9 s"),
            (60_000, "1 min"),
            (95_400, "1 min 35 s"),
        ] {
            assert_eq!(words(Duration::from_millis(millis)), told);
        }
    }
}
