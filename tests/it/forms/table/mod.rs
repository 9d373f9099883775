//! Every form that an indicator may have, as a user writes it, and beside it what it means.

mod events;
mod slices;

use self::events::{events, queries};
use self::slices::{MISSING, slices};
use super::log::{DAY, HOUR, MINUTE};
use super::words::{Judge, Missing, Picks, Truth};

/// One way to define an objective, but for its window.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) budgeting: &'static str,
    /// What stands in its definition besides name, objective and window.
    pub(super) definition: String,
    pub(super) truth: Truth,
    /// The label that tells its groups apart, and the values that it has, at the end.
    pub(super) groups: Option<(&'static str, &'static [&'static str])>,
}

/// How long a slice is, unless it is said.
const SLICE: i64 = 5 * MINUTE;

const ROUTES: (&str, &[&str]) = ("route", &["/export", "/new", "/pay"]);

fn picks(texts: &[&'static str]) -> Picks {
    texts.iter().map(|text| (*text, 1.0)).collect()
}

/// All forms.
pub(super) fn forms() -> Vec<Form> {
    let mut forms = Vec::new();
    for (name, definition, truth) in events() {
        forms.push(occurrences(name, definition, truth.clone()));
        forms.push(timeslices(name, definition, truth, Missing::Hold));
    }
    let (name, definition, truth) = events().swap_remove(0);
    for missing in [Missing::Good, Missing::Bad] {
        forms.push(timeslices(name, definition, truth.clone(), missing));
    }
    for (index, (name, definition, judge)) in slices().into_iter().enumerate() {
        let kinds: &[Missing] = if MISSING.contains(&index) {
            &Missing::ALL
        } else {
            &[Missing::Hold]
        };
        for missing in kinds {
            forms.push(judged(name, definition, judge.clone(), *missing));
        }
    }
    for (name, definition, truth) in queries() {
        forms.push(occurrences(name, definition, truth));
    }
    forms.extend(long());
    forms.extend(grouped());
    forms
}

/// Forms by slices of hours, as long as some are good and some are bad.
fn long() -> Vec<Form> {
    let lengths = [("2h", 2 * HOUR), ("6h", 6 * HOUR), ("1d", DAY)];
    let (name, definition, truth) = events().swap_remove(0);
    let errors = timeslices(name, definition, truth, Missing::Hold);
    let mut forms = vec![errors.by_slices_of(lengths[0])];
    let all = slices();
    for (index, lengths) in [
        (0, &lengths[..]),
        (2, &lengths[..1]),
        (11, &lengths),
        (13, &lengths),
        (15, &lengths),
    ] {
        let (name, definition, judge) = &all[index];
        let form = judged(name, definition, judge.clone(), Missing::Bad);
        forms.extend(lengths.iter().map(|length| form.by_slices_of(*length)));
    }
    forms
}

/// One form of each kind, divided into groups that are there together too.
fn grouped() -> Vec<Form> {
    let mut forms = Vec::new();
    let all = events();
    for (index, groups) in [
        (0, ROUTES),
        (7, ("prober", &["x", "y", "z"][..])),
        (12, ("route", &["/export", "/pay"])),
    ] {
        let (name, definition, truth) = &all[index];
        for form in [
            occurrences(name, definition, truth.clone()),
            timeslices(name, definition, truth.clone(), Missing::Hold),
        ] {
            forms.push(form.by(groups));
        }
    }
    let all = slices();
    let partitions: &[&str] = &["0", "1", "2", "3"];
    for (index, groups) in [
        (0, ("instance", &["a", "b"][..])),
        (3, ("pod", &["p0", "p1", "p2", "p3"])),
        (7, ("partition", partitions)),
        (13, ("table", &["orders", "users"])),
        (16, ("room", &["north", "south"])),
    ] {
        let (name, definition, judge) = &all[index];
        forms.push(judged(name, definition, judge.clone(), Missing::Hold).by(groups));
    }
    forms
}

fn occurrences(name: &str, definition: &str, truth: Truth) -> Form {
    Form {
        name: name.to_owned(),
        budgeting: "occurrences",
        definition: definition.to_owned(),
        truth,
        groups: None,
    }
}

/// Events by slices of which 95 % must be good.
fn timeslices(name: &str, definition: &str, truth: Truth, missing: Missing) -> Form {
    let judge = Judge::Share {
        of: Box::new(truth),
        allowed: 50.0,
    };
    let definition = format!("{definition}\nbudgeting: timeslices\nsliceObjective: 95%");
    judged(name, &definition, judge, missing)
}

fn judged(name: &str, definition: &str, judge: Judge, missing: Missing) -> Form {
    let (word, said) = match missing {
        Missing::Hold => ("", String::new()),
        Missing::Good => (", missing is good", "\nmissingData: good".to_owned()),
        Missing::Bad => (", missing is bad", "\nmissingData: bad".to_owned()),
    };
    Form {
        name: format!("{name}{word}"),
        budgeting: "timeslices",
        definition: format!("{definition}\nslice: 5m{said}"),
        truth: Truth::Slices {
            judge,
            slice: SLICE,
            missing,
        },
        groups: None,
    }
}

impl Form {
    /// The same by slices of another length.
    fn by_slices_of(&self, (text, length): (&str, i64)) -> Self {
        let mut truth = self.truth.clone();
        if let Truth::Slices { slice, .. } = &mut truth {
            *slice = length;
        }
        Self {
            name: format!("{}, by slices of {text}", self.name),
            budgeting: self.budgeting,
            definition: self
                .definition
                .replace("slice: 5m", &format!("slice: {text}")),
            truth,
            groups: self.groups,
        }
    }

    fn by(self, groups: (&'static str, &'static [&'static str])) -> Self {
        let Self {
            name, definition, ..
        } = &self;
        Self {
            name: format!("{name}, by {}", groups.0),
            definition: format!("{definition}\ngroupBy: [{}]\nalsoWhole: true", groups.0),
            groups: Some(groups),
            ..self
        }
    }
}
