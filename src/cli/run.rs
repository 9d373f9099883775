//! `sloburn run`: the daemon.

use std::collections::BTreeMap;

use crate::app;
use crate::config::{Config, Flags};
use crate::diagnostic::Diagnostics;

use super::files::{files, no_objectives};
use super::{Exit, Streams};

/// What `--help` says.
pub(super) const LONG: &str = "\
Run the daemon: evaluate all objectives, tell receivers, serve status, API and metrics.

It goes on where it stopped, also after a crash: what was missed is read from the source. SIGTERM and Ctrl-C stop it \
in order.";

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Start also when no objective is defined yet, and take them up when they come
    #[arg(long)]
    wait_for_objectives: bool,
    #[command(flatten)]
    flags: Flags,
}

pub(super) async fn run(
    args: &Args,
    environment: &BTreeMap<String, String>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let config = Config::load(&args.flags, environment)?;
    let files = files(&config);
    let loaded = files.load();
    let Some(catalog) = loaded.catalog else {
        write!(
            streams.err,
            "{}",
            loaded
                .diagnostics
                .render_text(&loaded.sources, streams.paint)
        )?;
        writeln!(
            streams.err,
            "nothing was started; mend the definitions, and see `sloburn check`"
        )?;
        return Ok(Exit::Faulty);
    };
    if catalog.slos.is_empty() && !args.wait_for_objectives {
        let fault: Diagnostics = [no_objectives(&config)].into_iter().collect();
        write!(streams.err, "{}", fault.render_text(&[], streams.paint))?;
        writeln!(streams.err, "nothing was started")?;
        return Ok(Exit::Faulty);
    }
    app::log_as(&config)?;
    for name in config.unread_variables() {
        tracing::warn!(
            "nothing reads the variable `{name}`; `sloburn run --help` lists those that set something"
        );
    }
    let warnings = [config.warnings(), &loaded.diagnostics].map(Diagnostics::render_lines);
    for warning in warnings.iter().flat_map(|lines| lines.lines()) {
        tracing::warn!("{warning}");
    }
    if catalog.slos.is_empty() {
        tracing::warn!("no objective is defined yet, so nothing is watched; waiting for one");
    }
    if loaded.has_built_in_policy {
        tracing::info!("no alert policy is defined, so the built-in one is used");
    }
    app::run(
        &config,
        (catalog, files),
        (loaded.revision, loaded.diagnostics),
    )
    .await?;
    Ok(Exit::Good)
}

#[cfg(test)]
mod tests {
    use crate::cli::tests::run;

    #[tokio::test]
    async fn nothing_starts_with_faulty_definitions() {
        let faulty = "tests/fixtures/definitions/faulty";
        let ran = run(&["run", "--definitions", faulty, "--alerts", "alerts"], &[]).await;
        let last = ran.err.lines().next_back().unwrap_or_default();
        insta::assert_snapshot!(format!("{last}\nexit {}", ran.code), @r"
        nothing was started; mend the definitions, and see `sloburn check`
        exit 2
        ");
        assert!(ran.err.contains("faulty/cart.yaml:") && ran.out.is_empty());
    }
}
