//! A Prometheus in memory, and what is told of objectives that do not fit it.

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
    let path = folder.path().join("api.yaml");
    let arguments = ["check", "--live", "--prometheus", url, "--format", format];
    let arguments = [&arguments[..], &[path.to_str().unwrap()]].concat();
    let ran = run(&arguments, &[]).await;
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

/// The lines of an objective of 99%.
const CASES: &[&str] = &[
    "errors: {total: 'http_requests_total{job=\"api\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_request_total{job=\"api\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_requests_total{job=\"apo\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_requests_total{job=\"api\",env=\"prod\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_requests_total{job=\"web\",env=\"prod\"}', badWhere: code=~\"5..\"}",
    "errors: {total: 'http_requests_total{job=\"api\"}', badWhere: code=~\"6..\"}",
    "errors: {total: 'http_requests_total{job=\"api\"}', goodWhere: code=\"OK\"}",
    "errors: {total: 'http_requests_total{job=\"api\",code!~\"4..\"}', bad: 'http_requests_total{job=\"api\",code=~\"[45]..\"}'}",
    "errors: {total: 'http_requests_total{job=\"api\"}', bad: 'errors_total{job=\"api\"}'}",
    "errors: {total: 'http_requests_total{job=\"api\"}', bad: 'storms_total{job=\"api\"}'}",
    "errors:\n  total: ['http_requests_total{job=\"api\"}', 'grpc_handled_total{job=\"api\"}']\n  bad: ['http_requests_total{job=\"api\",code=~\"5..\"}', 'grpc_handled_total{job=\"api\",grpc_code=\"Internal\"}']",
    "latency: {histogram: 'took_seconds{instance=\"a\"}', atMost: 250ms}",
    "latency:\n  histogram: took_seconds{instance=\"a\"}\n  atMost: 300ms\n  overrides: [{where: 'route=\"/pay\"', atMost: 10s}]",
    "latency:\n  histogram: took_seconds{instance=\"a\"}\n  atMost: 300ms\n  overrides: [{where: 'route=\"/export\"', atMost: 100ms}]",
    "errors: {good: 'http_requests_total{code=\"200\"}', bad: 'http_requests_total{code=\"599\"}'}",
    "errors: {good: 'http_requests_total{code=\"299\"}', bad: 'http_requests_total{code=\"500\"}'}",
    "errors: {total: http_requests_total, bad: ['http_requests_total{code=\"500\"}', 'errors_total{instance=\"c\"}']}",
    "errors: {probe: 'probe_success{job=\"api\"}'}",
    "freshness: {timestamp: done_timestamp_seconds, atMost: 1h}",
    "latency: {quantile: 'took_seconds{quantile=\"0.9\"}', atMost: 1s}",
    "latency: {histogram: took_seconds, atMost: 300ms}",
    "latency: {histogram: native_seconds, atMost: 300ms}",
    "latency: {histogram: lasted_seconds, atMost: 300ms}",
    "saturation:\n  used: memory_bytes{job=\"api\"}\n  limit: {series: 'memory_limit_byte{job=\"api\"}', aggregate: min}\n  by: [instance]\n  atMost: 90%",
    "query: {value: sum(depth), atMost: 10}",
    "query: {total: 'sum(increase(seen_total[$window]))', bad: 'sum(increase(failed_total[$window]))'}",
    "query: {value: sum(refused), atMost: 10}",
    "errors: {total: 'http_requests_total{job=\"api\"}', badWhere: code=~\"5..\"}\ngroupBy: [rout]",
    "errors: {total: 'http_requests_total{job=\"api\"}', bad: 'errors_total{job=\"api\",instance=\"a\"}'}\ngroupBy: [route]",
];

#[tokio::test]
async fn what_does_not_fit_is_told_where_it_is_written() {
    let (url, server) = world::serve().await;
    let mut all = Vec::new();
    for lines in CASES {
        all.push(format!("{lines}\n{}", told(&url, lines, "99%").await));
    }
    drop(server);
    insta::assert_snapshot!(all.join("\n\n"), @r#"
    errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"5.."}
    exit 0

    errors: {total: 'http_request_total{job="api"}', badWhere: code=~"5.."}
    error line=10,col=23,title=SB0602::no series match `http_request_total{job="api"}`; there is no `http_request_total` at all: check the name, and what is scraped
    exit 2

    errors: {total: 'http_requests_total{job="apo"}', badWhere: code=~"5.."}
    error line=10,col=23,title=SB0602::no series match `http_requests_total{job="apo"}`; without job="apo" there are some; did you mean `api`?
    exit 2

    errors: {total: 'http_requests_total{job="api",env="prod"}', badWhere: code=~"5.."}
    error line=10,col=23,title=SB0602::no series match `http_requests_total{env="prod",job="api"}`; without env="prod" there are some, none of which has the label env
    exit 2

    errors: {total: 'http_requests_total{job="web",env="prod"}', badWhere: code=~"5.."}
    error line=10,col=23,title=SB0602::no series match `http_requests_total{env="prod",job="web"}`; each of its conditions holds for some series, and all of them for none
    exit 2

    errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"6.."}
    warning line=10,col=67,title=SB0603::nothing was bad in the whole window (6h): no series match `http_requests_total{code=~"6..",job="api"}`; if nothing failed, all is well; else: without code=~"6.." there are some, with code of 200, 404, 500
    exit 0

    errors: {total: 'http_requests_total{job="api"}', goodWhere: code="OK"}
    error line=10,col=68,title=SB0602::no series match `http_requests_total{code="OK",job="api"}`; without code="OK" there are some, with code of 200, 404, 500
    exit 2

    errors: {total: 'http_requests_total{job="api",code!~"4.."}', bad: 'http_requests_total{job="api",code=~"[45].."}'}
    error line=10,col=74,title=SB0605::1 of 2 series that `bad` selects are none of `total`, such as http_requests_total{code="404",instance="a",job="api",route="/x"}; let `bad` select a part of `total`, or write `badWhere`, which always does
    exit 2

    errors: {total: 'http_requests_total{job="api"}', bad: 'errors_total{job="api"}'}
    warning line=10,col=62,title=SB0605::1 of 2 series that `bad` selects have no counterpart in `total`, such as errors_total{instance="b",job="api"}; let both select the same targets: what is bad must be counted in the total, too
    exit 0

    errors: {total: 'http_requests_total{job="api"}', bad: 'storms_total{job="api"}'}
    error line=10,col=62,title=SB0605::in the last 6h `bad` counts 180000, and `total` 46800; count the same events on both sides: what is bad or good must be in the total, too
    exit 2

    errors:
      total: ['http_requests_total{job="api"}', 'grpc_handled_total{job="api"}']
      bad: ['http_requests_total{job="api",code=~"5.."}', 'grpc_handled_total{job="api",grpc_code="Internal"}']
    warning line=11,col=51,title=SB0602::no series match `grpc_handled_total{job="api"}`, so it counts nothing; there is no `grpc_handled_total` at all: check the name, and what is scraped
    exit 0

    latency: {histogram: 'took_seconds{instance="a"}', atMost: 250ms}
    error line=10,col=66,title=SB0604::`took_seconds_bucket` has no bucket that ends at 0.25; set `atMost` to one of 0.1, 0.3
    exit 2

    latency:
      histogram: took_seconds{instance="a"}
      atMost: 300ms
      overrides: [{where: 'route="/pay"', atMost: 10s}]
    warning line=11,col=20,title=SB0602::no series match `took_seconds_bucket{instance="a",route!="/pay"}`, so it counts nothing; without route!="/pay" there are some, with route of /pay
    error line=13,col=53,title=SB0604::`took_seconds_bucket{instance="a",route="/pay"}` has no bucket that ends at 10; set `atMost` to one of 0.1, 0.3
    exit 2

    latency:
      histogram: took_seconds{instance="a"}
      atMost: 300ms
      overrides: [{where: 'route="/export"', atMost: 100ms}]
    warning line=13,col=56,title=SB0602::no series match `took_seconds_bucket{instance="a",route="/export"}`, so it counts nothing; without route="/export" there are some, with route of /pay
    exit 0

    errors: {good: 'http_requests_total{code="200"}', bad: 'http_requests_total{code="599"}'}
    warning line=10,col=62,title=SB0603::nothing was bad in the whole window (6h): no series match `http_requests_total{code="599"}`; if nothing failed, all is well; else: without code="599" there are some, with code of 200, 404, 500
    exit 0

    errors: {good: 'http_requests_total{code="299"}', bad: 'http_requests_total{code="500"}'}
    error line=10,col=22,title=SB0602::no series match `http_requests_total{code="299"}`; without code="299" there are some, with code of 200, 404, 500
    exit 2

    errors: {total: http_requests_total, bad: ['http_requests_total{code="500"}', 'errors_total{instance="c"}']}
    warning line=10,col=85,title=SB0602::no series match `errors_total{instance="c"}`, so it counts nothing; without instance="c" there are some, with instance of a, b
    exit 0

    errors: {probe: 'probe_success{job="api"}'}
    error line=10,col=23,title=SB0602::no series match `probe_success{job="api"}`; there is no `probe_success` at all: check the name, and what is scraped
    exit 2

    freshness: {timestamp: done_timestamp_seconds, atMost: 1h}
    error line=10,col=30,title=SB0602::no series match `done_timestamp_seconds`; there is no `done_timestamp_seconds` at all: check the name, and what is scraped
    exit 2

    latency: {quantile: 'took_seconds{quantile="0.9"}', atMost: 1s}
    error line=10,col=27,title=SB0602::no series match `took_seconds{quantile="0.9"}`; there is no `took_seconds` at all: check the name, and what is scraped
    exit 2

    latency: {histogram: took_seconds, atMost: 300ms}
    error line=10,col=50,title=SB0604::1 of 2 series of the histogram have no bucket that ends at 0.3, so that all of their events are bad; give them the same buckets as the others, or leave them out: took_seconds_bucket{instance="b",job="api",le="+Inf",route="/pay"}
    exit 2

    latency: {histogram: native_seconds, atMost: 300ms}
    error line=10,col=52,title=SB0604::`native_seconds` has native histograms and no classic buckets; write `native: true` beside `histogram`
    exit 2

    latency: {histogram: lasted_seconds, atMost: 300ms}
    error line=10,col=28,title=SB0602::no series match `lasted_seconds_bucket`; there is no `lasted_seconds_bucket` at all: check the name, and what is scraped
    exit 2

    saturation:
      used: memory_bytes{job="api"}
      limit: {series: 'memory_limit_byte{job="api"}', aggregate: min}
      by: [instance]
      atMost: 90%
    error line=12,col=25,title=SB0602::no series match `memory_limit_byte{job="api"}`; there is no `memory_limit_byte` at all: check the name, and what is scraped
    exit 2

    query: {value: sum(depth), atMost: 10}
    error line=10,col=22,title=SB0602::`sum(depth)` gives no value; evaluate it in Prometheus, and correct it
    exit 2

    query: {total: 'sum(increase(seen_total[$window]))', bad: 'sum(increase(failed_total[$window]))'}
    error line=10,col=22,title=SB0602::`sum(increase(seen_total[5m]))` gives no value; evaluate it in Prometheus, and correct it
    exit 2

    query: {value: sum(refused), atMost: 10}
    error line=10,col=22,title=SB0601::the Prometheus of source `default` at URL refuses the query (bad_data): no such thing; correct or narrow what is asked
    exit 2

    errors: {total: 'http_requests_total{job="api"}', badWhere: code=~"5.."}
    groupBy: [rout]
    warning line=11,col=17,title=SB0607::no series of `total` has the label `rout`, by which groups are told apart; did you mean `route`?
    exit 0

    errors: {total: 'http_requests_total{job="api"}', bad: 'errors_total{job="api",instance="a"}'}
    groupBy: [route]
    error line=10,col=62,title=SB0605::in the last 6h `bad` of {route=""} counts 720, and `total` 0; count the same events on both sides: what is bad or good must be in the total, too
    warning line=11,col=17,title=SB0607::no series of `bad` has the label `route`, by which groups are told apart; they have instance, job
    exit 2
    "#);
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
    warning line=9,col=18,title=SB0606::a window of 6h holds about 360 slices, of which 99.9%25 allows 0.36 to be bad: the first bad slice breaks the promise; write a longer window, a shorter `slice`, or a lower objective
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

#[tokio::test]
async fn numbers_stand_below_the_faults() {
    let (url, server) = world::serve().await;
    insta::assert_snapshot!(checked(&url, "text", &[SOUND, LATENCY]).await, @r#"
    out:
    error[SB0604]: `took_seconds_bucket` has no bucket that ends at 0.25
      --> api.yaml:13:66
       |
    13 |       latency: {histogram: 'took_seconds{instance="a"}', atMost: 250ms}
       |                                                                  ^^^^^
       |
       = help: set `atMost` to one of 0.1, 0.3

    As of TIME:

    SLO               OBJECTIVE  WINDOW  GOOD     BUDGET LEFT       COVERAGE  MEASURED
    api/availability  99%        6h      96.923%  -207.7% BREACHED  100%      yes
    api/latency       99%        6h      unknown  unknown           0%        NO, no data

    `took_seconds_bucket` has no bucket that ends at 0.25; set `atMost` to one of 0.1, 0.3
      api/latency

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
    ::warning file=api.yaml,line=10,col=45,title=SB0603::nothing bad is there now: no series match `jobs_total{queue="mial"}`; if nothing failed, all is well; else: check its conditions, and what is scraped
    1 file, 1 objective: 1 warning
    exit 0

    out:
    ::error title=SB0601::cannot scrape http://ADDRESS/gone: it answers HTTP 404; nothing could be looked at of api/jobs
    1 file, 1 objective: 1 error
    exit 2
    "#);
}
