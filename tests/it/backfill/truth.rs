//! Plain arithmetic over what was written: the events that a stretch of time holds, and what its slices come to.

use std::collections::{BTreeMap, BTreeSet};

use sloburn::domain::labels::Labels;
use sloburn::status::view::slo::SloView;

use crate::support::remote_write::Written;

pub(super) const MINUTE: i64 = 60;

/// Two samples of one counter and what happened between them.
#[derive(Clone, Copy, Debug)]
struct Grown {
    /// The second of the older one; none for a first value.
    since: Option<i64>,
    at: i64,
    events: f64,
}

/// Counters whose target was first scraped at `begin`: what is there later for the first time is new-born.
#[derive(Debug)]
pub(super) struct Counters<'w> {
    pub(super) written: &'w [Written],
    pub(super) begin: i64,
    /// Seconds between two scrapes.
    pub(super) scrape: i64,
}

impl Counters<'_> {
    fn grown(&self, wanted: impl Fn(&Labels) -> bool) -> Vec<Grown> {
        let mut all = Vec::new();
        for (_, samples) in self.written.iter().filter(|(labels, _)| wanted(labels)) {
            let mut last: Option<(i64, f64)> = None;
            for (at, value) in samples.iter().filter(|(_, value)| value.is_finite()) {
                let at = at / 1_000;
                let events = match last {
                    None if at < self.begin + self.scrape => 0.0,
                    Some((_, before)) if *value >= before => value - before,
                    _ => *value,
                };
                let since = last.map(|(at, _)| at);
                all.push(Grown { since, at, events });
                last = Some((at, *value));
            }
        }
        all
    }

    /// The events in `(from, to]` of all series that are wanted.
    pub(super) fn events(&self, (from, to): (i64, i64), wanted: impl Fn(&Labels) -> bool) -> f64 {
        let grown = self.grown(wanted).into_iter();
        let own = grown.filter(|it| (from + 1..=to).contains(&it.at));
        own.map(|it| it.events).sum()
    }

    /// Bad and all minutes in `(from, to]`: one is bad when more than one in `one_in` of its events is not good. One
    /// without events, or of which less than half was watched, is none.
    pub(super) fn slices(
        &self,
        (from, to): (i64, i64),
        one_in: f64,
        total: impl Fn(&Labels) -> bool,
        good: impl Fn(&Labels) -> bool,
    ) -> (f64, f64) {
        #[derive(Default)]
        struct Minute {
            total: f64,
            good: f64,
            watched: BTreeSet<i64>,
        }
        let mut minutes: BTreeMap<i64, Minute> = BTreeMap::new();
        let is_watched = |it: &Grown| {
            let since = it.since.unwrap_or(it.at);
            (it.at - since) * 2 <= self.scrape * 5
        };
        let end = |it: &Grown| (it.at + MINUTE - 1).div_euclid(MINUTE) * MINUTE;
        for it in self.grown(total).iter().filter(|it| is_watched(it)) {
            let minute = minutes.entry(end(it)).or_default();
            minute.total += it.events;
            minute.watched.extend(it.since.unwrap_or(it.at)..it.at);
        }
        for it in self.grown(good).iter().filter(|it| is_watched(it)) {
            minutes.entry(end(it)).or_default().good += it.events;
        }
        let own = minutes.range(from + MINUTE..=to).map(|(_, minute)| minute);
        let own = own.filter(|it| it.total > 0.0 && it.watched.len() >= 30);
        own.fold((0.0, 0.0), |(bad, all), it| {
            let is_bad = (it.total - it.good) * one_in > it.total;
            (bad + f64::from(u8::from(is_bad)), all + 1.0)
        })
    }
}

/// Whether a series belongs to the group of an instance.
pub(super) fn is_of(slo: &SloView, labels: &Labels) -> bool {
    let mut group = slo.group.iter();
    group.all(|(name, value)| labels.get(name) == value)
}

/// From and to of an instance's window in seconds, and bad and all of it.
pub(super) fn counted(slo: &SloView) -> ((i64, i64), (f64, f64)) {
    let window = &slo.window;
    let [from, to] = [window.from, window.to].map(|time| time.0.as_millis() / 1_000);
    ((from, to), (window.bad.0, window.total.0))
}
