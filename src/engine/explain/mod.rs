//! Explains a number: counts one window of one objective anew, by the same step that the daemon runs,
//! and says what it did. Nothing is kept, and nobody is told.

pub mod ask;
mod judged;
mod parts;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::measurement::Outcome;
use crate::domain::slo::{Catalog, Slo, SloId, SourceName};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::domain::versions::Versions;
use crate::series::plan::{Plan, PlanError};
use crate::series::trace::Trace;
use crate::source::Source;
use crate::status::explanation::{Asked, ExplainedTier, ExplainedVersion, Explanation, Subject};
use crate::status::snapshot::{Backfill, SloStatus, Snapshot};
use crate::store::commit::Recovered;

use super::clocks::Clocks;
use super::digger;
use super::lag::Lags;
use super::passes::Passes;
use super::reading;
use super::settings::Settings;
use super::state::State;
use super::step::{Effects, Input, Tick, step, take_past};

use parts::Shown;

#[cfg(test)]
mod tests;

/// So often in a row a source may refuse before it is given up.
const PATIENCE: u32 = 3;

/// Why a number cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// A selector cannot be matched.
    #[error("the objective cannot be planned")]
    Plan(#[from] PlanError),
    /// The source could not be read.
    #[error("the samples cannot be read: {0}")]
    Unread(String),
    /// The window is longer than what the objective looks at.
    #[error(
        "a window of {asked} is longer than that of `{slo}`, which is {longest}; ask for at most that"
    )]
    TooLong {
        /// As asked for.
        asked: Span,
        /// Whose it is.
        slo: String,
        /// The longest that can be asked for.
        longest: Span,
    },
    /// A time that has not come.
    #[error("`at` lies in the future (now is {now})")]
    Future {
        /// When it was asked.
        now: Timestamp,
    },
    /// Nothing of what the objective counts was there then, nor anything that comes with it.
    #[error(
        "source `{source_name}` has no samples of what `{slo}` selects from {} to {}: it does not keep them that long, or the selectors match nothing (`sloburn check --live` shows what they match now)",
        .range.from, .range.to
    )]
    NothingThen {
        /// The instance.
        slo: String,
        /// Its source.
        source_name: SourceName,
        /// The window.
        range: TimeRange,
    },
    /// No such promise is defined.
    #[error("`{0}` is no longer defined")]
    Undefined(SloId),
    /// A group of an objective that is divided otherwise, or not at all.
    #[error("{}", divided(.slo, .by))]
    Divided {
        /// Whose group it was to be.
        slo: SloId,
        /// The labels that tell its groups apart.
        by: Vec<String>,
    },
    /// A group of which there is nothing.
    #[error(
        "nothing was found of `{slo}` in the window, nor just before it; see /api/v1/slos for the groups that there are"
    )]
    NoSuchGroup {
        /// The instance.
        slo: String,
    },
    /// More samples than may be read.
    #[error(
        "the window holds more than {most} samples, which is the most that is explained here; ask for a shorter one"
    )]
    TooMuch {
        /// How many may be.
        most: usize,
    },
}

/// Explains a window of a promise or one of its groups, from what the sources hold. `now` says what the newest tick is;
/// `progress` hears how far the past is read.
///
/// # Errors
/// When the source cannot be read, or when more is asked for than can be explained.
pub async fn explain<S: Source>(
    settings: &Settings,
    (catalog, subject): (&Catalog, &Subject),
    sources: &BTreeMap<SourceName, Arc<S>>,
    (now, asked): (Timestamp, Asked),
    mut progress: impl FnMut(&SourceName, Option<Backfill>),
) -> Result<Explanation, ExplainError> {
    let slo = defined(catalog, subject)?;
    // Whose clock is a little ahead may still ask for its now.
    if asked.at.is_some_and(|at| at > now + settings.tick) {
        let now = now.floor_to(Span::from_secs(1));
        return Err(ExplainError::Future { now });
    }
    let newest = Clocks::of(sources, now).readable(settings, &Lags::default(), None);
    let at = asked.at.map_or(newest, |at| at.min(newest));
    let at = at.floor_to(settings.tick);
    let window = asked
        .window
        .length(&slo, catalog.policy_of(&slo).map(AsRef::as_ref));
    let reach = reach(&slo, window, at)?;
    let unwatched = is_unwatched(catalog, subject);
    let settings = &settings.clone().with_past(sources);
    let catalog = Catalog {
        slos: BTreeMap::from([(slo.uid.clone(), Arc::clone(&slo))]),
        policies: catalog.policies.clone(),
        ..Catalog::default()
    };
    let plan = Arc::new(Plan::of(&catalog, settings.slot)?);
    let mut counting = Counting {
        state: State::new(settings.clone(), &plan, Recovered::default()).traced(reach),
        sources,
        most: asked.most_samples,
        trace: Trace::default(),
    };
    counting.present((settings, &catalog), at).await?;
    let boundaries = reading::boundaries(&counting.state, settings, sources, at).await;
    counting.past(&slo.source, &mut progress).await?;
    let input = Input {
        boundaries,
        ..Input::default()
    };
    let tick = Tick { at, judge: true };
    let effects = step(&mut counting.state, tick, &input, &catalog);
    let snapshot = counting.note(effects)?;
    let mut counted = snapshot.iter().flat_map(|snapshot| &snapshot.slos);
    let found = counted.find(|status| status.group == subject.group);
    let Some(status) = found.cloned() else {
        return Err(ExplainError::NoSuchGroup {
            slo: slo.uid.of_group(&subject.group).to_string(),
        });
    };
    if let (Outcome::Failed | Outcome::Partial, Some(reason)) =
        (status.measurement.outcome, &status.measurement.reason)
    {
        return Err(ExplainError::Unread(reason.clone()));
    }
    let trace = counting.trace.sorted();
    let explained = explanation(
        (&status, &catalog, &plan, &subject.versions),
        (at, window),
        &trace,
        sources,
    );
    let nothing_read = trace.reads.iter().all(|read| read.series == 0);
    if asked.at.is_some() && nothing_read {
        return Err(ExplainError::NothingThen {
            slo: slo.uid.of_group(&subject.group).to_string(),
            source_name: slo.source.clone(),
            range: explained.range,
        });
    }
    Ok(if unwatched {
        explained.unwatched()
    } else {
        explained
    })
}

/// Whether a subject is all groups together, of an objective that watches each group and nothing else.
fn is_unwatched(catalog: &Catalog, subject: &Subject) -> bool {
    let slo = catalog.slos.get(&subject.uid);
    let grouping = slo.and_then(|slo| slo.grouping.as_ref());
    subject.group.is_empty() && grouping.is_some_and(|it| !it.also_whole)
}

/// What is defined of a subject: without its groups, where the whole is to be explained; else all
/// groups are counted, as the daemon counts them, and one is looked at.
fn defined(catalog: &Catalog, subject: &Subject) -> Result<Arc<Slo>, ExplainError> {
    let Subject { uid, group, .. } = subject;
    let slo = catalog.slos.get(uid);
    let slo = slo.ok_or_else(|| ExplainError::Undefined(uid.clone()))?;
    if group.is_empty() {
        return Ok(match slo.grouping {
            None => Arc::clone(slo),
            Some(_) => Arc::new(Slo {
                grouping: None,
                ..Slo::clone(slo)
            }),
        });
    }
    let by = slo.grouping.iter().flat_map(|grouping| &grouping.by);
    if by.clone().eq(group.iter().map(|(name, _)| name)) {
        return Ok(Arc::clone(slo));
    }
    Err(ExplainError::Divided {
        slo: uid.clone(),
        by: by.cloned().collect(),
    })
}

/// How a group is asked for.
fn divided(slo: &SloId, by: &[String]) -> String {
    if by.is_empty() {
        return format!("`{slo}` is not divided into groups; leave out what stands in braces");
    }
    let labels: Vec<String> = by.iter().map(|name| format!("{name}=\"…\"")).collect();
    format!(
        "`{slo}` is divided into groups by {}; write `{slo}{{{}}}`",
        by.join(", "),
        labels.join(",")
    )
}

/// How much of the past is counted.
fn reach(slo: &Slo, window: Option<Span>, at: Timestamp) -> Result<Span, ExplainError> {
    let longest = slo.window.longest();
    match window {
        None => Ok(slo.window.range(at).length()),
        Some(asked) if asked > longest => Err(ExplainError::TooLong {
            asked,
            slo: slo.uid.to_string(),
            longest,
        }),
        Some(asked) => Ok(asked),
    }
}

/// A counting under way.
struct Counting<'a, S> {
    state: State,
    sources: &'a BTreeMap<SourceName, Arc<S>>,
    most: Option<usize>,
    trace: Trace,
}

impl<S: Source> Counting<'_, S> {
    fn note(&mut self, effects: Effects) -> Result<Option<Snapshot>, ExplainError> {
        self.trace.absorb(effects.trace.unwrap_or_default());
        let samples = self.trace.reads.iter().map(|read| read.samples).sum();
        match self.most {
            Some(most) if most < samples => Err(ExplainError::TooMuch { most }),
            _ => Ok(effects.snapshot),
        }
    }

    /// Counts what the tick `at` reads by itself, in as many passes as that takes.
    async fn present(
        &mut self,
        (settings, catalog): (&Settings, &Catalog),
        at: Timestamp,
    ) -> Result<(), ExplainError> {
        let mut passes = Passes::default();
        loop {
            let wanted = self.state.wanted(at);
            let reads = reading::all(&self.state, settings, self.sources, wanted).await;
            let goes_on = passes.go_on(&reads, at);
            let input = Input {
                reads,
                ..Input::default()
            };
            let tick = Tick { at, judge: false };
            let effects = step(&mut self.state, tick, &input, catalog);
            self.note(effects)?;
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Counts what lies before the tick's own reads.
    async fn past(
        &mut self,
        name: &SourceName,
        progress: &mut impl FnMut(&SourceName, Option<Backfill>),
    ) -> Result<(), ExplainError> {
        let mut refusals = 0;
        while let Some(dig) = self.state.next_dig(name) {
            let Some(source) = self.sources.get(name) else {
                break;
            };
            let finished = digger::read(Arc::clone(source), dig).await;
            match finished.result {
                Ok(dug) => {
                    refusals = 0;
                    let effects = take_past(&mut self.state, dug);
                    self.note(effects)?;
                    progress(name, self.state.backfill(name));
                }
                Err(refused) if refused.too_much && self.state.shorten(&finished.key) => {}
                Err(refused) => {
                    refusals += 1;
                    if refusals >= PATIENCE {
                        return Err(ExplainError::Unread(refused.sentence));
                    }
                }
            }
        }
        Ok(())
    }
}

fn explanation<S: Source>(
    (status, catalog, plan, versions): (&SloStatus, &Catalog, &Plan, &Versions),
    (at, asked): (Timestamp, Option<Span>),
    trace: &Trace,
    sources: &BTreeMap<SourceName, Arc<S>>,
) -> Explanation {
    let (slo, ledger) = (&status.slo, &status.ledger);
    let nominal = match asked {
        Some(length) => TimeRange {
            from: at - length,
            to: at,
        },
        None => slo.window.range(at),
    };
    let sum = ledger.sum(nominal);
    let range = TimeRange {
        from: sum.from,
        to: at,
    };
    let window = |length: Span| {
        ledger.sum(TimeRange {
            from: at - length,
            to: at,
        })
    };
    let policy = catalog.policy_of(slo);
    let (mut tiers, mut longer_tiers) = (Vec::new(), Vec::new());
    for tier in policy.iter().flat_map(|policy| &policy.tiers) {
        if tier.long > nominal.length() {
            longer_tiers.push((tier.name.clone(), tier.long));
            continue;
        }
        let told = status.tiers.iter().find(|told| told.name == tier.name);
        tiers.push(ExplainedTier {
            severity: told.map_or(tier.severity, |told| told.severity),
            guard: told.and_then(|told| told.guard),
            held_back: told.and_then(|told| told.held_back),
            long: window(tier.long),
            short: window(tier.short),
            tier: tier.clone(),
        });
    }
    let source = sources.get(&slo.source).map(AsRef::as_ref);
    let shown = Shown {
        plan,
        trace,
        range,
        group: &status.group,
        source,
    };
    let (parts, outside) = shown.parts(ledger.slot());
    let versions = versions.parts(range);
    let versions = versions
        .into_iter()
        .map(|(range, objective)| ExplainedVersion {
            range,
            objective,
            counts: ledger.sum(range).counts,
        });
    Explanation {
        slo: Arc::clone(slo),
        at,
        asked,
        period: slo.window.length(at),
        range,
        slot: ledger.slot(),
        sum,
        versions: versions.collect(),
        measurement: status.measurement.clone(),
        unwatched: false,
        tiers,
        longer_tiers,
        parts,
        outside,
        slots: ledger.slots(range).collect(),
        judged: shown.judged(),
        reads: shown.reads(),
    }
}
