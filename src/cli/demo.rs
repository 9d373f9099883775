//! `sloburn demo`: simulated services with a month of history, and a game day.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;

use anyhow::Context as _;
use clap::ValueEnum;
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::clock::Clock;
use crate::config;
use crate::demo::gameday::Entry;
use crate::demo::pace::{self, Pace};
use crate::demo::report;
use crate::demo::start::{Demo, Options};
use crate::demo::world::fault::Order;
use crate::domain::time::{Span, SpanError, Timestamp};

use super::{Exit, Streams};

/// What `--help` says.
pub(super) const LONG: &str = "\
Show what Sloburn does, with nothing else installed.

Four simulated services expose real /metrics pages on loopback; they are scraped, and the shipped definitions and \
policies are evaluated over them. The demo's clock runs 720 times as fast as yours, so that 30 days are an hour, and a \
month of history is there from the start. Let something go wrong on the page `Game day`, or with --fault, and see the \
budget burn, the alert fire, and the message in the inbox. Nothing is kept, and nothing is sent anywhere.

Faults: errors, slowness, traffic, saturation, down. Services: web-shop, checkout, order-worker, postgres.";

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Let something go wrong, as checkout:errors=5%,after=10s,for=10s; may be repeated. Times are yours
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Order>,
    /// End after so long, as 3m, and report; without it the demo runs until Ctrl-C
    #[arg(long = "for", value_name = "DURATION", value_parser = str::parse::<Span>)]
    lasts: Option<Span>,
    /// What is printed at the end
    #[arg(long, value_enum, default_value_t = Report::Text)]
    report: Report,
    /// How many times faster than yours the demo's clock runs
    #[arg(long, value_name = "TIMES", default_value_t = Pace::USUAL, value_parser = speed)]
    speed: Pace,
    /// How much history is simulated first, as 30d; with less than a window's length, windows are not covered yet
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = history)]
    history: Span,
    /// Draws the services' numbers; the same number makes the same history
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Where the pages are served; another port is taken when this one is in use
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9099", value_parser = config::address)]
    listen: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Report {
    Text,
    Json,
}

/// How many times as fast the demo's clock may run.
fn speed(text: &str) -> Result<Pace, String> {
    let pace = text.parse().ok().and_then(Pace::new);
    pace.ok_or_else(|| "write a whole number from 1 to 100000".to_owned())
}

/// From an hour to the longest window.
fn history(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|error: SpanError| error.to_string())?;
    if (Span::from_hours(1)..=Span::from_days(30)).contains(&span) {
        return Ok(span);
    }
    Err("write at least 1h and at most 30d".to_owned())
}

pub(super) async fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    app::log_warnings()?;
    let stop = CancellationToken::new();
    let mut shown = pin!(show(args, &stop, streams));
    tokio::select! {
        ended = &mut shown => return ended,
        asked = app::asked_to_end() => asked?,
    };
    stop.cancel();
    shown.await
}

/// Words for a person: beside the report, when that is for programs.
fn words<'a>(args: &Args, streams: &'a mut Streams<'_>) -> &'a mut dyn Write {
    match args.report {
        Report::Text => &mut *streams.out,
        Report::Json => &mut *streams.err,
    }
}

async fn show(
    args: &Args,
    stop: &CancellationToken,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let pace = args.speed;
    let options = Options {
        listen: args.listen,
        seed: args.seed,
        pace,
        history: args.history,
        now: Timestamp::from(Clock::System.now()),
    };
    let mut demo = Demo::start(&options).await?;
    greet(&demo, args, words(args, streams))?;
    let history = demo
        .driver
        .history(|done| progress(done, words(args, streams)));
    match stop.run_until_cancelled(history).await {
        None => return Ok(Exit::Good),
        Some(ended) => ended.context("the history cannot be told of")?,
    }
    let live = demo.driver.handover();
    let mut injected = Vec::new();
    for order in &args.faults {
        match demo.shared.gameday.inject(order, live) {
            Ok(entry) => injected.push(entry),
            Err(error) => {
                writeln!(streams.err, "error: --fault {order}: {error}")?;
                return Ok(Exit::Faulty);
            }
        }
    }
    invite(&demo, &injected, pace, words(args, streams))?;
    let until = args
        .lasts
        .map(|lasts| live + pace.on_the_clock(lasts.to_std()));
    let shared = demo.run(until, stop).await.map_err(anyhow::Error::msg)?;
    let snapshot = shared.board.read().snapshot;
    match args.report {
        Report::Json => {
            let report = report::json(&shared.gameday, &shared.world, &snapshot);
            writeln!(streams.out, "{report:#}")?;
        }
        Report::Text => {
            writeln!(
                streams.out,
                "\n\nWhat was foreseen and what came (a tick is a minute on the demo's clock):\n"
            )?;
            for line in report::text(&shared.gameday, &shared.world, &snapshot) {
                writeln!(streams.out, "  {line}")?;
            }
            writeln!(streams.out)?;
        }
    }
    writeln!(
        words(args, streams),
        "Now with your own services: sloburn check --live --prometheus http://localhost:9090 --definitions my-slos\n\
         and when that is content: sloburn run --prometheus http://localhost:9090 --definitions my-slos"
    )?;
    Ok(Exit::Good)
}

fn greet(demo: &Demo, args: &Args, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "Sloburn demo: {} objectives over four simulated services",
        demo.objectives
    )?;
    for (service, url) in &demo.services {
        writeln!(out, "  {:<13} {url}", service.name())?;
    }
    for slo in &demo.left_out {
        writeln!(
            out,
            "  Left out: {slo}, a `query:` objective, which needs a Prometheus"
        )?;
    }
    if demo.address != args.listen && args.listen.port() != 0 {
        writeln!(out, "  {} is in use; another port is taken", args.listen)?;
    }
    out.flush()
}

fn progress(done: f64, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "\rSimulating its history: {:>3.0} %",
        (done * 100.0).min(100.0)
    )?;
    out.flush()
}

fn invite(demo: &Demo, injected: &[Entry], pace: Pace, out: &mut dyn Write) -> io::Result<()> {
    let url = format!("http://{}", demo.address);
    writeln!(out, "\n\nOpen {url}")?;
    writeln!(
        out,
        "  {url}/game-day   let something go wrong, with one click"
    )?;
    writeln!(out, "  {url}/inbox      what Slack would show")?;
    writeln!(
        out,
        "Or: curl -d service=checkout -d kind=errors -d intensity=5% -d for=10s {url}/demo/faults"
    )?;
    writeln!(
        out,
        "The demo's clock runs {} × yours: 30 days are {}. Ctrl-C ends it and reports.",
        pace.times(),
        pace::words(pace.waited(Span::from_days(30)))
    )?;
    for entry in injected {
        let fault = entry.fault;
        writeln!(
            out,
            "Fault {}: {} {}, foreseen:",
            fault.id,
            fault.service.name(),
            fault.kind.name()
        )?;
        for foreseen in &entry.foreseen {
            let after = |at: Option<Timestamp>| {
                at.map_or("not at all".to_owned(), |at| {
                    format!(
                        "{} after its start",
                        report::yours(pace, at.since(fault.from))
                    )
                })
            };
            let fires = after(foreseen.first.as_ref().map(|first| first.at));
            writeln!(
                out,
                "  {} fires {fires}, closes {}",
                foreseen.slo,
                after(foreseen.closed)
            )?;
        }
    }
    out.flush()
}
