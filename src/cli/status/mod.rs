//! `sloburn status`: how the objectives fare, as a running daemon says.

mod ask;
mod evaluate;
pub(super) mod table;

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::Value;

use crate::domain::slo::title;
use crate::status::names::{Alert, Compliance, Measured};
use crate::status::view::list::ListView;
use crate::status::view::slo::SloView;

pub(super) use ask::{StatusError, address, all, client, state, unreachable};

use super::at::At;
use super::daemon::Daemon;
use super::here::Source;
use super::names::Unclear;
use super::{Exit, Streams};

/// What `--help` says.
pub(super) const LONG: &str = "\
Ask a running daemon how the objectives fare, the worst first.

With any of the flags under 'Without a daemon' none is asked: the objectives of --definitions are evaluated here and now, \
or as of --at, from what the source holds. Their whole windows are read for that; how far that is shows on a terminal.

The exit code is 0 only when the daemon is up to date and every objective asked for is measured, met and without an \
alert. What is not known counts as bad: a failed read, data that is missing, a window in which nothing was counted yet. \
No traffic just now is no fault.";

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this service, or only this objective of it
    #[arg(value_name = "SERVICE[/SLO]")]
    only: Option<String>,
    #[command(flatten)]
    daemon: Daemon,
    /// For people, or as the API gives it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    source: Source,
    /// Evaluate as of this time, as 2026-03-01T12:00:00Z, or so long ago, as 2h
    #[arg(long, value_name = "TIME", conflicts_with = "url", allow_hyphen_values = true, value_parser = At::read)]
    at: Option<At>,
}

impl Args {
    /// Whether the objectives are to be evaluated here.
    const fn are_here(&self) -> bool {
        self.source.is_given() || self.at.is_some()
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
}

pub(super) async fn run(
    args: &Args,
    environment: &BTreeMap<String, String>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let (mut answer, is_whole, url) = if args.are_here() {
        match evaluate::evaluate(args, environment, streams).await? {
            Some(evaluated) => (evaluated.list, evaluated.is_whole, String::new()),
            None => return Ok(Exit::Faulty),
        }
    } else {
        let url = args.daemon.url(environment)?;
        (ask::list(&url).await?, true, url)
    };
    let out = &mut *streams.out;
    if let Some(only) = &args.only {
        keep(&mut answer, only)?;
    }
    let list: ListView<SloView> = ask::understood(&url, &answer)?;
    match args.format {
        Format::Table => write!(out, "{}", table::render(&list))?,
        Format::Json => writeln!(out, "{answer:#}")?,
    }
    if args.are_here() && !list.items.is_empty() && list.items.iter().all(is_unread) {
        return Ok(Exit::Faulty);
    }
    let all_good = is_whole && !list.stale && list.items.iter().all(is_good);
    Ok(if all_good { Exit::Good } else { Exit::Bad })
}

fn is_unread(slo: &SloView) -> bool {
    matches!(
        slo.measurement.outcome,
        Measured::Failed | Measured::Partial
    )
}

fn is_good(slo: &SloView) -> bool {
    slo.measured && slo.alert == Alert::None && slo.compliance == Compliance::Met
}

/// Leaves out what is neither of the service nor the objective `only`.
fn keep(answer: &mut Value, only: &str) -> Result<(), Unclear> {
    let Some(items) = answer.get_mut("items").and_then(Value::as_array_mut) else {
        return Ok(());
    };
    let known = items.iter().map(|item| {
        let target = item.get("target").and_then(Value::as_str);
        title(text(item, "service"), text(item, "name"), target)
    });
    let known = known.collect();
    let is_kept = |item: &Value| {
        let (service, name) = (text(item, "service"), text(item, "name"));
        only == service
            || only == title(service, name, None)
            || only == text(item, "uid")
            || only == text(item, "id")
    };
    items.retain(is_kept);
    if items.is_empty() {
        return Err(Unclear::service_or_objective(only, &known));
    }
    Ok(())
}

fn text<'a>(item: &'a Value, key: &str) -> &'a str {
    item.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
