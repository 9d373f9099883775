//! The command line: one file per command. Everything printed goes through writers that are handed in.

mod at;
mod check;
mod config;
mod daemon;
mod demo;
mod explain;
mod files;
mod here;
mod names;
mod past;
mod ready;
mod run;
mod status;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ConfigError;
use crate::diagnostic::Paint;

/// Where a command writes.
#[expect(missing_debug_implementations, reason = "writers have none")]
pub struct Streams<'a> {
    /// What was asked for.
    pub out: &'a mut dyn io::Write,
    /// What went wrong.
    pub err: &'a mut dyn io::Write,
    /// Whether `out` is a terminal that shows colours.
    pub paint: Paint,
    /// How to tell on `err` how far long work is.
    pub progress: Progress,
}

/// How to tell how far long work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not at all: what is kept in a file or read by a program should tell of results alone.
    Silent,
    /// By one line that changes, for a person who watches.
    Bar,
}

/// Watches service level objectives: exact error budgets, burn-rate alerts, status.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
#[command(arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well
  1  it failed while running; for `status`: something alerts, is breached or is not known;
     for `ready`: something is missing
  2  what was given is faulty: flags, configuration or definitions; for `check --live`, `status`,
     `explain` and `ready`: nobody answers, or nothing could be read";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show it all on simulated services, with nothing else installed
    #[command(long_about = demo::LONG, after_help = EXIT_CODES)]
    Demo(demo::Args),
    /// Run the daemon: evaluate, alert, serve status
    #[command(long_about = run::LONG, after_help = EXIT_CODES)]
    #[command(after_long_help = format!("{}\n\n{EXIT_CODES}", config::variables()))]
    Run(run::Args),
    /// Check definitions, alert policies, receivers and routes without running anything
    #[command(long_about = check::LONG, after_help = EXIT_CODES)]
    Check(check::Args),
    /// Tell how the objectives fare: ask a running daemon, or evaluate them here
    #[command(long_about = status::LONG, after_help = EXIT_CODES)]
    Status(status::Args),
    /// Tell how a number came to be: queries, samples and each step of the arithmetic
    #[command(long_about = explain::LONG, after_help = EXIT_CODES)]
    Explain(explain::Args),
    /// Wait until a running daemon is ready
    #[command(long_about = ready::LONG, after_help = EXIT_CODES)]
    Ready(ready::Args),
    /// Show the daemon's own settings
    #[command(after_help = EXIT_CODES)]
    Config(config::Args),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Good = 0,
    Bad = 1,
    Faulty = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Does what `arguments` (the program's name first) ask for, prints why if it cannot, and says how it went.
pub async fn main(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    mut streams: Streams<'_>,
) -> ExitCode {
    dispatch(arguments, environment, &mut streams).await.into()
}

async fn dispatch(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    streams: &mut Streams<'_>,
) -> Exit {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let environment = environment
        .into_iter()
        .map(|(name, value)| (text(name), text(value)));
    let ended = match Cli::try_parse_from(arguments) {
        Ok(cli) => execute(cli.command, &environment.collect(), streams).await,
        Err(refusal) => refuse(&refusal, streams).map_err(anyhow::Error::from),
    };
    ended.unwrap_or_else(|error| report(&error, streams))
}

async fn execute(
    command: Command,
    environment: &BTreeMap<String, String>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(&args, streams).await,
        Command::Run(args) => run::run(&args, environment, streams).await,
        Command::Check(args) => check::run(&args, environment, streams).await,
        Command::Status(args) => status::run(&args, environment, streams).await,
        Command::Explain(args) => explain::run(&args, environment, streams).await,
        Command::Ready(args) => ready::run(&args, environment, streams).await,
        Command::Config(args) => config::run(&args, environment, streams.out),
    }
}

/// Help and version are refusals too, of the kind that was asked for.
fn refuse(refusal: &clap::Error, streams: &mut Streams<'_>) -> io::Result<Exit> {
    let text = match streams.paint {
        Paint::Coloured => refusal.render().ansi().to_string(),
        Paint::Plain => refusal.render().to_string(),
    };
    if refusal.use_stderr() {
        write!(streams.err, "{text}")?;
        return Ok(Exit::Faulty);
    }
    write!(streams.out, "{text}")?;
    Ok(Exit::Good)
}

/// Prints what failed and why, once.
fn report(error: &anyhow::Error, streams: &mut Streams<'_>) -> Exit {
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        let of_json = || {
            cause
                .downcast_ref()
                .and_then(serde_json::Error::io_error_kind)
        };
        cause.downcast_ref().map(io::Error::kind).or_else(of_json)
    };
    if error
        .chain()
        .any(|cause| kind(cause) == Some(io::ErrorKind::BrokenPipe))
    {
        // Whoever read what we print has seen enough.
        return Exit::Good;
    }
    let causes = error.chain().skip(1).map(|cause| {
        format!(
            "  caused by: {cause}
"
        )
    });
    let text = format!(
        "error: {error}
{}",
        causes.collect::<String>()
    );
    let faulty = error.is::<ConfigError>()
        || error.is::<status::StatusError>()
        || error.is::<explain::NotExplained>()
        || error.is::<names::Unclear>()
        || error.is::<at::Future>()
        || error.is::<here::Scraped>();
    match streams.err.write_all(text.as_bytes()) {
        Ok(()) if faulty => Exit::Faulty,
        _ => Exit::Bad,
    }
}

#[cfg(test)]
mod tests;
