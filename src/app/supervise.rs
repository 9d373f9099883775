//! The end of the daemon: who ends first, who follows, and what a signal asks for.

use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long the loops may take to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Waits for the first loop that ends, stops the others, and says whether one failed.
pub(super) async fn supervise(
    mut loops: JoinSet<anyhow::Result<()>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let first = loops.join_next().await;
    stop.cancel();
    let rest = async {
        let mut failed = None;
        while let Some(ended) = loops.join_next().await {
            failed = failed.or(flatten(ended).err());
        }
        failed
    };
    let failed = timeout(GRACE, rest)
        .await
        .context("the loops did not stop in time")?;
    first.map_or(Ok(()), flatten)?;
    failed.map_or(Ok(()), Err)
}

fn flatten(ended: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Result<()> {
    ended.context("a loop panicked; restart sloburn, nothing is lost, and report this as a bug")?
}

/// Waits for a signal, or until `stop`.
pub(super) async fn wait_for_signal(stop: CancellationToken) -> anyhow::Result<()> {
    if let Some(signal) = stop.run_until_cancelled(asked_to_end()).await {
        let signal = signal?;
        tracing::info!(signal, "stopping: told to by {signal}");
    }
    Ok(())
}

/// Returns the name of the signal when the process is asked to end: SIGTERM or SIGINT.
///
/// # Errors
/// When signals cannot be listened for.
pub async fn asked_to_end() -> anyhow::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn until_stopped(stop: CancellationToken) -> anyhow::Result<()> {
        stop.cancelled().await;
        Ok(())
    }

    async fn dies() -> anyhow::Result<()> {
        tokio::task::yield_now().await;
        panic!("on purpose")
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_ends_takes_the_others_with_it() {
        for (ends, told) in [
            ("well", None),
            ("badly", Some("it broke")),
            (
                "by a panic",
                Some("a loop panicked; restart sloburn, nothing is lost, and report this as a bug"),
            ),
            ("and another hangs", Some("the loops did not stop in time")),
        ] {
            let (stop, mut loops) = (CancellationToken::new(), JoinSet::new());
            loops.spawn(until_stopped(stop.child_token()));
            match ends {
                "badly" => loops.spawn(async { Err(anyhow::anyhow!("it broke")) }),
                "by a panic" => loops.spawn(dies()),
                _ => loops.spawn(async { Ok(()) }),
            };
            if ends == "and another hangs" {
                loops.spawn(std::future::pending());
            }
            let ended = supervise(loops, stop.clone()).await;
            assert!(stop.is_cancelled(), "{ends}");
            let error = ended.err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), told, "{ends}");
        }
    }
}
