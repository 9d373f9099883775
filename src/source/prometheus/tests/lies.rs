//! What comes of each lie of a server, and how often it was asked.

use std::fmt::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::time::Span;
use crate::series::batch::Fetch;

use super::liar::{Liar, Lie};
use super::{EMPTY, ONE, PrometheusSettings, expression, gzip, outcome, samples, settings};

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
    401: the Prometheus of source `default` at http://prom:9090 does not accept our credentials (HTTP 401); check `bearerTokenFile` or `basicAuthFile` under `sources.default.prometheus` (1 asked)
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
    cannot connect securely to the Prometheus of source `default` at http://prom:9090: it does not speak TLS; try http:// in place of https://; check `sources.default.prometheus.url` and the server's certificate
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
