//! Asks the sources for what a tick wants, and says of each answer what may be made of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::source::Source;

use super::intake::{Read, Reading};
use super::reads::Wanted;
use super::settings::Settings;
use super::state::State;

/// All queries of a tick are answered within a tick, but not less than this, or have failed.
const SHORTEST_DEADLINE: Duration = Duration::from_secs(10);

/// Sends all queries at once; the sources bound how many are in flight.
pub(super) async fn all<S: Source>(
    state: &State,
    settings: &Settings,
    sources: &BTreeMap<SourceName, Arc<S>>,
    wanted: Vec<Wanted>,
) -> Vec<Read> {
    let reads = wanted
        .into_iter()
        .map(|wanted| one(state, settings, sources, wanted));
    join_all(reads).await
}

async fn one<S: Source>(
    state: &State,
    settings: &Settings,
    sources: &BTreeMap<SourceName, Arc<S>>,
    wanted: Wanted,
) -> Read {
    let (source, fetch, range) = state.fetch(wanted);
    let limit = deadline(settings);
    let reading = match sources.get(source) {
        None => Reading::Failed(format!(
            "source `{source}` is not configured; add it under `sources`"
        )),
        Some(reader) => match timeout(limit, reader.read(fetch, range)).await {
            Err(_) => Reading::Failed(format!(
                "source `{source}` did not answer all queries of a tick within {}; see its load, or raise `maxInFlight`",
                Span::from(limit)
            )),
            Ok(Ok(batch)) if batch.warnings.is_empty() => Reading::Complete(batch),
            Ok(Ok(batch)) if settings.accepts_partial(source) => {
                let warnings = batch.warnings.join("; ");
                tracing::debug!(%source, warnings, "an answer that may lack a part is taken as whole");
                Reading::Complete(batch)
            }
            Ok(Ok(batch)) => Reading::Partial(format!(
                "source `{source}` answered with a part of the data, and nothing of it was used: {}; see to what it warns of, or set `partial: accept`",
                batch.warnings.join("; ")
            )),
            Ok(Err(error)) if error.failure.is_too_large() => Reading::TooMuch(error.to_string()),
            Ok(Err(error)) => Reading::Failed(error.to_string()),
        },
    };
    Read { wanted, reading }
}

fn deadline(settings: &Settings) -> Duration {
    settings.tick.to_std().max(SHORTEST_DEADLINE)
}

/// Asks which boundaries the histograms have whose threshold is none of them, by meter. Those of which nothing is
/// heard are asked for again with the next tick.
pub(super) async fn boundaries<S: Source>(
    state: &State,
    settings: &Settings,
    sources: &BTreeMap<SourceName, Arc<S>>,
    at: Timestamp,
) -> BTreeMap<usize, Vec<String>> {
    let questions = state.questions();
    let asked = questions.iter().map(async |question| {
        let source = sources.get(&question.source)?;
        let range = TimeRange {
            from: at - question.step,
            to: at,
        };
        let answer = timeout(deadline(settings), source.read(&question.fetch, range)).await;
        let batch = match answer {
            Ok(Ok(batch)) => batch,
            Ok(Err(error)) => {
                tracing::debug!(source = %question.source, %error, "cannot ask which boundaries a histogram has");
                return None;
            }
            Err(_) => {
                tracing::debug!(source = %question.source, "it was not said in time which boundaries a histogram has");
                return None;
            }
        };
        let boundaries = batch.series().map(|series| series.labels.get("le").to_owned());
        Some((question.meter, boundaries.collect()))
    });
    join_all(asked).await.into_iter().flatten().collect()
}
