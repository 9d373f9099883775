//! What the sources hold of what objectives name, looked at once, before anything is counted.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use crate::domain::labels::Labels;
use crate::domain::selector::{Matcher, Selector};
use crate::domain::slo::{SloId, SourceName};

use super::view::names::Role;

/// What was found of a catalog.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// What could not be read of each source, each reason once.
    pub unread: Vec<Unread>,
    /// Objectives of which something could not be read, and nothing else is said.
    pub blind: BTreeSet<SloId>,
    /// What is wrong with each of the others, by what is counted for it: once for all of its targets.
    pub findings: BTreeMap<SloId, Vec<Finding>>,
}

/// Why a source, or a part of it, could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which source.
    pub source: SourceName,
    /// Why, in a sentence.
    pub reason: String,
    /// The expression that alone is at fault, if one is: whose, and what it stands for.
    pub expression: Option<(SloId, Role)>,
}

/// One part of an indicator: an item of a list of selectors, an expression, or a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it stands for.
    pub role: Role,
    /// Its position where several stand for the same.
    pub item: usize,
}

/// Something that does not fit between an objective and what its source holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// No series, so that nothing can be counted.
    NoSeries(Missing),
    /// No series, where others stand for the same and have some.
    LessSeries(Missing),
    /// No bad series, where there are some of all events.
    NoneBad(Missing),
    /// A threshold that is no boundary of a bucket.
    NoBucket {
        /// Which of the thresholds.
        threshold: usize,
        /// Why it cannot be counted by, and what to do.
        lack: Lack,
    },
    /// Some of the series of a histogram have no bucket that ends at a threshold.
    LessBuckets {
        /// Which of the thresholds.
        threshold: usize,
        /// Where it lies, as `atMost` is written.
        at_most: String,
        /// The series without the bucket.
        without: Several,
    },
    /// Bad (or good) series that belong to no series of the total.
    Outside {
        /// Which of them.
        part: Part,
        /// The series outside.
        series: Several,
        /// Whether it is the same metric, so that they are outside for certain.
        same_metric: bool,
    },
    /// Series that two selectors match, so that their events count twice.
    Doubled {
        /// What the selectors stand for.
        parts: [Part; 2],
        /// The selectors.
        selectors: [Selector; 2],
        /// The series that both match, of all that one of them does.
        series: Several,
        /// A condition that makes one of them, by its position, exclude the other; `None` where
        /// neither has a series of its own.
        apart: Option<(usize, Matcher)>,
    },
    /// A label of groups that no series has.
    NoLabel {
        /// The label.
        label: String,
        /// What the series stand for.
        role: Role,
        /// The labels that they have.
        known: Vec<String>,
    },
}

/// A selector (or an expression) that finds nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// What it stands for.
    pub part: Part,
    /// As it is asked.
    pub text: String,
    /// What is known of the reason.
    pub why: Why,
}

/// Why a selector finds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nobody knows.
    Unknown,
    /// It is an expression, and gives nothing.
    Expression,
    /// There is no series of this metric at all.
    NoMetric(String),
    /// One condition alone excludes all that fulfil the others.
    Excluded {
        /// The condition.
        condition: Matcher,
        /// What the others have of its label, sorted; never empty.
        values: Vec<String>,
    },
    /// It finds some, and what its source adds to every selector leaves none of them.
    Narrowed {
        /// The source.
        source: SourceName,
        /// What it adds.
        by: Vec<Matcher>,
    },
    /// No condition alone excludes all series.
    Together,
}

/// Some of several series.
#[derive(Clone, Debug, PartialEq)]
pub struct Several {
    /// One of them.
    pub example: Labels,
    /// How many they are.
    pub count: usize,
    /// Of how many.
    pub of: usize,
}

/// Why events cannot be counted by a histogram, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// Why.
    pub sentence: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.sentence, self.advice)
    }
}
