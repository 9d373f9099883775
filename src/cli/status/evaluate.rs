//! Evaluating the objectives without a daemon, from what the sources hold.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app;
use crate::cli::Streams;
use crate::cli::here::{At, Source, Told};
use crate::status::freshness::Freshness;
use crate::status::query::SloQuery;

use super::StatusError;

/// The list that a daemon would give, worst first; `None` when the definitions are faulty, which is told.
pub(super) async fn list(
    source: &Source,
    at: Option<At>,
    environment: &BTreeMap<String, String>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Option<Value>> {
    let Some((config, catalog)) = source.load(environment, streams)? else {
        return Ok(None);
    };
    let mut told = Told::default();
    let (err, progress) = (&mut *streams.err, streams.progress);
    let read = app::oneshot(&config, catalog, at.map(At::time), |source, backfill| {
        told.tell(err, progress, source.as_str(), backfill);
    });
    let read = read.await.map_err(StatusError::Unread)?;
    let now = read.snapshot.at.unwrap_or_default();
    let freshness = Freshness::of(&read.snapshot, now);
    let list = SloQuery::all(&read.snapshot, freshness);
    Ok(Some(serde_json::to_value(list)?))
}
