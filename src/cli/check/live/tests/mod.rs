//! A Prometheus in memory, and what is told of objectives that do not fit it.

mod cases;
mod world;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::cli::tests::{Ran, run};

const HEAD: &str = "\
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: api}
spec:
  window: 6h
  alertPolicy: none
  objectives:
";

/// A file with `objectives`, each with a name, an objective and the lines that it is given by.
fn written(objectives: &[(&str, &str, &str)]) -> TempDir {
    let objectives = objectives.iter().map(|(name, objective, lines)| {
        let lines = lines.replace('\n', "\n      ");
        format!("    - name: {name}\n      objective: {objective}\n      {lines}\n")
    });
    let text: Vec<String> = objectives.collect();
    file(&(HEAD.to_owned() + &text.concat()))
}

/// A folder with a file.
fn file(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("api.yaml"), text).unwrap();
    folder
}

/// What `check --live` says of them, without what differs from run to run.
async fn checked(url: &str, format: &str, objectives: &[(&str, &str, &str)]) -> Ran {
    checked_in(&written(objectives), url, format).await
}

async fn checked_in(folder: &TempDir, url: &str, format: &str) -> Ran {
    checked_with(&[], folder, url, format).await
}

/// The same with `variables` in the environment.
async fn checked_with(
    variables: &[(&str, &str)],
    folder: &TempDir,
    url: &str,
    format: &str,
) -> Ran {
    let path = folder.path().join("api.yaml");
    let arguments = ["check", "--live", "--prometheus", url, "--format", format];
    let arguments = [&arguments[..], &[path.to_str().unwrap()]].concat();
    let ran = run(&arguments, variables).await;
    let shown = |text: String| {
        let text = text.replace(path.to_str().unwrap(), "api.yaml");
        let lines = text.replace(url, "URL");
        let lines = lines.lines().map(|line| match line.strip_prefix("As of ") {
            Some(_) => "As of TIME:",
            None => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    Ran {
        out: shown(ran.out),
        err: String::new(),
        ..ran
    }
}

/// The annotations alone, and the exit code.
async fn told(url: &str, lines: &str, objective: &str) -> String {
    let ran = checked(url, "github", &[("it", objective, lines)]).await;
    let own = ran.out.lines().filter_map(|line| line.strip_prefix("::"));
    let own: String = own
        .map(|line| line.replace("file=api.yaml,", "") + "\n")
        .collect();
    format!("{own}exit {}", ran.code)
}

#[tokio::test]
async fn an_objective_may_be_finer_than_its_events_can_show() {
    let (url, server) = world::serve().await;
    let rare = "errors: {total: rare_total, bad: 'errors_total{instance=\"a\"}'}";
    let sliced = "traffic: {total: http_requests_total, atLeast: 1/s}";
    let mut all = Vec::new();
    for (lines, objective) in [
        (rare, "99%"),
        (rare, "99.9%"),
        (rare, "100%"),
        (sliced, "99.9%"),
    ] {
        let told = told(&url, lines, objective).await;
        all.push(format!("{objective} {lines}\n{told}"));
    }
    drop(server);
    insta::assert_snapshot!(all.join("\n\n"), @r#"
    99% errors: {total: rare_total, bad: 'errors_total{instance="a"}'}
    exit 0

    99.9% errors: {total: rare_total, bad: 'errors_total{instance="a"}'}
    warning line=9,col=18,title=SB0606::a window of 6h holds about 720 events, of which 99.9%25 allows 0.72 to be bad: the first bad event breaks the promise; write a longer window or a lower objective, and alert by a tier that counts, as bad: 3
    exit 0

    100% errors: {total: rare_total, bad: 'errors_total{instance="a"}'}
    exit 0

    99.9% traffic: {total: http_requests_total, atLeast: 1/s}
    warning line=9,col=18,title=SB0606::a window of 6h holds 360 slices of 1m, and 99.9%25 allows less than one of them to be bad: the first bad slice breaks the promise; write a longer window, a shorter `slice`, or a lower objective
    exit 0
    "#);
}

const SOUND: (&str, &str, &str) = (
    "availability",
    "99%",
    "errors: {total: 'http_requests_total{job=\"api\"}', badWhere: code=~\"5..\"}",
);
const LATENCY: (&str, &str, &str) = (
    "latency",
    "99%",
    "latency: {histogram: 'took_seconds{instance=\"a\"}', atMost: 250ms}",
);

/// Where more is bad than there is at all, no share was good.
#[tokio::test]
async fn what_cannot_be_is_no_share() {
    let (url, server) = world::serve().await;
    let stormy =
        "errors: {total: 'http_requests_total{job=\"api\"}', bad: 'storms_total{job=\"api\"}'}";
    let ran = checked(&url, "text", &[("it", "99%", stormy)]).await;
    drop(server);
    let row = ran.out.lines().find(|line| line.starts_with("api/it"));
    let good = row.and_then(|row| row.split_whitespace().nth(3));
    assert_eq!(good, Some("unknown"), "{ran}");
}

#[tokio::test]
async fn numbers_stand_below_the_faults() {
    let (url, server) = world::serve().await;
    insta::assert_snapshot!(checked(&url, "text", &[SOUND, LATENCY]).await, @r#"
    out:
    error[SB0604]: `took_seconds_bucket` has no bucket that ends at 250ms
      --> api.yaml:13:66
       |
    13 |       latency: {histogram: 'took_seconds{instance="a"}', atMost: 250ms}
       |                                                                  ^^^^^
       |
       = help: set `atMost` to one of 100ms, 300ms

    As of TIME:

    SLO               OBJECTIVE  WINDOW  GOOD     BUDGET LEFT       COVERAGE  MEASURED
    api/availability  99%        6h      96.923%  -207.7% BREACHED  100%      yes
    api/latency       99%        6h      unknown  unknown           0%        NO, no data

    1 file, 2 objectives: 1 error
    exit 2
    "#);
    let json = checked(&url, "json", &[SOUND]).await;
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let window = &json["live"]["items"][0]["window"];
    assert_eq!(
        [&window["bad"], &window["total"]],
        [1_440, 46_800],
        "{json:#}"
    );
    drop(server);
}

#[tokio::test]
async fn in_a_template_a_fault_shows_where_that_was_used() {
    let (url, server) = world::serve().await;
    let template = "\
apiVersion: sloburn.dev/v1
kind: ObjectiveTemplate
metadata: {name: http}
spec:
  params: [job]
  objectives:
    - name: availability
      objective: 99%
      errors: {total: 'http_requests_total{job=\"$job\"}', badWhere: code=~\"5..\"}
---
";
    let (head, _) = HEAD.split_once("  objectives").unwrap();
    let uses = "  use: [{template: http, with: {job: apo}}]\n";
    let folder = file(&format!("{template}{head}{uses}"));
    let told = checked_in(&folder, &url, "text").await;
    drop(server);
    let (fault, _) = told.out.split_once("As of").unwrap();
    insta::assert_snapshot!(fault, @r#"
    error[SB0602]: no series match `http_requests_total{job="apo"}`
      --> api.yaml:9:23
       |
     9 |       errors: {total: 'http_requests_total{job="$job"}', badWhere: code=~"5.."}
       |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ...
    17 |   use: [{template: http, with: {job: apo}}]
       |         - used here
       |
       = help: without job="apo" there are some; did you mean `api`?
    "#);
}

#[tokio::test]
async fn targets_of_one_indicator_are_told_of_it_once_and_each_of_its_promise() {
    let (url, server) = world::serve().await;
    let targets = "targets: [{name: slo, objective: 99.9%}, {name: sla, objective: 99%}]";
    let objective = |name: &str, errors: &str| {
        format!("    - name: {name}\n      {targets}\n      errors: {errors}\n")
    };
    let misspelt = "{total: rare_totla, bad: 'errors_total{instance=\"a\"}'}";
    let rare = misspelt.replace("totla", "total");
    let text = [objective("misspelt", misspelt), objective("rare", &rare)].concat();
    let told = checked_in(&file(&(HEAD.to_owned() + &text)), &url, "github").await;
    drop(server);
    insta::assert_snapshot!(told, @r"
    out:
    ::error file=api.yaml,line=10,col=23,title=SB0602::no series match `rare_totla`; there is no `rare_totla` at all; did you mean `rare_total`?
    ::warning file=api.yaml,line=12,col=40,title=SB0606::a window of 6h holds about 720 events, of which 99.9%25 allows 0.72 to be bad: the first bad event breaks the promise; write a longer window or a lower objective, and alert by a tier that counts, as bad: 3
    As of TIME:

    SLO               OBJECTIVE  WINDOW  GOOD     BUDGET LEFT         COVERAGE  MEASURED
    api/rare/slo      99.9%      6h      0%       -99900.0% BREACHED  100%      yes
    api/rare/sla      99%        6h      0%       -9900.0% BREACHED   100%      yes
    api/misspelt/sla  99%        6h      unknown  unknown             0%        NO, no data
    api/misspelt/slo  99.9%      6h      unknown  unknown             0%        NO, no data

    1 file, 4 objectives: 1 error, 1 warning
    exit 2
    ");
}

/// What the source adds to selectors excludes as well as what is written in them.
#[tokio::test]
async fn matchers_of_the_source_are_blamed_where_they_exclude_all() {
    let (url, server) = world::serve().await;
    let lines = |job: &str| {
        let total = format!("http_requests_total{{job=\"{job}\"}}");
        format!("errors: {{total: '{total}', badWhere: code=~\"5..\"}}")
    };
    let mut all = Vec::new();
    for (matchers, job) in [
        ("env=\"prod\"", "api"),
        ("instance=\"a\"", "apo"),
        ("instance=\"b\",route=\"/pay\"", "api"),
    ] {
        let folder = written(&[("it", "99%", &lines(job))]);
        let variables = [("SLOBURN_PROMETHEUS_MATCHERS", matchers)];
        let ran = checked_with(&variables, &folder, &url, "github").await;
        let first = ran.out.lines().next().unwrap_or_default();
        all.push(format!("{matchers}\n{first}"));
    }
    drop(server);
    insta::assert_snapshot!(all.join("\n"), @r#"
    env="prod"
    ::error file=api.yaml,line=10,col=23,title=SB0602::no series match `http_requests_total{job="api"}`; there are some, but none of them has env="prod", which `sources.default.prometheus.matchers` adds to every selector
    instance="a"
    ::error file=api.yaml,line=10,col=23,title=SB0602::no series match `http_requests_total{job="apo"}`; without job="apo" there are some; did you mean `api`?
    instance="b",route="/pay"
    ::error file=api.yaml,line=10,col=23,title=SB0602::no series match `http_requests_total{job="api"}`; there are some, but none of them has instance="b",route="/pay", which `sources.default.prometheus.matchers` adds to every selector
    "#);
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_told_once() {
    let mut told = Vec::new();
    for status in [StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST] {
        let (url, server) = world::refusing(status).await;
        told.push(checked(&url, "text", &[SOUND, LATENCY]).await.to_string());
        drop(server);
    }
    insta::assert_snapshot!(told.join("\n\n"), @r"
    out:
    error[SB0601]: the Prometheus of source `default` at URL does not accept our credentials (HTTP 401); check `bearerTokenFile` or `basicAuthFile` under `sources.default.prometheus`
     |
     = help: nothing could be looked at of api/availability, api/latency

    1 file, 2 objectives: 1 error
    exit 2

    out:
    error[SB0601]: what answers for source `default` at URL is not the API of a Prometheus: it says `no` (HTTP 400); check `sources.default.prometheus.url`, and for a proxy or login page before it
     |
     = help: nothing could be looked at of api/availability, api/latency

    1 file, 2 objectives: 1 error
    exit 2
    ");
}

#[tokio::test]
async fn faulty_definitions_are_not_asked_about() {
    let ran = checked("http://127.0.0.1:9", "json", &[("it", "99%", "errors: {}")]).await;
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&json["live"], ran.code), (&serde_json::Value::Null, 2));
}

#[tokio::test]
async fn pages_are_scraped_once_and_tell_of_what_exists() {
    let page = || async { "# TYPE jobs counter\njobs_total{queue=\"mail\"} 7\n" };
    let pages = Router::new().route("/metrics", get(page));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, pages).await });
    let lines = "errors: {total: jobs_total, badWhere: queue=\"mial\"}";
    let folder = written(&[("jobs", "99%", lines)]);
    let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let (config, slos) = (path("sloburn.yaml"), path("api.yaml"));
    let mut told = String::new();
    for pages in ["metrics", "metrics gone"] {
        let target = |path| format!("{{url: 'http://{address}/{path}'}}");
        let targets: Vec<String> = pages.split(' ').map(target).collect();
        let targets = targets.join(", ");
        let text = format!("sources: {{default: {{scrape: {{targets: [{targets}]}}}}}}\n");
        std::fs::write(&config, text).unwrap();
        let arguments = ["check", "--live", "--config", &config, &slos];
        let ran = run(&[&arguments[..], &["--format", "github"]].concat(), &[]).await;
        let shown = ran.to_string().replace(&address, "ADDRESS");
        told += &(shown.replace(&slos, "api.yaml") + "\n\n");
    }
    drop(server);
    insta::assert_snapshot!(told, @r#"
    out:
    ::warning file=api.yaml,line=10,col=45,title=SB0603::nothing bad is there now: no series match `jobs_total{queue="mial"}`; if nothing failed, ignore this; otherwise check its conditions, and what is scraped
    1 file, 1 objective: 1 warning
    exit 0

    out:
    ::error title=SB0601::cannot scrape http://ADDRESS/gone: it answers HTTP 404; nothing could be looked at of api/jobs
    1 file, 1 objective: 1 error
    exit 2
    "#);
}
