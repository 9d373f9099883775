//! Lanes: the sources of events of an objective, and which families they read.

use crate::domain::indicator::Split;
use crate::domain::slices::MissingData;
use crate::domain::time::Span;

use super::judge::Judge;
use super::{FamilyIndex, SelectorPosition};

/// One source of events of an objective.
#[derive(Debug)]
pub enum Lane {
    /// Increments of counters.
    Counters {
        /// The family.
        family: FamilyIndex,
        /// Whether any of the events that make up the total are counted here. No sample in any of
        /// these lanes means not measured.
        totals: bool,
    },
    /// Slices of time, judged one by one.
    Slices(SliceLane),
    /// Values of expressions, spread over slots.
    Points {
        /// All events.
        total: FamilyIndex,
        /// The bad or the good among them.
        part: Split<FamilyIndex>,
        /// What the values are counted over.
        window: Span,
    },
}

/// Slices of time, and what they are judged by.
#[derive(Debug)]
pub struct SliceLane {
    /// What a slice is judged by.
    pub judge: Judge,
    /// The length of a slice.
    pub slice: Span,
    /// What a slice is of which the source holds nothing.
    pub missing: MissingData,
}

impl Lane {
    /// The families whose samples the lane needs, the one with the totals first.
    pub fn families(&self) -> Vec<FamilyIndex> {
        match self {
            Self::Counters { family, .. } => vec![*family],
            Self::Slices(slices) => slices.judge.families(),
            Self::Points { total, part, .. } => vec![*total, *part.counted()],
        }
    }

    /// The selectors by which it reads series, each with its family; none where it reads whole
    /// answers, or counts by roles.
    pub fn selectors(&self) -> Vec<(FamilyIndex, SelectorPosition)> {
        match self {
            Self::Counters { .. } | Self::Points { .. } => Vec::new(),
            Self::Slices(slices) => {
                let reads = slices.judge.reads().into_iter();
                reads.map(|read| (read.family, read.selector)).collect()
            }
        }
    }

    /// What a slot of which the source holds nothing counts as.
    pub(super) const fn missing(&self) -> MissingData {
        match self {
            Self::Counters { .. } | Self::Points { .. } => MissingData::Hold,
            Self::Slices(slices) => slices.missing,
        }
    }

    /// Whether its slots hold samples or do not, so that one without any is known to hold none.
    pub const fn is_sparse(&self) -> bool {
        matches!(
            self,
            Self::Slices(SliceLane {
                judge: Judge::Probe {
                    allowance: None,
                    ..
                },
                ..
            })
        )
    }

    /// The length of its slices, if it judges any.
    pub const fn slice(&self) -> Option<Span> {
        match self {
            Self::Slices(slices) => Some(slices.slice),
            Self::Counters { .. } | Self::Points { .. } => None,
        }
    }
}
