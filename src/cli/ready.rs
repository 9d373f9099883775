//! `sloburn ready`: waits until a running daemon is ready, for scripts and for `helm test`.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::domain::time::Span;
use crate::status::view::summary::StatusView;

use super::daemon::Daemon;
use super::status::{StatusError, state};
use super::{Exit, Streams};

/// What `--help` says.
pub(super) const LONG: &str = "\
Wait until a running daemon is ready: its store is open, its ticks come on time, and every source that it asks answers.

How the objectives fare does not matter. What is missing when the time is over is printed.";

/// Arguments of `ready`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    daemon: Daemon,
    /// How long to wait for it, as 2m; without it the daemon is asked once
    #[arg(long, value_name = "DURATION", value_parser = str::parse::<Span>)]
    within: Option<Span>,
}

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn run(
    args: &Args,
    environment: &BTreeMap<String, String>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let url = args.daemon.url(environment)?;
    let begun = Instant::now();
    let within = args.within.unwrap_or_default().to_std();
    loop {
        let is_over = begun.elapsed() >= within;
        match state(&url).await {
            Ok(status) => {
                let missing = missing(&status);
                if missing.is_empty() {
                    let (instances, tick) = (status.slos.total, status.tick.0);
                    writeln!(
                        streams.out,
                        "ready: evaluates {instances} instances of objectives every {tick}"
                    )?;
                    return Ok(Exit::Good);
                }
                if is_over {
                    writeln!(streams.err, "not ready: {}", missing.join("; "))?;
                    return Ok(Exit::Bad);
                }
            }
            Err(error) if is_over || matches!(error, StatusError::Address(_)) => {
                return Err(error.into());
            }
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

fn missing(status: &StatusView) -> Vec<String> {
    let mut missing = Vec::new();
    if !status.store.open {
        missing.push("the store is not open yet".to_owned());
    }
    if let Some(error) = &status.store.error {
        missing.push(format!("the store: {error}"));
    }
    match status.at {
        None => missing.push("no tick has run yet".to_owned()),
        Some(at) if status.stale => {
            missing.push(format!("ticks no longer come, the last was of {}", at.0));
        }
        Some(_) => {}
    }
    for source in &status.sources {
        if let Some(error) = &source.error {
            missing.push(format!("source `{}`: {error}", source.name));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::http::{StatusCode, header};
    use axum::routing::get;
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use crate::cli::tests::{Ran, run};
    use crate::domain::time::Span;
    use crate::status::board::{Board, StoreOpened};
    use crate::status::fixture;
    use crate::status::freshness::Freshness;
    use crate::status::view::summary::StatusView;

    /// What a daemon says of itself when it has just started, and when all is well.
    fn said() -> [String; 2] {
        let of = |board: &Board| {
            let read = board.read();
            let freshness = Freshness::of(&read.snapshot, fixture::NOW);
            serde_json::to_string(&StatusView::of(&read, freshness)).unwrap()
        };
        let board = Board::new(fixture::AT);
        let starting = of(&board);
        board.publish_store(StoreOpened { notice: None });
        let mut snapshot = fixture::snapshot();
        snapshot.engine.store_error = None;
        snapshot.sources.retain(|source| source.error.is_none());
        board.publish(snapshot);
        [starting, of(&board)]
    }

    /// Asks a server that gives these answers in turn, the last one for ever.
    async fn asked(answers: Vec<(StatusCode, String)>, arguments: &[&str]) -> Ran {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let turn = Arc::new(AtomicUsize::new(0));
        let answer = move || {
            let turn = turn.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            let (status, body) = answers[turn].clone();
            async move { (status, [(header::CONTENT_TYPE, "application/json")], body) }
        };
        let mut server = JoinSet::new();
        let router = Router::new().route("/api/v1/status", get(answer));
        server.spawn(async move { axum::serve(listener, router).await });
        let ran = run(&[&["ready", "--url", &url], arguments].concat(), &[]).await;
        Ran {
            err: ran.err.replace(&url, "URL"),
            ..ran
        }
    }

    #[tokio::test]
    async fn a_daemon_that_starts_is_waited_for() {
        let [starting, well] = said();
        let answers = [
            (StatusCode::SERVICE_UNAVAILABLE, String::new()),
            (StatusCode::OK, starting),
            (StatusCode::OK, well),
        ];
        insta::assert_snapshot!(asked(answers.to_vec(), &["--within", "1m"]).await, @r"
        out:
        ready: evaluates 9 instances of objectives every 30s
        exit 0
        ");
    }

    #[tokio::test]
    async fn what_is_missing_is_said() {
        let [starting, _] = said();
        insta::assert_snapshot!(asked(vec![(StatusCode::OK, starting)], &[]).await, @r"
        err:
        not ready: the store is not open yet; no tick has run yet
        exit 1
        ");
        let board = fixture::board();
        let read = board.read();
        let freshness = Freshness::of(&read.snapshot, fixture::NOW + Span::from_hours(1));
        let old = serde_json::to_string(&StatusView::of(&read, freshness)).unwrap();
        insta::assert_snapshot!(asked(vec![(StatusCode::OK, old)], &[]).await, @r"
        err:
        not ready: the store: cannot commit to `sloburn.db`: the disk is full; ticks no longer come, the last was of 2026-01-15T12:00:00Z; source `thanos-eu`: cannot read `thanos-eu`: HTTP 503
        exit 1
        ");
        let gone = vec![(StatusCode::BAD_GATEWAY, String::new())];
        insta::assert_snapshot!(asked(gone, &[]).await, @r"
        err:
        error: URL answered 502 Bad Gateway; is that Sloburn's address?
        exit 2
        ");
        insta::assert_snapshot!(run(&["ready", "--url", "a b", "--within", "1h"], &[]).await, @r"
        err:
        error: `a b` is not an address; write --url http://127.0.0.1:9099
        exit 2
        ");
    }
}
