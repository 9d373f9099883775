//! Calendar periods: weeks, months, quarters and years in a time zone, with their real lengths.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::time::{Span, TimeRange, Timestamp};

/// How far clocks are set at once: an hour nearly everywhere, and two at Troll, in Antarctica.
const FURTHEST_SET: Span = Span::from_hours(2);

/// Which period of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// From Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// Three months, the first of which is January, April, July or October.
    Quarter,
    /// From January to December.
    Year,
}

impl Period {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// The name used in definitions, in the API and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// How few and how many days one has.
    const fn days(self) -> (i64, i64) {
        match self {
            Self::Week => (7, 7),
            Self::Month => (28, 31),
            Self::Quarter => (90, 92),
            Self::Year => (365, 366),
        }
    }

    /// The first day of the period that `date` lies in; `None` before the year −9999.
    fn first(self, date: Date) -> Option<Date> {
        match self {
            Self::Week if date.weekday() == Weekday::Monday => Some(date),
            Self::Week => date.nth_weekday(-1, Weekday::Monday).ok(),
            Self::Month => Some(date.first_of_month()),
            Self::Quarter => Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1).ok(),
            Self::Year => Some(date.first_of_year()),
        }
    }

    /// The first day of the period after the one that begins at `first`.
    fn after(self, first: Date) -> Option<Date> {
        let length = match self {
            Self::Week => jiff::Span::new().weeks(1),
            Self::Month => jiff::Span::new().months(1),
            Self::Quarter => jiff::Span::new().months(3),
            Self::Year => jiff::Span::new().years(1),
        };
        first.checked_add(length).ok()
    }
}

/// The periods of one kind in one time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    period: Period,
    zone: TimeZone,
    name: String,
}

impl Calendar {
    /// The periods of a zone by its IANA name; `None` when there is no such zone.
    pub fn new(period: Period, zone: &str) -> Option<Self> {
        Some(Self {
            period,
            zone: TimeZone::get(zone).ok()?,
            name: zone.to_owned(),
        })
    }

    /// Which period.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// The zone's name.
    pub fn zone(&self) -> &str {
        &self.name
    }

    /// The period that `at` lies in, from midnight to midnight in the zone. It is left-open as slots
    /// are: midnight itself is the end of the period before. Periods tile the time, without a hole
    /// and without an overlap, whatever clocks do.
    pub fn around(&self, at: Timestamp) -> TimeRange {
        self.found(at).unwrap_or(TimeRange {
            // Only at the ends of the years that are known, −9999 and 9999.
            from: at - self.shortest(),
            to: at,
        })
    }

    fn found(&self, at: Timestamp) -> Option<TimeRange> {
        let inside = (at - Span::from_millis(1)).to_jiff();
        let first = self.period.first(self.zone.to_datetime(inside).date())?;
        let midnight = |date: Date| {
            let midnight = date.to_zoned(self.zone.clone()).ok()?;
            Some(Timestamp::from(midnight.start_of_day().ok()?.timestamp()))
        };
        let range = TimeRange {
            from: midnight(first)?,
            to: midnight(self.period.after(first)?)?,
        };
        (range.from < at && at <= range.to).then_some(range)
    }

    /// The least that a period lasts: less where clocks are set forward.
    pub fn shortest(&self) -> Span {
        Span::from_days(self.period.days().0) - FURTHEST_SET
    }

    /// The most that a period lasts: more where clocks are set back.
    pub fn longest(&self) -> Span {
        Span::from_days(self.period.days().1) + FURTHEST_SET
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn periods_have_their_real_lengths() {
        for (period, zone, inside, from, hours) in [
            (
                Period::Month,
                "UTC",
                "2026-02-10T00:00:00Z",
                "2026-02-01T00:00:00Z",
                28 * 24,
            ),
            (
                Period::Month,
                "UTC",
                "2028-02-10T00:00:00Z",
                "2028-02-01T00:00:00Z",
                29 * 24,
            ),
            (
                Period::Month,
                "Europe/Berlin",
                "2026-10-10T00:00:00Z",
                "2026-09-30T22:00:00Z",
                745,
            ),
            (
                Period::Month,
                "Europe/Berlin",
                "2026-03-10T00:00:00Z",
                "2026-02-28T23:00:00Z",
                743,
            ),
            (
                Period::Week,
                "Europe/Berlin",
                "2026-10-25T12:00:00Z",
                "2026-10-18T22:00:00Z",
                169,
            ),
            (
                Period::Week,
                "America/New_York",
                "2026-03-08T12:00:00Z",
                "2026-03-02T05:00:00Z",
                167,
            ),
            (
                Period::Quarter,
                "UTC",
                "2026-11-27T00:00:00Z",
                "2026-10-01T00:00:00Z",
                92 * 24,
            ),
            (
                Period::Year,
                "Asia/Kathmandu",
                "2028-06-01T00:00:00Z",
                "2027-12-31T18:15:00Z",
                366 * 24,
            ),
            // Midnight itself is the last moment of the period before.
            (
                Period::Month,
                "UTC",
                "2026-03-01T00:00:00Z",
                "2026-02-01T00:00:00Z",
                28 * 24,
            ),
            (
                Period::Month,
                "UTC",
                "2026-03-01T00:00:00.001Z",
                "2026-03-01T00:00:00Z",
                31 * 24,
            ),
            // In Beirut, clocks went from 0:00 to 1:00 that day: it began at 1:00.
            (
                Period::Week,
                "Asia/Beirut",
                "2026-04-01T00:00:00Z",
                "2026-03-29T21:00:00Z",
                168,
            ),
        ] {
            let found = Calendar::new(period, zone).unwrap().around(at(inside));
            assert_eq!(found.from, at(from), "{period:?} {zone} {inside}");
            assert_eq!(
                found.length(),
                Span::from_hours(hours),
                "{period:?} {zone} {inside}"
            );
        }
        assert!(Calendar::new(Period::Month, "Europe/Berln").is_none());
    }

    proptest! {
        #[test]
        fn periods_tile_time_in_every_zone(
            seconds in -2_000_000_000_i64..6_000_000_000,
            period in prop::sample::select(Period::ALL.to_vec()),
            zone in prop::sample::select(jiff::tz::db().available().map(|zone| zone.to_string()).collect::<Vec<_>>()),
        ) {
            let Some(calendar) = Calendar::new(period, &zone) else { return Ok(()) };
            let at = Timestamp::from_millis(seconds * 1_000);
            let found = calendar.around(at);
            prop_assert!(found.contains(at), "{found:?}");
            prop_assert_eq!(calendar.around(found.to), found);
            prop_assert_eq!(calendar.around(found.from).to, found.from);
            let next = calendar.around(found.to + Span::from_millis(1));
            prop_assert_eq!(next.from, found.to);
        }
    }
}
