//! Evaluating the objectives without a daemon, from what the sources hold.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::app;
use crate::cli::Streams;
use crate::cli::at::At;
use crate::cli::here::Scraped;
use crate::cli::names::{Unclear, listed};
use crate::cli::past;
use crate::clock::Clock;
use crate::domain::measurement::Outcome;
use crate::domain::slo::{Catalog, Slo, title};
use crate::status::freshness::Freshness;
use crate::status::query::SloQuery;
use crate::status::snapshot::SloStatus;

use super::{Args, StatusError};

/// What was evaluated.
pub(super) struct Evaluated {
    /// The list that a daemon would give, worst first.
    pub(super) list: Value,
    /// Whether nothing had to be left out of it.
    pub(super) is_whole: bool,
}

/// Evaluates what is defined; `None` when the definitions are faulty, which is told.
pub(super) async fn evaluate(
    args: &Args,
    environment: &BTreeMap<String, String>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Option<Evaluated>> {
    let at = args.at.map(At::time).transpose()?;
    let Some((config, mut catalog)) = args.source.load(environment, streams)? else {
        return Ok(None);
    };
    let asked = asked_for(args.only.as_deref(), &catalog)?;
    let (scraped, read): (Vec<&Slo>, Vec<&Slo>) = asked
        .into_iter()
        .partition(|slo| Scraped::of(&config, slo).is_some());
    let left_out: BTreeSet<String> = scraped.iter().map(|slo| slo.title()).collect();
    let scraped = scraped.first().and_then(|slo| Scraped::of(&config, slo));
    match scraped {
        Some(scraped) if read.is_empty() => return Err(scraped.into()),
        Some(scraped) => {
            let names = listed(&left_out);
            writeln!(streams.err, "left out: {names}, since {scraped}")?;
        }
        None => {}
    }
    catalog
        .slos
        .retain(|_, slo| Scraped::of(&config, slo).is_none());
    let is_anything_defined = !catalog.slos.is_empty();
    let (err, progress) = (&mut *streams.err, streams.progress);
    let read = app::oneshot(&config, catalog, at, |source, backfill| {
        past::tell(err, progress, source, backfill);
    });
    let read = read.await.map_err(StatusError::Unread)?;
    if let (Some(_), Some(at), true) = (at, read.snapshot.at, is_anything_defined)
        && read.snapshot.slos.iter().all(|it| was_not_there(it))
    {
        return Err(StatusError::NothingThen { at }.into());
    }
    // However long ago it was, that is what was asked for.
    let freshness = Freshness {
        stale: false,
        ..Freshness::of(&read.snapshot, Clock::System.now().into())
    };
    let list = SloQuery::all(&read.snapshot, freshness);
    Ok(Some(Evaluated {
        list: serde_json::to_value(list)?,
        is_whole: left_out.is_empty(),
    }))
}

/// The promises that are meant: known before anything is read for them, but for their groups.
fn asked_for<'a>(only: Option<&str>, catalog: &'a Catalog) -> Result<Vec<&'a Slo>, Unclear> {
    let all = || catalog.slos.values().map(AsRef::as_ref);
    let Some(only) = only else {
        return Ok(all().collect());
    };
    let promise = only.split('{').next().unwrap_or(only);
    let is_it = |slo: &&Slo| {
        let objective = title(&slo.service, &slo.name, None);
        promise == slo.service || promise == objective || promise == slo.uid.as_str()
    };
    let asked: Vec<&Slo> = all().filter(is_it).collect();
    if asked.is_empty() {
        let known = all().map(Slo::title).collect();
        return Err(Unclear::service_or_objective(promise, &known));
    }
    Ok(asked)
}

/// Whether there was nothing of what an objective counts, neither then nor in its window before.
fn was_not_there(status: &SloStatus) -> bool {
    status.measurement.outcome == Outcome::NoData
        && status.series.total == 0
        && status.window.coverage <= 0.0
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use crate::cli::tests::{fake_prometheus, run};

    const SCRAPED: &str = "
sources:
  default: {scrape: {targets: [{url: 'http://127.0.0.1:1/metrics'}]}}
";
    const BOTH: &str = "
sources:
  default: {scrape: {targets: [{url: 'http://127.0.0.1:1/metrics'}]}}
  other: {prometheus: {url: 'http://127.0.0.1:1'}}
";

    /// Two services, one of which is of the source `other` where that is configured.
    fn objectives(source: &str) -> String {
        let service = |name: &str, source: &str| {
            format!(
                "---
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {{name: {name}}}
spec:
  source: {source}
  window: 30d
  objectives:
    - {{name: availability, objective: 99%, errors: {{total: requests_total, badWhere: 'code=~\"5..\"'}}}}
"
            )
        };
        service("shop", "default") + &service("mail", source)
    }

    async fn told(source: &str, config: &str, arguments: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let definitions = file("shop.yaml", &objectives(source));
        let config = file("sloburn.yaml", config);
        let usual = ["--config", &config, "--definitions", &definitions];
        let ran = run(&[&["status"], arguments, &usual].concat(), &[]).await;
        ran.to_string()
            .replace(&*folder.path().to_string_lossy(), "FOLDER")
    }

    #[tokio::test]
    async fn what_only_a_daemon_remembers_is_left_to_it() {
        let scraped = told("default", SCRAPED, &[]).await;
        let both = told("other", BOTH, &["shop"]).await;
        let none = told("other", BOTH, &["shpo"]).await;
        insta::assert_snapshot!([scraped, both, none].join("\n"), @r"
        err:
        error: source `default` is scraped and remembers nothing here; ask the daemon (`--url`), which does
        exit 2
        err:
        error: source `default` is scraped and remembers nothing here; ask the daemon (`--url`), which does
        exit 2
        err:
        error: no objective is named `shpo`; did you mean `shop`?
        exit 2
        ");
        let left_out = told("other", BOTH, &[]).await;
        let first = left_out.lines().find(|line| line.starts_with("left out"));
        let first = first.unwrap_or(&left_out);
        insta::assert_snapshot!(first, @"left out: shop/availability, since source `default` is scraped and remembers nothing here; ask the daemon (`--url`), which does");
    }

    #[tokio::test]
    async fn a_time_of_which_nothing_is_known_is_said() {
        let empty = |_: &str| (StatusCode::OK, fake_prometheus::matrix(&[]));
        let (url, server) = fake_prometheus::serve(empty, empty).await;
        let config = json!({"sources": {"default": {"prometheus": {"url": url}}}}).to_string();
        let at = ["--at", "1990-01-01T00:00:00Z"];
        insta::assert_snapshot!(told("default", &config, &at).await, @r"
        err:
        error: the sources have no samples of these objectives at 1990-01-01T00:00:00Z: they do not keep them that long, or the selectors match nothing (`sloburn check --live` shows what they match now)
        exit 2
        ");
        let narrowed = json!({"url": url, "matchers": "env=\"prod\""});
        let narrowed = json!({"sources": {"default": {"prometheus": narrowed}}}).to_string();
        let mut why = String::new();
        for config in [config, narrowed] {
            let now = told("default", &config, &[]).await;
            let lines = now.lines().filter(|it| it.contains("no series"));
            why += &(lines.collect::<Vec<_>>().join("\n") + "\n");
        }
        insta::assert_snapshot!(why, @r#"
        no series of `requests_total` match what mail/availability selects; check its selectors
        no series of `requests_total` match what shop/availability selects; check its selectors
        no series of `requests_total` match what mail/availability selects; check its selectors, and env="prod", which `sources.default.prometheus.matchers` adds to every selector
        no series of `requests_total` match what shop/availability selects; check its selectors, and env="prod", which `sources.default.prometheus.matchers` adds to every selector
        "#);
        drop(server);
    }
}
