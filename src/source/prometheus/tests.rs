//! Reads from a Prometheus that lies: what comes of each lie, and how often it was asked.

use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Barrier, Once};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::domain::selector::{Matcher, Selector};
use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Batch, Fetch};
use crate::source::Source;
use crate::source::error::SourceError;

use super::liar::{Liar, Lie};
use super::{PrometheusSettings, PrometheusSource};

const EMPTY: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
const ONE: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1000.5,"1"]]}]}}"#;

fn settings(url: &str) -> PrometheusSettings {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another test of this process may have been first.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
    });
    PrometheusSettings::new(SourceName::new("default"), url)
}

fn samples() -> Fetch {
    Fetch::Samples(Selector::new("up", vec![Matcher::equal("job", "api")]))
}

fn expression() -> Fetch {
    Fetch::Expression {
        text: "sum(rate(up[5m]))".to_owned(),
        step: Span::from_secs(30),
    }
}

async fn read(source: &PrometheusSource, fetch: &Fetch) -> Result<Batch, SourceError> {
    let range = TimeRange {
        from: Timestamp::from_millis(990_000),
        to: Timestamp::from_millis(1_080_500),
    };
    source.read(fetch, range).await
}

/// What came of a read, in one line in which the server's address is always the same.
async fn outcome(settings: PrometheusSettings, fetch: &Fetch) -> String {
    let address = settings.url.clone();
    let result = match PrometheusSource::new(settings) {
        Ok(source) => read(&source, fetch).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(batch) => {
            let samples: usize = batch.series.iter().map(|it| it.samples.len()).sum();
            let mut text = format!("ok: {} series, {samples} samples", batch.series.len());
            for warning in batch.warnings {
                write!(text, ", warning `{warning}`").unwrap();
            }
            if batch.histograms > 0 {
                write!(text, ", {} histograms", batch.histograms).unwrap();
            }
            text
        }
        Err(error) => error.to_string().replace(&address, "http://prom:9090"),
    }
}

async fn told(script: impl IntoIterator<Item = Lie>, fetch: &Fetch) -> String {
    let liar = Liar::telling(script);
    let settings = PrometheusSettings {
        max_body_bytes: 1 << 20,
        ..settings(&liar.url())
    };
    let outcome = outcome(settings, fetch).await;
    format!("{outcome} ({} asked)", liar.asked().len())
}

/// One line per lie.
async fn table<const N: usize>(lies: [(&str, Vec<Lie>); N]) -> String {
    let mut text = String::new();
    for (name, script) in lies {
        writeln!(text, "{name}: {}", told(script, &samples()).await).unwrap();
    }
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn error(error_type: &str, message: &str) -> String {
    format!(r#"{{"status":"error","errorType":"{error_type}","error":"{message}"}}"#)
}

#[tokio::test]
async fn statuses_have_their_sentence_and_their_number_of_requests() {
    let timeout = error("timeout", "query timed out in expression evaluation");
    insta::assert_snapshot!(table([
        ("401", vec![Lie::status(401, "Bearer hunter2 is wrong")]),
        ("403", vec![Lie::status(403, "")]),
        ("404 page", vec![Lie::status(404, "<html>").with("content-type: text/html")]),
        ("302 to a login", vec![Lie::status(302, "").with("location: http://login/")]),
        ("429", vec![Lie::status(429, "slow down")]),
        ("429 with seconds", vec![Lie::status(429, "").with("retry-after: 30")]),
        (
            "429 with a date",
            vec![
                Lie::status(429, "")
                    .with("date: Sun, 06 Nov 1994 08:49:37 GMT")
                    .with("retry-after: Sun, 06 Nov 1994 08:50:22 GMT"),
            ],
        ),
        ("429 until next year", vec![Lie::status(429, "").with("retry-after: 31536000")]),
        ("400", vec![Lie::status(400, error("bad_data", "1:5: parse error:\\nunexpected }"))]),
        ("422", vec![Lie::status(422, error("execution", "too many samples"))]),
        ("400 of another", vec![Lie::status(400, "Client sent an HTTP request to an HTTPS server.\n")]),
        ("400 page", vec![Lie::status(400, "<html>").with("content-type: text/html")]),
        ("500", vec![Lie::status(500, "")]),
        ("500 that explains", vec![Lie::status(500, error("internal", "disk gone"))]),
        ("503 twice", vec![Lie::status(503, "no backend")]),
        ("503, then good", vec![Lie::status(503, ""), Lie::ok(ONE)]),
        ("504 page, then good", vec![Lie::status(504, "<html>"), Lie::ok(ONE)]),
        ("503 timeout", vec![Lie::status(503, timeout)]),
        ("200 with an error", vec![Lie::ok(error("execution", "boom"))]),
    ]).await, @r"
    401: the Prometheus of source `default` at http://prom:9090 does not accept our credentials (HTTP 401); check `sources.default.prometheus.bearerTokenFile` (1 asked)
    403: the Prometheus of source `default` at http://prom:9090 does not let us query it (HTTP 403); check what our token may do, and `sources.default.prometheus.headers` (1 asked)
    404 page: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: it does not know `/api/v1/query` (HTTP 404); check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
    302 to a login: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: it redirects elsewhere (HTTP 302), which is not followed; check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
    429: the Prometheus of source `default` at http://prom:9090 is asked too often (HTTP 429); raise its limit, or make `tick` longer (1 asked)
    429 with seconds: the Prometheus of source `default` at http://prom:9090 is asked too often (HTTP 429), and nothing is asked for 30s; raise its limit, or make `tick` longer (1 asked)
    429 with a date: the Prometheus of source `default` at http://prom:9090 is asked too often (HTTP 429), and nothing is asked for 45s; raise its limit, or make `tick` longer (1 asked)
    429 until next year: the Prometheus of source `default` at http://prom:9090 is asked too often (HTTP 429), and nothing is asked for 5m; raise its limit, or make `tick` longer (1 asked)
    400: the Prometheus of source `default` at http://prom:9090 refuses the query (bad_data): 1:5: parse error: unexpected }; correct or narrow what is asked (1 asked)
    422: the Prometheus of source `default` at http://prom:9090 refuses the query (execution): too many samples; correct or narrow what is asked (1 asked)
    400 of another: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: it says `Client sent an HTTP request to an HTTPS server.` (HTTP 400); check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
    400 page: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: it gives no reason (HTTP 400); check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
    500: the Prometheus of source `default` at http://prom:9090 fails (HTTP 500); look at its log, or that of a proxy before it (1 asked)
    500 that explains: the Prometheus of source `default` at http://prom:9090 fails (HTTP 500): disk gone; look at its log, or that of a proxy before it (1 asked)
    503 twice: the Prometheus of source `default` at http://prom:9090 fails (HTTP 503): no backend; look at its log, or that of a proxy before it (2 asked)
    503, then good: ok: 1 series, 1 samples (2 asked)
    504 page, then good: ok: 1 series, 1 samples (2 asked)
    503 timeout: the Prometheus of source `default` at http://prom:9090 gave no whole answer within 10s; look at its load, or raise `sources.default.prometheus.timeout` (1 asked)
    200 with an error: the Prometheus of source `default` at http://prom:9090 refuses the query (execution): boom; correct or narrow what is asked (1 asked)
    ");
}

#[tokio::test]
async fn bodies_have_their_sentence_and_their_number_of_requests() {
    let blanks = vec![b' '; 4 << 20];
    let partial = EMPTY.replace("{\"status\"", "{\"warnings\":[\"store down\"],\"status\"");
    let with_data = ONE.replace("{\"status\"", "{\"warnings\":[\"store down\"],\"status\"");
    let cut = |body: &str| Lie::Bytes(format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes());
    insta::assert_snapshot!(table([
        ("good", vec![Lie::ok(ONE)]),
        ("good, packed", vec![Lie::ok(gzip(ONE.as_bytes())).with("content-encoding: gzip")]),
        ("good, large", vec![Lie::ok(format!("{}{ONE}", " ".repeat(300 << 10)))]),
        ("no series", vec![Lie::ok(EMPTY)]),
        ("warnings, no series", vec![Lie::ok(partial)]),
        ("warnings, series", vec![Lie::ok(with_data)]),
        ("login page", vec![Lie::ok("<!DOCTYPE html><title>Sign in</title>").with("content-type: text/html")]),
        ("text", vec![Lie::ok("OK")]),
        ("other JSON", vec![Lie::ok("{\"status\":200}")]),
        ("nothing", vec![Lie::ok("")]),
        ("cut JSON", vec![Lie::ok(&ONE.as_bytes()[..90])]),
        ("cut JSON, large", vec![Lie::ok(format!("{}{{\"status\":", " ".repeat(300 << 10)))]),
        ("cut without a length", vec![cut("{\"status\":\"succ")]),
        ("reset in the body", vec![Lie::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{\"status\"".to_vec())]),
        ("cut chunk", vec![Lie::Bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{\"status\"".to_vec())]),
        ("cut gzip", vec![Lie::ok(&gzip(ONE.as_bytes())[..50]).with("content-encoding: gzip")]),
        ("not HTTP", vec![Lie::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec())]),
        ("hangs up", vec![Lie::Bytes(Vec::new())]),
        ("hangs up, then good", vec![Lie::Bytes(Vec::new()), Lie::ok(ONE)]),
        ("gzip bomb", vec![Lie::ok(gzip(&blanks)).with("content-encoding: gzip")]),
        ("announced as huge", vec![Lie::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n".to_vec())]),
    ]).await, @r"
    good: ok: 1 series, 1 samples (1 asked)
    good, packed: ok: 1 series, 1 samples (1 asked)
    good, large: ok: 1 series, 1 samples (1 asked)
    no series: ok: 0 series, 0 samples (1 asked)
    warnings, no series: ok: 0 series, 0 samples, warning `store down` (1 asked)
    warnings, series: ok: 1 series, 1 samples, warning `store down` (1 asked)
    login page: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: a web page, not JSON; check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
    text: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: not JSON; check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
    other JSON: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: JSON, but not an answer to a query; check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
    nothing: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: an empty answer; check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
    cut JSON: the answer of the Prometheus of source `default` at http://prom:9090 broke off, and nothing of it was used; look for restarts of it or of a proxy before it (1 asked)
    cut JSON, large: the answer of the Prometheus of source `default` at http://prom:9090 broke off, and nothing of it was used; look for restarts of it or of a proxy before it (1 asked)
    cut without a length: the answer of the Prometheus of source `default` at http://prom:9090 broke off, and nothing of it was used; look for restarts of it or of a proxy before it (1 asked)
    reset in the body: the answer of the Prometheus of source `default` at http://prom:9090 broke off, and nothing of it was used; look for restarts of it or of a proxy before it (1 asked)
    cut chunk: the answer of the Prometheus of source `default` at http://prom:9090 broke off, and nothing of it was used; look for restarts of it or of a proxy before it (1 asked)
    cut gzip: the answer of the Prometheus of source `default` at http://prom:9090 broke off, and nothing of it was used; look for restarts of it or of a proxy before it (1 asked)
    not HTTP: cannot reach the Prometheus of source `default` at http://prom:9090: the connection was lost before an answer came; check `sources.default.prometheus.url` and that it is running (2 asked)
    hangs up: cannot reach the Prometheus of source `default` at http://prom:9090: the connection was lost before an answer came; check `sources.default.prometheus.url` and that it is running (2 asked)
    hangs up, then good: ok: 1 series, 1 samples (2 asked)
    gzip bomb: the answer of the Prometheus of source `default` at http://prom:9090 is larger than 1 MiB; narrow the selectors of its objectives (1 asked)
    announced as huge: the answer of the Prometheus of source `default` at http://prom:9090 is larger than 1 MiB; narrow the selectors of its objectives (1 asked)
    ");
}

#[tokio::test]
async fn results_that_hold_no_samples_are_told_apart() {
    let result = |kind: &str, result: &str| {
        vec![Lie::ok(format!(
            r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#
        ))]
    };
    let cases = [
        ("vector", r#"[{"metric":{},"value":[1020,"1"]}]"#),
        ("scalar", r#"[1020,"1"]"#),
        ("string", r#"[1020,"one"]"#),
        ("streams", "[]"),
        (
            "matrix",
            r#"[{"metric":{},"histograms":[[1020,{"count":"3"}]]}]"#,
        ),
    ];
    let mut text = String::new();
    for (kind, json) in cases {
        let raw = told(result(kind, json), &samples()).await;
        let evaluated = told(result(kind, json), &expression()).await;
        writeln!(text, "{kind}\n  samples: {raw}\n  expression: {evaluated}").unwrap();
    }
    insta::assert_snapshot!(text, @r"
    vector
      samples: the Prometheus of source `default` at http://prom:9090 answered with a vector where series of numbers over time are due; correct the expression (1 asked)
      expression: ok: 1 series, 1 samples (1 asked)
    scalar
      samples: the Prometheus of source `default` at http://prom:9090 answered with a scalar where series of numbers over time are due; correct the expression (1 asked)
      expression: ok: 1 series, 1 samples (1 asked)
    string
      samples: the Prometheus of source `default` at http://prom:9090 answered with a string where series of numbers over time are due; correct the expression (1 asked)
      expression: the Prometheus of source `default` at http://prom:9090 answered with a string where series of numbers over time are due; correct the expression (1 asked)
    streams
      samples: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: JSON, but not an answer to a query; check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
      expression: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: JSON, but not an answer to a query; check `sources.default.prometheus.url`, and for a proxy or login page before it (1 asked)
    matrix
      samples: ok: 0 series, 0 samples, 1 histograms (1 asked)
      expression: ok: 0 series, 0 samples, 1 histograms (1 asked)
    ");
}

#[tokio::test]
async fn without_a_connection_the_reason_is_named() {
    let plain = Liar::greeting();
    let long = "x".repeat(64);
    // Closed again at the end of the statement: nobody listens there any more.
    let refused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut text = String::new();
    for url in [
        format!("http://{refused}"),
        format!("http://{long}.invalid"),
        plain.url().replace("http:", "https:"),
    ] {
        writeln!(text, "{}", outcome(settings(&url), &samples()).await).unwrap();
    }
    insta::assert_snapshot!(text, @r"
    cannot reach the Prometheus of source `default` at http://prom:9090: connection refused; check `sources.default.prometheus.url` and that it is running
    cannot reach the Prometheus of source `default` at http://prom:9090: its name cannot be resolved; check `sources.default.prometheus.url` and that it is running
    cannot reach the Prometheus of source `default` at http://prom:9090: the connection was lost before an answer came; check `sources.default.prometheus.url` and that it is running
    ");
}

#[tokio::test]
async fn a_slow_answer_is_given_up_and_not_asked_for_again() {
    let silent = Liar::telling([Lie::Silence]);
    let late = Liar::telling([Lie::After(
        Arc::new(|| std::thread::sleep(Duration::from_millis(700))),
        Box::new(Lie::ok(ONE)),
    )]);
    let mut text = String::new();
    for liar in [silent, late] {
        let settings = PrometheusSettings {
            timeout: Duration::from_millis(250),
            ..settings(&liar.url())
        };
        writeln!(text, "{}", outcome(settings, &samples()).await).unwrap();
        let asked = liar.asked();
        assert_eq!(asked.len(), 1);
        let told: Span = asked[0].form["timeout"].parse().unwrap();
        assert!(told <= Span::from_millis(250), "{told}");
    }
    insta::assert_snapshot!(text, @r"
    the Prometheus of source `default` at http://prom:9090 gave no whole answer within 250ms; look at its load, or raise `sources.default.prometheus.timeout`
    the Prometheus of source `default` at http://prom:9090 gave no whole answer within 250ms; look at its load, or raise `sources.default.prometheus.timeout`
    ");
}

#[tokio::test]
async fn a_request_carries_all_that_is_configured() {
    let liar = Liar::telling([Lie::ok(EMPTY)]);
    let token = secret("s3cret\n");
    let settings = PrometheusSettings {
        bearer_token_file: Some(token.path().to_owned()),
        headers: vec![("X-Scope-OrgID".into(), "shop".into())],
        matchers: vec![Matcher::equal("env", "prod")],
        params: vec![("dedup".into(), "true".into())],
        ..settings(&format!("{}/prefix/", liar.url()))
    };
    let source = PrometheusSource::new(settings).unwrap();
    for fetch in [samples(), expression()] {
        read(&source, &fetch).await.unwrap();
    }
    let mut text = String::new();
    for asked in liar.asked().iter() {
        writeln!(text, "{}", asked.line).unwrap();
        for name in [
            "authorization",
            "content-type",
            "user-agent",
            "x-scope-orgid",
        ] {
            writeln!(text, "  {name}: {}", asked.headers[name]).unwrap();
        }
        for (name, value) in asked.form.iter().filter(|(name, _)| *name != "timeout") {
            writeln!(text, "  {name} = {value}").unwrap();
        }
    }
    insta::assert_snapshot!(text, @r#"
    POST /prefix/api/v1/query HTTP/1.1
      authorization: Bearer s3cret
      content-type: application/x-www-form-urlencoded
      user-agent: sloburn/0.1.0
      x-scope-orgid: shop
      dedup = true
      query = up{env="prod",job="api"}[90500ms]
      time = 1080.500
    POST /prefix/api/v1/query_range HTTP/1.1
      authorization: Bearer s3cret
      content-type: application/x-www-form-urlencoded
      user-agent: sloburn/0.1.0
      x-scope-orgid: shop
      dedup = true
      end = 1080
      query = sum(rate(up[5m]))
      start = 1020
      step = 30
    "#);
}

fn secret(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

#[tokio::test]
async fn a_renewed_token_is_used_at_once() {
    let token = secret("old");
    let path = token.path().to_owned();
    let renew = Arc::new(move || fs::write(&path, "new").unwrap());
    let liar = Liar::telling([
        Lie::After(renew, Box::new(Lie::status(401, ""))),
        Lie::ok(EMPTY),
    ]);
    let source = PrometheusSource::new(PrometheusSettings {
        bearer_token_file: Some(token.path().to_owned()),
        ..settings(&liar.url())
    })
    .unwrap();
    read(&source, &samples()).await.unwrap();
    fs::write(token.path(), "newest").unwrap();
    read(&source, &samples()).await.unwrap();
    let sent: Vec<String> = liar
        .asked()
        .iter()
        .map(|it| it.headers["authorization"].clone())
        .collect();
    assert_eq!(sent, ["Bearer old", "Bearer new", "Bearer newest"]);
}

#[tokio::test]
async fn a_token_file_that_cannot_be_used_is_named_and_nothing_is_asked() {
    let liar = Liar::telling([Lie::ok(EMPTY)]);
    let (empty, two) = (secret(" \n"), secret("one\ntwo"));
    let mut text = String::new();
    for path in [
        PathBuf::from("/nowhere/token"),
        empty.path().into(),
        two.path().into(),
    ] {
        let settings = PrometheusSettings {
            bearer_token_file: Some(path.clone()),
            ..settings(&liar.url())
        };
        let sentence = outcome(settings, &samples()).await;
        writeln!(
            text,
            "{}",
            sentence.replace(&*path.to_string_lossy(), "FILE")
        )
        .unwrap();
    }
    insta::assert_snapshot!(text, @r"
    cannot use the token file `FILE` of source `default`: entity not found; check `sources.default.prometheus.bearerTokenFile` and who may read it
    cannot use the token file `FILE` of source `default`: it is empty; check `sources.default.prometheus.bearerTokenFile` and who may read it
    cannot use the token file `FILE` of source `default`: it holds more than a token on one line; check `sources.default.prometheus.bearerTokenFile` and who may read it
    ");
    assert_eq!(liar.asked().len(), 0);
}

#[tokio::test]
async fn after_a_429_with_a_date_nothing_is_asked() {
    let liar = Liar::telling([Lie::status(429, "").with("retry-after: 60"), Lie::ok(ONE)]);
    let source = PrometheusSource::new(settings(&liar.url())).unwrap();
    let first = read(&source, &samples()).await.unwrap_err();
    for fetch in [samples(), expression()] {
        assert_eq!(read(&source, &fetch).await.unwrap_err(), first);
    }
    assert_eq!(liar.asked().len(), 1);
}

#[tokio::test]
async fn no_more_queries_than_allowed_are_under_way() {
    // Each answer waits for a second request to come: fewer at once than two would never end.
    let pair = Arc::new(Barrier::new(2));
    let meet = Arc::new(move || {
        pair.wait();
    });
    let liar = Liar::telling([Lie::After(meet, Box::new(Lie::ok(ONE)))]);
    let source = Arc::new(
        PrometheusSource::new(PrometheusSettings {
            max_in_flight: NonZeroUsize::new(2).unwrap(),
            ..settings(&liar.url())
        })
        .unwrap(),
    );
    let mut reads = JoinSet::new();
    for _ in 0..8 {
        let source = Arc::clone(&source);
        reads.spawn(async move { read(&source, &samples()).await.unwrap() });
    }
    assert_eq!(reads.join_all().await.len(), 8);
    assert_eq!(liar.asked().len(), 8);
    assert_eq!(liar.most_at_once(), 2);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let liar = Liar::telling([Lie::ok(gzip(ONE.as_bytes())).with("content-encoding: gzip")]);
    for (limit, good) in [(ONE.len(), true), (ONE.len() - 1, false)] {
        let settings = PrometheusSettings {
            max_body_bytes: limit,
            ..settings(&liar.url())
        };
        let source = PrometheusSource::new(settings).unwrap();
        assert_eq!(read(&source, &samples()).await.is_ok(), good);
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let mut text = String::new();
    let header = |name: &str, value: &str| PrometheusSettings {
        headers: vec![(name.into(), value.into())],
        ..settings("http://prom:9090")
    };
    for settings in [
        settings("localhost:9090"),
        settings(""),
        settings("http://"),
        settings("unix:///run/prom.sock"),
        settings("http://prom:9090/?tenant=a"),
        header("X Tenant", "a"),
        header("X-Tenant", "hunter2\r\nX: y"),
    ] {
        writeln!(text, "{}", PrometheusSource::new(settings).unwrap_err()).unwrap();
    }
    insta::assert_snapshot!(text, @r"
    cannot use `sources.default.prometheus.url`: it must begin with http:// or https://
    cannot use `sources.default.prometheus.url`: it is not a URL; write it as http://localhost:9090
    cannot use `sources.default.prometheus.url`: it is not a URL; write it as http://localhost:9090
    cannot use `sources.default.prometheus.url`: it must begin with http:// or https://
    cannot use `sources.default.prometheus.url`: it must end with the path; query parameters belong into `params`
    cannot use `sources.default.prometheus.headers`: `X Tenant` is not the name of a header
    cannot use `sources.default.prometheus.headers`: `X-Tenant` has a value that no header may have
    ");
}

#[tokio::test]
async fn secrets_are_sent_and_never_shown() {
    let liar = Liar::telling([Lie::status(500, "")]);
    let url = liar.url().replace("http://", "http://ana:hunter2@");
    let settings = settings(&url);
    let shown = format!("{settings:?}");
    let source = PrometheusSource::new(settings).unwrap();
    let error = read(&source, &samples()).await.unwrap_err();
    let shown = format!("{shown} {source:?} {error} {error:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("ana"),
        "{shown}"
    );
    assert_eq!(source.url(), liar.url());
    assert_eq!(
        liar.asked()[0].headers["authorization"],
        "Basic YW5hOmh1bnRlcjI="
    );
}
