//! What the sources hold of what objectives name, looked at once, before anything is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::domain::labels::Labels;
use crate::domain::metric::MetricKind;
use crate::domain::selector::{Matcher, Selector};
use crate::domain::slo::{SloId, SourceName};

use super::names::Role;

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
    /// A metric whose values are of another kind than those that are due, as whoever exposes it says.
    OtherKind {
        /// What stands for it.
        part: Part,
        /// The metric.
        metric: String,
        /// What it is.
        kind: MetricKind,
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

impl Finding {
    /// What finds no series, if that is what was found.
    pub const fn missing(&self) -> Option<&Missing> {
        match self {
            Self::NoSeries(missing) | Self::LessSeries(missing) | Self::NoneBad(missing) => {
                Some(missing)
            }
            _ => None,
        }
    }

    /// The same, of which more may be found out.
    pub const fn missing_mut(&mut self) -> Option<&mut Missing> {
        match self {
            Self::NoSeries(missing) | Self::LessSeries(missing) | Self::NoneBad(missing) => {
                Some(missing)
            }
            _ => None,
        }
    }
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
    Expression {
        /// The first metric in it that there is not.
        absent: Option<Absent>,
    },
    /// There is no series of this metric at all.
    NoMetric(Absent),
    /// It is the buckets of a histogram, of which there are none: it is a summary.
    Summary {
        /// What selects its quantiles, but for which of them.
        selector: Selector,
        /// Which quantiles there are, the lowest first; never empty.
        quantiles: Vec<String>,
    },
    /// One condition alone excludes all that fulfil the others.
    Excluded {
        /// The condition.
        condition: Matcher,
        /// What the others have of its label, sorted; never empty.
        values: Vec<String>,
    },
    /// There are some, which hold no numbers that can be counted.
    OtherKind {
        /// The metric.
        metric: String,
        /// What it is.
        kind: MetricKind,
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

/// A metric of which there are no series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// Its name.
    pub metric: String,
    /// What there is instead, sorted; empty where the source does not tell.
    pub names: Arc<[String]>,
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
