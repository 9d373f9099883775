//! `sloburn explain`: how a number came to be.

mod ask;
mod text;
mod wanted;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use clap::ValueEnum;

use crate::app;
use crate::domain::group::Group;
use crate::domain::time::Span;
use crate::status::explanation::{Asked, AskedWindow};
use crate::status::view::explain::ExplanationView;

use super::at::At;
use super::daemon::Daemon;
use super::here::{Scraped, Source};
use super::names::Unclear;
use super::{Exit, Streams, past};

use wanted::Wanted;

/// What `--help` says.
pub(super) const LONG: &str = "\
Tell how a number came to be: each step of the arithmetic, the series that were counted and what each contributed, resets, \
first values and gaps, slots, and the queries that were sent, so that they can be sent again.

The window is counted anew from what the source holds, by the code that the daemon counts with, as of now or of any time \
that the source remembers (--at). Nothing is changed, and nobody is told. A running daemon does that, or, with \
--prometheus, --config, --definitions or --alerts, this command itself.

Long lists are cut in the text, and say so; --format json has all of them.";

/// So many samples are explained at once: more would fill the memory.
const MOST_SAMPLES: usize = 10_000_000;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The objective; of several targets SERVICE/SLO/TARGET, and of groups one as 'SERVICE/SLO{route="/pay"}'
    #[arg(value_name = "SERVICE/SLO", value_parser = Wanted::read)]
    slo: Wanted,
    /// Which window: a length, as 1h, or `budget` for the objective's own [default: the shortest long window of its alert policy]
    #[arg(long, value_name = "LENGTH", value_parser = window)]
    window: Option<AskedWindow>,
    /// When the window ends, as 2026-03-01T12:00:00Z, or so long ago, as 2h
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = At::read)]
    at: Option<At>,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    daemon: Daemon,
    #[command(flatten)]
    source: Source,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotExplained {
    #[error(transparent)]
    Unclear(#[from] Unclear),
    #[error("nothing is known of {}; {hint}", subject(.slo, .group))]
    NoGroup {
        slo: String,
        group: Group,
        hint: String,
    },
    #[error("`{slo}` cannot be explained")]
    Unread { slo: String, source: anyhow::Error },
    #[error("the daemon at {url} says: {sentence}")]
    Refused { url: String, sentence: String },
}

/// A group, or all groups together.
fn subject(slo: &str, group: &Group) -> String {
    if group.is_empty() {
        return format!("all groups of `{slo}` together");
    }
    format!("`{slo}{{{group}}}`")
}

fn window(text: &str) -> Result<AskedWindow, String> {
    if text == "budget" {
        return Ok(AskedWindow::Budget);
    }
    let length = text.parse::<Span>();
    length
        .map(AskedWindow::Length)
        .map_err(|error| format!("{error}, or `budget` for the objective's own window"))
}

pub(super) async fn run(
    args: &Args,
    environment: &BTreeMap<String, String>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let view = if args.source.is_given() {
        match here(args, environment, streams).await? {
            Some(view) => view,
            None => return Ok(Exit::Faulty),
        }
    } else {
        let at = args.at.map(At::time).transpose()?;
        let url = args.daemon.url(environment)?;
        ask::explanation(&url, &args.slo, at, args.window).await?
    };
    match args.format {
        Format::Text => write!(streams.out, "{}", text::render(&view))?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *streams.out, &view)?;
            writeln!(streams.out)?;
        }
    }
    Ok(Exit::Good)
}

/// Counts here; `None` when the definitions are faulty, which is told.
async fn here(
    args: &Args,
    environment: &BTreeMap<String, String>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Option<ExplanationView>> {
    let at = args.at.map(At::time).transpose()?;
    let Some((config, catalog)) = args.source.load(environment, streams)? else {
        return Ok(None);
    };
    let subject = args.slo.among(&catalog)?;
    let slo = catalog.slos.get(&subject.uid);
    if let Some(scraped) = slo.and_then(|slo| Scraped::of(&config, slo)) {
        return Err(scraped.into());
    }
    let asked = Asked {
        at,
        window: args.window.unwrap_or_default(),
        most_samples: Some(MOST_SAMPLES),
    };
    let (err, progress) = (&mut *streams.err, streams.progress);
    let explained = app::explain(&config, (&catalog, &subject), asked, |source, backfill| {
        past::tell(err, progress, source, backfill);
    });
    let explained = explained.await.map_err(|source| NotExplained::Unread {
        slo: subject.uid.of_group(&subject.group).to_string(),
        source,
    })?;
    Ok(Some(ExplanationView::of(&explained)))
}
