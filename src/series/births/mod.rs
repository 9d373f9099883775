//! Births and returns: what the value of a series is worth that was not there at the scrape before.
//! A lifetime must never be counted into a window, and the first errors of a healthy service must
//! not be lost.

use std::collections::HashMap;
use std::rc::Rc;

use crate::domain::evidence::Evidence;
use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::time::{Span, Timestamp};

use super::batch::Sample;
use super::cursor::Cursor;
use super::selection::Before;
use super::starts::Starts;

/// The target that a series was scraped from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target(Box<str>, Box<str>);

impl Target {
    /// The target with this job and instance.
    pub fn new(job: &str, instance: &str) -> Self {
        Self(job.into(), instance.into())
    }

    /// Its job; may be empty.
    pub fn job(&self) -> &str {
        &self.0
    }

    /// Its instance; never empty.
    pub fn instance(&self) -> &str {
        &self.1
    }

    /// The `job` and `instance` of a series; pushed metrics have none of their own.
    pub fn of<'a>(labels: impl Into<LabelsRef<'a>>) -> Option<Self> {
        let labels = labels.into();
        let (job, instance) = (labels.get("job"), labels.get("instance"));
        (!instance.is_empty()).then(|| Self(job.into(), instance.into()))
    }
}

/// What the value of a series is worth that begins, or that returns after scrapes without it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Nobody looked at it before: it may have been there for long.
    Given,
    /// It was not away: its target was not scraped in between, or it is the same counter still.
    Continues,
    /// What it counted since this base, as the evidence shows.
    From(Cursor, Evidence),
    /// Nothing: its events are older than our knowledge of it.
    Lifetime,
    /// Nobody knows yet: the next value tells more.
    Unclear,
}

/// A process that is not older than this when it is scraped for the first time brings all that it
/// has counted, however long it took until it was found.
const YOUNG: Span = Span::from_mins(5);

/// So soon a running Prometheus finds a new target.
const FOUND_WITHIN: Span = Span::from_mins(2);

/// No process counts more events in one series in a second of its youth. What claims to shows the
/// counters of another process, as exporters do for databases, and those are older than it.
const MOST_A_SECOND: f64 = 100_000.0;

/// What is known of the targets whose series begin or return, and of their other series.
#[derive(Debug, Default)]
pub struct Surroundings<'a> {
    targets: HashMap<Target, Vec<Neighbour>>,
    any_fell: bool,
    /// When a counter of a target last fell, as far as older batches tell.
    fell: Option<&'a HashMap<Target, Timestamp>>,
    starts: Option<&'a Starts>,
    /// Which series were looked at before, where that is not all of them.
    looked_at: Option<Before<'a>>,
    /// When anything of the family was scraped, in order.
    scrapes: Vec<Timestamp>,
    /// The usual distance of scrapes in the family; zero when unknown.
    usual: Span,
    scenes: HashMap<(Target, Timestamp), Rc<Scene>>,
}

/// A series of a target: where it stood before the batch, and its samples in it.
#[derive(Debug)]
struct Neighbour {
    labels: Labels,
    before: Option<Cursor>,
    samples: Vec<Sample>,
}

/// A target at the moment of one of its scrapes.
#[derive(Debug, Default)]
struct Scene {
    /// The scrape before, and the usual distance of scrapes.
    before: Option<(Timestamp, Span)>,
    /// Whether any series was there at both.
    lives_on: bool,
    /// The series that were there at the scrape before, and are no more.
    ended: Vec<(Labels, Cursor)>,
    /// When a counter of it last fell, up to now.
    fell: Option<Timestamp>,
    /// Now.
    at: Timestamp,
    /// The usual distance of scrapes in the family; zero when unknown.
    usual: Span,
    /// The process that answered.
    process: Option<Process>,
}

/// What is known of the process behind a target at one of its scrapes.
#[derive(Clone, Copy, Debug)]
struct Process {
    started: Timestamp,
    /// Whether it answered a scrape before.
    is_known: bool,
    /// Whether it began while nothing was scraped.
    began_unseen: bool,
}

impl<'a> Surroundings<'a> {
    /// With what older batches told of falling counters, and what is known of processes' beginnings.
    pub fn new(fell: &'a HashMap<Target, Timestamp>, starts: Option<&'a Starts>) -> Self {
        Self {
            fell: Some(fell),
            starts,
            ..Self::default()
        }
    }

    /// The same, where not all series were looked at before.
    #[must_use]
    pub fn of(self, looked_at: Option<Before<'a>>) -> Self {
        Self { looked_at, ..self }
    }

    /// Whether a series that begins with this sample was perhaps there before, and nobody looked at it.
    pub fn gives<'l>(&self, labels: impl Into<LabelsRef<'l>>, first: Timestamp) -> bool {
        let labels = labels.into();
        self.looked_at.is_some_and(|it| it.gives(labels, first))
    }

    /// Takes note of a series: where it stood before the batch if it was known, and its samples in it.
    pub fn note(&mut self, labels: &Labels, before: Option<Cursor>, samples: &[Sample]) {
        if let Some(target) = Target::of(labels) {
            let neighbour = Neighbour {
                labels: labels.clone(),
                before,
                samples: samples.to_vec(),
            };
            self.any_fell |= neighbour.falls().next().is_some();
            self.targets.entry(target).or_default().push(neighbour);
        }
    }

    /// Takes note of when anything of the family was scraped, and how often it usually is.
    pub fn note_scrapes(&mut self, mut scrapes: Vec<Timestamp>, usual: Span) {
        scrapes.sort_unstable();
        (self.scrapes, self.usual) = (scrapes, usual);
    }

    /// What the value of a series is worth that begins with `now`, or that goes on with it after
    /// `own` although scrapes are missing in between. In this order:
    ///
    /// 1. A series of the same target ended when this one began, its labels differ by one that was
    ///    added or removed, and its last value is not above: the series was renamed.
    /// 2. It is known, and its target was scraped without it: it was made anew if it is lower now,
    ///    or if others of the target fell in between; else it is the same counter. If its target
    ///    was not scraped without it, it was made anew when others fell and the process began anew.
    /// 3. The target was scraped before in this family without this series: it was at zero then.
    ///    Unless none of its series lives on, for then all were relabelled and carry lifetimes.
    /// 4. Its process began after the scrape before, or is young, or began while nothing was
    ///    scraped: all that it counted is new. A process that is older makes it a lifetime, unless
    ///    it answered before: then its first event may have made the series.
    ///
    /// Where nobody looked at it before, it is given.
    pub fn judge(&mut self, labels: &Labels, own: Option<&Cursor>, now: Sample) -> Verdict {
        if own.is_none() && self.gives(labels, now.at) {
            return Verdict::Given;
        }
        let Some(target) = Target::of(labels) else {
            return own.map_or(Verdict::Unclear, |_| Verdict::Continues);
        };
        let scene = self.scene_at(&target, now.at);
        match own {
            Some(own) => scene.return_of(labels, own, now),
            None => scene.birth_of(labels, now),
        }
    }

    /// Whether nothing was scraped since a process began, as far as is known, except lately.
    fn was_blind(&self, started: Timestamp, now: Timestamp) -> bool {
        let older = self.scrapes.partition_point(|scrape| *scrape <= started);
        let next = self.scrapes.get(older);
        older > 0 && next.is_none_or(|scrape| *scrape > now - FOUND_WITHIN)
    }

    /// When, in the batch, the process of a target was seen to have begun anew.
    pub fn restarts(&mut self, labels: &Labels) -> Vec<Timestamp> {
        if !self.any_fell || self.starts.is_none() {
            return Vec::new();
        }
        let Some(target) = Target::of(labels) else {
            return Vec::new();
        };
        let neighbours = self.targets.get(&target).into_iter().flatten();
        let mut falls: Vec<Timestamp> = neighbours.flat_map(Neighbour::falls).collect();
        falls.sort_unstable();
        falls.dedup();
        falls.retain(|at| self.scene_at(&target, *at).is_anew());
        falls
    }

    fn scene_at(&mut self, target: &Target, at: Timestamp) -> Rc<Scene> {
        let key = (target.clone(), at);
        if let Some(scene) = self.scenes.get(&key) {
            return Rc::clone(scene);
        }
        let scene = Rc::new(self.scene(target, at));
        self.scenes.insert(key, Rc::clone(&scene));
        scene
    }

    fn process(&self, target: &Target, at: Timestamp) -> Option<Process> {
        let (started, first) = self.starts?.of(target, at)?;
        let started = started.min(at);
        Some(Process {
            started,
            is_known: first < at,
            began_unseen: self.was_blind(started, at),
        })
    }

    fn scene(&self, target: &Target, at: Timestamp) -> Scene {
        let neighbours = self.targets.get(target).map_or(&[][..], |known| known);
        let before = neighbours
            .iter()
            .filter_map(|neighbour| neighbour.last_before(at))
            .map(|last| (last.at, last.interval))
            .max();
        let mut scene = Scene {
            at,
            before,
            fell: self.fell.and_then(|fell| fell.get(target)).copied(),
            usual: self.usual,
            process: self.process(target, at),
            ..Scene::default()
        };
        for neighbour in neighbours {
            scene.fell = scene
                .fell
                .max(neighbour.falls().take_while(|fell| *fell <= at).last());
            let last = neighbour.last_before(at);
            match last.filter(|last| before.is_some_and(|(before, _)| last.at == before)) {
                _ if last.is_none() => {}
                Some(_) if neighbour.is_there(at) => scene.lives_on = true,
                Some(last) => scene.ended.push((neighbour.labels.clone(), last)),
                None => {}
            }
        }
        scene
    }
}

impl Neighbour {
    /// Where it stood before `at`.
    fn last_before(&self, at: Timestamp) -> Option<Cursor> {
        let older = self.samples.partition_point(|sample| sample.at < at);
        let older = self.samples.get(..older)?.iter();
        let last = older.rev().find(|sample| sample.is_count());
        let cursor = match (last, self.before) {
            (Some(last), Some(before)) if last.at > before.at => Cursor {
                at: last.at,
                value: last.value,
                ..before
            },
            (Some(last), None) => Cursor::at_first(*last),
            (_, before) => before?,
        };
        (cursor.at < at).then_some(cursor)
    }

    fn is_there(&self, at: Timestamp) -> bool {
        self.before.is_some_and(|before| before.at == at)
            || self
                .samples
                .binary_search_by_key(&at, |sample| sample.at)
                .is_ok()
    }

    /// When it fell in the batch.
    fn falls(&self) -> impl Iterator<Item = Timestamp> {
        let since = self.before.map(|before| before.at);
        // What is no count would be seen to fall, or to be fallen from.
        let newer = self.samples.iter().filter(|sample| sample.is_count());
        let newer = newer.map(|sample| (sample.at, sample.value));
        let newer = newer.filter(move |(at, _)| Some(*at) > since);
        let before = self.before.map(|before| (before.at, before.value));
        let pairs = before.into_iter().chain(newer.clone());
        let older = pairs.map(|(_, value)| value);
        let skipped = usize::from(before.is_none());
        let falls = newer.skip(skipped).zip(older);
        falls
            .filter(|((_, value), older)| value < older)
            .map(|((at, _), _)| at)
    }
}

impl Scene {
    /// The counter at zero at the scrape before.
    fn zero(&self) -> Option<Cursor> {
        let (at, interval) = self.before?;
        Some(Cursor {
            at,
            value: 0.0,
            interval,
            birth: None,
        })
    }

    fn renamed(&self, labels: &Labels, now: Sample) -> Option<Cursor> {
        let mut ended = self.ended.iter();
        let was =
            ended.find(|(ended, last)| last.value <= now.value && differ_by_one(ended, labels));
        was.map(|(_, last)| *last)
    }

    /// Whether another process answers than the scrape before, with counters that began anew.
    fn is_anew(&self) -> bool {
        let began = |process: Process| Some(process.started) > self.before.map(|(at, _)| at);
        self.fell == Some(self.at) && self.process.is_some_and(began)
    }

    fn return_of(&self, labels: &Labels, own: &Cursor, now: Sample) -> Verdict {
        let was_away = self.before.is_some_and(|(before, _)| before > own.at);
        if was_away && let Some(base) = self.renamed(labels, now) {
            return Verdict::From(base, Evidence::Renamed);
        }
        let is_anew = if was_away {
            now.value < own.value || self.fell > Some(own.at)
        } else {
            self.is_anew()
        };
        match self.zero().filter(|_| is_anew) {
            Some(zero) => Verdict::From(zero, Evidence::Anew),
            None => Verdict::Continues,
        }
    }

    fn birth_of(&self, labels: &Labels, now: Sample) -> Verdict {
        if let Some(base) = self.renamed(labels, now) {
            return Verdict::From(base, Evidence::Renamed);
        }
        if let (Some(zero), true) = (self.zero(), self.lives_on) {
            return Verdict::From(zero, Evidence::Absent);
        }
        let Some(process) = self.process else {
            return Verdict::Unclear;
        };
        let age = now.at.since(process.started);
        let is_plausible = now.value <= MOST_A_SECOND * age.as_secs_f64().max(1.0);
        match self.zero() {
            Some(zero) if is_plausible && process.started > zero.at => {
                Verdict::From(zero, Evidence::Process)
            }
            None if process.is_known => Verdict::Unclear,
            None if is_plausible && (age <= YOUNG || process.began_unseen) => {
                let zero = Cursor {
                    at: process.started,
                    value: 0.0,
                    interval: self.usual,
                    birth: None,
                };
                Verdict::From(zero, Evidence::Process)
            }
            _ => Verdict::Lifetime,
        }
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
mod tests;
