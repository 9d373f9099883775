//! The moment that `--at` means.

use crate::clock::Clock;
use crate::domain::time::{Span, Timestamp};

/// Nothing is known of a time that has not come.
#[derive(Debug, thiserror::Error)]
#[error("`--at` lies in the future (now is {now})")]
pub(super) struct Future {
    now: Timestamp,
}

/// A time, or a length of time before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Time(Timestamp),
    Ago(Span),
}

impl At {
    /// Reads `2026-03-01T12:00:00Z` or `2h`, for which some write `-2h`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let length = text.trim().trim_end_matches("ago").trim_end();
        let length = length.strip_prefix('-').unwrap_or(length);
        if let Ok(ago) = length.parse() {
            return Ok(Self::Ago(ago));
        }
        let time = text.parse::<jiff::Timestamp>();
        time.map(|time| Self::Time(time.into()))
            .map_err(|_| lack(text.trim()))
    }

    /// The time that is meant.
    pub(super) fn time(self) -> Result<Timestamp, Future> {
        self.as_of(Clock::System.now().into())
    }

    fn as_of(self, now: Timestamp) -> Result<Timestamp, Future> {
        match self {
            Self::Time(at) if at > now => Err(Future {
                now: now.floor_to(Span::from_secs(1)),
            }),
            Self::Time(at) => Ok(at),
            Self::Ago(ago) => Ok(now - ago),
        }
    }
}

/// A smaller number stands for no second since 1970 that anybody means.
const SECONDS: i64 = 1_000_000_000;

/// What a time lacks that is none.
fn lack(text: &str) -> String {
    if let Ok(second) = text.parse::<i64>()
        && second >= SECONDS
        && let Ok(time) = jiff::Timestamp::from_second(second)
    {
        return format!("write it as {time}, or how long ago as 2h");
    }
    if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
        let utc = time.strftime("%Y-%m-%dT%H:%M:%SZ");
        return format!("the time zone is missing; write {utc} if UTC is meant");
    }
    if text.parse::<jiff::civil::Time>().is_ok() {
        return format!(
            "the day is missing; write it as 2026-03-01T{text}Z, or how long ago as 2h"
        );
    }
    "write a time as 2026-03-01T12:00:00Z, or how long ago as 2h".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_so_long_ago() {
        let hours = |hours| Ok(At::Ago(Span::from_hours(hours)));
        assert_eq!(At::read("2h"), hours(2));
        assert_eq!(At::read("2h ago"), hours(2));
        assert_eq!(At::read("-2h"), hours(2));
        let time = Timestamp::from_millis(1_772_366_400_000);
        assert_eq!(At::read("2026-03-01T12:00:00Z"), Ok(At::Time(time)));
        let told = |text: &str| format!("{text}: {}", At::read(text).unwrap_err());
        let texts = [
            "yesterday",
            "2026-11-28",
            "2026-11-28 02:00:00",
            "2026-11-28T02:00",
            "02:00",
            "1764288000",
            "-5",
        ];
        insta::assert_snapshot!(texts.map(told).join("\n"), @r"
        yesterday: write a time as 2026-03-01T12:00:00Z, or how long ago as 2h
        2026-11-28: the time zone is missing; write 2026-11-28T00:00:00Z if UTC is meant
        2026-11-28 02:00:00: the time zone is missing; write 2026-11-28T02:00:00Z if UTC is meant
        2026-11-28T02:00: the time zone is missing; write 2026-11-28T02:00:00Z if UTC is meant
        02:00: the day is missing; write it as 2026-03-01T02:00Z, or how long ago as 2h
        1764288000: write it as 2025-11-28T00:00:00Z, or how long ago as 2h
        -5: write a time as 2026-03-01T12:00:00Z, or how long ago as 2h
        ");
    }

    #[test]
    fn a_moment_lies_before_now() {
        let now = Timestamp::from_millis(1_772_366_400_500);
        let told = |text: &str| match At::read(text).unwrap().as_of(now) {
            Ok(at) => at.to_string(),
            Err(error) => error.to_string(),
        };
        for (text, expected) in [
            ("2h", "2026-03-01T10:00:00.5Z"),
            ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
            (
                "2026-03-01T12:00:01Z",
                "`--at` lies in the future (now is 2026-03-01T12:00:00Z)",
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
