//! How far one series has been counted, and what its next sample adds.

use crate::domain::evidence::Evidence;
use crate::domain::time::{Span, Timestamp};

use super::batch::Sample;

/// The last sample of a series that was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cursor {
    /// When it was scraped.
    pub at: Timestamp,
    /// Its value.
    pub value: f64,
    /// The usual distance of samples, as far as known; zero before the second sample.
    pub interval: Span,
    /// The first value of a series whose birth is not judged yet, with its time.
    pub birth: Option<(Timestamp, f64)>,
}

/// Events that a counter tells of, between two of its samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Increase {
    /// The time of the older sample; the same as `to` when there was none.
    pub from: Timestamp,
    /// The time of the newer sample, to which the events are attributed.
    pub to: Timestamp,
    /// How many.
    pub events: f64,
    /// Whether the samples lie so far apart that the events are spread over the gap.
    pub gap: bool,
    /// Whether the counter fell, so that all of the newer value is new.
    pub reset: bool,
    /// What shows when the events happened, where no older sample of the series does.
    pub evidence: Option<Evidence>,
}

/// A first value that was not counted, because nothing shows when its events happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IgnoredBirth {
    /// When the series was first seen.
    pub at: Timestamp,
    /// Its value then.
    pub value: f64,
    /// Why it was not.
    pub evidence: Evidence,
}

/// Samples further apart than this many usual intervals are a gap: 5 / 2.
const GAP: (i64, i64) = (5, 2);

/// The longest distance of a series' first two samples that is taken for its usual one.
const LONGEST_INTERVAL: Span = Span::from_mins(5);

/// Whether `distance` is a gap for a series with this usual interval (zero when unknown).
pub fn is_gap(distance: Span, interval: Span) -> bool {
    let usual = if interval == Span::ZERO {
        LONGEST_INTERVAL
    } else {
        interval
    };
    distance.as_millis() * GAP.1 > usual.as_millis() * GAP.0
}

/// How long a sample stays valid for a series with this usual interval (zero when unknown).
pub fn validity(interval: Span) -> Span {
    if interval == Span::ZERO {
        return LONGEST_INTERVAL;
    }
    Span::from_millis(interval.as_millis() * GAP.0 / GAP.1)
}

impl Cursor {
    /// A cursor at a first sample whose value is not to be counted.
    pub const fn at_first(sample: Sample) -> Self {
        Self {
            at: sample.at,
            value: sample.value,
            interval: Span::ZERO,
            birth: None,
        }
    }

    /// A cursor at a first sample whose value will be judged with the next one.
    pub const fn at_birth(sample: Sample) -> Self {
        Self {
            birth: Some((sample.at, sample.value)),
            ..Self::at_first(sample)
        }
    }

    /// A cursor at a first sample that goes on where `base` ended, as the evidence shows, and the
    /// events between.
    pub fn after(base: Self, evidence: Option<Evidence>, sample: Sample) -> (Self, Increase) {
        let increase = Increase {
            evidence,
            ..base.increase(sample)
        };
        (
            Self {
                at: sample.at,
                value: sample.value,
                interval: base.interval,
                birth: None,
            },
            increase,
        )
    }

    /// Counts the next sample. Samples at or before the cursor were counted already, and values
    /// that no counter has (negative, infinite, not a number) are passed over.
    pub fn advance(&mut self, sample: Sample, out: &mut Vec<Increase>) -> Option<IgnoredBirth> {
        if sample.at <= self.at || !sample.is_count() {
            return None;
        }
        let increase = self.increase(sample);
        let ignored = self.conclude(increase.events, out);
        out.push(increase);
        self.interval = adapted(self.interval, sample.at.since(self.at), increase.gap);
        (self.at, self.value) = (sample.at, sample.value);
        ignored
    }

    /// Judges a first value that waits for it, by the events of the time after it.
    ///
    /// Without other evidence, a first value that the series needs more than ten scrapes to count
    /// again was not made in one: it is of a process that is older than our knowledge of it.
    pub fn conclude(&mut self, next: f64, out: &mut Vec<Increase>) -> Option<IgnoredBirth> {
        let (at, value) = self.birth.take()?;
        if value > 10.0 * (next + 1.0) {
            let evidence = Evidence::Pace;
            return Some(IgnoredBirth {
                at,
                value,
                evidence,
            });
        }
        out.push(Increase {
            from: at,
            to: at,
            events: value,
            gap: false,
            reset: false,
            evidence: Some(Evidence::Pace),
        });
        None
    }

    /// Whether a sample `at` comes so late that a scrape or more lies between.
    pub fn misses_scrapes(&self, at: Timestamp) -> bool {
        self.interval > Span::ZERO && misses_scrapes(at.since(self.at), self.interval)
    }

    /// What `sample` adds to this cursor: the difference, or all of it after a reset.
    fn increase(&self, sample: Sample) -> Increase {
        let reset = sample.value < self.value;
        let base = if reset { 0.0 } else { self.value };
        Increase {
            from: self.at,
            to: sample.at,
            events: sample.value - base,
            gap: is_gap(sample.at.since(self.at), self.interval),
            reset,
            evidence: None,
        }
    }
}

/// Whether scrapes are missing within a distance, for a usual interval.
fn misses_scrapes(distance: Span, usual: Span) -> bool {
    2 * distance.as_millis() > 3 * usual.as_millis()
}

/// The usual interval after one more distance. It follows what varies a little. Distances with
/// scrapes missing hardly move it, and a run of them does, so that a scrape interval that was
/// changed is not taken for gaps for ever.
fn adapted(usual: Span, distance: Span, gap: bool) -> Span {
    let missing = misses_scrapes(distance, usual);
    let (usual, distance) = (usual.as_millis(), distance.as_millis());
    Span::from_millis(match usual {
        0 if gap => LONGEST_INTERVAL.as_millis(),
        0 => distance,
        _ if missing => (usual + usual / 12).max(usual + 1).min(distance),
        _ => (3 * usual + distance) / 4,
    })
}

/// The usual distance of a series' samples: the median, which a few missing scrapes do not move;
/// zero, which is unknown, of fewer than four samples.
pub fn usual_distance(samples: &[Sample]) -> Span {
    let pairs = samples.windows(2);
    let mut distances: Vec<Span> = pairs.map(|pair| pair[1].at.since(pair[0].at)).collect();
    distances.sort_unstable();
    let median = distances.get(distances.len() / 2).copied();
    median
        .filter(|median| distances.len() >= 3 && *median <= LONGEST_INTERVAL)
        .unwrap_or_default()
}

impl Increase {
    /// The slots of `width` that the events belong to, by their ends: the slot of the newer sample,
    /// or over a gap all of its slots.
    pub fn slots(self, width: Span) -> impl Iterator<Item = (Timestamp, f64)> {
        let from = if self.gap { self.from } else { self.to };
        spread(from, self.to, self.events, width)
    }
}

/// Spreads events over all slots of `width` that `(from, to]` touches, and over that of `to`, in
/// whole events: ⌊(i+1)·n/k⌋ − ⌊i·n/k⌋.
pub fn spread(
    from: Timestamp,
    to: Timestamp,
    events: f64,
    width: Span,
) -> impl Iterator<Item = (Timestamp, f64)> {
    let last = to.ceil_to(width);
    let first = (from + Span::from_millis(1)).ceil_to(width).min(last);
    let count = last.since(first).as_millis() / width.as_millis() + 1;
    (0..count).map(move |index| {
        let end = first + Span::from_millis(width.as_millis() * index);
        (
            end,
            share(events, index + 1, count) - share(events, index, count),
        )
    })
}

/// The first `index` of `count` shares of `events`; whole when the events are.
#[expect(
    clippy::cast_precision_loss,
    reason = "slots are counted in millions at most"
)]
fn share(events: f64, index: i64, count: i64) -> f64 {
    let share = events * index as f64 / count as f64;
    if events.fract() == 0.0 {
        share.floor()
    } else {
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: i64, value: f64) -> Sample {
        Sample {
            at: Timestamp::from_millis(second * 1_000),
            value,
        }
    }

    /// Counts `second:value` samples and writes the increases as `from→to:events`, `~` for gaps.
    fn trace(mut cursor: Cursor, samples: &str) -> String {
        let mut told = Vec::new();
        for text in samples.split(' ') {
            let (second, value) = text.split_once(':').unwrap();
            let mut out = Vec::new();
            if cursor
                .advance(
                    sample(second.parse().unwrap(), value.parse().unwrap()),
                    &mut out,
                )
                .is_some()
            {
                told.push("ignored".to_owned());
            }
            for increase in out {
                let (from, to) = (
                    increase.from.as_millis() / 1_000,
                    increase.to.as_millis() / 1_000,
                );
                let gap = if increase.gap { "~" } else { "" };
                told.push(format!("{from}→{to}:{}{gap}", increase.events));
            }
        }
        told.join(" ")
    }

    #[test]
    fn increases_are_differences_and_after_a_reset_all() {
        let known = Cursor::at_first(sample(0, 100.0));
        for (samples, told) in [
            ("15:110 30:130", "0→15:10 15→30:20"),
            ("15:4 30:5", "0→15:4 15→30:1"),
            ("15:110 15:110 10:90 30:111", "0→15:10 15→30:1"),
            ("15:NaN 30:101", "0→30:1"),
            (
                "15:110 30:120 90:180 105:181",
                "0→15:10 15→30:10 30→90:60~ 90→105:1",
            ),
            (
                "15:101 30:102 90:103 150:104 210:105 270:106 330:107 390:108 450:109",
                "0→15:1 15→30:1 30→90:1~ 90→150:1~ 150→210:1~ 210→270:1~ 270→330:1~ 330→390:1~ 390→450:1",
            ),
        ] {
            assert_eq!(trace(known, samples), told, "{samples}");
        }
    }

    #[test]
    fn a_few_missed_scrapes_do_not_hide_the_next_gap() {
        let known = Cursor {
            interval: Span::from_secs(15),
            ..Cursor::at_first(sample(0, 0.0))
        };
        let told = trace(known, "30:1 45:1 75:1 90:1 105:1 135:1 180:4 195:4");
        let gaps = "0→30:1 30→45:0 45→75:0 75→90:0 90→105:0 105→135:0 135→180:3~ 180→195:0";
        assert_eq!(told, gaps);
        for (samples, usual) in [
            ("0 15 45 60 75", 15),
            ("0 60 120 180", 60),
            ("0 15 30", 0),
            ("0 900 1800 2700", 0),
        ] {
            let samples: Vec<Sample> = samples
                .split(' ')
                .map(|second| sample(second.parse().unwrap(), 0.0))
                .collect();
            assert_eq!(usual_distance(&samples), Span::from_secs(usual));
        }
    }

    #[test]
    fn a_birth_without_evidence_is_judged_by_its_next_increase() {
        for (first, samples, told) in [
            (5.0, "15:6", "0→0:5 0→15:1"),
            (1_000.0, "15:1001", "ignored 0→15:1"),
            (10.0, "15:10", "0→0:10 0→15:0"),
            (11.0, "15:11", "ignored 0→15:0"),
        ] {
            assert_eq!(
                trace(Cursor::at_birth(sample(0, first)), samples),
                told,
                "{first}"
            );
        }
    }

    #[test]
    fn gaps_are_spread_in_whole_events_that_add_up() {
        for (from, to, events, gap, expected) in [
            (0, 60, 7.0, true, "30:3 60:4"),
            (10, 100, 2.0, true, "30:0 60:1 90:0 120:1"),
            (30, 60, 5.0, true, "60:5"),
            (10, 100, 2.0, false, "120:2"),
            (0, 60, 1.5, true, "30:0.75 60:0.75"),
        ] {
            let increase = Increase {
                from: sample(from, 0.0).at,
                to: sample(to, 0.0).at,
                events,
                gap,
                reset: false,
                evidence: None,
            };
            let slots: Vec<String> = increase
                .slots(Span::from_secs(30))
                .map(|(end, events)| format!("{}:{events}", end.as_millis() / 1_000))
                .collect();
            assert_eq!(slots.join(" "), expected);
        }
    }
}
