//! Why a number is what it is: everything that went into the counts of one window of one objective.

use std::sync::Arc;

use crate::domain::evidence::Evidence;
use crate::domain::group::Group;
use crate::domain::guard::Guard;
use crate::domain::labels::Labels;
use crate::domain::measurement::Measurement;
use crate::domain::objective::Objective;
use crate::domain::policy::{AlertPolicy, HeldBack, Severity, Tier};
use crate::domain::slices::{BadWhen, MissingData};
use crate::domain::slo::{Slo, SloId};
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::domain::versions::Versions;
use crate::ledger::WindowSum;

use super::names::{JudgedBy, Role};

/// Which window is to be explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AskedWindow {
    /// The shortest long window of the objective's policy; an hour without one.
    #[default]
    Usual,
    /// One of this length.
    Length(Span),
    /// The objective's own.
    Budget,
}

impl AskedWindow {
    /// The length that is meant; `None` for the objective's own window.
    pub fn length(self, slo: &Slo, policy: Option<&AlertPolicy>) -> Option<Span> {
        match self {
            Self::Budget => None,
            Self::Length(length) => Some(length),
            Self::Usual => {
                let tiers = policy.iter().flat_map(|policy| &policy.tiers);
                let shortest = tiers.map(|tier| tier.long).min();
                let usual = shortest.unwrap_or(Span::from_hours(1));
                (usual < slo.window.shortest()).then_some(usual)
            }
        }
    }
}

/// Whose number is to be explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The promise: an objective, or one of its targets.
    pub uid: SloId,
    /// Which of its groups; empty for the whole.
    pub group: Group,
    /// What was promised when, as far as that is known.
    pub versions: Versions,
}

impl Subject {
    /// The whole of a promise, of which no earlier versions are known.
    pub fn whole(uid: SloId) -> Self {
        Self {
            uid,
            group: Group::default(),
            versions: Versions::default(),
        }
    }
}

/// Which number is to be explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// When the window ends; `None` for the newest tick.
    pub at: Option<Timestamp>,
    /// Which window.
    pub window: AskedWindow,
    /// How many samples may be read for it; `None` for as many as there are.
    pub most_samples: Option<usize>,
}

/// One window of one objective, as it stood at one tick, with all that was counted for it.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The objective.
    pub slo: Arc<Slo>,
    /// The tick at which the window ends.
    pub at: Timestamp,
    /// The length that was asked for; `None` for the objective's own window.
    pub asked: Option<Span>,
    /// The length of the whole window of the objective that the tick lies in.
    pub period: Span,
    /// What was summed: begins where a slot does.
    pub range: TimeRange,
    /// The width of slots when they are new.
    pub slot: Span,
    /// What it holds, as the ledger says.
    pub sum: WindowSum,
    /// What was promised in which part of it, oldest first, where that changed.
    pub versions: Vec<ExplainedVersion>,
    /// How well the objective was measured at the tick.
    pub measurement: Measurement,
    /// Whether it is the whole of an objective that watches its groups alone: then it has no tiers.
    pub unwatched: bool,
    /// The tiers of its policy whose windows were counted.
    pub tiers: Vec<ExplainedTier>,
    /// Those whose long windows reach further back than what was counted.
    pub longer_tiers: Vec<(String, Span)>,
    /// What was counted, selector by selector.
    pub parts: Vec<Part>,
    /// What was spread over gaps that reach over the window's edges, as far as it lies outside.
    pub outside: Counts,
    /// The slots of the window, oldest first, by their ends; of which nothing is known are left out.
    pub slots: Vec<(Timestamp, Slot)>,
    /// By what each slice was judged, and how; none where events of counters are counted.
    pub judged: Option<Judged>,
    /// What was asked of the source.
    pub reads: Vec<AskedRead>,
}

impl Explanation {
    /// The same of a whole that nobody judges.
    #[must_use]
    pub fn unwatched(self) -> Self {
        Self {
            unwatched: true,
            tiers: Vec::new(),
            longer_tiers: Vec::new(),
            ..self
        }
    }

    /// Whether anything of the window was counted, be it nothing but zeros, or what was spread over a gap.
    pub fn is_counted(&self) -> bool {
        let has_events = self.sum.counts != Counts::default();
        has_events || self.sum.covered > 0.0 || self.measurement.reason.is_none()
    }
}

/// Slices, and what each was judged by and counts as.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The length of a slice; where the events of probes count as they are, that of a slot.
    pub slice: Span,
    /// What they are judged by.
    pub by: JudgedBy,
    /// What is good of the values.
    pub rule: Rule,
    /// How many values on the wrong side make a slice bad, where it may have several.
    pub bad_when: Option<BadWhen>,
    /// What a slice counts as of which the source holds nothing.
    pub missing: MissingData,
    /// The slices of which anything is known or counted, oldest first.
    pub slices: Vec<JudgedSlice>,
    /// How many others there are, which count as nothing.
    pub unknown: usize,
}

/// One slice.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedSlice {
    /// Its end.
    pub end: Timestamp,
    /// What it counts as; `None` where that is nothing.
    pub counts: Option<Counts>,
    /// The values by which it was judged, one for each group.
    pub values: Vec<JudgedValue>,
}

/// The value of one group in one slice.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedValue {
    /// The labels of the group; empty where there is but one.
    pub group: Labels,
    /// What was compared.
    pub value: f64,
    /// The part and the whole that it is the quotient of, where it is one.
    pub part_of: Option<(f64, f64)>,
    /// Whether it was on the wrong side.
    pub is_bad: bool,
}

/// What is good of the value of a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// What is not above.
    AtMost(f64),
    /// What is not below.
    AtLeast(f64),
    /// Nothing is compared: the value is the share that is bad.
    Share,
}

/// A part of the window, and what was promised then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExplainedVersion {
    /// The part.
    pub range: TimeRange,
    /// What was in force.
    pub objective: Objective,
    /// What was counted.
    pub counts: Counts,
}

/// One tier and the sums that it looks at.
#[derive(Clone, Debug)]
pub struct ExplainedTier {
    /// The tier.
    pub tier: Tier,
    /// How loud it is for this objective.
    pub severity: Severity,
    /// What its long window holds.
    pub long: WindowSum,
    /// What its short window holds.
    pub short: WindowSum,
    /// The low-traffic guard, where it applies.
    pub guard: Option<Guard>,
    /// Why it starts no alarm although its windows are above, where that is so.
    pub held_back: Option<HeldBack>,
}

/// The series of one selector.
#[derive(Clone, Debug)]
pub struct Part {
    /// What they stand for.
    pub role: Role,
    /// What one event of them adds; `None` where slices are judged by their values.
    pub weight: Option<Counts>,
    /// The selector, or the expression.
    pub selector: String,
    /// What brings exactly the samples below.
    pub query: Option<Query>,
    /// The series that match.
    pub series: Vec<CountedSeries>,
}

/// One series of a selector.
#[derive(Clone, Debug)]
pub struct CountedSeries {
    /// Its labels.
    pub labels: Labels,
    /// Its samples in the window, and the last one before it: the first increase begins there.
    pub samples: Vec<(Timestamp, f64)>,
    /// The events in the window, those of gaps wholly.
    pub events: f64,
    /// What was worth more or less than the difference of two samples.
    pub notes: Vec<Note>,
}

/// Something about a series that is not just the difference of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// The older sample, or from where was counted instead.
    pub from: Timestamp,
    /// The newer one.
    pub to: Timestamp,
    /// The value from which was counted; unknown where nothing was counted.
    pub before: Option<f64>,
    /// The value of the newer sample.
    pub after: f64,
    /// What was counted.
    pub events: f64,
    /// Whether the events are spread over all slots between, because nothing was scraped there.
    pub gap: bool,
    /// What happened.
    pub kind: NoteKind,
}

/// What happened to a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// The counter fell, so that all of the newer value is new.
    Reset,
    /// Nothing was scraped for longer than usual.
    Gap,
    /// Its first value was counted, since this shows when its events happened.
    Counted(Evidence),
    /// Its first value was not counted, for this reason.
    Ignored(Evidence),
}

/// A query that can be sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// PromQL.
    pub text: String,
    /// When it is evaluated.
    pub at: Evaluation,
}

/// When a query is evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evaluation {
    /// Once.
    Once(Timestamp),
    /// From the first time to the last in steps.
    Range(Timestamp, Timestamp, Span),
}

/// One question to the source, and how much came.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedRead {
    /// What was asked; `None` of a source that is not asked in PromQL.
    pub query: Option<Query>,
    /// The metric or expression.
    pub family: String,
    /// For which time.
    pub range: TimeRange,
    /// How many series came.
    pub series: usize,
    /// How many samples they have together.
    pub samples: usize,
}
