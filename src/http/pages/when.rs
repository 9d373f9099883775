//! Times on pages: in UTC and saying so, with the date when it is another day.

use askama::Template;

use crate::domain::time::Timestamp;

/// A point in time for people, and for programs in its attribute.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(
    source = r#"<time datetime="{{ iso }}">{{ text }}</time>"#,
    ext = "html"
)]
pub(super) struct When {
    iso: String,
    text: String,
}

impl When {
    /// `time` with seconds, as seen at `now`: `14:05:30 UTC`, or `22 Nov 14:05:30 UTC`.
    pub(super) fn exact(time: Timestamp, now: Timestamp) -> Self {
        Self::formatted(time, now, "%H:%M:%S UTC")
    }

    /// `time` to the minute, as seen at `now`: `14:05 UTC`, or `22 Nov 14:05 UTC`.
    pub(super) fn short(time: Timestamp, now: Timestamp) -> Self {
        Self::formatted(time, now, "%H:%M UTC")
    }

    fn formatted(time: Timestamp, now: Timestamp, clock: &str) -> Self {
        Self {
            iso: time.to_string(),
            text: format!("{}{}", day(time, now), strftime(time, clock)),
        }
    }

    /// The words alone.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// The date of `time` where it is not that of `now`, with a space after it.
fn day(time: Timestamp, now: Timestamp) -> String {
    let date = |time: Timestamp| strftime(time, "%F");
    if date(time) == date(now) {
        String::new()
    } else if strftime(time, "%Y") == strftime(now, "%Y") {
        strftime(time, "%-d %b ")
    } else {
        strftime(time, "%-d %b %Y ")
    }
}

/// `time` in UTC by a format of `strftime`.
pub(super) fn strftime(time: Timestamp, format: &str) -> String {
    time.to_jiff().strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_date_only_on_another_day() {
        let time = |text: &str| Timestamp::from(text.parse::<jiff::Timestamp>().unwrap());
        let now = time("2026-11-23T12:00:00Z");
        for (at, exact, short) in [
            ("2026-11-23T01:31:05Z", "01:31:05 UTC", "01:31 UTC"),
            (
                "2026-11-22T23:10:00Z",
                "22 Nov 23:10:00 UTC",
                "22 Nov 23:10 UTC",
            ),
            (
                "2025-07-01T10:00:00Z",
                "1 Jul 2025 10:00:00 UTC",
                "1 Jul 2025 10:00 UTC",
            ),
        ] {
            assert_eq!(When::exact(time(at), now).text(), exact);
            assert_eq!(When::short(time(at), now).text(), short);
        }
        assert_eq!(
            When::short(now, now).to_string(),
            r#"<time datetime="2026-11-23T12:00:00Z">12:00 UTC</time>"#
        );
    }
}
