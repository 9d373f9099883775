//! What windows hold beside what the log says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sloburn::domain::time::Timestamp;
use sloburn::status::snapshot::{SloStatus, Snapshot};

use super::log::{HOUR, Log, MINUTE};
use super::oracle::{self, Counts, SLOT};
use super::table::Form;
use super::world;

/// How many differences are written down.
const SHOWN: usize = 60;

/// Counts of fractions may differ by so much of their size.
const NOISE: f64 = 1e-9;

/// A kind of window, as it is written.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) text: &'static str,
    pub(super) begins: Begins,
}

/// Where a window begins.
#[derive(Clone, Copy)]
pub(super) enum Begins {
    /// So long ago.
    Ago(i64),
    /// At the newest of these midnights.
    At(&'static [i64]),
}

/// The name of the objective of a form.
pub(super) fn name(form: usize) -> String {
    format!("form-{form}")
}

/// All forms, what was scraped, and what the one makes of the other.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) forms: Vec<Form>,
    pub(super) log: Log,
    /// By form and group; the whole is the group without a name.
    truths: Vec<BTreeMap<&'static str, Counts>>,
}

impl Scene {
    pub(super) fn new(forms: Vec<Form>, log: Log) -> Self {
        let of = |form: &Form| {
            let count =
                |group| oracle::counts(&form.truth, &log, (world::BEGIN, world::END), group);
            let mut truths = BTreeMap::from([("", count(None))]);
            if let Some((label, values)) = form.groups {
                truths.extend(values.iter().map(|it| (*it, count(Some((label, *it))))));
            }
            truths
        };
        let truths = forms.iter().map(of).collect();
        Self { forms, log, truths }
    }

    /// Of which forms (and groups) nothing is ever bad, or nothing ever good.
    pub(super) fn untried(&self) -> Vec<String> {
        let mut untried = Vec::new();
        for (form, truths) in self.forms.iter().zip(&self.truths) {
            for (group, counts) in truths {
                let (bad, total) = counts.sum(world::BEGIN, world::END);
                if bad <= 0.0 || bad >= total {
                    untried.push(format!(
                        "{} [{group}], {}: {bad} of {total}",
                        form.name, form.budgeting
                    ));
                }
            }
        }
        untried
    }
}

/// What was compared so far of one kind of window.
pub(super) struct Comparison {
    scene: &'static Scene,
    window: Window,
    /// The groups that were found of each form.
    found: Vec<BTreeSet<String>>,
    faults: String,
    differences: usize,
}

impl Comparison {
    pub(super) fn new(scene: &'static Scene, window: Window) -> Self {
        Self {
            scene,
            window,
            found: vec![BTreeSet::new(); scene.forms.len()],
            faults: String::new(),
            differences: 0,
        }
    }

    /// Compares the windows of all instances at a tick.
    pub(super) fn look(&mut self, at: i64, snapshot: &Snapshot) {
        let mut by_name: BTreeMap<&str, Vec<&SloStatus>> = BTreeMap::new();
        for status in &snapshot.slos {
            by_name.entry(&status.slo.name).or_default().push(status);
        }
        for number in 0..self.scene.forms.len() {
            for status in &by_name[&*name(number)] {
                self.compare(at, number, status);
            }
        }
    }

    fn compare(&mut self, at: i64, number: usize, status: &SloStatus) {
        let form = &self.scene.forms[number];
        let label = form.groups.map_or("", |(label, _)| label);
        let group = status.group.labels().get(label).to_owned();
        let range = status.window.range;
        let (from, to) = (range.from.as_millis(), range.to.as_millis());
        let mut told = Vec::new();
        // A window begins with the slot in which its start lies, and slots grow wider with age.
        let (nominal, grain) = match self.window.begins {
            Begins::Ago(length) if length <= 6 * HOUR => (at - length, SLOT),
            Begins::Ago(length) if length <= 72 * HOUR => (at - length, 5 * MINUTE),
            Begins::Ago(length) => (at - length, HOUR),
            // But they are cut at the edges of calendars.
            Begins::At(midnights) => (*midnights.iter().rfind(|it| **it < at).unwrap(), 1),
        };
        if to != at || from > nominal || nominal - from >= grain {
            let times = [from, to, nominal].map(Timestamp::from_millis);
            told.push(format!(
                "from {} to {}, and should begin {}",
                times[0], times[1], times[2]
            ));
        }
        let expected = self.scene.truths[number][&*group].sum(from, to);
        let found = (status.window.counts.bad, status.window.counts.total);
        let noise = if form.truth.is_approximate() {
            NOISE * expected.1
        } else {
            0.0
        };
        if (found.0 - expected.0).abs() > noise || (found.1 - expected.1).abs() > noise {
            told.push(format!("{found:?} bad and all, and should be {expected:?}"));
        }
        for what in told {
            self.differences += 1;
            if self.differences <= SHOWN {
                let (name, budgeting, text) = (&form.name, form.budgeting, self.window.text);
                let at = Timestamp::from_millis(at);
                writeln!(
                    self.faults,
                    "{name} [{group}], {budgeting}, {text} at {at}: {what}"
                )
                .unwrap();
            }
        }
        self.found[number].insert(group);
    }

    /// Fails unless all was as it should be.
    pub(super) fn conclude(self) {
        for (index, form) in self.scene.forms.iter().enumerate() {
            let truths = self.scene.truths[index].keys();
            let groups: BTreeSet<String> = truths.map(|it| (*it).to_owned()).collect();
            assert_eq!(
                self.found[index], groups,
                "{}, {}",
                form.name, form.budgeting
            );
        }
        let (differences, text) = (self.differences, self.window.text);
        assert!(
            self.faults.is_empty(),
            "{differences} windows of {text} differ\n{}",
            self.faults
        );
    }
}
