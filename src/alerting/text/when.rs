//! Times as a receiver's people read them: on their own clock, with its name, and the date when it is another day.

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::domain::time::Timestamp;

use super::number;

/// Tells times as they are seen from a notice: `at` is the day that needs no date.
pub(super) struct When<'a> {
    zone: &'a TimeZone,
    at: Timestamp,
}

impl<'a> When<'a> {
    pub(super) const fn new(zone: &'a TimeZone, at: Timestamp) -> Self {
        Self { zone, at }
    }

    /// `02:31`, or `22 Nov 21:10` of another day.
    pub(super) fn bare(&self, time: Timestamp) -> String {
        self.format(time, "%H:%M")
    }

    /// `02:31 CET`.
    pub(super) fn zoned(&self, time: Timestamp) -> String {
        self.format(time, "%H:%M %Z")
    }

    /// `02:31–02:49 (18 min)`.
    pub(super) fn range(&self, from: Timestamp, to: Timestamp) -> String {
        let long = number::words(to.since(from));
        format!("{}–{} ({long})", self.bare(from), self.bare(to))
    }

    /// `03:01:45`.
    pub(super) fn to_the_second(&self, time: Timestamp) -> String {
        self.format(time, "%H:%M:%S")
    }

    fn format(&self, time: Timestamp, clock: &str) -> String {
        let (time, today) = (self.local(time), self.local(self.at));
        let day = if time.date() == today.date() {
            ""
        } else if time.year() == today.year() {
            "%-d %b "
        } else {
            "%-d %b %Y "
        };
        time.strftime(&format!("{day}{clock}")).to_string()
    }

    fn local(&self, time: Timestamp) -> Zoned {
        time.to_jiff().to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_date_only_on_another_day_of_the_reader() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let time = |text: &str| Timestamp::from(text.parse::<jiff::Timestamp>().unwrap());
        let when = When::new(&zone, time("2026-11-23T01:36:00Z"));
        for (at, text) in [
            ("2026-11-23T01:31:00Z", "02:31 CET"),
            ("2026-11-22T23:10:00Z", "00:10 CET"),
            ("2026-11-22T20:10:00Z", "22 Nov 21:10 CET"),
            ("2025-07-01T10:00:00Z", "1 Jul 2025 12:00 CEST"),
        ] {
            assert_eq!(when.zoned(time(at)), text);
        }
        assert_eq!(when.to_the_second(time("2026-11-23T02:01:45Z")), "03:01:45");
    }
}
