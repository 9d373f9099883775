//! What each window must hold, worked out slowly and apart from the code that is tested: every sample of the log is
//! looked at for itself, and what it shows is put where its own time lies.

mod events;
mod slices;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use self::slices::Slice;
use super::log::{Log, MINUTE, SCRAPE, Series};
use super::words::{Missing, Pick, Truth};

/// The width of slots.
pub(super) const SLOT: i64 = MINUTE;

/// Samples further apart than this are a gap, and values older than this are no longer valid.
const VALID: i64 = SCRAPE * 5 / 2;

/// Bad and all events (or slices) by the ends of the slots in which they lie.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<i64, (f64, f64)>);

impl Counts {
    fn add(&mut self, at: i64, bad: f64, total: f64) {
        let end = at + (-at).rem_euclid(SLOT);
        let slot = self.0.entry(end).or_default();
        *slot = (slot.0 + bad, slot.1 + total);
    }

    /// What lies in `(from, to]`.
    pub(super) fn sum(&self, from: i64, to: i64) -> (f64, f64) {
        let slots = self.0.range(from + 1..=to).map(|(_, slot)| slot);
        slots.fold((0.0, 0.0), |sum, slot| (sum.0 + slot.0, sum.1 + slot.1))
    }
}

/// All that an indicator counts, from one time to another; of a group only the series that have this label.
pub(super) fn counts(
    truth: &Truth,
    log: &Log,
    (from, to): (i64, i64),
    group: Option<(&str, &str)>,
) -> Counts {
    let world = World {
        log,
        group,
        picked: RefCell::default(),
    };
    match truth {
        Truth::Events { total, part } => world.events(total, part),
        Truth::Probes {
            probers,
            quorum: None,
        } => world.samples(probers, from, to),
        Truth::Probes {
            probers,
            quorum: Some(when),
        } => world.votes(probers, *when, from, to),
        Truth::Queried {
            total,
            part,
            window,
        } => world.queried(total, part, *window, from, to),
        Truth::Slices {
            judge,
            slice,
            missing,
        } => {
            let mut counts = Counts::default();
            let mut end = from - from.rem_euclid(*slice) + slice;
            while end <= to {
                let empty = match missing {
                    Missing::Hold => None,
                    Missing::Good => Some(0.0),
                    Missing::Bad => Some(1.0),
                };
                match world.judged(judge, end - slice, end) {
                    Slice::Judged(bad) => counts.add(end, bad, 1.0),
                    Slice::Nothing => {}
                    Slice::Empty => counts.add(
                        end,
                        empty.unwrap_or(0.0),
                        f64::from(u8::from(empty.is_some())),
                    ),
                }
                end += slice;
            }
            counts
        }
    }
}

/// The log, as far as one group goes.
struct World<'a> {
    log: &'a Log,
    group: Option<(&'a str, &'a str)>,
    /// What was picked before: labels are compared once.
    picked: RefCell<BTreeMap<&'static str, Rc<[&'a Series]>>>,
}

impl<'a> World<'a> {
    /// Series with their weights.
    fn picked(&self, picks: &[Pick]) -> Vec<(&'a Series, f64)> {
        let mut all = Vec::new();
        for (text, weight) in picks {
            let mut known = self.picked.borrow_mut();
            let series = known.entry(*text).or_insert_with(|| self.find(text));
            all.extend(series.iter().map(|series| (*series, *weight)));
        }
        all
    }

    fn find(&self, text: &str) -> Rc<[&'a Series]> {
        let mut words = text.split(' ');
        let metric = words.next().unwrap();
        let conditions: Vec<&str> = words.collect();
        let fits = |series: &&Series| {
            let is = |label: &str, value: &str| series.labels.get(label) == value;
            let holds = |word: &&str| match word.split_once("!=") {
                Some((label, value)) => !is(label, value),
                None => word
                    .split_once('=')
                    .is_some_and(|(label, value)| is(label, value)),
            };
            let is_ours = self.group.is_none_or(|(label, value)| is(label, value));
            is_ours && conditions.iter().all(holds)
        };
        self.log.series(metric).filter(fits).collect()
    }
}
