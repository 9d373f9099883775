//! What is sent, and when nothing is: credentials, limits, pauses, settings.

use std::fmt::Write;
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Barrier};

use tokio::task::JoinSet;

use crate::domain::metric::MetricKind;
use crate::domain::selector::Matcher;
use crate::domain::time::{TimeRange, Timestamp};
use crate::source::Source;

use super::liar::{Liar, Lie};
use super::{
    EMPTY, ONE, PrometheusSettings, PrometheusSource, expression, gzip, outcome, read, samples,
    settings,
};

fn secret(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
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

/// What lies beside the samples is looked up with the same credentials; whoever does not offer it is read all the same.
#[tokio::test]
async fn names_and_kinds_are_looked_up() {
    let liar = Liar::telling([
        Lie::ok(r#"{"status":"success","data":["depth","up"]}"#),
        Lie::ok(r#"{"status":"success","data":{"depth":[{"type":"gauge","help":""}]}}"#),
        Lie::status(403, "no"),
        Lie::ok(ONE),
    ]);
    let token = secret("s3cret\n");
    let settings = PrometheusSettings {
        bearer_token_file: Some(token.path().to_owned()),
        matchers: vec![Matcher::equal("env", "prod")],
        params: vec![("dedup".into(), "true".into())],
        ..settings(&format!("{}/prefix/", liar.url()))
    };
    let source = PrometheusSource::new(settings).unwrap();
    let within = TimeRange {
        from: Timestamp::from_millis(1_000),
        to: Timestamp::from_millis(61_500),
    };
    assert_eq!(source.names(within).await.unwrap(), ["depth", "up"]);
    let kind = source.kind_of("depth").await.unwrap();
    assert_eq!(kind, Some(MetricKind::Gauge));
    source.kind_of("depth").await.unwrap_err();
    read(&source, &samples()).await.unwrap();
    let asked = liar.asked();
    let asked = asked.iter().take(2);
    let lines: Vec<String> = asked
        .map(|it| format!("{}\n  {}", it.line, it.headers["authorization"]))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    GET /prefix/api/v1/label/__name__/values?start=1.000&end=61.500&limit=100000&match%5B%5D=%7B__name__%21%3D%22%22%2Cenv%3D%22prod%22%7D&dedup=true HTTP/1.1
      Bearer s3cret
    GET /prefix/api/v1/metadata?metric=depth&dedup=true HTTP/1.1
      Bearer s3cret
    ");
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
    cannot use the token file `FILE` of source `default`: there is no such file; check `sources.default.prometheus.bearerTokenFile` and who may read it
    cannot use the token file `FILE` of source `default`: it is empty; check `sources.default.prometheus.bearerTokenFile` and who may read it
    cannot use the token file `FILE` of source `default`: it holds more than a token on one line; check `sources.default.prometheus.bearerTokenFile` and who may read it
    ");
    text.clear();
    let (no_user, two) = (secret("s3cret"), secret("user:one\nuser:two"));
    for file in [&no_user, &two] {
        let settings = PrometheusSettings {
            basic_auth_file: Some(file.path().to_owned()),
            ..settings(&liar.url())
        };
        let sentence = outcome(settings, &samples()).await;
        let sentence = sentence.replace(&*file.path().to_string_lossy(), "FILE");
        writeln!(text, "{sentence}").unwrap();
    }
    insta::assert_snapshot!(text, @r"
    cannot use the password file `FILE` of source `default`: it does not hold user:password; check `sources.default.prometheus.basicAuthFile` and who may read it
    cannot use the password file `FILE` of source `default`: it holds more than a password on one line; check `sources.default.prometheus.basicAuthFile` and who may read it
    ");
    assert_eq!(liar.asked().len(), 0);
}

#[tokio::test]
async fn a_user_and_a_password_are_sent_as_rfc_7617_has_it() {
    let liar = Liar::telling([Lie::ok(EMPTY)]);
    let file = secret("Aladdin:open sesame\n");
    let source = PrometheusSource::new(PrometheusSettings {
        basic_auth_file: Some(file.path().to_owned()),
        ..settings(&liar.url())
    })
    .unwrap();
    read(&source, &samples()).await.unwrap();
    let sent = &liar.asked()[0].headers["authorization"];
    assert_eq!(sent, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

#[tokio::test]
async fn after_a_429_that_names_a_pause_nothing_is_asked() {
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
