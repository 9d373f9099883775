//! Births: what the first value of a series that was not there before is worth. A lifetime must
//! never be counted into a window, and the first errors of a healthy service must not be lost.

use std::collections::HashMap;

use crate::domain::labels::Labels;
use crate::domain::time::{Span, Timestamp};

use super::batch::Sample;
use super::cursor::{Cursor, is_gap};

/// The target that a series was scraped from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target(Box<str>, Box<str>);

impl Target {
    /// The `job` and `instance` of a series; pushed metrics have none of their own.
    pub fn of(labels: &Labels) -> Option<Self> {
        let (job, instance) = (labels.get("job"), labels.get("instance"));
        (!instance.is_empty()).then(|| Self(job.into(), instance.into()))
    }
}

/// What is known of a family besides the newborn series.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// When each target was scraped, oldest first, with the usual interval of its series.
    scrapes: HashMap<Target, Vec<(Timestamp, Span)>>,
    /// The last sample of each known series of each target.
    last: HashMap<Target, Vec<(Labels, Cursor)>>,
}

impl Surroundings {
    /// Takes note of a known series: where it stood before the batch, and its samples in it.
    pub fn note(&mut self, labels: &Labels, before: &Cursor, samples: &[Sample]) {
        let Some(target) = Target::of(labels) else {
            return;
        };
        let scrapes = self.scrapes.entry(target.clone()).or_default();
        scrapes.push((before.at, before.interval));
        scrapes.extend(samples.iter().map(|sample| (sample.at, before.interval)));
        let mut last = *before;
        let mut unused = Vec::new();
        for sample in samples {
            last.advance(*sample, &mut unused);
        }
        self.last
            .entry(target)
            .or_default()
            .push((labels.clone(), last));
    }

    /// Puts what was noted in order, once, before births are judged.
    pub fn sort(&mut self) {
        for scrapes in self.scrapes.values_mut() {
            scrapes.sort_unstable();
        }
    }

    /// What the first value of a series is counted from, if anything shows it.
    ///
    /// 1. A series of the same target ended when this one began, its labels differ by one that was
    ///    added or removed, and its last value is not above: the series was renamed.
    /// 2. The target was scraped before in this family without this series: it was at zero then.
    ///    Unless none of its series lives on, for then all were relabelled and carry lifetimes.
    pub fn base(&self, newborn: &Labels, samples: &[Sample]) -> Option<Cursor> {
        let first = samples.first()?;
        let target = Target::of(newborn)?;
        let renamed = self
            .last
            .get(&target)
            .into_iter()
            .flatten()
            .find(|(labels, last)| {
                last.at < first.at
                    && last.value <= first.value
                    && !is_gap(first.at.since(last.at), last.interval)
                    && differ_by_one(labels, newborn)
            });
        if let Some((_, last)) = renamed {
            return Some(*last);
        }
        let lives_on = self
            .last
            .get(&target)?
            .iter()
            .any(|(_, last)| last.at >= first.at);
        let scrapes = self.scrapes.get(&target).filter(|_| lives_on)?;
        let older = scrapes.partition_point(|(at, _)| *at < first.at);
        let (at, interval) = *scrapes.get(older.checked_sub(1)?)?;
        Some(Cursor {
            at,
            value: 0.0,
            interval,
            birth: None,
        })
    }
}

/// Whether one of the sets is the other with one label more.
fn differ_by_one(one: &Labels, other: &Labels) -> bool {
    let (small, large) = if one.iter().len() < other.iter().len() {
        (one, other)
    } else {
        (other, one)
    };
    large.iter().len() == small.iter().len() + 1
        && small.iter().all(|(name, value)| large.get(name) == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Labels {
        text.split(',')
            .filter_map(|pair| pair.split_once('='))
            .collect()
    }

    fn samples(text: &str) -> Vec<Sample> {
        let sample = |text: &str| {
            let (second, value) = text.split_once(':').unwrap();
            Sample {
                at: Timestamp::from_millis(second.parse::<i64>().unwrap() * 1_000),
                value: value.parse().unwrap(),
            }
        };
        text.split(' ')
            .filter(|text| !text.is_empty())
            .map(sample)
            .collect()
    }

    /// Known series as (labels, cursor before the batch, samples in it), and a newborn one; the
    /// answer is the base as `second:value`.
    fn base(known: &[(&str, &str, &str)], newborn: (&str, &str)) -> Option<String> {
        let mut surroundings = Surroundings::default();
        for (known, before, within) in known {
            let mut cursor = Cursor::at_first(samples(before)[0]);
            cursor.interval = Span::from_secs(15);
            surroundings.note(&labels(known), &cursor, &samples(within));
        }
        surroundings.sort();
        surroundings
            .base(&labels(newborn.0), &samples(newborn.1))
            .map(|base| format!("{}:{}", base.at.as_millis() / 1_000, base.value))
    }

    #[test]
    fn births_are_counted_from_what_the_surroundings_show() {
        let ok = ("job=a,instance=1,code=200", "0:50", "15:60 30:70");
        for (known, newborn, expected) in [
            // The target was there and had no errors: they are new.
            (
                &[ok][..],
                ("job=a,instance=1,code=500", "30:3"),
                Some("15:0"),
            ),
            (
                &[ok],
                ("job=a,instance=1,code=500", "15:3 30:4"),
                Some("0:0"),
            ),
            // A target that was never scraped shows nothing.
            (&[ok], ("job=a,instance=2,code=200", "30:3"), None),
            (&[ok], ("job=a,code=500", "30:3"), None),
            (&[], ("job=a,instance=1,code=500", "30:3"), None),
            // A label was added to a living series.
            (
                &[("job=a,instance=1", "0:50", "15:60")],
                ("job=a,instance=1,zone=x", "30:65"),
                Some("15:60"),
            ),
            // … or removed.
            (
                &[("job=a,instance=1,zone=x", "0:50", "15:60")],
                ("job=a,instance=1", "30:65"),
                Some("15:60"),
            ),
            // Not when the old one lives on, or was higher.
            (
                &[("job=a,instance=1", "0:50", "15:60 30:70")],
                ("job=a,instance=1,zone=x", "30:65"),
                Some("15:0"),
            ),
            (
                &[("job=a,instance=1", "0:50", "15:60"), ok],
                ("job=a,instance=1,zone=x", "30:5"),
                Some("15:0"),
            ),
            // All series of the target gone, two labels changed: lifetimes, no births.
            (
                &[("job=a,instance=1", "0:50", "15:60")],
                ("job=a,instance=1,zone=x,az=y", "30:65"),
                None,
            ),
        ] {
            assert_eq!(base(known, newborn).as_deref(), expected, "{newborn:?}");
        }
    }
}
