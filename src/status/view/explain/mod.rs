//! A number with everything that it was made of, so that whoever has this document can count it again.

mod judged;
mod notes;
mod parts;
mod steps;
mod tiers;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::indicator::Budgeting;
use crate::domain::labels::Labels;
use crate::domain::slot::Slot;
use crate::domain::time::Timestamp;

use super::super::explanation::{AskedRead, Evaluation, Explanation, Query};
use super::super::names::{Measured, SignalName};
use super::scalar::{Count, Length, Time};
use super::slo::BudgetUnit;

use judged::judged_of;
use notes::notes_of;
use parts::part_of;
use tiers::tier_of;

pub use judged::{JudgedView, SliceValueView, SliceView};
pub use notes::NoteView;
pub use parts::{PartView, SampleValue, SeriesView, WeightView};
pub use tiers::{ComparedView, TierStepsView};

/// One window of one objective, and how its numbers came to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationView {
    /// The identity of the promise.
    pub uid: String,
    /// The identity of the instance: the uid, and the group where it is one.
    pub id: String,
    /// The service that promises.
    pub service: String,
    /// The objective's name within the service.
    pub name: String,
    /// Which of its targets it is; `null` of an objective with one promise.
    pub target: Option<String>,
    /// The labels of the group; empty of the whole.
    pub group: BTreeMap<String, String>,
    /// The golden signal.
    pub signal: SignalName,
    /// The source of its samples.
    pub source: String,
    /// What is promised, 0..1.
    pub objective: f64,
    /// What is promised in percent, exactly as written.
    pub objective_percent: String,
    /// The window of the promise: `30d`, or the calendar's `week`, `month`, `quarter` or `year`.
    pub promised_over: String,
    /// The tick at which the window ends.
    pub at: Time,
    /// The length that was asked for; `null` for the objective's own window.
    pub asked: Option<Length>,
    /// Excluded start of what was summed.
    pub from: Time,
    /// Included end.
    pub to: Time,
    /// How the measurement at the tick ended.
    pub outcome: Measured,
    /// Why it is not good.
    pub reason: Option<String>,
    /// Whether the counts are estimates.
    pub approximate: bool,
    /// What is counted.
    pub unit: BudgetUnit,
    /// Bad events (or slices) counted.
    pub bad: Count,
    /// All of them.
    pub total: Count,
    /// bad / total; unknown without events.
    pub ratio: Option<f64>,
    /// The share of the window's time that was measured.
    pub coverage: f64,
    /// Each step from what was counted to the answer; none where nothing was counted, for `reason`.
    pub steps: Vec<StepView>,
    /// Whether it is the whole of an objective that watches its groups alone (no `alsoWhole`): then no
    /// tier looks at it.
    #[serde(default)]
    pub unwatched: bool,
    /// The tiers of its policy whose windows were counted, each with its comparison.
    pub tiers: Vec<TierStepsView>,
    /// Those that look further back than what was counted, with their long windows.
    pub longer_tiers: BTreeMap<String, Length>,
    /// What was counted, selector by selector.
    pub parts: Vec<PartView>,
    /// What was worth more or less than the difference of two samples, oldest first.
    pub notes: Vec<NoteView>,
    /// By what each slice was judged, and what it counts as; `null` where the events of counters are counted.
    pub judged: Option<JudgedView>,
    /// The window's slots, oldest first; of which nothing is known are left out.
    pub slots: Vec<SlotView>,
    /// What was asked of the source.
    pub reads: Vec<ReadView>,
}

/// One step of the arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// What is computed.
    pub name: String,
    /// How, in the names of `numbers`.
    pub formula: String,
    /// What goes in; `null` where it has no bound.
    pub numbers: BTreeMap<String, Option<Count>>,
    /// What comes out; `null` where it has no bound.
    pub result: Option<Count>,
}

/// What one slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotView {
    /// Its end, included; it begins where the one before ends, or a slot's width earlier.
    pub end: Time,
    /// Bad events (or slices).
    pub bad: Count,
    /// All of them.
    pub total: Count,
    /// How much of its time was measured.
    pub covered: Length,
    /// Whether a part was spread over a gap.
    pub reconstructed: bool,
}

/// One question to the source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadView {
    /// The metric or expression.
    pub family: String,
    /// What was asked; `null` of a source that is not asked in PromQL.
    pub query: Option<QueryView>,
    /// Excluded start of the time that it was asked for.
    pub from: Time,
    /// Included end.
    pub to: Time,
    /// How many series came.
    pub series: u64,
    /// How many samples they have together.
    pub samples: u64,
}

/// A query that can be sent again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryView {
    /// PromQL.
    pub text: String,
    /// When it is evaluated, or for the last time.
    pub at: Time,
    /// When it is evaluated for the first time, of a range query.
    pub start: Option<Time>,
    /// The distance of evaluations.
    pub step: Option<Length>,
}

impl ExplanationView {
    /// The view of an explanation.
    pub fn of(it: &Explanation) -> Self {
        let slo = &it.slo;
        let symbols = steps::symbols(&it.parts);
        let parts = it.parts.iter().zip(&symbols);
        Self {
            uid: slo.uid.to_string(),
            id: slo.id.to_string(),
            service: slo.service.clone(),
            name: slo.name.clone(),
            target: slo.target.clone(),
            group: labels_of(&slo.group.labels()),
            signal: slo.signal().into(),
            source: slo.source.to_string(),
            objective: slo.objective.ratio(),
            objective_percent: slo.objective.percent().to_string(),
            promised_over: slo.window.to_string(),
            at: Time(it.at),
            asked: it.asked.map(Length),
            from: Time(it.range.from),
            to: Time(it.range.to),
            outcome: it.measurement.outcome.into(),
            reason: it.measurement.reason.clone(),
            approximate: slo.indicator.is_approximate(),
            unit: match slo.budgeting() {
                Budgeting::Occurrences => BudgetUnit::Events,
                Budgeting::Timeslices(_) => BudgetUnit::Slices,
            },
            bad: Count(it.sum.counts.bad),
            total: Count(it.sum.counts.total),
            ratio: it.sum.counts.error_ratio(),
            coverage: it.sum.covered,
            steps: steps::answer(it, &symbols),
            unwatched: it.unwatched,
            tiers: it.tiers.iter().map(|tier| tier_of(it, tier)).collect(),
            longer_tiers: it
                .longer_tiers
                .iter()
                .map(|(name, long)| (name.clone(), Length(*long)))
                .collect(),
            parts: parts.map(|(part, symbol)| part_of(part, symbol)).collect(),
            notes: notes_of(it),
            judged: it.judged.as_ref().map(|judged| judged_of(it, judged)),
            slots: it.slots.iter().map(slot_of).collect(),
            reads: it.reads.iter().map(read_of).collect(),
        }
    }
}

fn labels_of(labels: &Labels) -> BTreeMap<String, String> {
    let pairs = labels.iter();
    pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

fn slot_of((end, slot): &(Timestamp, Slot)) -> SlotView {
    SlotView {
        end: Time(*end),
        bad: Count(slot.counts.bad),
        total: Count(slot.counts.total),
        covered: Length(slot.covered),
        reconstructed: slot.reconstructed,
    }
}

fn read_of(asked: &AskedRead) -> ReadView {
    ReadView {
        family: asked.family.clone(),
        query: asked.query.as_ref().map(query_of),
        from: Time(asked.range.from),
        to: Time(asked.range.to),
        series: u64::try_from(asked.series).unwrap_or(u64::MAX),
        samples: u64::try_from(asked.samples).unwrap_or(u64::MAX),
    }
}

fn query_of(query: &Query) -> QueryView {
    let text = query.text.clone();
    match query.at {
        Evaluation::Once(at) => QueryView {
            text,
            at: Time(at),
            start: None,
            step: None,
        },
        Evaluation::Range(start, end, step) => QueryView {
            text,
            at: Time(end),
            start: Some(Time(start)),
            step: Some(Length(step)),
        },
    }
}
