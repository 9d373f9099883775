//! How well an objective could be measured at a tick. Only *measured* may raise or lower an alert.

use super::time::Timestamp;

/// How a measurement ended. Five different things, kept apart up to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Events (or slices) were counted.
    Measured,
    /// The series are there and nothing happened: burns nothing, and is not unmeasured.
    NoTraffic,
    /// No series, or none with a recent sample.
    NoData,
    /// The source answered with warnings: a part may be missing.
    Partial,
    /// The source could not be read.
    Failed,
}

impl Outcome {
    /// The name used in the API, in messages and in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::NoTraffic => "noTraffic",
            Self::NoData => "noData",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }

    /// Whether the objective counts as measured for the *cannot measure* alert and the status.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Measured | Self::NoTraffic)
    }
}

/// The last measurement of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// How it ended.
    pub outcome: Outcome,
    /// The tick it belongs to.
    pub at: Timestamp,
    /// The newest tick with a good outcome.
    pub last_good: Option<Timestamp>,
    /// Why it is not good, in a sentence for people.
    pub reason: Option<String>,
    /// Whether it is not because what was to be counted cannot be true, as a part beyond its whole.
    pub impossible: bool,
}
