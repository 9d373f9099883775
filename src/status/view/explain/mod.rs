//! A number with everything that it was made of, so that whoever has this document can count it again.

mod steps;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::decimal::Fraction;
use crate::domain::evidence::Evidence;
use crate::domain::indicator::Budgeting;
use crate::domain::labels::Labels;
use crate::domain::objective::BurnRate;
use crate::domain::slot::Slot;
use crate::domain::time::{Span, Timestamp};
use crate::ledger::WindowSum;

use super::super::explanation::{
    AskedRead, CountedSeries, Evaluation, ExplainedTier, Explanation, Judged, JudgedValue, Note,
    NoteKind, Part, Query, Rule,
};
use super::names::{Alert, Measured, Role, SignalName};
use super::scalar::{Count, Length, Time, finite};
use super::slo::{BudgetUnit, GuardView};

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
    /// Each step from what was counted to the answer.
    pub steps: Vec<StepView>,
    /// The tiers of its policy whose windows were counted, each with its comparison.
    pub tiers: Vec<TierStepsView>,
    /// Those that look further back than what was counted, with their long windows.
    pub longer_tiers: BTreeMap<String, Length>,
    /// What was counted, selector by selector.
    pub parts: Vec<PartView>,
    /// What was worth more or less than the difference of two samples, oldest first.
    pub notes: Vec<NoteView>,
    /// By what each slice was judged; `null` where events are counted, and for probes.
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
    /// What goes in.
    pub numbers: BTreeMap<String, Count>,
    /// What comes out; `null` where it has no bound.
    pub result: Option<Count>,
}

/// One tier, and what its windows say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TierStepsView {
    /// Its name.
    pub name: String,
    /// How loud it is for this objective.
    pub severity: Alert,
    /// The burn rate above which it fires; where it counts, at which, or `null` while its long window is empty.
    pub threshold: Option<f64>,
    /// The bad events in the long window from which it fires, where it counts.
    #[serde(default)]
    pub bad: Option<u64>,
    /// The error ratio above which it fires; `null` where it counts.
    pub limit: Option<f64>,
    /// How threshold and limit come to be.
    pub steps: Vec<StepView>,
    /// The window that says that it matters.
    pub long: ComparedView,
    /// The window that says that it goes on.
    pub short: ComparedView,
    /// The low-traffic guard, where it applies.
    pub guard: Option<GuardView>,
    /// Whether failures in the long window are too many for chance; `true` without a guard.
    pub guard_passed: bool,
    /// Whether it burns: both windows are above the limit (or hold enough bad events), and the guard is passed.
    pub burns: bool,
}

/// One window of a tier beside its limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparedView {
    /// Its length.
    pub length: Length,
    /// Bad events counted.
    pub bad: Count,
    /// All of them.
    pub total: Count,
    /// bad / total; unknown without events.
    pub ratio: Option<f64>,
    /// How many times faster than allowed the budget is spent; unknown without events.
    pub burn: Option<f64>,
    /// The share of its time that was measured.
    pub coverage: f64,
    /// Whether bad / total > limit, compared exactly.
    pub exceeds: bool,
}

/// The series of one selector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartView {
    /// The name of their sum in the steps; `null` where slices are judged by their values.
    pub symbol: Option<String>,
    /// What they stand for.
    pub role: Role,
    /// The selector, or the expression.
    pub selector: String,
    /// What one event adds to the total, and to the bad; `null` where slices are judged.
    pub weight: Option<WeightView>,
    /// Brings exactly the samples below; `null` of a source that is not asked in PromQL, and of an
    /// expression with more points than Prometheus gives at once.
    pub query: Option<QueryView>,
    /// The events of all series.
    pub events: Option<Count>,
    /// The series that match, those with the most events first.
    pub series: Vec<SeriesView>,
}

/// What one event of a series adds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightView {
    /// To the bad.
    pub bad: Count,
    /// To the total.
    pub total: Count,
}

/// One series of a selector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeriesView {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The events counted of it; `null` where slices are judged by its values.
    pub events: Option<Count>,
    /// Its samples as `[seconds since 1970, value]`: those in the window, and before it as many as
    /// any series of the selector needs for its first difference.
    pub samples: Vec<(f64, SampleValue)>,
}

/// A sample's value: a number, or `"NaN"`, `"+Inf"`, `"-Inf"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SampleValue {
    /// A number.
    Number(Count),
    /// What JSON has no number for.
    Name(String),
}

/// What happened to a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteView {
    /// What: `reset`, `gap`, `birthCounted` or `birthIgnored`.
    pub kind: String,
    /// By which rule a first value was counted or not.
    pub rule: Option<String>,
    /// The same in words.
    pub why: String,
    /// Its labels.
    pub series: BTreeMap<String, String>,
    /// The older sample, or from where was counted instead.
    pub from: Time,
    /// The newer one.
    pub to: Time,
    /// The value from which was counted.
    pub before: Option<Count>,
    /// The value of the newer sample.
    pub after: Count,
    /// The events counted.
    pub events: Count,
    /// Over how many slots they are spread.
    pub slots: u64,
}

/// Slices, and the values by which they were judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgedView {
    /// The length of a slice.
    pub slice: Length,
    /// The value above which a group is bad.
    pub at_most: Option<f64>,
    /// The value below which a group is bad. Without either the value is the share that is bad.
    pub at_least: Option<f64>,
    /// Slices of which anything is known, oldest first.
    pub slices: Vec<SliceView>,
}

/// One slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SliceView {
    /// Its end, included.
    pub end: Time,
    /// The values of its groups.
    pub values: Vec<SliceValueView>,
}

/// The value of one group in a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SliceValueView {
    /// The labels of the group; empty where there is but one.
    pub group: BTreeMap<String, String>,
    /// What is compared with the threshold: events a second, the share of what is usual, the share
    /// of a limit, a gauge's value, seconds, or the expression's value.
    pub value: Option<f64>,
    /// Whether it is on the wrong side.
    pub bad: bool,
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
            tiers: it.tiers.iter().map(|tier| tier_of(it, tier)).collect(),
            longer_tiers: it
                .longer_tiers
                .iter()
                .map(|(name, long)| (name.clone(), Length(*long)))
                .collect(),
            parts: parts.map(|(part, symbol)| part_of(part, symbol)).collect(),
            notes: notes_of(it),
            judged: it.judged.as_ref().map(judged_of),
            slots: it.slots.iter().map(slot_of).collect(),
            reads: it.reads.iter().map(read_of).collect(),
        }
    }
}

fn tier_of(it: &Explanation, tier: &ExplainedTier) -> TierStepsView {
    let objective = it.slo.objective;
    let limit = tier.tier.error_limit(objective, it.period);
    let compared = |length: Span, sum: &WindowSum, is_enough: bool| ComparedView {
        length: Length(length),
        bad: Count(sum.counts.bad),
        total: Count(sum.counts.total),
        ratio: sum.counts.error_ratio(),
        burn: BurnRate::of(sum.counts, objective).and_then(|burn| finite(burn.get())),
        coverage: sum.covered,
        exceeds: limit.map_or(is_enough, |limit| sum.counts.exceeds(limit)),
    };
    let (all, still) = (tier.long.counts, tier.short.counts);
    let enough = tier
        .tier
        .bad()
        .is_some_and(|bad| Count::of(bad).0 <= all.bad);
    let long = compared(tier.tier.long, &tier.long, enough);
    let short = compared(tier.tier.short, &tier.short, still.bad > 0.0);
    let guard_passed = tier.guard.is_none_or(|guard| guard.is_passed());
    TierStepsView {
        name: tier.tier.name.clone(),
        severity: Some(tier.severity).into(),
        threshold: finite(tier.tier.threshold(objective, it.period, tier.long.counts)),
        bad: tier.tier.bad(),
        limit: limit.map(Fraction::to_f64),
        steps: steps::tier(it, tier),
        long,
        short,
        guard: tier.guard.map(|guard| GuardView {
            seen: Count(guard.seen),
            needed: guard.needed,
        }),
        guard_passed,
        burns: long.exceeds && short.exceeds && guard_passed,
    }
}

fn part_of(part: &Part, symbol: &str) -> PartView {
    let counts = part.weight.is_some();
    let mut series: Vec<&CountedSeries> = part.series.iter().collect();
    series.sort_by(|one, other| other.events.total_cmp(&one.events));
    PartView {
        symbol: counts.then(|| symbol.to_owned()),
        role: part.role,
        selector: part.selector.clone(),
        weight: part.weight.map(|weight| WeightView {
            bad: Count(weight.bad),
            total: Count(weight.total),
        }),
        query: part.query.as_ref().map(query_of),
        events: counts.then(|| Count(steps::events(part))),
        series: series
            .into_iter()
            .map(|series| SeriesView {
                labels: labels_of(&series.labels),
                events: counts.then_some(Count(series.events)),
                samples: series.samples.iter().map(sample_of).collect(),
            })
            .collect(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of any date are far below 2^53"
)]
fn sample_of((at, value): &(Timestamp, f64)) -> (f64, SampleValue) {
    let seconds = at.as_millis() as f64 / 1_000.0;
    let value = match value {
        number if number.is_finite() => SampleValue::Number(Count(*number)),
        infinite if *infinite > 0.0 => SampleValue::Name("+Inf".to_owned()),
        infinite if *infinite < 0.0 => SampleValue::Name("-Inf".to_owned()),
        _ => SampleValue::Name("NaN".to_owned()),
    };
    (seconds, value)
}

fn labels_of(labels: &Labels) -> BTreeMap<String, String> {
    let pairs = labels.iter();
    pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

/// What happened to the series, each once: one may stand in several parts.
fn notes_of(it: &Explanation) -> Vec<NoteView> {
    let mut seen: BTreeMap<(Timestamp, String, Timestamp, &str), NoteView> = BTreeMap::new();
    for series in it.parts.iter().flat_map(|part| &part.series) {
        for note in &series.notes {
            let view = note_of(&series.labels, note, it.slot);
            let key = (note.to, series.labels.to_string(), note.from, kind(note));
            seen.entry(key).or_insert(view);
        }
    }
    seen.into_values().collect()
}

const fn kind(note: &Note) -> &'static str {
    match note.kind {
        NoteKind::Reset => "reset",
        NoteKind::Gap => "gap",
        NoteKind::Counted(_) => "birthCounted",
        NoteKind::Ignored(_) => "birthIgnored",
    }
}

fn note_of(labels: &Labels, note: &Note, slot: Span) -> NoteView {
    let (rule, why) = match note.kind {
        NoteKind::Reset => (
            None,
            "the counter fell: it began anew at zero, and all of the newer value is new",
        ),
        NoteKind::Gap => (
            None,
            "nothing was scraped for more than 2.5 usual intervals",
        ),
        NoteKind::Counted(evidence) | NoteKind::Ignored(evidence) => {
            let is_counted = matches!(note.kind, NoteKind::Counted(_));
            (Some(evidence.name().to_owned()), why(evidence, is_counted))
        }
    };
    let first = (note.from + Span::from_millis(1)).ceil_to(slot);
    let spread = note.to.ceil_to(slot).since(first).as_millis() / slot.as_millis() + 1;
    NoteView {
        kind: kind(note).to_owned(),
        rule,
        why: why_of_gap(why.to_owned(), note),
        series: labels_of(labels),
        from: Time(note.from),
        to: Time(note.to),
        before: note.before.map(Count),
        after: Count(note.after),
        events: Count(note.events),
        slots: if note.gap {
            u64::try_from(spread).unwrap_or(1).max(1)
        } else {
            u64::from(note.before.is_some())
        },
    }
}

fn why_of_gap(why: String, note: &Note) -> String {
    match note.kind {
        NoteKind::Gap => why + ", so the events are spread over all slots between",
        _ if note.gap => why + "; the events are spread over all slots between",
        _ => why,
    }
}

/// Why a first value was counted, or not.
const fn why(evidence: Evidence, is_counted: bool) -> &'static str {
    match evidence {
        Evidence::Renamed => {
            "a series of the same target ended as this one began, with one label more or less: the same counter goes on"
        }
        Evidence::Anew => {
            "it returned after its target was scraped without it, or with a new process: it counts from zero"
        }
        Evidence::Absent => "its target was scraped before without it: it was at zero then",
        Evidence::Process => {
            "its process began since the scrape before, or was young: all that it counted is new"
        }
        Evidence::OlderProcess => {
            "its process is older than what is known of it: these may be the events of its whole life"
        }
        Evidence::Pace if is_counted => {
            "nothing but its pace shows when these happened, and at that they may be of one scrape"
        }
        Evidence::Pace => {
            "nothing shows when these happened, and at its pace they took more than ten scrapes"
        }
    }
}

fn judged_of(judged: &Judged) -> JudgedView {
    let (at_most, at_least) = match judged.rule {
        Rule::AtMost(most) => (Some(most), None),
        Rule::AtLeast(least) => (None, Some(least)),
        Rule::Share => (None, None),
    };
    let value = |it: &JudgedValue| SliceValueView {
        group: labels_of(&it.group),
        value: finite(it.value),
        bad: it.is_bad,
    };
    let slice = |values: &[JudgedValue]| {
        Some(SliceView {
            end: Time(values.first()?.end),
            values: values.iter().map(value).collect(),
        })
    };
    let slices = judged.values.chunk_by(|one, other| one.end == other.end);
    JudgedView {
        slice: Length(judged.slice),
        at_most,
        at_least,
        slices: slices.filter_map(slice).collect(),
    }
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
